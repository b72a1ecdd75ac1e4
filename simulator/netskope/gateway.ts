/**
 * Netskope's gateway: tokens, scopes, limits and routes. Behind it stand the tenant's parts.
 * @module
 */
import type { World } from '../world';
import { type Answer, RateLimit, type Vendor, type VendorRequest } from '../vendor';
import { eventKinds } from './events';
import { answerLegacy } from './legacy';
import { answerScim } from './scim';
import { getGroups, getUsers } from './users';

/** The v2 token that the simulator takes. */
const v2Token = 'sim-netskope-v2-token';

const noRoute: Answer = { status: 404, body: { message: 'no Route matched with those values' } };
const searchRoute = '/api/v2/events/datasearch/';

/** The Netskope tenant as HTTP. */
export function createNetskope(world: World): Vendor {
  const limits = new RateLimit();
  let requests = 0;

  function route(request: VendorRequest): Answer | undefined {
    const { path, method, query } = request;
    const { netskope } = world;
    if (path.startsWith(searchRoute) && method === 'GET') {
      const what = path.slice(searchRoute.length);
      if (what === 'clientstatus') return netskope.status.search(query);
      const kind = eventKinds.find((one) => one === what);
      return kind && netskope.events.search(kind, query);
    }
    if (path === '/api/v2/events/data/audit' && method === 'GET') return netskope.events.searchAudit(query);
    if (path.startsWith('/api/v2/scim/')) return answerScim(world, request);
    if (path === '/api/v2/users/getusers' && method === 'POST') return getUsers(world, request.body);
    if (path === '/api/v2/users/getgroups' && method === 'POST') return getGroups(world, request.body);
    if (path.startsWith('/api/v2/devices/device/tags')) return netskope.tags.answer(request);
    if (path.startsWith('/api/v2/deviceclassification/')) return netskope.tags.answerClassification(request);
    if (path.startsWith('/api/v2/policy/npa/rules')) return netskope.npaRules.answer(request);
    return undefined;
  }

  /** The endpoint that a limit counts: without the ids in its path. */
  const endpointOf = (path: string) => path.replace(/\/[0-9a-f-]{36}$|\/\d+$/, '');

  function limited(request: VendorRequest): { answer?: Answer; headers: Record<string, string> } {
    const setup = world.tenant.limits;
    const [key, limit, windowMs] = request.path.startsWith('/api/v1/')
      ? (['v1', setup.netskopeV1PerFiveSeconds, 5000] as const)
      : request.path.startsWith('/api/v2/devices/device/tags')
        ? ([request.path, setup.deviceTagsPerMinute, 60_000] as const)
        : ([endpointOf(request.path), setup.netskopePerSecond, 1000] as const);
    const { remaining, resetMs } = limits.count(key, limit, windowMs);
    const reset = String(Math.ceil(resetMs / 1000));
    if (key === 'v1') {
      return remaining < 0
        ? { answer: { status: 429, body: { message: 'Too many requests' } }, headers: {} }
        : { headers: {} };
    }
    const headers = {
      'ratelimit-limit': String(limit),
      'ratelimit-remaining': String(Math.max(0, remaining)),
      'ratelimit-reset': reset,
    };
    if (remaining >= 0) return { headers };
    const answer = { status: 429, headers: { 'retry-after': reset }, body: { message: 'API rate limit exceeded' } };
    return { answer, headers };
  }

  function authorised(request: VendorRequest): Answer | undefined {
    const bearer = request.headers.authorization?.replace(/^Bearer /i, '');
    const token = request.headers['netskope-api-token'] ?? bearer;
    if (token === undefined) return { status: 401, body: { message: 'No API key found in request' } };
    if (token !== v2Token || !world.tenant.tokensValid) return { status: 401, body: { message: 'Unauthorized' } };
    const scopes = Object.entries(world.tenant.scopes).filter(([prefix]) => request.path.startsWith(prefix));
    const scope = scopes.sort(([a], [b]) => b.length - a.length)[0]?.[1] ?? 'readwrite';
    // The scope goes by method: reading by POST needs more than Read.
    const allowed = scope === 'readwrite' || (scope === 'read' && request.method === 'GET');
    return allowed ? undefined : { status: 403, body: { message: 'You cannot consume this service' } };
  }

  return {
    name: 'netskope',
    answers: (path) => path.startsWith('/api/v1/') || path.startsWith('/api/v2/'),
    answer(request) {
      requests += 1;
      const { answer: tooMany, headers } = limited(request);
      const off = world.tenant.switchedOff.some((prefix) => request.path.startsWith(prefix));
      const answer = off
        ? noRoute
        : (tooMany ??
          (request.path.startsWith('/api/v1/')
            ? answerLegacy(world, request)
            : (authorised(request) ?? route(request))) ??
          noRoute);
      const id = world.seed.hex(`request ${requests}`, 32);
      return { ...answer, headers: { 'x-request-id': id, ...headers, ...answer.headers } };
    },
  };
}
