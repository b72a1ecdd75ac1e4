/**
 * Client status: the last known state per installation, user and service, and the two routes that show it
 * (v2 datasearch; v1 reads the same rows in `legacy.ts`).
 * @module
 */
import type { Laptop } from '../laptop';
import type { World } from '../world';
import type { Answer } from '../vendor';
import { type Condition, rowsByIndex } from './jql';
import { search, valueAt, type VendorRecord } from './search';

/** What a client says of itself, in the vendor's words. */
export interface ClientEvent {
  event: string;
  status: string;
  statusV2: string;
  actor: 'System' | 'User' | 'Admin';
}

/** Events that the vendor documents, with the status that comes with each. */
export const clientEvents = {
  installed: { event: 'Installed', status: 'Disabled', statusV2: 'Disabled', actor: 'System' },
  tunnelUp: { event: 'Tunnel Up', status: 'Enabled', statusV2: 'Enabled', actor: 'System' },
  tunnelDown: { event: 'Tunnel Down', status: 'Disabled', statusV2: 'Disabled', actor: 'System' },
  failClosed: { event: 'Tunnel down due to error', status: 'Fail Closed', statusV2: 'Disabled', actor: 'System' },
  shutdown: { event: 'System shutdown', status: 'Disabled', statusV2: 'Disabled', actor: 'System' },
  userDisabled: { event: 'User Disabled', status: 'Disabled', statusV2: 'Disabled', actor: 'User' },
  userEnabled: { event: 'User Enabled', status: 'Enabled', statusV2: 'Enabled', actor: 'User' },
  adminDisabled: { event: 'Admin Disabled', status: 'Disabled', statusV2: 'Disabled', actor: 'Admin' },
  adminEnabled: { event: 'Admin Enabled', status: 'Enabled', statusV2: 'Enabled', actor: 'Admin' },
  // Recorded at real tenants: the event says Uninstalled, the status does not.
  uninstalled: { event: 'Uninstalled', status: 'Disabled', statusV2: 'Uninstalled', actor: 'System' },
  postureManaged: { event: 'Device Posture Change', status: 'Managed', statusV2: 'Enabled', actor: 'System' },
  postureUnmanaged: { event: 'Device Posture Change', status: 'Unmanaged', statusV2: 'Enabled', actor: 'System' },
} as const satisfies Record<string, ClientEvent>;

type Service = 'Internet Security' | 'Private Access';

/** One row of the inventory. */
export interface StatusRow {
  key: string;
  record: VendorRecord;
  serial: string;
  /** Place in the log of writes: an older entry of the same row does not count. */
  position: number;
}

/** Documented numbers for the words, where the vendor gives one. */
const numbers: Record<string, Record<string, number>> = {
  'last_seen_device_event.event': {
    Installed: 0,
    'Tunnel Up': 1,
    'Tunnel Down': 2,
    'Tunnel down due to error': 5,
    'User Disabled': 6,
    'User Enabled': 7,
    'Admin Disabled': 8,
    'Admin Enabled': 9,
    Uninstalled: 10,
  },
  'last_seen_device_event.status': { Disabled: 0, Enabled: 1, Uninstalled: 2, 'Fail Closed': 3, Managed: 4 },
  'last_seen_device_event.status_v2': { Uninstalled: 0, Dormant: 1, Enabled: 2, Disabled: 3 },
  'last_seen_device_event.actor': { User: 0, Admin: 1, System: 2 },
  'last_seen_device_event.npa_status': { Disabled: 0, Connected: 4, 'Steering Disabled': 7 },
  'host_info.os': { Windows: 0, Mac: 1 },
  'user_info.device_classification_status': { Managed: 0, Unmanaged: 1, Unknown: 2, 'Not Configured': 3 },
};

const inHostInfo = ['os', 'os_version', 'device_make', 'device_model', 'serial_number', 'mac_addresses', 'nsdeviceuid'];
const inHostInfoToo = ['old_nsdeviceuid', 'managementID', 'steering_config', 'last_update_timestamp'];
const inUserInfo = [
  'username',
  'userkey',
  'orgkey',
  'device_classification_status',
  'device_classification_custom_status',
];
const inEvent = ['event', 'status', 'status_v2', 'actor', 'npa_status', 'service_name', 'event_details'];
const atTop = [
  ...[
    '_id',
    'hostname',
    'device_id',
    'device_hash',
    'guid',
    'client_version',
    'client_install_time',
    'ts',
    'timestamp',
  ],
  ...['last_event_timestamp', 'heart_beat', 'record_type', 'count', 'host_info', 'last_seen_device_event', 'user_info'],
  ...['last_connected_from_public_ip', 'last_connected_from_private_ip', 'latitude', 'longitude', 'city', 'region'],
  ...['country', 'continent', 'postal_code', 'zipcode', 'isp', 'as', 'asn', 'organization', 'pop_name', 'pop_pinned'],
  ...['enriched', 'usergroup', 'groups', 'organization_unit', 'user_status', 'deleted', 'ur_normalized'],
];

const paths = new Map<string, string>([
  ...atTop.map((name) => [name, name] as const),
  ...[...inHostInfo, ...inHostInfoToo].map((name) => [name, `host_info.${name}`] as const),
  ...inUserInfo.map((name) => [name, `user_info.${name}`] as const),
  ...inEvent.map((name) => [name, `last_seen_device_event.${name}`] as const),
  ['device_os', 'host_info.os'],
  ['user', 'user_info.username'],
]);
for (const path of [...paths.values()]) paths.set(path, path);
for (const path of ['host_info.hostname', 'host_info.client_version', 'last_seen_device_event.timestamp']) {
  paths.set(path, path);
}

const indexed = ['hostname', 'user_info.username', 'host_info.nsdeviceuid', 'host_info.serial_number'];

/** All rows, found by name or by how fresh they are. */
export class ClientStatus {
  readonly #rows = new Map<string, StatusRow>();
  readonly #byName = new Map(indexed.map((path) => [path, new Map<string, Set<StatusRow>>()]));
  /** Every write in order of time; compacted when old entries outweigh the rows. */
  #log: { row: StatusRow; atSeconds: number }[] = [];

  constructor(readonly world: World) {}

  /** The client spoke: an event, or only a sign of life that moves `timestamp` and leaves the last event as it was. */
  report(laptop: Laptop, event?: ClientEvent): void {
    // The device dates its events; Netskope dates what it hears.
    const atSeconds = laptop.ownSeconds();
    const write = () => this.#write(laptop, 'Internet Security', event, atSeconds);
    if (this.world.traps.lateStatus) this.world.clock.after(120_000, write);
    else write();
    if (this.world.applies('privateAccess', laptop.serial === 'SN0051')) {
      this.#write(laptop, 'Private Access', { ...clientEvents.tunnelUp, status: 'Disabled' }, atSeconds);
    }
  }

  /** The vendor missed heartbeats: the flag falls, nothing else moves. */
  missHeartbeats(laptop: Laptop): void {
    const row = this.#rows.get(keyOf(laptop, 'Internet Security'));
    if (row) row.record = { ...row.record, heart_beat: false };
  }

  /** A row of which nothing is left but its time: the worst of the nulls trap. */
  addRuin(): void {
    const now = this.world.clock.seconds();
    const nothing = { hostname: null, host_info: null, user_info: null, last_seen_device_event: null };
    this.#put('ruin', '', { _id: this.world.seed.hex('ruin', 24), ...nothing, ts: now, timestamp: now });
  }

  /** Rows of one name, newest first is not promised. */
  named(path: string, value: string): Iterable<StatusRow> | undefined {
    const index = this.#byName.get(path);
    return index && (index.get(value) ?? []);
  }

  /** Rows written since then (seconds). */
  *since(fromSeconds: number): Iterable<StatusRow> {
    let low = 0;
    let high = this.#log.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#log[middle]!.atSeconds < fromSeconds) low = middle + 1;
      else high = middle;
    }
    for (let i = low; i < this.#log.length; i++) {
      const { row } = this.#log[i]!;
      if (row.position === i && this.#present(row)) yield row;
    }
  }

  /** `GET /api/v2/events/datasearch/clientstatus`. */
  search(query: URLSearchParams): Answer {
    return search<StatusRow>(query, {
      pathOf: (field) => paths.get(field),
      recordOf: (row) => row.record,
      candidates: (condition: Condition | undefined, fromSeconds) => {
        const named = rowsByIndex(condition, (field, value) => this.named(paths.get(field) ?? '', value));
        return named ? [...named].filter((row) => this.#present(row)) : this.since(fromSeconds);
      },
      shown: (row) => this.#shown(row),
      groupedFields: [
        'hostname',
        'os',
        'steering_config',
        'serial_number',
        'mac_addresses',
        'username',
        'userkey',
      ].concat(['device_classification_status', 'timestamp', 'usergroup', 'organization_unit', 'deleted']),
      duplicates: this.world.traps.duplicates,
    });
  }

  #present(row: StatusRow): boolean {
    return row.key !== 'ruin' || this.world.traps.nulls !== false;
  }

  #write(laptop: Laptop, service: Service, event: ClientEvent | undefined, eventSeconds: number): void {
    const key = keyOf(laptop, service);
    const before = this.#rows.get(key)?.record;
    const now = this.world.clock.seconds();
    this.#put(key, laptop.serial, record(laptop, service, event, eventSeconds, now, before));
  }

  #put(key: string, serial: string, content: VendorRecord): void {
    let row = this.#rows.get(key);
    const before = row?.record;
    if (row) row.record = content;
    else {
      row = { key, serial, record: content, position: 0 };
      this.#rows.set(key, row);
    }
    for (const [path, index] of this.#byName) {
      const [old, name] = [before && valueAt(before, path), valueAt(content, path)];
      if (old === name || typeof name !== 'string') continue;
      if (typeof old === 'string') index.get(old)?.delete(row);
      const rows = index.get(name) ?? new Set();
      index.set(name, rows.add(row));
    }
    row.position = this.#log.push({ row, atSeconds: this.world.clock.seconds() }) - 1;
    if (this.#log.length > 4 * this.#rows.size + 1000) {
      this.#log = this.#log.filter((entry, i) => entry.row.position === i);
      this.#log.forEach((entry, i) => (entry.row.position = i));
    }
  }

  #shown(row: StatusRow): VendorRecord {
    const { world } = this;
    if (row.key === 'ruin') return row.record;
    const asNumbers = world.applies('numbers', row.serial === 'SN0060');
    const withNulls = world.applies('nulls', row.serial === 'SN0070');
    if (!asNumbers && !withNulls && !world.traps.anonymise) return row.record;
    const shown = structuredClone(row.record);
    const user = shown['user_info'] as VendorRecord;
    if (asNumbers) {
      for (const [path, codes] of Object.entries(numbers)) {
        const [part, name] = path.split('.') as [string, string];
        const inside = shown[part] as VendorRecord;
        const code = codes[inside[name] as string];
        if (code !== undefined) inside[name] = code;
      }
    }
    if (withNulls) {
      const host = shown['host_info'] as VendorRecord;
      for (const name of ['device_hash', 'city', 'region', 'latitude', 'longitude', 'postal_code']) shown[name] = null;
      for (const name of ['old_nsdeviceuid', 'managementID', 'mac_addresses']) host[name] = null;
      user['orgkey'] = null;
      for (const name of ['guid', 'zipcode', 'pop_pinned', 'as', 'asn']) delete shown[name];
    }
    if (world.traps.anonymise) user['username'] = world.anonymous(String(user['username']));
    return shown;
  }
}

const keyOf = (laptop: Laptop, service: Service) => `${laptop.nsdeviceuid}|${laptop.person.userkey}|${service}`;

function record(
  laptop: Laptop,
  service: Service,
  event: ClientEvent | undefined,
  eventSeconds: number,
  now: number,
  before: VendorRecord | undefined,
): VendorRecord {
  const { person, place, world } = laptop;
  const lastEvent = event && {
    event: event.event,
    status: event.status,
    status_v2: event.statusV2,
    actor: event.actor,
    npa_status: 'Steering Disabled',
    service_name: service,
    event_details: '',
    timestamp: eventSeconds,
  };
  const classification = event?.status === 'Unmanaged' ? 'Unmanaged' : 'Managed';
  return {
    _id: world.seed.hex(`status ${keyOf(laptop, service)}`, 24),
    hostname: laptop.hostname,
    device_id: laptop.hostname,
    device_hash: world.seed.hex(`hash ${laptop.serial}`, 32),
    guid: world.seed.uuid(`guid ${laptop.nsdeviceuid}`),
    client_version: '126.1.9.2488',
    client_install_time: laptop.installedSeconds,
    ts: now,
    timestamp: now,
    last_event_timestamp: lastEvent ? eventSeconds : (before?.['last_event_timestamp'] ?? eventSeconds),
    heart_beat: laptop.tunnelUp,
    record_type: 'clientstatus',
    count: 1,
    host_info: {
      hostname: laptop.hostname,
      os: laptop.os,
      os_version: laptop.os === 'Windows' ? '10.0 (22631)' : '15.1',
      device_make: 'Contoso',
      device_model: 'C14',
      serial_number: laptop.serial,
      mac_addresses: [laptop.macAddress],
      nsdeviceuid: laptop.nsdeviceuid,
      old_nsdeviceuid: laptop.oldNsdeviceuid,
      managementID: '',
      client_version: '126.1.9.2488',
      steering_config: laptop.steeringConfig,
      last_update_timestamp: laptop.hostInfoSeconds,
    },
    last_seen_device_event: lastEvent ?? before?.['last_seen_device_event'] ?? null,
    user_info: {
      username: person.user,
      userkey: person.userkey,
      orgkey: `O${world.seed.hex('orgkey', 19)}`,
      device_classification_status: classification,
      device_classification_custom_status: '',
    },
    last_connected_from_public_ip: place.ip,
    last_connected_from_private_ip: place.privateIp,
    latitude: place.latitude,
    longitude: place.longitude,
    city: place.city,
    region: place.region,
    country: place.country,
    continent: 'Europe',
    postal_code: '1000',
    zipcode: '1000',
    isp: place.isp,
    as: place.isp,
    asn: '64500',
    organization: place.isp,
    pop_name: 'NL-AM2',
    pop_pinned: 'No',
    enriched: true,
    usergroup: 'Staff',
    organization_unit: 'example.test/Staff',
    user_status: 'Active',
    deleted: false,
    ur_normalized: person.user,
  };
}
