/**
 * Permits: how many wipes may leave in an hour and in a day, and the freeze that stops everything destructive. Kept by the
 * guard, one per tenant. A granted permit counts even if nobody knows what became of the command.
 * @module
 */
import { clockTime } from './clock-time';

const hourMs = 60 * 60_000;
const dayMs = 24 * hourMs;

/** What is stopped by a freeze. Only wipes are capped. */
export type Destructive = 'wipe' | 'lock' | 'lost mode' | 'isolate';

export interface PermitRequest {
  /** Chain and number of the command: asked for again, the same id counts once. */
  id: string;
  what: Destructive;
  /** ISO 8601. */
  at: string;
  /** Installation values, as they are now. */
  perHour: number;
  perDay: number;
  dryRun: boolean;
}

export type Permit =
  | { granted: true; says: string }
  | {
      granted: false;
      because: 'frozen' | 'dry run' | 'cap';
      says: string;
      /** When a cap gives way. */ again?: string;
    };

export interface Permits {
  /** Wipes permitted within the last day. */
  wipes: { id: string; at: string }[];
  frozen?: { who: string; at: string; reason: string };
}

export const noPermits = (): Permits => ({ wipes: [] });

export function askPermit(permits: Permits, { id, what, at, perHour, perDay, dryRun }: PermitRequest): Permit {
  const nowMs = Date.parse(at);
  // Frozen goes before everything: also a permit that was granted and not used yet is stopped.
  if (permits.frozen) {
    const { who, reason } = permits.frozen;
    return {
      granted: false,
      because: 'frozen',
      says: `Frozen by ${who} since ${clockTime(permits.frozen.at)}: ${reason}`,
    };
  }
  if (dryRun)
    return {
      granted: false,
      because: 'dry run',
      says: `Dry run: the ${what} would have left now. The settings switch it on.`,
    };
  if (what !== 'wipe') return { granted: true, says: 'Nothing is frozen.' };
  permits.wipes = permits.wipes.filter((earlier) => Date.parse(earlier.at) > nowMs - dayMs);
  // Asked for again it does not stand in its own way, and counts from now: it may have waited for hours, and leaves now.
  const others = permits.wipes.filter((earlier) => earlier.id !== id);
  for (const [spanMs, cap, span] of [
    [hourMs, perHour, 'hour'],
    [dayMs, perDay, 'day'],
  ] as const) {
    const within = others
      .filter((earlier) => Date.parse(earlier.at) > nowMs - spanMs)
      .sort((a, b) => (a.at < b.at ? -1 : 1));
    if (within.length < cap) continue;
    const first = within[within.length - cap];
    return {
      granted: false,
      because: 'cap',
      says: `${within.length} wipes were permitted within a${span === 'hour' ? 'n' : ''} ${span}, and the cap is ${cap}.`,
      ...(first && { again: new Date(Date.parse(first.at) + spanMs).toISOString() }),
    };
  }
  permits.wipes = [...others, { id, at }];
  return { granted: true, says: `Permitted: ${permits.wipes.length} of ${perDay} in a day.` };
}
