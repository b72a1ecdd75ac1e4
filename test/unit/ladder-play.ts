/**
 * Plays a ladder over simulated time as a case does: it looks when the world changes and when something is due, calls wait
 * in a queue, and what is needless by then is taken out of it.
 * @module
 */
import type { DueCall, EscalationTrack, Fact, RungProgress, Trouble } from '../../playbook/ladder';
import { called, dueCalls, held, keepClocks, nextDueAt, progressKey, takeFacts } from '../../playbook/ladder';
import { quietUntil, whoIsCalled } from '../../playbook/people';
import { delayOf, isoOf, lastTick, tickOf, type Act, type Call, type World } from './ladder-world';

interface Queued extends DueCall {
  progress: RungProgress;
  arrives: number;
}

/** More looks at one moment than any ladder has calls. */
const mostLooks = 100;

/**
 * All calls of a world, and what people did about them.
 * @param looks When to look although nothing changed and nothing is due (ticks, in order).
 */
export function play(world: World, looks: number[] = []): { calls: Call[]; acts: Act[] } {
  const track: EscalationTrack = { clocks: {}, rungs: {} };
  const { ladder } = world;
  const calls: Call[] = [];
  const acts: Act[] = [];
  let queue: Queued[] = [];
  const changes = changesOf(world);

  for (let tick = 0; tick <= lastTick;) {
    const now = isoOf(world, tick);
    const troubles = troublesAt(world, tick);
    const callBack = (needless: (queued: Queued) => boolean) => {
      for (const { progress } of queue.filter(needless)) delete progress.calling;
      queue = queue.filter((queued) => !needless(queued));
    };
    for (const { act, progress } of peopleAct(world, track, tick)) {
      acts.push(act);
      callBack((queued) => queued.progress === progress);
    }
    const over = [...keepClocks(track, ladder, troubles, now), ...takeFacts(track, ladder, factsAt(world, tick))];
    callBack(({ progress }) => over.includes(progress));
    callBack((queued) => troubles.some(({ id, pausedSince }) => id === queued.trouble.id && pausedSince !== undefined));

    for (let look = 0; ; look += 1) {
      if (look > mostLooks) throw new Error(`Calls without end at tick ${tick}`);
      const due = dueCalls(track, ladder, troubles, now);
      for (const call of due) {
        const progress = progressOf(track, call);
        if (call.rung.propose) {
          progress.proposed = true;
          calls.push(callOf(world, tick, call, 'proposal', []));
          continue;
        }
        progress.calling = call.to;
        const story = world.stories.findIndex(({ id }) => id === call.trouble.id);
        const delay = delayOf(world, tick, story, ladder.indexOf(call.rung));
        queue.push({ ...call, progress, arrives: tick + delay });
      }
      const arriving = queue.filter(({ arrives }) => arrives <= tick);
      if (due.length === 0 && arriving.length === 0) break;
      queue = queue.filter(({ arrives }) => arrives > tick);
      for (const { progress, ...call } of arriving) {
        const answer = ask(world, call, now);
        if (answer.heldUntil === undefined) {
          called(progress, now);
          calls.push(callOf(world, tick, call, call.to, answer.told));
        } else held(progress, answer.heldUntil);
      }
    }
    const dueAt = nextDueAt(track, ladder, troubles);
    if (dueAt !== undefined && dueAt <= now) throw new Error(`Due at ${dueAt}, and not called at ${now}`);
    const next = [
      ...[changes, looks].map((ticks) => ticks.find((one) => one > tick) ?? Infinity),
      ...queue.map(({ arrives }) => arrives),
      dueAt === undefined ? Infinity : Math.ceil(tickOf(world, dueAt)),
    ];
    tick = Math.min(...next);
  }
  return { calls, acts };
}

function changesOf({ stories, facts, acts }: World): number[] {
  const ticks = [
    ...stories.flatMap(({ turns }) => turns.map(({ tick }) => tick)),
    ...facts.flatMap(({ from, until }) => [from, until]),
    ...acts.map(({ tick }) => tick),
  ];
  return ticks.sort((a, b) => a - b);
}

function troublesAt(world: World, tick: number): Trouble[] {
  return world.stories.flatMap(({ id, kind, whom, turns }): Trouble[] => {
    const known = turns.findLast((turn) => turn.tick <= tick)?.known;
    if (known === undefined) return [];
    const { since, pausedSince } = known;
    return [
      {
        id,
        kind,
        since: isoOf(world, since),
        ...(pausedSince !== undefined && { pausedSince: isoOf(world, pausedSince) }),
        says: `${id} is wrong.`,
        ...(whom && { whom }),
      },
    ];
  });
}

function factsAt({ facts }: World, tick: number): Set<Fact> {
  return new Set(facts.flatMap(({ fact, from, until }) => (from <= tick && tick < until ? [fact] : [])));
}

const canBe: Record<Act['what'], (progress: RungProgress) => boolean> = {
  acknowledge: ({ called, calling, acknowledged, over }) =>
    (called > 0 || calling !== undefined) && acknowledged === undefined && over === undefined,
  snooze: ({ over }) => over === undefined,
  later: ({ proposed, over }) => proposed !== undefined && over === undefined,
};

/** One of those that fit, in the order of troubles and ladder. */
function peopleAct(world: World, track: EscalationTrack, tick: number): { act: Act; progress: RungProgress }[] {
  return world.acts.flatMap(({ tick: at, what, which, ticks }) => {
    if (at !== tick) return [];
    const candidates = world.stories.flatMap(({ id }) =>
      world.ladder.flatMap(({ name }) => track.rungs[progressKey(name, id)] ?? []).filter(canBe[what]),
    );
    const progress = candidates[which % candidates.length];
    if (progress === undefined) return [];
    const until = tick + ticks;
    if (what === 'acknowledge') progress.acknowledged = { who: 'ana', at: isoOf(world, tick) };
    else {
      progress.snoozed = { until: isoOf(world, until), who: 'ana', reason: 'by day' };
      delete progress[what === 'later' ? 'proposed' : 'acknowledged'];
    }
    const { rung, trouble, since } = progress;
    return [{ act: { tick, what, rung, trouble, since: tickOf(world, since), until }, progress }];
  });
}

function ask(world: World, { rung, trouble, to }: DueCall, now: string): { told: string[]; heldUntil?: string } {
  const persons = whoIsCalled(world.people, trouble.whom ?? rung.whom, to === 'deputies', now);
  if (persons.length === 0) return { told: ['everybody'] };
  const nights = persons.map(({ person }) => (rung.inQuietHours === 'wait' ? quietUntil(person, now) : undefined));
  const told = persons.flatMap(({ name }, n) => (nights[n] === undefined ? [name] : []));
  const [heldUntil] = nights.flatMap((until) => until ?? []).sort();
  return { told, ...(told.length === 0 && heldUntil !== undefined && { heldUntil }) };
}

function progressOf(track: EscalationTrack, { key }: DueCall): RungProgress {
  const progress = track.rungs[key];
  if (progress === undefined) throw new Error(`A call is due, and nothing is known of ${key}`);
  return progress;
}

function callOf(world: World, tick: number, { rung, trouble }: DueCall, to: Call['to'], who: string[]): Call {
  return { tick, rung: rung.name, trouble: trouble.id, since: tickOf(world, trouble.since), to, who };
}
