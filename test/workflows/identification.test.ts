/**
 * Exactly one device and its user, or a person answers with the candidates in hand.
 */
import { eventually } from '../setup/eventually';
import { startTestHouse, tenant, type TestHouse } from '../setup/test-house';
import { RefusedByRule } from '../../client/cases';
import type { CaseState } from '../../playbook/case';
import { workflowIds } from '../../workflows/ids';
import { answer, falseAlarm } from '../../workflows/messages';

let house: TestHouse;
beforeAll(async () => {
  house = await startTestHouse({ with: { entra: false } });
});
afterAll(() => house.close());
afterEach(async () => expect(await house.wrongs()).toEqual([]));

const asksWhich = (state: CaseState) => state.questions.some(({ id }) => id === 'which-device');
const options = (state: CaseState) => state.questions[0]?.options.map(({ text }) => text) ?? [];

test('a user who does not fit the device is a question with the candidates, and the picked one is contained', async () => {
  const laptop = house.laptop();
  const stranger = house.laptop();
  await house.report({ ticket: 'WHICH-1', device: { serial: laptop.serial }, user: stranger.user });
  const asked = await house.untilCase(laptop.workflowId, 'a question', asksWhich);
  expect(asked.questions[0]?.text).toContain(`names ${stranger.user}, but this device belongs to ${laptop.user}`);
  expect(options(asked)).toEqual([
    expect.stringContaining(`${laptop.hostname} (serial ${laptop.serial}) of ${laptop.user}, last seen`),
    expect.stringContaining('None of these'),
  ]);
  await expect(house.decide(laptop.workflowId, answer, { value: '3' })).rejects.toThrow(RefusedByRule);

  await house.decide(laptop.workflowId, answer, { value: '1' });
  const contained = await house.untilContained(laptop.workflowId);
  expect(contained).toMatchObject({ device: { user: laptop.user }, questions: [], candidates: [] });
  expect(await house.changes(laptop.user)).toHaveLength(1);
  expect(await house.changes(stranger.user)).toEqual([]);
});

test('a later report that names the right user answers the question by itself', async () => {
  const laptop = house.laptop();
  const stranger = house.laptop();
  const ticket = { ticket: 'LATER-1', device: { serial: laptop.serial } };
  await house.report({ ...ticket, user: stranger.user });
  await house.untilCase(laptop.workflowId, 'a question', asksWhich);

  expect(await house.report({ ...ticket, user: laptop.user })).toMatchObject({ outcome: 'joined' });
  const contained = await house.untilContained(laptop.workflowId);
  expect(contained).toMatchObject({ device: { user: laptop.user }, questions: [] });
  expect(await house.changes(stranger.user)).toEqual([]);
});

test('a wrong serial: the answer opens the right case, and the wrong one closes as moved with a link', async () => {
  const right = house.laptop();
  const wrongId = workflowIds.lostDevice(tenant, 'SN7001');
  const { number } = await house.ticket({ u_serial: 'SN7001', caller: right.user });
  await house.report({ source: 'servicenow', ticket: number, device: { serial: 'SN7001' } });
  const asked = await house.untilCase(wrongId, 'a question', asksWhich);
  expect(asked.questions[0]?.text).toContain('No managed device with serial SN7001 was found');
  expect(options(asked)).toHaveLength(1);

  await house.decide(wrongId, answer, { value: ` ${right.serial.toLowerCase()} ` });
  expect(await house.untilClosed(wrongId)).toMatchObject({
    outcome: 'moved',
    ending: { movedTo: right.workflowId, who: 'ana (analyst)' },
    containment: { state: 'none' },
  });
  expect(await house.closing('servicenow', number)).toMatchObject({ outcome: 'moved', movedTo: right.workflowId });
  const contained = await house.untilContained(right.workflowId);
  expect(contained.tickets).toMatchObject([{ source: 'servicenow', id: number }]);
  expect(await house.changes(right.user)).toHaveLength(1);
  // The ticket lives on with the right case.
  await eventually(async () => expect(await house.ticketState(number)).toMatchObject({ state: 'In Progress' }));
  const stolen = { source: 'servicenow', ticket: number, answers: { kind: 'stolen' as const } };
  expect(await house.report({ ...stolen, device: { serial: right.serial } })).toMatchObject({ outcome: 'joined' });
  await house.decide(right.workflowId, falseAlarm, {});
  await house.untilClosed(right.workflowId);
  expect(await house.ticketState(number)).toMatchObject({ state: 'Resolved' });
});

test('none of ours: closed as a false alarm, nobody touched', async () => {
  const wrongId = workflowIds.lostDevice(tenant, 'SN7002');
  await house.report({ ticket: 'NONE-1', device: { serial: 'SN7002' }, user: 'kim@example.test' });
  await house.untilCase(wrongId, 'a question', asksWhich);
  await house.decide(wrongId, answer, { value: 'None' });
  expect(await house.untilClosed(wrongId)).toMatchObject({
    outcome: 'false alarm',
    ending: { reason: 'Not a managed device of ours.' },
  });
  expect(await house.changes('kim@example.test')).toEqual([]);
});
