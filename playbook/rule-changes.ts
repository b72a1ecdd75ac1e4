/**
 * What differs between two sets of rules, in words: for whoever moves new rules onto a running case.
 * @module
 */
import { duration } from './clock-time';
import type { Rules } from './rules';

/**
 * One text for each setting that differs, named as in the settings file: `waits.retryMaxMs: 15 min, now 2 h`. Rungs, tasks
 * and clocks are told by their names.
 * @returns Empty when the rules are the same.
 */
export function ruleChanges(before: Rules, after: Rules): string[] {
  return changesOf(before, after, '');
}

function changesOf(before: unknown, after: unknown, path: string): string[] {
  if (JSON.stringify(sorted(before)) === JSON.stringify(sorted(after))) return [];
  const [old, now] = [partsOf(before), partsOf(after)];
  if (old === undefined || now === undefined) return [`${path}: ${told(before, path)}, now ${told(after, path)}`];
  const keys = [...new Set([...old.keys(), ...now.keys()])];
  const changes = keys.flatMap((key) => changesOf(old.get(key), now.get(key), path ? `${path}.${key}` : key));
  return changes.length > 0 ? changes : [`${path}: in another order`];
}

/** Named parts: of a map, or of a list whose items all have a name of their own. Undefined for a value. */
function partsOf(value: unknown): Map<string, unknown> | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (!Array.isArray(value)) return new Map(Object.entries(value));
  const items = value as { name?: unknown; id?: unknown }[];
  const names = items.map((item) => item?.name ?? item?.id);
  return names.every((name) => typeof name === 'string') && names.length > 0
    ? new Map(names.map((name, index) => [name, items[index]]))
    : undefined;
}

/** Rules that went through a history and rules of a file may have their keys in another order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, part]) => part !== undefined);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, part]) => [key, sorted(part)]));
}

function told(value: unknown, path: string): string {
  if (value === undefined) return 'none';
  if (typeof value === 'number' && /ms$/i.test(path)) return duration(value);
  if (Array.isArray(value))
    return value.every((item) => typeof item === 'string') ? value.join(' ') || 'none' : 'other lines';
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : 'there';
}
