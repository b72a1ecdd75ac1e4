/**
 * Runs a program once: no shell, a clean environment, an end in time, and only so much output.
 * @module
 */
import { spawn } from 'node:child_process';

/** Most that a program may print (bytes). */
const mostOutput = 64 * 1024;

/** How a run ended. */
export type Ending =
  | { kind: 'exit'; code: number; output: string }
  /** It could not be started; `code` is the system's. */
  | { kind: 'not started'; code: string }
  /** It was killed: by us, because of the time or its output, or by somebody else. */
  | { kind: 'killed'; why: string };

export interface Run {
  /** Program and arguments. */
  argv: [string, ...string[]];
  env: Record<string, string>;
  input: string;
  timeoutMs: number;
  signal: AbortSignal;
}

/**
 * What it writes to its error output is thrown away: nobody can tell whether a secret is in it.
 * @throws whatever the reason of `signal` is, untouched.
 */
export function run({ argv: [program, ...args], env, input, timeoutMs, signal }: Run): Promise<Ending> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason as Error);
    // A process group of its own: a script that hangs in one of its programs is ended with it.
    const child = spawn(program, args, { env, detached: true, shell: false, stdio: ['pipe', 'pipe', 'ignore'] });
    const parts: Buffer[] = [];
    let bytes = 0;
    let killedFor: string | undefined;
    const kill = (why: string) => {
      killedFor ??= why;
      // Whoever inherited the output may live in yet another group: we do not wait for it.
      child.stdout.destroy();
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // It has ended by itself.
      }
    };
    const timer = setTimeout(() => kill(`it took longer than ${timeoutMs} ms`), timeoutMs);
    const onAbort = () => {
      kill('cancelled');
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    const settle = (ending: Ending) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      resolve(ending);
    };
    child.once('error', (error: NodeJS.ErrnoException) =>
      settle({ kind: 'not started', code: error.code ?? 'unknown' }),
    );
    child.once('close', (code, killer) => {
      if (killedFor !== undefined || code === null) settle({ kind: 'killed', why: killedFor ?? `by ${killer ?? '?'}` });
      else settle({ kind: 'exit', code, output: Buffer.concat(parts).toString('utf8') });
    });
    child.stdout.on('data', (part: Buffer) => {
      bytes += part.length;
      if (bytes > mostOutput) kill(`it printed more than ${mostOutput} bytes`);
      else parts.push(part);
    });
    // It may end without reading: its exit code says what became of it.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}
