/**
 * ServiceNow as HTTP: the Table API.
 * @module
 */
import { type Answer, jsonOf, RateLimit, type Vendor, type VendorRequest } from '../vendor';
import type { World } from '../world';
import { references, type Row } from './tables';

const user = 'sim-servicenow';
const password = 'sim-servicenow-password';

const refused = (status: number, message: string, detail = ''): Answer => ({
  status,
  body: { error: { message, detail }, status: 'failure' },
});

/** ServiceNow as HTTP. */
export function createServiceNow(world: World): Vendor {
  const limits = new RateLimit();
  const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;

  function route(request: VendorRequest): Answer {
    const [, table = '', sysId] = /^\/api\/now(?:\/v[12])?\/table\/([^/]+)(?:\/([^/]+))?$/.exec(request.path) ?? [];
    const rows = world.tickets.table(table);
    if (!rows) return refused(400, `Invalid table ${table}`);
    if (!sysId) {
      if (request.method === 'GET') return list(world, table, request);
      if (request.method !== 'POST' || table !== 'incident') return refused(405, 'Method not supported');
      const row = world.tickets.open(textsOf(jsonOf(request.body)));
      const changed = world.effects.name(`servicenow ${row['number']}`, `servicenow: ${row['number']} opened`);
      return { status: 201, body: { result: show(world, row, request.query, request.origin) }, changed };
    }
    const row = world.tickets.byId(table, sysId);
    if (!row) return refused(404, 'No Record found', "Record doesn't exist or ACL restricts the record retrieval");
    if (request.method === 'GET') {
      return { status: 200, body: { result: show(world, row, request.query, request.origin) } };
    }
    if (!['PATCH', 'PUT'].includes(request.method) || table !== 'incident') return refused(405, 'Method not supported');
    const asked = jsonOf(request.body);
    if (asked === null || typeof asked !== 'object') return refused(400, 'Exception while reading request');
    const done = world.tickets.update(row, textsOf(asked));
    if (!done) {
      const detail = 'Data Policy Exception: The following fields are mandatory: Resolution code, Resolution notes';
      return refused(403, 'Operation Failed', detail);
    }
    return { status: 200, body: { result: show(world, row, request.query, request.origin) }, changed: done.changed };
  }

  return {
    name: 'servicenow',
    answers: (path) => path.startsWith('/api/now/'),
    answer(request) {
      if (request.headers.authorization !== authorization) {
        return refused(401, 'User Not Authenticated', 'Required to provide Auth information');
      }
      const limit = world.tenant.limits.serviceNowPerHour;
      const { remaining, resetMs } = limits.count('all', limit, 3600_000);
      const headers = {
        'x-ratelimit-limit': String(limit),
        'x-ratelimit-reset': String(Math.ceil((Date.now() + resetMs) / 1000)),
        'x-ratelimit-rule': 'Table API per hour',
      };
      const answer =
        remaining < 0
          ? { ...refused(429, 'Rate limit exceeded'), headers: { 'retry-after': String(Math.ceil(resetMs / 1000)) } }
          : route(request);
      return { ...answer, headers: { ...headers, ...answer.headers } };
    },
  };
}

function textsOf(body: unknown): Row {
  return Object.fromEntries(Object.entries(body ?? {}).map(([key, value]) => [key, String(value)]));
}

/** `^` parts the clauses, `^^` is one inside a value. */
function encodedQueryParts(query: string): string[] {
  const parts = query.split(/(?<!\^)\^(?!\^)/);
  return parts.filter(Boolean).map((part) => part.replaceAll('^^', '^'));
}

function list(world: World, table: string, request: VendorRequest): Answer {
  const { query, path, origin } = request;
  const parts = encodedQueryParts(query.get('sysparm_query') ?? '');
  const orders = parts.filter((part) => part.startsWith('ORDERBY'));
  const groups: string[][] = [];
  for (const part of parts.filter((one) => !one.startsWith('ORDERBY'))) {
    if (part.startsWith('OR') && groups.length) groups.at(-1)!.push(part.slice(2));
    else groups.push([part]);
  }
  let rows: Iterable<Row> = world.tickets.table(table)!;
  const tests: ((row: Row) => boolean)[] = [];
  for (const group of groups) {
    const clauses = group.map((part) =>
      /^([a-z0-9_.]+)(!=|>=|<=|=|>|<|NOT IN|IN|LIKE|STARTSWITH|ISEMPTY|ISNOTEMPTY)(.*)$/s.exec(part),
    );
    const wrong = group[clauses.indexOf(null)];
    if (wrong !== undefined) return refused(400, 'Invalid query detected', `Cannot read: ${wrong}`);
    const [only] = clauses as RegExpExecArray[];
    if (clauses.length === 1 && only![2] === '=') rows = world.tickets.byField(table, only![1]!, only![3]!) ?? rows;
    const fits = clauses.map((clause) => test(world, clause![1]!, clause![2]!, clause![3]!));
    tests.push((row) => fits.some((one) => one(row)));
  }
  const found = [...rows].filter((row) => tests.every((one) => one(row)));
  for (const order of orders.reverse()) {
    const descending = order.startsWith('ORDERBYDESC');
    const field = order.slice(descending ? 'ORDERBYDESC'.length : 'ORDERBY'.length);
    const sign = descending ? -1 : 1;
    found.sort(
      (a, b) => sign * (world.tickets.value(a, field) ?? '').localeCompare(world.tickets.value(b, field) ?? ''),
    );
  }
  const limit = Number(query.get('sysparm_limit') ?? 10_000);
  const offset = Number(query.get('sysparm_offset') ?? 0);
  const link = (rel: string, at: number) => {
    const other = new URLSearchParams(query);
    other.set('sysparm_offset', String(at));
    return `<${origin}${path}?${other.toString()}>;rel="${rel}"`;
  };
  const links = [link('first', 0)];
  if (offset > 0) links.push(link('prev', Math.max(0, offset - limit)));
  if (offset + limit < found.length) links.push(link('next', offset + limit));
  return {
    status: 200,
    headers: { link: links.join(','), 'x-total-count': String(found.length) },
    body: { result: found.slice(offset, offset + limit).map((row) => show(world, row, query, origin)) },
  };
}

function test(world: World, field: string, operator: string, operand: string): (row: Row) => boolean {
  const read = (row: Row) => world.tickets.value(row, field) ?? '';
  const operands = operand.split(',');
  switch (operator) {
    case '=':
      return (row) => read(row) === operand;
    case '!=':
      return (row) => read(row) !== operand;
    case '>':
      return (row) => read(row) > operand;
    case '>=':
      return (row) => read(row) >= operand;
    case '<':
      return (row) => read(row) < operand;
    case '<=':
      return (row) => read(row) <= operand;
    case 'IN':
      return (row) => operands.includes(read(row));
    case 'NOT IN':
      return (row) => !operands.includes(read(row));
    case 'LIKE':
      return (row) => read(row).toLowerCase().includes(operand.toLowerCase());
    case 'STARTSWITH':
      return (row) => read(row).startsWith(operand);
    case 'ISEMPTY':
      return (row) => read(row) === '';
    default:
      return (row) => read(row) !== '';
  }
}

function show(world: World, row: Row, query: URLSearchParams, origin: string): Record<string, unknown> {
  const asked = query.get('sysparm_fields');
  const fields = asked ? asked.split(',').map((field) => field.trim()) : Object.keys(row);
  const display = query.get('sysparm_display_value') ?? 'false';
  const links = query.get('sysparm_exclude_reference_link') !== 'true';
  const shown: Record<string, unknown> = {};
  for (const field of fields) {
    const value = world.tickets.value(row, field);
    if (value === undefined) continue;
    const text = world.tickets.display(row, field);
    const reference = references[field];
    const link = reference && value && links ? `${origin}/api/now/table/${reference}/${value}` : undefined;
    if (field.includes('.')) shown[field] = value;
    else if (display === 'all') shown[field] = { display_value: text, value, ...(link && { link }) };
    else if (display === 'true') shown[field] = link ? { display_value: text, link } : text;
    else shown[field] = link ? { link, value } : value;
  }
  return shown;
}
