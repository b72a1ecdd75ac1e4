/**
 * What a record of client status says: the client's state by the tuple rule, and one device from its records.
 * @module
 */
import type { ClientState, DeviceNames, ManagedDevice } from '../../playbook/device';
import type { DisabledBy, Place } from '../../playbook/sighting';
import type { EventRecord, StatusRecord } from './schemas';

/** One record of client status in the playbook's words. */
export interface ClientStatus {
  names: DeviceNames;
  userKey?: string;
  os?: string;
  model?: string;
  /** Organisational unit of the user, else the group that the vendor shows for them. */
  team?: string;
  macAddresses: string[];
  /** When the client last gave a sign of itself, by Netskope's own clock. ISO 8601. */
  at?: string;
  /** What the device's own clock said then, where that runs far ahead. ISO 8601. */
  clockSays?: string;
  /** `Internet Security`, `Private Access` or absent. */
  service?: string;
  event?: string;
  eventAt?: string;
  client: ClientState;
  disabledBy?: DisabledBy;
  steeringConfig?: string;
  /** By the device's own clock: to be compared with itself only. */
  hostInfoUpdatedAt?: string;
  publicAddress?: string;
  privateAddress?: string;
  place?: Place;
}

/**
 * The state of the client, decided on the whole tuple and never on `status` alone (facts/netskope.md 2.5, recorded at
 * real tenants): a Private Access record says "Tunnel Up" and "Disabled" of a client that steers; after a posture
 * change `status` is "Managed"; an uninstalled client has status "Disabled".
 */
export function clientState(said: {
  service?: string;
  event?: string;
  status?: string;
  statusV2?: string;
}): ClientState {
  if (!aboutInternetSecurity(said.service)) return 'unknown';
  const [event, status, statusV2] = [said.event, said.status, said.statusV2].map((words) => words?.toLowerCase() ?? '');
  if (event === 'uninstalled' || statusV2 === 'uninstalled') return 'uninstalled';
  if (status === 'fail closed' && statusV2 !== 'enabled') return 'fail closed';
  if (statusV2 === 'enabled' || statusV2 === 'disabled' || statusV2 === 'dormant') return statusV2;
  if (/^(tunnel up|user enabled|admin enabled)$/.test(event ?? '')) return 'enabled';
  if (/^(tunnel down|user disabled|admin disabled|installed$|installation failure|system shutdown)/.test(event ?? '')) {
    return 'disabled';
  }
  return status === 'enabled' || status === 'disabled' || status === 'uninstalled' ? status : 'unknown';
}

/**
 * Who disabled a client that is disabled now. The event alone tells; a later one, such as a posture change, takes its place.
 */
function disabledBy(client: ClientState, event: string | undefined): DisabledBy | undefined {
  if (client !== 'disabled') return undefined;
  if (event?.toLowerCase() === 'user disabled') return 'its user';
  return event?.toLowerCase() === 'admin disabled' ? 'an administrator' : undefined;
}

/** Only this service steers web traffic. A record that names no service speaks of it too. */
export function aboutInternetSecurity(service: string | undefined): boolean {
  return service === undefined || service.toLowerCase() === 'internet security';
}

/** The device's clock may run ahead of Netskope's by this much, and is still called right (milliseconds). */
const clockToleranceMs = 5 * 60_000;

/**
 * Read one record. Fields that it does not have are left out. `now` only judges a record that has no time of Netskope's own,
 * as in v1: an event that is still to come then does not say when the device was seen.
 */
export function readStatus(record: StatusRecord, now: string): ClientStatus {
  const service = record['last_seen_device_event.service_name'];
  const event = record['last_seen_device_event.event'];
  const eventAt = record['last_seen_device_event.timestamp'] ?? record.last_event_timestamp;
  const hostInfoUpdatedAt = record['host_info.last_update_timestamp'];
  const seenAt = record.timestamp ?? record.ts;
  const client = clientState(
    known({
      service,
      event,
      status: record['last_seen_device_event.status'],
      statusV2: record['last_seen_device_event.status_v2'],
    }),
  );
  return known<ClientStatus>({
    names: known<DeviceNames>({
      nsdeviceuid: record['host_info.nsdeviceuid'],
      previousNsdeviceuid: record['host_info.old_nsdeviceuid'],
      serial: record['host_info.serial_number'],
      hostname: record.hostname ?? record['host_info.hostname'],
      user: readableUser(record['user_info.username']),
    }),
    userKey: record['user_info.userkey'],
    os: record['host_info.os'],
    model: record['host_info.device_model'],
    team: record.organization_unit ?? record.usergroup,
    macAddresses: record['host_info.mac_addresses'].map((address) => address.toLowerCase().replaceAll('-', ':')),
    at: seenAt ?? (isAhead(eventAt, now) ? undefined : eventAt),
    clockSays: seenAt && [eventAt, hostInfoUpdatedAt].find((said) => isAhead(said, seenAt)),
    service,
    event,
    eventAt,
    client,
    disabledBy: disabledBy(client, event),
    steeringConfig: record['host_info.steering_config'],
    hostInfoUpdatedAt,
    publicAddress: record.last_connected_from_public_ip,
    privateAddress: record.last_connected_from_private_ip,
    place: placeOf(record),
  });
}

function isAhead(said: string | undefined, of: string): boolean {
  return said !== undefined && Date.parse(said) - Date.parse(of) > clockToleranceMs;
}

/** Records of one installation and user, newest first; records that name neither device nor user are dropped. */
export function byInstallation(statuses: ClientStatus[]): ClientStatus[][] {
  const groups = new Map<string, ClientStatus[]>();
  for (const status of statuses) {
    const { nsdeviceuid, serial, hostname, user } = status.names;
    const device = nsdeviceuid ?? serial ?? hostname;
    if (device === undefined) continue;
    const key = `${device}|${status.userKey ?? user ?? ''}`;
    const group = groups.get(key);
    if (group) group.push(status);
    else groups.set(key, [status]);
  }
  for (const group of groups.values()) group.sort((a, b) => (b.at ?? '').localeCompare(a.at ?? ''));
  return [...groups.values()];
}

/** One device from its records, newest first: the newest that knows a thing decides, Internet Security its client. */
export function deviceOf(source: string, records: ClientStatus[]): ManagedDevice {
  const newest = <K extends keyof ClientStatus>(key: K) => records.find((record) => record[key] !== undefined)?.[key];
  const name = (key: keyof DeviceNames) => records.find((record) => record.names[key] !== undefined)?.names[key];
  // Name and time of the configuration are one statement, so they come from one record. None was made after it was sent.
  const statedAt = ({ hostInfoUpdatedAt = '', at = hostInfoUpdatedAt }: ClientStatus) =>
    hostInfoUpdatedAt < at ? hostInfoUpdatedAt : at;
  const configured = [...records].sort((a, b) => statedAt(b).localeCompare(statedAt(a)))[0];
  const macAddresses = records.find((record) => record.macAddresses.length > 0)?.macAddresses;
  return known<ManagedDevice>({
    source,
    nsdeviceuid: name('nsdeviceuid'),
    previousNsdeviceuid: name('previousNsdeviceuid'),
    serial: name('serial'),
    hostname: name('hostname'),
    user: name('user'),
    userKey: newest('userKey'),
    os: newest('os'),
    model: newest('model'),
    team: newest('team'),
    macAddresses,
    lastSeenAt: newest('at'),
    steeringConfig: configured?.steeringConfig,
    hostInfoUpdatedAt: configured?.hostInfoUpdatedAt,
    client: records.find((record) => aboutInternetSecurity(record.service))?.client ?? 'unknown',
  });
}

/** Where an event of the cloud came from. */
export function placeOfEvent(record: EventRecord): Place | undefined {
  const { src_location: city, src_region: region, src_country: country } = record;
  return placeOf({ city, region, country, latitude: record.src_latitude, longitude: record.src_longitude });
}

function placeOf(from: { [K in keyof Place]-?: Place[K] | undefined }): Place | undefined {
  const { city, region, country, latitude, longitude } = from;
  const place = known<Place>({ city, region, country, latitude, longitude });
  return Object.keys(place).length > 0 ? place : undefined;
}

/**
 * A tenant may hide its users behind hashes (CLI README). Such a text names nobody, so it must never be compared with
 * a person. The forms of the hashes are not documented: long hexadecimal, with or without a word in front.
 */
export function readableUser(user: string | undefined): string | undefined {
  return user === undefined || /^(?:[a-z]+[-_:])?[0-9a-f]{16,}$/i.test(user) || user.includes('***') ? undefined : user;
}

/** Leave out what is undefined. */
export function known<T extends object>(fields: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}
