/**
 * The playbook: what happens from the moment a laptop is reported lost until it is recovered, wiped or written off.
 *
 * It reads as the runbook does. Each track is a file of its own in `tracks/`; what they share, saying, asking, stepping
 * and waiting, is the case file.
 * @module
 */
import { CancellationScope, continueAsNew, setHandler } from '@temporalio/workflow';
import type { CaseState, ClosingRecord, Ending } from '../playbook/case';
import { sameTicket } from '../playbook/case';
import { closeTask, describeTask, openTasks, runningClocks } from '../playbook/tasks';
import { mayStillLand } from '../playbook/wipe';
import { act, CaseFile } from './case-file';
import { keepPages } from './pages';
import { takeDecisions } from './decisions';
import { desksAreTold, resolveTickets } from './desks';
import type { CaseInput } from './messages';
import { describe, deviceSeen, knock, pageAcknowledged, reportReceived, userReleased } from './messages';
import { takeAcknowledgement, takePeoplesDecisions } from './peoples-decisions';
import { containment, release, takeLetGoAnswer } from './tracks/containment';
import { escalation } from './tracks/escalation';
import { levers } from './tracks/levers';
import { presence, takeNews } from './tracks/presence';
import { wipe } from './tracks/wipe';
import { takeWipeDecisions } from './wipe-decisions';
import { takeLaterReport } from './tracks/reports';
import { listen, writeOff } from './written-off';

export async function lostDevice(input: CaseInput): Promise<ClosingRecord> {
  const c = new CaseFile(input);
  // Only a decision ends a case: cancelled, it would leave its user locked and tell nobody.
  CancellationScope.current().cancelRequested.catch(() =>
    c.say('case', 'Somebody asked Temporal to cancel this case.', {
      evidence: 'It goes on. A decision ends it: recovered, or false alarm.',
      note: true,
    }),
  );
  return CancellationScope.nonCancellable(() => play(c, input));
}

async function play(c: CaseFile, input: CaseInput): Promise<ClosingRecord> {
  const { state } = c;

  // What may come in at any time.
  setHandler(describe, () => state);
  setHandler(knock, () => undefined);
  setHandler(reportReceived, (report) => takeLaterReport(c, report));
  setHandler(deviceSeen, (batch) => c.takeInTurn(() => takeNews(c, batch)));
  setHandler(userReleased, (answer) => takeLetGoAnswer(c, answer));
  setHandler(pageAcknowledged, (acknowledged) => takeAcknowledgement(c, acknowledged));
  takeDecisions(c);
  takePeoplesDecisions(c);
  takeWipeDecisions(c);

  // 1. The report is in. Respond before anything else: identify exactly one device and contain its user. Whatever else
  //    were started now would cost milliseconds in which a thief is free.
  if (!input.state)
    c.say('case', 'Case opened.', { who: input.report.actor.person, evidence: opening(state), note: true });
  const contained = containment(c);
  await c.until(() => c.responded);

  // What goes on all the while: status, tickets, pages and the journal are kept in step with the case.
  void c.keepStatus();
  void keepPages(c);
  void pageForVip(c);
  const rounds = Promise.all([c.keepTickets(), c.keepJournal()]);

  const runbook = async (): Promise<ClosingRecord | 'continue as new'> => {
    // 2. Tell the desks that we are on it; prove that the configuration reached the device; watch for it. These tracks
    //    run beside containment: the device may check in before anybody has answered a question.
    const tracks = Promise.all([contained, desksAreTold(c), presence(c)]);

    // 3. Whatever stays wrong calls people, rung by rung; their tasks and the clocks of the law are watched too.
    if (c.hasLadder) void escalation(c);
    if (c.heedsTampering) void levers(c);
    void wipe(c);

    // 4. Go on for as long as it takes, a minute or a year, until somebody says how it ended.
    await c.until(() => c.ending);
    await tracks;

    // 5. Written off, or wiped: close towards people, and listen for a year. Whatever is heard reopens the case.
    if (listensOn(state)) {
      await writeOff(c);
      // Reported anew while it was being written off: it is not lost for another year.
      for (const report of state.afterwards.splice(0)) takeLaterReport(c, report);
      await listen(c);
      if (!c.ending) return c.goOn();
    }

    // 6. Undo what was done, in the right order, and read every undo back. A clock of the law outlives the return.
    if (state.ending && state.ending.undoneAt === undefined) {
      if (state.outcome === 'open') await whileWipeMayLand(c);
      if (state.outcome === 'open') await release(c);
      if (c.hasLadder) leaveTasks(c, state.ending);
      state.ending.undoneAt = c.now;
    }
    if (c.hasLadder) await clocksRunOut(c);
    await c.until(() => !mayStillLand(state.wipe) || state.afterwards.length > 0);

    // 7. Close: tell the tickets, archive the journal, leave a closing record.
    return close(c, rounds);
  };

  const drained = c.untilDrained().then(() => 'continue as new' as const);
  const ended = await Promise.race([runbook(), drained]);
  if (ended === 'continue as new') return continueAsNew<typeof lostDevice>({ ...input, state });

  // A new loss was reported while this case was closing: it opens the next case.
  const [report, ...more] = state.afterwards;
  if (report) return continueAsNew<typeof lostDevice>({ report, rules: state.rules, more });
  return ended;
}

const listensOn = ({ ending }: CaseState) => ending?.outcome === 'written off' || ending?.outcome === 'wiped';

/** A wipe that left is followed to its end even now: whether the user is released before that, a person says. */
async function whileWipeMayLand(c: CaseFile): Promise<void> {
  const { state } = c;
  if (!mayStillLand(state.wipe)) return;
  const id = 'release before the wipe is over';
  const answered = () => state.decided[id] !== undefined;
  if (!answered() && !state.questions.some((question) => question.id === id))
    c.ask({
      id,
      text: 'The laptop is said to be back, and a wipe of it may still land. Release its user and the laptop now? Back up what is on it first.',
      options: [
        { value: 'release', text: 'Release now; the wipe is followed all the same' },
        { value: 'wait', text: 'Wait until the wipe is over' },
      ],
    });
  await c.until(() => !mayStillLand(state.wipe) || c.answered(id) === 'release');
  c.withdraw(id);
}

function opening(state: CaseState): string {
  const { answers } = state;
  return [
    `Reported as ${answers.kind === 'unknown' ? 'lost (kind unknown)' : answers.kind}`,
    answers.reportedBy && `by ${answers.reportedBy}`,
    answers.lastHeldAt && `last held ${answers.lastHeldAt}`,
    answers.lastHeldWhere && `at ${answers.lastHeldWhere}`,
    `powered: ${answers.powered}, locked: ${answers.locked}, VIP: ${answers.vip}`,
  ]
    .filter(Boolean)
    .join(', ');
}

/** Whether it is known at once or said later: a VIP's laptop is everybody's business now. */
async function pageForVip(c: CaseFile): Promise<void> {
  await c.until(() => c.ending || c.state.answers.vip === 'yes');
  if (!c.ending) c.page('vip', "A VIP's laptop", 'The report says that the laptop belongs to a VIP.');
}

/** What people still had to do falls away, or is left to the desk; only the clocks of the law hold the case open. */
function leaveTasks(c: CaseFile, { outcome, who, reason }: Ending): void {
  const { state } = c;
  const wasLost = outcome === 'recovered' || outcome === 'wiped' || outcome === 'written off';
  const closed = { at: c.now, who, reason: `${outcome}: ${reason}` };
  const tasks = openTasks(state).filter(({ clock }) => !wasLost || clock === undefined);
  for (const task of tasks) closeTask(state, task, wasLost ? 'left open' : 'not needed', closed);
  if (wasLost && tasks.length > 0)
    c.say('escalation', 'Left to the desk: tasks of people that were open.', {
      evidence: tasks.map(({ id }) => id).join(', '),
      note: true,
    });
  const clocks = runningClocks(state);
  if (clocks.length > 0)
    c.say('escalation', 'The case stays open: a clock of the law runs.', {
      evidence: clocks.map(describeTask).join('; '),
      note: true,
    });
}

/** A second loss does not wait for the papers of the first: they are left to people, and that is said aloud. */
async function clocksRunOut(c: CaseFile): Promise<void> {
  const { state } = c;
  await c.until(() => runningClocks(state).length === 0 || state.afterwards.length > 0);
  const clocks = runningClocks(state);
  if (clocks.length === 0) return;
  const running = clocks.map(describeTask).join('; ');
  const closed = { at: c.now, who: 'playbook', reason: 'The laptop was lost again: its next case has begun.' };
  for (const task of clocks) closeTask(state, task, 'left open', closed);
  c.say('escalation', 'Left to the desk: clocks of the law that still run.', { evidence: running, note: true });
  c.page('clocks left', 'A clock of the law is left to the desk', `${closed.reason} From the first loss: ${running}.`);
}

async function close(c: CaseFile, rounds: Promise<unknown>): Promise<ClosingRecord> {
  const { state } = c;
  const { ending, tenant } = state;
  if (ending === undefined) throw new Error('a case closes only after somebody said how it ended');
  // A new run that takes over while the case closes has heard this.
  if (state.outcome === 'open') {
    state.outcome = ending.outcome;
    c.say('case', `Closed: ${ending.outcome}.`, { who: ending.who, evidence: ending.reason, note: true });
  }
  await c.until(() => state.notes.pending.length === 0);
  // A ticket that moved lives on with the right device's case; those of a written-off laptop were resolved then.
  if (ending.movedTo === undefined && !listensOn(state)) await resolveTickets(c, ending);
  c.stopRounds();
  await rounds;
  const record: ClosingRecord = {
    workflowId: state.workflowId,
    chain: state.chain,
    tenant,
    outcome: state.outcome,
    closedAt: c.now,
    tickets: state.tickets.filter((ticket) => !state.afterwards.some((report) => sameTicket(report.ticket, ticket))),
    deliveries: state.deliveries,
    reason: ending.reason,
    ...(ending.movedTo !== undefined && { movedTo: ending.movedTo }),
  };
  await c.step('archive the closing record', () => act.archiveClosing({ tenant, now: c.now, record, report: state }), {
    track: 'case',
    partOfEnding: true,
  });
  // Whoever was called because of the last steps is called before the case is gone; who sleeps reads it in the ticket.
  await c.until(() => state.pages.every(({ notBefore }) => notBefore !== undefined));
  state.closedAt = record.closedAt;
  c.showStatus();
  return record;
}
