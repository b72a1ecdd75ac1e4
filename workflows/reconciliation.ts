/**
 * Started by a schedule: tickets without a case are found and said.
 * @module
 */
import { log, setCurrentDetails } from '@temporalio/workflow';
import { act } from './case-file';

export async function reconciliation(input: {
  tenant: string;
}): Promise<{ looked: number; opened: string[]; unreadable: string[] }> {
  const found = await act.reconcileTickets({ tenant: input.tenant, now: new Date().toISOString() });
  setCurrentDetails(
    `Looked at ${found.looked} open tickets; opened ${found.opened.length}. ${found.unreadable.join(' ')}`,
  );
  if (found.opened.length > 0) log.warn('tickets had no case', { opened: found.opened });
  return found;
}
