/**
 * What people and laptops do in an installation that is killed under their hands: whoever gets no answer asks again, with the
 * same id, until one comes.
 * @module
 */
import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import type { UpdateDefinition } from '@temporalio/common';
import type { CaseSummary } from '../../client/cases';
import { RefusedByRule } from '../../client/cases';
import type { CaseState } from '../../playbook/case';
import type { CallRecord } from '../../simulator/calls';
import { workflowIds } from '../../workflows/ids';
import type { Decided, Decision } from '../../workflows/messages';
import type { CrashHouse } from './crash-house';
import { tenant } from './crash-house';

const secondMs = 1_000;
const minuteMs = 60 * secondMs;
/** How long anything may take that must come (milliseconds). A dead worker's watch is missed after 30 s, and machines are slow. */
const patienceMs = 420 * secondMs;
/** The laptops' clock moves on by at most this at once, as long as somebody waits for it (milliseconds). */
const clockStepMs = 10 * minuteMs;

/** Whoever asks a program that dies is not told: after this time it asks again (milliseconds). */
const answerMs = 20 * secondMs;
/** Who only looks goes on to the next case after this time (milliseconds). */
const browseMs = 5 * secondMs;

export interface Laptop {
  serial: string;
  hostname: string;
  user: string;
  workflowId: string;
}

export const laptopAt = (index: number): Laptop => ({
  serial: `SN${1001 + index}`,
  hostname: `LT-${1001 + index}`,
  user: `user${String(index + 1).padStart(4, '0')}@example.test`,
  workflowId: workflowIds.lostDevice(tenant, `SN${1001 + index}`),
});

export type CrashWorld = ReturnType<typeof openCrashWorld>;

/** @param wrong gets a sentence for whatever must never be, at once. */
export function openCrashWorld(house: CrashHouse, wrong: (sentence: string) => void) {
  const { cases } = house;
  let rows = new Map<string, CaseSummary>();
  let closed = false;

  /** One question to Temporal for all cases: asking each of them would cost more than all they do. */
  const looking = (async () => {
    while (!closed) {
      const found = await cases.list({ all: true }).catch(() => undefined);
      if (found) rows = new Map(found.reverse().map((row) => [row.workflowId, row]));
      await setTimeout(2 * secondMs);
    }
  })();

  /** People look at one case after the other, and do not wait for long. */
  const browsing = (async () => {
    while (!closed) {
      for (const { workflowId, running } of [...rows.values()]) {
        if (closed) break;
        if (running) await cases.show(workflowId, { withinMs: browseMs }).catch(() => undefined);
        await setTimeout(4 * secondMs);
      }
      await setTimeout(2 * secondMs);
    }
  })();

  let changes = new Set<string>();
  const watching = (async () => {
    while (!closed) {
      changes = new Set(await readChanges());
      await setTimeout(2 * secondMs);
    }
  })();

  let passedMs = 0;
  const clockWaits = new Set<number>();
  const clock = (async () => {
    while (!closed) {
      const left = [...clockWaits].map((target) => target - passedMs).filter((ms) => ms > 0);
      if (left.length > 0) {
        const stepMs = Math.min(clockStepMs, ...left);
        await house.control('POST', 'clock', { advanceMs: stepMs });
        passedMs += stepMs;
      }
      await setTimeout(secondMs);
    }
  })();

  /** Looks until it is found. A look may fail: what it asks may be dead. */
  async function untilFound<T>(
    what: string,
    everyMs: number,
    look: () => Promise<T | undefined> | T | undefined,
    withinMs = patienceMs,
  ): Promise<T> {
    const endMs = Date.now() + withinMs;
    for (let because = ''; ; await setTimeout(everyMs)) {
      if (closed) throw new Error(`The run was over before: ${what}.`);
      try {
        const found = await look();
        if (found !== undefined) return found;
      } catch (error) {
        because = error instanceof Error ? ` ${reasonOf(error)}` : '';
      }
      if (Date.now() > endMs) throw new Error(`In ${withinMs / secondMs} s never came: ${what}.${because}`);
    }
  }

  /** Everything that changed at the vendors, oldest first; what their own ids are is left out. */
  async function readChanges(): Promise<string[]> {
    const calls = await house.control<CallRecord[]>('GET', 'calls');
    return calls.flatMap(({ changed }) => changed?.replace(/(device \S+) \(\S+\)/g, '$1').split('; ') ?? []);
  }

  const show = async (workflowId: string) => (await cases.show(workflowId, { withinMs: answerMs })) as CaseState;

  return {
    house,
    show,

    /** Until the list of cases says so. */
    untilListed: (workflowId: string, what: string, ready: (row: CaseSummary) => boolean) =>
      untilFound(`${workflowId}: ${what}`, 200, () => {
        const row = rows.get(workflowId);
        return row && ready(row) ? row : undefined;
      }),

    readChanges,
    /** Until the vendors have seen this change: they say what is so, whatever a case says. */
    untilChanged: (change: string, withinMs?: number) =>
      untilFound(change, 500, () => changes.has(change) || undefined, withinMs),

    /** Until the case itself says so. For the end: fifty that ask all the time would cost more than all the cases do. */
    untilSaid: (workflowId: string, what: string, ready: (state: CaseState) => boolean) =>
      untilFound(`${workflowId}: ${what}`, 2 * secondMs, async () => {
        const state = await show(workflowId);
        if (ready(state)) return state;
        const { containment, wipe, outcome, steps, questions } = state;
        throw new Error(JSON.stringify({ containment, wipe: wipe.state, outcome, steps, questions }));
      }),

    untilInLostGroup: (user: string) =>
      untilFound(`${user} in the lost group`, 2 * secondMs, async () => {
        const { netskope } = await house.control<{ netskope: { groups: Record<string, string[]> } }>('GET', 'state');
        return netskope.groups['Lost-Stolen Devices']?.includes(user) || undefined;
      }),

    /** A person decides. Refused (nothing was asked yet) or without an answer: again, with the same id. */
    async decide<D extends Decision>(
      workflowId: string,
      update: UpdateDefinition<Decided, [D]>,
      more: Omit<D, keyof Decision> & { person?: string },
      withinMs?: number,
    ): Promise<Decided> {
      const { person = 'ana', ...rest } = more;
      const decision = {
        id: randomUUID(),
        actor: { person, authenticated: false, how: 'test' },
        reason: 'It must be.',
        ...rest,
      } as unknown as D;
      const attempt = () =>
        within(answerMs, cases.decide(workflowId, update, decision)).catch(async (error: unknown) => {
          // Its answer was lost, and the case has closed since.
          const isClosed = error instanceof RefusedByRule && error.message.includes('is closed');
          if (isClosed && (await show(workflowId)).decisions.includes(decision.id)) return { text: 'taken' };
          throw error;
        });
      return untilFound(`${workflowId}: ${update.name} ${JSON.stringify(rest)}`, 2 * secondMs, attempt, withinMs);
    },

    /**
     * A desk sends until it is answered 2xx, as desks do, or only once. True when it was answered so.
     */
    async send(source: string, deliveryId: string, body: unknown, once = false): Promise<boolean> {
      const attempt = async () => {
        const answer = await house.post(source, deliveryId, body);
        if (answer === undefined) return undefined;
        if (answer.status < 300) return true;
        if (answer.status !== 503 || answer.retryAfter === undefined)
          wrong(`A webhook was answered ${answer.status}, Retry-After ${answer.retryAfter ?? 'missing'}`);
        return undefined;
      };
      return once ? ((await attempt()) ?? false) : untilFound(`2xx for ${deliveryId}`, 300, attempt);
    },

    move: (serial: string, what: object) => house.control('POST', 'laptop', { serial, ...what }),

    /** So much time passes for the laptops (milliseconds); ours runs on as it does. */
    async pass(ms: number): Promise<void> {
      const target = passedMs + ms;
      clockWaits.add(target);
      await untilFound('the laptops’ clock', 100, () => passedMs >= target || undefined);
      clockWaits.delete(target);
    },

    /** What the laptops have said until now is told to their cases: every feed was read, and then once more. */
    async everythingIsHeard(): Promise<void> {
      const fromMs = Date.now();
      const reads = new Map<string, Set<string>>();
      await untilFound('every feed is read', 2 * secondMs, async () => {
        for (const { plugin, feed, lastSuccessAt = '' } of await house.readFeeds()) {
          const read = reads.get(`${plugin}/${feed}`) ?? new Set();
          reads.set(`${plugin}/${feed}`, read);
          if (Date.parse(lastSuccessAt) > fromMs) read.add(lastSuccessAt);
        }
        return [...reads.values()].every(({ size }) => size >= 2) || undefined;
      });
    },

    async close(): Promise<void> {
      closed = true;
      await Promise.all([looking, browsing, watching, clock]);
    },
  };
}

/** Temporal's client says what happened in the cause of what it throws. */
const reasonOf = ({ message, cause }: Error): string =>
  cause instanceof Error ? `${message}: ${reasonOf(cause)}` : message;

async function within<T>(ms: number, answer: Promise<T>): Promise<T> {
  const patience = new AbortController();
  const late = setTimeout(ms, undefined, { signal: patience.signal }).then(
    () => Promise.reject(new Error(`no answer within ${ms / secondMs} s`)),
    () => answer,
  );
  return Promise.race([answer, late]).finally(() => patience.abort());
}
