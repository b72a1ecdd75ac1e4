/**
 * Entry: a Temporal Worker that runs the playbook. Many of them may run beside each other; none holds state of its own.
 * @module
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { DataConverter } from '@temporalio/common';
import { NativeConnection, Runtime, Worker } from '@temporalio/worker';
import type { WorkerOptions } from '@temporalio/worker';
import type { House } from './activities/house';
import { closeHouse, openHouse } from './open-house';
import type { Settings } from './playbook/settings';
import { LostDevicePlugin } from './plugin';
import { BadInput } from './plugins/errors';
import { loadSettings } from './settings/load';
import { connectTemporal } from './temporal/connect';
import { createLogger } from './temporal/logger';
import { openClient } from './temporal/open-client';
import { taskQueues } from './workflows/ids';

export interface RunningWorker {
  /** Rejects when a worker dies by itself; resolves after `stop`. */
  ended: Promise<void>;
  stop(): Promise<void>;
}

/**
 * Run the playbook's worker and, on a queue of their own, the fleet watches; make sure that the namespace has the search
 * attributes, and every tenant its watches and its reconciliation schedule.
 */
export async function startWorker(
  settings: Settings,
  house: House,
  connection: NativeConnection,
  bundlePath?: string,
): Promise<RunningWorker> {
  const plugin = new LostDevicePlugin(settings, house);
  const worker = await Worker.create({
    connection,
    namespace: settings.temporal.namespace,
    taskQueue: taskQueues.main,
    ...workflowCode(house.client.options.dataConverter, bundlePath),
    plugins: [plugin],
    maxCachedWorkflows: 300,
    maxConcurrentActivityTaskExecutions: 60,
  });
  const ended = worker.run();
  await Promise.race([plugin.started, ended]);
  return {
    ended,
    async stop() {
      if (worker.getState() === 'RUNNING') worker.shutdown();
      await ended;
    },
  };
}

/**
 * The workflows' code. The compiled package ships its bundles; from source one is made at start.
 * @param bundlePath With the failure converter in it where `dataConverter` names one.
 */
export function workflowCode(
  dataConverter: DataConverter | undefined,
  bundlePath?: string,
): Pick<WorkerOptions, 'workflowBundle' | 'workflowsPath'> {
  const shipped = join(__dirname, workflowBundles[dataConverter?.failureConverterPath ? 'encrypted' : 'clear']);
  const codePath = bundlePath ?? (existsSync(shipped) ? shipped : undefined);
  return codePath === undefined ? { workflowsPath: require.resolve('./workflows') } : { workflowBundle: { codePath } };
}

/** Names of the files in the package. */
export const workflowBundles = { clear: 'workflow-bundle.js', encrypted: 'workflow-bundle-encrypted.js' } as const;

async function main(): Promise<void> {
  Runtime.install({ logger: createLogger() });
  const settings = await loadSettings();
  const connection = await connectTemporal(NativeConnection, settings);
  const house = openHouse(settings, openClient(settings, connection), false);
  const worker = await startWorker(settings, house, connection);
  process.stdout.write(`Worker on the queues ${taskQueues.main} and ${taskQueues.watch}.\n`);
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
    process.exitCode = error instanceof BadInput ? 2 : 1;
  });
}
