/**
 * How a feed fares: when it was last read, since when it fails, and from when on its silence means nothing. Its watch
 * keeps this beside the watermark, tells it to the cases it concerns, and people see it by `lost-device feeds`.
 * @module
 */

/** Times are ISO 8601 by our own clock, but for the newest record's. */
export interface FeedHealth {
  /** When it was last read to the end. */
  lastSuccessAt?: string;
  /** Readings that failed one after the other, up to the last one. */
  failures: number;
  /** The first of these failures. */
  failingSince?: string;
  /** The last of these failures, in the catalogue's words. */
  error?: { code?: string; message: string };
  /** Nothing was seen by it since: the last success, else the first failure. Absent: it sees. */
  blindSince?: string;
  /** When the newest record that it told happened, in the vendor's time. */
  newestRecordAt?: string;
  /** Records of the last reading that could not be understood. */
  putAside: number;
  /** Open cases whose device it could see. */
  watched: number;
}

/** Where a watch stopped: what its heartbeats carry, and what its workflow keeps from shift to shift. */
export interface WatchPlace {
  /** Where the feed goes on: opaque, JSON text. Absent: it begins with the late-data window before now. */
  watermark?: string;
  /** When the feed was last swept for late records. ISO 8601. */
  sweptAt?: string;
  health?: FeedHealth;
  /** Short hashes of the cases that were told of the present blindness. */
  told?: string[];
}

/** `idle`: no open case has a device that the feed could see, so it is not asked. */
export type FeedState = 'ok' | 'failing' | 'blind' | 'idle';

/** Nobody is watched yet, or nobody any more. */
export const idle: FeedHealth = { failures: 0, putAside: 0, watched: 0 };

/** It was read to the end. */
export function afterSuccess(
  before: FeedHealth,
  reading: { at: string; newestRecordAt?: string; putAside: number; watched: number },
): FeedHealth {
  const newest = [before.newestRecordAt, reading.newestRecordAt]
    .filter((at) => at !== undefined)
    .sort(byTime)
    .at(-1);
  return {
    lastSuccessAt: reading.at,
    failures: 0,
    ...(newest !== undefined && { newestRecordAt: newest }),
    putAside: reading.putAside,
    watched: reading.watched,
  };
}

/**
 * It could not be read.
 * @param limits What makes it blind: so many failures in a row, or so long, where the vendor's own pauses are long.
 */
export function afterFailure(
  before: FeedHealth,
  reading: { at: string; error: { code?: string; message: string }; watched: number },
  limits: { blindAfterFailures: number; blindAfterMs: number },
): FeedHealth {
  const failures = before.failures + 1;
  const failingSince = before.failingSince ?? reading.at;
  const longMs = Date.parse(reading.at) - Date.parse(failingSince);
  const isBlind = failures >= limits.blindAfterFailures || longMs >= limits.blindAfterMs;
  const blindSince = before.blindSince ?? (isBlind ? (before.lastSuccessAt ?? failingSince) : undefined);
  return {
    ...before,
    failures,
    failingSince,
    error: reading.error,
    ...(blindSince !== undefined && { blindSince }),
    watched: reading.watched,
  };
}

export function feedState(health: FeedHealth): FeedState {
  if (health.watched === 0) return 'idle';
  if (health.blindSince !== undefined) return 'blind';
  return health.failures > 0 ? 'failing' : 'ok';
}

const byTime = (a: string, b: string) => Date.parse(a) - Date.parse(b);
