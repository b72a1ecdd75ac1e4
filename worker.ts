/**
 * Entry: a Temporal Worker that runs the playbook. Many of them may run beside each other; none holds state of its own.
 * @module
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { DataConverter } from '@temporalio/common';
import { NativeConnection, Runtime, Worker } from '@temporalio/worker';
import type { WorkerOptions } from '@temporalio/worker';
import { createActivities } from './activities';
import type { House } from './activities/house';
import { activityInterceptors } from './activities/interceptors';
import { closeHouse, openHouse } from './open-house';
import type { Settings } from './playbook/settings';
import { loadSettings } from './settings/load';
import { startStandingWork } from './standing-work';
import { createLogger } from './temporal/logger';
import { prepareNamespace } from './temporal/namespace';
import { openClient } from './temporal/open-client';
import { taskQueues } from './workflows/ids';

export interface RunningWorker {
  /** Rejects when a worker dies by itself; resolves after `stop`. */
  ended: Promise<void>;
  stop(): Promise<void>;
}

/**
 * Run the playbook's worker and, on a queue of their own, the fleet watches; make sure that the watches and the
 * reconciliation schedule of every tenant exist.
 */
export async function startWorker(
  settings: Settings,
  house: House,
  connection: NativeConnection,
  bundlePath?: string,
): Promise<RunningWorker> {
  const { dataConverter = {} } = house.client.options;
  const shared = {
    connection,
    dataConverter,
    namespace: settings.temporal.namespace,
    activities: createActivities(house),
    interceptors: { activity: [activityInterceptors] },
    // A shutdown waits for the longest vendor call rather than leaving its outcome unknown.
    shutdownGraceTime: '35 seconds',
  } satisfies Partial<WorkerOptions>;
  const main = await Worker.create({
    ...shared,
    ...workflowCode(dataConverter, bundlePath),
    taskQueue: taskQueues.main,
    maxCachedWorkflows: 300,
    maxConcurrentActivityTaskExecutions: 60,
  });
  const watch = await Worker.create({
    ...shared,
    taskQueue: taskQueues.watch,
    maxConcurrentActivityTaskExecutions: 200,
    maxHeartbeatThrottleInterval: '500ms',
    shutdownGraceTime: '1 second',
  });
  const ended = Promise.all([main.run(), watch.run()]).then(() => undefined);
  await Promise.race([startStandingWork(house), ended]);
  return {
    ended,
    async stop() {
      for (const worker of [main, watch]) if (worker.getState() === 'RUNNING') worker.shutdown();
      await ended;
    },
  };
}

/**
 * All that decides how a workflow runs, and so how it replays: its code, and how values are written down. The compiled
 * package ships its bundles; from source one is made at start.
 * @param bundlePath With the failure converter in it where `dataConverter` names one, or messages of failures stay in clear.
 */
export function workflowCode(
  dataConverter: DataConverter,
  bundlePath?: string,
): Pick<WorkerOptions, 'workflowBundle' | 'workflowsPath' | 'dataConverter'> {
  const shipped = join(__dirname, workflowBundles[dataConverter.failureConverterPath ? 'encrypted' : 'clear']);
  const codePath = bundlePath ?? (existsSync(shipped) ? shipped : undefined);
  return codePath === undefined
    ? { dataConverter, workflowsPath: require.resolve('./workflows') }
    : { dataConverter, workflowBundle: { codePath } };
}

/** Names of the files in the package. */
export const workflowBundles = { clear: 'workflow-bundle.js', encrypted: 'workflow-bundle-encrypted.js' } as const;

async function main(): Promise<void> {
  Runtime.install({ logger: createLogger() });
  const settings = await loadSettings();
  const address = settings.temporal.address ?? process.env.TEMPORAL_ADDRESS ?? `127.0.0.1:${settings.temporal.port}`;
  const connection = await NativeConnection.connect({ address });
  await prepareNamespace(connection, settings.temporal.namespace, settings.temporal.keepClosedMs);
  const house = openHouse(settings, openClient(settings, connection), false);
  const worker = await startWorker(settings, house, connection);
  process.stdout.write(`Worker on ${address}, queues ${taskQueues.main} and ${taskQueues.watch}.\n`);
  const stop = async () => {
    await worker.stop();
    await closeHouse(house);
    await connection.close();
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stop());
  await worker.ended;
}

if (require.main === module) {
  main().catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  });
}
