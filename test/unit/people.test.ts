/** Who is called, who is on duty and who has quiet hours: compared with clocks that are read minute by minute. */
import fc from 'fast-check';
import { quietUntil, whoIsCalled, type People, type Person, type Rota, type Weekday } from '../../playbook/people';

const minuteMs = 60_000;

/** Zones, with moments at which their clocks are changed in 2026. */
const clockChanges: [timeZone: string, changedAt: string][] = [
  ['Europe/Amsterdam', '2026-03-29T01:00:00Z'],
  ['Europe/Amsterdam', '2026-10-25T01:00:00Z'],
  ['America/New_York', '2026-03-08T07:00:00Z'],
  ['America/New_York', '2026-11-01T06:00:00Z'],
  // Half an hour only.
  ['Australia/Lord_Howe', '2026-04-04T15:00:00Z'],
  ['Australia/Lord_Howe', '2026-10-03T15:30:00Z'],
  // At midnight, and back into the day before.
  ['America/Santiago', '2026-04-05T03:00:00Z'],
  ['America/Havana', '2026-03-08T05:00:00Z'],
  ['America/Havana', '2026-11-01T05:00:00Z'],
  // Never.
  ['Asia/Kathmandu', '2026-11-22T10:00:00Z'],
];

const within = (seconds: number) => fc.integer({ min: -seconds, max: seconds });
/** A zone, and a moment within days, often hours, of a change of its clocks. */
const place = fc
  .tuple(fc.constantFrom(...clockChanges), fc.oneof(within(2 * 3_600), within(2 * 86_400)))
  .map(([[timeZone, changedAt], offsetSeconds]) => ({
    timeZone,
    now: new Date(Date.parse(changedAt) + offsetSeconds * 1_000).toISOString(),
  }));

const clockText = fc
  .oneof(
    fc.integer({ min: 0, max: 6 }).map((halfHours) => halfHours * 30),
    fc.integer({ min: 0, max: 24 * 60 - 1 }),
  )
  .map((minutes) => `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`);

const readers = new Map<string, Intl.DateTimeFormat>();

/** What the clock on the wall shows: `Sun 2026-03-29 01:59`. */
function shown(atMs: number, timeZone: string): { day: string; date: string; time: string } {
  const reader =
    readers.get(timeZone) ??
    new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'short', hourCycle: 'h23' });
  readers.set(timeZone, reader);
  const [date = '', time = ''] = reader.format(atMs).split(' ');
  const day = new Date(`${date}T12:00:00Z`).toUTCString().slice(0, 3).toLowerCase();
  return { day, date, time };
}

function isQuiet({ timeZone, quietHours }: Person, atMs: number): boolean {
  if (quietHours === undefined) return false;
  const { from, to, days } = quietHours;
  const { day, time } = shown(atMs, timeZone);
  if (days.includes(day as Weekday)) return true;
  return from < to ? from <= time && time < to : from <= time || time < to;
}

const person = (more: Partial<Person> = {}): Person => ({
  notify: { mail: true },
  timeZone: 'Europe/Amsterdam',
  deputies: [],
  ...more,
});

describe('quiet hours', () => {
  const quietHours = fc.record({
    from: clockText,
    to: clockText,
    days: fc.subarray<Weekday>(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'], { maxLength: 3 }),
  });

  test('end at the first minute that is not quiet, in every zone and over every change of its clocks', () => {
    let quiet = 0;
    fc.assert(
      fc.property(place, quietHours, ({ timeZone, now }, hours) => {
        fc.pre(hours.from !== hours.to);
        const somebody = person({ timeZone, quietHours: hours });
        let atMs = Math.floor(Date.parse(now) / minuteMs) * minuteMs;
        const startMs = atMs;
        while (isQuiet(somebody, atMs)) atMs += minuteMs;
        if (atMs > startMs) quiet += 1;
        expect(quietUntil(somebody, now)).toBe(atMs === startMs ? undefined : new Date(atMs).toISOString());
      }),
      { numRuns: 400 },
    );
    expect(quiet).toBeGreaterThan(100);
  });

  test.each([
    ['a time that does not exist that night', '2026-03-29T00:59:59Z', '22:00', '02:30', [], '2026-03-29T01:00:00.000Z'],
    ['a time that comes twice, the first', '2026-10-24T23:00:00Z', '22:00', '02:30', [], '2026-10-25T00:30:00.000Z'],
    ['a time that comes twice, the second', '2026-10-25T01:15:00Z', '22:00', '02:30', [], '2026-10-25T01:30:00.000Z'],
    ['a weekend', '2026-11-20T21:30:00Z', '22:00', '07:00', ['sat', 'sun'], '2026-11-23T06:00:00.000Z'],
    ['the last minute', '2026-11-20T05:59:59Z', '22:00', '07:00', [], '2026-11-20T06:00:00.000Z'],
    ['the minute after', '2026-11-20T06:00:00Z', '22:00', '07:00', [], undefined],
  ] as [string, string, string, string, Weekday[], string | undefined][])('%s', (_, now, from, to, days, until) => {
    expect(quietUntil(person({ quietHours: { from, to, days } }), now)).toBe(until);
  });

  test('that never end do not keep us searching', () => {
    const days: Weekday[] = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
    const until = quietUntil(person({ quietHours: { from: '22:00', to: '07:00', days } }), '2026-11-22T22:00:00Z');
    expect(until).toMatch(/^2026-12-/);
  });
});

describe('a rota', () => {
  const members = ['ana', 'bob', 'cem', 'dee', 'eva'];
  const rota = (more: Partial<Rota> = {}): Rota => ({
    members,
    turn: 'week',
    since: '2026-11-02',
    at: '09:00',
    timeZone: 'Europe/Amsterdam',
    deputies: [],
    ...more,
  });
  const onDuty = (given: Rota, now: string) => {
    const persons = Object.fromEntries(members.map((name) => [name, person()]));
    return whoIsCalled({ persons, rotas: { soc: given } }, ['soc'], false, now).map(({ name }) => name);
  };

  /** When the clock on the wall first shows the time of a hand-over. */
  function handedOverAt({ timeZone, since, at, turn }: Rota, index: number): number {
    const date = new Date(Date.parse(since) + index * (turn === 'day' ? 1 : 7) * 86_400_000).toISOString().slice(0, 10);
    for (let atMs = Date.parse(`${date}T${at}Z`) - 14 * 3_600_000; ; atMs += minuteMs) {
      const wall = shown(atMs, timeZone);
      if (`${wall.date} ${wall.time}` >= `${date} ${at}`) return atMs;
    }
  }

  test('is handed over once each turn, when its clock first shows the time', () => {
    const since = fc.integer({ min: 0, max: 365 }).map((day) => new Date(Date.UTC(2026, 0, 1 + day)));
    fc.assert(
      fc.property(place, clockText, since, fc.constantFrom('day', 'week'), ({ timeZone, now }, at, day, turn) => {
        const given = rota({ timeZone, at, turn, since: day.toISOString().slice(0, 10) });
        const nowMs = Date.parse(now);
        let index = Math.round((nowMs - day.getTime()) / (turn === 'day' ? 86_400_000 : 7 * 86_400_000)) - 2;
        while (handedOverAt(given, index + 1) <= nowMs) index += 1;
        expect(onDuty(given, now)).toEqual([members.at(index % members.length)]);
      }),
      { numRuns: 150 },
    );
  });

  test.each([
    ['its first minute', '2026-11-02T08:00:00Z', 'ana'],
    ['the minute before the second turn', '2026-11-09T07:59:59Z', 'ana'],
    ['the second turn', '2026-11-09T08:00:00Z', 'bob'],
    ['the turn after the last member', '2026-12-07T08:00:00Z', 'ana'],
    ['the turn before the first', '2026-11-02T07:59:59Z', 'eva'],
    ['summer', '2027-03-29T07:00:00Z', 'bob'],
  ])('on duty in %s', (_, now, name) => {
    expect(onDuty(rota(), now)).toEqual([name]);
  });

  test('does not get the turn back when the clock is put back', () => {
    const nightly = rota({ turn: 'day', since: '2026-10-20', at: '02:30' });
    const night = ['00:29', '00:30', '00:59', '01:00', '01:29', '01:30', '02:00'];
    const onDutyAt = (given: Rota) => night.map((time) => onDuty(given, `2026-10-25T${time}:00Z`)[0]);
    expect(onDutyAt(nightly)).toEqual(['eva', 'ana', 'ana', 'ana', 'ana', 'ana', 'ana']);
    // That night the clock shows 03:00 only after it was put back from there.
    expect(onDutyAt({ ...nightly, at: '03:00' })).toEqual(['eva', 'eva', 'eva', 'eva', 'eva', 'eva', 'ana']);
  });
});

describe('who is called', () => {
  const people: People = {
    persons: {
      ana: person({ deputies: ['bob', 'night'] }),
      bob: person({ deputies: ['ana', 'bob'] }),
      cem: person({ deputies: ['dee'] }),
      dee: person({ deputies: ['eva'] }),
      eva: person(),
    },
    rotas: {
      soc: {
        members: ['ana', 'cem'],
        turn: 'day',
        since: '2026-11-02',
        at: '00:00',
        timeZone: 'UTC',
        deputies: [],
      },
      night: {
        members: ['eva'],
        turn: 'day',
        since: '2026-11-02',
        at: '00:00',
        timeZone: 'UTC',
        deputies: ['bob', 'soc'],
      },
    },
  };
  const called = (whom: string[], deputies = false, now = '2026-11-02T12:00:00Z') =>
    whoIsCalled(people, whom, deputies, now).map(({ name, person: found }) => {
      expect(found).toBe(people.persons[name]);
      return name;
    });

  test('persons and whoever is on duty, each once, in order', () => {
    expect(called(['bob', 'soc', 'ana'])).toEqual(['bob', 'ana']);
    expect(called(['bob', 'soc', 'ana'], false, '2026-11-03T12:00:00Z')).toEqual(['bob', 'cem', 'ana']);
  });

  test('deputies after everybody who is named, and not theirs', () => {
    expect(called(['cem'], true)).toEqual(['cem', 'dee']);
    expect(called(['bob', 'cem'], true)).toEqual(['bob', 'cem', 'ana', 'dee']);
  });

  test('deputies of a rota are its own, else those of whoever is on duty', () => {
    expect(called(['night'], true)).toEqual(['eva', 'bob', 'ana']);
    expect(called(['soc'], true)).toEqual(['ana', 'bob', 'eva']);
    expect(called(['soc'], true, '2026-11-03T12:00:00Z')).toEqual(['cem', 'dee']);
  });

  test('nobody by a name that nobody bears', () => {
    expect(called(['zoe', 'constructor', 'toString'], true)).toEqual([]);
    expect(called(['zoe', 'eva'], true)).toEqual(['eva']);
    expect(called([], true)).toEqual([]);
  });
});
