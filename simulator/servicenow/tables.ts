/**
 * State of ServiceNow: incidents, their journal, choices, users and computers, as rows of tables.
 * @module
 */
import type { Person, World } from '../world';

/** A row of a table: all values are texts, as in ServiceNow's own answers. */
export type Row = Record<string, string>;
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
export const references: Record<string, string> = { caller_id: 'sys_user', cmdb_ci: 'cmdb_ci_computer' };
/** Fields found without a scan. */
const indexedFields = ['number', 'element_id', 'correlation_id', 'u_serial'];

/** What a test gives to open a ticket. */
interface NewTicket {
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
      this.#tables.set(name, {
        rows: new Map(),
        byField: new Map(indexedFields.map((field) => [field, new Map<string, Row[]>()])),
      });
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
        sys_created_by: 'sim-servicenow',
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
