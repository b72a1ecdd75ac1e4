/**
 * The settings file as far as it has the form: so that a mistake in one place hides none in another.
 * @module
 */

/** Keys and values of a map, none of anything else. */
export const entriesOf = (value: unknown): [string, unknown][] =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : [];

/** A value of a map by its key. */
export const childOf = (value: unknown, key: string): unknown => new Map(entriesOf(value)).get(key);

/** Entries of a list, none of anything else. */
export const itemsOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
