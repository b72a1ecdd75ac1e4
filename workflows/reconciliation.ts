/**
 * Started by a schedule: what nobody would tell is found and said. Tickets without a case; cases that stand still; watches
 * without a worker; losses that make a pattern; what was ready for a lost laptop and is not any more.
 * @module
 */
import { ActivityFailure, log, patched, setCurrentDetails } from '@temporalio/workflow';
import { act } from './case-file';
import { now } from './last-news';

export interface Reconciled {
  /** Open tickets that were looked at. */
  looked: number;
  /** Cases and triages that were opened for them. */
  opened: string[];
  /** Sentences, one for each thing found; people were paged, at most once a day for each. */
  frozen: string[];
  withoutWorker: string[];
  patterns: string[];
  /** What was ready for a lost laptop and is not any more. */
  drifted?: string[];
  /** Looks that failed and notifiers that did not tell, with the reason. The next reconciliation makes it good. */
  unreadable: string[];
}

export async function reconciliation(input: { tenant: string }): Promise<Reconciled> {
  const asked = { tenant: input.tenant, now: now() };
  const found: Reconciled = { looked: 0, opened: [], frozen: [], withoutWorker: [], patterns: [], unreadable: [] };
  if (!patched('alarms')) return { ...found, ...(await act.reconcileTickets(asked)) };

  const looksAtDrift = patched('drift');

  // A look that fails never hides the others.
  const look = (name: string, run: () => Promise<void>) =>
    run().catch((error: unknown) => void found.unreadable.push(`${name}: ${reasonOf(error)}`));
  const raise = (
    into: 'frozen' | 'withoutWorker' | 'patterns' | 'drifted',
    name: string,
    run: typeof act.alarmFrozen,
  ) =>
    look(name, async () => {
      const { alarms, untold } = await run(asked);
      found[into] = alarms;
      found.unreadable.push(...untold);
    });
  await Promise.all([
    look('tickets', async () => {
      const { unreadable, ...tickets } = await act.reconcileTickets(asked);
      Object.assign(found, tickets);
      found.unreadable.push(...unreadable);
    }),
    raise('frozen', 'frozen cases', act.alarmFrozen),
    raise('withoutWorker', 'workers', act.alarmMissingWorkers),
    raise('patterns', 'patterns', act.alarmPatterns),
    ...(looksAtDrift ? [raise('drifted', 'prerequisites', act.alarmDrift)] : []),
  ]);

  const alarms = [...found.frozen, ...found.withoutWorker, ...found.patterns, ...(found.drifted ?? [])];
  setCurrentDetails(
    [
      `Looked at ${found.looked} open tickets; opened ${found.opened.length}.`,
      ...alarms,
      ...found.unreadable.map((sentence) => `Failed: ${sentence}`),
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
