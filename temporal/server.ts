/**
 * Temporal's development server as a child of this process: for one machine, and for the tests.
 * It never outlives us, not even when we are killed.
 * @module
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { createServer, type AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { ensureTemporal } from './binary';

const host = '127.0.0.1';
const startWithinMs = 60_000;
const stopWithinMs = 10_000;
const linesKept = 20;

/** What the server is started with. */
export interface TemporalServerOptions {
  /** Its program; found or fetched by {@link ensureTemporal} when left out. */
  binary?: string;
  /** File that keeps the cases; in memory when left out. */
  dbFile?: string;
  /**
   * `full` (default) keeps what was acknowledged when the power fails; `normal` only when the process dies, and takes
   * about a third more starts per second. Applies to `dbFile`.
   */
  durability?: 'full' | 'normal';
  /** Port on 127.0.0.1; 0 takes a free one. */
  port: number;
  /** Port of Temporal's own web pages; 0 takes a free one, none when left out. */
  uiPort?: number;
  /** Made when it does not exist yet. */
  namespace: string;
  /** Lets tests skip time (Server 1.32 or newer). Never for real cases. */
  timeSkipping?: boolean;
  /** More settings of the server, by their names there. */
  dynamicConfig?: Record<string, string | number | boolean>;
  /** Gets the server's own warnings, line by line, and the progress of a first download. */
  log?: (line: string) => void;
}

/** How the server ended. */
export interface TemporalServerExit {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** The last lines that it printed. */
  lastLines: string[];
}

/** A server that answers. */
export interface TemporalServer {
  /** `host:port` for clients and workers. */
  address: string;
  uiUrl?: string;
  pid: number;
  /** Resolves when the server has ended, whoever ended it; never rejects. */
  exited: Promise<TemporalServerExit>;
  /** Ends it: asks first, kills after 10 s. Resolves when it is gone; safe to call again. */
  stop(): Promise<void>;
}

/** How often a server is started that may choose its port. */
const mostStarts = 3;

class EndedWhileStarting extends Error {}

/**
 * Starts the server and waits until it serves.
 * @throws Error when it ends while starting (with its last lines), or does not serve within 60 s.
 */
export async function startTemporalServer(options: TemporalServerOptions): Promise<TemporalServer> {
  for (let starts = 1; ; starts += 1) {
    try {
      return await startOnce(options);
    } catch (error) {
      // It looks for free ports itself as well, and something else may have been quicker.
      const again = !options.port && (error as Error).cause instanceof EndedWhileStarting && starts < mostStarts;
      if (!again) throw error;
    }
  }
}

async function startOnce(options: TemporalServerOptions): Promise<TemporalServer> {
  const binary = options.binary ?? (await ensureTemporal(options.log)).path;
  const port = options.port || (await freePort());
  const uiPort = options.uiPort === 0 ? await freePort() : options.uiPort;
  const address = `${host}:${port}`;

  const child = spawn(binary, serverArguments(options, port, uiPort), {
    stdio: ['ignore', 'pipe', 'pipe'],
    // In a group of its own: Ctrl-C in a terminal reaches us, and we end the server last.
    detached: process.platform !== 'win32',
    windowsHide: true,
  });
  const lastLines: string[] = [];
  let stopping = false;
  const keep = (line: string) => {
    lastLines.push(line);
    if (lastLines.length > linesKept) lastLines.shift();
  };
  // It says its address once the port is its own: until then another server may answer there.
  let ownsPort = false;
  createInterface({ input: child.stdout }).on('line', (line) => {
    keep(line);
    ownsPort ||= line.includes(`:${port}`);
  });
  createInterface({ input: child.stderr }).on('line', (line) => {
    keep(line);
    // While it stops, it calls its own polls errors.
    if (!stopping) options.log?.(line);
  });
  const exited = new Promise<TemporalServerExit>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal, lastLines }));
    child.once('error', (error) => resolve({ code: null, signal: null, lastLines: [error.message] }));
  });
  const pid = child.pid;
  if (pid === undefined) throw new Error(`${binary} could not be started: ${(await exited).lastLines.join(' ')}`);
  endWithUs(child, pid, exited);

  const stop = async () => {
    stopping = true;
    child.kill('SIGTERM');
    const patience = new AbortController();
    const gone = exited.finally(() => patience.abort());
    const impatient = setTimeout(stopWithinMs, undefined, { signal: patience.signal }).then(
      () => child.kill('SIGKILL'),
      () => undefined,
    );
    await Promise.race([gone, impatient]);
    await exited;
  };

  try {
    const starting = new AbortController();
    const inTime = AbortSignal.any([starting.signal, AbortSignal.timeout(startWithinMs)]);
    await Promise.race([
      serves(() => ownsPort, address, options.namespace, inTime),
      exited.then(({ code, signal }) => {
        throw new EndedWhileStarting(`ended while starting (${signal ?? `exit ${code}`})`);
      }),
    ]).finally(() => starting.abort());
  } catch (error) {
    await stop();
    const said = lastLines.map((line) => `\n  ${line}`).join('');
    throw new Error(`The Temporal server at ${address} did not start: ${String((error as Error).message)}${said}`, {
      cause: error,
    });
  }
  return { address, ...(uiPort === undefined ? {} : { uiUrl: `http://${host}:${uiPort}` }), pid, exited, stop };
}

function serverArguments(options: TemporalServerOptions, port: number, uiPort: number | undefined): string[] {
  const dynamicConfig: Record<string, string | number | boolean> = {
    // A frozen case is reported after its second failed workflow task, in seconds: the default of 5 takes minutes.
    'system.numConsecutiveWorkflowTaskProblemsToTriggerSearchAttribute': 2,
    // The second one: else each skip costs a second.
    ...(options.timeSkipping === true
      ? {
          'frontend.WorkflowTimeSkippingEnabled': true,
          'history.timerProcessorMaxTimeShift': '10ms',
          // The age of a run is read from the real clock: one that began in skipped time is not "too young" to go on as a
          // new run, which would wait for as long as was skipped.
          'history.workflowIdReuseMinimalInterval': '-100000h',
        }
      : {}),
    ...options.dynamicConfig,
  };
  const args = ['server', 'start-dev', '--ip', host, '--port', String(port), '--namespace', options.namespace];
  args.push('--log-level', 'error');
  if (uiPort === undefined) args.push('--headless');
  else args.push('--ui-port', String(uiPort), '--ui-disable-news-fetch');
  if (options.dbFile !== undefined) {
    args.push('--db-filename', options.dbFile, '--sqlite-pragma', 'journal_mode=wal');
    args.push('--sqlite-pragma', `synchronous=${options.durability ?? 'full'}`);
  }
  for (const [key, value] of Object.entries(dynamicConfig)) {
    args.push('--dynamic-config-value', `${key}=${JSON.stringify(value)}`);
  }
  return args;
}

/** A shell that reads until we are gone, whatever ended us, and then ends the server. Windows ends children itself on exit. */
function endWithUs(child: ChildProcess, pid: number, exited: Promise<unknown>): void {
  const onExit = () => child.kill('SIGTERM');
  process.once('exit', onExit);
  void exited.then(() => process.removeListener('exit', onExit));
  if (process.platform === 'win32') return;
  const patience = 'for _ in 1 2 3 4 5 6 7 8 9 10; do sleep 1; kill -0 "$0" || exit; done';
  const script = `read -r _; kill -TERM "$0"; ${patience}; kill -KILL "$0"`;
  const watchdog = spawn('/bin/sh', ['-c', script, String(pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  watchdog.once('error', () => undefined); // No shell: the exit handler is left.
  watchdog.unref();
  void exited.then(() => watchdog.kill('SIGKILL'));
}

async function serves(ownsPort: () => boolean, address: string, namespace: string, signal: AbortSignal): Promise<void> {
  // gRPC waits a second after its first failed attempt, so it does not come too early either.
  while (!ownsPort()) await setTimeout(20, undefined, { signal });
  for (;;) {
    const connection = Connection.lazy({ address });
    try {
      await connection.withAbortSignal(AbortSignal.any([signal, AbortSignal.timeout(5_000)]), () =>
        connection.workflowService.describeNamespace({ namespace }),
      );
      return;
    } catch (error) {
      if (signal.aborted) throw error;
      await setTimeout(50, undefined, { signal });
    } finally {
      await connection.close();
    }
  }
}

/** A port that was free a moment ago. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, host, () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}
