/**
 * The inventory of clients: asked by name or by time, at v2 first, at v1 where v2 does not offer it and the tenant still
 * has a v1 token.
 * @module
 */
import { VendorRefused } from '../errors';
import type { Call, DeviceQuery } from '../roles';
import { canBeAskedFor, isNotOffered, oneOf, operations, searchAll, type NetskopeClients } from './client';
import { statusFieldNames, statusRecord, v1Clients } from './schemas';
import { readStatus, type ClientStatus } from './status';

export interface Inventory {
  /** Records that carry any of the names, by default as far back as the vendor looks by itself. */
  named(queries: DeviceQuery[], call: Call, fromSeconds?: number): Promise<Found>;
  /** Records that changed since then. */
  since(fromSeconds: number, call: Call): Promise<Found>;
}

export interface Found {
  statuses: ClientStatus[];
  /** Records that could not be read. */
  putAside: number;
  /** Call and field of the first of them. */
  problem?: string;
}

/** Clients in one page of v1: below both documented limits (facts/netskope.md 2.1). */
const v1PageSize = 1_000;

export function createInventory({ v2, v1 }: NetskopeClients): Inventory {
  /** False once this tenant refused the list of fields: not every tenant is known to have all of them. */
  let projected = true;

  async function search(query: string | undefined, from: number | undefined, call: Call): Promise<unknown[]> {
    const asked = { ...(query !== undefined && { query }), ...(from !== undefined && { from }) };
    if (!projected) return searchAll(v2, operations.clientStatus, { ...asked, fields: [] }, call);
    try {
      return await searchAll(v2, operations.clientStatus, { ...asked, fields: statusFieldNames }, call);
    } catch (error) {
      if (!(error instanceof VendorRefused) || error.code !== 'LDP_REFUSED') throw error;
      const whole = await searchAll(v2, operations.clientStatus, { ...asked, fields: [] }, call);
      projected = false;
      return whole;
    }
  }

  async function searchV1(query: string, call: Call): Promise<unknown[]> {
    if (!v1) return [];
    const records = new Map<string, unknown>();
    for (let skip = 0; ; skip += v1PageSize) {
      const { body } = await v1.client.request(operations.v1Clients, {
        call,
        json: { token: v1.token, query, limit: v1PageSize, skip },
        schema: v1Clients,
      });
      // The same client can stand on two pages (JupiterOne CHANGELOG 1.2.5).
      for (const { attributes } of body.data) {
        for (const record of fromV1(attributes)) records.set(JSON.stringify(record['key']), record);
      }
      if (body.data.length < v1PageSize) return [...records.values()];
    }
  }

  /** Ask v2, and v1 in its words where v2 is not there. */
  async function ask(
    v2Query: string | undefined,
    v1Query: string,
    from: number | undefined,
    call: Call,
  ): Promise<unknown[]> {
    try {
      return await search(v2Query, from, call);
    } catch (error) {
      if (!v1 || !isNotOffered(error)) throw error;
      return searchV1(v1Query, call);
    }
  }

  return {
    async named(queries, call, fromSeconds) {
      const v2Query = anyName(queries, v2Names);
      if (v2Query === '') return { statuses: [], putAside: 0 };
      return readAll(await ask(v2Query, anyName(queries, v1Names), fromSeconds, call), call.now);
    },
    async since(fromSeconds, call) {
      return readAll(await ask(undefined, `last_event.timestamp gt ${fromSeconds - 1}`, fromSeconds, call), call.now);
    },
  };
}

function readAll(records: unknown[], now: string): Found {
  const found: Found = { statuses: [], putAside: 0 };
  for (const [index, record] of records.entries()) {
    const parsed = statusRecord.safeParse(record);
    if (parsed.success) found.statuses.push(readStatus(parsed.data, now));
    else {
      found.putAside += 1;
      const issue = parsed.error.issues[0];
      const field = [`result[${index}]`, ...(issue?.path ?? [])].map(String).join('.');
      found.problem ??= `netskope ${operations.clientStatus.name}: ${field}: ${issue?.message ?? 'is not readable'}`;
    }
  }
  return found;
}

type NameFields = Record<'serial' | 'hostname' | 'nsdeviceuid' | 'user', string>;

const v2Names: NameFields = {
  serial: 'host_info.serial_number',
  hostname: 'hostname',
  nsdeviceuid: 'host_info.nsdeviceuid',
  user: 'username',
};
const v1Names: NameFields = {
  serial: 'host_info.serialNumber',
  hostname: 'host_info.hostname',
  nsdeviceuid: 'host_info.nsdeviceuid',
  user: 'users.username',
};

/**
 * One query for all names, joined by `or`; empty when none can be asked for. `eq` is case-sensitive (CLI docs), so the usual
 * spellings are all asked for. A name that no query can hold must not keep the others from being found.
 */
function anyName(queries: DeviceQuery[], fields: NameFields): string {
  const conditions = (Object.keys(fields) as (keyof NameFields)[]).flatMap((name) => {
    const values = queries.flatMap((query) => query[name]?.trim() || []);
    const spellings = values
      .flatMap((value) => [value, value.toUpperCase(), value.toLowerCase()])
      .filter(canBeAskedFor);
    return spellings.length > 0 ? [oneOf(fields[name], spellings, name)] : [];
  });
  return conditions.join(' or ');
}

/** The records of one v1 client, one per user, under the names of v2. */
function fromV1(attributes: {
  host_info?: Record<string, unknown> | null | undefined;
  last_event?: Record<string, unknown> | null | undefined;
  users?: Record<string, unknown>[] | null | undefined;
}): Record<string, unknown>[] {
  const host = attributes.host_info ?? {};
  return (attributes.users?.length ? attributes.users : [{}]).map((user) => {
    const event = (user['last_event'] ?? attributes.last_event ?? {}) as Record<string, unknown>;
    return {
      key: [host['nsdeviceuid'], host['hostname'], user['userkey'], user['username']],
      hostname: host['hostname'],
      host_info: {
        os: host['os'],
        device_model: host['device_model'],
        serial_number: host['serialNumber'],
        mac_addresses: host['macAddresses'],
        nsdeviceuid: host['nsdeviceuid'],
        old_nsdeviceuid: host['old_nsdeviceuid'],
        steering_config: host['steeringConfig'],
        last_update_timestamp: host['last_hostinfo_update_timestamp'],
      },
      last_seen_device_event: { ...event, service_name: event['service_name'] ?? undefined },
      user_info: { username: user['username'], userkey: user['userkey'] },
    };
  });
}
