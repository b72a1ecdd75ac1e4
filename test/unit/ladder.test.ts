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

/** The same worlds each time; LADDER_SEED=$RANDOM looks for others, LADDER_RUNS=5000 for more of them. */
const seed = Number(process.env.LADDER_SEED ?? 20261122);
const numRuns = Number(process.env.LADDER_RUNS ?? 500);

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
      { numRuns, seed },
    );
    expect([...seen].sort()).toEqual(['acknowledge', 'deputies', 'later', 'proposal', 'snooze', 'whom']);
  }, 1_800_000);

  test('call no more and no less when they are looked at more often than they ask for', () => {
    fc.assert(
      fc.property(anyWorld, fc.integer({ min: 1, max: 300 }), (world, every) => {
        const looks = Array.from({ length: Math.floor(lastTick / every) }, (_, n) => n * every);
        expect(inOrder(play(world, looks).calls)).toEqual(inOrder(play(world).calls));
      }),
      { numRuns: 50, seed },
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
      { numRuns: 100, seed },
    );
  });
});

describe('one ladder', () => {
  const hourMs = 60 * 60_000;
  const at = (hours: number) => new Date(Date.parse('2026-11-22T06:00:00.000Z') + hours * hourMs).toISOString();
  const rung = (more: Partial<Rung> = {}): Rung => ({
    name: 'late',
    when: 'silent',
    afterMs: 2 * hourMs,
    unless: [],
    whom: ['ana'],
    by: [],
    inQuietHours: 'wait',
    severity: 'error',
    ...more,
  });
  const silent = (more: Partial<Trouble> = {}): Trouble => ({
    id: 'silent',
    kind: 'silent',
    since: at(0),
    says: 'It is silent.',
    ...more,
  });

  /** A ladder at a moment, with its track kept in between. */
  function standing(...ladder: Rung[]) {
    const track: EscalationTrack = { clocks: {}, rungs: {} };
    const look = (hours: number, troubles: Trouble[] = [silent()], facts: Fact[] = []) => {
      const over = [...keepClocks(track, ladder, troubles, at(hours)), ...takeFacts(track, ladder, new Set(facts))];
      const due = dueCalls(track, ladder, troubles, at(hours));
      return {
        over: over.map((progress) => progress.rung),
        due: due.map((call) => `${call.rung.name}: ${call.to}`),
        nextAt: nextDueAt(track, ladder, troubles),
      };
    };
    const progress = (name = 'late') => {
      const found = track.rungs[`${name}/silent`];
      if (found === undefined) throw new Error(`No progress of ${name}`);
      return found;
    };
    const call = (hours: number, to: 'whom' | 'deputies' = 'whom') => {
      progress().calling = to;
      called(progress(), at(hours));
    };
    return { track, look, progress, call };
  }

  test('waits for the age, then for the repeat, and for nothing while a call is on its way', () => {
    const { look, progress, call } = standing(rung({ repeatEveryMs: 3 * hourMs }));
    expect(look(0)).toEqual({ over: [], due: [], nextAt: at(2) });
    expect(look(2)).toEqual({ over: [], due: ['late: whom'], nextAt: at(2) });
    progress().calling = 'whom';
    expect(look(2)).toEqual({ over: [], due: [], nextAt: undefined });
    call(2.5);
    expect(look(2.5)).toEqual({ over: [], due: [], nextAt: at(5.5) });
    expect(progress()).toMatchObject({ called: 1, firstAt: at(2.5), lastAt: at(2.5) });
  });

  test('deputies do not wait for the quiet hours of the one who does not answer', () => {
    const { look, progress, call } = standing(rung({ repeatEveryMs: hourMs, deputiesAfterMs: 3 * hourMs }));
    look(2);
    call(2);
    expect(look(3).due).toEqual(['late: whom']);
    progress().calling = 'whom';
    held(progress(), at(12));
    expect(look(4)).toEqual({ over: [], due: [], nextAt: at(5) });
    expect(look(5).due).toEqual(['late: deputies']);
    // They have quiet hours as well.
    progress().calling = 'deputies';
    held(progress(), at(9));
    expect(look(6)).toEqual({ over: [], due: [], nextAt: at(9) });
    expect(look(9).due).toEqual(['late: deputies']);
  });

  test('a call ends the wait for quiet hours: the next one is a repeat', () => {
    const { look, progress, call } = standing(rung({ repeatEveryMs: hourMs, deputiesAfterMs: 2 * hourMs }));
    look(2);
    call(2);
    progress().calling = 'whom';
    held(progress(), at(12));
    call(4, 'deputies');
    expect(look(4).nextAt).toBe(at(5));
    expect(progress()).toEqual({
      rung: 'late',
      trouble: 'silent',
      since: at(0),
      called: 2,
      firstAt: at(2),
      lastAt: at(4),
      deputiesAt: at(4),
    });
  });

  test('nobody is called twice at one moment when a snooze or a long pause ends after the deputies were due', () => {
    const { look, progress, call } = standing(rung({ repeatEveryMs: hourMs, deputiesAfterMs: 3 * hourMs }));
    look(2);
    call(2);
    progress().snoozed = { until: at(24), who: 'ana', reason: 'asleep' };
    expect(look(6)).toEqual({ over: [], due: [], nextAt: at(24) });
    expect(look(24).due).toEqual(['late: deputies']);
    call(24, 'deputies');
    expect(progress().snoozed).toBeUndefined();
    expect(look(24)).toEqual({ over: [], due: [], nextAt: at(25) });
  });

  test('what was put off comes back once, also where nothing repeats', () => {
    const { look, progress, call } = standing(rung());
    look(2);
    call(2);
    expect(look(3).nextAt).toBeUndefined();
    progress().snoozed = { until: at(24), who: 'ana', reason: 'by day' };
    expect(look(3).nextAt).toBe(at(24));
    call(24);
    expect(look(24)).toEqual({ over: [], due: [], nextAt: undefined });
  });

  test('blind for a week: nobody is called, and the ladder goes on from where it was', () => {
    const { look, call } = standing(rung({ afterMs: 24 * hourMs, repeatEveryMs: 24 * hourMs }));
    look(0);
    // Learned after two hours.
    const blind = [silent({ pausedSince: at(10) })];
    expect(look(12, blind)).toEqual({ over: [], due: [], nextAt: undefined });
    expect(look(24 * 7, blind).due).toEqual([]);
    expect(look(178)).toEqual({ over: [], due: [], nextAt: at(178 + 14) });
    expect(look(192).due).toEqual(['late: whom']);
    call(192);
    // Learned after the call that it was blind before: silent for 20 hours only, and so it does not repeat for 4 more.
    look(230, [silent({ pausedSince: at(188) })]);
    expect(look(231)).toEqual({ over: [], due: [], nextAt: at(235) });
  });

  test('is over once a fact was so, until the trouble begins anew', () => {
    const { look } = standing(rung({ unless: ['seen'] }), rung({ name: 'other' }));
    expect(look(1, [silent()], ['seen']).over).toEqual(['late']);
    expect(look(2)).toEqual({ over: [], due: ['other: whom'], nextAt: at(2) });
    expect(look(5, [silent({ since: at(3) })]).due).toEqual(['late: whom', 'other: whom']);
  });

  test('tells of every rung whose trouble is over and that called, was about to call, or asked', () => {
    const names = ['called', 'calling', 'asked', 'early'];
    const { track, look, progress } = standing(...names.map((name) => rung({ name })));
    look(2);
    progress('called').called = 1;
    progress('calling').calling = 'whom';
    progress('asked').proposed = true;
    expect(look(3, [silent({ since: at(3) })]).over).toEqual(['called', 'calling', 'asked']);
    expect(look(4, []).over).toEqual([]);
    expect(track).toEqual({ clocks: {}, rungs: {} });
  });

  test('one trouble has one incident with each rung, and another when it begins anew', () => {
    const { look, progress } = standing(rung(), rung({ name: 'other' }));
    look(0);
    const first = incidentOf('chain', progress());
    progress().called = 3;
    expect(incidentOf('chain', progress())).toBe(first);
    const others = [incidentOf('chain', progress('other')), incidentOf('chain-2', progress())];
    look(3, [silent({ since: at(3) })]);
    expect(new Set([first, ...others, incidentOf('chain', progress())]).size).toBe(4);
  });

  test('a rung that the rules no longer have calls nobody, and one that they got begins from the age', () => {
    const track: EscalationTrack = { clocks: {}, rungs: {} };
    const [gone, come] = [rung({ name: 'gone' }), rung({ name: 'come' })];
    keepClocks(track, [gone], [silent()], at(0));
    keepClocks(track, [come], [silent()], at(3));
    expect(takeFacts(track, [come], new Set(['seen']))).toEqual([]);
    expect(dueCalls(track, [come], [silent()], at(3)).map((call) => call.rung.name)).toEqual(['come']);
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
