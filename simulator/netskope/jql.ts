/**
 * The subset of Netskope's query language that the playbook may use: eq, ne, gt, ge, lt, le, in, like, between, and,
 * or, parentheses, both kinds of quotes. `eq` tells upper from lower case; the vendor documents no escape inside quotes.
 * @module
 */

type Operand = string | number;
/** A query, read. */
export type Condition =
  | { kind: 'and' | 'or'; parts: Condition[] }
  | { kind: 'compare'; field: string; operator: Operator; operands: Operand[] };

const operators = ['eq', 'ne', 'gt', 'ge', 'lt', 'le', 'in', 'like', 'between'] as const;
type Operator = (typeof operators)[number];

/** A query that the gateway does not understand. */
export class QueryError extends Error {}

const tokenPattern = /\s*(?:("[^"]*"|'[^']*')|([()[\],])|([^\s()[\],"']+))/gy;

type Token = { kind: 'text'; value: string } | { kind: 'mark' | 'word'; value: string };

function tokens(query: string): Token[] {
  const found: Token[] = [];
  tokenPattern.lastIndex = 0;
  let end = 0;
  for (let match = tokenPattern.exec(query); match; match = tokenPattern.exec(query)) {
    end = tokenPattern.lastIndex;
    if (match[1] !== undefined) found.push({ kind: 'text', value: match[1].slice(1, -1) });
    else if (match[2] !== undefined) found.push({ kind: 'mark', value: match[2] });
    else found.push({ kind: 'word', value: match[3]! });
  }
  if (query.slice(end).trim() !== '') throw new QueryError(`Invalid query near: ${query.slice(end, end + 20)}`);
  return found;
}

/**
 * Read a query.
 * @throws QueryError when it is not one.
 */
export function parseQuery(query: string): Condition {
  const rest = tokens(query);
  let at = 0;
  const isWord = (word: string) => rest[at]?.kind === 'word' && rest[at]!.value.toLowerCase() === word;
  const isMark = (...marks: string[]) => rest[at]?.kind === 'mark' && marks.includes(rest[at]!.value);
  const wrong = () => new QueryError(`Invalid query near: ${rest[at]?.value ?? 'the end'}`);

  function operand(): Operand {
    const token = rest[at];
    if (!token || token.kind === 'mark') throw wrong();
    at += 1;
    return token.kind === 'word' && /^-?\d+(\.\d+)?$/.test(token.value) ? Number(token.value) : token.value;
  }
  function list(): Operand[] {
    if (!isMark('[', '(')) throw wrong();
    at += 1;
    const items = [operand()];
    while (isMark(',')) {
      at += 1;
      items.push(operand());
    }
    if (!isMark(']', ')')) throw wrong();
    at += 1;
    return items;
  }
  function one(): Condition {
    if (isMark('(')) {
      at += 1;
      const inside = any();
      if (!isMark(')')) throw wrong();
      at += 1;
      return inside;
    }
    const field = rest[at];
    if (field?.kind !== 'word') throw wrong();
    at += 1;
    const operator = operators.find(isWord);
    if (!operator) throw wrong();
    at += 1;
    const operands = operator === 'in' || operator === 'between' ? list() : [operand()];
    return { kind: 'compare', field: field.value, operator, operands };
  }
  function chain(kind: 'and' | 'or', part: () => Condition): Condition {
    const parts = [part()];
    while (isWord(kind)) {
      at += 1;
      parts.push(part());
    }
    return parts.length === 1 ? parts[0]! : { kind, parts };
  }
  const all = () => chain('and', one);
  const any = (): Condition => chain('or', all);

  const condition = any();
  if (at < rest.length) throw wrong();
  return condition;
}

type Test<Row> = (row: Row) => boolean;

/** Make a test of rows from a condition. `read` gives the value of a field; it throws for fields that do not exist. */
export function compileQuery<Row>(condition: Condition, read: (field: string) => (row: Row) => unknown): Test<Row> {
  if (condition.kind !== 'compare') {
    const tests = condition.parts.map((part) => compileQuery(part, read));
    return condition.kind === 'and' ? (row) => tests.every((t) => t(row)) : (row) => tests.some((t) => t(row));
  }
  const value = read(condition.field);
  const fits = comparison(condition.operator, condition.operands);
  return (row) => {
    const found = value(row);
    return Array.isArray(found) ? found.some(fits) : fits(found);
  };
}

function comparison(operator: Operator, operands: Operand[]): (value: unknown) => boolean {
  const [first, second] = operands as [Operand, Operand];
  const same = (value: unknown, operand: Operand) =>
    typeof operand === 'number' ? Number(value ?? NaN) === operand : String(value) === operand;
  const number = (value: unknown) => (value === null || value === undefined ? NaN : Number(value));
  switch (operator) {
    case 'eq':
      return (value) => same(value, first);
    case 'ne':
      return (value) => !same(value, first);
    case 'in':
      return (value) => operands.some((operand) => same(value, operand));
    case 'gt':
      return (value) => number(value) > Number(first);
    case 'ge':
      return (value) => number(value) >= Number(first);
    case 'lt':
      return (value) => number(value) < Number(first);
    case 'le':
      return (value) => number(value) <= Number(first);
    case 'between':
      return (value) => number(value) >= Number(first) && number(value) <= Number(second);
    case 'like': {
      const escaped = String(first).replace(/[.+?^${}()|[\]\\]/g, '\\$&');
      const pattern = new RegExp(`^${escaped.replaceAll('*', '.*')}$`, 'is');
      return (value) => typeof value === 'string' && pattern.test(value);
    }
  }
}

/**
 * Rows that can fit, from an index; undefined when the condition cannot be answered from one.
 * `lookUp` answers undefined for fields without an index.
 */
export function rowsByIndex<Row>(
  condition: Condition | undefined,
  lookUp: (field: string, value: string) => Iterable<Row> | undefined,
): Set<Row> | undefined {
  if (!condition) return undefined;
  if (condition.kind === 'compare') {
    if (condition.operator !== 'eq' && condition.operator !== 'in') return undefined;
    const found = new Set<Row>();
    for (const operand of condition.operands) {
      const rows = lookUp(condition.field, String(operand));
      if (!rows) return undefined;
      for (const row of rows) found.add(row);
    }
    return found;
  }
  if (condition.kind === 'and') {
    for (const part of condition.parts) {
      const rows = rowsByIndex(part, lookUp);
      if (rows) return rows;
    }
    return undefined;
  }
  const found = new Set<Row>();
  for (const part of condition.parts) {
    const rows = rowsByIndex(part, lookUp);
    if (!rows) return undefined;
    for (const row of rows) found.add(row);
  }
  return found;
}

/** The earliest `timestamp` (seconds) that the condition lets through; minus infinity when it sets no bound. */
export function earliest(condition: Condition | undefined): number {
  if (!condition) return -Infinity;
  if (condition.kind !== 'compare') {
    const bounds = condition.parts.map(earliest);
    return condition.kind === 'and' ? Math.max(...bounds) : Math.min(...bounds);
  }
  const bounded = ['gt', 'ge', 'eq', 'between'].includes(condition.operator) && condition.field === 'timestamp';
  return bounded ? Number(condition.operands[0]) : -Infinity;
}
