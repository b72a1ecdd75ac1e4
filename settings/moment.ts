/**
 * Moments as people write them: a time, or how long from now.
 * @module
 */
import { readDuration } from './fields';

/**
 * `2026-11-23T08:00:00Z`, or `4h` and `2d` before or after now.
 * @returns ISO 8601; undefined for any other text.
 */
export function readMoment(text: string, is: 'before' | 'after', nowMs: number): string | undefined {
  const awayMs = readDuration(text);
  const ms = awayMs === undefined ? Date.parse(text) : nowMs + (is === 'after' ? awayMs : -awayMs);
  return Number.isNaN(new Date(ms).getTime()) ? undefined : new Date(ms).toISOString();
}
