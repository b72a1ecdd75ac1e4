/**
 * Just enough of Temporal, in one process and on a clock of its own, that the wipe's real track, the real decisions, the real
 * guard and the real activities run against each other thousands of times: activities wait in queues, are killed half-way,
 * go on although nobody waits for them any more, and run twice; workflows go on as new runs.
 * @module
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  RetryState,
  TimeoutFailure,
  TimeoutType,
} from '@temporalio/common';
import { msToNumber } from '@temporalio/common/lib/time';
import type { ActivityOptions } from '@temporalio/workflow';
import { toFailure } from '../../activities/interceptors';

/** One run of a workflow. */
export interface Run {
  workflowId: string;
  runId: string;
  conditions: Set<{ isSo: () => boolean; resolve: () => void }>;
  handlers: Map<string, { take: (given: unknown) => unknown; validator?: ((given: unknown) => void) | undefined }>;
  /** Handlers that have not answered yet. */
  handling: number;
  /** It is over, or goes on as another run: nothing of it happens any more. */
  over: boolean;
  /** How often it waited since something last happened to it. */
  waits: number;
  /** When it last set timers: a run that sets them for ever goes round in a circle. */
  timersAt: number[];
  /** It should go on as a new run. */
  suggested: boolean;
  /** Goes on as a new run with what it knows. */
  goOn: (state: unknown) => void;
}

/** One try of an activity on one worker. */
export interface Try {
  name: string;
  input: Record<string, unknown>;
  scheduledAtMs: number;
  startedAtMs: number;
  /** The process died: it does nothing more. */
  dead: boolean;
  /** The server heard of its end, or gave it up. */
  settled: boolean;
  settle(how: { result: unknown } | { failure: Error }): void;
}

/** What befalls whoever waits for an answer from outside. */
export interface Fate {
  ms: number;
  /** The worker dies here, or goes on long after the server gave it up. */
  then?: 'dies' | 'is given up';
}

const inside = new AsyncLocalStorage<{ run: Run } | { try: Try }>();
/** Beats come every 2 s; the server waits so long for the next (milliseconds). */
const heartbeatTimeoutMs = 10_000;
/** More waits at one moment than any track has: it goes round in a circle. */
const mostWaits = 200;

let simulation: Simulation;

export class Simulation {
  private queue: { atMs: number; seq: number; run?: Run | undefined; happen: () => void }[] = [];
  private seq = 0;
  private readonly touched = new Set<Run>();
  /** What went wrong that never may. */
  readonly faults: string[] = [];

  constructor(
    public nowMs: number,
    private readonly activities: Record<string, ((input: never) => Promise<unknown>) | undefined>,
    /** How long an activity waits for a worker (milliseconds). */
    private readonly queueMs: () => number,
    private readonly fate: () => Fate,
    private readonly setClock: (nowMs: number) => void,
  ) {
    // One world at a time: the functions below stand for a module.
    // eslint-disable-next-line @typescript-eslint/no-this-alias
    simulation = this;
    setClock(nowMs);
  }

  /** Something happens so much later, to a run or outside. */
  later(ms: number, happen: () => void, run?: Run): void {
    const event = { atMs: this.nowMs + Math.max(0, ms), seq: (this.seq += 1), run, happen };
    let at = this.queue.length;
    while (at > 0 && (this.queue[at - 1]?.atMs ?? 0) > event.atMs) at -= 1;
    this.queue.splice(at, 0, event);
  }

  /** Play everything that happens until then. */
  async playFor(ms: number, afterEach: () => void): Promise<void> {
    const endMs = this.nowMs + ms;
    await this.settle();
    afterEach();
    for (;;) {
      const next = this.queue[0];
      if (next === undefined || next.atMs > endMs) break;
      this.queue.shift();
      if (next.run?.over) continue;
      if (next.atMs > this.nowMs) this.setClock((this.nowMs = next.atMs));
      next.happen();
      if (next.run) this.touched.add(next.run);
      await this.settle();
      afterEach();
    }
    this.setClock((this.nowMs = endMs));
  }

  private async settle(): Promise<void> {
    await drained();
    for (let again = this.touched.size > 0; again;) {
      again = false;
      for (const run of this.touched) {
        for (const condition of run.conditions) {
          if (run.over || !inside.run({ run }, condition.isSo)) continue;
          run.conditions.delete(condition);
          condition.resolve();
          again = true;
        }
      }
      if (again) await drained();
    }
    for (const run of this.touched) run.waits = 0;
    this.touched.clear();
  }

  start(
    workflowId: string,
    runId: string,
    play: () => Promise<unknown>,
    goOn: (state: unknown) => void = () => undefined,
  ): Run {
    const run: Run = {
      workflowId,
      runId,
      conditions: new Set(),
      handlers: new Map(),
      handling: 0,
      over: false,
      waits: 0,
      timersAt: [],
      suggested: false,
      goOn,
    };
    this.touched.add(run);
    void inside.run({ run }, () =>
      play().catch((error: unknown) => {
        if (!run.over) this.faults.push(`${workflowId} failed: ${String(error)}`);
      }),
    );
    return run;
  }

  /** The history grew long. */
  suggestNewRun(run: Run): void {
    run.suggested = true;
    this.touched.add(run);
  }

  /** An update: refused by its validator, or taken by its handler. */
  update(run: Run, name: string, given: unknown): unknown {
    const handler = run.handlers.get(name);
    if (handler === undefined) throw new Error(`${run.workflowId} does not know ${name}`);
    return inside.run({ run }, () => {
      handler.validator?.(given);
      this.touched.add(run);
      const answer = handler.take(structuredClone(given));
      if (answer instanceof Promise) {
        run.handling += 1;
        void answer.finally(() => (run.handling -= 1));
      }
      return answer;
    });
  }

  /** The way to somebody outside and back: takes time, and the worker may not live to see the end. */
  async hop(): Promise<void> {
    const here = inside.getStore();
    const at = here && 'try' in here ? here.try : undefined;
    const { ms, then } = this.fate();
    if (at === undefined || at.dead) return;
    const giveUp = () =>
      this.later(heartbeatTimeoutMs, () =>
        at.settle({ failure: new TimeoutFailure('no heartbeat', undefined, TimeoutType.HEARTBEAT) }),
      );
    if (then !== undefined) giveUp();
    if (then === 'dies') at.dead = true;
    await new Promise<void>((resolve) => {
      if (!at.dead) this.later(then === 'is given up' ? heartbeatTimeoutMs + ms : ms, resolve);
    });
  }

  /** The activity that is asking. */
  get asking(): Try {
    const here = inside.getStore();
    if (here && 'try' in here) return here.try;
    throw new Error('only activities reach the outside');
  }

  schedule(run: Run, name: string, input: Record<string, unknown>, options: ActivityOptions): Promise<unknown> {
    const scheduledAtMs = this.nowMs;
    const ms = (given: ActivityOptions['startToCloseTimeout']) => (given === undefined ? Infinity : msToNumber(given));
    const startToCloseMs = ms(options.startToCloseTimeout);
    const endMs = scheduledAtMs + ms(options.scheduleToCloseTimeout);
    const startMs = Math.min(endMs, scheduledAtMs + ms(options.scheduleToStartTimeout));
    return new Promise((resolve, reject) => {
      let over = false;
      const answer = (tell: () => void) => {
        if (over) return;
        over = true;
        this.later(5, tell, run);
      };
      const fail = (cause: Error, state: RetryState = RetryState.MAXIMUM_ATTEMPTS_REACHED) =>
        answer(() => reject(new ActivityFailure('Activity failed', name, '1', state, undefined, cause)));
      const timeOut = (type: TimeoutType) => fail(new TimeoutFailure('timed out', undefined, type), RetryState.TIMEOUT);

      const attempt = (n: number) => {
        const waitMs = this.queueMs();
        // The server hands out nothing that nobody waits for any more.
        if (this.nowMs + waitMs > (n === 1 ? startMs : endMs)) {
          this.later((n === 1 ? startMs : endMs) - this.nowMs, () => timeOut(TimeoutType.SCHEDULE_TO_START));
          return;
        }
        this.later(waitMs, () => {
          if (run.over || over) return;
          const one: Try = {
            name,
            input,
            scheduledAtMs,
            startedAtMs: this.nowMs,
            dead: false,
            settled: false,
            settle: (how) => {
              if (one.settled) return;
              one.settled = true;
              if ('result' in how) return answer(() => resolve(how.result));
              const { failure } = how;
              const final = failure instanceof ApplicationFailure && failure.nonRetryable === true;
              const backOffMs = 500 * 2 ** (n - 1);
              const last = n >= (options.retry?.maximumAttempts ?? Infinity) || this.nowMs + backOffMs > endMs;
              if (final || last) fail(failure);
              else this.later(backOffMs, () => attempt(n + 1));
            },
          };
          this.later(Math.min(startToCloseMs, endMs - this.nowMs), () =>
            one.settle({ failure: new TimeoutFailure('too slow', undefined, TimeoutType.START_TO_CLOSE) }),
          );
          inside.run({ try: one }, () => void this.work(one));
        });
      };
      attempt(1);
    });
  }

  private async work(one: Try): Promise<void> {
    const activity = this.activities[one.name];
    if (activity === undefined) throw new Error(`no activity ${one.name}`);
    try {
      const result = await activity(structuredClone(one.input) as never);
      // Also the way of the result to the server takes time, and may be cut.
      await this.hop();
      if (!one.dead) one.settle({ result: structuredClone(result) });
    } catch (error) {
      const failure = toFailure(error);
      const known = failure instanceof Error ? failure : new Error(String(failure));
      if (!(known instanceof ApplicationFailure) && !/gone wrong/.test(known.message)) this.faults.push(String(known));
      if (!one.dead)
        one.settle({ failure: known instanceof ApplicationFailure ? known : ApplicationFailure.fromError(known) });
    }
  }
}

/** Until every promise that can go on has gone on. */
const drained = () => new Promise((resolve) => setImmediate(resolve));

function here(): Run {
  const found = inside.getStore();
  if (found && 'run' in found) return found.run;
  throw new Error('only in a workflow');
}

// --- what stands for the functions of `@temporalio/workflow` -----------------------------------------------------

class Scope {
  readonly calls: ((reason: Error) => void)[] = [];
  static current: Scope | undefined;
  run<T>(within: () => Promise<T>): Promise<T> {
    const outer = Scope.current;
    Scope.current = this;
    try {
      return within();
    } finally {
      Scope.current = outer;
    }
  }
  cancel(): void {
    for (const call of this.calls) call(new CancelledFailure('cancelled'));
  }
}

function sleep(ms: number): Promise<void> {
  const run = here();
  run.timersAt = [...run.timersAt, simulation.nowMs].slice(-mostWaits);
  if (run.timersAt.length === mostWaits && simulation.nowMs - (run.timersAt[0] ?? 0) < 60_000) {
    run.over = true;
    simulation.faults.push(`${run.workflowId} sets timers without end at ${new Date(simulation.nowMs).toISOString()}`);
  }
  return new Promise((resolve, reject) => {
    Scope.current?.calls.push(reject);
    // Timers fire a little late.
    simulation.later(ms + 1, resolve, run);
  });
}

async function condition(isSo: () => boolean, ms?: number): Promise<boolean> {
  const run = here();
  run.waits += 1;
  if (run.waits > mostWaits) {
    run.over = true;
    simulation.faults.push(`${run.workflowId} goes round in a circle at ${new Date(simulation.nowMs).toISOString()}`);
    throw new Error('round in a circle');
  }
  if (isSo()) return true;
  return new Promise((resolve) => {
    const waiting = { isSo, resolve: () => resolve(true) };
    run.conditions.add(waiting);
    if (ms === undefined) return;
    simulation.later(ms + 1, () => void (run.conditions.delete(waiting) && resolve(false)), run);
  });
}

/** Given to `jest.mock`, over the real module. */
export const workflowFunctions = {
  condition,
  sleep,
  CancellationScope: Scope,
  patched: () => true,
  workflowInfo: () => {
    const { workflowId, runId, suggested } = here();
    return { workflowId, runId, continueAsNewSuggested: suggested };
  },
  allHandlersFinished: () => here().handling === 0,
  setHandler: (
    { name }: { name: string },
    take: (given: unknown) => unknown,
    { validator }: { validator?: (given: unknown) => void } = {},
  ) => void here().handlers.set(name, { take, validator }),
  continueAsNew: (state: unknown) => {
    const run = here();
    run.over = true;
    run.goOn(state);
    return new Promise(() => undefined);
  },
  proxyActivities: (options: ActivityOptions) =>
    new Proxy(
      {},
      {
        get: (_, name: string) => (input: Record<string, unknown>) =>
          simulation.schedule(here(), name.split('.').at(-1) ?? name, structuredClone(input), options),
      },
    ),
};
