/**
 * The package as a stranger gets it: packed by npm, installed by npm from the registries into an empty folder, pointed at the
 * simulator and run there, with encryption. What only works in the repository fails here: a file that was not packed, a package
 * that is needed and only for developers.
 * @module
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { startSimulator } from '../simulator/server';

const root = path.dirname(__dirname);
/** For one command, on a machine that does much else (milliseconds). */
const commandWithinMs = 180_000;
const containedWithinMs = 60_000;

/** Without what npm tells its scripts, and what leads to another house. */
const environment = Object.fromEntries(
  Object.entries(process.env).filter(
    ([name]) =>
      !/^(npm_config_(local_prefix|loglevel)|npm_package_.*|TEMPORAL_ADDRESS|LOST_DEVICE_SETTINGS)$/.test(name),
  ),
);

interface Ended {
  code: number | null;
  out: string;
  err: string;
}

/** What runs now: ended with us, whatever happens. */
const running = new Set<ChildProcess>();

async function run(program: string, args: string[], cwd: string): Promise<Ended> {
  const ended: Ended = { code: null, out: '', err: '' };
  const child = spawn(program, args, {
    cwd,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: commandWithinMs,
  });
  running.add(child);
  child.stdout.on('data', (chunk: Buffer) => (ended.out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (ended.err += chunk.toString()));
  ended.code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
  running.delete(child);
  return ended;
}

async function main(): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'lost-device-installed-'));
  const simulator = await startSimulator({ port: 0, seed: 1 });
  const project = path.join(folder, 'project');
  const program = path.join(project, 'node_modules', '.bin', 'lost-device');

  /** @throws Error with what was said, where the exit code is another one. */
  const lostDevice = async (command: string, code = 0): Promise<string> => {
    const ended = await run(program, command.split(' '), project);
    if (ended.code === code) return ended.out;
    throw new Error(`lost-device ${command} ended with ${ended.code} instead of ${code}:\n${ended.out}${ended.err}`);
  };
  const stopping = (lines: string) =>
    (JSON.parse(lines) as { id: string; result: string }[])
      .filter(({ result }) => result === 'stops')
      .map(({ id }) => id);
  const breakOne = (id: string, broken: boolean) =>
    fetch(`${simulator.url}/control/prerequisites`, { method: 'POST', body: JSON.stringify({ id, broken }) });

  let beganMs = Date.now();
  const done = (what: string) => {
    process.stdout.write(`${what} (${((Date.now() - beganMs) / 1000).toFixed(1)} s)\n`);
    beganMs = Date.now();
  };
  try {
    await mkdir(project);
    const packed = await run('npm', ['pack', '--loglevel=error', '--pack-destination', folder], root);
    if (packed.code !== 0) throw new Error(`npm pack failed:\n${packed.err}`);
    const tarball = path.join(folder, packed.out.trim().split('\n').at(-1) ?? '');
    done(`packed: ${((await stat(tarball)).size / 1_000_000).toFixed(1)} MB`);

    const options = ['--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error', '--prefix', project];
    const installed = await run('npm', ['install', ...options, tarball], project);
    if (installed.code !== 0)
      throw new Error(
        `npm install of the package failed; it needs a registry of packages. npm says:\n${installed.err}`,
      );
    done(installed.out.trim());

    await lostDevice('init --defaults');
    await pointAt(simulator.url, project);
    await lostDevice('keys new secrets/keyring');
    if (stopping(await lostDevice('check --json')).length > 0)
      throw new Error('check ended with 0, and something stops');
    await breakOne('netskope-group-write', true);
    const broken = stopping(await lostDevice('check --json', 1));
    if (broken.join() !== 'netskope-group-write')
      throw new Error(`One permission was taken, and these stop: ${broken.join()}`);
    await breakOne('netskope-group-write', false);
    await lostDevice('attest netskope-fail-close --by ana --evidence CHG-7 --expires 90d');
    await lostDevice('settings show');
    await lostDevice('exceptions');
    done('set up and checked');

    const house = spawn(program, ['up', '--json'], {
      cwd: project,
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    running.add(house);
    let said = '';
    house.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const closed = new Promise<number | null>((resolve) => house.once('close', resolve));
    const ready = new Promise<void>((resolve) =>
      createInterface({ input: house.stdout }).once('line', () => resolve()),
    );
    await Promise.race([
      ready,
      closed.then((code) => {
        throw new Error(`lost-device up ended with ${code}:\n${said}`);
      }),
    ]);
    done('up');

    await lostDevice('start --serial SN0042 --kind stolen');
    for (const endMs = Date.now() + containedWithinMs; ; await setTimeout(500)) {
      const shown = JSON.parse(await lostDevice('show SN0042 --json')) as { containment?: { state: string } };
      if (shown.containment?.state === 'contained') break;
      if (Date.now() > endMs) throw new Error(`SN0042 was not contained:\n${said}`);
    }
    await lostDevice('digest');
    await lostDevice('upgrade --check');
    await lostDevice('recovered SN0042 --reason found');
    done('a case');

    house.kill('SIGTERM');
    const code = await closed;
    running.delete(house);
    if (code !== 0) throw new Error(`lost-device up was stopped, and ended with ${code}:\n${said}`);
    done('stopped');
  } finally {
    const left = [...running].filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
    const gone = Promise.all(left.map((child) => once(child, 'close')));
    for (const child of left) child.kill();
    await gone;
    await simulator.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** As simulator/README.md says; with a keyring, and ports that nobody else has. */
async function pointAt(url: string, project: string): Promise<void> {
  const file = path.join(project, 'lost-device.yaml');
  const written = await readFile(file, 'utf8');
  const pointed = written.replace('https://your-tenant.goskope.invalid', url);
  if (pointed === written) throw new Error('init --defaults wrote another address of Netskope than the documents say');
  const ours = [
    'encryption: { keys: file:./secrets/keyring }',
    'temporal: { port: 0, uiPort: 0 }',
    'http: { webhooks: { port: 0 }, api: { port: 0 } }',
  ];
  await writeFile(file, `${ours.join('\n')}\n${pointed}`);
  await writeFile(path.join(project, 'secrets', 'netskope-token'), 'sim-netskope-v2-token\n');
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
