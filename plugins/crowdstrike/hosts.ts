/**
 * Falcon's Hosts service as this plugin uses it: its operations, its answers, and the filters that hosts are looked for with.
 * @module
 */
import { z } from 'zod';
import type { ErrorCode } from '../errors';
import { BadInput } from '../errors';
import { createVendorClient, type VendorClient } from '../http';
import { vendorName, vendorWords } from '../../playbook/plain-text';
import type { Call, Operation } from '../roles';
import type { CrowdStrikeSettings } from './settings';

/** Scopes of an API client (psfalcon issue 161). Calls: falconpy _hosts.py, gofalcon client/hosts. */
export const operations = {
  searchHosts: {
    name: 'hosts.search',
    method: 'GET',
    path: '/devices/combined/devices/v1',
    changes: false,
    permission: 'Hosts: Read',
  },
  readHosts: {
    name: 'hosts.read',
    method: 'POST',
    path: '/devices/entities/devices/v2',
    changes: false,
    permission: 'Hosts: Read',
  },
  readOnlineState: {
    name: 'hosts.onlineState',
    method: 'GET',
    path: '/devices/entities/online-state/v1',
    changes: false,
    permission: 'Hosts: Read',
  },
  act: {
    name: 'hosts.act',
    method: 'POST',
    path: '/devices/entities/devices-actions/v2',
    changes: true,
    permission: 'Hosts: Write',
  },
} as const satisfies Record<string, Operation>;

export function createFalcon(settings: CrowdStrikeSettings): VendorClient {
  return createVendorClient({
    vendor: 'crowdstrike',
    baseUrl: settings.url,
    auth: {
      kind: 'client-credentials',
      // The token lives for 30 minutes (docs.rs/rusty_falcon).
      tokenUrl: `${settings.url}/oauth2/token`,
      clientId: settings.clientId,
      clientSecret: settings.clientSecret,
    },
    timeoutMs: settings.timeoutMs,
    describeError,
  });
}

const envelope = z.object({
  errors: z.array(z.object({ code: z.number().nullish(), message: z.string().nullish() })),
});

const codes: Record<number, ErrorCode> = {
  401: 'LDP_NOT_AUTHENTICATED',
  403: 'LDP_NOT_PERMITTED',
  409: 'LDP_CONFLICT',
  429: 'LDP_RATE_LIMITED',
};

/**
 * Every answer has a list of errors, also one that says "accepted" or "here they are". A host that is not there (404) is no
 * failure of a 2xx: it is missing among the resources.
 */
function describeError({ status, body }: { status: number; body: unknown }) {
  const first = envelope.safeParse(body).data?.errors.find(({ code }) => code !== 404);
  if (!first || status > 299) return undefined;
  const code = first.code ?? 0;
  return { code: codes[code] ?? (code >= 500 ? 'LDP_SERVER_ERROR' : 'LDP_REFUSED'), text: first.message ?? '' };
}

// --- filters -----------------------------------------------------------------------------------------------------

/**
 * A condition of the Falcon Query Language.
 * @throws BadInput LDP_BAD_INPUT for a value with a quote, a backslash, a wildcard or a control character: how these are escaped is
 * not documented, and a filter that says something else than it was meant to finds other hosts.
 */
export function equals(field: 'serial_number' | 'hostname', value: string): string {
  if (!/^[^'"\\*[\]\p{Cc}\p{Cs}\p{Zl}\p{Zp}]{1,200}$/u.test(value)) {
    throw new BadInput('LDP_BAD_INPUT', `crowdstrike: a ${field} with ' " \\ * [ or ] cannot be looked for`, { field });
  }
  return `${field}:'${value}'`;
}

/** @param fromSeconds epoch seconds. */
export function seenSince(fromSeconds: number): string {
  return `last_seen:>='${new Date(fromSeconds * 1000).toISOString().replace('.000Z', 'Z')}'`;
}

/** Hosts on one page: 10,000 is the most (gofalcon combined_devices_by_filter_parameters.go). */
const pageSize = 5_000;
/** A vendor that goes round in circles must not keep us (pages). */
const mostPages = 200;
const fields = [
  ...['device_id', 'serial_number', 'hostname', 'email', 'last_login_user', 'platform_name'],
  ...['status', 'last_seen', 'external_ip', 'local_ip'],
].join(',');

const page = z.object({
  meta: z.object({ pagination: z.object({ next: z.string().nullish() }).nullish() }).nullish(),
  resources: z.array(z.unknown()).nullish(),
});

/** All hosts that fit a filter, unread. A filter is never empty: without one Falcon answers with every host of the company. */
export async function* search(falcon: VendorClient, filter: string, call: Call): AsyncGenerator<unknown, void> {
  if (filter === '') throw new BadInput('LDP_BAD_INPUT', 'crowdstrike: a filter is empty', { field: 'filter' });
  let offset: string | undefined;
  for (let pages = 0; pages < mostPages; pages += 1) {
    const { body } = await falcon.request(operations.searchHosts, {
      call,
      query: { filter, fields, limit: pageSize, sort: 'device_id.asc', offset },
      schema: page,
    });
    yield* body.resources ?? [];
    offset = body.meta?.pagination?.next || undefined;
    if (offset === undefined) return;
  }
}

// --- answers: what is not known is missing, empty or null ------------------------------------------------------------

const text = z.string().nullish().transform(vendorWords);
const name = z.string().nullish().transform(vendorName);
const moment = text.transform((value) =>
  value === undefined || Number.isNaN(Date.parse(value)) ? undefined : new Date(value).toISOString(),
);

/** `deviceapi.DeviceSwagger` of gofalcon, as far as it is read. */
export const hostSchema = z.object({
  device_id: z.string().min(1),
  serial_number: name,
  hostname: name,
  email: name,
  last_login_user: name,
  platform_name: text,
  status: text,
  last_seen: moment,
  external_ip: text,
  local_ip: text,
});
export type Host = z.infer<typeof hostSchema>;

/** Only a principal name can be compared with others': what a machine calls its session is no name of a person. */
export function namesOf({ serial_number: serial, hostname, email, last_login_user: login }: Host) {
  const user = [email, login].find((name) => name?.includes('@'));
  return {
    ...(serial !== undefined && { serial }),
    ...(hostname !== undefined && { hostname }),
    ...(user !== undefined && { user }),
  };
}
