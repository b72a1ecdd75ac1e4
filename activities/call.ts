/**
 * What every vendor call of an activity carries: the activity's cancellation, and now.
 * @module
 */
import { cancellationSignal } from '@temporalio/activity';
import type { Call } from '../plugins/roles';

/** `now` is the case's clock, given by the workflow: under skipped time it runs ahead of the machine's. */
export function callAt(now: string): Call {
  return { signal: cancellationSignal(), now };
}
