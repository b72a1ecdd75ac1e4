/**
 * Escalation: whatever stays wrong calls people, rung by rung, until somebody acknowledges or it is over. People's tasks
 * and the clocks of the law are watched in the same way. One timer for all of it.
 * @module
 */
import type { Question } from '../../playbook/case';
import { clockTime, duration } from '../../playbook/clock-time';
import type { DueCall, Rung, RungProgress, RungProposal } from '../../playbook/ladder';
import {
  dueCalls,
  incidentOf,
  keepClocks,
  nextDueAt,
  progressKey,
  proposeLater,
  rungsThatPropose,
  takeFacts,
} from '../../playbook/ladder';
import { describeDevice } from '../../playbook/device';
import { aboutOffice, proposalId } from '../../playbook/question-ids';
import type { Sighting } from '../../playbook/sighting';
import { describePlace } from '../../playbook/sighting';
import { beginTasks } from '../../playbook/tasks';
import { factsOf, subjectOf, troublesOf } from '../../playbook/troubles';
import { takeLostAnswer, lostAnswerQuestion } from '../lost-answer';
import { Alarm } from '../alarm';
import type { CaseFile } from '../case-file';
import { nowMs } from '../last-news';
import { dropPages, tellPager } from '../pages';
import type { Decision } from '../messages';

export async function escalation(c: CaseFile): Promise<void> {
  const { state } = c;
  const { escalation: track } = state;
  const alarm = new Alarm();
  while (state.closedAt === undefined) {
    alarm.rang = false;
    // Rules may be moved onto a running case.
    const { ladder } = state.rules.escalation;
    // What is proposed in this round waits for somebody, so it is a trouble of the next.
    const before = signature(c);
    tasksBegin(c);
    const troubles = troublesOf(state, c.now);
    for (const progress of keepClocks(track, ladder, troubles, c.now)) standDown(c, progress);
    // What waits in the queue is not said while it means nothing.
    for (const { id, pausedSince } of troubles)
      if (pausedSince !== undefined) for (const { name } of ladder) dropPages(c, progressKey(name, id));
    for (const progress of takeFacts(track, ladder, factsOf(state))) standDown(c, progress);
    for (const call of dueCalls(track, ladder, troubles, c.now)) raise(c, call);
    fallSilent(c);
    alarm.ringBy(nextDueAt(track, ladder, troubles));
    alarm.ringBy(fallsSilentAt(c));
    alarm.ringBy(state.listening?.until);
    await c.until(() => alarm.rang || signature(c) !== before);
  }
}

/** All that may change what is due, beside the time. */
function signature(c: CaseFile): string {
  const { state } = c;
  const progress = Object.values(state.escalation.rungs);
  return JSON.stringify([
    troublesOf(state, c.now).map(({ id, since, pausedSince }) => [id, since, pausedSince]),
    [...factsOf(state)],
    progress.map((rung) => [rung.called, rung.calling, rung.acknowledged, rung.snoozed, rung.heldUntil, rung.proposed]),
    [state.answers.kind, state.device === undefined, state.ending === undefined, state.presence.state, state.closedAt],
    state.listening?.until,
    state.rulesApplied?.times,
  ]);
}

/** A rung is due: people are called, or asked for a decision. */
function raise(c: CaseFile, { key, rung, trouble, to }: DueCall): void {
  const { chain, escalation: track, pages } = c.state;
  const progress = track.rungs[key];
  if (progress === undefined) return;
  if (rung.propose !== undefined) {
    progress.proposed = true;
    propose(c, rung.propose, trouble.says, rung.whom);
    return;
  }
  progress.calling = to;
  const incident = incidentOf(chain, progress);
  const { by, inQuietHours, severity } = rung;
  pages.push({
    key: `${incident}:${progress.called}`,
    subject: subjectOf(trouble),
    text: trouble.says,
    to: { whom: trouble.whom ?? rung.whom, by, inQuietHours, severity, ...(to === 'deputies' && { deputies: true }) },
    rung: key,
    incident,
  });
}

/** The trouble is over, or something made the rung needless. */
function standDown(c: CaseFile, progress: RungProgress): void {
  const { chain, rules } = c.state;
  dropPages(c, progressKey(progress.rung, progress.trouble));
  const proposed = rules.escalation.ladder.find(({ name }) => name === progress.rung)?.propose;
  if (progress.proposed && proposed !== undefined) c.withdraw(proposalId(proposed));
  if (!progress.atPager) return;
  delete progress.atPager;
  tellPager(c, 'resolve', incidentOf(chain, progress));
}

/** Another ladder from now on. A rung that is gone, or means something else now, stands down; all others go on where they are. */
export function climbBy(c: CaseFile, ladder: Rung[]): void {
  const { escalation: track, rules } = c.state;
  for (const [key, progress] of Object.entries(track.rungs)) {
    const before = rules.escalation.ladder.find(({ name }) => name === progress.rung);
    const rung = ladder.find(({ name }) => name === progress.rung);
    if (rung === undefined || rung.when !== before?.when || rung.propose !== before.propose) {
      standDown(c, progress);
      delete track.rungs[key];
    } else if (progress.over !== undefined && !rung.unless.includes(progress.over)) delete progress.over;
  }
}

// --- silence -----------------------------------------------------------------------------------------------------

function fallsSilentAt(c: CaseFile): string | undefined {
  const { presence, escalation: track, rules } = c.state;
  const clock = track.clocks['silent'];
  if (presence.state !== 'seen' || clock?.runsSince === undefined) return undefined;
  return new Date(Date.parse(clock.runsSince) + rules.escalation.silentAfterMs - clock.ranMs).toISOString();
}

function fallSilent(c: CaseFile): void {
  const { presence } = c.state;
  const at = fallsSilentAt(c);
  if (at === undefined || Date.parse(at) > nowMs()) return;
  presence.state = 'silent';
  c.say('presence', `Silent: not heard since ${clockTime(presence.unheardSince)}.`, { note: true });
}

// --- proposals and questions -------------------------------------------------------------------------------------

const byHand = 'Use `lock`, where the platform has one, or do it in the console of its device management.';
const proposals: Record<RungProposal, { asks: string; options: Question['options'] }> = {
  'lost mode': {
    asks: `Lock it, or switch lost mode on? ${byHand}`,
    options: [
      { value: 'done', text: 'Done, by hand' },
      { value: 'no', text: 'No' },
    ],
  },
  wipe: {
    asks: 'Wipe it? One person asks for it with `request-wipe`, another one approves. No needs a reason.',
    options: [{ value: 'no', text: 'No, because of the reason given' }],
  },
  'write-off': {
    asks: 'Write it off? The user goes free, the device stays held, and the case goes on listening.',
    options: [
      { value: 'yes', text: 'Write it off' },
      { value: 'no', text: 'No: go on looking' },
    ],
  },
};

function propose(c: CaseFile, proposal: RungProposal, says: string, whom: string[]): void {
  const { asks, options } = proposals[proposal];
  const later = { value: 'later', text: `Not now: ask again in ${duration(c.state.rules.escalation.askAgainMs)}` };
  c.ask({
    id: proposalId(proposal),
    text: `${says} ${asks}`,
    options: [...options, later],
    proposes: proposal,
    ...(whom.length > 0 && { whom }),
  });
}

/** Seen behind the company's own addresses: perhaps it was never lost, and lies in a drawer. */
export function askAboutOffice(c: CaseFile, sighting: Sighting): void {
  const { state } = c;
  const { site } = sighting;
  if (site === undefined) {
    // It has left: nobody needs to look there.
    const left = state.questions.filter(({ id }) => sighting.publicAddress !== undefined && id.startsWith(aboutOffice));
    for (const { id } of left) c.withdraw(id);
    return;
  }
  const id = `${aboutOffice}${site}`;
  if (c.answered(id) !== undefined || state.questions.some((question) => question.id === id)) return;
  c.ask({
    id,
    text: `Lost in the office? ${describeDevice(state.device ?? {})} is behind the company's own address at ${site}: ${describePlace(sighting) ?? 'no address'}${sighting.privateAddress ? `, own address ${sighting.privateAddress}` : ''}.`,
    options: [
      { value: 'search', text: `Have it looked for at ${site}` },
      { value: 'no', text: 'No: it is known to be elsewhere, or somebody brought it there' },
    ],
  });
}

/** What follows from an answer at once. */
export function takeAnswer(c: CaseFile, question: Question, value: string, decision: Decision): void {
  const { state } = c;
  const { person: who } = decision.actor;
  if (question.id.startsWith(aboutOffice) && value === 'search') {
    const site = question.id.slice(aboutOffice.length);
    state.tasks.push({
      id: `search-${site.toLowerCase().replace(/[^a-z0-9]+/g, '-')}`,
      title: `Look for the laptop at ${site}`,
      owner: [],
      state: 'open',
      beganAt: c.now,
      dueAt: c.after(state.rules.escalation.searchWithinMs),
    });
    return;
  }
  if (question.id === lostAnswerQuestion) return takeLostAnswer(c, value);
  if (question.proposes === undefined) return;
  if (question.proposes === 'write-off' && value === 'yes') return endAs(c, 'written off', decision);
  if (question.proposes === 'close as wiped' && value === 'yes') return endAs(c, 'wiped', decision);
  if (value !== 'later') return;
  const snoozed = {
    until: c.after(state.rules.escalation.askAgainMs),
    who,
    reason: decision.reason || 'asked to be asked later',
  };
  for (const progress of rungsThatPropose(state.escalation, state.rules.escalation.ladder, question.proposes))
    proposeLater(progress, snoozed);
}

export function endAs(c: CaseFile, outcome: 'written off' | 'wiped', { actor, reason }: Decision): void {
  c.state.ending = {
    outcome,
    at: c.now,
    who: actor.person,
    reason: reason || `Decided by ${actor.person}.`,
  };
  c.state.questions = [];
}

// --- tasks -------------------------------------------------------------------------------------------------------

/** Tasks begin when the device is known, and more of them when the loss turns out to be a theft. */
function tasksBegin(c: CaseFile): void {
  const { state } = c;
  if (state.device === undefined || state.ending !== undefined) return;
  sayTasks(c, 'opened');
}

export function sayTasks(c: CaseFile, begins: 'opened' | 'written off'): void {
  const added = beginTasks(c.state, begins, c.now);
  if (added.length === 0) return;
  const list = added.map(({ id, dueAt }) => `${id} by ${dueAt ? clockTime(dueAt) : 'later'}`).join(', ');
  c.say('escalation', 'Tasks for people.', { evidence: list, note: true });
}
