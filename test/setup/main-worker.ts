/**
 * A worker of the cases alone, made by hand: nobody takes the watches, and a test may set what the product never would.
 * @module
 */
import { Worker, type NativeConnection, type WorkerOptions } from '@temporalio/worker';
import { createActivities } from '../../activities';
import type { House } from '../../activities/house';
import { activityInterceptors } from '../../activities/interceptors';
import type { Settings } from '../../playbook/settings';
import type { RunningWorker } from '../../worker';
import { taskQueues } from '../../workflows/ids';

/** For `work` of a test house. */
export async function startMainWorker(
  settings: Settings,
  house: House,
  connection: NativeConnection,
  more: Partial<WorkerOptions> = {},
): Promise<RunningWorker> {
  const worker = await Worker.create({
    connection,
    namespace: settings.temporal.namespace,
    taskQueue: taskQueues.main,
    workflowBundle: { codePath: process.env.LOST_DEVICE_WORKFLOW_BUNDLE ?? '' },
    activities: createActivities(house),
    interceptors: { activity: [activityInterceptors] },
    ...more,
  });
  const ended = worker.run();
  return {
    ended,
    async stop() {
      worker.shutdown();
      await ended;
    },
  };
}
