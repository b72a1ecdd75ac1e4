/**
 * At the end of a story: look at the vendors, not at what we say of them.
 * @module
 */
import type { Expect } from './story';
import type { VendorCall, World } from './world';

/**
 * Each of these effects happened, nothing happened twice, and nothing that must never happen. `nothingElse`: of the effects of
 * this form, no others happened.
 */
export async function lookAtVendors(
  world: World,
  expect: Expect,
  effects: string[],
  nothingElse?: RegExp,
): Promise<void> {
  const calls = await world.control<VendorCall[]>('GET', '/control/calls');
  const changes = calls.flatMap(({ changed }) => (changed === null ? [] : changed.split('; ')));
  for (const effect of effects) expect(changes.includes(effect), `Never happened: ${effect}`);
  for (const [index, effect] of changes.entries()) {
    expect(changes.indexOf(effect) === index, `Happened twice: ${effect}`);
    expect(!nothingElse?.test(effect) || effects.includes(effect), `Happened too: ${effect}`);
    expect(!/COMMENT THAT THE CALLER SEES|DELETED/.test(effect), `Must never happen: ${effect}`);
  }
}
