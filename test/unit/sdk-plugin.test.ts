/** The plugin for somebody's own Worker: what it adds to their options, and what it refuses rather than break in silence. */
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Context } from '@temporalio/activity';
import { Client, Connection } from '@temporalio/client';
import type { NativeConnection, WorkerOptions } from '@temporalio/worker';
import type { Settings } from '../../playbook/settings';
import { LostDevicePlugin, taskQueue } from '../../plugin';
import { BadInput } from '../../plugins/errors';
import { writeNewKeyring } from '../../settings/keyring';
import { loadSettings } from '../../settings/load';
import { writeSimulatorSettings } from '../../simulator/settings';
import { askAgain } from '../../workflows/messages';

const folder = mkdtempSync(path.join(tmpdir(), 'sdk-plugin-'));
// Nothing is called over it.
const connection = Connection.lazy({ address: '127.0.0.1:9' }) as unknown as NativeConnection;
const minimal: WorkerOptions = { connection, taskQueue };
let settings: Settings;
let encrypted: Settings;

beforeAll(async () => {
  delete process.env.TEMPORAL_ADDRESS;
  const { file } = writeSimulatorSettings({ folder, simulator: 'http://127.0.0.1:9', tenant: 'acme', with: {} });
  settings = await loadSettings(file);
  const keys = path.join(folder, 'keyring.json');
  await writeNewKeyring(keys);
  appendFileSync(file, `encryption: { keys: file:${keys} }\n`);
  encrypted = await loadSettings(file);
});
afterAll(() => rmSync(folder, { recursive: true }));

test("our activities come beside somebody's own, and a shutdown waits for the longest vendor call", () => {
  const mine = () => undefined;
  const options = new LostDevicePlugin(settings).configureWorker({ ...minimal, activities: { mine } });
  expect(options.activities).toHaveProperty('mine', mine);
  expect(options.activities).toHaveProperty(['lostDevice.firstResponse']);
  expect(options.shutdownGraceTime).toBe('35 seconds');
  const patient = { ...minimal, shutdownGraceTime: '1 hour' as const };
  expect(new LostDevicePlugin(settings).configureWorker(patient).shutdownGraceTime).toBe('1 hour');
});

test("nobody else's activity is touched", () => {
  const context = (activityType: string) => ({ info: { activityType } }) as Context;
  const [intercept] = new LostDevicePlugin(settings).configureWorker(minimal).interceptors?.activity ?? [];
  expect(intercept?.(context('mine'))).toEqual({});
  expect(intercept?.(context('lostDevice.firstResponse'))).toHaveProperty('inbound.execute');
});

test.each<[string, Partial<WorkerOptions>, RegExp]>([
  ['no connection', { connection: undefined as never }, /has no connection/],
  ['another task queue', { taskQueue: 'mine' }, /task queue is mine, and cases wait on lost-device/],
  ['another namespace', { namespace: 'elsewhere' }, /namespace is elsewhere, and the settings' default/],
  ['a data converter', { dataConverter: { payloadCodecs: [] } }, /data converter already/],
  [
    'activities of the same name',
    { activities: { 'lostDevice.sendWipe': () => undefined, mine: () => undefined } },
    /names of ours \(lostDevice\.sendWipe\)/,
  ],
])('a worker with %s is refused', (_, more, says) => {
  const configure = () => new LostDevicePlugin(settings).configureWorker({ ...minimal, ...more });
  expect(configure).toThrow(BadInput);
  expect(configure).toThrow(says);
});

test('a second worker and a connection are refused', () => {
  const plugin = new LostDevicePlugin(settings);
  plugin.configureWorker(minimal);
  expect(() => plugin.configureWorker(minimal)).toThrow(/has a worker already/);
  expect(() => plugin.configureNativeConnection({})).toThrow(/give it to the worker and to the client/);
});

test('an activity that another plugin put in the place of ours is refused before anything runs', async () => {
  const plugin = new LostDevicePlugin(settings);
  const { activities } = plugin.configureWorker(minimal);
  const compiled = new Map(Object.entries({ ...activities, 'lostDevice.sendWipe': () => undefined }));
  const next = jest.fn();
  const running = plugin.runWorker({ options: { activities: compiled } } as never, next);
  await expect(running).rejects.toThrow(/names of ours \(lostDevice\.sendWipe\)/);
  expect(next).not.toHaveBeenCalled();
});

test('with a keyring, a client writes by our codec, and a bundle gets the failure converter', () => {
  const plugin = new LostDevicePlugin(encrypted);
  const { dataConverter } = new Client({ connection, plugins: [plugin] }).options;
  expect(dataConverter?.payloadCodecs).toHaveLength(1);
  expect(() => new Client({ connection, plugins: [plugin], dataConverter: {} })).toThrow(/data converter already/);
  const { failureConverterPath } = plugin.configureBundler({ workflowsPath: '/mine' });
  expect(failureConverterPath).toBe(dataConverter?.failureConverterPath);
  expect(failureConverterPath).toMatch(/failure-converter/);
  const clear = new LostDevicePlugin(settings).configureBundler({ workflowsPath: '/mine' });
  expect(clear.failureConverterPath).toBeUndefined();

  const withBundle = (code: string) => ({ ...minimal, workflowBundle: { code: `${askAgain} ${code}` } });
  expect(() => plugin.configureWorker(withBundle('new DefaultFailureConverter()'))).toThrow(/would lie in clear/);
  const right = withBundle('new DefaultFailureConverter({ encodeCommonAttributes: true })');
  expect(plugin.configureWorker(right).dataConverter).toBe(dataConverter);
});

test('a bundle of the workflows gets our interceptors, and one without them is refused', () => {
  const plugin = new LostDevicePlugin(settings);
  const { workflowInterceptorModules } = plugin.configureBundler({ workflowsPath: '/mine' });
  expect(workflowInterceptorModules).toEqual([expect.stringMatching(/workflows.interceptors/)]);
  expect(() => plugin.configureWorker({ ...minimal, workflowBundle: { code: 'export {}' } })).toThrow(
    /lacks our interceptors/,
  );
  const { interceptors } = plugin.configureWorker({ ...minimal, workflowsPath: '/mine' });
  expect(interceptors?.workflowModules).toEqual(workflowInterceptorModules);
});
