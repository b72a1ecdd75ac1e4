/**
 * Ends what the global set-up started.
 * @module
 */
import { rm } from 'node:fs/promises';
import type { Started } from './global-setup';

export default async function globalTeardown(): Promise<void> {
  const { started } = globalThis as { started?: Started };
  if (started === undefined) return;
  await started.server.stop();
  await rm(started.folder, { recursive: true, force: true });
}
