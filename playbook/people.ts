/**
 * Who is called: persons, rotas and quiet hours. Read from the settings at the moment of the call, never pinned in a case:
 * a case lasts a year, and who is on call does not.
 * @module
 */

/**
 * Every day between two times of the person's own clock; `days` are quiet from midnight to midnight. What the clock shows
 * counts: a time that it shows twice in one night, when it is put back, is quiet twice.
 */
export interface QuietHours {
  /** `22:00`. */
  from: string;
  /** `07:00`; earlier than `from` means the next day. */
  to: string;
  days: Weekday[];
}
export type Weekday = 'mon' | 'tue' | 'wed' | 'thu' | 'fri' | 'sat' | 'sun';

export interface Person {
  /** By notifier: an address that it understands, or `true` for its own. */
  notify: Record<string, string | true>;
  /** IANA name, for instance `Europe/Amsterdam`. */
  timeZone: string;
  quietHours?: QuietHours;
  /** Persons or rotas that are called when nobody acknowledges. */
  deputies: string[];
}

/** Persons who take turns. */
export interface Rota {
  members: string[];
  turn: 'day' | 'week';
  /** The first turn of the first member: a date of the rota's clock, `2026-11-02`. */
  since: string;
  /** When turns change, `09:00`. */
  at: string;
  timeZone: string;
  /** As for a person; empty: the deputies of whoever is on duty. */
  deputies: string[];
}

export interface People {
  persons: Record<string, Person>;
  rotas: Record<string, Rota>;
}

/** A person with the name that the settings give. */
export interface Called {
  name: string;
  person: Person;
}

/**
 * Persons behind names of persons and rotas at a moment: each once, in the order of the names. A rota is whoever is on
 * duty. A name that nobody bears is left out.
 * @param deputies The deputies of each are called as well, after everybody who is named. Their own deputies are not.
 * @param now ISO 8601.
 */
export function whoIsCalled(people: People, whom: string[], deputies: boolean, now: string): Called[] {
  const names = deputies ? [...whom, ...whom.flatMap((name) => deputiesOf(people, name, now))] : whom;
  const persons = new Set(names.flatMap((name) => personNamed(people, name, now) ?? []));
  return [...persons].flatMap((name) => {
    const person = own(people.persons, name);
    return person ? [{ name, person }] : [];
  });
}

function deputiesOf(people: People, name: string, now: string): string[] {
  const instead = own(people.rotas, name)?.deputies ?? [];
  const person = personNamed(people, name, now);
  if (instead.length > 0 || person === undefined) return instead;
  return own(people.persons, person)?.deputies ?? [];
}

function personNamed(people: People, name: string, now: string): string | undefined {
  const rota = own(people.rotas, name);
  return rota ? onDuty(rota, minuteOf(now)) : name;
}

/** A name such as `constructor` is nobody's, unless the settings have it. */
function own<T>(record: Record<string, T>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
const turnMs = { day: dayMs, week: 7 * dayMs };

/** Turns are counted on the wall clock, so that they change at the same time of day in summer and in winter. */
function onDuty({ members, turn, since, at, timeZone }: Rota, atMs: number): string | undefined {
  const turns = Math.floor((furthestShown(atMs, timeZone) - Date.parse(`${since}T${at}Z`)) / turnMs[turn]);
  return members[modulo(turns, members.length)];
}

/** What the clock showed at the latest: who has handed over does not get the turn back when it is put back. */
function furthestShown(atMs: number, timeZone: string): number {
  const shown = wallClock(atMs, timeZone);
  const changedAt = clockChange(atMs - 3 * hourMs, atMs, timeZone);
  return changedAt === undefined ? shown : Math.max(shown, wallClock(changedAt - minuteMs, timeZone));
}

const weekdays: Weekday[] = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
/** Longer than any quiet hours that the settings accept: the search always ends. */
const longestQuietMs = 30 * dayMs;

/**
 * The first moment (ISO 8601, a whole minute) at which the person has no quiet hours; undefined when they have none now.
 * @param now ISO 8601.
 */
export function quietUntil({ timeZone, quietHours }: Person, now: string): string | undefined {
  if (quietHours === undefined) return undefined;
  const startMs = minuteOf(now);
  let atMs = startMs;
  while (atMs < startMs + longestQuietMs) {
    const leftMs = quietLeft(quietHours, wallClock(atMs, timeZone));
    if (leftMs === 0) break;
    // Where the clock is changed meanwhile, it has to be read anew.
    atMs = clockChange(atMs, atMs + leftMs, timeZone) ?? atMs + leftMs;
  }
  return atMs === startMs ? undefined : new Date(atMs).toISOString();
}

/** How long it is quiet for certain by what the wall clock shows, midnight at the latest; 0 when it is not quiet. */
function quietLeft({ from, to, days }: QuietHours, shownMs: number): number {
  const [fromMs, toMs] = [timeOfDay(from), timeOfDay(to)];
  const todayMs = modulo(shownMs, dayMs);
  if (days.some((day) => day === weekdays[new Date(shownMs).getUTCDay()])) return dayMs - todayMs;
  if (fromMs <= toMs) return fromMs <= todayMs && todayMs < toMs ? toMs - todayMs : 0;
  if (todayMs >= fromMs) return dayMs - todayMs;
  return Math.max(0, toMs - todayMs);
}

const minuteOf = (iso: string) => Math.floor(Date.parse(iso) / minuteMs) * minuteMs;
const timeOfDay = (text: string) => Date.parse(`1970-01-01T${text}Z`);
/** Never negative, unlike `%`. */
const modulo = (value: number, by: number) => ((value % by) + by) % by;

/** The first minute by another offset than before, if the span has one: a clock is changed once a day at most. */
function clockChange(fromMs: number, toMs: number, timeZone: string): number | undefined {
  const offset = (atMs: number) => wallClock(atMs, timeZone) - atMs;
  const before = offset(fromMs);
  if (offset(toMs) === before) return undefined;
  let [still, changed] = [fromMs, toMs];
  while (changed - still > minuteMs) {
    const middle = Math.floor((still + changed) / 2 / minuteMs) * minuteMs;
    if (offset(middle) === before) still = middle;
    else changed = middle;
  }
  return changed;
}

const clocks = new Map<string, Intl.DateTimeFormat>();

/** What the clock on the wall shows, to the minute, as if it hung in UTC (epoch milliseconds). */
function wallClock(atMs: number, timeZone: string): number {
  let clock = clocks.get(timeZone);
  if (clock === undefined) {
    const digits = { year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric' } as const;
    clock = new Intl.DateTimeFormat('en-US', { timeZone, hourCycle: 'h23', ...digits });
    clocks.set(timeZone, clock);
  }
  const [month = 0, day = 0, year = 0, hour = 0, minute = 0] = clock
    .formatToParts(atMs)
    .flatMap(({ type, value }) => (type === 'literal' ? [] : [Number(value)]));
  return Date.UTC(year, month - 1, day, hour, minute);
}
