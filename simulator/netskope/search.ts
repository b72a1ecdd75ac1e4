/**
 * What all datasearch routes share: query, time window, order, paging, grouping and projection.
 * @module
 */
import type { Answer } from '../vendor';
import { compileQuery, type Condition, earliest, parseQuery, QueryError } from './jql';

/** A nested vendor record. */
export type VendorRecord = Record<string, unknown>;

/** A place to search in. */
interface Searchable<Row> {
  /** Path of a field inside a record (`host_info.os`), by the name that queries use; undefined: there is none. */
  pathOf(field: string): string | undefined;
  recordOf(row: Row): VendorRecord;
  /** Rows that can fit: any order, may hold more than fits. `fromSeconds` bounds `timestamp`. */
  candidates(condition: Condition | undefined, fromSeconds: number): Iterable<Row>;
  /** The record as it is shown, with the tenant's traps. */
  shown(row: Row): VendorRecord;
  /** Fields that a grouped answer carries when the caller names none. */
  groupedFields: string[];
  /** Page shift of the duplicates trap. */
  duplicates: boolean;
}

/** Value at a dotted path. */
export function valueAt(record: VendorRecord, path: string): unknown {
  if (!path.includes('.')) return record[path];
  let value: unknown = record;
  for (const key of path.split('.')) {
    if (value === null || typeof value !== 'object') return undefined;
    value = (value as VendorRecord)[key];
  }
  return value;
}

function failed(message: string): Answer {
  const status = { count: 0, execution: 'FAILED', message, status_code: 400 };
  return { status: 200, body: { result: [], status } };
}

/** Answer a search: HTTP 200 also for a failed execution, as the vendor does; 400 for a query that cannot be read. */
export function search<Row>(query: URLSearchParams, where: Searchable<Row>): Answer {
  const names = (name: string) =>
    (query.get(name) ?? '')
      .split(',')
      .map((part) => part.trim())
      .filter(Boolean);
  const number = (name: string, otherwise: number) => Number(query.get(name) ?? otherwise);
  const fields = names('fields');
  const groups = names('groupbys');
  const orders = names('orderbys').map((order) => order.split(/\s+/));
  const start = number('starttime', -Infinity);
  const end = number('endtime', Infinity);
  const offset = number('offset', 0);
  const limit = number('limit', 10_000);
  if ([start, end, offset, limit].some(Number.isNaN)) return failed('A number was expected');

  const unknown = [...fields, ...groups, ...orders.map(([name]) => name!)].find((name) => !where.pathOf(name));
  if (unknown) return failed(`Unknown field: ${unknown}`);

  let condition: Condition | undefined;
  let fits: (row: Row) => boolean = () => true;
  try {
    const text = query.get('query')?.trim();
    condition = text ? parseQuery(text) : undefined;
    if (condition) fits = compileQuery(condition, (field) => reader(field, where));
  } catch (error) {
    if (!(error instanceof QueryError)) throw error;
    return { status: 400, body: { message: error.message } };
  }

  let rows: Row[] = [];
  for (const row of where.candidates(condition, Math.max(start, earliest(condition)))) {
    const time = where.recordOf(row)['timestamp'] as number;
    if (time >= start && time <= end && fits(row)) rows.push(row);
  }
  sort(rows, orders.length ? orders : [['timestamp', 'DESC']], where);
  if (groups.length) rows = newestPerGroup(rows, groups, where);
  // An offset scan is no snapshot: with the trap, one row has moved over the page's edge meanwhile.
  const from = where.duplicates && offset > 0 ? offset - 1 : offset;
  const page = rows.slice(from, from + limit);
  const result = page.map((row) => project(where.shown(row), fields, groups, where));
  return {
    status: 200,
    body: { result, status: { count: result.length, execution: 'SUCCESS', message: 'ok', status_code: 200 } },
  };
}

function reader<Row>(field: string, where: Searchable<Row>): (row: Row) => unknown {
  const path = where.pathOf(field);
  if (!path) throw new QueryError(`Unknown field: ${field}`);
  return (row) => valueAt(where.recordOf(row), path);
}

function sort<Row>(rows: Row[], orders: string[][], where: Searchable<Row>): void {
  const keys = orders.map(([name, direction]) => ({
    read: reader(name!, where),
    sign: direction?.toUpperCase() === 'DESC' ? -1 : 1,
  }));
  rows.sort((a, b) => {
    for (const { read, sign } of keys) {
      const [x, y] = [read(a), read(b)] as [number, number];
      if (x < y) return -sign;
      if (x > y) return sign;
    }
    return 0;
  });
}

function newestPerGroup<Row>(rows: Row[], groups: string[], where: Searchable<Row>): Row[] {
  const readers = groups.map((name) => reader(name, where));
  const newest = new Map<string, Row>();
  for (const row of rows) {
    const key = JSON.stringify(readers.map((read) => read(row) ?? null));
    const held = newest.get(key);
    const time = (r: Row) => where.recordOf(r)['timestamp'] as number;
    if (!held || time(row) > time(held)) newest.set(key, row);
  }
  return [...newest.values()];
}

function project<Row>(record: VendorRecord, fields: string[], groups: string[], where: Searchable<Row>): VendorRecord {
  if (groups.length) {
    const flat: VendorRecord = { _id: Object.fromEntries(groups.map((g) => [g, valueAt(record, where.pathOf(g)!)])) };
    for (const name of fields.length ? fields : where.groupedFields) {
      const value = valueAt(record, where.pathOf(name)!);
      if (name !== '_id' && value !== undefined) flat[name.split('.').at(-1)!] = value;
    }
    return flat;
  }
  if (!fields.length) return record;
  const projected: VendorRecord = {};
  for (const name of fields) {
    const value = valueAt(record, name.includes('.') || name in record ? name : where.pathOf(name)!);
    if (value === undefined) continue;
    const keys = name.split('.');
    let inside = projected;
    for (const key of keys.slice(0, -1)) inside = (inside[key] ??= {}) as VendorRecord;
    inside[keys.at(-1)!] = value;
  }
  return projected;
}
