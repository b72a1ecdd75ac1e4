/**
 * Signals, updates and queries. Everybody outside reaches a case through these and a Temporal client.
 * Signals carry news that must not wait for a worker; updates carry decisions of persons, and are refused at once
 * when a rule forbids them.
 * @module
 */
import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { CaseState } from '../playbook/case';
import type { Permit, PermitRequest, Permits } from '../playbook/permits';
import type { WhenOffline } from '../playbook/wipe';
import type { DeviceHint, Actor, Report, TicketRef, YesNoUnknown } from '../playbook/report';
import type { Rules } from '../playbook/rules';
import type { Sighting } from '../playbook/sighting';
import type { DeviceNames, ManagedDevice } from '../playbook/device';

/** What is said to a question or a decision that comes in a moment when it must not; ours come again by themselves. */
export const askAgain = 'This came together with news that the workflow has not been given yet: try again.';

/**
 * Says nothing. It stands in history between older news and the decision that follows, so that a worker is given the two one
 * after the other.
 */
export const knock = defineSignal('knock');

// --- the case ----------------------------------------------------------------------------------------------------

/** `state` is given when a case continues as new; otherwise the report opens it. */
export interface CaseInput {
  report: Report;
  rules: Rules;
  state?: CaseState;
  /** Further reports that came while the case before this one was closing. */
  more?: Report[];
}

/** A further report about the device of this case. */
export const reportReceived = defineSignal<[Report]>('reportReceived');

/** News from one feed. */
export interface SightingBatch {
  feed: string;
  sightings: Sighting[];
  /** The feed's own health. Undefined: it did not change. */
  blindSince?: string | null;
  /** It would speak of this device whenever that is online. */
  regular?: boolean;
  /** Other machines with the same hostname. */
  namesakes?: DeviceNames[];
}
export const deviceSeen = defineSignal<[SightingBatch]>('deviceSeen');

/** What `user-hold` did with the user after this case let go. */
export interface UserReleased {
  outcome: 'released' | 'was there before' | 'still held' | 'failing' | 'stuck';
  evidence: string;
  at: string;
  /** Echo of the claim's request, so that a late answer to an earlier one is not taken for this one's. */
  request: number;
}
export const userReleased = defineSignal<[UserReleased]>('userReleased');

/** Somebody acknowledged a page where it reached them. */
export interface PageAcknowledged {
  /** The sender's id of this delivery: the same on every resend. */
  id: string;
  /** As the page carried it. */
  incident: string;
  who: string;
  /** ISO 8601. */
  at: string;
}
export const pageAcknowledged = defineSignal<[PageAcknowledged]>('pageAcknowledged');

/** What every decision carries. `id` makes a repeat harmless. */
export interface Decision {
  id: string;
  actor: Actor;
  reason: string;
}
export interface Decided {
  text: string;
}

export type Answer = Decision & { questionId?: string; value: string };
export type Retry = Decision & { step?: string };
export type Skip = Decision & { step: string };
export type SightingReport = Decision & { at: string; where?: string; what: string };

/** A rung that has called people, by its name; needed only where several have. */
export type Acknowledge = Decision & { rung?: string };
export type Snooze = Decision & { rung?: string; until: string };
export type CloseTask = Decision & { task: string; as: 'done' | 'not needed'; reference?: string };
export type StartClock = Decision & { clock: string; awareAt: string };
export type RequestWipe = Decision & {
  whenOffline?: WhenOffline;
  uniqueData?: YesNoUnknown;
  legalHold?: YesNoUnknown;
  /** Wipe although the decision tree says no, or an isolation is in the way: why. */
  override?: string;
};
export const lock = defineUpdate<Decided, [Decision]>('lock');
export type Isolate = Decision & { override?: string };
export type StateEncryption = Decision & { answer: 'yes' | 'no' | 'unknown' };

export const acknowledge = defineUpdate<Decided, [Acknowledge]>('acknowledge');
export const snooze = defineUpdate<Decided, [Snooze]>('snooze');
export const closeTask = defineUpdate<Decided, [CloseTask]>('closeTask');
export const startClock = defineUpdate<Decided, [StartClock]>('startClock');
export const stateEncryption = defineUpdate<Decided, [StateEncryption]>('stateEncryption');
export const requestWipe = defineUpdate<Decided, [RequestWipe]>('requestWipe');
export const approveWipe = defineUpdate<Decided, [Decision]>('approveWipe');
export const refuseWipe = defineUpdate<Decided, [Decision]>('refuseWipe');
export const cancelWipe = defineUpdate<Decided, [Decision]>('cancelWipe');
export const isolate = defineUpdate<Decided, [Isolate]>('isolate');
export const releaseIsolation = defineUpdate<Decided, [Decision]>('releaseIsolation');
export const writeOff = defineUpdate<Decided, [Decision]>('writeOff');
export const answer = defineUpdate<Decided, [Answer]>('answer');
export const retryStep = defineUpdate<Decided, [Retry]>('retry');
export const skipStep = defineUpdate<Decided, [Skip]>('skip');
export const reportSighting = defineUpdate<Decided, [SightingReport]>('sighting');
export const replaceDevice = defineUpdate<Decided, [Decision]>('replace');
export const recovered = defineUpdate<Decided, [Decision]>('recovered');
export const falseAlarm = defineUpdate<Decided, [Decision]>('falseAlarm');

/** Rules of the settings, in place of those that were pinned when the case began. */
export type ApplyRules = Decision & { rules: Rules };
export const applyRules = defineUpdate<Decided, [ApplyRules]>('applyRules');

/** The whole case. */
export const describe = defineQuery<CaseState>('describe');

// --- triage ------------------------------------------------------------------------------------------------------

export interface TriageInput {
  report: Report;
  rules: Rules;
}

/** The state of a triage; its query is also called `describe`. */
export interface TriageState {
  kind: 'triage';
  workflowId: string;
  tenant: string;
  ticket: TicketRef;
  openedAt: string;
  outcome: 'open' | 'handed over' | 'not a managed device' | 'already closed' | 'ticket closed';
  says: string;
  hint: DeviceHint;
  user?: string;
  report: Report;
  question?: { id: string; askedAt: string; text: string; options: { value: string; text: string }[] };
  candidates: ManagedDevice[];
  error?: { code: string; message: string; since: string; stuck: boolean; nextTryAt?: string };
  handedOverTo?: string;
  deliveries: string[];
}
export const describeTriage = defineQuery<TriageState>('describe');

// --- the user's hold ---------------------------------------------------------------------------------------------

/** A case needs the user in the lost group. */
export interface HoldClaim {
  workflowId: string;
  chain: string;
  /** Was the user in the group before this case? */
  memberBefore: boolean;
  via: 'secure access' | 'directory';
  /** Counts how often this case contained the user. */
  request: number;
}
export const holdUser = defineSignal<[HoldClaim]>('holdUser');
export const letGoOfUser = defineSignal<[HoldClaim]>('letGoOfUser');

/** The user has another name now: the case holds it by that one, and nothing is undone here. */
export const forgetUser = defineSignal<[{ chain: string }]>('forgetUser');

export interface UserHoldState {
  user: string;
  /** Cases that need the user in the lost group, by chain. */
  holders: Record<string, HoldClaim>;
  /** Cases that let go and wait for the answer. */
  leaving: HoldClaim[];
  /** Was the user in the group before anybody held it? */
  memberBefore?: boolean;
}
export interface UserHoldInput {
  tenant: string;
  rules: Rules;
  state: UserHoldState;
}
export const describeUserHold = defineQuery<UserHoldState>('describe');

// --- the guard ---------------------------------------------------------------------------------------------------

export interface AdmissionRequest {
  chain: string;
  at: string;
  /** Containments per hour that need no person. */
  perHour: number;
}
export interface Admission {
  admitted: boolean;
  reason: string;
}
export interface GuardState {
  tenant: string;
  /** Containments of the last hour. */
  admitted: { chain: string; at: string }[];
  /** Absent in guards of before there were wipes. */
  permits?: Permits;
  /** Ids of decisions already taken in, newest last. */
  decisions?: string[];
}
/** Immediately before something destructive leaves. */
export const permitCommand = defineUpdate<Permit, [PermitRequest]>('permitCommand');
/** Stored at once, also when no worker runs: it holds before anything else that the guard is asked later. */
export const freezeNow = defineSignal<[Decision]>('freezeNow');
export const freeze = defineUpdate<Decided, [Decision]>('freeze');
export const unfreeze = defineUpdate<Decided, [Decision]>('unfreeze');
export const describeGuard = defineQuery<GuardState>('describe');

/** Several at once: the server takes ten updates of one workflow at a time, and a burst is what the guard is for. */
export const admitContainments = defineUpdate<Admission[], [AdmissionRequest[]]>('admitContainments');
