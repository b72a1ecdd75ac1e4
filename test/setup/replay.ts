/**
 * What a replay says of a history.
 * @module
 */
import type { WorkflowHandle } from '@temporalio/client';
import { Worker, type WorkflowBundleOption } from '@temporalio/worker';

/** @returns `replays`, or the message of the error that the replay ended with. */
export async function replay(workflowBundle: WorkflowBundleOption, handle: WorkflowHandle): Promise<string> {
  return Worker.runReplayHistory({ workflowBundle }, await handle.fetchHistory(), handle.workflowId).then(
    () => 'replays',
    (error: Error) => error.message,
  );
}
