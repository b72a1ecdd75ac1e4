/**
 * Random worlds for the ladder: troubles that begin, pause, end and begin anew, facts, people with their nights, and what
 * people do about it. Time goes in ticks, so that every moment can be looked at one by one.
 * @module
 */
import fc from 'fast-check';
import type { Fact, Rung, TroubleKind } from '../../playbook/ladder';
import type { People, Person, Weekday } from '../../playbook/people';

/** Everything happens at whole ticks: what is right by these is right to the millisecond. */
export const tickMs = 5 * 60_000;
const hour = 12;
const day = 24 * hour;
/** The last tick of a world. */
export const lastTick = 21 * day;

/** What is known of a trouble from this tick on. All figures are ticks. */
export interface Turn {
  tick: number;
  /** Absent: it is over. */
  known?: { since: number; pausedSince?: number };
}

export interface Story {
  id: string;
  kind: TroubleKind;
  whom?: string[];
  turns: Turn[];
}

export interface World {
  startMs: number;
  ladder: Rung[];
  people: People;
  stories: Story[];
  /** So from one tick on, and no more at the other. */
  facts: { fact: Fact; from: number; until: number }[];
  /** What a person does about one of the rungs, if there is one by then that it can be done about. */
  acts: { tick: number; what: Act['what']; which: number; ticks: number }[];
  /** How long calls are on their way (ticks). */
  delays: number[];
}

/** One call, or one proposal. */
export interface Call {
  tick: number;
  rung: string;
  trouble: string;
  /** Of the trouble (tick). */
  since: number;
  to: 'whom' | 'deputies' | 'proposal';
  who: string[];
}

/** What a person did about a rung: *has it*, *not before*, or *not now* to what it proposed. */
export interface Act {
  tick: number;
  what: 'acknowledge' | 'snooze' | 'later';
  rung: string;
  trouble: string;
  since: number;
  /** Of all but an acknowledgement (tick). */
  until: number;
}

export const isoOf = ({ startMs }: World, tick: number) => new Date(startMs + tick * tickMs).toISOString();
export const tickOf = ({ startMs }: World, iso: string) => (Date.parse(iso) - startMs) / tickMs;
export const delayOf = ({ delays }: World, tick: number, story: number, rung: number) =>
  delays[(tick + 7 * story + 3 * rung) % delays.length] ?? 0;

/** One trouble from its beginning to its end, or to where it begins anew. All figures are ticks. */
export interface Episode {
  story: number;
  id: string;
  since: number;
  /** When the ladder hears of it, and when it hears that it is over. */
  from: number;
  until: number;
  /** It stood still since `since`; known `from`, and going on at `until`. */
  pauses: { since: number; from: number; until: number }[];
}

export function episodesOf({ stories }: World): Episode[] {
  return stories.flatMap(({ id, turns }, story) => {
    const episodes: Episode[] = [];
    let now: Episode | undefined;
    for (const { tick, known } of turns) {
      const pause = now?.pauses.at(-1);
      if (now !== undefined && now.since !== known?.since) {
        now.until = tick;
        now = undefined;
      }
      if (pause?.until === Infinity && (now === undefined || known?.pausedSince === undefined)) pause.until = tick;
      if (known === undefined) continue;
      if (now === undefined) {
        now = { story, id, since: known.since, from: tick, until: Infinity, pauses: [] };
        episodes.push(now);
      }
      if (known.pausedSince !== undefined && now.pauses.at(-1)?.until !== Infinity)
        now.pauses.push({ since: known.pausedSince, from: tick, until: Infinity });
    }
    return episodes;
  });
}

// --- nights ------------------------------------------------------------------------------------------------------

const clocks = new Map<string, Intl.DateTimeFormat>();
const shown = new Map<string, { time: string; day: Weekday }>();

/** What a clock on that wall shows. */
function wallClock(atMs: number, timeZone: string): { time: string; day: Weekday } {
  const key = `${atMs} ${timeZone}`;
  let shows = shown.get(key);
  if (shows === undefined) {
    let clock = clocks.get(timeZone);
    if (clock === undefined) {
      clock = new Intl.DateTimeFormat('en-GB', { timeZone, weekday: 'short', hour: '2-digit', minute: '2-digit' });
      clocks.set(timeZone, clock);
    }
    const [weekday = '', time = ''] = clock.format(atMs).split(' ');
    shows = { time, day: weekday.slice(0, 3).toLowerCase() as Weekday };
    shown.set(key, shows);
  }
  return shows;
}

/** Straight from the words: between two times of the person's own clock, or a whole day. */
export function isQuiet(world: World, name: string, tick: number): boolean {
  const person = world.people.persons[name];
  if (person?.quietHours === undefined) return false;
  const { from, to, days } = person.quietHours;
  const { time, day } = wallClock(world.startMs + tick * tickMs, person.timeZone);
  if (days.includes(day)) return true;
  return from < to ? from <= time && time < to : time >= from || time < to;
}

// --- worlds ------------------------------------------------------------------------------------------------------

const zones = ['UTC', 'Europe/Amsterdam', 'America/New_York', 'Asia/Kathmandu', 'Australia/Lord_Howe'];
const weekdays: Weekday[] = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
const persons = ['ana', 'bob', 'cem', 'dee'];
const names = [...persons, 'soc'];

/** Minutes, hours or days. */
const span = (least: number) =>
  fc.oneof(
    fc.integer({ min: least, max: 2 * hour }),
    fc.integer({ min: least, max: day }),
    fc.integer({ min: least, max: 5 * day }),
  );
const some = (list: string[], maxLength: number) => fc.subarray(list, { maxLength });
const ms = (ticks: number) => ticks * tickMs;
const often = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 3 });
const rarely = <T>(arbitrary: fc.Arbitrary<T>) =>
  fc.oneof({ arbitrary: fc.constant(undefined), weight: 7 }, { arbitrary, weight: 1 });
/** Keys whose value is undefined are left out. */
const sparse = <T extends object>(value: T) =>
  Object.fromEntries(Object.entries(value).filter(([, part]) => part !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };

const halfHours = Array.from(
  { length: 48 },
  (_, n) => `${String(n >> 1).padStart(2, '0')}:${n % 2 === 0 ? '00' : '30'}`,
);

const quietHours = fc
  .record({
    span: fc.oneof(fc.constant(['22:00', '07:00']), fc.shuffledSubarray(halfHours, { minLength: 2, maxLength: 2 })),
    days: fc.subarray(weekdays, { maxLength: 2 }),
  })
  .map(({ span: [from = '', to = ''], days }) => ({ from, to, days }));

const person = fc
  .record({ timeZone: fc.constantFrom(...zones), quietHours: often(quietHours), deputies: some(names, 2) })
  .map((known): Person => sparse({ notify: { mail: true }, ...known }) as Person);

const people = fc
  .record({
    persons: fc.tuple(person, person, person, person),
    soc: fc.record({
      members: fc.shuffledSubarray(persons, { minLength: 1, maxLength: 3 }),
      turn: fc.constantFrom('day', 'week'),
      since: fc.constant('2026-01-05'),
      at: fc.constantFrom('00:00', '09:00', '18:30'),
      timeZone: fc.constantFrom(...zones),
      deputies: some(persons, 2),
    }),
  })
  .map(({ persons: known, soc }): People => ({
    persons: Object.fromEntries(known.map((one, n) => [persons[n] ?? '', one])),
    rotas: { soc },
  }));

/** Only silence pauses, and only what is due one day is known before it begins: as in a case. */
const subjects: { id: string; kind: TroubleKind; pauses?: true; comes?: true }[] = [
  { id: 'silent', kind: 'silent', pauses: true },
  { id: 'stuck: one', kind: 'stuck', pauses: true },
  { id: 'stuck: other', kind: 'stuck' },
  { id: 'task late: report', kind: 'task late', comes: true },
];

const rung = fc
  .record({
    when: fc.constantFrom(...subjects.map(({ kind }) => kind)),
    afterMs: span(0).map(ms),
    unless: fc.oneof(
      { arbitrary: fc.constant([]), weight: 2 },
      fc.subarray<Fact>(['contained', 'proven', 'seen', 'acknowledged'], { minLength: 1, maxLength: 2 }),
    ),
    whom: some(names, 2),
    by: fc.constant([]),
    inQuietHours: fc.constantFrom('page', 'wait'),
    severity: fc.constant('error' as const),
    repeatEveryMs: often(fc.integer({ min: hour, max: 2 * day }).map(ms)),
    deputiesAfterMs: often(span(0).map(ms)),
    propose: rarely(fc.constant('wipe' as const)),
  })
  .map((given) => sparse(given) as unknown as Omit<Rung, 'name'>);

const ladder = fc
  .array(rung, { maxLength: 6 })
  .map((rungs) => rungs.map((one, n): Rung => ({ name: `r${n}`, ...one })));

const happening = fc.record({
  wait: span(1),
  what: fc.constantFrom('pause', 'pause', 'anew', 'end'),
  /** It began this long before it is known. */
  lag: fc.oneof(fc.integer({ min: 0, max: 3 * hour }), fc.integer({ min: 0, max: day })),
});

function storyOf(
  { id, kind, pauses, comes }: (typeof subjects)[number],
  whom: string[] | undefined,
  happenings: { wait: number; what: string; lag: number }[],
): Story {
  const turns: Turn[] = [];
  let [tick, pausedBefore] = [-1, -Infinity];
  for (const { wait, what, lag } of happenings) {
    tick += wait;
    const known = turns.at(-1)?.known;
    const since = comes ? tick + lag - 2 * hour : tick - lag;
    if (known === undefined) turns.push({ tick, known: { since } });
    else if (what === 'end') turns.push({ tick });
    else if (what === 'anew') turns.push({ tick, known: { ...known, since } });
    else if (known.pausedSince !== undefined) turns.push({ tick, known: { since: known.since } });
    else if (pauses) {
      pausedBefore = Math.max(pausedBefore, tick - lag);
      turns.push({ tick, known: { ...known, pausedSince: pausedBefore } });
    }
  }
  return { id, kind, ...(whom && { whom }), turns: turns.filter((turn) => turn.tick <= lastTick) };
}

const stories = fc
  .tuple(
    ...subjects.map((subject) =>
      fc
        .record({ whom: rarely(some(names, 2)), happenings: fc.array(happening, { maxLength: 9 }) })
        .map(({ whom, happenings }) => storyOf(subject, whom, happenings)),
    ),
  )
  .map((all) => all.filter(({ turns }) => turns.length > 0));

const anyTick = fc.integer({ min: 0, max: lastTick });

export const anyWorld: fc.Arbitrary<World> = fc.record({
  // Beside the nights in which clocks change, in Europe, America and Australia.
  startMs: fc
    .constantFrom('2026-03-23T10:05:00Z', '2026-10-21T17:40:00Z', '2026-10-01T23:55:00Z', '2026-12-28T00:00:00Z')
    .map(Date.parse),
  ladder,
  people,
  stories,
  facts: fc.array(
    fc
      .record({ fact: fc.constantFrom<Fact>('contained', 'proven', 'seen'), from: anyTick, ticks: span(1) })
      .map(({ fact, from, ticks }) => ({ fact, from, until: from + ticks })),
    { maxLength: 4 },
  ),
  acts: fc
    .uniqueArray(
      fc.record({
        tick: anyTick,
        what: fc.constantFrom('acknowledge', 'acknowledge', 'snooze', 'snooze', 'later'),
        which: fc.nat({ max: 20 }),
        ticks: span(1),
      }),
      { maxLength: 12, selector: ({ tick }) => tick },
    )
    .map((acts) => acts.sort((a, b) => a.tick - b.tick)),
  delays: fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 8 }),
});
