/**
 * What every feed of a vendor's log shares: where a reading begins, and what it answers.
 *
 * The watermark is the newest moment that the records carried, in the vendor's time, and never ahead of the caller's: a
 * record with a wrong date must not make the feed skip what comes after. Every reading begins the late-data window before
 * it, so records come again, under the same id.
 * @module
 */
import { z } from 'zod';
import type { VendorClient } from './http';
import type { FeedAnswer, FeedRecord, SightingFeed } from './roles';

export type FeedTimes = Pick<SightingFeed, 'pollEveryMs' | 'lateDataMs'>;

/** Records so far ahead of the caller's time (milliseconds) carry a wrong date. */
const impossiblyLateMs = 366 * 24 * 60 * 60_000;

/** A vendor's clock that turns out to differ by so much more than was known (milliseconds). */
const foundOutMs = 60_000;

const mark = z.object({ at: z.number() });
/** The moment that a watermark names (epoch seconds). */
const momentOf = (watermark: string) => mark.parse(JSON.parse(watermark)).at;

/**
 * A feed that is read in the vendor's time: its records are stamped by the vendor's clock, and either clock may be wrong. A
 * reading that begins too late hears nothing of a device that is online, so the one that finds the difference out is made again.
 */
export function inVendorTime(client: Pick<VendorClient, 'clockAheadMs'>, feed: SightingFeed): SightingFeed {
  return {
    ...feed,
    async read(watermark, watched, call) {
      const readNow = () => {
        const now = new Date(Date.parse(call.now) + client.clockAheadMs()).toISOString();
        return feed.read(watermark, watched, { ...call, now });
      };
      const knownMs = client.clockAheadMs();
      const answer = await readNow();
      return Math.abs(client.clockAheadMs() - knownMs) < foundOutMs ? answer : readNow();
    },
  };
}

/** Where a reading begins (epoch seconds). */
export function startOf(watermark: string | undefined, times: FeedTimes, now: string): number {
  // Where our own clock was wrong and is mended, the watermark may be ahead of it.
  const at = watermark === undefined ? epoch(now) : Math.min(momentOf(watermark), epoch(now));
  return Math.floor(at - times.lateDataMs / 1000);
}

/** Each id once, oldest first, and the next watermark. `putAside`: records that could not be understood. */
export function feedAnswer(
  watermark: string | undefined,
  now: string,
  found: FeedRecord[],
  putAside: number,
): FeedAnswer {
  const possible = found.filter(({ at }) => Date.parse(at) - Date.parse(now) < impossiblyLateMs);
  possible.sort((a, b) => a.at.localeCompare(b.at));
  const records = new Map<string, FeedRecord>();
  for (const record of possible) if (!records.has(record.id)) records.set(record.id, record);
  const newest = possible.at(-1)?.at;
  const reached = [
    ...(watermark === undefined ? [] : [momentOf(watermark)]),
    ...(newest === undefined ? [] : [epoch(newest)]),
  ];
  const at = reached.length === 0 ? epoch(now) : Math.min(Math.max(...reached), epoch(now));
  return {
    records: [...records.values()],
    watermark: JSON.stringify({ at }),
    putAside: putAside + found.length - possible.length,
  };
}

/** Whole seconds since 1970. */
export function epoch(iso: string): number {
  return Math.floor(Date.parse(iso) / 1000);
}
