/**
 * Tampering: what somebody does to the device or to its containment. Each is recognised for what it is; what can be put
 * back is put back, so often and no oftener, because two systems must not fight for ever.
 * @module
 */
import type { CaseState, MeasureName } from './case';
import { clockTime, duration } from './clock-time';
import type { DeviceNames } from './device';
import { describeDevice } from './device';
import type { DisabledBy, Sighting } from './sighting';

export type TamperKind =
  | 'client disabled'
  | 'client uninstalled'
  | 'fail closed'
  | 'taken out of the group'
  | 'undone'
  | 're-imaged'
  | 'same hostname'
  | 'clock wrong'
  | 'user renamed'
  | 'another user';

/** One thing that was done, and whether it still is so. */
export interface Tampering {
  kind: TamperKind;
  /** Which one, where there can be several: the measure that was undone, the other machine. */
  subject?: string;
  /** When it was found, by our clock. ISO 8601. */
  since: string;
  /** One sentence for people. */
  says: string;
  /** Absent while it still is so. Of what is only news, the same as `since`. ISO 8601. */
  over?: string;
}

/** What a look at the levers of one case showed. */
export interface LeversReading {
  /** Today's name of the user, where it is another one. */
  renamedTo?: string;
  /** Absent where it could not be read. */
  membership?: { isMember: boolean; userId?: string; groupOwner: 'api' | 'directory' | 'local' };
  /** Measures that are not there any more, with what was read. */
  gone: { measure: MeasureName; evidence: string }[];
  /** Keyed hashes of the device's names of today. */
  keys: string[];
  /** `lost-group: what went wrong`. */
  unreadable: string[];
}

/** What stands until it is over; everything else is news. */
const standing: TamperKind[] = [
  'client disabled',
  'client uninstalled',
  'fail closed',
  'taken out of the group',
  'undone',
];
const ofClient: TamperKind[] = ['client disabled', 'client uninstalled', 'fail closed'];
const keptAtMost = 12;
const dayMs = 24 * 60 * 60_000;

/** Write it down, once while it stands. Returns it when it is new. */
export function beginTampering(state: CaseState, found: Omit<Tampering, 'over'>): Tampering | undefined {
  const known = state.tampering.find(
    ({ kind, subject, over }) =>
      kind === found.kind && subject === found.subject && (over === undefined || !stands(kind)),
  );
  if (known) return undefined;
  const tampering: Tampering = { ...found, ...(!stands(found.kind) && { over: found.since }) };
  const kept = [...state.tampering, tampering];
  // What still stands is never the one that is forgotten.
  if (kept.length > keptAtMost) kept.splice(Math.max(0, kept.findIndex(isOver)), 1);
  state.tampering = kept;
  return tampering;
}

/** It is so no more. Returns what ended. */
export function endTampering(state: CaseState, at: string, kinds: TamperKind[], subject?: string): Tampering[] {
  const ended = state.tampering.filter(
    (one) => one.over === undefined && kinds.includes(one.kind) && (subject === undefined || one.subject === subject),
  );
  for (const one of ended) one.over = at;
  return ended;
}

const isOver = ({ over }: Tampering) => over !== undefined;
const stands = (kind: TamperKind) => standing.includes(kind);

/** What stands in the way of the client, for whoever reads the proof. */
export function clientTampering({ tampering }: CaseState): Tampering | undefined {
  return tampering.findLast(({ kind, over }) => over === undefined && ofClient.includes(kind));
}

/** What one new sign tells of tampering, read before the sign is counted. */
export interface TamperSigns {
  client?: { begins: Pick<Tampering, 'kind' | 'says'> } | 'over';
  /** Names of the new installation. */
  image?: DeviceNames;
  other?: { user: string; renamed: boolean };
  /** What its clock says, where that is wrong. */
  clock?: string;
}

export function tamperSigns(state: CaseState, sighting: Sighting): TamperSigns {
  const { device, presence } = state;
  const { at, evidence, match } = sighting;
  const heardAt = presence.heard.client ?? device?.lastSeenAt;
  // What is told late was so before what is known.
  const newer = heardAt === undefined || Date.parse(at) >= Date.parse(heardAt);
  if (evidence !== 'client' || match !== 'device' || !newer) return {};
  const client = readClient(sighting);
  const image = reImagedTo(state, sighting);
  const other = otherUserIn(state, sighting);
  const { clockSays: clock } = sighting;
  return { ...(client && { client }), ...(image && { image }), ...(other && { other }), ...(clock && { clock }) };
}

/** What the client says of itself in one new sign; `over` when it is well again. Undefined when it says nothing of it. */
function readClient(sighting: Sighting): TamperSigns['client'] {
  const { client, at } = sighting;
  if (client === undefined) return undefined;
  if (client === 'enabled') return 'over';
  const kind = client === 'disabled' && sighting.disabledBy ? 'client disabled' : clientKinds[client];
  if (kind === undefined) return undefined;
  return { begins: { kind, says: clientSays(kind, at, sighting.disabledBy) } };
}

const clientKinds: Partial<Record<NonNullable<Sighting['client']>, TamperKind>> = {
  uninstalled: 'client uninstalled',
  'fail closed': 'fail closed',
};

function clientSays(kind: TamperKind, at: string, by: DisabledBy | undefined): string {
  const when = clockTime(at);
  if (kind === 'client disabled')
    return `The Netskope client was disabled by ${by ?? 'somebody'} at ${when}: nothing is steered or blocked until it is enabled again.`;
  if (kind === 'client uninstalled')
    return `The Netskope client was uninstalled at ${when}: the group no longer holds this device. What is left is device management, endpoint detection and the directory.`;
  return `The Netskope client is fail-closed since ${when}: the device reaches only what is excepted, so a wipe arrives only where its hosts are.`;
}

/** The same machine with another installation: a fresh image. */
function reImagedTo({ device }: CaseState, { device: names }: Sighting): DeviceNames | undefined {
  const { nsdeviceuid, serial, previousNsdeviceuid } = names;
  if (device?.nsdeviceuid === undefined || nsdeviceuid === undefined) return undefined;
  const other = !same(nsdeviceuid, device.nsdeviceuid) && !same(nsdeviceuid, device.previousNsdeviceuid);
  const machine = same(serial, device.serial) || same(previousNsdeviceuid, device.nsdeviceuid);
  return other && machine ? names : undefined;
}

/** Who uses the device by this sign, where it is not the user of the case. */
function otherUserIn({ device }: CaseState, sighting: Sighting): { user: string; renamed: boolean } | undefined {
  const { user } = sighting.device;
  if (user === undefined || device?.user === undefined || same(user, device.user)) return undefined;
  return { user, renamed: sighting.userKey !== undefined && sighting.userKey === device.userKey };
}

export function namesakeSays({ device }: CaseState, other: DeviceNames): string {
  return `Another machine has the hostname ${device?.hostname ?? 'of the lost one'}: ${describeDevice(other)}. Signs that name only a hostname may be of either.`;
}

export function clockIsWrong(at: string, clock: string): string {
  const aheadMs = Date.parse(clock) - Date.parse(at);
  return `The clock of the device is wrong: ${duration(aheadMs)} ahead. Signs are counted by the vendor's own time.`;
}

/** Why the user is out of the group, as far as it can be told. */
export function takenOutSays(state: CaseState, reading: NonNullable<LeversReading['membership']>, now: string): string {
  const user = state.device?.user ?? 'The user';
  const { via } = state.containment;
  const found = `${user} is not in the lost group any more (seen ${clockTime(now)})`;
  if (reading.userId === undefined) return `${found}: secure access does not know the user. Was the account deleted?`;
  if (reading.groupOwner === 'directory' && via !== 'directory')
    return `${found}: a directory writes this group now, and its sync took the change back.`;
  if (via === 'directory') return `${found}: somebody or something took the user out in the directory.`;
  return `${found}: somebody or something took the user out.`;
}

/** How often this lever was put back within the last day. */
export function putBackLately({ containment }: CaseState, lever: MeasureName, nowMs: number): number {
  return containment.putBack.filter((one) => one.lever === lever && nowMs - Date.parse(one.at) < dayMs).length;
}

/** When the levers are due for a look: at their own pace, and soon after the device was heard. ISO 8601. */
export function nextLookAt({ containment, presence, rules }: CaseState): string {
  const { lookedAt } = containment;
  if (lookedAt === undefined) return new Date(0).toISOString();
  const { lookEveryMs, lookWhenHeardMs } = rules.levers;
  const heard = presence.unheardSince > lookedAt;
  return new Date(Date.parse(lookedAt) + (heard ? lookWhenHeardMs : lookEveryMs)).toISOString();
}

/** A sign that names a hostname and a user only, both of which another machine has as well. */
export function mayBeNamesake({ device, otherDevices }: CaseState, sighting: Sighting): boolean {
  return sighting.match === 'likely' && otherDevices.some(({ hostname }) => same(hostname, device?.hostname));
}

const same = (a?: string, b?: string) => a !== undefined && b !== undefined && a.toLowerCase() === b.toLowerCase();
