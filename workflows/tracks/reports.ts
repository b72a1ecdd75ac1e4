/**
 * Later reports about the device of a case: a repeat changes nothing, a later answer changes what the case does.
 * @module
 */
import { sameTicket, takeReport } from '../../playbook/case';
import type { Report } from '../../playbook/report';
import type { CaseFile } from '../case-file';
import { reopen } from '../written-off';
import { containAgain } from './containment';

export function takeLaterReport(c: CaseFile, report: Report): void {
  const { state } = c;
  const ours = state.tickets.some((ticket) => sameTicket(ticket, report.ticket));
  if (c.ending && !ours && !state.listening) {
    // The case is closing, and somebody reports the laptop anew: nothing of this case may swallow that.
    if (!state.afterwards.some((kept) => kept.deliveryId === report.deliveryId)) state.afterwards.push(report);
    return;
  }
  const news = takeReport(state, report);
  if (news.repeated) return;
  const who = report.actor.person;
  if (news.newTicket)
    c.say('case', `Ticket ${report.ticket.source} ${report.ticket.id} joined this case.`, { who, note: true });
  if (news.changed.length > 0)
    c.say('case', 'The report was completed.', { who, evidence: news.changed.join(', '), note: true });
  if (news.newTicket && state.listening) {
    reopen(c, `Reported again: ticket ${report.ticket.source} ${report.ticket.id}.`);
    containAgain(c);
  }
  if (news.nowStolen) c.page('stolen', 'Stolen, not only lost', `The report of ${state.workflowId} now says stolen.`);
}
