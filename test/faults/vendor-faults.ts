/**
 * What can go wrong at a vendor, each in that vendor's own words: the columns of the fault matrix.
 * @module
 */
import type { Operation } from '../../plugins/roles';

/** The body of `POST /control/faults`, without what it matches. */
export interface Effect {
  effect: Record<string, unknown>;
  when?: 'before' | 'after';
}

export interface VendorFault {
  name: string;
  /**
   * `once`: the next call of the operation meets it. `until mended`: every call, until a person is asked. `all along`: every
   * call from the beginning of the journey to its end. `clock`: the vendor's clock is wrong by so much (milliseconds).
   */
  lasts: 'once' | 'until mended' | 'all along' | { clockAheadMs: number };
  /** Several where the vendor has several ways; none where it does not apply to this operation. */
  of(vendor: string, operation: Operation): Effect[];
}

const always = (effect: Effect) => () => [effect];
const status = (code: number, body: unknown, headers?: Record<string, string>): Effect => ({
  effect: { status: code, body, ...(headers && { headers }) },
});
const twoHoursMs = 2 * 60 * 60_000;

export const vendorFaults: VendorFault[] = [
  { name: '500', lasts: 'once', of: always(status(500, { message: 'Internal Server Error' })) },
  {
    name: '502 after doing it',
    lasts: 'once',
    of: always({ ...status(502, '<html>Bad Gateway</html>', { 'content-type': 'text/html' }), when: 'after' }),
  },
  { name: '429', lasts: 'once', of: (vendor, operation) => [tooMany(vendor, operation)] },
  { name: 'time-out before', lasts: 'once', of: always({ effect: { hang: true } }) },
  { name: 'time-out after', lasts: 'once', of: always({ effect: { hang: true }, when: 'after' }) },
  { name: 'reset before', lasts: 'once', of: always({ effect: { reset: true } }) },
  { name: 'reset after', lasts: 'once', of: always({ effect: { reset: true }, when: 'after' }) },
  { name: 'half a body', lasts: 'once', of: always({ effect: { truncate: true }, when: 'after' }) },
  {
    name: 'garbage',
    lasts: 'once',
    of: always(status(200, '<html>Welcome to the hotel. Sign in.</html>', { 'content-type': 'text/html' })),
  },
  { name: '401 once', lasts: 'once', of: (vendor, operation) => [notLetIn(vendor, operation)] },
  { name: '401 for ever', lasts: 'until mended', of: (vendor, operation) => [notLetIn(vendor, operation)] },
  { name: '200 that is a failure', lasts: 'once', of: failuresInside },
  {
    name: 'reads that lag',
    lasts: 'all along',
    of: (_, { changes }) => (changes ? [] : [{ effect: { lagReads: 2 } }]),
  },
  { name: 'clock 2 h ahead', lasts: { clockAheadMs: twoHoursMs }, of: always({ effect: {} }) },
  { name: 'clock 2 h behind', lasts: { clockAheadMs: -twoHoursMs }, of: always({ effect: {} }) },
];

const isV1 = ({ path }: Operation) => path.startsWith('/api/v1/');

/** How long the vendor asks us to wait stands in its headers, but for PagerDuty and Netskope v1: they have none. */
export const saysHowLong = (vendor: string, operation: Operation) => vendor !== 'pagerduty' && !isV1(operation);

/** Headers and words: facts on each vendor's limits; the simulator's own 429 look the same. */
function tooMany(vendor: string, operation: Operation): Effect {
  const inASecond = String(Math.ceil(Date.now() / 1000) + 1);
  switch (vendor) {
    case 'netskope':
      return status(
        429,
        { message: 'API rate limit exceeded' },
        isV1(operation) ? {} : { 'ratelimit-limit': '4', 'ratelimit-remaining': '0', 'ratelimit-reset': '1' },
      );
    case 'crowdstrike':
      return status(
        429,
        { resources: null, errors: [{ code: 429, message: 'API rate limit exceeded.' }] },
        { 'x-ratelimit-limit': '6000', 'x-ratelimit-remaining': '0', 'x-ratelimit-retryafter': inASecond },
      );
    case 'servicenow':
      return status(
        429,
        { error: { message: 'Rate limit exceeded', detail: '' }, status: 'failure' },
        { 'x-ratelimit-limit': '1000', 'x-ratelimit-reset': inASecond, 'retry-after': '1' },
      );
    case 'pagerduty':
      return status(429, { status: 'throttle exceeded', message: 'Request Limit Exceeded' });
    default:
      return status(429, { error: { code: 'TooManyRequests', message: 'Too many requests' } }, { 'retry-after': '1' });
  }
}

/** Netskope v1 and PagerDuty's events carry their key in the body, and refuse a wrong one in their own ways. */
function notLetIn(vendor: string, operation: Operation): Effect {
  if (isV1(operation))
    return status(200, { status: 'error', errorCode: 'Authorization Error', errors: ['Invalid token'] });
  switch (vendor) {
    case 'netskope':
      return status(401, { message: 'Unauthorized' });
    case 'crowdstrike':
      return status(401, { resources: null, errors: [{ code: 401, message: 'access denied, invalid bearer token' }] });
    case 'servicenow':
      return status(401, { error: { message: 'User Not Authenticated', detail: '' }, status: 'failure' });
    case 'pagerduty':
      return operation.changes
        ? status(400, { status: 'invalid event', message: 'Event object is invalid', errors: ['Invalid routing key'] })
        : status(401, { error: { message: 'Unauthorized', code: 2006 } });
    default:
      return status(401, { error: { code: 'InvalidAuthenticationToken', message: 'Access token has expired' } });
  }
}

/** None where the vendor tells every failure by its status: SCIM, Graph's other calls, ServiceNow, PagerDuty. */
function failuresInside(vendor: string, { name, path, changes }: Operation): Effect[] {
  const said = (...bodies: unknown[]) => bodies.map((body) => status(200, body));
  if (vendor === 'crowdstrike') {
    const inside = (code: number, message: string) => ({ resources: null, errors: [{ code, message }] });
    const code = changes ? 202 : 200;
    const failed = status(code, inside(500, 'Internal error'));
    return changes ? [failed, status(code, inside(404, 'Device not found'))] : [failed];
  }
  if (vendor === 'entra') {
    if (name === 'users.revokeSignInSessions') return said({ value: false });
    if (name === 'synchronization.provisionOnDemand')
      return said({ key: JSON.stringify({ result: 'Failure', errorCode: 'SystemForCrossDomain' }), value: '{}' });
    return [];
  }
  if (vendor !== 'netskope') return [];
  // facts/netskope.md 1.2: seven conventions; SCIM, user management and device classification fail by status.
  if (path.startsWith('/api/v1/'))
    return said({ status: 'error', errorCode: 'Internal Error', errors: ['Cannot process'] });
  if (path.startsWith('/api/v2/events/datasearch/'))
    return said(
      { result: [], status: { count: 0, execution: 'FAILED', message: 'Query execution failed', status_code: 400 } },
      { result: [], status: { count: 0, execution: 'Failed', message: 'Query timed out', status_code: 504 } },
    );
  if (path.startsWith('/api/v2/policy/'))
    return said({ status: 'error', message: "policy doesn't exist" }, { status: 'not found' });
  if (path.startsWith('/api/v2/devices/device/tags')) return said({ success: false, error: 'Internal error' });
  return [];
}
