/**
 * The ladder: who is told when something about a case stays wrong. Pure: the same troubles at the same time give the same
 * calls. A *trouble* is one thing that is wrong or waits for somebody, with a clock of its own; a *rung* says after how
 * long, whom, and unless what.
 * @module
 */

import { shortHash } from './short-hash';

/** What can be wrong with a case, or wait for somebody. */
export type TroubleKind =
  | 'not contained'
  | 'overdue'
  | 'silent'
  | 'wipe stalled'
  | 'blind'
  | 'client silent'
  | 'tampered'
  | 'stuck'
  | 'failing'
  | 'question'
  | 'proposal'
  | 'task near'
  | 'task late'
  | 'clock late'
  | 'clean-up near';

/** What makes a rung needless. `acknowledged`: somebody acknowledged any rung of the same trouble. */
export type Fact = 'contained' | 'proven' | 'seen' | 'acknowledged';

/** What a rung may propose to a person in place of a page. */
export type RungProposal = 'lost mode' | 'wipe' | 'write-off';

/** What may be proposed to a person at all. */
export type Proposal = RungProposal | 'close as wiped';

export type Severity = 'critical' | 'error' | 'warning' | 'info';

/** Whom a page goes to, and how. */
export interface Audience {
  /** Persons or rotas of the settings; empty: everybody whom the notifiers know. */
  whom: string[];
  /** Notifiers by name; empty: all that a person has. */
  by: string[];
  /** `wait`: whoever has quiet hours is left out; where that leaves nobody, the first to wake up is called then. */
  inQuietHours: 'page' | 'wait';
  severity: Severity;
}

/** Whom one page goes to: the audience, or its deputies as well. */
export interface PageAudience extends Audience {
  deputies?: true;
}

export interface Rung extends Audience {
  name: string;
  when: TroubleKind;
  /** Age of the trouble (milliseconds). */
  afterMs: number;
  /** Once one of these is so, the rung is over until the trouble begins anew. */
  unless: Fact[];
  /** Again and again until somebody acknowledges (milliseconds). */
  repeatEveryMs?: number;
  /** Nobody acknowledged for this long: the deputies are called too (milliseconds). */
  deputiesAfterMs?: number;
  /** Ask a person for this; what is asked then calls people by the rungs for proposals. */
  propose?: RungProposal;
}

export interface Trouble {
  /** Its kind, and what it is about where there can be several: `stuck: move the user into the lost group`. */
  id: string;
  kind: TroubleKind;
  /** When it began, ISO 8601. Another moment is another trouble: every rung begins anew. */
  since: string;
  /** Since then its clock stands still, and goes on from there later: silence while nothing could have been heard. */
  pausedSince?: string;
  /** One sentence for people. */
  says: string;
  /** Who is asked, in place of the rungs' own. */
  whom?: string[];
}

/** How long a trouble has lasted, pauses left out. */
export interface Clock {
  since: string;
  /** Before it last went on (milliseconds). */
  ranMs: number;
  /** Since when it runs; absent while it stands still. ISO 8601. */
  runsSince?: string;
}

/** How far one rung came with one trouble. */
export interface RungProgress {
  rung: string;
  trouble: string;
  since: string;
  /** How often people were called. */
  called: number;
  firstAt?: string;
  lastAt?: string;
  deputiesAt?: string;
  /** A call is on its way, to them. */
  calling?: 'whom' | 'deputies';
  /** Everybody it would call has quiet hours until then. */
  heldUntil?: string;
  /** Whose quiet hours these are: deputies do not wait for those of others. */
  heldFor?: 'whom' | 'deputies';
  acknowledged?: { who: string; at: string };
  snoozed?: { until: string; who: string; reason: string };
  /** It proposed what it has to propose. */
  proposed?: true;
  /** What made it needless. */
  over?: Fact;
  /** A pager holds an incident of it, to be resolved when the trouble is over. */
  atPager?: true;
}

export interface EscalationTrack {
  /** By trouble. */
  clocks: Record<string, Clock>;
  /** By {@link progressKey}. */
  rungs: Record<string, RungProgress>;
}

/** A call that is due. */
export interface DueCall {
  key: string;
  rung: Rung;
  trouble: Trouble;
  to: 'whom' | 'deputies';
}

export const progressKey = (rung: string, trouble: string) => `${rung}/${trouble}`;

/** All calls about one trouble by one rung are one incident to a pager: acknowledged once, resolved once. */
export const incidentOf = (chain: string, { rung, trouble, since }: RungProgress) =>
  `${chain}:rung:${shortHash(`${rung}/${trouble}@${since}`)}`;

/**
 * Bring clocks and rungs in step with what is wrong now.
 * @returns Rungs whose trouble is over and that had called people, were about to, or had proposed something.
 */
export function keepClocks(track: EscalationTrack, ladder: Rung[], troubles: Trouble[], now: string): RungProgress[] {
  const byId = new Map(troubles.map((trouble) => [trouble.id, trouble]));
  for (const id of Object.keys(track.clocks)) if (!byId.has(id)) delete track.clocks[id];
  for (const trouble of troubles) keepClock(track, trouble, now);

  const over: RungProgress[] = [];
  for (const [key, progress] of Object.entries(track.rungs)) {
    if (byId.get(progress.trouble)?.since === progress.since) continue;
    delete track.rungs[key];
    if (progress.called > 0 || progress.calling || progress.proposed) over.push(progress);
  }
  for (const trouble of troubles) {
    for (const rung of ladder) {
      if (rung.when !== trouble.kind) continue;
      track.rungs[progressKey(rung.name, trouble.id)] ??= {
        rung: rung.name,
        trouble: trouble.id,
        since: trouble.since,
        called: 0,
      };
    }
  }
  return over;
}

function keepClock(track: EscalationTrack, { id, since, pausedSince }: Trouble, now: string): void {
  let clock = track.clocks[id];
  if (clock?.since !== since) clock = track.clocks[id] = { since, ranMs: 0, runsSince: since };
  if (pausedSince !== undefined && clock.runsSince !== undefined) {
    clock.ranMs += Math.max(0, Date.parse(pausedSince) - Date.parse(clock.runsSince));
    delete clock.runsSince;
  } else if (pausedSince === undefined) clock.runsSince ??= now;
}

/** How long a trouble has lasted by now, pauses left out (milliseconds). */
export function ranFor({ ranMs, runsSince }: Clock, now: string): number {
  return ranMs + (runsSince === undefined ? 0 : Date.parse(now) - Date.parse(runsSince));
}

/** Rungs that a fact made needless are over, and stay so until their trouble begins anew. */
export function takeFacts(track: EscalationTrack, ladder: Rung[], facts: ReadonlySet<Fact>): RungProgress[] {
  const acknowledged = new Set(
    Object.values(track.rungs).flatMap((progress) => (progress.acknowledged ? [progress.trouble] : [])),
  );
  const isSo = (fact: Fact, trouble: string) => (fact === 'acknowledged' ? acknowledged.has(trouble) : facts.has(fact));
  return Object.values(track.rungs).filter((progress) => {
    if (progress.over !== undefined) return false;
    const rung = ladder.find(({ name }) => name === progress.rung);
    const over = rung?.unless.find((fact) => isSo(fact, progress.trouble));
    if (over !== undefined) progress.over = over;
    return over !== undefined;
  });
}

/** The calls that are due at this moment. */
export function dueCalls(track: EscalationTrack, ladder: Rung[], troubles: Trouble[], now: string): DueCall[] {
  const nowMs = Date.parse(now);
  return moments(track, ladder, troubles).flatMap(({ atMs, deputiesFromMs, ...call }) =>
    atMs <= nowMs ? [{ ...call, to: deputiesFromMs <= nowMs ? 'deputies' : 'whom' }] : [],
  );
}

/** When to look again, if nothing else happens. ISO 8601. */
export function nextDueAt(track: EscalationTrack, ladder: Rung[], troubles: Trouble[]): string | undefined {
  const earliest = Math.min(...moments(track, ladder, troubles).map(({ atMs }) => atMs));
  return Number.isFinite(earliest) ? new Date(earliest).toISOString() : undefined;
}

interface Moment extends Omit<DueCall, 'to'> {
  /** Epoch milliseconds, perhaps past. */
  atMs: number;
  /** From then on its calls go to the deputies, too. */
  deputiesFromMs: number;
}

/** What each rung waits for next. */
function moments(track: EscalationTrack, ladder: Rung[], troubles: Trouble[]): Moment[] {
  return troubles.flatMap((trouble) =>
    ladder.flatMap((rung) => {
      const key = progressKey(rung.name, trouble.id);
      const progress = track.rungs[key];
      const clock = track.clocks[trouble.id];
      if (progress === undefined || clock?.runsSince === undefined || !waits(progress)) return [];
      const next = nextCall(rung, progress, Date.parse(clock.runsSince) - clock.ranMs);
      return Number.isFinite(next.atMs) ? [{ key, rung, trouble, ...next }] : [];
    }),
  );
}

/** Nothing stopped it, and no call of it is on its way. */
function waits({ over, acknowledged, calling, proposed }: RungProgress): boolean {
  return over === undefined && acknowledged === undefined && calling === undefined && proposed === undefined;
}

/** @param beganMs When the trouble would have begun, had its clock never stood still. */
function nextCall(rung: Rung, progress: RungProgress, beganMs: number): Pick<Moment, 'atMs' | 'deputiesFromMs'> {
  const { firstAt, lastAt, deputiesAt, snoozed } = progress;
  const heldMs = progress.heldUntil === undefined ? -Infinity : Date.parse(progress.heldUntil);
  const snoozedMs = snoozed === undefined ? -Infinity : Date.parse(snoozed.until);
  // Also a repeat waits for the age: that the clock stood still may be learned after the first call.
  const notBeforeMs = Math.max(beganMs + rung.afterMs, snoozedMs);
  if (firstAt === undefined || lastAt === undefined) {
    return { atMs: Math.max(notBeforeMs, heldMs), deputiesFromMs: Infinity };
  }
  const { repeatEveryMs = Infinity, deputiesAfterMs = Infinity } = rung;
  // A call that a person put off is due when the time is over, also where nothing repeats.
  const putOffMs = snoozed === undefined ? Infinity : snoozedMs;
  const againMs = Math.max(Math.min(Date.parse(lastAt) + repeatEveryMs, putOffMs), heldMs);
  const deputiesFromMs = Date.parse(firstAt) + deputiesAfterMs;
  const deputiesHeldMs = progress.heldFor === 'deputies' ? heldMs : -Infinity;
  const deputiesMs = deputiesAt === undefined ? Math.max(deputiesFromMs, deputiesHeldMs) : Infinity;
  return { atMs: Math.max(Math.min(againMs, deputiesMs), notBeforeMs), deputiesFromMs };
}

/** How far the rungs came that propose this. */
export function rungsThatPropose(track: EscalationTrack, ladder: Rung[], proposal: Proposal): RungProgress[] {
  return Object.values(track.rungs).filter(
    ({ rung }) => ladder.find(({ name }) => name === rung)?.propose === proposal,
  );
}

/** It is proposed again when that time is over, if its trouble still lasts. */
export function proposeLater(progress: RungProgress, snoozed: Required<RungProgress>['snoozed']): void {
  delete progress.proposed;
  progress.snoozed = snoozed;
}

/** People were called. */
export function called(progress: RungProgress, at: string): void {
  if (progress.calling === 'deputies') progress.deputiesAt ??= at;
  progress.called += 1;
  progress.firstAt ??= at;
  progress.lastAt = at;
  delete progress.calling;
  delete progress.heldUntil;
  delete progress.heldFor;
  if (progress.snoozed !== undefined && Date.parse(progress.snoozed.until) <= Date.parse(at)) delete progress.snoozed;
}

/** Everybody has quiet hours: called when they end, unless something makes it needless before. */
export function held(progress: RungProgress, until: string): void {
  progress.heldUntil = until;
  progress.heldFor = progress.calling ?? 'whom';
  delete progress.calling;
}
