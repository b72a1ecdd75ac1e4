/**
 * The package as somebody else has it: packed, laid into an empty project outside the repository, and used there.
 */
import { execFile, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

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

const cli = () => path.join(project, 'node_modules/lost-device-playbook/dist/cli.js');

test('its parts are there by name, with their types, and nothing else is', async () => {
  writeFileSync(
    path.join(project, 'use.ts'),
    `import { createCaseClient, type CaseClient } from 'lost-device-playbook/client';
     import { netskope } from 'lost-device-playbook/plugins/netskope';
     import { lostDevice } from 'lost-device-playbook/workflows';
     export const typed: CaseClient['handIn'] | undefined = undefined;
     // @ts-expect-error: a title is a text
     export const wrong: number = netskope.title;
     console.log(typeof createCaseClient, netskope.name, typeof lostDevice);`,
  );
  const tsc = path.join(root, 'node_modules/typescript/bin/tsc');
  const options = ['--strict', '--skipLibCheck', '--module', 'node16', '--target', 'es2023', '--types', 'node'];
  await run(process.execPath, [tsc, ...options, 'use.ts'], { cwd: project });
  const { stdout } = await run(process.execPath, ['use.js'], { cwd: project });
  expect(stdout.trim()).toBe('function netskope function');
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
