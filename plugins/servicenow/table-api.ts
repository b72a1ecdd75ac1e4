/**
 * ServiceNow's Table API as this plugin uses it (facts: ServiceNowDocs, c_TableAPI.md).
 * @module
 */
import { z } from 'zod';
import { BadInput } from '../errors';
import { createVendorClient, type VendorClient } from '../http';
import type { Operation } from '../roles';
import type { ServicenowSettings } from './settings';

export const operations = {
  listTickets: {
    name: 'table.list',
    method: 'GET',
    path: '/api/now/table/{table}',
    changes: false,
    permission: 'read the ticket table (itil, or sn_si.basic for security incidents)',
  },
  updateTicket: {
    name: 'table.update',
    method: 'PATCH',
    path: '/api/now/table/{table}/{sysId}',
    changes: true,
    permission: 'write the ticket table (itil, or sn_si.write for security incidents)',
  },
  findNotes: {
    name: 'journal.list',
    method: 'GET',
    path: '/api/now/table/sys_journal_field',
    changes: false,
    permission: 'read sys_journal_field',
  },
  listChoices: {
    name: 'choices.list',
    method: 'GET',
    path: '/api/now/table/sys_choice',
    changes: false,
    permission: 'read sys_choice',
  },
} as const satisfies Record<string, Operation>;

export function createTableApi(settings: ServicenowSettings): VendorClient {
  const { url, user, password, oauth, timeoutMs } = settings;
  return createVendorClient({
    vendor: 'servicenow',
    baseUrl: url,
    auth: oauth
      ? { kind: 'client-credentials', tokenUrl: `${url}/oauth_token.do`, ...oauth }
      : { kind: 'basic', user: user ?? '', password: password ?? '' },
    timeoutMs,
  });
}

/** A column: a text, or an object where a reference was not flattened, or nothing. */
const columnValue = z.union([z.string(), z.boolean(), z.number(), z.object({ value: z.string() }), z.null()]);

/** A row with the columns that were asked for. Columns that the account may not read are left out. */
export const row = z.record(z.string(), columnValue);
export type Row = z.infer<typeof row>;

export const rows = z.object({ result: z.array(row) });

export const updated = z.object({ result: row });

/** A column as text; empty when it is not there. */
export function textOf(of: Row, column: string): string {
  const value = of[column] ?? '';
  return typeof value === 'object' ? value.value : String(value);
}

/**
 * A value inside an encoded query. `^` parts conditions, and is doubled to be itself; a line break would end the query.
 * @throws BadInput LDP_BAD_INPUT for a value with control or half characters, or that ServiceNow would run as a script.
 */
export function queryValue(text: string): string {
  if (/[\p{Cc}\p{Cs}]/u.test(text) || /^\s*javascript:/i.test(text)) {
    throw new BadInput('LDP_BAD_INPUT', 'servicenow: this cannot be looked for', { field: 'query' });
  }
  return text.replaceAll('^', '^^');
}
