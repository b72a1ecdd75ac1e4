/**
 * Programs of this project in processes of their own: the simulator, because vendors are far away and fail on their own;
 * the worker and the server, because a test kills them.
 * @module
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const root = join(__dirname, '..');

/** A program ends when its standard input does: whatever ended us, it does not stay. Its threads are not asked. */
const endsWithUs = `data:text/javascript,
  import { isMainThread } from 'node:worker_threads';
  if (isMainThread) process.stdin.on('end', () => process.exit(1)).resume().unref();`.replaceAll('\n', '');

export interface Child {
  pid: number;
  /** The first line that it printed. Rejects when it ends before. */
  firstLine: Promise<string>;
  ended: Promise<void>;
  /** SIGTERM (or another signal), then wait until it is gone. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/** Start a program, for instance `['worker.ts']` or a compiled one. Its errors go to ours unless `quiet`. */
export function startChild(args: string[], options: { env?: Record<string, string>; quiet?: boolean } = {}): Child {
  const loader = args[0]?.endsWith('.ts') ? ['--import', 'tsx'] : [];
  const child = spawn(process.execPath, ['--import', endsWithUs, ...loader, ...args], {
    cwd: root,
    stdio: ['pipe', 'pipe', options.quiet ? 'ignore' : 'inherit'],
    env: { ...process.env, ...options.env },
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const firstLine = new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', resolve);
    child.once('exit', (code, signal) =>
      reject(new Error(`${args[0] ?? ''} ended with ${code ?? signal ?? 'nothing'} before it was ready`)),
    );
  });
  firstLine.catch(() => undefined);
  return {
    pid: child.pid ?? 0,
    firstLine,
    ended,
    async stop(signal = 'SIGTERM') {
      child.kill(signal);
      await ended;
    },
  };
}

/** The simulator, ready. */
export async function startSimulatorProcess(
  options: { seed?: number; devices?: number } = {},
): Promise<Child & { url: string }> {
  const child = startChild([
    'simulator/main.ts',
    '--port',
    '0',
    '--seed',
    String(options.seed ?? 1),
    '--devices',
    String(options.devices ?? 0),
  ]);
  const { simulator } = JSON.parse(await child.firstLine) as { simulator: string };
  return { ...child, url: simulator };
}
