/**
 * The ladder against a model in random worlds, each of its promises by itself, and what is easier to read as a story.
 */
import fc from 'fast-check';
import type { EscalationTrack, Fact, Rung, Trouble } from '../../playbook/ladder';
import { called, dueCalls, held, incidentOf, keepClocks, nextDueAt, takeFacts } from '../../playbook/ladder';
import { ageAt, callsOf, isAcknowledged, lives, paused, putOffUntil } from './ladder-model';
import { play } from './ladder-play';
import {
  anyWorld,
  episodesOf,
  isQuiet,
  lastTick,
  tickMs,
  type Act,
  type Call,
  type Episode,
  type World,
} from './ladder-world';

interface Played {
  world: World;
  calls: Call[];
  acts: Act[];
}

describe('500 random ladders', () => {
  /** The calls that break each promise. */
  const promises: Record<string, (played: Played) => unknown[]> = {
    'nobody is paged in quiet hours unless the rung says so': ({ world, calls }) =>
      calls.filter(
        (call) =>
          rungOf(world, call).inQuietHours === 'wait' && call.who.some((name) => isQuiet(world, name, call.tick)),
      ),
    'no rung fires after its `unless` is true': (played) =>
      played.calls.filter((call) => needless(played, episodeOf(played, call), rungOf(played.world, call), call.tick)),
    'who acknowledged is not called again by that rung': (played) =>
      played.calls.filter((call) => isAcknowledged(actsOn(played, call, call.tick))),
    'nobody is called while it is put off': (played) =>
      played.calls.filter((call) => putOffUntil(actsOn(played, call, call.tick)) > call.tick),
    'a trouble that stands still calls nobody': (played) =>
      played.calls.filter((call) => paused(episodeOf(played, call), call.tick)),
    'no call comes before its time': (played) =>
      played.calls.filter(
        (call) => ageAt(episodeOf(played, call), call.tick) * tickMs < rungOf(played.world, call).afterMs,
      ),
    'no rung is lost, and what was put off comes back': lost,
  };

  test('make every call at its moment, to whom it belongs, and no other', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(anyWorld, (world) => {
        const played = { world, ...play(world) };
        for (const [promise, broken] of Object.entries(promises))
          expect({ [promise]: broken(played) }).toEqual({ [promise]: [] });
        expect(inOrder(played.calls)).toEqual(inOrder(callsOf(world)));
        for (const { to } of played.calls) seen.add(to);
        for (const { what } of played.acts) seen.add(what);
      }),
      { numRuns: 500 },
    );
    expect([...seen].sort()).toEqual(['acknowledge', 'deputies', 'later', 'proposal', 'snooze', 'whom']);
  });

  test('call no more and no less when they are looked at more often than they ask for', () => {
    fc.assert(
      fc.property(anyWorld, fc.integer({ min: 1, max: 300 }), (world, every) => {
        const looks = Array.from({ length: Math.floor(lastTick / every) }, (_, n) => n * every);
        expect(inOrder(play(world, looks).calls)).toEqual(inOrder(play(world).calls));
      }),
      { numRuns: 50 },
    );
  });

  test('go on with every other rung when one is acknowledged', () => {
    fc.assert(
      fc.property(anyWorld, (random) => {
        const ladder = random.ladder.map((rung) => ({
          ...rung,
          unless: rung.unless.filter((unless) => unless !== 'acknowledged'),
        }));
        const world = { ...random, ladder };
        const { calls, acts } = play(world);
        const acknowledged = acts.filter(({ what }) => what === 'acknowledge');
        const others = (all: Call[]) => inOrder(all).filter((call) => !acknowledged.some((act) => isAbout(act, call)));
        const nobody = play({ ...world, acts: world.acts.filter(({ what }) => what !== 'acknowledge') });
        expect(others(calls)).toEqual(others(nobody.calls));
      }),
      { numRuns: 100 },
    );
  });
});

const inOrder = (calls: Call[]) =>
  [...calls].sort((a, b) => a.tick - b.tick || `${a.trouble}/${a.rung}`.localeCompare(`${b.trouble}/${b.rung}`));

type About = Pick<Call, 'rung' | 'trouble' | 'since'>;
const isAbout = (a: About, b: About) => a.rung === b.rung && a.trouble === b.trouble && a.since === b.since;

function rungOf({ ladder }: World, { rung }: About): Rung {
  const found = ladder.find(({ name }) => name === rung);
  if (found === undefined) throw new Error(`${rung} called, and is not in the ladder`);
  return found;
}

function episodeOf({ world }: Played, { trouble, since, tick }: Call): Episode {
  const found = episodesOf(world).find((one) => one.id === trouble && one.since === since && lives(one, tick));
  if (found === undefined) throw new Error(`Called about ${trouble} at tick ${tick}, when it was not there`);
  return found;
}

function needless({ world, acts }: Played, { id, since, from }: Episode, { unless }: Rung, tick: number): boolean {
  const wasSo = world.facts.filter((one) => one.from <= tick && one.until > from).map(({ fact }) => fact);
  const had = acts.some(
    (act) => act.what === 'acknowledge' && act.trouble === id && act.since === since && act.tick <= tick,
  );
  return unless.some((one) => (one === 'acknowledged' ? had : wasSo.includes(one)));
}

const actsOn = ({ acts }: Played, about: About, tick: number) =>
  acts.filter((act) => isAbout(act, about) && act.tick <= tick);

/** Rungs that nothing stops, with somebody awake, for longer than a call is on its way, and yet without a call. */
function lost(played: Played): unknown[] {
  const { world } = played;
  return episodesOf(world).flatMap((episode) =>
    world.ladder
      .filter(({ when }) => when === world.stories[episode.story]?.kind)
      .flatMap((rung) => {
        const tick = lostAt(played, episode, rung);
        return tick === undefined ? [] : [{ rung: rung.name, trouble: episode.id, since: episode.since, tick }];
      }),
  );
}

function lostAt(played: Played, episode: Episode, rung: Rung): number | undefined {
  const { world, calls } = played;
  const whom = world.stories[episode.story]?.whom ?? rung.whom;
  const sleeps = rung.inQuietHours === 'wait' && whom.length > 0;
  // The night of a rota is that of whoever was on duty when it was called.
  if (sleeps && whom.includes('soc')) return undefined;
  const about = { rung: rung.name, trouble: episode.id, since: episode.since };
  const own = calls.filter((call) => isAbout(call, about) && lives(episode, call.tick));
  const longestDelay = Math.max(...world.delays);
  let freeFor = 0;
  for (let tick = episode.from; tick < Math.min(episode.until, lastTick + 1); tick += 1) {
    const last = own.findLast((call) => call.tick <= tick);
    const acts = actsOn(played, about, tick);
    const waits = last === undefined || (last.to !== 'proposal' && last.tick < putOffUntil(acts));
    const free =
      waits &&
      ageAt(episode, tick) * tickMs >= rung.afterMs &&
      !paused(episode, tick) &&
      !isAcknowledged(acts) &&
      putOffUntil(acts) <= tick &&
      !needless(played, episode, rung, tick) &&
      !(sleeps && whom.every((name) => isQuiet(world, name, tick)));
    freeFor = free ? freeFor + 1 : 0;
    if (freeFor > longestDelay) return tick;
  }
  return undefined;
}
