/**
 * The part of the Falcon Query Language that hosts are looked for with: `serial_number:'SN1'+last_seen:>='2026-01-01T00:00:00Z'`.
 * @module
 */

type Values = Record<string, string>;

const condition = /^([a-z_]+):(>=|<=|>|<|!)?(?:'([^'\\]*)'|\[('[^'\\]*'(?:,'[^'\\]*')*)\])(?:\+(?=.)|$)/;

/** A test of a host by its fields; undefined for a filter that the vendor does not take. No filter at all fits every host. */
export function readFilter(filter: string, fields: readonly string[]): ((host: Values) => boolean) | undefined {
  const tests: ((host: Values) => boolean)[] = [];
  for (let rest = filter; rest !== '';) {
    const [whole, field = '', operator, one, list] = condition.exec(rest) ?? [];
    if (whole === undefined || !fields.includes(field)) return undefined;
    const wanted = (one === undefined ? list!.slice(1, -1).split(`','`) : [one]).map((text) => text.toLowerCase());
    tests.push((host) => wanted.some((text) => compare((host[field] ?? '').toLowerCase(), operator, text)));
    rest = rest.slice(whole.length);
  }
  return (host) => tests.every((test) => test(host));
}

function compare(value: string, operator: string | undefined, wanted: string): boolean {
  if (operator === '>=') return value >= wanted;
  if (operator === '<=') return value <= wanted;
  if (operator === '>') return value > wanted;
  if (operator === '<') return value < wanted;
  return operator === '!' ? value !== wanted : value === wanted;
}
