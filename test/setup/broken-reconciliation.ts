/**
 * Workflows of a release that should not have gone out: reconciliation fails at its first step, and all else is as it should
 * be.
 * @module
 */
export * from '../../workflows';

export async function reconciliation(): Promise<never> {
  throw new Error('the release is broken');
}
