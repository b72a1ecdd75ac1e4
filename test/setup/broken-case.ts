/**
 * Workflows of a release that should not have gone out: every case fails at its first step, and all else is as it should be.
 * @module
 */
export * from '../../workflows';

export async function lostDevice(): Promise<never> {
  throw new Error('the release is broken');
}
