/**
 * Waiting for what somebody else does a little later.
 * @module
 */
import { setTimeout } from 'node:timers/promises';

/** How long a test waits for something to become so, on a machine that does much else (milliseconds). */
const patienceMs = 60_000;

/**
 * Read, or assert, again and again until it no longer fails.
 * @throws The last failure, when it never was so.
 */
export async function eventually<T>(attempt: () => T | Promise<T>, withinMs = patienceMs): Promise<T> {
  for (const endMs = Date.now() + withinMs; ; await setTimeout(150)) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > endMs) throw error;
    }
  }
}
