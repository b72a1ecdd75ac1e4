/**
 * CrowdStrike Falcon as HTTP: the token endpoint and the Hosts service.
 * @module
 */
import { z } from 'zod';
import { type Answer, jsonOf, RateLimit, type Vendor, type VendorRequest } from '../vendor';
import type { World } from '../world';
import { readFilter } from './filter';
import type { Host } from './hosts';

const clientId = 'sim-crowdstrike-client';
const clientSecret = 'sim-crowdstrike-secret';
const tokenSeconds = 1799;
const minuteMs = 60_000;

const idsSchema = z.object({ ids: z.array(z.string()).min(1).max(5000) });
const filterable = ['device_id', 'hostname', 'serial_number', 'platform_name', 'status', 'last_seen', 'external_ip'];

/** As Falcon writes a moment: whole seconds. */
const moment = (ms: number) => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');

/** Falcon as HTTP. */
export function createCrowdStrike(world: World): Vendor {
  const hosts = () => world.crowdstrike;
  const limits = new RateLimit();
  /** Tokens and when they end, in real time. */
  const tokens = new Map<string, number>();

  const envelope = (resources: unknown[] | null, errors: { code: number; message: string; id?: string }[] = []) => ({
    meta: { query_time: 0.01, powered_by: 'device-api', trace_id: world.seed.uuid('trace') },
    resources,
    errors,
  });
  const refused = (code: number, message: string): Answer => ({
    status: code,
    body: envelope(null, [{ code, message }]),
  });

  function token(request: VendorRequest): Answer {
    const form = new URLSearchParams(request.body);
    if (request.method !== 'POST') return refused(405, 'Method Not Allowed');
    if (form.get('client_id') !== clientId || form.get('client_secret') !== clientSecret) {
      return refused(403, 'access denied, authorization failed');
    }
    const value = `sim-crowdstrike-token-${world.seed.hex(`falcon token ${tokens.size}`, 32)}`;
    tokens.set(value, Date.now() + tokenSeconds * 1000);
    return { status: 201, body: { access_token: value, token_type: 'bearer', expires_in: tokenSeconds } };
  }

  function combined({ query }: VendorRequest): Answer {
    const fits = readFilter(query.get('filter') ?? '', filterable);
    if (!fits) return refused(400, 'Invalid filter expression supplied');
    const limit = Number(query.get('limit') ?? 100);
    const from = Number(query.get('offset') || 0);
    if (!(limit >= 1 && limit <= 10_000)) return refused(400, 'Limit must be between 1 and 10000');
    const found = [...hosts().all.values()]
      .map((host) => resource(world, host))
      .filter((one) => fits(one))
      .sort((a, b) => (a.device_id < b.device_id ? -1 : 1));
    const next = from + limit < found.length ? String(from + limit) : '';
    const fields = query.get('fields')?.split(',');
    const shown = found
      .slice(from, from + limit)
      .map((one) => (fields ? Object.fromEntries(Object.entries(one).filter(([name]) => fields.includes(name))) : one));
    const body = envelope(shown);
    const pagination = { total: found.length, limit, offset: String(from), next };
    return { status: 200, body: { ...body, meta: { ...body.meta, pagination } } };
  }

  /** Known hosts, and an error in the envelope for each that is not. */
  function byId(ids: string[]): { known: Host[]; errors: { code: number; message: string; id: string }[] } {
    return {
      known: ids.flatMap((id) => hosts().all.get(id) ?? []),
      errors: ids
        .filter((id) => !hosts().all.has(id))
        .map((id) => ({ code: 404, message: `Device not found: ${id}`, id })),
    };
  }

  function act({ query, body }: VendorRequest): Answer {
    const action = query.get('action_name');
    const asked = idsSchema.safeParse(jsonOf(body));
    if (!asked.success || (action !== 'contain' && action !== 'lift_containment')) {
      return refused(400, 'Provided data does not match expected format');
    }
    const { known, errors } = byId(asked.data.ids);
    const changes = known.map((host) => (action === 'contain' ? hosts().contain(host) : hosts().lift(host)));
    if (known.length > 0 && changes.every((change) => change === undefined)) {
      return refused(409, `Device is already in the requested state or has the action pending: ${action}`);
    }
    const resources = known
      .filter((_, index) => changes[index] !== undefined)
      .map(({ deviceId: id }) => ({ id, path: `/devices/entities/devices/v1?ids=${id}` }));
    // Accepted, it says, also when a host was not found: the errors stand inside.
    return { status: 202, body: envelope(resources, errors), changed: changes.filter(Boolean).join('; ') || null };
  }

  const routes: Record<string, (request: VendorRequest) => Answer> = {
    'GET /devices/combined/devices/v1': combined,
    'POST /devices/entities/devices/v2'({ body }) {
      const asked = idsSchema.safeParse(jsonOf(body));
      if (!asked.success) return refused(400, 'Provided data does not match expected format');
      const { known, errors } = byId(asked.data.ids);
      return {
        status: known.length > 0 ? 200 : 404,
        body: envelope(
          known.map((host) => resource(world, host)),
          errors,
        ),
      };
    },
    'GET /devices/entities/online-state/v1'({ query }) {
      const { known, errors } = byId(query.getAll('ids'));
      const states = known.map((host) => ({
        id: host.deviceId,
        cid,
        last_seen: moment(host.lastSeenMs),
        state: hosts().isOnline(host) ? 'online' : 'offline',
      }));
      return { status: 200, body: envelope(states, errors) };
    },
    'POST /devices/entities/devices-actions/v2': act,
  };

  return {
    name: 'crowdstrike',
    answers: (path) => path === '/oauth2/token' || path.startsWith('/devices/'),
    answer(request) {
      const limit = world.tenant.limits.crowdStrikePerMinute;
      const { remaining, resetMs } = limits.count('all', limit, minuteMs);
      const headers: Record<string, string> = {
        'x-ratelimit-limit': String(limit),
        'x-ratelimit-remaining': String(Math.max(0, remaining)),
      };
      if (remaining < 0) {
        headers['x-ratelimit-retryafter'] = String(Math.ceil((Date.now() + resetMs) / 1000));
        return { ...refused(429, 'API rate limit exceeded.'), headers };
      }
      if (request.path === '/oauth2/token') return { headers, ...token(request) };
      const bearer = request.headers.authorization?.replace(/^Bearer /i, '') ?? '';
      if ((tokens.get(bearer) ?? 0) <= Date.now()) {
        return { headers, ...refused(401, 'access denied, invalid bearer token') };
      }
      const route = routes[`${request.method} ${request.path}`];
      return { headers, ...(route ? route(request) : refused(404, 'Not Found')) };
    },
  };
}

const cid = '0123456789abcdef0123456789abcdef';

function resource(world: World, host: Host) {
  const { deviceId, laptop, status, firstSeenMs, lastSeenMs, externalIp, localIp } = host;
  return {
    device_id: deviceId,
    cid,
    hostname: laptop.hostname,
    serial_number: laptop.serial,
    platform_name: laptop.os,
    system_manufacturer: 'Contoso',
    system_product_name: 'C14',
    mac_address: laptop.macAddress.toLowerCase(),
    external_ip: externalIp,
    local_ip: localIp,
    connection_ip: localIp,
    first_seen: moment(firstSeenMs),
    last_seen: moment(lastSeenMs),
    modified_timestamp: moment(world.clock.now()),
    // Not the user's principal name: what the machine calls its session.
    last_login_user: laptop.person.givenName.toLowerCase(),
    status,
    filesystem_containment_status: 'normal',
    reduced_functionality_mode: 'no',
    rtr_state: '',
  };
}
