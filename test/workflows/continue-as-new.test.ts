/**
 * A case goes on as a new run again and again: nothing is lost, nothing is doubled, and it stays the same case.
 */
import { eventually } from '../setup/eventually';
import { startTestHouse, type TestHouse } from '../setup/test-house';
import type { CaseState } from '../../playbook/case';
import { falseAlarm, recovered, replaceDevice, reportSighting, retryStep } from '../../workflows/messages';

let house: TestHouse;
beforeAll(async () => {
  // The server suggests it so early that it happens within nearly every step of the runbook.
  house = await startTestHouse({ dynamicConfig: { 'limit.historyCount.suggestContinueAsNew': 30 } });
});
afterAll(() => house.close());
afterEach(async () => {
  await house.clearFaults();
  expect(await house.wrongs()).toEqual([]);
});

/** The entries of the whole journal, from the archive. */
async function journalOf(state: CaseState): Promise<string[]> {
  const entries = await house.journal(state.chain);
  expect(entries.map(({ n }) => n)).toEqual(entries.map((_, index) => index + 1));
  return entries.map(({ text }) => text);
}

const currentRun = async (workflowId: string) => (await house.handle(workflowId).describe()).runId;
const runOf = (state: CaseState) => state.chain.split('~')[1];

test('the whole story, in many runs: every step once, one chain, one journal', async () => {
  const { serial, hostname, user, workflowId } = house.laptop();
  const { number } = await house.ticket({ u_serial: serial, caller: user });
  await house.report({ source: 'servicenow', ticket: number, device: { serial }, answers: { kind: 'stolen' } });
  const contained = await house.untilContained(workflowId);
  await eventually(async () => expect(await currentRun(workflowId)).not.toBe(runOf(contained)));
  expect(Object.keys((await house.hold(user)).holders)).toEqual([contained.chain]);

  await house.decide(workflowId, replaceDevice, {});
  await house.untilCase(workflowId, 'released', ({ containment }) => containment.armed);
  await house.advance(60_000);
  await house.move(serial, { do: 'online', place: 'home' });
  const again = await house.untilCase(workflowId, 'contained again', ({ containment }) => containment.times === 2);
  expect(again.chain).toBe(contained.chain);

  await house.decide(workflowId, recovered, {});
  const closed = await house.untilClosed(workflowId);
  expect(closed).toMatchObject({ chain: contained.chain, outcome: 'recovered', containment: { state: 'released' } });
  expect(await house.changes(user, hostname)).toEqual([
    `netskope: ${user} added to group Lost-Stolen Devices`,
    `entra: sessions of ${user} revoked`,
    `entra: device ${hostname} disabled`,
    `netskope: ${user} removed from group Lost-Stolen Devices`,
    `netskope: ${user} added to group Lost-Stolen Devices (#2)`,
    `netskope: ${user} removed from group Lost-Stolen Devices (#2)`,
    `entra: device ${hostname} enabled`,
  ]);
  expect(await house.changes(number)).toEqual([
    `servicenow: ${number} is In Progress`,
    `servicenow: ${number} is Resolved`,
  ]);
  const journal = await journalOf(closed);
  for (const once of ['Case opened.', 'Decided: recovered. Undoing what was done.', 'Closed: recovered.'])
    expect(journal.filter((text) => text === once)).toHaveLength(1);
  expect(journal.filter((text) => text.startsWith('Not undone: revoke the user'))).toHaveLength(1);
  const notes = (await house.ticketState(number))!.workNotes.join('\n').split('\n');
  const told = notes.filter((line) => /UTC {2}(Case opened|Contained|Released|Closed)/.test(line));
  expect(told).toHaveLength(6);
});

test('failing steps, pending notes and a flood of decisions across runs: each is taken once', async () => {
  const { serial, user, workflowId } = house.laptop();
  const { number } = await house.ticket({ u_serial: serial, caller: user });
  await house.report({ source: 'servicenow', ticket: number, device: { serial } });
  const contained = await house.untilContained(workflowId);
  await house.untilCase(
    workflowId,
    'all told',
    ({ notes, steps }) =>
      notes.pending.length === 0 && steps[`set ticket servicenow ${number} in progress`]?.state === 'done',
  );
  await house.holdTicket(number);

  await house.fault({ match: { path: '/api/now/' }, times: 'always', effect: { status: 503 } });
  const at = new Date().toISOString();
  const sightings = Array.from({ length: 40 }, (_, n) => ({ id: `sighting ${n}`, at, what: `Seen by guard ${n}` }));
  const before = await currentRun(workflowId);
  await Promise.all(sightings.map((sighting) => house.decide(workflowId, reportSighting, sighting)));
  await house.untilCase(
    workflowId,
    'the notes failing',
    ({ steps }) => steps[`note in ticket servicenow ${number}`]?.state === 'failing',
  );
  // The same decisions again, in later runs: the server has forgotten them, the case has not.
  await Promise.all(sightings.map((sighting) => house.decide(workflowId, reportSighting, sighting)));
  await eventually(async () => expect(await currentRun(workflowId)).not.toBe(before));
  expect(Object.keys((await house.hold(user)).holders)).toEqual([contained.chain]);

  await house.clearFaults();
  await house.decide(workflowId, retryStep, {}).catch(() => undefined); // It may have come through by itself.
  const told = await house.untilCase(workflowId, 'all told', ({ notes }) => notes.pending.length === 0);
  expect(told.presence.recent.filter(({ source }) => source === 'person').length).toBeGreaterThan(0);
  const ticket = (await house.ticketState(number))!;
  for (const { what } of sightings)
    expect(
      ticket.workNotes
        .join('\n')
        .split('\n')
        .filter((line) => line.includes(`${what}.`)),
    ).toHaveLength(1);
  // Somebody put the ticket on hold: a new run leaves it there.
  expect(ticket.state).toBe('On Hold');

  await house.decide(workflowId, falseAlarm, {});
  const closed = await house.untilClosed(workflowId);
  expect(closed.chain).toBe(contained.chain);
  const journal = await journalOf(closed);
  expect(journal.filter((text) => text.startsWith('Reported by a person'))).toHaveLength(40);
  expect(await house.changes(user)).toEqual([
    `netskope: ${user} added to group Lost-Stolen Devices`,
    `entra: sessions of ${user} revoked`,
    `netskope: ${user} removed from group Lost-Stolen Devices`,
  ]);
});
