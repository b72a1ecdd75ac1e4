/**
 * The whole runbook for one laptop: contained, proven when it comes online, recovered, and every undo read back.
 */
import { startTestHouse, tenant, type TestHouse } from '../setup/test-house';
import { recovered } from '../../workflows/messages';

let house: TestHouse;
beforeAll(async () => {
  house = await startTestHouse({ with: { tag: true } });
});
afterAll(() => house.close());
afterEach(async () => expect(await house.wrongs()).toEqual([]));

const minuteMs = 60_000;

test('stolen: contained, proven hours later, recovered, with notes that only the desk reads and a closing record', async () => {
  const { serial, hostname, user, workflowId } = house.laptop();
  const { number } = await house.ticket({ u_serial: serial, caller: user });
  const taken = await house.report({
    source: 'servicenow',
    ticket: number,
    device: { serial },
    user,
    answers: { kind: 'stolen', lastHeldWhere: 'on the train' },
  });
  expect(taken).toEqual({ outcome: 'opened', workflowId });

  const contained = await house.untilContained(workflowId);
  expect(contained.device).toMatchObject({ serial, hostname, user });
  expect(contained.configuration.state).toBe('member');
  expect(contained.configuration.says).toMatch(/^Not proven, last seen .* by netskope, will verify on return\.$/);
  expect(await house.lostGroup()).toContain(user);

  await house.advance(3 * 60 * minuteMs);
  await house.move(serial, { do: 'online', place: 'home' });
  for (let passedMs = 0; passedMs < 100 * minuteMs; passedMs += 10 * minuteMs) await house.advance(10 * minuteMs);
  const proven = await house.untilCase(
    workflowId,
    'applied and biting',
    ({ configuration: { rungs } }) => rungs.applied !== undefined && rungs.biting !== undefined,
  );
  expect(proven.configuration.state).toBe('biting');
  expect(Date.parse(proven.configuration.rungs.applied!.at)).toBeGreaterThan(
    Date.parse(proven.configuration.changedAt!) + 3 * 60 * minuteMs,
  );

  const decided = await house.decide(workflowId, recovered, { reason: 'Handed in by the police.' });
  expect(decided.text).toContain('recovered');
  const closed = await house.untilClosed(workflowId);
  expect(closed).toMatchObject({ outcome: 'recovered', containment: { state: 'released' }, questions: [] });
  expect(closed.containment.measures).toMatchObject({
    'lost-group': { state: 'undone' },
    'device-tag': { state: 'undone' },
    'disable-device': { state: 'undone' },
    'revoke-sessions': { state: 'cannot be undone' },
  });
  expect(closed.notes.pending).toEqual([]);
  expect(closed.journal.archived).toBe(closed.journal.next - 1);

  expect(await house.changes(user, hostname)).toEqual([
    `netskope: ${user} added to group Lost-Stolen Devices`,
    `netskope: tag lost-stolen added to ${hostname}`,
    `entra: sessions of ${user} revoked`,
    `entra: device ${hostname} disabled`,
    `netskope: ${user} removed from group Lost-Stolen Devices`,
    `netskope: tag lost-stolen removed from ${hostname}`,
    `entra: device ${hostname} enabled`,
  ]);
  expect(await house.changes(number)).toEqual([
    `servicenow: ${number} is In Progress`,
    `servicenow: ${number} is Resolved`,
  ]);

  const ticket = await house.ticketState(number);
  expect(ticket).toMatchObject({ state: 'Resolved', comments: [] });
  const notes = ticket!.workNotes.join('\n');
  for (const told of [
    'Case opened.',
    'Contained:',
    'the lost policy blocks',
    'Released:',
    'Not undone',
    'Closed: recovered',
  ])
    expect(notes).toContain(told);
  expect(await house.closing('servicenow', number)).toMatchObject({
    workflowId,
    chain: closed.chain,
    tenant,
    outcome: 'recovered',
    reason: 'Handed in by the police.',
  });
  expect(await house.lostGroup()).not.toContain(user);
});
