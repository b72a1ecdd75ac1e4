/**
 * The directory owns the lost group: the user is moved there, and secure access is read back.
 */
import { eventually } from '../setup/eventually';
import { startTestHouse, type TestHouse } from '../setup/test-house';
import { falseAlarm, recovered } from '../../workflows/messages';

let house: TestHouse;
beforeAll(async () => {
  house = await startTestHouse({
    with: { entra: { lostGroup: true }, servicenow: false },
    traps: { directoryOwnsGroup: true },
  });
});
afterAll(() => house.close());
afterEach(async () => {
  await house.clearFaults();
  expect(await house.wrongs()).toEqual([]);
  const calls = await house.calls();
  // Without `/$ref` Graph would delete the user, and Netskope's own API must leave a group alone that is not its own.
  expect(calls.filter(({ method, path }) => method === 'DELETE' && !path.endsWith('/$ref'))).toEqual([]);
  expect(calls.filter(({ method, path }) => method === 'PATCH' && path.startsWith('/api/v2/scim/'))).toEqual([]);
});

const group = 'Lost-Stolen Devices';
const minuteMs = 60_000;

test('added in Entra, provisioned on demand, seen in Netskope; sessions only then; released the same way', async () => {
  const { serial, user, workflowId } = house.laptop();
  await house.report({ ticket: 'OWNED-1', device: { serial } });
  const contained = await house.untilContained(workflowId);
  expect(contained.containment).toMatchObject({ via: 'directory', memberBefore: false });
  expect(await house.lostGroup()).toContain(user);

  await house.decide(workflowId, recovered, {});
  const closed = await house.untilClosed(workflowId);
  expect(closed.containment.measures['lost-group']?.state).toBe('undone');
  expect(await house.lostGroup()).not.toContain(user);
  expect(await house.changes(user)).toEqual([
    `entra: ${user} added to group ${group}`,
    `entra: ${user} exported into netskope group ${group}`,
    `entra: sessions of ${user} revoked`,
    `entra: ${user} removed from group ${group}`,
    expect.stringMatching(new RegExp(`${user} .*netskope group ${group}`)),
  ]);
});

test('without provisioning on demand the case waits for the regular cycle and says so', async () => {
  const { serial, user, workflowId } = house.laptop();
  await house.fault({
    match: { method: 'POST', path: '/v1.0/servicePrincipals/' },
    times: 'always',
    effect: { status: 403 },
  });
  await house.report({ ticket: 'OWNED-2', device: { serial } });
  const waiting = await house.untilCase(
    workflowId,
    'waiting to be seen',
    ({ steps }) => (steps['see the move']?.attempts ?? 0) > 0,
  );
  expect(waiting.containment.state).toBe('none');
  expect(waiting.journal.tail.map(({ text }) => text)).toContain(
    'The move was accepted by the directory; waiting until it is seen.',
  );
  expect(await house.changes(user)).toEqual([`entra: ${user} added to group ${group}`]);

  await house.advance(41 * minuteMs);
  await house.untilContained(workflowId);
  expect(await house.lostGroup()).toContain(user);

  await house.decide(workflowId, falseAlarm, {});
  // Taken out before the next cycle, or that cycle carries nothing over.
  await eventually(async () =>
    expect(await house.changes(user)).toContain(`entra: ${user} removed from group ${group}`),
  );
  expect(await house.lostGroup()).toContain(user);
  await house.advance(41 * minuteMs);
  await house.untilClosed(workflowId);
  expect(await house.lostGroup()).not.toContain(user);
});
