/** What the plugin runs beside somebody's worker begins and ends with it; what keeps it from beginning ends both. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { temporal as api } from '@temporalio/proto';
import { NativeConnection, Worker } from '@temporalio/worker';
import type { Settings } from '../../playbook/settings';
import { connectTemporal, loadSettings, LostDevicePlugin, taskQueue } from '../../plugin';
import { startSimulator, type RunningSimulator } from '../../simulator/server';
import { writeSimulatorSettings } from '../../simulator/settings';
import { openClient } from '../../temporal/open-client';
import { startTemporalServer, type TemporalServer } from '../../temporal/server';
import { missingWorkers } from '../../client/workers';
import { eventually } from '../setup/eventually';
import '../setup/time-skipping'; // It sets the SDK's log level, once per process.

const folder = mkdtempSync(path.join(tmpdir(), 'own-worker-'));
let simulator: RunningSimulator;
let temporal: TemporalServer;
let settings: Settings;
let connection: NativeConnection;

beforeEach(async () => {
  for (const name of Object.keys(process.env)) if (name.startsWith('TEMPORAL_')) delete process.env[name];
  simulator = await startSimulator({ port: 0, seed: 1 });
  temporal = await startTemporalServer({ port: 0, namespace: 'default' });
  const { file } = writeSimulatorSettings({
    folder,
    simulator: simulator.url,
    tenant: 'acme',
    with: {},
    temporal: temporal.address,
  });
  settings = await loadSettings(file);
  connection = await connectTemporal(NativeConnection, settings);
});
afterEach(async () => {
  // Refused while a worker holds it.
  await connection.close();
  await temporal.stop();
  await simulator.close();
});
afterAll(() => rmSync(folder, { recursive: true }));

const makeWorker = (plugin: LostDevicePlugin) =>
  Worker.create({
    connection,
    taskQueue,
    workflowBundle: { codePath: process.env.LOST_DEVICE_WORKFLOW_BUNDLE ?? '' },
    plugins: [plugin],
  });

test('the watches have a worker for as long as the worker runs', async () => {
  const plugin = new LostDevicePlugin(settings);
  const worker = await makeWorker(plugin);
  const ended = worker.run();
  await Promise.race([plugin.started, ended]);
  const client = openClient(settings, connection);
  await eventually(async () => expect(await missingWorkers(client)).toEqual([]));
  expect((await client.workflow.count(`WorkflowType = 'fleetWatch' AND ExecutionStatus = 'Running'`)).count).toBe(3);
  worker.shutdown();
  await ended;
});

test('a shutdown before all runs ends all', async () => {
  const worker = await makeWorker(new LostDevicePlugin(settings));
  const ended = worker.run();
  worker.shutdown();
  await ended;
});

test('a namespace that cannot be made ready ends the worker, with the reason', async () => {
  const wrong = { LostDeviceOutcome: api.api.enums.v1.IndexedValueType.INDEXED_VALUE_TYPE_INT };
  await connection.operatorService.addSearchAttributes({ namespace: 'default', searchAttributes: wrong });
  const worker = await makeWorker(new LostDevicePlugin(settings));
  await expect(worker.run()).rejects.toThrow(/LostDeviceOutcome .*TYPE_INT.*TYPE_KEYWORD/);
  expect(worker.getState()).toBe('STOPPED');
});
