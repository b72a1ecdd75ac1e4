/**
 * The roles that a plugin can fill. Activities call these and never a vendor; nothing here knows HTTP.
 *
 * Contract for every method that changes something: it sends once and returns when the vendor accepted. It throws
 * `OutcomeUnknown` when the answer was lost, never retries by itself, and leaves reading before and after to the
 * activity. Methods that read throw `VendorUnavailable` or `VendorRefused`, and answer undefined or an empty list for
 * "there is none". All times are ISO 8601 in vendor time.
 * @module
 */
import type { DeviceHint, Report, TicketRef } from '../playbook/report';
import type { DeviceNames, ManagedDevice } from '../playbook/device';
import type { Severity } from '../playbook/ladder';
import type { Finding, Prerequisite } from '../playbook/prerequisites';
import type { Sighting } from '../playbook/sighting';

/** What every call carries: the caller's cancellation and the case's idea of now. */
export interface Call {
  signal: AbortSignal;
  /** ISO 8601. */
  now: string;
}

// --- secure access -----------------------------------------------------------------------------------------------

/** At least one name is given; each one given is looked for, and what any of them finds is returned. */
export type DeviceQuery = DeviceHint & { user?: string };

/** A user, the lost group, and whether one is in the other, as secure access sees it. */
export interface Membership {
  user: string;
  /** Undefined when secure access does not know the user. */
  userId?: string;
  groupName: string;
  /** Undefined when the group does not exist. */
  groupId?: string;
  isMember: boolean;
  /** Names of the groups the user is in, as far as the vendor tells. */
  groups: string[];
  /** Who writes this group: its API (`api`), a directory that pushes it (`directory`), or only the console (`local`). */
  groupOwner: 'api' | 'directory' | 'local';
}

export interface SecureAccess {
  /** All records that fit, one per installation and user; duplicates over pages removed. */
  findDevices(query: DeviceQuery, call: Call): Promise<ManagedDevice[]>;
  readMembership(user: string, call: Call): Promise<Membership>;
  /** Today's name of the user with this id; undefined when there is none any more. */
  nameOfUser(userId: string, call: Call): Promise<string | undefined>;
  addToLostGroup(membership: Membership, call: Call): Promise<void>;
  removeFromLostGroup(membership: Membership, call: Call): Promise<void>;
  /** Name of the steering configuration that the lost group gets. */
  readonly lostSteeringConfig: string;
  /** Name of the real-time policy that blocks the lost group: an alert of it is the last rung of the proof. */
  readonly lostPolicy: string;
  /** Undefined where the settings name no tag. Throws `VendorRefused` LDP_NOT_OFFERED where the tenant has no tags. */
  readonly deviceTag?: DeviceTag;
  /** How long after a write a read may still show the old state (milliseconds). */
  readonly settleMs: number;
  /** What the lost steering configuration leaves open. Absent where it cannot be read; undefined: it does not say. */
  readSteering?(call: Call): Promise<LostSteering | undefined>;
}

/** The lost steering configuration, as far as a wipe depends on it. */
export interface LostSteering {
  config: string;
  /** Are private apps reachable? Undefined: it does not say. */
  privateAccess: boolean | undefined;
  /** Domains that are not steered: hosts, and wildcards such as `*.manage.microsoft.com`. */
  letThrough: string[];
  /** Its place among the configurations, of which the first that fits a user counts. Undefined: it does not say. */
  place?: number;
}

/** The per-device lever beside the group. */
export interface DeviceTag {
  readonly name: string;
  isTagged(device: ManagedDevice, call: Call): Promise<boolean>;
  add(device: ManagedDevice, call: Call): Promise<void>;
  /** From the installation before a fresh image as well, where that is known. */
  remove(device: ManagedDevice, call: Call): Promise<void>;
}

// --- directory ---------------------------------------------------------------------------------------------------

export interface DirectoryAccount {
  id: string;
  user: string;
  displayName?: string;
  enabled: boolean;
  /** When sessions were last revoked. */
  sessionsValidFrom?: string;
}

export interface DirectoryDevice {
  id: string;
  displayName?: string;
  enabled: boolean;
}

export interface Directory {
  readAccount(user: string, call: Call): Promise<DirectoryAccount | undefined>;
  /** Undefined when the directory has no lost group configured: then secure access owns it. */
  readMembership(user: string, call: Call): Promise<{ isMember: boolean } | undefined>;
  addToLostGroup(user: string, call: Call): Promise<void>;
  removeFromLostGroup(user: string, call: Call): Promise<void>;
  /** Push this user's membership to secure access now. `false`: it cannot; wait for the regular cycle. */
  provisionNow(user: string, call: Call): Promise<boolean>;
  /** Cannot be undone: the user signs in again. */
  revokeSessions(account: DirectoryAccount, call: Call): Promise<void>;
  setUserEnabled(account: DirectoryAccount, enabled: boolean, call: Call): Promise<void>;
  /** Directory objects of this device. Exactly one is needed before it may be changed. */
  findDirectoryDevices(device: DeviceNames, call: Call): Promise<DirectoryDevice[]>;
  setDeviceEnabled(device: DirectoryDevice, enabled: boolean, call: Call): Promise<void>;
  /** The settings name a lost group here: this directory writes it, and pushes it to secure access. */
  readonly hasLostGroup?: true;
  readonly settleMs: number;
  /** Longest time until a regular provisioning cycle has carried a change (milliseconds). */
  readonly provisioningCycleMs: number;
}

// --- device management and endpoint detection ---------------------------------------------------------------------

export type Platform = 'windows' | 'macos' | 'ios' | 'android' | 'chromeos' | 'linux' | 'unknown';

/** What may be sent to a device from afar. */
export type RemoteCommand = 'wipe' | 'lock' | 'lost mode';

/** One enrolment of a device. */
export interface ManagedRecord {
  /** The vendor's id: pinned before anything is sent. */
  id: string;
  names: DeviceNames;
  platform: Platform;
  supervised: boolean;
  /** False: a person's own device, of which only company data may be removed. */
  companyOwned: boolean;
  /** What the vendor says of the disk. */
  encrypted: 'yes' | 'no' | 'unknown';
  enrolledAt?: string;
  lastSyncAt?: string;
  /** The vendor's own word. */
  state: string;
}

/** What can be sent to this device, and why not. */
export interface CommandOffer {
  command: RemoteCommand;
  offered: boolean;
  /** One sentence: the platform's limit, or what it does. */
  because: string;
  /** Can it be taken back before the device has it? */
  cancellable: boolean;
  /** A PIN belongs to it, which must be in the secret store before the command leaves. */
  pin: 'none' | 'ours' | 'made by the vendor';
}

/** How far a command came. Vendors give no id: it is found by its kind and by when it began. */
export interface CommandProgress {
  command: RemoteCommand;
  state: 'queued' | 'delivered' | 'acknowledged' | 'failed' | 'cancelled' | 'not supported';
  /** ISO 8601, vendor time. */
  startedAt: string;
  updatedAt?: string;
  /** The vendor's own words. */
  says: string;
}

export interface SendOptions {
  /** Why, for the vendor's own log and approvers. */
  justification: string;
  /** The vendor's second administrator agreed: its code. */
  approvalCode?: string;
}

export interface WipeOptions extends SendOptions {
  /** Goes on trying through power-off (Windows); may leave the device unbootable. For thefts. */
  protected: boolean;
  /** PIN that unlocks a Mac afterwards; only where the offer says `ours`. Never written down anywhere. */
  pin?: string;
}

export interface DeviceManagement {
  /** Every enrolment that fits. Never acts on an empty query. */
  findRecords(device: DeviceNames, call: Call): Promise<ManagedRecord[]>;
  readRecord(id: string, call: Call): Promise<ManagedRecord | undefined>;
  offers(record: ManagedRecord): CommandOffer[];
  /** All commands that the vendor still knows of, newest first. */
  readCommands(id: string, call: Call): Promise<CommandProgress[]>;
  /** Throws `VendorRefused` LDP_APPROVAL_REQUIRED with `details.approvalCode` where a second administrator must agree. */
  wipe(record: ManagedRecord, options: WipeOptions, call: Call): Promise<void>;
  lock(record: ManagedRecord, options: SendOptions & { message: string }, call: Call): Promise<void>;
  /** Absent where the vendor has none. */
  enableLostMode?(
    record: ManagedRecord,
    options: SendOptions & { message: string; phone: string },
    call: Call,
  ): Promise<void>;
  /** The PIN that the vendor made for a lock; undefined when there is none (any more). */
  readLockPin?(id: string, call: Call): Promise<string | undefined>;
  /** Absent: what was sent cannot be taken back. */
  cancel?(record: ManagedRecord, command: RemoteCommand, call: Call): Promise<'cancelled' | 'too late'>;
  /** `completed`: the command left with this approval, which counts once. Only `approved` is a reason to send. */
  readApproval?(
    code: string,
    call: Call,
  ): Promise<'needs approval' | 'approved' | 'rejected' | 'cancelled' | 'expired' | 'completed'>;
  /** After how long without a sign the vendor forgets a device (milliseconds); undefined: never, or it cannot be read. */
  readCleanUp?(call: Call): Promise<{ afterMs: number } | undefined>;
  readonly settleMs: number;
}

/** One agent of endpoint detection on a device. */
export interface AgentRecord {
  id: string;
  names: DeviceNames;
  platform: Platform;
  lastSeenAt?: string;
  online: 'yes' | 'no' | 'unknown';
  isolation: 'none' | 'being isolated' | 'isolated' | 'being released';
}

export interface EndpointDetection {
  /** Every agent that fits. Never acts on an empty query. */
  findAgents(device: DeviceNames, call: Call): Promise<AgentRecord[]>;
  readAgent(id: string, call: Call): Promise<AgentRecord | undefined>;
  /** What stays reachable while a device is isolated, in one sentence for the approver. */
  readonly whileIsolated: string;
  /** An isolated device still reaches its device management and the Netskope client. Absent: it does not. */
  readonly selective?: true;
  isolate(agent: AgentRecord, reason: string, call: Call): Promise<void>;
  release(agent: AgentRecord, reason: string, call: Call): Promise<void>;
  readonly settleMs: number;
}

/** PINs and the like: they never enter a workflow. */
export interface SecretStore {
  /** Put if absent, durable when it returns. */
  putOnce(key: string, secret: string, call: Call): Promise<'created' | 'already there'>;
  get(key: string, call: Call): Promise<string | undefined>;
}

// --- ticket desk -------------------------------------------------------------------------------------------------

/** A webhook exactly as it came. Header names are lower case. */
export interface RawWebhook {
  headers: Record<string, string | undefined>;
  body: Buffer;
}

/** A report before the tenant and the receiving time are added. */
export type DeskReport = Omit<Report, 'tenant' | 'receivedAt'>;

export interface Ticket {
  ref: TicketRef;
  open: boolean;
  /** The desk says that this ticket is about a lost device. */
  aboutLostDevice: boolean;
  report: Pick<Report, 'device' | 'user' | 'answers'>;
}

export type TicketState = 'in progress' | 'in progress again' | 'resolved';

export interface TicketDesk {
  /**
   * Verify over the raw bytes, then parse. Throws `BadInput` LDP_BAD_SIGNATURE (not proven, too old) or LDP_BAD_INPUT.
   * `verified` in the result says whether the sender was proven; a desk that can be read again is read by triage.
   */
  receive?(webhook: RawWebhook, nowMs: number): Promise<DeskReport>;
  /** Undefined when there is no such ticket. Absent where the desk cannot be read. */
  readTicket?(id: string, call: Call): Promise<Ticket | undefined>;
  /** Add a note that customers never see. `marker` is in the text; a note that carries it already is not added again. */
  addInternalNote?(id: string, note: { marker: string; text: string }, call: Call): Promise<'added' | 'already there'>;
  /**
   * Move the ticket; where it is already there nothing changes. A ticket that is over stays so, but for `in progress again`,
   * which takes a resolved one up: its laptop is back.
   */
  setState?(id: string, state: TicketState, closeNotes: string, call: Call): Promise<void>;
  listOpenLostDeviceTickets?(call: Call): Promise<Ticket[]>;
}

// --- notifier, archive, feeds ------------------------------------------------------------------------------------

export interface Page {
  /** Same key, same page: receivers drop a repeat. */
  key: string;
  subject: string;
  text: string;
  /** All pages about one trouble: one incident at a pager, acknowledged and resolved as one. Absent: its key. */
  incident?: string;
  severity?: Severity;
  /** An address that this notifier understands; absent: its own. */
  to?: string;
}

/** Somebody acknowledged (or resolved) an incident at the notifier. */
export interface Acknowledgement {
  /** The sender's id of this delivery: the same on every resend. */
  id: string;
  incident: string;
  /** Who, as the notifier names them. */
  who: string;
  /** ISO 8601. */
  at: string;
}

export interface Notifier {
  page(page: Page, call: Call): Promise<void>;
  /** The same page sent twice is one: a page whose answer was lost may be sent again. */
  readonly dropsRepeats?: true;
  /** The trouble is over. Absent where nothing can be taken back. Safe to repeat. */
  resolve?(incident: string, call: Call): Promise<void>;
  /** Somebody has it in hand: nobody else is to be called there. Safe to repeat. */
  acknowledge?(incident: string, call: Call): Promise<void>;
  /**
   * Verify over the raw bytes, then parse. Empty for news that is no acknowledgement. Throws `BadInput` LDP_BAD_SIGNATURE or
   * LDP_BAD_INPUT. Absent where nobody answers.
   */
  receive?(webhook: RawWebhook, nowMs: number): Promise<Acknowledgement[]>;
}

export interface Archive {
  /** Create if absent, durable when it returns. `already there` when the key exists, whatever it holds. */
  putOnce(key: string, bytes: Uint8Array, call: Call): Promise<'created' | 'already there'>;
  get(key: string, call: Call): Promise<Uint8Array | undefined>;
  /** Keys that start with the prefix, sorted. */
  list(prefix: string, call: Call): Promise<string[]>;
}

/** A device of an open case, as a watch knows it. */
export type WatchedDevice = DeviceNames & { workflowId: string };

/** One record that a feed found, before it is matched with cases. */
export type FeedRecord = Omit<Sighting, 'match' | 'source' | 'feed' | 'site'>;

export interface FeedAnswer {
  records: FeedRecord[];
  /** Where to go on: opaque to the caller, JSON text. */
  watermark: string;
  /** Records that could not be understood: put aside and counted, never stopping the feed. */
  putAside: number;
}

export interface SightingFeed {
  /** For instance `client-status`; unique within the plugin instance. */
  readonly name: string;
  /** How often it is asked (milliseconds). */
  readonly pollEveryMs: number;
  /** How late its records may arrive (milliseconds): each poll overlaps by this much. */
  readonly lateDataMs: number;
  /** It speaks whenever a device is online, so that its silence means something. */
  readonly regular: boolean;
  /** Could it speak of this device? Its blindness concerns no other. */
  sees(device: DeviceNames): boolean;
  /** Ask for news since the watermark (undefined: since `call.now` less the late-data window). */
  read(watermark: string | undefined, watched: WatchedDevice[], call: Call): Promise<FeedAnswer>;
}

// --- plugins -----------------------------------------------------------------------------------------------------

export type Role =
  | 'secureAccess'
  | 'directory'
  | 'deviceManagement'
  | 'endpointDetection'
  | 'ticketDesk'
  | 'notifier'
  | 'archive'
  | 'secretStore'
  | 'feeds';

/** One call that a plugin can make at its vendor: the fault matrix and the permission list are made from these. */
export interface Operation {
  /** `scim.patchGroup`: unique within the plugin. */
  name: string;
  method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  /** Path template, for instance `/api/v2/scim/Groups/{id}`. */
  path: string;
  /** False: it reads, although its method may be POST. */
  changes: boolean;
  /** What the credential must be allowed to do. */
  permission: string;
}

/** What a plugin instance turned out to be. A role that is absent is not filled. */
export interface PluginInstance {
  secureAccess?: SecureAccess;
  directory?: Directory;
  deviceManagement?: DeviceManagement;
  endpointDetection?: EndpointDetection;
  secretStore?: SecretStore;
  ticketDesk?: TicketDesk;
  notifier?: Notifier;
  archive?: Archive;
  feeds?: SightingFeed[];
  /** Where the settings say which of the manifest's hosts this instance's agents need: only these. */
  agentHosts?: string[];
  /** The same hosts, with where they are known from. */
  agentHostSources?: AgentHosts[];
  /** What must be so at this product before a laptop is lost. Nothing is called by asking for the list. */
  prerequisites?(around: Surroundings): ProductPrerequisite[];
  /** Try the connection without changing anything. One line per thing tried. */
  test(call: Call): Promise<ConnectionTest[]>;
  close(): Promise<void>;
}

/** What a prerequisite of one product depends on at the others and in the settings. */
export interface Surroundings {
  /** Hosts that the agents on devices need, of all products together. */
  agentHosts: string[];
  /** A wipe arrives through private access only. */
  behindPrivateAccess: boolean;
  /** A directory of the settings writes the lost group. */
  directoryHasLostGroup: boolean;
  /** What the rules ask of the directory. */
  directorySteps: string[];
}

/** A prerequisite, and how a product looks at it. */
export interface ProductPrerequisite extends Prerequisite {
  /** Looked at only when this other one of the product is well, so that one fault is one line. */
  after?: string;
  /** Changes nothing. Absent: a person attests it. @throws PlaybookError, which is a finding too. */
  look?(call: Call): Promise<Finding>;
}

/** Hosts of an agent, with where they are known from. */
export interface AgentHosts {
  hosts: string[];
  /** The vendor's region or cloud; `all` where there is no difference. */
  region: string;
  /** Address of the page. */
  source: string;
  /** The page's own date, or when it was read: a year, a month or a day. */
  date: string;
}

export interface ConnectionTest {
  what: string;
  ok: boolean;
  /** One sentence; for a failure with its remedy. */
  detail: string;
}

/** The manifest of a plugin: all that the house must know of a product before it talks to it. */
export interface Plugin<Settings = unknown> {
  /** The folder's name and the `plugin:` value in the settings. */
  name: string;
  title: string;
  roles: Role[];
  /** A zod schema: parses the instance's part of the settings file. */
  settings: { parse(value: unknown): Settings };
  operations: Operation[];
  /** Hosts that the product's agent on the device needs, for the steering exceptions. */
  agentHosts: string[];
  /** The same hosts, with where they are known from. */
  agentHostSources?: AgentHosts[];
  create(instanceName: string, settings: Settings): PluginInstance;
}
