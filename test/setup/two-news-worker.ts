/**
 * Entry: a worker for `two-news.ts` in a process that a test kills.
 *
 *     tsx two-news-worker.ts ADDRESS NAMESPACE TASK-QUEUE BUNDLE
 * @module
 */
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';

/** How long a task waits for a worker that is gone (milliseconds); 10 s without this. */
const stickyMs = 6_000;

async function main([address = '', namespace = '', taskQueue = '', codePath = '']: string[]): Promise<void> {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const worker = await Worker.create({
    connection: await NativeConnection.connect({ address }),
    namespace,
    taskQueue,
    workflowBundle: { codePath },
    stickyQueueScheduleToStartTimeout: stickyMs,
  });
  process.stdout.write('ready\n');
  await worker.run();
}

void main(process.argv.slice(2));
