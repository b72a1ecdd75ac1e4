/**
 * Steps towards people: notes and states of tickets, pages.
 * @module
 */
import type { TicketRef } from '../playbook/report';
import type { Page, Ticket, TicketState } from '../plugins/roles';
import { pageThrough } from './alarms';
import { callAt } from './call';
import type { House } from './house';

export interface NoteInput {
  tenant: string;
  now: string;
  ticket: TicketRef;
  /** Chain and numbers of the note: the same text never stands twice in a ticket. */
  marker: string;
  text: string;
}

export function createTicketActivities(house: House) {
  const deskOf = (tenant: string, ticket: TicketRef) => house.tenant(tenant).desks.get(ticket.source);

  /**
   * Write an internal note. Idempotency: the marker is looked up before sending, and after a lost answer by the repeat.
   * `no desk`: the source cannot take notes (a plain webhook, or the command line).
   */
  async function addNote(input: NoteInput): Promise<'added' | 'already there' | 'no desk'> {
    const desk = deskOf(input.tenant, input.ticket);
    if (desk?.addInternalNote === undefined) return 'no desk';
    return desk.addInternalNote(input.ticket.id, { marker: input.marker, text: input.text }, callAt(input.now));
  }

  /** Move the ticket. The desk reads first and sends nothing when the ticket is there already; a lost answer is read back by the repeat. */
  async function setTicketState(input: {
    tenant: string;
    now: string;
    ticket: TicketRef;
    state: TicketState;
    closeNotes: string;
  }): Promise<'done' | 'no desk'> {
    const desk = deskOf(input.tenant, input.ticket);
    if (desk?.setState === undefined) return 'no desk';
    await desk.setState(input.ticket.id, input.state, input.closeNotes, callAt(input.now));
    return 'done';
  }

  /** Read the ticket with our own credentials: a forged webhook cannot invent one. `unreadable`: the desk has no such call. */
  async function readTicket(input: {
    tenant: string;
    now: string;
    ticket: TicketRef;
  }): Promise<Ticket | 'not there' | 'unreadable'> {
    const desk = deskOf(input.tenant, input.ticket);
    if (desk?.readTicket === undefined) return 'unreadable';
    return (await desk.readTicket(input.ticket.id, callAt(input.now))) ?? 'not there';
  }

  /** Page people through every notifier. The key is the same on a repeat, so receivers drop it. */
  async function pagePeople(input: { tenant: string; now: string; page: Page }): Promise<number> {
    const { notifiers } = house.tenant(input.tenant);
    for (const notifier of notifiers.values()) await pageThrough(notifier, input.page, callAt(input.now));
    return notifiers.size;
  }

  return { addNote, setTicketState, readTicket, pagePeople };
}
