/**
 * How Netskope is talked to: two APIs, seven conventions for success, and paging that survives a moving list.
 * @module
 */
import { BadInput, VendorRefused, type ErrorCode } from '../errors';
import { createVendorClient, type VendorClient } from '../http';
import type { Call, Operation } from '../roles';
import { searchPage } from './schemas';
import type { NetskopeSettings } from './settings';

type Right = 'Read' | 'Read + Write' | 'v1 token';

const read = (name: string, method: Operation['method'], path: string, right: Right): Operation => ({
  name,
  method,
  path,
  changes: false,
  permission: permissionFor(path, right),
});
const change = (name: string, method: Operation['method'], path: string, right: Right): Operation => ({
  ...read(name, method, path, right),
  changes: true,
});

/** A v2 token is given a right on each endpoint; one of v1 may do everything. */
const permissionFor = (path: string, right: Right) =>
  right === 'v1 token' ? right : `${right} on ${path.replace('/{id}', '')}`;

/**
 * Every call that this plugin can make. Reads by POST may need Read + Write, because the scope goes by method
 * (facts/netskope.md 1.1).
 */
export const operations = {
  clientStatus: read('datasearch.clientstatus', 'GET', '/api/v2/events/datasearch/clientstatus', 'Read'),
  alerts: read('datasearch.alert', 'GET', '/api/v2/events/datasearch/alert', 'Read'),
  pages: read('datasearch.page', 'GET', '/api/v2/events/datasearch/page', 'Read'),
  network: read('datasearch.network', 'GET', '/api/v2/events/datasearch/network', 'Read'),
  listUsers: read('scim.listUsers', 'GET', '/api/v2/scim/Users', 'Read'),
  readUser: read('scim.readUser', 'GET', '/api/v2/scim/Users/{id}', 'Read'),
  listGroups: read('scim.listGroups', 'GET', '/api/v2/scim/Groups', 'Read'),
  readGroup: read('scim.readGroup', 'GET', '/api/v2/scim/Groups/{id}', 'Read'),
  patchGroup: change('scim.patchGroup', 'PATCH', '/api/v2/scim/Groups/{id}', 'Read + Write'),
  getUsers: read('users.getusers', 'POST', '/api/v2/users/getusers', 'Read + Write'),
  getGroups: read('users.getgroups', 'POST', '/api/v2/users/getgroups', 'Read + Write'),
  getTags: read('tags.gettags', 'POST', '/api/v2/devices/device/tags/gettags', 'Read + Write'),
  createTag: change('tags.create', 'POST', '/api/v2/devices/device/tags', 'Read + Write'),
  addTag: change('tags.bulkadd', 'POST', '/api/v2/devices/device/tags/bulkadd', 'Read + Write'),
  removeTag: change('tags.bulkremove', 'POST', '/api/v2/devices/device/tags/bulkremove', 'Read + Write'),
  v1Clients: read('v1.clients', 'POST', '/api/v1/clients', 'v1 token'),
  classificationRules: read('classification.rules', 'GET', '/api/v2/deviceclassification/rules', 'Read'),
  npaRules: read('npa.rules', 'GET', '/api/v2/policy/npa/rules', 'Read'),
  v1SteeringConfig: read('v1.steeringconfig', 'POST', '/api/v1/steeringconfig', 'v1 token'),
} satisfies Record<string, Operation>;

export interface NetskopeClients {
  v2: VendorClient;
  /** Changes of device tags: a slower pace than all the rest. */
  tagChanges: VendorClient;
  /** Undefined where the settings name no v1 token. Every body must carry it. */
  v1?: { client: VendorClient; token: string };
}

export function createClients({ url, token, v1Token, timeoutMs }: NetskopeSettings): NetskopeClients {
  const common = { vendor: 'netskope', baseUrl: url, timeoutMs, describeError: failureIn };
  const v2 = { ...common, auth: { kind: 'header', name: 'Netskope-Api-Token', value: token } } as const;
  const clients: NetskopeClients = {
    v2: createVendorClient(v2),
    // The vendor's own program makes about five of these calls a minute (CE DEVICE_BULK_TAG_INTER_BATCH_SLEEP).
    tagChanges: createVendorClient({ ...v2, limit: { requests: 5, perMs: 60_000 } }),
  };
  if (v1Token !== undefined) {
    const v1 = { ...common, auth: { kind: 'none' as const }, secrets: [v1Token] };
    // DOC22 rest-api-v1-overview: 24 requests in 5 s.
    clients.v1 = { client: createVendorClient({ ...v1, limit: { requests: 24, perMs: 5_000 } }), token: v1Token };
  }
  return clients;
}

/**
 * A failure inside a 2xx (facts/netskope.md 1.2). SCIM answers success with 204 or a resource, device classification
 * with a bare array or nothing: those say nothing of failure. The other five families have a word for it.
 */
export function failureIn(answer: { status: number; body: unknown }): { code?: ErrorCode; text?: string } | undefined {
  const { status: http, body } = answer;
  if (http < 200 || http > 299 || typeof body !== 'object' || body === null || Array.isArray(body)) return undefined;
  const { status, success, ok } = body as { status?: unknown; success?: unknown; ok?: unknown };
  // Device tags and dataexport.
  if (success === false || ok === 0) return {};
  // v1 and policies.
  if (typeof status === 'string' && status.toLowerCase() !== 'success') {
    if (/not found/i.test(status)) return { code: 'LDP_NOT_FOUND' };
    return /token|authori[sz]ation|authenticat/i.test(JSON.stringify(body)) ? { code: 'LDP_NOT_AUTHENTICATED' } : {};
  }
  // Datasearch. The casing of the word cannot be relied on.
  const { execution, status_code: code } = (typeof status === 'object' && status !== null ? status : {}) as {
    execution?: unknown;
    status_code?: unknown;
  };
  if (typeof execution !== 'string' || execution.toLowerCase() === 'success') return undefined;
  const { message } = status as { message?: unknown };
  const text = typeof message === 'string' ? message : execution;
  const temporary = Number(code) >= 500 || /time[d -]*out|try again|unavailable/i.test(text);
  return { text: `${execution}: ${text}`, ...(temporary && { code: 'LDP_SERVER_ERROR' as const }) };
}

/** True for "this tenant does not have it": the gateway's 404. */
export function isNotOffered(error: unknown): boolean {
  return error instanceof VendorRefused && error.code === 'LDP_NOT_OFFERED';
}

/** Names of vendors and of people are shorter (characters). A query travels in the address, which must not grow too long. */
const longestValue = 320;

/** Whether a query can hold this value. A name that none can hold is left out where other names are asked for as well. */
export function canBeAskedFor(value: string): boolean {
  if (value.length > longestValue || /[\\\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u.test(value)) return false;
  return !value.includes("'") || !value.includes('"');
}

/**
 * A value for a query. Netskope documents no way to escape inside its quotes, so the kind of quote that the value does
 * not contain is used.
 * @throws BadInput LDP_BAD_INPUT for a value with both kinds, a backslash or a control character, or that is too long
 */
export function quoted(value: string, field: string): string {
  if (!canBeAskedFor(value)) {
    throw new BadInput('LDP_BAD_INPUT', `${field}: holds characters that Netskope cannot be asked for`, { field });
  }
  return value.includes("'") ? `"${value}"` : `'${value}'`;
}

/** `field eq 'A'`, or `field in ['a', 'A']`. */
export function oneOf(field: string, values: Iterable<string>, named: string): string {
  const [first = "''", ...more] = [...new Set(values)].map((value) => quoted(value, named));
  return more.length === 0 ? `${field} eq ${first}` : `${field} in [${[first, ...more].join(', ')}]`;
}

interface Search {
  query?: string;
  fields: string[];
  /** Epoch seconds. Undefined: the vendor's own window. */
  from?: number;
}

/** Records in one page of datasearch. The vendor's programs use up to 10 000 (SDK). */
const pageSize = 5_000;
/** How long the vendor may search (seconds): a little less than we wait by default. */
const searchTimeoutS = 25;
/** Pages in one go; what is beyond is read by the next look. */
const mostPages = 200;

/**
 * Everything that a search finds, each record once. Pages go by time and not by offset: the list moves while it is
 * read (a device that reports jumps to its end), and an offset would then skip others. Each page begins one second
 * before the end of the last, and records that come twice are dropped by their id; the newer one stays.
 */
export async function searchAll(
  client: VendorClient,
  operation: Operation,
  search: Search,
  call: Call,
): Promise<unknown[]> {
  const found = new Map<string, unknown>();
  let from = search.from;
  let offset = 0;
  for (let page = 0; page < mostPages; page++) {
    const { body } = await client.request(operation, {
      call,
      query: {
        query: search.query,
        fields: search.fields.length > 0 ? search.fields.join(',') : undefined,
        orderbys: 'timestamp ASC',
        starttime: from,
        limit: pageSize,
        offset,
        // Demanded by every datasearch but this one (SDK datasearch.py).
        timeout: operation === operations.clientStatus ? undefined : searchTimeoutS,
      },
      schema: searchPage,
    });
    for (const record of body.result) found.set(idOf(record), record);
    if (body.result.length < pageSize) break;
    const last = Number((body.result.at(-1) as { timestamp?: unknown } | null)?.timestamp) - 1;
    if (last > (from ?? 0)) {
      from = last;
      offset = 0;
    } else offset += pageSize;
  }
  return [...found.values()];
}

/** `_id` is an object in grouped answers, and may be missing. */
function idOf(record: unknown): string {
  const id = (record as { _id?: unknown } | null)?._id;
  return typeof id === 'string' ? id : JSON.stringify(id ?? record);
}
