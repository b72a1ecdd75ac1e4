/**
 * The form of people, rotas and sites in the settings file.
 * @module
 */
import { z } from 'zod';
import { filledText } from '../plugins/setting-fields';
import { name, names, oneOf } from './fields';

/** What a page says that went to no person by name. */
const everybody = 'everybody';
const callName = name.refine((text) => text !== everybody, { error: 'is a word of ours: choose another name' });

const timeZone = filledText
  .refine(isTimeZone, { error: 'is no time zone: write it like Europe/Amsterdam' })
  .describe('IANA name, for instance `Europe/Amsterdam`.');

/** Offsets such as `+01:00` know no summer time, and not every Node takes them. */
function isTimeZone(text: string): boolean {
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: text });
    return /^[A-Za-z]/.test(text);
  } catch {
    return false;
  }
}

const timeOfDay = z
  .string({ error: 'is missing: write a time of day like 22:00' })
  .regex(/^([01]\d|2[0-3]):[0-5]\d$/, { error: 'is no time of day: write it like 22:00' });

const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

const quietHours = z
  .strictObject({
    from: timeOfDay.describe('When they begin.'),
    to: timeOfDay.describe('Earlier than `from` means the next day.'),
    days: z
      .array(oneOf(weekdays), { error: 'is no list: write it like [sat, sun]' })
      .refine((days) => new Set(days).size < weekdays.length, { error: 'leaves no day to be called: take one out' })
      .default([])
      .describe('Quiet from midnight to midnight.'),
  })
  .refine(({ from, to }) => from !== to, { path: ['to'], error: 'is the same time as from: write another' })
  .exactOptional()
  .describe('Every day, by the clock of `timeZone`. Rungs with `inQuietHours: page` call all the same.');

const deputies = names.default([]);

/** `people` of a tenant. */
export const peopleForm = z
  .record(
    callName,
    z.strictObject({
      timeZone,
      notify: z
        .record(z.string(), z.union([filledText, z.literal(true)], { error: 'is no address: write one, or true' }), {
          error: 'is missing: write a notifier and an address, for instance mail: ana@example.test',
        })
        .refine((ways) => Object.keys(ways).length > 0, {
          error: 'is empty: write a notifier and an address, for instance mail: ana@example.test',
        })
        .describe('By notifier: an address that it understands, or `true` for its own.'),
      quietHours,
      deputies: deputies.describe('Persons or rotas that are called when nobody acknowledges.'),
    }),
  )
  .default({})
  .describe('Who can be called, by a name of your choice.');

/** `rotas` of a tenant. */
export const rotasForm = z
  .record(
    callName,
    z.strictObject({
      members: names
        .min(1, { error: 'is empty: name at least one person' })
        .describe('Persons, in the order of turns.'),
      turn: oneOf(['day', 'week']).default('week').describe('How long each turn is.'),
      since: z.iso
        .date({ error: 'is no date: write it like 2026-11-02' })
        .describe('The first turn of the first member begins on this day.'),
      at: timeOfDay.default('09:00').describe('When turns change, by the clock of `timeZone`.'),
      timeZone,
      deputies: deputies.describe('Called when nobody acknowledges; empty: the deputies of whoever is on duty.'),
    }),
  )
  .default({})
  .describe('Persons who take turns. Named wherever a person is.');

const network = z
  .union([z.cidrv4(), z.cidrv6()], {
    error: 'is no range of addresses: write it like 198.51.100.0/24 or 2001:db8:7::/48',
  })
  .refine((text) => !text.endsWith('/0'), { error: 'is every address there is: write those of the site' });

/** `sites` of a tenant. */
export const sitesForm = z
  .array(
    z.strictObject({
      name: filledText.describe('For people.'),
      addresses: z
        .array(network, { error: 'is no list: write it like [198.51.100.0/24]' })
        .min(1, { error: 'is empty: write at least one range' })
        .describe('As the internet sees them, not the private ones behind.'),
    }),
    { error: 'is no list of sites: write - name: … and addresses: […]' },
  )
  .default([])
  .describe("The company's own addresses: a device seen behind them may be lost in the office.");
