/**
 * A vendor that is away, slow, or says no. A case never fails: a step is failing and goes on by itself, or stuck and waits
 * for a person; and nothing is ever done twice.
 */
import { eventually } from '../setup/eventually';
import { startTestHouse, tenant, type TestHouse } from '../setup/test-house';
import { skipTime } from '../setup/time-skipping';
import { RefusedByRule } from '../../client/cases';
import { troubledSteps, type CaseState } from '../../playbook/case';
import { recovered, retryStep, skipStep } from '../../workflows/messages';

let house: TestHouse;
beforeAll(async () => {
  house = await startTestHouse({ netskopeTimeoutMs: 700, rules: { directorySteps: { lost: [] } } });
});
afterAll(() => house.close());
afterEach(async () => {
  await house.clearFaults();
  await house.control('POST', 'tenant', { tokensValid: true });
  expect(await house.wrongs()).toEqual([]);
});

const theMove = 'move the user into the lost group';
const patch = { method: 'PATCH', path: '/api/v2/scim/Groups/' };
const added = (user: string) => `netskope: ${user} added to group Lost-Stolen Devices`;
const removed = (user: string) => `netskope: ${user} removed from group Lost-Stolen Devices`;
const journal = (state: CaseState) => state.journal.tail.map(({ text }) => text);

test.each([
  { name: '503 before the change', fault: { effect: { status: 503 } } },
  { name: '503 after the change', fault: { effect: { status: 503 }, when: 'after' as const } },
  { name: 'no answer before the change', fault: { effect: { hang: true } } },
  { name: 'no answer after the change', fault: { effect: { hang: true }, when: 'after' as const } },
  { name: 'a cut connection after the change', fault: { effect: { reset: true }, when: 'after' as const } },
  { name: 'four 503 in a row', fault: { effect: { status: 503 }, times: 4 } },
])('moving the user: $name', async ({ fault }) => {
  const { serial, user, workflowId } = house.laptop();
  await house.fault({ match: patch, ...fault });
  await house.report({ ticket: `MOVE-${serial}`, device: { serial } });
  const contained = await house.untilContained(workflowId);
  expect(contained.containment.measures['lost-group']?.state).toBe('in place');
  expect(troubledSteps(contained)).toEqual([]);

  // And the way back.
  await house.fault({ match: patch, ...fault });
  await house.decide(workflowId, recovered, {});
  expect((await house.untilClosed(workflowId)).containment.measures['lost-group']?.state).toBe('undone');
  expect(await house.changes(user)).toEqual([added(user), removed(user)]);
});

test('refused credentials: stuck, people are paged, a retry after mending goes on', async () => {
  const { serial, user, workflowId } = house.laptop();
  await house.fault({ match: patch, times: 'always', effect: { status: 401 } });
  await house.report({ ticket: 'STUCK-1', device: { serial } });
  const stuck = await house.untilCase(workflowId, 'stuck', ({ steps }) => steps[theMove]?.state === 'stuck');
  expect(stuck.steps[theMove]?.error?.code).toBe('LDP_NOT_AUTHENTICATED');
  expect(stuck.steps[theMove]?.nextTryAt).toBeUndefined();
  await house.untilMail(`Stuck: ${theMove}`, serial);

  await expect(house.decide(workflowId, retryStep, { step: 'make coffee' })).rejects.toThrow(RefusedByRule);
  await house.decide(workflowId, retryStep, {});
  const again = await house.untilCase(workflowId, 'stuck again', ({ steps }) => steps[theMove]?.attempts === 2);
  expect(again.containment.state).toBe('none');

  await house.clearFaults();
  await house.untilCase(workflowId, 'waiting', ({ steps }) => steps[theMove]?.state === 'stuck');
  await house.decide(workflowId, retryStep, { step: theMove });
  const contained = await house.untilContained(workflowId);
  expect(journal(contained)).toContain(`Works again: ${theMove}.`);
  expect(house.mails.filter(({ subject }) => subject === `Stuck: ${theMove}`)).toHaveLength(1);
  expect(await house.changes(user)).toEqual([added(user)]);
});

test('a stuck step is skipped only with a reason, and the case goes on without it', async () => {
  const { serial, user, workflowId } = house.laptop();
  await house.fault({ match: patch, times: 'always', effect: { status: 403 } });
  await house.report({ ticket: 'SKIP-1', device: { serial } });
  await house.untilCase(workflowId, 'stuck', ({ steps }) => steps[theMove]?.state === 'stuck');
  await expect(house.decide(workflowId, skipStep, { step: theMove, reason: ' ' })).rejects.toThrow('needs a reason');

  await house.decide(workflowId, skipStep, { step: theMove, reason: 'Done by hand in the console.' });
  const skipped = await house.untilCase(workflowId, 'skipped', ({ steps }) => steps[theMove]?.state === 'skipped');
  expect(skipped).toMatchObject({
    outcome: 'open',
    steps: { [theMove]: { skippedBecause: 'Done by hand in the console.' } },
  });
  await house.decide(workflowId, recovered, {});
  expect((await house.untilClosed(workflowId)).outcome).toBe('recovered');
  expect(await house.changes(user)).toEqual([]);
});

test('all of Netskope is away for hours: tried at least every 15 minutes, nobody needed, then contained', async () => {
  const { serial, user, workflowId } = house.laptop();
  await house.fault({ match: { path: '/api/v2/' }, times: 'always', effect: { status: 503 } });
  // Without a ladder the only timers are those of the retries.
  const { escalation } = house.settings.tenants[tenant]!.rules;
  const { ladder } = escalation;
  escalation.ladder = [];
  await house.report({ ticket: 'AWAY-1', device: { serial } });
  escalation.ladder = ladder;
  const identify = 'identify the device';
  await house.untilCase(workflowId, 'failing', ({ steps }) => steps[identify]?.state === 'failing');
  await skipTime(house.handle(workflowId));
  const away = await house.untilCase(workflowId, 'away for hours', ({ steps }) => {
    const { since, nextTryAt } = steps[identify] ?? {};
    return nextTryAt !== undefined && Date.parse(nextTryAt) - Date.parse(since!) > 2 * 60 * 60_000;
  });
  expect(away.steps[identify]).toMatchObject({ state: 'failing', error: { code: 'LDP_SERVER_ERROR' } });
  // Said once, not at every try.
  expect(journal(away).filter((text) => text === `Failing: ${identify}.`)).toHaveLength(1);
  const { events } = await house.handle(workflowId).fetchHistory();
  const waits = (events ?? []).flatMap(({ timerStartedEventAttributes: timer }) =>
    timer ? [Number(timer.startToFireTimeout?.seconds ?? 0)] : [],
  );
  expect(Math.max(...waits)).toBe(15 * 60);

  await house.clearFaults();
  const contained = await house.untilContained(workflowId);
  expect(journal(contained)).toContain(`Works again: ${identify}.`);
  expect(await house.changes(user)).toEqual([added(user)]);
  // Its time would be skipped for ever.
  await house.decide(workflowId, recovered, {});
  await house.untilClosed(workflowId);
});

test('the ticket desk is away: the user is contained all the same, and the notes come later, each once', async () => {
  const { serial, user, workflowId } = house.laptop();
  const { number } = await house.ticket({ u_serial: serial, caller: user });
  await house.fault({ match: { path: '/api/now/' }, times: 'always', effect: { status: 503 } });
  await house.report({ source: 'servicenow', ticket: number, device: { serial } });
  await house.untilContained(workflowId);
  await house.untilCase(
    workflowId,
    'the desk failing',
    ({ steps }) => steps[`note in ticket servicenow ${number}`]?.state === 'failing',
  );
  await house.clearFaults();
  await house.untilCase(
    workflowId,
    'all told',
    ({ notes }) => notes.pending.length === 0 && notes.sending === undefined,
  );
  await eventually(async () =>
    expect(await house.ticketState(number)).toMatchObject({ state: 'In Progress', comments: [] }),
  );
  expect((await house.ticketState(number))!.workNotes.filter((note) => note.includes('Contained:'))).toHaveLength(1);
});

test('the desk refuses while the case closes: people are paged until the very end', async () => {
  const { serial, user, workflowId } = house.laptop();
  const { number } = await house.ticket({ u_serial: serial, caller: user });
  await house.report({ source: 'servicenow', ticket: number, device: { serial } });
  await house.untilContained(workflowId);
  await house.untilCase(workflowId, 'all told', ({ notes }) => notes.pending.length === 0);
  await house.fault({ match: { method: 'PATCH', path: '/api/now/' }, times: 'always', effect: { status: 403 } });
  await house.decide(workflowId, recovered, {});
  const [note, resolve] = [`note in ticket servicenow ${number}`, `resolve ticket servicenow ${number}`];
  // What is said while it closes goes into one note or several, as the moment has it.
  for (;;) {
    const { steps } = await house.untilCase(workflowId, 'stuck', ({ steps: now }) =>
      [note, resolve].some((step) => now[step]?.state === 'stuck'),
    );
    if (steps[resolve]?.state === 'stuck') break;
    await house.decide(workflowId, skipStep, { step: note, reason: 'Told by telephone.' }).catch(() => undefined);
  }
  await house.untilMail(`Stuck: ${resolve}`, serial);

  await house.clearFaults();
  await house.decide(workflowId, retryStep, {});
  const closed = await house.untilClosed(workflowId);
  expect(closed.pages).toEqual([]);
  expect(closed.journal.archived).toBe(closed.journal.next - 1);
  expect(await house.ticketState(number)).toMatchObject({ state: 'Resolved' });
  expect((await house.ticketState(number))!.workNotes.join()).toContain(`Works again: ${resolve}.`);
});
