/**
 * Which task queues have nobody. Temporal keeps what waits there, in silence: somebody must look.
 * @module
 */
import type { Client } from '@temporalio/client';
import { tsToMs } from '@temporalio/common/lib/time';
import { temporal } from '@temporalio/proto';
import { taskQueues } from '../workflows/ids';

/** A queue of ours by its name in the code. */
export type QueueName = keyof typeof taskQueues;

const { TASK_QUEUE_TYPE_WORKFLOW: workflows, TASK_QUEUE_TYPE_ACTIVITY: activities } =
  temporal.api.enums.v1.TaskQueueType;
/** What each queue must have; the watch queue runs no workflows. */
const needed: Record<QueueName, (typeof workflows | typeof activities)[]> = {
  main: [workflows, activities],
  watch: [activities],
};
/**
 * A worker asks again every minute at the latest when there is nothing to do, and the server goes on naming one that is
 * gone for five minutes (milliseconds). Both measured on Server 1.32.
 */
const goneAfterMs = 90_000;
const answerWithinMs = 1_500;

/**
 * The queues that lack a worker now. A worker that went away is missed after 90 s.
 * @throws When Temporal does not answer within 1.5 s.
 */
export async function missingWorkers(client: Client): Promise<QueueName[]> {
  const { namespace } = client.options;
  const isPolled = async (name: string, taskQueueType: temporal.api.enums.v1.TaskQueueType) => {
    const { pollers } = await client.workflowService.describeTaskQueue({
      namespace,
      taskQueue: { name },
      taskQueueType,
    });
    return (pollers ?? []).some(({ lastAccessTime }) => tsToMs(lastAccessTime) > Date.now() - goneAfterMs);
  };
  return client.connection.withDeadline(Date.now() + answerWithinMs, async () => {
    const missing: QueueName[] = [];
    for (const queue of Object.keys(needed) as QueueName[]) {
      const polled = await Promise.all(needed[queue].map((type) => isPolled(taskQueues[queue], type)));
      if (!polled.every(Boolean)) missing.push(queue);
    }
    return missing;
  });
}
