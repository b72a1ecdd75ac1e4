/**
 * What persons and later reports change in a running case.
 */
import { eventually } from '../setup/eventually';
import { startTestHouse, type TestHouse } from '../setup/test-house';
import { RefusedByRule } from '../../client/cases';
import { troubledSteps } from '../../playbook/case';
import { answer, falseAlarm, recovered, replaceDevice, reportSighting } from '../../workflows/messages';

const minuteMs = 60_000;
let house: TestHouse;
beforeAll(async () => {
  // So that what is told late has happened before.
  house = await startTestHouse({ simulatorBehindMs: 25 * minuteMs });
});
afterAll(() => house.close());
afterEach(async () => {
  await house.clearFaults();
  expect(await house.wrongs()).toEqual([]);
});

const added = (user: string) => `netskope: ${user} added to group Lost-Stolen Devices`;
const removed = (user: string) => `netskope: ${user} removed from group Lost-Stolen Devices`;
const revoked = (user: string) => `entra: sessions of ${user} revoked`;

test('replace: the user goes free, the device stays held, and its next sighting contains the user again', async () => {
  const { serial, hostname, user, workflowId } = house.laptop();
  await house.report({ ticket: 'REPLACE-1', device: { serial }, answers: { kind: 'stolen' } });
  await house.untilContained(workflowId);
  // Traffic just before the replacement becomes known only afterwards: that is not the device coming back.
  await house.move(serial, { do: 'online', place: 'cafe' });
  await house.advance(3 * minuteMs);
  await house.move(serial, { do: 'offline' });
  await house.untilCase(workflowId, 'seen', ({ presence }) => presence.state === 'seen');

  await house.decide(workflowId, replaceDevice, {});
  const held = await house.untilCase(workflowId, 'released', ({ containment }) => containment.armed);
  expect(held).toMatchObject({ containment: { state: 'user released, device held' }, outcome: 'open' });
  expect(held.containment.measures['disable-device']?.state).toBe('in place');
  expect(await house.lostGroup()).not.toContain(user);
  await expect(house.decide(workflowId, replaceDevice, {})).rejects.toThrow(RefusedByRule);

  await house.advance(20 * minuteMs);
  await house.untilPolled();
  expect((await house.house.cases.show(workflowId)) as object).toMatchObject({
    containment: { state: 'user released, device held', times: 1 },
  });

  await house.advance(5 * minuteMs);
  await house.move(serial, { do: 'online', place: 'home' });
  const again = await house.untilCase(workflowId, 'contained again', ({ containment }) => containment.times === 2);
  expect(again).toMatchObject({
    containment: { state: 'contained', armed: false },
    configuration: { state: 'member' },
  });

  await house.decide(workflowId, recovered, {});
  await house.untilClosed(workflowId);
  expect(await house.changes(user, hostname)).toEqual([
    added(user),
    revoked(user),
    `entra: device ${hostname} disabled`,
    removed(user),
    `${added(user)} (#2)`,
    `${removed(user)} (#2)`,
    `entra: device ${hostname} enabled`,
  ]);
});

test('recovered while the release for a replacement is failing: the user is released all the same', async () => {
  const { serial, user, workflowId } = house.laptop();
  await house.report({ ticket: 'REPLACE-2', device: { serial } });
  await house.untilContained(workflowId);
  await house.fault({ match: { method: 'PATCH', path: '/api/v2/scim/' }, times: 'always', effect: { status: 503 } });
  await house.decide(workflowId, replaceDevice, {});
  await house.untilCase(workflowId, 'failing', ({ steps }) => steps['release the user']?.state === 'failing');
  await house.decide(workflowId, recovered, {});
  await house.clearFaults();
  const closed = await house.untilClosed(workflowId);
  expect(closed).toMatchObject({
    outcome: 'recovered',
    containment: { measures: { 'lost-group': { state: 'undone' } } },
  });
  expect(await house.changes(user)).toEqual([added(user), revoked(user), removed(user)]);
});

test('false alarm while containment is still failing: nothing was done, nothing is left', async () => {
  const { serial, user, workflowId } = house.laptop();
  await house.fault({ match: { method: 'PATCH', path: '/api/v2/scim/' }, times: 'always', effect: { status: 503 } });
  await house.report({ ticket: 'ALARM-1', device: { serial } });
  await house.untilCase(
    workflowId,
    'failing',
    ({ steps }) => steps['move the user into the lost group']?.state === 'failing',
  );
  await house.decide(workflowId, falseAlarm, { reason: 'It was under the desk.' });
  const closed = await house.untilClosed(workflowId);
  expect(closed).toMatchObject({ outcome: 'false alarm', ending: { reason: 'It was under the desk.' } });
  expect(troubledSteps(closed)).toEqual([]);
  expect(await house.changes(user)).toEqual([]);
});

test('false alarm undoes everything in one step; a repeat changes nothing; afterwards nothing can be decided', async () => {
  const { serial, hostname, user, workflowId } = house.laptop();
  await house.report({ ticket: 'ALARM-2', device: { serial }, answers: { kind: 'stolen' } });
  await house.untilContained(workflowId);

  const sighting = { id: 'the same sighting', at: new Date().toISOString(), what: 'Left at the reception' };
  await house.decide(workflowId, reportSighting, sighting);
  const again = await house.decide(workflowId, reportSighting, sighting);
  expect(again.text).toBeTruthy();
  const seen = await house.untilCase(workflowId, 'seen', ({ presence }) => presence.state === 'seen');
  expect(seen.presence.recent.filter(({ source }) => source === 'person')).toHaveLength(1);

  const alarm = { id: 'the same decision' };
  const answers = await Promise.all([1, 2, 3].map(() => house.decide(workflowId, falseAlarm, alarm)));
  expect(answers).toHaveLength(3);
  const closed = await house.untilClosed(workflowId);
  expect(closed.outcome).toBe('false alarm');
  expect(closed.journal.tail.filter(({ text }) => text.startsWith('Decided: false alarm'))).toHaveLength(1);
  expect(await house.changes(user, hostname)).toEqual([
    added(user),
    revoked(user),
    `entra: device ${hostname} disabled`,
    removed(user),
    `entra: device ${hostname} enabled`,
  ]);
  await expect(house.decide(workflowId, recovered, {})).rejects.toThrow(RefusedByRule);
  await expect(house.decide(workflowId, answer, { value: 'yes' })).rejects.toThrow('is closed');
});

test('stolen after all: the further steps are taken; unknown takes nothing back; a joining ticket is kept informed', async () => {
  const { serial, hostname, user, workflowId } = house.laptop();
  const ticket = { ticket: 'AFTER-ALL-1', device: { serial } };
  await house.report(ticket);
  await house.untilContained(workflowId);
  expect(await house.changes(user, hostname)).toEqual([added(user), revoked(user)]);

  await house.report({ ...ticket, answers: { kind: 'stolen', powered: 'off' } });
  await house.untilCase(workflowId, 'the device disabled', ({ containment }) => {
    return containment.measures['disable-device']?.state === 'in place';
  });
  const { number } = await house.ticket({ u_serial: serial, caller: user });
  await house.report({
    source: 'servicenow',
    ticket: number,
    device: { serial },
    answers: { kind: 'unknown', powered: 'unknown', locked: 'yes' },
  });
  const joined = await house.untilCase(
    workflowId,
    'the second ticket told',
    ({ notes, steps }) => notes.pending.length === 0 && steps[`note in ticket servicenow ${number}`]?.state === 'done',
  );
  expect(joined).toMatchObject({
    answers: { kind: 'stolen', powered: 'off', locked: 'yes' },
    tickets: [{ id: 'AFTER-ALL-1' }, { id: number }],
  });
  await eventually(async () =>
    expect(await house.ticketState(number)).toMatchObject({ state: 'In Progress', comments: [] }),
  );
  expect((await house.ticketState(number))!.workNotes.join()).toContain(
    `Ticket servicenow ${number} joined this case.`,
  );
  expect(await house.changes(user, hostname)).toEqual([
    added(user),
    revoked(user),
    `entra: device ${hostname} disabled`,
  ]);
});
