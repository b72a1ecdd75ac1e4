/**
 * Containment is a weapon: bursts, protected persons and unproven reports ask a person first.
 */
import { startTestHouse, type TestHouse } from '../setup/test-house';
import { fastForward } from '../setup/time-skipping';
import { RefusedByRule } from '../../client/cases';
import type { CaseState } from '../../playbook/case';
import { answer, falseAlarm } from '../../workflows/messages';

let house: TestHouse;
beforeAll(async () => {
  house = await startTestHouse({
    with: { entra: false, servicenow: false },
    guard: { containmentsPerHour: 5, protectedUsers: ['BreakGlass@example.test'] },
  });
});
afterAll(() => house.close());
afterEach(async () => expect(await house.wrongs()).toEqual([]));

const asksToContain = (state: CaseState) => state.questions.some(({ id }) => id === 'contain');
const question = (state: CaseState) => state.questions[0]?.text;

test('a protected person is contained only after a person says yes; rubbish is no answer', async () => {
  const { workflowId } = await house.report({ ticket: 'GLASS-1', device: { serial: 'SN0099' } });
  const asked = await house.untilCase(workflowId, 'a question', asksToContain);
  expect(question(asked)).toContain('breakglass@example.test is a protected person');
  expect(asked.containment.state).toBe('none');
  await house.untilMail('A decision is needed');

  await expect(house.decide(workflowId, answer, { value: 'perhaps' })).rejects.toThrow(RefusedByRule);
  await expect(house.decide(workflowId, answer, { value: 'yes', questionId: 'which' })).rejects.toThrow(RefusedByRule);
  expect(await house.changes('breakglass')).toEqual([]);

  expect(await house.decide(workflowId, answer, { value: '1' })).toEqual({ text: 'Answered: yes.' });
  await house.untilContained(workflowId);
  expect(await house.changes('breakglass')).toHaveLength(1);
  await expect(house.decide(workflowId, answer, { value: 'no' })).rejects.toThrow('Nothing is asked');
});

test('an unproven report asks first, and no means no', async () => {
  const { serial, user, workflowId } = house.laptop();
  const taken = await house.report({ ticket: 'FORGED-1', device: { serial }, verified: false });
  expect(taken.outcome).toBe('in triage');
  const asked = await house.untilCase(workflowId, 'a question', asksToContain);
  expect(question(asked)).toContain('its sender is not proven');

  await house.decide(workflowId, answer, { value: 'no' });
  const left = await house.untilCase(workflowId, 'the answer taken', (state) => state.questions.length === 0);
  expect(left.containment.state).toBe('none');
  await house.decide(workflowId, falseAlarm, {});
  expect((await house.untilClosed(workflowId)).outcome).toBe('false alarm');
  expect(await house.changes(user)).toEqual([]);
});

test('where the rules ask: a user with another laptop is a question, and time does not answer it', async () => {
  const asking = await startTestHouse({
    with: { entra: false, servicenow: false },
    // Nobody is called: only time passes.
    rules: { whenUserHasOtherDevices: 'ask', escalation: { ladder: [] } },
  });
  try {
    const { workflowId } = await asking.report({ ticket: 'SAM-1', device: { serial: 'SN0050' } });
    const asked = await asking.untilCase(workflowId, 'a question', asksToContain);
    expect(question(asked)).toContain('sam@example.test has 1 other device, which the lost group locks too');
    await fastForward(asking.handle(workflowId), 'a week later', 7 * 24 * 60 * 60_000);
    expect((await asking.untilCase(workflowId, 'there', () => true)).containment.state).toBe('none');
    expect(await asking.changes('sam')).toEqual([]);

    await asking.decide(workflowId, answer, { value: 'yes' });
    await asking.untilContained(workflowId);
    // A user with one laptop is nobody's question.
    const { workflowId: other } = await asking.report({ ticket: 'PAT-1', device: { serial: 'SN0042' } });
    await asking.untilContained(other);
    expect(await asking.wrongs()).toEqual([]);
  } finally {
    await asking.close();
  }
});

test('the sixth containment within an hour asks a person', async () => {
  const laptops = Array.from({ length: 6 }, () => house.laptop());
  const last = laptops.pop()!;
  for (const { serial, workflowId } of laptops) {
    await house.report({ ticket: `BURST-${serial}`, device: { serial } });
    await house.untilContained(workflowId);
  }
  await house.report({ ticket: `BURST-${last.serial}`, device: { serial: last.serial } });
  const asked = await house.untilCase(last.workflowId, 'a question', asksToContain);
  expect(question(asked)).toContain('5 laptops were contained automatically within an hour');
  expect(await house.changes(last.user)).toEqual([]);

  await house.decide(last.workflowId, answer, { value: 'yes' });
  await house.untilContained(last.workflowId);
  expect(await house.changes(last.user)).toHaveLength(1);
});
