/**
 * The user in the lost group, when more than one case or somebody else needs him there.
 */
import { startTestHouse, type TestHouse } from '../setup/test-house';
import { recovered } from '../../workflows/messages';

let house: TestHouse;
beforeAll(async () => {
  house = await startTestHouse({ with: { entra: false } });
});
afterAll(() => house.close());
afterEach(async () => expect(await house.wrongs()).toEqual([]));

const lostGroup = 'Lost-Stolen Devices';
const groupOf = (state: Awaited<ReturnType<TestHouse['untilClosed']>>) => state.containment.measures['lost-group'];

test('two laptops of one user: the first recovered leaves the user contained, the second releases', async () => {
  const user = 'sam@example.test';
  const [first, second] = await Promise.all([
    house.report({ ticket: 'SAM-1', device: { serial: 'SN0050' } }),
    house.report({ ticket: 'SAM-2', device: { serial: 'SN0051' } }),
  ]);
  const contained = await house.untilContained(first.workflowId);
  await house.untilContained(second.workflowId);
  expect(contained.otherDevices).toMatchObject([{ serial: 'SN0051', user }]);
  expect(Object.keys((await house.hold(user)).holders)).toHaveLength(2);

  await house.decide(first.workflowId, recovered, {});
  const one = await house.untilClosed(first.workflowId);
  expect(groupOf(one)).toMatchObject({
    state: 'left in place',
    evidence: expect.stringContaining(second.workflowId) as unknown,
  });
  expect(await house.lostGroup()).toContain(user);

  await house.decide(second.workflowId, recovered, {});
  expect(groupOf(await house.untilClosed(second.workflowId))?.state).toBe('undone');
  expect(await house.lostGroup()).not.toContain(user);
  expect(await house.changes(user)).toEqual([
    `netskope: ${user} added to group ${lostGroup}`,
    `netskope: ${user} removed from group ${lostGroup}`,
  ]);
});

test('the same laptop lost twice: everything is done anew, and the old ticket starts and joins nothing', async () => {
  const { serial, user, workflowId } = house.laptop();
  const late = { ticket: 'TWICE-1', device: { serial } };
  await house.report({ ...late, deliveryId: 'delivery of the first loss' });
  const first = await house.untilContained(workflowId);
  await house.decide(workflowId, recovered, {});
  await house.untilClosed(workflowId);

  expect(await house.report({ ...late, deliveryId: 'delivery of the first loss' })).toMatchObject({
    outcome: 'already closed',
  });
  expect((await house.report({ ticket: 'TWICE-2', device: { serial } })).outcome).toBe('opened');
  const second = await house.untilContained(workflowId);
  expect(second.chain).not.toBe(first.chain);
  expect(second.tickets).toMatchObject([{ id: 'TWICE-2' }]);

  for (const deliveryId of ['delivery of the first loss', 'another delivery']) {
    expect(await house.report({ ...late, deliveryId })).toMatchObject({ outcome: 'already closed' });
  }
  await house.decide(workflowId, recovered, {});
  const closed = await house.untilClosed(workflowId);
  expect(closed.tickets).toMatchObject([{ id: 'TWICE-2' }]);
  expect(await house.report({ ...late, deliveryId: 'a third delivery' })).toMatchObject({ outcome: 'already closed' });
  expect(await house.changes(user)).toEqual([
    `netskope: ${user} added to group ${lostGroup}`,
    `netskope: ${user} removed from group ${lostGroup}`,
    `netskope: ${user} added to group ${lostGroup} (#2)`,
    `netskope: ${user} removed from group ${lostGroup} (#2)`,
  ]);
  expect((await house.handle(workflowId).describe()).status.name).toBe('COMPLETED');
});

test('lost again while the first case is still closing: the next case opens by itself and does everything anew', async () => {
  const { serial, user, workflowId } = house.laptop();
  await house.report({ ticket: 'AGAIN-1', device: { serial } });
  const first = await house.untilContained(workflowId);
  await house.fault({ match: { method: 'PATCH', path: '/api/v2/scim/' }, times: 'always', effect: { status: 503 } });
  await house.decide(workflowId, recovered, {});
  await house.untilCase(workflowId, 'closing', ({ steps }) => steps['release the user']?.state === 'failing');
  await house.report({ ticket: 'AGAIN-2', device: { serial }, answers: { kind: 'stolen' } });
  await house.clearFaults();

  const second = await house.untilCase(
    workflowId,
    'the next case contained',
    ({ chain, containment }) => chain !== first.chain && containment.state === 'contained',
  );
  expect(second).toMatchObject({ outcome: 'open', tickets: [{ id: 'AGAIN-2' }], answers: { kind: 'stolen' } });
  expect(await house.closing('generic', 'AGAIN-1')).toMatchObject({ outcome: 'recovered', chain: first.chain });
  expect(await house.closing('generic', 'AGAIN-2')).toBeUndefined();
  await house.decide(workflowId, recovered, {});
  await house.untilClosed(workflowId);
  expect(await house.changes(user)).toEqual([
    `netskope: ${user} added to group ${lostGroup}`,
    `netskope: ${user} removed from group ${lostGroup}`,
    `netskope: ${user} added to group ${lostGroup} (#2)`,
    `netskope: ${user} removed from group ${lostGroup} (#2)`,
  ]);
});

test('a user who was in the lost group before stays there, and the case says so', async () => {
  const { serial, user, workflowId } = house.laptop();
  await house.putIntoLostGroup(user);
  await house.report({ ticket: 'BEFORE-1', device: { serial } });
  const contained = await house.untilContained(workflowId);
  expect(groupOf(contained)?.state).toBe('was there before');

  await house.decide(workflowId, recovered, {});
  const closed = await house.untilClosed(workflowId);
  expect(groupOf(closed)).toMatchObject({
    state: 'left in place',
    evidence: `${user} was in the lost group before the case, and stays there.`,
  });
  expect(closed.journal.tail.map(({ text }) => text)).toContain(`${user} stays in the lost group.`);
  expect(await house.changes(user)).toEqual([`netskope: ${user} added to group ${lostGroup}`]);
});
