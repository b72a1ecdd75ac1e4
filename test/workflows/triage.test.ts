/**
 * Reports that do not name a device: the ticket is read again, the device found or asked for, and handed over. And tickets
 * that nobody announced.
 */
import { startTestHouse, tenant, type TestHouse } from '../setup/test-house';
import { RefusedByRule } from '../../client/cases';
import { workflowIds } from '../../workflows/ids';
import { answer, falseAlarm, recovered, retryStep } from '../../workflows/messages';

let house: TestHouse;
beforeAll(async () => {
  house = await startTestHouse({ with: { entra: false } });
});
afterAll(() => house.close());
afterEach(async () => {
  await house.clearFaults();
  expect(await house.wrongs()).toEqual([]);
});

const source = 'servicenow';
const triageOf = (number: string) => workflowIds.triage(tenant, { source, id: number });
test('a ticket that names only its caller is handed over when he has one laptop', async () => {
  const { user, workflowId } = house.laptop();
  const { number } = await house.ticket({ caller: user, description: 'kind: stolen' });
  expect(await house.report({ source, ticket: number })).toEqual({
    outcome: 'in triage',
    workflowId: triageOf(number),
  });
  const triage = await house.untilTriage(triageOf(number), 'handed over', ({ outcome }) => outcome === 'handed over');
  expect(triage.handedOverTo).toBe(workflowId);
  const contained = await house.untilContained(workflowId);
  expect(contained).toMatchObject({ tickets: [{ source, id: number }], answers: { kind: 'stolen' }, verified: true });
  expect(await house.changes(user)).toHaveLength(1);
});

test('a hostname on two laptops: a person picks one, the other is left alone', async () => {
  const wanted = house.laptop();
  const namesake = house.laptop();
  await house.move(namesake.serial, { do: 'second-device', newSerial: 'SN8001', newHostname: wanted.hostname });
  const { number } = await house.ticket({ description: `hostname: ${wanted.hostname}` });
  await house.report({ source, ticket: number });
  const asked = await house.untilTriage(triageOf(number), 'a question', ({ question }) => question !== undefined);
  expect(asked.candidates.map(({ serial }) => serial).sort()).toEqual([wanted.serial, 'SN8001'].sort());
  await house.untilMail('A lost device must be identified', wanted.hostname);
  await expect(house.decide(triageOf(number), answer, { value: 'the blue one' })).rejects.toThrow(RefusedByRule);
  expect(await house.changes(wanted.user, namesake.user)).toEqual([]);

  const option = asked.candidates.findIndex(({ serial }) => serial === wanted.serial) + 1;
  await house.decide(triageOf(number), answer, { value: String(option) });
  await house.untilContained(wanted.workflowId);
  expect(await house.changes(wanted.user, namesake.user)).toEqual([
    `netskope: ${wanted.user} added to group Lost-Stolen Devices`,
  ]);
});

test('a later report that names the device answers the question by itself', async () => {
  const { serial, hostname, user, workflowId } = house.laptop();
  const { number } = await house.ticket({});
  await house.report({ source, ticket: number });
  await house.untilTriage(triageOf(number), 'a question', ({ question }) => question !== undefined);
  await house.report({ source, ticket: number, device: { hostname } });
  await house.untilContained(workflowId);
  expect(await house.changes(user, serial)).toHaveLength(1);
});

test('a ticket that is closed meanwhile starts nothing', async () => {
  const { serial, user } = house.laptop();
  const { number, sys_id } = await house.ticket({ caller: user, u_serial: serial });
  await house.closeTicket(sys_id);
  await house.report({ source, ticket: number });
  await house.untilTriage(triageOf(number), 'the end', ({ outcome }) => outcome === 'ticket closed');
  expect(await house.changes(user)).toEqual([]);
});

test('a ticket that cannot be read: it is tried again, and refused credentials wait for a person', async () => {
  const { user, workflowId } = house.laptop();
  const { number } = await house.ticket({ caller: user });
  await house.fault({ match: { path: '/api/now/' }, times: 'always', effect: { status: 503 } });
  await house.report({ source, ticket: number });
  const failing = await house.untilTriage(triageOf(number), 'failing', ({ error }) => error !== undefined);
  expect(failing.error).toMatchObject({ code: 'LDP_SERVER_ERROR', stuck: false });

  await house.clearFaults();
  await house.fault({ match: { path: '/api/now/' }, times: 'always', effect: { status: 401 } });
  const stuck = await house.untilTriage(triageOf(number), 'stuck', ({ error }) => error?.stuck === true);
  expect(stuck.error?.code).toBe('LDP_NOT_AUTHENTICATED');
  expect(await house.changes(user)).toEqual([]);

  await house.clearFaults();
  await house.decide(triageOf(number), retryStep, {});
  await house.untilContained(workflowId);
  expect(await house.changes(user)).toHaveLength(1);
});

test('not a managed device: closed, the ticket is told, and its next webhook starts nothing', async () => {
  const { number } = await house.ticket({ description: 'hostname: PRIVATE-MAC' });
  await house.report({ source, ticket: number });
  await house.untilTriage(triageOf(number), 'a question', ({ question }) => question !== undefined);
  await house.decide(triageOf(number), falseAlarm, { reason: 'It is a private one.' });
  await house.handle(triageOf(number)).result();
  expect((await house.ticketState(number))!.workNotes.join()).toContain('not a managed device of ours');
  expect(await house.closing(source, number)).toMatchObject({ outcome: 'false alarm' });
  expect(await house.report({ source, ticket: number })).toMatchObject({ outcome: 'already closed' });
});

test('reconciliation: an open ticket that nobody announced gets its case; one with a case or a closing record does not', async () => {
  const silent = house.laptop();
  const running = house.laptop();
  const closed = house.laptop();
  const { number: closedNumber } = await house.ticket({ u_serial: closed.serial });
  await house.report({ source, ticket: closedNumber, device: { serial: closed.serial } });
  await house.untilContained(closed.workflowId);
  await house.decide(closed.workflowId, recovered, {});
  await house.untilClosed(closed.workflowId);
  await house.reopenTicket(closedNumber);

  const { number: runningNumber } = await house.ticket({ u_serial: running.serial });
  await house.report({ source, ticket: runningNumber, device: { serial: running.serial } });
  await house.untilContained(running.workflowId);
  const { number } = await house.ticket({ u_serial: silent.serial, caller: silent.user });
  await house.ticket({ u_serial: 'SN1039', category: 'hardware' });

  expect((await house.reconcile()).opened).toEqual([silent.workflowId]);
  const contained = await house.untilContained(silent.workflowId);
  expect(contained).toMatchObject({ tickets: [{ source, id: number }], verified: true });
  expect(await house.reconcile()).toMatchObject({ opened: [], unreadable: [] });
  expect((await house.handle(closed.workflowId).describe()).status.name).toBe('COMPLETED');
});
