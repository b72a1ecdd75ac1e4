/**
 * Cloud events: page, network, application, alerts, and the audit log. They are late by nature.
 * @module
 */
import type { Laptop } from '../laptop';
import type { World } from '../world';
import type { Answer } from '../vendor';
import { type Condition, rowsByIndex } from './jql';
import { search, type VendorRecord } from './search';

/** Kinds that `GET /api/v2/events/datasearch/{kind}` knows. */
export const eventKinds = ['alert', 'page', 'network', 'application'] as const;
type EventKind = (typeof eventKinds)[number];

interface EventRow {
  record: VendorRecord;
  visibleAtMs: number;
}

/** Oldest events are dropped above this many of a kind. */
const keptEvents = 50_000;

const fields = new Set([
  ...[
    '_id',
    'timestamp',
    'user',
    'ur_normalized',
    'userkey',
    'hostname',
    'nsdeviceuid',
    'managementID',
    'srcip',
    'userip',
  ],
  ...[
    'device_classification',
    'managed_app',
    'src_country',
    'src_region',
    'src_location',
    'src_zipcode',
    'src_latitude',
  ],
  ...['src_longitude', 'src_geoip_src', 'src_timezone', 'os', 'os_version', 'device', 'access_method', 'app', 'site'],
  ...['category', 'traffic_type', 'url', 'page', 'domain', 'dstip', 'dst_country', 'dstport', 'srcport', 'ip_protocol'],
  ...['session_duration', 'tunnel_type', 'netskope_pop', 'policy', 'action', 'alert_type', 'alert_name', 'policy_id'],
  ...['bypass_traffic', 'bypass_reason', 'ssl_decrypt_policy', 'organization_unit', 'severity', 'type', 'activity'],
]);

/** What happened in the cloud. */
export class Events {
  readonly #kinds = new Map<EventKind, { all: EventRow[]; byName: Map<string, EventRow[]> }>(
    eventKinds.map((kind) => [kind, { all: [], byName: new Map() }]),
  );
  readonly #audit: EventRow[] = [];
  #count = 0;

  constructor(readonly world: World) {}

  /** The laptop used the network through its tunnel: a page, a connection, and an alert when the lost policy bit. */
  traffic(laptop: Laptop): void {
    const blocked = laptop.steeringConfig === this.world.netskope.lostSteeringConfig;
    const base = this.#base(laptop);
    const domain = blocked ? 'mail.example.test' : 'www.example.test';
    const verdict = blocked ? { policy: this.world.netskope.lostPolicy, action: 'block' } : { action: 'allow' };
    this.#add('page', {
      ...base,
      type: 'page',
      ...verdict,
      app: 'example',
      site: 'example',
      category: 'Business',
      traffic_type: 'CloudApp',
      url: `${domain}/inbox`,
      page: domain,
      domain,
      bypass_traffic: 'no',
      dstip: '192.0.2.80',
      dstport: 443,
      netskope_pop: 'NL-AM2',
    });
    this.#add('network', {
      ...base,
      type: 'network',
      action: 'allow',
      dstip: '192.0.2.25',
      dstport: 443,
      srcport: 50_443,
      ip_protocol: 'TCP',
      tunnel_type: 'DTLS',
      session_duration: 30,
      domain: 'mdm.example.test',
    });
    if (!blocked) {
      const app = { app: 'Example Mail', site: 'example', category: 'Webmail', activity: 'Login Successful', domain };
      this.#add('application', { ...base, type: 'nspolicy', nsdeviceuid: laptop.nsdeviceuid, action: 'allow', ...app });
      return;
    }
    this.#add('alert', {
      ...base,
      ...verdict,
      nsdeviceuid: laptop.nsdeviceuid,
      device_classification: 'managed',
      type: 'nspolicy',
      alert_type: 'policy',
      alert_name: this.world.netskope.lostPolicy,
      policy_id: '2001',
      severity: 'High',
      app: 'example',
      site: 'example',
      domain,
      activity: 'Browse',
      netskope_pop: 'NL-AM2',
    });
  }

  /** An administrator did something to a device. */
  audit(what: string, laptop: Laptop): void {
    this.#audit.push({
      visibleAtMs: this.world.clock.now(),
      record: {
        _id: this.world.seed.hex(`audit ${this.#audit.length}`, 24),
        timestamp: this.world.clock.seconds(),
        user: 'admin@example.test',
        type: 'admin_audit_logs',
        audit_log_event: what,
        supporting_data: { data_type: 'hostname', data_values: [laptop.hostname] },
      },
    });
  }

  /** `GET /api/v2/events/datasearch/{kind}`. */
  search(kind: EventKind, query: URLSearchParams): Answer {
    if (!query.get('timeout')) return { status: 400, body: { message: 'timeout is required' } };
    const { all, byName } = this.#kinds.get(kind)!;
    const now = this.world.clock.now();
    return search<EventRow>(query, {
      pathOf: (field) => (fields.has(field) ? field : undefined),
      recordOf: (row) => row.record,
      candidates: (condition: Condition | undefined, fromSeconds) => {
        const from = (rows: EventRow[]) => rows.slice(firstAt(rows, fromSeconds));
        const named = rowsByIndex(condition, (field, value) =>
          field === 'user' || field === 'hostname' ? from(byName.get(`${field} ${value}`) ?? []) : undefined,
        );
        return [...(named ?? from(all))].filter((row) => row.visibleAtMs <= now);
      },
      shown: ({ record }) => {
        if (!this.world.traps.anonymise) return record;
        const user = this.world.anonymous(String(record['user']));
        return { ...record, user, ur_normalized: user };
      },
      groupedFields: ['user', 'hostname', 'timestamp', 'srcip'],
      duplicates: this.world.traps.duplicates,
    });
  }

  /** `GET /api/v2/events/data/audit`: an older family, with `ok` as its word for success. */
  searchAudit(query: URLSearchParams): Answer {
    const number = (name: string, otherwise: number) => Number(query.get(name) ?? otherwise);
    const limit = number('limit', 5000);
    if (!(limit <= 5000)) return { status: 200, body: { ok: 0, result: [], message: 'limit may be 5000 at most' } };
    const [start, end] = [number('starttime', -Infinity), number('endtime', Infinity)];
    const rows = this.#audit
      .map((row) => row.record)
      .filter((record) => {
        const time = record['timestamp'] as number;
        return time >= start && time <= end;
      });
    const offset = number('offset', 0);
    return { status: 200, body: { ok: 1, result: rows.slice(offset, offset + limit) } };
  }

  #add(kind: EventKind, record: VendorRecord): void {
    const store = this.#kinds.get(kind)!;
    this.#count += 1;
    const row = {
      record: { _id: this.world.seed.hex(`event ${this.#count}`, 24), ...record },
      visibleAtMs: this.world.clock.now() + this.#delayMs(),
    };
    store.all.push(row);
    indexByName(store.byName, row);
    if (store.all.length <= keptEvents) return;
    store.all.splice(0, keptEvents / 2);
    store.byName.clear();
    for (const kept of store.all) indexByName(store.byName, kept);
  }

  #delayMs(): number {
    const { lateEvents } = this.world.traps;
    if (lateEvents === false) return 0;
    const name = `delay ${this.#count}`;
    if (lateEvents === true) return this.world.seed.between(name, 300_000, 1_200_000);
    return this.#count % 10 === 0 ? 720_000 : this.world.seed.between(name, 60_000, 240_000);
  }

  #base(laptop: Laptop): VendorRecord {
    const { person, place } = laptop;
    return {
      timestamp: this.world.clock.seconds(),
      user: person.user,
      ur_normalized: person.user,
      userkey: person.userkey,
      hostname: laptop.hostname,
      managementID: '',
      srcip: place.ip,
      userip: place.privateIp,
      src_country: place.country,
      src_region: place.region,
      src_location: place.city,
      src_zipcode: '1000',
      src_latitude: place.latitude,
      src_longitude: place.longitude,
      src_geoip_src: 1,
      os: laptop.os,
      os_version: laptop.os,
      device: laptop.os === 'Windows' ? 'Windows Device' : 'Mac Device',
      access_method: 'Client',
      organization_unit: 'example.test/Staff',
    };
  }
}

function indexByName(byName: Map<string, EventRow[]>, row: EventRow): void {
  for (const field of ['user', 'hostname']) {
    const name = `${field} ${String(row.record[field])}`;
    const rows = byName.get(name);
    if (rows) rows.push(row);
    else byName.set(name, [row]);
  }
}

/** Index of the first row at or after the time: rows stand in the order of their timestamps. */
function firstAt(rows: EventRow[], seconds: number): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((rows[middle]!.record['timestamp'] as number) < seconds) low = middle + 1;
    else high = middle;
  }
  return low;
}
