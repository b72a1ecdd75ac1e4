/**
 * The package as somebody else has it: packed, laid into an empty project outside the repository, and used there.
 */
import { execFile, spawn } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import { loadSettings } from '../../settings/load';
import { startSimulator } from '../../simulator/server';
import { writeSimulatorSettings } from '../../simulator/settings';
import { openClient } from '../../temporal/open-client';
import { startTemporalServer } from '../../temporal/server';
import { eventually } from '../setup/eventually';

const run = promisify(execFile);
const root = path.resolve(__dirname, '../..');
let project: string;

beforeAll(async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'lost-device-package-'));
  const source = path.join(folder, 'source');
  project = path.join(folder, 'project');
  const modules = path.join(project, 'node_modules');
  mkdirSync(modules, { recursive: true });
  mkdirSync(source);
  for (const name of ['package.json', 'README.md', 'CHANGELOG.md', 'LICENSE', 'docs'])
    cpSync(path.join(root, name), path.join(source, name), { recursive: true });
  await run(process.execPath, ['--import', 'tsx', 'setup/build.ts', path.join(source, 'dist')], { cwd: root });
  // What `prepack` would do is done already.
  const { stdout } = await run('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder], {
    cwd: source,
  });
  await run('tar', ['-xzf', path.join(folder, stdout.trim()), '-C', folder]);
  cpSync(path.join(folder, 'package'), path.join(modules, 'lost-device-playbook'), { recursive: true });
  // What it depends on, as npm would lay it beside.
  for (const name of readdirSync(path.join(root, 'node_modules')))
    if (!name.startsWith('.')) symlinkSync(path.join(root, 'node_modules', name), path.join(modules, name));
}, 600_000);
afterAll(() => rmSync(path.dirname(project), { recursive: true, force: true }));

/** A part of what the simulator tells. */
interface VendorState {
  netskope: { groups: Record<string, string[]> };
}

const cli = () => path.join(project, 'node_modules/lost-device-playbook/dist/cli.js');

test('its parts are there by name, with their types, and nothing else is', async () => {
  writeFileSync(
    path.join(project, 'use.ts'),
    `import { createCaseClient, type CaseClient } from 'lost-device-playbook/client';
     import { LostDevicePlugin } from 'lost-device-playbook/plugin';
     import { netskope } from 'lost-device-playbook/plugins/netskope';
     import { lostDevice } from 'lost-device-playbook/workflows';
     export const typed: CaseClient['handIn'] | undefined = undefined;
     // @ts-expect-error: a title is a text
     export const wrong: number = netskope.title;
     console.log(typeof createCaseClient, typeof LostDevicePlugin, netskope.name, typeof lostDevice);`,
  );
  const tsc = path.join(root, 'node_modules/typescript/bin/tsc');
  const options = ['--strict', '--skipLibCheck', '--module', 'node16', '--target', 'es2023', '--types', 'node'];
  await run(process.execPath, [tsc, ...options, 'use.ts'], { cwd: project });
  const { stdout } = await run(process.execPath, ['use.js'], { cwd: project });
  expect(stdout.trim()).toBe('function function netskope function');
  const inside = run(process.execPath, ['-e', "require('lost-device-playbook/dist/house.js')"], { cwd: project });
  await expect(inside).rejects.toThrow('ERR_PACKAGE_PATH_NOT_EXPORTED');
});

test('init writes a file whose schema is in the package, and up runs by it until it is stopped', async () => {
  await run(process.execPath, [cli(), 'init', '--defaults'], { cwd: project });
  const file = path.join(project, 'lost-device.yaml');
  const written = readFileSync(file, 'utf8');
  expect(written).toContain('$schema=node_modules/lost-device-playbook/docs/schemas/settings.json');
  // Free ports: another house may run on this machine.
  const ports = 'temporal: { port: 0, uiPort: 0 }\nhttp: { webhooks: { port: 0 }, api: { port: 0 } }\n';
  writeFileSync(file, ports + written);
  const up = spawn(process.execPath, [cli(), 'up', '--json'], { cwd: project, stdio: ['ignore', 'pipe', 'pipe'] });
  const closed = new Promise<number | null>((resolve) => up.once('close', resolve));
  let errors = '';
  up.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const first = new Promise<string>((resolve) => createInterface({ input: up.stdout }).once('line', resolve));
  const line = await Promise.race([first, closed.then(() => `ended: ${errors}`)]);
  const { api } = JSON.parse(line) as { api: string };
  expect(await (await fetch(`${api}/api/cases`)).json()).toEqual([]);
  up.kill('SIGTERM');
  expect(await closed).toBe(0);
});

test('the playbook runs in the worker of examples/own-worker, encrypting, beside its own workflow', async () => {
  const own = path.join(project, 'own-worker');
  cpSync(path.join(root, 'examples/own-worker'), own, { recursive: true });
  const tsc = path.join(root, 'node_modules/typescript/bin/tsc');
  const options = [
    '--noEmit',
    '--strict',
    '--skipLibCheck',
    '--module',
    'node16',
    '--target',
    'es2023',
    '--types',
    'node',
  ];
  await run(process.execPath, [tsc, ...options, 'worker.ts', 'workflows.ts'], { cwd: own });

  const [simulator, temporal] = await Promise.all([
    startSimulator({ port: 0, seed: 1 }),
    startTemporalServer({ port: 0, namespace: 'default' }),
  ]);
  const connection = await Connection.connect({ address: temporal.address });
  const { file } = writeSimulatorSettings({
    folder: own,
    simulator: simulator.url,
    tenant: 'acme',
    with: {},
    pollEveryMs: 500,
    indexEvery: '1s',
    temporal: temporal.address,
  });
  const command = async (...given: string[]) =>
    JSON.parse((await run(process.execPath, [cli(), ...given, '--json'], { cwd: own })).stdout) as never;
  await command('keys', 'new', 'keyring.json');
  appendFileSync(file, 'encryption: { keys: file:keyring.json }\n');
  const worker = spawn(process.execPath, ['--import', 'tsx', 'worker.ts'], {
    cwd: own,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [worker.stdout, worker.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const ended = new Promise<number | null>((resolve) => worker.once('close', resolve));
  try {
    const client = openClient(await loadSettings(file), connection);
    const order = { taskQueue: 'lost-device', workflowId: 'order-1', args: ['pat@example.test'] };
    const died = ended.then((code) => Promise.reject(new Error(`The worker ended with ${code}: ${said}`)));
    died.catch(() => undefined);
    expect(await Promise.race([client.workflow.execute('orderReplacement', order), died])).toBe(
      'order for pat@example.test',
    );

    // Search attributes, watches and schedule are made by the worker itself.
    await eventually(async () => {
      const { spec } = await client.schedule.getHandle('lost-device-reconciliation:acme').describe();
      expect(spec.intervals).toHaveLength(1);
    });
    await command('start', '--serial', 'SN0042', '--kind', 'stolen', '--ticket', 'OWN-1');
    await eventually(async () =>
      expect(await command('show', 'SN0042')).toMatchObject({ containment: { state: 'contained' } }),
    );
    const { netskope } = (await (await fetch(`${simulator.url}/control/state`)).json()) as VendorState;
    expect(netskope.groups['Lost-Stolen Devices']).toHaveLength(1);
    // The watches are worked on: they have a queue of their own.
    await eventually(async () => {
      const states = ((await command('feeds')) as { state: string }[]).map(({ state }) => state);
      expect(states).toEqual(['ok', 'ok', 'ok']);
    });

    // The failure converter is in the bundle that the worker made of its own workflows.
    const refused = { ...order, workflowId: 'order-2', args: ['the baker of the corner'] };
    const failure = await client.workflow.execute('orderReplacement', refused).catch((error: unknown) => error);
    expect(failure).toMatchObject({ cause: { cause: { message: 'Nobody delivers to the baker of the corner' } } });
    const history = JSON.stringify(await new Client({ connection }).workflow.getHandle('order-2').fetchHistory());
    expect(history).toContain('Encoded failure');
    expect(history).not.toContain('Nobody delivers');

    worker.kill('SIGTERM');
    expect(await ended).toBe(0);
  } finally {
    worker.kill('SIGKILL');
    await connection.close();
    await Promise.all([simulator.close(), temporal.stop()]);
  }
}, 300_000);
