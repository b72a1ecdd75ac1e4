/**
 * The desks: their tickets are in progress while the case is open, and resolved when it ends.
 * @module
 */
import type { Ending } from '../playbook/case';
import type { TicketRef } from '../playbook/report';
import { nameTicket } from '../playbook/report';
import type { CaseFile } from './case-file';
import { act } from './case-file';

const inProgress = (ticket: TicketRef) => `set ticket ${nameTicket(ticket)} in progress`;
const resolve = (ticket: TicketRef) => `resolve ticket ${nameTicket(ticket)}`;

/** Every ticket of the case is set to *in progress*, also one that joins later. */
export async function desksAreTold(c: CaseFile): Promise<void> {
  const { state } = c;
  const { tenant } = state;
  for (let told = 0; ;) {
    await c.until(() => c.ending || state.tickets.length > told);
    if (c.ending) return;
    const ticket = state.tickets[told];
    told += 1;
    if (ticket === undefined) continue;
    const name = inProgress(ticket);
    const wanted = state.reopened > 0 ? 'in progress again' : 'in progress';
    // Once: what the desk makes of its ticket afterwards is its own affair, also when a new run takes over.
    if (['done', 'skipped'].includes(state.steps[name]?.state ?? '')) continue;
    await c.step(name, () => act.setTicketState({ tenant, now: c.now, ticket, state: wanted, closeNotes: '' }), {
      track: 'case',
    });
  }
}

/** Every ticket is resolved, with how the case ended and why. */
export async function resolveTickets(c: CaseFile, { outcome, reason }: Ending): Promise<void> {
  const { tenant, tickets } = c.state;
  const closeNotes = `Lost-device playbook: ${outcome}. ${reason}`;
  for (const ticket of tickets) {
    await c.step(
      resolve(ticket),
      () => act.setTicketState({ tenant, now: c.now, ticket, state: 'resolved', closeNotes }),
      { track: 'case', partOfEnding: true },
    );
  }
}

/** The case is open again: its desks are told as if for the first time. */
export function tellDesksAnew({ state: { steps, tickets } }: CaseFile): void {
  for (const ticket of tickets) for (const step of [inProgress(ticket), resolve(ticket)]) delete steps[step];
}
