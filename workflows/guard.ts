/**
 * One per tenant: containment is a weapon too. A burst of automatic containments asks a person first. The wipe's caps and
 * the freeze switch will live here as well.
 * @module
 */
import { allHandlersFinished, condition, continueAsNew, setHandler, workflowInfo } from '@temporalio/workflow';
import type { Admission, AdmissionRequest, GuardState } from './messages';
import { admitContainments } from './messages';

const hourMs = 60 * 60_000;

export async function guard(state: GuardState): Promise<void> {
  const admit = ({ chain, at, perHour }: AdmissionRequest): Admission => {
    // A repeat of the same case gets the same word, also after continuing as new.
    if (state.admitted.some((earlier) => earlier.chain === chain))
      return { admitted: true, reason: 'Admitted before.' };
    const sinceMs = Date.parse(at) - hourMs;
    state.admitted = state.admitted.filter((earlier) => Date.parse(earlier.at) > sinceMs);
    if (state.admitted.length >= perHour) {
      return {
        admitted: false,
        reason: `${state.admitted.length} laptops were contained automatically within an hour, and the cap is ${perHour}: a person must agree to more.`,
      };
    }
    state.admitted.push({ chain, at });
    return { admitted: true, reason: `${state.admitted.length} of ${perHour} in this hour.` };
  };
  setHandler(admitContainments, (requests) => requests.map(admit));
  await condition(() => workflowInfo().continueAsNewSuggested && allHandlersFinished());
  return continueAsNew<typeof guard>(state);
}
