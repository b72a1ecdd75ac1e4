/**
 * How a command ends that did not succeed: an exit code, and a plain line or a few. Never a stack.
 * @module
 */
import {
  isGrpcDeadlineError,
  isGrpcServiceError,
  ServiceError,
  WorkflowNotFoundError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { RefusedByRule } from '../client/cases';
import { BadInput } from '../plugins/errors';

/** Exit codes: 1 failed (a vendor or Temporal is away), 2 bad input, 3 refused by a rule. */
export interface Failure {
  exitCode: 1 | 2 | 3;
  text: string;
}

export function failureOf(error: unknown): Failure {
  if (error instanceof BadInput) return { exitCode: 2, text: error.message };
  if (error instanceof RefusedByRule) return { exitCode: 3, text: error.message };
  if (error instanceof WorkflowNotFoundError) return { exitCode: 3, text: 'There is no such case, or it was removed.' };
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) {
    return {
      exitCode: 1,
      text: 'No worker answered in time, and it is not known whether the decision was taken. Look with `show` before you repeat it.',
    };
  }
  const cause = error instanceof ServiceError ? error.cause : error;
  if (isGrpcDeadlineError(cause)) {
    return {
      exitCode: 1,
      text: 'Temporal, or a worker behind it, did not answer in time. Is `lost-device up` running?',
    };
  }
  if (isGrpcServiceError(cause)) return { exitCode: 1, text: `Temporal said no: ${cause.details || cause.message}` };
  return { exitCode: 1, text: error instanceof Error ? error.message : String(error) };
}
