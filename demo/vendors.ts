/**
 * At the end of a story: look at the vendors, not at what we say of them.
 * @module
 */
import type { VendorCall, World } from './world';

/** What is wrong: an effect that never happened, one that happened twice, one that must never happen. */
export async function wrongAtVendors(world: World, expected: string[]): Promise<string[]> {
  const calls = await world.control<VendorCall[]>('GET', '/control/calls');
  const changes = calls.flatMap(({ changed }) => (changed === null ? [] : changed.split('; ')));
  return [
    ...expected.filter((effect) => !changes.includes(effect)).map((effect) => `Never happened: ${effect}`),
    ...changes
      .filter((effect, index) => changes.indexOf(effect) !== index)
      .map((effect) => `Happened twice: ${effect}`),
    ...changes
      .filter((effect) => /COMMENT THAT THE CALLER SEES|DELETED/.test(effect))
      .map((effect) => `Must never happen: ${effect}`),
  ];
}
