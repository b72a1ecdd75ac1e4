/**
 * The wipe: none → requested → approved → held → queued → delivered → acknowledged; or refused, cancelled, failed. Pure: the
 * workflow asks what is to be done next, does it, and tells what came of it. Two persons, one permit, one send.
 * @module
 */
import type { CaseState } from './case';
import { clockTime, duration } from './clock-time';
import type { Permit } from './permits';
import { aboutOffice } from './question-ids';

export type WipeStateName =
  | 'none'
  | 'requested'
  | 'approved'
  | 'held'
  | 'queued'
  | 'delivered'
  | 'acknowledged'
  | 'refused'
  | 'cancelled'
  | 'failed';

/** What happens while the device is offline: the vendor keeps the command, or we keep it and can still take it back. */
export type WhenOffline = 'queue-at-vendor' | 'hold-until-seen';

/** What is known of the device that is to be wiped: read once for each request, and pinned from then on. */
export interface WipePlan {
  at: string;
  /** Plugin instance and the vendor's own id of exactly one enrolment. */
  plugin: string;
  recordId: string;
  platform: string;
  lastSyncAt?: string;
  /** When the newest wipe began that had ended already: it is not this one. ISO 8601, vendor time. */
  earlierWipe?: string;
  encrypted: 'yes' | 'no' | 'unknown';
  cancellable: boolean;
  pin: 'none' | 'ours' | 'made by the vendor';
  /** Its address is this machine: a simulator, so that nothing real can happen. */
  simulated: boolean;
  dryRun: boolean;
  /** Persons who may approve, as the settings name them; empty: nobody may. */
  approvers: string[];
  /** Where the evidence lies in the archive. */
  evidence: string;
  /** Hosts that the steering configuration must let through, or the command never arrives. */
  hosts: string[];
  /** After so long without a sign its console forgets the device, and the command with it (milliseconds). */
  cleanUpAfterMs?: number;
  /** What the approver should know, in sentences. */
  warnings: string[];
}

/** Why a wipe that two persons want has not left. */
export type HeldBy = 'the guard' | 'until seen' | 'the office' | 'the vendor' | 'a person';

export interface WipeTrack {
  state: WipeStateName;
  /** Counts the requests of this case. */
  number: number;
  /** Counts the sends of one request: each has a permit of its own. */
  attempt: number;
  request?: { who: string; at: string; reason: string; whenOffline: WhenOffline; authenticated: boolean };
  plan?: WipePlan;
  approval?: { who: string; at: string };
  /** Until when the consents hold. ISO 8601. */
  expiresAt?: string;
  held?: { by: HeldBy; since: string; says: string };
  /** Since when a try to send it is under way that nobody has answered: it may have left. ISO 8601. */
  leaving?: string;
  /** When the command left, or may have left. */
  sent?: { at: string; known: boolean };
  /** Of the vendor's own second administrator. */
  vendorApproval?: { code: string; since: string; agreed: boolean };
  /** The vendor's own words on how far it came. */
  progress?: { says: string; startedAt: string; readAt: string };
  /** When something is looked at again. ISO 8601. */
  lookAt?: string;
  /** How often it was looked at since the command left: looks become rarer. */
  looks: number;
  /** It was online after the command was queued, and has not taken it. ISO 8601. */
  stalledSince?: string;
  /** What of it people were told last. */
  told?: string;
  /** When a look first showed that the device has it. */
  deliveredAt?: string;
  /** By the vendor's clock where it tells, so that it compares with what was heard before and after. */
  acknowledgedAt?: string;
  endedBecause?: string;
}

export const noWipe = (): WipeTrack => ({ state: 'none', number: 0, attempt: 0, looks: 0 });

/** What the workflow does next. */
export type WipeStep = 'nothing' | 'prepare' | 'send' | 'take as lost' | 'read back' | 'ask the vendor' | 'follow';

/** The id of a permit: this case, this request, this send. */
export const permitId = (chain: string, { number, attempt }: WipeTrack) => `${chain}#wipe-${number}.${attempt}`;

const minuteMs = 60_000;
const over = ({ state }: WipeTrack) => ['none', 'refused', 'cancelled', 'failed', 'acknowledged'].includes(state);

/** A request, an approval or a command is under way. */
export const wipeUnderWay = (wipe: WipeTrack) => !over(wipe) || wipe.leaving !== undefined;

/** It may still land: nobody can say that the device is safe from it. */
export const mayStillLand = (wipe: WipeTrack) => wipe.leaving !== undefined || (wipe.sent !== undefined && !over(wipe));

/** What is to be done now. */
export function nextWipeStep(state: CaseState, now: string): WipeStep {
  const step = over(state.wipe) ? 'nothing' : stepUnderWay(state, now);
  // Begun, never answered, and not tried again: it may have left.
  return state.wipe.leaving !== undefined && step !== 'send' ? 'take as lost' : step;
}

/** No send starts once somebody said how the case ended. */
function stepUnderWay(state: CaseState, now: string): WipeStep {
  const { wipe, ending } = state;
  const due = wipe.lookAt === undefined || wipe.lookAt <= now;
  if (wipe.sent !== undefined) {
    if (!due || wipe.held?.by === 'a person') return 'nothing';
    return wipe.sent.known ? 'follow' : 'read back';
  }
  if (ending !== undefined || isExpired(wipe, now)) return 'nothing';
  if (wipe.plan === undefined) return 'prepare';
  if (wipe.approval === undefined || wipeHold(state) !== undefined || !due) return 'nothing';
  if (wipe.vendorApproval?.agreed === false) return 'ask the vendor';
  return 'send';
}

/** When `nextWipeStep` may change by time alone. ISO 8601. */
export function wipeLooksAt(state: CaseState): string | undefined {
  const { wipe, ending } = state;
  if (over(wipe)) return undefined;
  const sent = wipe.sent !== undefined;
  const stopped = !sent && (ending !== undefined || wipeHold(state) !== undefined);
  const times = [stopped ? undefined : wipe.lookAt, sent ? undefined : wipe.expiresAt];
  return times.flatMap((at) => at ?? []).sort()[0];
}

/** The consents are too old for a send. */
export const isExpired = ({ expiresAt, sent }: WipeTrack, now: string) =>
  sent === undefined && expiresAt !== undefined && expiresAt <= now;

/** What of the case itself keeps an approved wipe from leaving. */
export function wipeHold({ wipe, questions, presence }: CaseState): { by: HeldBy; says: string } | undefined {
  if (questions.some(({ id }) => id.startsWith(aboutOffice)))
    return { by: 'the office', says: 'It was seen behind an address of the company: is it lost in the office?' };
  const { request, approval } = wipe;
  if (request?.whenOffline !== 'hold-until-seen' || approval === undefined) return undefined;
  if (presence.unheardSince > approval.at) return undefined;
  return {
    by: 'until seen',
    says: 'It leaves when the device is heard. Until then it can be cancelled, and a short visit may be missed.',
  };
}

// --- persons -----------------------------------------------------------------------------------------------------

export interface Consent {
  who: string;
  at: string;
  reason: string;
  authenticated: boolean;
}

/** Why this person may not ask for a wipe now; undefined when nothing speaks against it. */
export function mayNotRequest(state: CaseState): string | undefined {
  const { wipe, device } = state;
  if (device === undefined) return 'Only an identified device can be wiped.';
  if (wipe.leaving !== undefined)
    return 'The one before was stopped while it left: it is not known yet what became of it.';
  if (wipe.state === 'acknowledged') return `It was wiped at ${clockTime(wipe.acknowledgedAt ?? '')}.`;
  if (wipeUnderWay(wipe)) return `A wipe is ${wipe.state} already, requested by ${wipe.request?.who ?? 'somebody'}.`;
  return undefined;
}

export function requestWipe(
  state: CaseState,
  { who, at, reason, authenticated }: Consent,
  whenOffline: WhenOffline,
  holdsForMs: number,
): void {
  const { number } = state.wipe;
  state.wipe = {
    state: 'requested',
    number: number + 1,
    attempt: 1,
    looks: 0,
    request: { who, at, reason, whenOffline, authenticated },
    expiresAt: new Date(Date.parse(at) + holdsForMs).toISOString(),
  };
}

/** Why this person may not approve; undefined when nothing speaks against it. */
export function mayNotApprove(
  { wipe }: CaseState,
  { who, at, authenticated }: Omit<Consent, 'reason'>,
): string | undefined {
  const { request, plan } = wipe;
  if (wipe.state !== 'requested' || request === undefined) return 'No wipe waits for an approval in this case.';
  if (isExpired(wipe, at)) return 'The request is too old: it must be made anew.';
  if (plan === undefined) return 'It is still being prepared: look at what it would wipe, and approve then.';
  const same = who.trim().toLowerCase() === request.who.trim().toLowerCase();
  if (same) return `The request is by ${request.who}: another person must approve.`;
  const harmless = isRehearsal(plan);
  // Whoever is not proven may be the approver under another name.
  if (!request.authenticated && !harmless)
    return `Who asked for it (${request.who}) is not proven, and this wipe would be real: it must be asked for anew.`;
  if (!authenticated && !harmless) return 'Who you are is not proven here, and this wipe would be real.';
  if (!plan.approvers.includes(who) && !harmless)
    return `Only approvers may: ${plan.approvers.join(', ') || 'the settings name none'}.`;
  return undefined;
}

/** Nothing real could happen when it was prepared: consents to it are worth nothing for a real one. */
export const isRehearsal = ({ simulated, dryRun }: WipePlan) => simulated || dryRun;

export function approveWipe({ wipe }: CaseState, { who, at }: Consent): void {
  wipe.state = 'approved';
  wipe.approval = { who, at };
}

/** Somebody said no, or nobody said yes in time. */
export function endWipe({ wipe }: CaseState, as: 'refused' | 'cancelled' | 'failed', because: string): void {
  wipe.state = as;
  wipe.endedBecause = because;
  delete wipe.held;
  delete wipe.lookAt;
}

// --- what came of a step -----------------------------------------------------------------------------------------

/** What became of a send. `unknown`: the answer was lost, or somebody began this very send before. */
export type SendOutcome =
  | { sent: 'accepted' | 'unknown' }
  | { sent: 'no'; because: 'not permitted'; permit: Extract<Permit, { granted: false }> }
  | { sent: 'no'; because: 'the vendor wants a second administrator'; code: string }
  | { sent: 'no'; because: 'refused'; says: string };

/** How long the vendor's second administrator has (milliseconds): Intune's figure. */
const vendorApprovalMs = 3 * 24 * 60 * minuteMs;

export function tookSend(state: CaseState, outcome: SendOutcome, now: string, settleMs: number): void {
  const { wipe } = state;
  const { askEveryMs } = state.rules.wipe.waits;
  delete wipe.leaving;
  // Somebody said no while it was under way, and it did not leave.
  if (outcome.sent === 'no' && over(wipe)) return;
  const later = (ms: number) => new Date(Date.parse(now) + ms).toISOString();
  if (outcome.sent !== 'no') {
    delete wipe.held;
    wipe.state = 'queued';
    wipe.sent = { at: now, known: outcome.sent === 'accepted' };
    wipe.lookAt = later(settleMs);
    return;
  }
  switch (outcome.because) {
    case 'not permitted':
      hold(wipe, 'the guard', outcome.permit.says, now);
      wipe.lookAt = outcome.permit.granted ? now : (outcome.permit.again ?? later(askEveryMs));
      return;
    case 'the vendor wants a second administrator':
      hold(wipe, 'the vendor', `The vendor's own second administrator must agree (request ${outcome.code}).`, now);
      wipe.vendorApproval = { code: outcome.code, since: now, agreed: false };
      wipe.lookAt = later(askEveryMs);
      return;
    case 'refused':
      endWipe(state, 'failed', outcome.says);
  }
}

export type VendorAnswer = 'needs approval' | 'approved' | 'completed' | 'rejected' | 'cancelled' | 'expired';

export function tookVendorAnswer(state: CaseState, answer: VendorAnswer, now: string): void {
  const { wipe } = state;
  const { vendorApproval } = wipe;
  if (vendorApproval === undefined) return;
  if (answer === 'approved') {
    vendorApproval.agreed = true;
    delete wipe.held;
    delete wipe.lookAt;
    return;
  }
  if (answer === 'completed') {
    // It left with this approval, and its answer was lost: it is read back, never sent again.
    wipe.sent = { at: now, known: false };
    wipe.state = 'queued';
    delete wipe.held;
    delete wipe.lookAt;
    return;
  }
  const late = Date.parse(now) - Date.parse(vendorApproval.since) > vendorApprovalMs;
  if (answer !== 'needs approval' || late)
    return endWipe(state, 'failed', `The vendor's second administrator did not agree: ${late ? 'expired' : answer}.`);
  wipe.lookAt = new Date(Date.parse(now) + state.rules.wipe.waits.askEveryMs).toISOString();
}

/** What the vendor shows of this command; undefined when it shows none. */
export interface SeenCommand {
  state: 'queued' | 'delivered' | 'acknowledged' | 'failed' | 'cancelled' | 'not supported';
  startedAt: string;
  /** When the vendor last heard of it. */
  updatedAt?: string;
  says: string;
  /** When the device last spoke to the vendor. */
  syncedAt?: string;
  /** The enrolment is gone from the vendor's list. */
  gone?: true;
}

/** After an unknown outcome and the vendor's settle time: is it there? If not, a second send is a person's decision. */
export function tookReadBack(state: CaseState, seen: SeenCommand | undefined, now: string): void {
  const { wipe } = state;
  if (wipe.sent === undefined) return;
  if (seen !== undefined) {
    wipe.sent.known = true;
    return tookProgress(state, seen, now);
  }
  hold(wipe, 'a person', 'The answer to the wipe was lost, and the vendor shows no such command.', now);
  delete wipe.lookAt;
}

/** A person looked, and it is not there: it may be sent once more, under a new permit. */
export function sendAgain({ wipe }: CaseState): void {
  wipe.attempt += 1;
  wipe.state = 'approved';
  delete wipe.sent;
  delete wipe.held;
  delete wipe.lookAt;
  delete wipe.progress;
}

/** A person looked, and it is there: go on following. */
export function takeAsSent({ wipe }: CaseState): void {
  if (wipe.sent) wipe.sent.known = true;
  delete wipe.held;
  delete wipe.lookAt;
}

/** How far it came. A pending command of a device that has spoken to the vendor since is an alarm. */
export function tookProgress(state: CaseState, seen: SeenCommand | undefined, now: string): void {
  const { wipe } = state;
  const { lookFirstMs, lookMaxMs, stalledAfterMs } = state.rules.wipe.waits;
  wipe.looks += 1;
  wipe.lookAt = new Date(
    Date.parse(now) + Math.min(lookMaxMs, lookFirstMs * 2 ** Math.min(wipe.looks - 1, 20)),
  ).toISOString();
  if (seen === undefined) {
    hold(wipe, 'a person', 'The vendor does not know this device any more: nobody can say whether it was wiped.', now);
    delete wipe.lookAt;
    return;
  }
  wipe.progress = { says: seen.says, startedAt: seen.startedAt, readAt: now };
  switch (seen.state) {
    case 'acknowledged':
      wipe.state = 'acknowledged';
      wipe.acknowledgedAt = seen.updatedAt ?? now;
      delete wipe.held;
      delete wipe.lookAt;
      delete wipe.stalledSince;
      return;
    case 'cancelled':
      return endWipe(state, 'cancelled', `The vendor says: ${seen.says}.`);
    case 'failed':
    case 'not supported':
      return endWipe(state, 'failed', `The vendor says: ${seen.says}.`);
    case 'delivered':
      if (wipe.state !== 'delivered') {
        wipe.deliveredAt = now;
        // It is over within minutes now: looks are frequent again.
        wipe.looks = 1;
        wipe.lookAt = new Date(Date.parse(now) + lookFirstMs).toISOString();
      }
      wipe.state = 'delivered';
      break;
    case 'queued':
      if (wipe.state !== 'delivered') wipe.state = 'queued';
  }
  const { syncedAt } = seen;
  if (wipe.state === 'queued' && syncedAt !== undefined && Date.parse(syncedAt) > Date.parse(seen.startedAt)) {
    if (Date.parse(now) - Date.parse(syncedAt) > stalledAfterMs) wipe.stalledSince ??= syncedAt;
  }
}

/**
 * Isolation takes nothing from the wipe any more: the device has said that it is done, or had its time to say so. Isolated in
 * between, it could not say it.
 */
export function toleratesIsolation({ wipe, rules }: CaseState): boolean {
  const { state, deliveredAt, progress } = wipe;
  if (state !== 'delivered' || deliveredAt === undefined || progress === undefined) return state === 'acknowledged';
  return Date.parse(progress.readAt) - Date.parse(deliveredAt) >= rules.wipe.waits.isolateAfterMs;
}

/** It speaks although it was wiped: somebody has set it up again. */
export const speaksAfterWipe = ({ wipe: { acknowledgedAt }, rules }: CaseState, at: string) =>
  acknowledgedAt !== undefined && Date.parse(at) > Date.parse(acknowledgedAt) + rules.wipe.waits.lastWordsMs;

/** What the approver sees of the time: which visits would be missed, and what cannot be taken back. */
export function describePlan({ wipe }: CaseState): string[] {
  const { plan, request } = wipe;
  if (plan === undefined || request === undefined) return [];
  return [
    `${plan.plugin} record ${plan.recordId} (${plan.platform}), ${plan.lastSyncAt ? `last in touch ${clockTime(plan.lastSyncAt)}` : 'never in touch'}; encrypted: ${plan.encrypted}.`,
    request.whenOffline === 'queue-at-vendor'
      ? `It is sent at once and waits at the vendor; ${plan.cancellable ? 'it can be taken back there until the device has it' : 'it cannot be taken back'}.`
      : 'It is held here until the device is heard, and can be cancelled until then; a visit of a few minutes may be missed.',
    ...(plan.hosts.length > 0
      ? [
          `The steering configuration must let through: ${plan.hosts.slice(0, 6).join(', ')}${plan.hosts.length > 6 ? ` and ${plan.hosts.length - 6} more` : ''}.`,
        ]
      : []),
    ...plan.warnings,
    ...(plan.dryRun ? ['Dry run: nothing would leave.'] : []),
    ...(wipe.expiresAt
      ? [
          `The request holds until ${clockTime(wipe.expiresAt)} (${duration(Date.parse(wipe.expiresAt) - Date.parse(request.at))}).`,
        ]
      : []),
  ];
}

function hold(wipe: WipeTrack, by: HeldBy, says: string, now: string): void {
  if (wipe.sent === undefined) wipe.state = 'held';
  if (wipe.held?.by !== by || wipe.held.says !== says) wipe.held = { by, since: now, says };
}
