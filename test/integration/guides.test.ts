/**
 * Every command of the guides, run in the order of its page: our own program against a house on a real Temporal server with
 * the simulated vendors, everything else by a shell. The laptop of a page stands for the one of the scene that it begins
 * with, and so do addresses and files.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { isUnderstood, runCli } from '../../cli/program';
import { startServer, type RunningServer } from '../../server';
import { ensureTemporal } from '../../temporal/binary';
import { eventually } from '../setup/eventually';
import type { TestHouse } from '../setup/test-house';
import { argumentsOfOurs, plainCommands, readPage, root, type Block } from './guide-pages';
import { playScenes, startGuideHouse, type Scene } from './guide-scenes';

/** Blocks that no test can run, by page: whoever leaves one out says so here too. */
const notRun: Record<string, number> = {
  'README.md': 4,
  'docs/getting-started.md': 2,
  'docs/runbook/drill.md': 2,
  'examples/own-worker/README.md': 2,
  'plugins/secret-command/README.md': 1,
};

const pages = ['README.md', ...['docs', 'plugins', 'examples'].flatMap(markdownBelow)]
  .map((file) => ({ file, steps: readPage(file) }))
  .filter(({ steps }) => steps.some((step) => 'text' in step));
/** The page that starts its own house, as its reader does. */
const freshClone = 'a fresh clone';
const refused = 3;
/** Our own code for a command that says something else than the page. */
const notPrinted = -1;
/** A command that is refused, or says something else, is tried again for so long: what it waits for may be under way (milliseconds). */
const patienceMs = 60_000;
/** How long a program of ours may take to be ready, on a machine that does much else (milliseconds). */
const readyWithinMs = 120_000;
/** These start a worker, which a process has once. */
const inAProcessOfTheirOwn = ['up', 'drill', 'upgrade'];

let folder: string;
let house: TestHouse;
let server: RunningServer;
let played: Map<string, () => Scene>;
const before = { ...process.env };

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'guides-'));
  const temporal = await ensureTemporal();
  house = await startGuideHouse();
  server = await startServer(house.settings, house.house, () => {});
  const begun = pages.flatMap(({ file, steps }) =>
    [{ scene: 'nothing is lost', line: 0 }, ...steps].flatMap((step) =>
      'scene' in step && step.scene !== freshClone ? [{ name: step.scene, at: `${file}:${step.line}` }] : [],
    ),
  );
  const scenes = await playScenes(
    house,
    begun.map(({ name }) => name),
  );
  played = new Map(begun.map(({ at }, index) => [at, scenes[index]!]));
  const bin = path.join(folder, 'bin');
  mkdirSync(bin);
  const ours = `#!/bin/sh\nexec '${process.execPath}' --import '${root}/node_modules/tsx/dist/loader.mjs' '${root}/cli.ts' "$@"\n`;
  writeFileSync(path.join(bin, 'lost-device'), ours);
  chmodSync(path.join(bin, 'lost-device'), 0o700);
  before.PATH = [bin, path.dirname(temporal.path), before.PATH].join(path.delimiter);
}, 240_000);

afterAll(async () => {
  await server.close();
  await house.close();
  rmSync(folder, { recursive: true, force: true });
});

describe.each(pages)('$file', ({ file, steps }) => {
  const stays: ChildProcess[] = [];
  let wordsOfThePage: [string, string][];

  beforeAll(async () => {
    for (const name of Object.keys(process.env)) delete process.env[name];
    mkdirSync(path.join(folder, file, 'etc'), { recursive: true });
    const own = steps.some((step) => 'scene' in step && step.scene === freshClone);
    if (own) Object.assign(process.env, before);
    else
      Object.assign(process.env, before, {
        LOST_DEVICE_SETTINGS: path.join(house.folder, 'lost-device.yaml'),
        LOST_DEVICE_WEBHOOK_SECRET: webhookSecret(),
        TEMPORAL_ADDRESS: house.settings.temporal.address,
      });
    wordsOfThePage = own ? await wordsOfAClone(file) : wordsOfTheHouse(file);
  });
  afterAll(async () => {
    await Promise.all(stays.map(stop));
    for (const name of Object.keys(process.env)) delete process.env[name];
    Object.assign(process.env, before);
  });

  test('every command does what it should', async () => {
    let words = [...wordsOfThePage, ...wordsOfTheScene(played.get(`${file}:0`)?.())];
    for (const step of steps) {
      if ('scene' in step) {
        words = [...wordsOfThePage, ...wordsOfTheScene(played.get(`${file}:${step.line}`)?.())];
        continue;
      }
      const inScene = (text: string) => words.reduce((given, [word, stands]) => given.replaceAll(word, stands), text);
      const block = { ...step, text: inScene(step.text), prints: step.prints.map(inScene) };
      const ended = await runBlock(block, path.join(folder, file), stays);
      if (ended.code !== 0) throw new Error(`${file}:${step.line} ended with ${ended.code}: ${ended.says}`);
    }
  }, 400_000);
});

test('what is not run is counted here, and no page has a mark more', () => {
  const marked = pages.flatMap(({ file, steps }) => {
    const count = steps.filter((step) => 'notRun' in step && step.notRun !== undefined).length;
    return count > 0 ? [[file, count]] : [];
  });
  expect(Object.fromEntries(marked)).toEqual(notRun);
});

interface Ended {
  code: number;
  says: string;
}

async function runBlock(block: Block, cwd: string, stays: ChildProcess[]): Promise<Ended> {
  const plain = plainCommands(block.text);
  if (block.notRun !== undefined) return readOnly(block.text, plain);
  if (block.stays) return keepRunning(block.text, stays);
  const needsAShell = plain?.some((words) => words[0] !== 'export' && argumentsOfOurs(words) === undefined) ?? true;
  if (plain === undefined || needsAShell) return printed(await shell(block.text, cwd), block.prints);
  for (const [index, words] of plain.entries()) {
    const ended = await runOurs(words, cwd, index === plain.length - 1 ? block.prints : []);
    if (ended.code !== 0) return { code: ended.code, says: `${words.join(' ')}\n${ended.says}` };
  }
  return { code: 0, says: '' };
}

/** A command that went well and did not print what the page shows did not go well. */
function printed(ended: Ended, lines: string[]): Ended {
  const inOneLine = (text: string) => text.replace(/\s+/g, ' ').trim();
  const said = ended.says.split('\n').map(inOneLine);
  const missing = lines.map(inOneLine).filter((line) => {
    const parts = line.split('…').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
    return !said.some((one) => new RegExp(`^${parts.join('.*')}$`).test(one));
  });
  if (ended.code !== 0 || missing.length === 0) return ended;
  return { code: notPrinted, says: `does not print: ${missing.join(' | ')}\nIt prints:\n${ended.says}` };
}

/** A block that is not run is read all the same: our own commands and options must be there, and a shell must understand it. */
async function readOnly(text: string, plain: string[][] | undefined): Promise<Ended> {
  for (const words of plain ?? []) {
    const given = argumentsOfOurs(words);
    if (given !== undefined && !(await isUnderstood(given)))
      return { code: 2, says: `${words.join(' ')}: there is no such command or option` };
  }
  return shell(text, root, ['-n']);
}

async function runOurs(words: string[], cwd: string, prints: string[]): Promise<Ended> {
  if (words[0] === 'export') {
    const [, name = '', value = ''] = /^(\w+)=(.*)$/.exec(words[1] ?? '') ?? [];
    process.env[name] = value;
    return { code: 0, says: '' };
  }
  const given = argumentsOfOurs(words) ?? [];
  if (inAProcessOfTheirOwn.includes(given[0] ?? '')) return shell(`lost-device ${given.map(quoted).join(' ')}`, cwd);
  let ended: Ended = { code: 1, says: '' };
  await eventually(async () => {
    ended = printed(await inThisProcess(given), prints);
    if (ended.code === refused || ended.code === notPrinted) throw new Error(ended.says);
  }, patienceMs).catch(() => undefined);
  return ended;
}

async function inThisProcess(given: string[]): Promise<Ended> {
  let says = '';
  const spies = (['stdout', 'stderr'] as const).map((name) =>
    jest.spyOn(process[name], 'write').mockImplementation((chunk) => ((says += String(chunk)), true)),
  );
  process.exitCode = 0;
  try {
    return { code: await runCli(given), says };
  } finally {
    process.exitCode = 0;
    for (const spy of spies) spy.mockRestore();
  }
}

/** Without the start files: a bash whose input is a socket takes itself for one that was called over the network. */
function shell(text: string, cwd: string, how: string[] = []): Promise<Ended> {
  return new Promise((resolve) =>
    execFile(
      'bash',
      ['--norc', '-euo', 'pipefail', ...how, '-c', text],
      { cwd, env: process.env, timeout: readyWithinMs },
      (error, stdout, stderr) =>
        resolve({ code: error ? Number(error.code ?? 1) : 0, says: `${text}\n${stdout}\n${stderr}` }),
    ).stdin?.end(),
  );
}

/** Until the page ends. It is ready when it has printed a line. */
async function keepRunning(text: string, stays: ChildProcess[]): Promise<Ended> {
  const child = spawn(
    'bash',
    ['--norc', '-c', `exec ${text.replace(/^npm run lost-device --/, 'lost-device').trim()}`],
    {
      cwd: root,
      env: process.env,
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
    },
  );
  stays.push(child);
  let says = '';
  child.stderr.on('data', (chunk) => (says += String(chunk)));
  const signal = AbortSignal.timeout(readyWithinMs);
  return Promise.race([
    once(createInterface({ input: child.stdout }), 'line', { signal }).then(() => ({ code: 0, says: '' })),
    once(child, 'exit', { signal }).then(([code]) => ({
      code: Number(code ?? 1) || 1,
      says: `${text} ended\n${says}`,
    })),
  ]).catch(() => ({ code: 1, says: `${text} was not ready in time\n${says}` }));
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit', { signal: AbortSignal.timeout(30_000) });
  child.stdin?.end();
  child.kill('SIGTERM');
  await ended.catch(() => process.kill(-child.pid!, 'SIGKILL'));
}

// --- what the words of a page stand for ----------------------------------------------------------------------------

const wordsOfTheScene = (scene?: Scene): [string, string][] =>
  scene === undefined
    ? []
    : [
        ['SN0042', scene.serial],
        ['LT-0042', scene.hostname],
        ['pat@example.test', scene.user],
        ['INC0010042', scene.ticket],
      ];

const wordsOfTheHouse = (file: string): [string, string][] => [
  ['http://127.0.0.1:8787', server.webhooks],
  ['http://127.0.0.1:8788', server.api],
  ['/etc/lost-device.yaml', path.join(house.folder, 'lost-device.yaml')],
  ['/etc/lost-device/', path.join(folder, file, 'etc/')],
];

async function wordsOfAClone(file: string): Promise<[string, string][]> {
  const ports = await Promise.all(
    ['7233', '8233', '8787', '8788', '9090'].map(async (port) => [port, await freePort()]),
  );
  return [...(ports as [string, string][]), ['data/try', path.join(folder, file, 'try')]];
}

async function freePort(): Promise<string> {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  await new Promise((resolve) => listener.close(resolve));
  return String(port);
}

function webhookSecret(): string {
  const { secrets } = house.settings.tenants.acme?.plugins.generic?.settings as { secrets: string[] };
  return secrets[0] ?? '';
}

const quoted = (word: string) => `'${word.replaceAll("'", `'\\''`)}'`;

function markdownBelow(below: string): string[] {
  if (!existsSync(path.join(root, below))) return [];
  return readdirSync(path.join(root, below), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md') && !name.includes('node_modules'))
    .map((name) => `${below}/${name}`)
    .sort();
}
