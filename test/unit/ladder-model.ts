/**
 * What the ladder promises, once more and in another way: tick by tick, from the list of what has happened, without clocks,
 * due times or anything carried along. It is slow, and easy to believe.
 * @module
 */
import type { Rung } from '../../playbook/ladder';
import { whoIsCalled } from '../../playbook/people';
import {
  delayOf,
  episodesOf,
  isoOf,
  isQuiet,
  lastTick,
  tickMs,
  type Act,
  type Call,
  type Episode,
  type World,
} from './ladder-world';

/** All that has happened between one rung and one trouble. */
interface Log {
  rung: Rung;
  at: number;
  episode: Episode;
  calls: Call[];
  /** What people did about it, newest last. */
  acts: { what: Act['what']; until: number }[];
  /** Somebody had it once. */
  acknowledged: boolean;
  /** Nobody was awake when these were to be called, after so many calls. */
  holds: { to: 'whom' | 'deputies'; calls: number; until: number }[];
  onItsWay?: { to: 'whom' | 'deputies'; arrives: number };
}

/** Every call that has to be made in a world, and no other. */
export function callsOf(world: World): Call[] {
  const logs = episodesOf(world).flatMap((episode) =>
    world.ladder.flatMap((rung, at): Log[] =>
      rung.when === world.stories[episode.story]?.kind
        ? [{ rung, at, episode, calls: [], acts: [], acknowledged: false, holds: [] }]
        : [],
    ),
  );
  for (let tick = 0; tick <= lastTick; tick += 1) {
    peopleAct(world, logs, tick);
    for (const log of logs) if (lives(log.episode, tick)) lookAt(world, logs, log, tick);
  }
  return logs.flatMap(({ calls }) => calls);
}

export const lives = ({ from, until }: Episode, tick: number) => from <= tick && tick < until;

export const paused = ({ pauses }: Episode, tick: number) =>
  pauses.some(({ from, until }) => from <= tick && tick < until);

/** How many ticks it has lasted, without those in which it stood still, by what is known at this tick. */
export function ageAt({ since, pauses }: Episode, tick: number): number {
  let [stood, counted] = [0, since];
  for (const pause of pauses) {
    if (pause.from > tick) break;
    const until = Math.min(pause.until, tick);
    stood += Math.max(0, until - Math.max(pause.since, counted));
    counted = Math.max(counted, until);
  }
  return tick - since - stood;
}

/** People act on what they know: what was so before this tick. */
function peopleAct(world: World, logs: Log[], tick: number): void {
  const act = world.acts.find((one) => one.tick === tick);
  if (act === undefined) return;
  const { what, which, ticks } = act;
  const fitting = logs.filter(
    (log) => lives(log.episode, tick - 1) && !needless(world, logs, log, tick - 1) && canBe[what](log),
  );
  const log = fitting[which % fitting.length];
  if (log === undefined) return;
  log.acts.push({ what, until: tick + ticks });
  log.acknowledged ||= what === 'acknowledge';
  delete log.onItsWay;
}

export const isAcknowledged = (acts: Pick<Act, 'what'>[]) =>
  acts.findLast(({ what }) => what !== 'later')?.what === 'acknowledge';
export const putOffUntil = (acts: Pick<Act, 'what' | 'until'>[]) =>
  acts.findLast(({ what }) => what !== 'acknowledge')?.until ?? -Infinity;
/** Each *later* asks for it again. */
const isProposed = ({ calls, acts }: Log) =>
  calls.filter(({ to }) => to === 'proposal').length > acts.filter(({ what }) => what === 'later').length;

const canBe: Record<Act['what'], (log: Log) => boolean> = {
  acknowledge: (log) =>
    (log.calls.some(({ to }) => to !== 'proposal') || log.onItsWay !== undefined) && !isAcknowledged(log.acts),
  snooze: () => true,
  later: isProposed,
};

function lookAt(world: World, logs: Log[], log: Log, tick: number): void {
  while (!stopped(world, logs, log, tick)) {
    if (log.onItsWay === undefined) {
      const to = wanted(log, tick);
      if (to === undefined) return;
      if (log.rung.propose !== undefined) return write(log, tick, 'proposal', []);
      log.onItsWay = { to, arrives: tick + delayOf(world, tick, log.episode.story, log.at) };
    }
    const { to, arrives } = log.onItsWay;
    if (arrives > tick) return;
    delete log.onItsWay;
    call(world, log, tick, to);
  }
  // What was on its way is called back.
  delete log.onItsWay;
}

function needless({ facts }: World, logs: Log[], { rung, episode }: Log, tick: number): boolean {
  return rung.unless.some((unless) =>
    unless === 'acknowledged'
      ? logs.some((other) => other.episode === episode && other.acknowledged)
      : facts.some(({ fact, from, until }) => fact === unless && from <= tick && until > episode.from),
  );
}

function stopped(world: World, logs: Log[], log: Log, tick: number): boolean {
  return (
    isAcknowledged(log.acts) ||
    isProposed(log) ||
    tick < putOffUntil(log.acts) ||
    paused(log.episode, tick) ||
    needless(world, logs, log, tick)
  );
}

function wanted({ rung, episode, acts, ...log }: Log, tick: number): 'whom' | 'deputies' | undefined {
  const reached = (ms: number | undefined, from: number) => ms !== undefined && (tick - from) * tickMs >= ms;
  if (ageAt(episode, tick) * tickMs < rung.afterMs) return undefined;
  // What was only proposed called nobody.
  const calls = rung.propose ? [] : log.calls;
  const [first, last] = [calls[0], calls.at(-1)];
  const hold = log.holds.findLast((one) => one.calls === calls.length && tick < one.until);
  if (first === undefined || last === undefined) return hold === undefined ? 'whom' : undefined;
  const alone = reached(rung.deputiesAfterMs, first.tick);
  // The night of those who are called anyway is none of the deputies' business.
  if (hold !== undefined && !(alone && hold.to === 'whom')) return undefined;
  if (alone && !calls.some(({ to }) => to === 'deputies')) return 'deputies';
  const again = reached(rung.repeatEveryMs, last.tick) || putOffUntil(acts) > last.tick;
  return again ? (alone ? 'deputies' : 'whom') : undefined;
}

function call(world: World, log: Log, tick: number, to: 'whom' | 'deputies'): void {
  const { rung, episode } = log;
  const whom = world.stories[episode.story]?.whom ?? rung.whom;
  const known = whoIsCalled(world.people, whom, to === 'deputies', isoOf(world, tick)).map(({ name }) => name);
  if (known.length === 0) return write(log, tick, to, ['everybody']);
  const awake = (at: number) => known.filter((name) => rung.inQuietHours === 'page' || !isQuiet(world, name, at));
  if (awake(tick).length > 0) return write(log, tick, to, awake(tick));
  let until = tick;
  while (awake(until).length === 0) until += 1;
  log.holds.push({ to, calls: log.calls.length, until });
}

function write({ calls, rung, episode: { id, since } }: Log, tick: number, to: Call['to'], who: string[]): void {
  calls.push({ tick, rung: rung.name, trouble: id, since, to, who });
}
