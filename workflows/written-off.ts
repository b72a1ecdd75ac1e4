/**
 * Written off, or wiped: the case closes towards people and goes on listening, at the cost of one timer. A sighting, a
 * re-enrolment or a sign-in of the device reopens it.
 * @module
 */
import { sayTasks } from './tracks/escalation';
import type { CaseFile } from './case-file';
import { clockTime } from '../playbook/clock-time';
import { noWipe } from '../playbook/wipe';
import { resolveTickets, tellDesksAnew } from './desks';
import { nowMs } from './last-news';
import { containAgain, holdDeviceOnly } from './tracks/containment';

/** Close towards people: the user goes free, the device stays held, the tickets are resolved. */
export async function writeOff(c: CaseFile): Promise<void> {
  const { state } = c;
  const { ending } = state;
  if (ending === undefined || state.listening !== undefined) return;
  if (state.outcome === 'open') {
    await holdDeviceOnly(c);
    state.outcome = ending.outcome;
    c.say('case', `${ending.outcome === 'wiped' ? 'Wiped' : 'Written off'}. The case goes on listening.`, {
      who: ending.who,
      evidence: ending.reason,
      note: true,
    });
    if (ending.outcome === 'written off') sayTasks(c, 'written off');
  }
  await c.until(() => state.notes.pending.length === 0);
  await resolveTickets(c, ending);
  state.listening = { since: c.now, until: c.after(state.rules.escalation.listenForMs) };
}

/** Until the time is over, a person says how it ended after all, or the device is heard. */
export async function listen(c: CaseFile): Promise<void> {
  const { state } = c;
  const { armedSince } = state.containment;
  // It was heard while the case was being closed.
  if (armedSince !== undefined && state.presence.unheardSince > armedSince) {
    reopen(c, `Heard at ${clockTime(state.presence.unheardSince)}.`);
    containAgain(c);
  }
  // The escalation's alarm rings when the time is over: both have one timer.
  await c.until(() => state.listening === undefined || Date.parse(state.listening.until) <= nowMs());
}

/** Nobody has closed the case as wiped yet, and it speaks again: another installation, of which the old wipe says nothing. */
export function setUpAgain(c: CaseFile, because: string): void {
  const { state } = c;
  const { number } = state.wipe;
  state.wipe = { ...noWipe(), number };
  for (const { id, proposes } of state.questions) if (proposes === 'close as wiped') c.withdraw(id);
  c.say('wipe', 'The wiped laptop is back.', { evidence: because, note: true });
  c.page(`back after wipe ${number}`, 'A wiped laptop is back', because);
}

/** It came back, or somebody reported it again: the case is open as it was before. */
export function reopen(c: CaseFile, because: string): void {
  const { state } = c;
  const was = state.outcome;
  delete state.ending;
  delete state.listening;
  // Whoever set it up again has another installation: nothing of the old wipe speaks of it.
  if (state.wipe.state === 'acknowledged') state.wipe = { ...noWipe(), number: state.wipe.number };
  state.outcome = 'open';
  state.reopened += 1;
  // Its silence begins anew: what was proposed by the age of the old one is not proposed again at once.
  state.presence.unheardSince = c.now;
  tellDesksAnew(c);
  c.say('case', `Reopened: the ${was === 'wiped' ? 'wiped' : 'written-off'} laptop is back.`, {
    evidence: because,
    note: true,
  });
  c.page(`reopened:${state.reopened}`, `A ${was === 'wiped' ? 'wiped' : 'written-off'} laptop is back`, because);
}
