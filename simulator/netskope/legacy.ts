/**
 * API v1: clients and steering configurations, with the token in the body (or, as older scripts do, in the URL).
 * @module
 */
import type { World } from '../world';
import { type Answer, jsonOf, type VendorRequest } from '../vendor';
import { type StatusRow } from './client-status';
import { compileQuery, earliest, parseQuery, QueryError, rowsByIndex } from './jql';
import { valueAt, type VendorRecord } from './search';

/** The v1 token that the simulator takes. */
const v1Token = 'sim-netskope-v1-token';

const refused = (errorCode: string, error: string): Answer => ({
  status: 200,
  body: { status: 'error', errorCode, errors: [error] },
});
const done = (data: unknown): Answer => ({ status: 200, body: { status: 'success', msg: '', data } });

/** Where a v1 query field stands in a v2 row. */
const paths: Record<string, string> = {
  'host_info.hostname': 'hostname',
  'host_info.nsdeviceuid': 'host_info.nsdeviceuid',
  'host_info.serialNumber': 'host_info.serial_number',
  'host_info.os': 'host_info.os',
  'last_event.timestamp': 'last_seen_device_event.timestamp',
  'users.username': 'user_info.username',
  'users.user_groups.username': 'user_info.username',
  device_id: 'device_id',
  _id: 'device_id',
};

/** Answers under `/api/v1/`. Undefined: no such route. */
export function answerLegacy(world: World, request: VendorRequest): Answer | undefined {
  if (request.method !== 'GET' && request.method !== 'POST') return undefined;
  const fromBody = request.method === 'POST' ? jsonOf(request.body) : undefined;
  const given: Record<string, unknown> = { ...Object.fromEntries(request.query), ...(fromBody as object | undefined) };
  if (given['token'] !== v1Token || !world.tenant.tokensValid) {
    return refused('Authorization Error', 'Invalid token');
  }
  switch (request.path) {
    case '/api/v1/clients':
      return clients(world, given);
    case '/api/v1/steeringconfiglist':
      return done(world.netskope.steeringConfigs.map((name, i) => ({ config_id: i + 1, config_name: name })));
    case '/api/v1/steeringconfig':
      return steeringConfig(world, given);
    default:
      return undefined;
  }
}

/** What the administrators let through for lost laptops: Intune, Entra and the Falcon sensor (us-1 and eu-1). */
export const lostExceptions = [
  ...['*.manage.microsoft.com', 'manage.microsoft.com', '*.dm.microsoft.com', '*.do.dsp.mp.microsoft.com'],
  ...['*.dl.delivery.mp.microsoft.com', 'login.microsoftonline.com', '*.login.microsoftonline.com', 'login.live.com'],
  ...['account.live.com', 'graph.microsoft.com', 'graph.windows.net', 'enterpriseregistration.windows.net'],
  ...['*.enterpriseregistration.windows.net', 'go.microsoft.com', 'config.edge.skype.com', 'ecs.office.com'],
  ...['*.notify.windows.com', '*.wns.windows.com', '*.apple.com', 'setup.icloud.com'],
  ...['ts01-b', 'lfodown01-b', 'lfoup01-b'].map((name) => `${name}.cloudsink.net`),
  ...['ts01', 'lfodown01', 'lfoup01'].map((name) => `${name}-lanner-lion.cloudsink.net`),
];

function clients(world: World, given: Record<string, unknown>): Answer {
  const limit = Number(given['limit'] ?? 5000);
  const skip = Number(given['skip'] ?? 0);
  if (!(limit >= 1 && limit <= 5000) || !(skip >= 0)) return refused('Invalid Parameter', 'limit may be 1 to 5000');
  const { status } = world.netskope;
  const path = (field: string) => {
    const known = paths[field];
    if (!known) throw new QueryError(`Unknown field ${field}`);
    return known;
  };
  let rows: StatusRow[];
  try {
    const text = typeof given['query'] === 'string' ? given['query'].trim() : '';
    const condition = text ? parseQuery(text) : undefined;
    const fits = condition
      ? compileQuery<StatusRow>(condition, (field) => {
          const at = path(field);
          return (row) => valueAt(row.record, at);
        })
      : () => true;
    const named = rowsByIndex(condition, (field, value) => status.named(paths[field] ?? '', value));
    rows = [...(named ?? status.since(earliest(condition)))].filter((row) => row.key !== 'ruin' && fits(row));
  } catch (error) {
    if (error instanceof QueryError) return refused('Invalid Query', error.message);
    throw error;
  }
  const from = world.traps.duplicates && skip > 0 ? skip - 1 : skip;
  return done(rows.slice(from, from + limit).map((row) => ({ attributes: legacyRecord(world, row) })));
}

function legacyRecord(world: World, { record, serial }: StatusRow): VendorRecord {
  const at = (path: string) => valueAt(record, path);
  const { person } = world.laptops.get(serial)!;
  const username = String(at('user_info.username'));
  const { groups } = world.netskope;
  const event = at('last_seen_device_event') as VendorRecord;
  return {
    _id: record['device_id'],
    device_id: record['device_id'],
    client_version: record['client_version'],
    client_install_time: record['client_install_time'],
    user_added_time: record['client_install_time'],
    last_event_service_name: event['service_name'],
    host_info: {
      hostname: record['hostname'],
      os: at('host_info.os'),
      os_version: at('host_info.os_version'),
      device_make: at('host_info.device_make'),
      device_model: at('host_info.device_model'),
      managementID: '',
      nsdeviceuid: at('host_info.nsdeviceuid'),
      old_nsdeviceuid: at('host_info.old_nsdeviceuid'),
      serialNumber: at('host_info.serial_number'),
      macAddresses: at('host_info.mac_addresses'),
      steeringConfig: at('host_info.steering_config'),
      migrated_revision: '1',
      // A text here, a number in v2.
      last_hostinfo_update_timestamp: String(at('host_info.last_update_timestamp')),
    },
    last_event: event,
    users: [
      {
        _id: world.seed.hex(`v1 user ${person.userkey}`, 24),
        username: world.traps.anonymise ? world.anonymous(username) : username,
        userkey: person.userkey,
        user_source: 'Directory',
        user_state: 0,
        user_added_time: Number(record['client_install_time']) + 0.25,
        user_groups: groups.groupsSeenOf(person).map((group) => group.displayName),
        device_classification_status: at('user_info.device_classification_status'),
        device_classification_custom_status: '',
        heartbeat_status: record['heart_beat'] ? 'Active' : 'Inactive',
        heartbeat_status_since: record['timestamp'],
        last_event: event,
      },
    ],
  };
}

function steeringConfig(world: World, given: Record<string, unknown>): Answer {
  const { steeringConfigs, lostSteeringConfig } = world.netskope;
  const name = given['config'] ?? steeringConfigs[Number(given['config_id']) - 1];
  if (typeof name !== 'string' || !steeringConfigs.includes(name)) return refused('Not Found', 'No such configuration');
  const lost = name === lostSteeringConfig;
  const { privateApps, without, byLocation, place } = world.tenant.lostSteering;
  const left = lost ? lostExceptions.filter((host) => !without.includes(host)) : ['intranet.example.test'];
  return done([
    {
      steering_config: name,
      enabled: true,
      private_apps_enabled: lost ? privateApps : true,
      priority: lost ? String(place) : '2',
      location_based_steering: lost && byLocation,
      ...(lost && byLocation
        ? { on_prem: steeringBlock(lostExceptions), off_prem: steeringBlock(left) }
        : steeringBlock(left)),
    },
  ]);
}

function steeringBlock(domains: string[]) {
  const listed = (data: unknown[]) => ({ data, count: data.length });
  return {
    traffic_type: 'web',
    steered_traffic: listed(['All']),
    exceptions: {
      // Misspelt at the vendor.
      applictions: listed([]),
      domains: listed(domains),
      src_netloc: listed([]),
      dst_netloc: listed([]),
      categories: listed([]),
      countries: listed([]),
      cert_pinned_apps: listed([]),
    },
  };
}
