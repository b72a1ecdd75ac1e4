/**
 * The state of a case: one serialisable value. Continue-as-new, the query `describe`, the command line and the closing
 * report all read this same value.
 * @module
 */
import type { ManagedDevice, DeviceNames } from './device';
import type { Answers, DeviceHint, Report, TicketRef } from './report';
import { mergeAnswers, nothingKnown } from './report';
import type { EscalationTrack, PageAudience, Proposal } from './ladder';
import { completeRules, type Rules } from './rules';
import type { Sighting } from './sighting';
import { shortHash } from './short-hash';
import type { EncryptionProof, Task } from './tasks';
import type { Tampering } from './tamper';
import { noWipe, type WipeTrack } from './wipe';

export const caseSchema = 4;
/** Upper bound of the serialised state (bytes of JSON). */
export const caseBudgetBytes = 64 * 1024;

export type Outcome = 'open' | 'recovered' | 'wiped' | 'written off' | 'false alarm' | 'moved';

export type TrackName = 'case' | 'containment' | 'configuration' | 'presence' | 'wipe' | 'escalation';

/** A step of the runbook. It never fails: it is *failing* (retried for ever) or *stuck* (waits for a person). */
export interface Step {
  state: 'running' | 'failing' | 'stuck' | 'done' | 'skipped';
  /** Since when it is in this state. ISO 8601. */
  since: string;
  attempts: number;
  error?: { code: string; message: string };
  /** When a failing step is tried again. ISO 8601. */
  nextTryAt?: string;
  skippedBecause?: string;
}

/** One thing done against the loss, and what became of it. */
export interface Measure {
  state: 'asked' | 'in place' | 'was there before' | 'not offered' | 'undone' | 'cannot be undone' | 'left in place';
  at: string;
  evidence: string;
  /** What was read before the change, where a repeat needs it. */
  before?: { present: boolean; since?: string; target?: string };
}

export type MeasureName =
  'lost-group' | 'device-tag' | 'revoke-sessions' | 'disable-device' | 'disable-user' | 'isolate' | 'lock';

export interface ContainmentTrack {
  state: 'none' | 'contained' | 'released' | 'user released, device held';
  measures: Partial<Record<MeasureName, Measure>>;
  /** Who owns the lost group, so who is asked to move the user. */
  via?: 'secure access' | 'directory';
  /** Was the user in the lost group before this case? Undefined until it was read. */
  memberBefore?: boolean;
  /** A replacement was handed out: the next sighting contains the user again. */
  armed: boolean;
  /** Since when. What happened before, and is told late, is no return. ISO 8601. */
  armedSince?: string;
  /** It came back after its user was released, and is to be contained again since then. ISO 8601. */
  backAt?: string;
  /** A person asked to give the user back while the device stays held. */
  replaceAsked: boolean;
  /** What the user's hold answered after this case let go. */
  letGoAnswer?: {
    outcome: 'released' | 'was there before' | 'still held' | 'failing' | 'stuck';
    evidence: string;
    at: string;
    request: number;
  };
  /** How often this case contained the user. */
  times: number;
  /** The last of these that the user's hold knows of. */
  claimed?: number;
  /** Secure access's id of the user: it stays when the user is renamed. */
  userId?: string;
  /** When the levers were last read. ISO 8601. */
  lookedAt?: string;
  /** What could not be read at that look. */
  unreadable?: string[];
  /** Since when the user is known to be out of the group by somebody else's doing. ISO 8601. */
  takenOutAt?: string;
  /** The user was renamed; the hold still has this name. */
  renamedFrom?: string;
  /** Levers that somebody took away and that were put back, newest last. */
  putBack: { lever: MeasureName; at: string }[];
}

export type RungName = 'member' | 'applied' | 'biting';

export interface ConfigurationTrack {
  state: 'unverified' | 'member' | 'applied' | 'biting' | 'overdue';
  rungs: Partial<Record<RungName, { at: string; evidence: string }>>;
  /** When the move was seen. Vendor records are compared with what was read before it. */
  changedAt?: string;
  /** What the device said before the change. */
  before?: {
    steeringConfig?: string;
    hostInfoUpdatedAt?: string;
    /** The newest sign known then, in vendor time: only newer ones prove anything. */
    newestAt?: string;
  };
  /** Online time of the client since the move (milliseconds). */
  onlineMs: number;
  lastClientSightingAt?: string;
  /** When *applied* may be expected if the device stays online. ISO 8601. */
  expectedBy?: string;
  overdueBecause?: string;
  /** ISO 8601, our time. */
  overdueSince?: string;
  /** One sentence for people. */
  says: string;
}

export interface PresenceTrack {
  state: 'silent' | 'seen' | 'blind';
  last?: Sighting;
  /** The newest sightings, newest first. */
  recent: Sighting[];
  count: number;
  /** Short hashes of the ids of sightings already counted, newest last: repeats change nothing. */
  known: string[];
  /** Feeds that cannot be read, with since when. */
  blindFeeds: Record<string, string>;
  /** Feeds that would speak of this device whenever it is online: only their silence means something. */
  regular: string[];
  /** Since when nothing new was heard: the last news, or the opening. ISO 8601. */
  unheardSince: string;
  /** When the Netskope client was last heard, and when another source last heard the device. */
  heard: { client?: string; other?: { at: string; source: string } };
  /** Set when the first look was taken. */
  firstLookAt?: string;
}

/** Something only a person can decide. The case goes on with everything else meanwhile. */
export interface Question {
  id: string;
  askedAt: string;
  text: string;
  options: { value: string; text: string }[];
  /** An answer may also be free text of this form. */
  freeText?: 'serial';
  /** It proposes something that can wait for the day. */
  proposes?: Proposal;
  /** Who is asked, in place of the rungs' own. */
  whom?: string[];
}

export interface JournalEntry {
  n: number;
  at: string;
  track: TrackName;
  who: string;
  text: string;
  evidence?: string;
  /** More of the same: kept in the archive, left out where people read. */
  routine?: true;
}

/** Text that waits to be written into the tickets. */
export interface PendingNote {
  n: number;
  at: string;
  text: string;
}

export interface PendingPage {
  key: string;
  subject: string;
  text: string;
  /** Whom it goes to; absent in cases that were opened before there was a ladder: everybody. */
  to?: PageAudience;
  /** The rung that calls, by its key in the ladder, and its incident at the pager. */
  rung?: string;
  incident?: string;
  /** Not before: quiet hours, or the next try. ISO 8601. */
  notBefore?: string;
  /** Notifiers and persons that have it already. */
  told?: string[];
  tries?: number;
  /** The trouble is over: the incident is resolved at the pager. */
  resolve?: true;
  /** Somebody acknowledged it here: the pager stops calling. */
  acknowledge?: true;
}

export interface Ending {
  outcome: Exclude<Outcome, 'open'>;
  at: string;
  who: string;
  reason: string;
  /** Workflow id of the case that goes on, when this one was about the wrong device. */
  movedTo?: string;
  /** When everything was undone and read back; what keeps the case open since is a clock of the law. ISO 8601. */
  undoneAt?: string;
}

export interface CaseState {
  schema: typeof caseSchema;
  workflowId: string;
  /** Workflow id and run id of the opening: every idempotency key, archive path and marker uses it. */
  chain: string;
  tenant: string;
  openedAt: string;
  outcome: Outcome;
  ending?: Ending;
  closedAt?: string;
  tickets: TicketRef[];
  /** Delivery ids already taken in, newest last. */
  deliveries: string[];
  hint: DeviceHint;
  reportedUser?: string;
  verified: boolean;
  answers: Answers;
  device?: ManagedDevice;
  candidates: ManagedDevice[];
  otherDevices: DeviceNames[];
  /** Names at the tenant that the proof needs; read with the device. */
  names?: { lostSteeringConfig: string; lostPolicy: string; secureAccess: string };
  /** Keyed hashes for search attributes. */
  keys: string[];
  containment: ContainmentTrack;
  configuration: ConfigurationTrack;
  presence: PresenceTrack;
  wipe: WipeTrack;
  /** What persons asked for beside the rules. */
  asked: { isolate?: boolean; releaseIsolation?: boolean; lock?: boolean };
  escalation: EscalationTrack;
  /** What somebody did to the device or to its containment, newest last. */
  tampering: Tampering[];
  tasks: Task[];
  encryption?: EncryptionProof;
  /** Written off, and still listening. */
  listening?: { since: string; until: string };
  /** How often it came back after it was written off. */
  reopened: number;
  steps: Record<string, Step>;
  questions: Question[];
  /** Answers of persons, by question id. */
  decided: Record<string, { value: string; who: string; at: string }>;
  /** Ids of decisions already taken in, newest last. */
  decisions: string[];
  journal: {
    next: number;
    /** Entries up to this number are in the archive. */
    archived: number;
    /** Entries up to this number are on their way: a batch keeps its numbers until it is acknowledged. */
    sending?: number;
    /** Routine signs that were only counted, because the archive was away for too long. */
    leftOut?: number;
    tail: JournalEntry[];
  };
  notes: {
    next: number;
    pending: PendingNote[];
    /** The batch on its way: its last number, and the tickets that have it. */
    sending?: { last: number; told: string[] };
  };
  pages: PendingPage[];
  /** Keys of pages already sent or on their way. */
  paged: string[];
  /** Reports of a new loss that came while this case was closing: the next case opens with them. */
  afterwards: Report[];
  rules: Rules;
  /** A person moved newer rules onto this case: when last, and how often. */
  rulesApplied?: { at: string; who: string; times: number };
}

/** What a closed case leaves behind, so that its old ticket never starts a case again by itself. */
export interface ClosingRecord {
  workflowId: string;
  chain: string;
  tenant: string;
  outcome: Outcome;
  closedAt: string;
  tickets: TicketRef[];
  deliveries: string[];
  reason: string;
  movedTo?: string;
}

/** The first state of a case, made of its first report. */
export function openCase(
  report: Report,
  rules: Rules,
  ids: { workflowId: string; runId: string; now: string },
): CaseState {
  const state: CaseState = {
    schema: caseSchema,
    workflowId: ids.workflowId,
    chain: `${ids.workflowId}~${ids.runId}`,
    tenant: report.tenant,
    openedAt: ids.now,
    outcome: 'open',
    tickets: [],
    deliveries: [],
    hint: {},
    verified: false,
    answers: nothingKnown,
    candidates: [],
    otherDevices: [],
    keys: [],
    containment: { state: 'none', measures: {}, armed: false, replaceAsked: false, times: 0, putBack: [] },
    configuration: { state: 'unverified', rungs: {}, onlineMs: 0, says: 'Not contained yet.' },
    presence: {
      state: 'silent',
      recent: [],
      count: 0,
      known: [],
      blindFeeds: {},
      regular: [],
      unheardSince: ids.now,
      heard: {},
    },
    wipe: noWipe(),
    asked: {},
    escalation: { clocks: {}, rungs: {} },
    tampering: [],
    tasks: [],
    reopened: 0,
    steps: {},
    questions: [],
    decided: {},
    decisions: [],
    journal: { next: 1, archived: 0, tail: [] },
    notes: { next: 1, pending: [] },
    pages: [],
    paged: [],
    afterwards: [],
    rules,
  };
  takeReport(state, report);
  return state;
}

/** A state written by an older version, brought to today's form. Pure: the same input gives the same output. */
export function upgrade(state: CaseState): CaseState {
  const schema: number = state.schema;
  if (schema === caseSchema) return { ...state, rules: completeRules(state.rules) };
  if (![1, 2, 3].includes(schema))
    throw new Error(`Case state has schema ${schema}; this version reads 1 to ${caseSchema}`);
  return {
    ...state,
    ...(schema < 2 && withLadder(state)),
    ...(schema < 3 && { wipe: noWipe(), asked: {} }),
    schema: caseSchema,
    containment: { ...state.containment, putBack: [] },
    tampering: [],
    rules: completeRules(state.rules),
  };
}

/** Before schema 2 there was no ladder. */
function withLadder(state: CaseState): Partial<CaseState> {
  return {
    presence: { ...state.presence, regular: [], unheardSince: state.presence.last?.at ?? state.openedAt, heard: {} },
    escalation: { clocks: {}, rungs: {} },
    tasks: [],
    reopened: 0,
    paged: state.paged.map(pageHash),
  };
}

/** Keys of pages are long, and only ever compared. */
export const pageHash = (key: string) => shortHash(key).slice(-8);

/** What a report changed. */
export interface ReportNews {
  repeated: boolean;
  newTicket: boolean;
  nowStolen: boolean;
  changed: string[];
}

/** Take a report in. The same delivery twice changes nothing. */
export function takeReport(state: CaseState, report: Report): ReportNews {
  if (state.deliveries.includes(report.deliveryId))
    return { repeated: true, newTicket: false, nowStolen: false, changed: [] };
  state.deliveries = [...state.deliveries, report.deliveryId].slice(-200);
  const newTicket = !state.tickets.some((ticket) => sameTicket(ticket, report.ticket));
  if (newTicket) state.tickets.push(report.ticket);
  const before = state.answers;
  state.answers = mergeAnswers(before, report.answers);
  state.hint = { ...report.device, ...state.hint };
  state.verified ||= report.verified;
  // Until the device is known, a proven report may correct the user that an earlier one named.
  const corrects = state.device === undefined && report.verified;
  if (report.user !== undefined && (corrects || state.reportedUser === undefined)) state.reportedUser = report.user;
  const changed = (Object.keys(state.answers) as (keyof Answers)[])
    .filter((key) => state.answers[key] !== before[key])
    .map((key) => `${key}: ${String(state.answers[key])}`);
  return {
    repeated: false,
    newTicket,
    nowStolen: before.kind !== 'stolen' && state.answers.kind === 'stolen',
    changed,
  };
}

export function sameTicket(a: TicketRef, b: TicketRef): boolean {
  return a.source === b.source && a.id === b.id;
}

/** More than a day of signs every five minutes from every feed: the longest look back of any of them. */
const rememberAtMost = 1_500;
const recentAtMost = 12;

/** Count a sighting once. False when it was known already. */
export function takeSighting(state: CaseState, sighting: Sighting): boolean {
  const presence = state.presence;
  const hash = shortHash(`${sighting.source}/${sighting.feed}/${sighting.id}`).slice(-8);
  if (presence.known.includes(hash)) return false;
  presence.known = [...presence.known, hash].slice(-rememberAtMost);
  presence.count += 1;
  presence.recent = [sighting, ...presence.recent]
    .sort((a, b) => Date.parse(b.at) - Date.parse(a.at))
    .slice(0, recentAtMost);
  if (presence.last === undefined || Date.parse(presence.last.at) <= Date.parse(sighting.at)) presence.last = sighting;
  return true;
}

/** Newer than what was known when the case opened: both are the vendor's own times. */
export function isNews({ device }: CaseState, { at }: Pick<Sighting, 'at'>): boolean {
  return device?.lastSeenAt === undefined || Date.parse(at) > Date.parse(device.lastSeenAt);
}

/** The names by which feeds find this case's device. */
export function namesOf(state: CaseState): DeviceNames {
  const names: DeviceNames = {};
  const device = state.device;
  const serial = device?.serial ?? state.hint.serial;
  const hostname = device?.hostname ?? state.hint.hostname;
  const nsdeviceuid = device?.nsdeviceuid ?? state.hint.nsdeviceuid;
  const user = device?.user ?? state.reportedUser;
  if (serial) names.serial = serial;
  if (hostname) names.hostname = hostname;
  if (nsdeviceuid) names.nsdeviceuid = nsdeviceuid;
  if (user) names.user = user;
  return names;
}

/** The step that contains: skipped, it is left to people. */
export const moveTheUser = 'move the user into the lost group';

/** Steps that need somebody or something: what an analyst looks at first. */
export function troubledSteps(state: CaseState): [name: string, step: Step][] {
  return Object.entries(state.steps).filter(([, step]) => step.state === 'failing' || step.state === 'stuck');
}
