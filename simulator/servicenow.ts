/**
 * ServiceNow: the Table API for incidents, their journal, choices and users.
 * @module
 */
import { type Answer, jsonOf, RateLimit, type Vendor, type VendorRequest } from './vendor';
import type { Person, World } from './world';

/** Basic credentials that the simulator takes. */
export const serviceNowUser = 'sim-servicenow';
export const serviceNowPassword = 'sim-servicenow-password';

/** A row of a table: all values are texts, as in ServiceNow's own answers. */
type Row = Record<string, string>;
type Table = { rows: Map<string, Row>; byField: Map<string, Map<string, Row[]>> };

const states: Record<string, string> = {
  '1': 'New',
  '2': 'In Progress',
  '3': 'On Hold',
  '6': 'Resolved',
  '7': 'Closed',
  '8': 'Canceled',
};
const closeCodes = ['Solution provided', 'Resolved by caller', 'No resolution provided', 'Resolved by request'];
const writable = [
  ...['short_description', 'description', 'category', 'subcategory', 'close_code', 'close_notes', 'correlation_id'],
  ...['correlation_display', 'caller_id', 'cmdb_ci', 'u_serial', 'u_hostname', 'hold_reason', 'assigned_to', 'impact'],
  ...['urgency', 'priority', 'assignment_group'],
];
/** Fields that hold a `sys_id` of another table. */
const references: Record<string, string> = { caller_id: 'sys_user', cmdb_ci: 'cmdb_ci_computer' };
/** Fields found without a scan. */
const indexedFields = ['number', 'element_id', 'correlation_id', 'u_serial'];

/** What a test gives to open a ticket. */
export interface NewTicket {
  number?: string | undefined;
  short_description?: string | undefined;
  description?: string | undefined;
  category?: string | undefined;
  u_serial?: string | undefined;
  /** Serial or hostname of a laptop. */
  cmdb_ci?: string | undefined;
  /** A user, with or without the domain. */
  caller?: string | undefined;
}

/** The tables, and what can be done to them. */
export class TicketTables {
  readonly #tables = new Map<string, Table>();
  #numbers = 10_000;
  #entries = 0;

  constructor(readonly world: World) {
    for (const name of ['incident', 'sys_journal_field', 'sys_choice', 'sys_user', 'cmdb_ci_computer']) {
      this.#tables.set(name, { rows: new Map(), byField: new Map(indexedFields.map((field) => [field, new Map()])) });
    }
    const choices = [
      ...closeCodes.map((code) => ['close_code', code, code] as const),
      ...Object.entries(states).map(([value, label]) => ['state', value, label] as const),
    ];
    for (const [element, value, label] of choices) {
      const sys_id = world.seed.hex(`choice ${element} ${value}`, 32);
      this.#insert('sys_choice', {
        sys_id,
        name: 'incident',
        element,
        value,
        label,
        inactive: 'false',
        language: 'en',
      });
    }
  }

  /** Open an incident. */
  open(ticket: NewTicket): Row {
    this.#numbers += 1;
    const number = ticket.number ?? `INC00${this.#numbers}`;
    const caller = ticket.caller?.toLowerCase() ?? '';
    const person = this.world.people.get(caller) ?? this.world.people.get(`${caller}@example.test`);
    const ci = [...this.world.laptops.values()].find(
      (l) => ticket.cmdb_ci && [l.serial, l.hostname].includes(ticket.cmdb_ci),
    );
    const now = this.#now();
    return this.#insert('incident', {
      sys_id: this.world.seed.hex(`incident ${number}`, 32),
      number,
      short_description: ticket.short_description ?? '',
      description: ticket.description ?? '',
      category: ticket.category ?? 'equipment_loss',
      subcategory: '',
      state: '1',
      incident_state: '1',
      active: 'true',
      caller_id: person ? this.#userRow(person)['sys_id']! : '',
      cmdb_ci: ci ? this.#computerRow(ci.serial, ci.hostname)['sys_id']! : '',
      u_serial: ticket.u_serial ?? '',
      u_hostname: '',
      close_code: '',
      close_notes: '',
      resolved_at: '',
      hold_reason: '',
      assigned_to: '',
      assignment_group: '',
      impact: '2',
      urgency: '2',
      priority: '3',
      correlation_id: '',
      correlation_display: '',
      work_notes: '',
      comments: '',
      opened_at: now,
      sys_created_on: now,
      sys_updated_on: now,
      sys_class_name: 'incident',
    });
  }

  /** All incidents with their notes, for tests. */
  tickets(): { number: string; sysId: string; state: string; workNotes: string[]; comments: string[]; fields: Row }[] {
    return [...this.#tables.get('incident')!.rows.values()].map((row) => ({
      number: row['number']!,
      sysId: row['sys_id']!,
      state: states[row['state']!]!,
      workNotes: this.#journal(row, 'work_notes'),
      comments: this.#journal(row, 'comments'),
      fields: row,
    }));
  }

  table(name: string): Iterable<Row> | undefined {
    return this.#tables.get(name)?.rows.values();
  }

  byId(table: string, sysId: string): Row | undefined {
    return this.#tables.get(table)?.rows.get(sysId);
  }

  byField(table: string, field: string, value: string): Row[] | undefined {
    const index = this.#tables.get(table)!.byField.get(field);
    return index && (index.get(value) ?? []);
  }

  /** The row that a reference field points at. */
  referenced(field: string, sysId: string): Row | undefined {
    return sysId ? this.byId(references[field] ?? '', sysId) : undefined;
  }

  /** Change an incident: null when the data policy forbids it. */
  update(row: Row, asked: Row): { changed: string | null } | null {
    const { effects } = this.world;
    const number = row['number']!;
    const state = asked['state'] ?? asked['incident_state'];
    const closing = state === '6' || state === '7';
    const after = { ...row, ...Object.fromEntries(writable.flatMap((f) => (f in asked ? [[f, asked[f]!]] : []))) };
    if (closing && (!after['close_code'] || !after['close_notes'])) return null;
    const changes: string[] = [];
    for (const field of ['correlation_id', 'close_code', 'close_notes']) {
      if (after[field] === row[field] || (closing && field !== 'correlation_id')) continue;
      changes.push(
        effects.name(`servicenow ${number} ${field}`, `servicenow: ${field} of ${number} is ${after[field]}`),
      );
    }
    this.#unindex(row);
    Object.assign(row, after, { sys_updated_on: this.#now() });
    this.#index('incident', row);
    // A resolution written again is a change: it writes the notes and the time anew, and tells the caller again.
    if (state !== undefined && states[state] && (state !== row['state'] || closing)) {
      row['state'] = row['incident_state'] = state;
      // As at the vendor, a resolved incident is still active; a closed one is not.
      row['active'] = String(state !== '7' && state !== '8');
      if (closing) row['resolved_at'] = this.#now();
      changes.push(effects.name(`servicenow state of ${number}`, `servicenow: ${number} is ${states[state]}`));
    }
    for (const element of ['work_notes', 'comments'] as const) {
      const text = asked[element];
      if (!text) continue;
      this.#entries += 1;
      this.#insert('sys_journal_field', {
        sys_id: this.world.seed.hex(`journal ${this.#entries}`, 32),
        name: 'incident',
        element,
        element_id: row['sys_id']!,
        value: text,
        sys_created_on: this.#now(),
        sys_created_by: serviceNowUser,
      });
      const marker = /\[[^\]]*\]/.exec(text)?.[0] ?? `"${text.slice(0, 60)}"`;
      const what = element === 'work_notes' ? 'note' : 'COMMENT THAT THE CALLER SEES';
      changes.push(
        effects.name(`servicenow ${element} ${number} ${marker}`, `servicenow: ${what} ${marker} added to ${number}`),
      );
    }
    return { changed: changes.join('; ') || null };
  }

  /** A field's value, through references too (`caller_id.user_name`). */
  value(row: Row, field: string): string | undefined {
    const [first, second] = field.split('.') as [string, string?];
    if (second === undefined) return row[first];
    return this.referenced(first, row[first] ?? '')?.[second];
  }

  /** A value as people read it. */
  display(row: Row, field: string): string {
    const value = row[field] ?? '';
    if (field === 'state' || field === 'incident_state') return states[value] ?? value;
    if (field === 'work_notes' || field === 'comments') return this.#journal(row, field).join('\n\n');
    if (field in references) return this.referenced(field, value)?.['name'] ?? '';
    return value;
  }

  #journal(row: Row, element: string): string[] {
    const entries = this.byField('sys_journal_field', 'element_id', row['sys_id']!) ?? [];
    return entries.filter((entry) => entry['element'] === element).map((entry) => entry['value']!);
  }

  #userRow(person: Person): Row {
    const { user, sysId: sys_id } = person;
    const name = `${person.givenName} ${person.familyName}`;
    return this.byId('sys_user', sys_id) ?? this.#insert('sys_user', { sys_id, user_name: user, email: user, name });
  }

  #computerRow(serial: string, hostname: string): Row {
    const sys_id = this.world.seed.hex(`ci ${serial}`, 32);
    const row = { sys_id, name: hostname, serial_number: serial };
    return this.byId('cmdb_ci_computer', sys_id) ?? this.#insert('cmdb_ci_computer', row);
  }

  #insert(table: string, row: Row): Row {
    this.#tables.get(table)!.rows.set(row['sys_id']!, row);
    this.#index(table, row);
    return row;
  }

  #index(table: string, row: Row): void {
    for (const [field, index] of this.#tables.get(table)!.byField) {
      const value = row[field];
      if (value) index.set(value, [...(index.get(value) ?? []), row]);
    }
  }

  #unindex(row: Row): void {
    for (const [field, index] of this.#tables.get('incident')!.byField) {
      const value = row[field];
      if (value)
        index.set(
          value,
          (index.get(value) ?? []).filter((other) => other !== row),
        );
    }
  }

  #now(): string {
    return new Date(this.world.clock.now()).toISOString().slice(0, 19).replace('T', ' ');
  }
}

const refused = (status: number, message: string, detail = ''): Answer => ({
  status,
  body: { error: { message, detail }, status: 'failure' },
});

/** ServiceNow as HTTP. */
export function createServiceNow(world: World): Vendor {
  const limits = new RateLimit();
  const authorization = `Basic ${Buffer.from(`${serviceNowUser}:${serviceNowPassword}`).toString('base64')}`;

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
  return Object.fromEntries(Object.entries((body ?? {}) as object).map(([key, value]) => [key, String(value)]));
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
