/**
 * One line of a plugin's connection test.
 * @module
 */
import { PlaybookError, errorCatalogue } from './errors';
import type { ConnectionTest } from './roles';

/** What an attempt found: a sentence for people, or a remedy when it will not work although the vendor answered. */
type Finding = { detail: string } | { remedy: string };

/** Try one thing without changing anything; a failure is a line too. Only our own mistakes and cancellation throw. */
export async function tried(what: string, attempt: () => Promise<Finding>): Promise<ConnectionTest> {
  try {
    const found = await attempt();
    return 'remedy' in found ? { what, ok: false, detail: found.remedy } : { what, ok: true, detail: found.detail };
  } catch (error) {
    if (!(error instanceof PlaybookError)) throw error;
    return { what, ok: false, detail: `${error.message}. ${errorCatalogue[error.code].remedy}` };
  }
}
