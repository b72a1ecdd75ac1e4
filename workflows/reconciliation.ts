/**
 * Started by a schedule: what nobody would tell is found and said. Tickets without a case; cases that stand still; watches
 * without a worker; losses that make a pattern.
 * @module
 */
import { ActivityFailure, log, patched, setCurrentDetails } from '@temporalio/workflow';
import { act } from './case-file';

export interface Reconciled {
  /** Open tickets that were looked at. */
  looked: number;
  /** Cases and triages that were opened for them. */
  opened: string[];
  /** Sentences, one for each thing found; people were paged, at most once a day for each. */
  frozen: string[];
  withoutWorker: string[];
  patterns: string[];
  /** Looks that failed, with the reason: nobody knows what they would have found. */
  unreadable: string[];
}

export async function reconciliation(input: { tenant: string }): Promise<Reconciled> {
  const asked = { tenant: input.tenant, now: new Date().toISOString() };
  const found: Reconciled = { looked: 0, opened: [], frozen: [], withoutWorker: [], patterns: [], unreadable: [] };
  if (!patched('alarms')) return { ...found, ...(await act.reconcileTickets(asked)) };

  // A look that fails never hides the others.
  const look = (name: string, run: () => Promise<Partial<Reconciled>>) =>
    run().then(
      ({ unreadable = [], ...more }) => {
        Object.assign(found, more);
        found.unreadable.push(...unreadable);
      },
      (error: unknown) => void found.unreadable.push(`${name}: ${reasonOf(error)}`),
    );
  await Promise.all([
    look('tickets', () => act.reconcileTickets(asked)),
    look('frozen cases', async () => ({ frozen: await act.alarmFrozen(asked) })),
    look('workers', async () => ({ withoutWorker: await act.alarmMissingWorkers(asked) })),
    look('patterns', async () => ({ patterns: await act.alarmPatterns(asked) })),
  ]);

  const alarms = [...found.frozen, ...found.withoutWorker, ...found.patterns];
  setCurrentDetails(
    [
      `Looked at ${found.looked} open tickets; opened ${found.opened.length}.`,
      ...alarms,
      ...found.unreadable.map((sentence) => `Not known: ${sentence}`),
    ].join('\n\n'),
  );
  if (found.opened.length > 0) log.warn('tickets had no case', { opened: found.opened });
  if (alarms.length > 0) log.warn('people were paged', { alarms });
  return found;
}

function reasonOf(error: unknown): string {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  return cause instanceof Error ? cause.message : 'unknown error';
}
