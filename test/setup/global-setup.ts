/**
 * Once per run, for the tiers that run workflows: the bundle, and a Temporal server that can skip time.
 * Handed over in environment variables, since each test file runs in a process or realm of its own.
 * @module
 */
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { NativeConnection } from '@temporalio/worker';
import { bundleWorkflows } from '../../setup/workflow-bundle';
import { prepareNamespace } from '../../temporal/namespace';
import { startTemporalServer, type TemporalServer } from '../../temporal/server';

/** What the teardown must end. */
export interface Started {
  server: TemporalServer;
  folder: string;
}

export default async function globalSetup(): Promise<void> {
  const namespace = 'lost-device-tests';
  const [server, code] = await Promise.all([
    startTemporalServer({
      port: 0,
      namespace,
      timeSkipping: true,
      log: (line) => process.stderr.write(`temporal: ${line}\n`),
    }),
    bundleWorkflows(),
  ]);
  const folder = await mkdtemp(path.join(tmpdir(), 'lost-device-tests-'));
  (globalThis as { started?: Started }).started = { server, folder };
  const bundle = path.join(folder, 'workflows.js');
  await writeFile(bundle, code);
  const connection = await NativeConnection.connect({ address: server.address });
  await prepareNamespace(connection, namespace);
  await connection.close();
  process.env.LOST_DEVICE_WORKFLOW_BUNDLE = bundle;
  process.env.LOST_DEVICE_TEST_TEMPORAL = server.address;
  process.env.LOST_DEVICE_TEST_NAMESPACE = namespace;
}
