/**
 * Whatever happens to the program in the middle of a case, the case ends the same way.
 */
import { startMainWorker } from '../setup/main-worker';
import { eventually } from '../setup/eventually';
import { startTestHouse, type TestHouse, type TestHouseOptions } from '../setup/test-house';
import { answer, deviceSeen, recovered, reportSighting } from '../../workflows/messages';

const lostGroup = 'Lost-Stolen Devices';
const thereAndBack = (user: string) => [
  `netskope: ${user} added to group ${lostGroup}`,
  `entra: sessions of ${user} revoked`,
  `netskope: ${user} removed from group ${lostGroup}`,
];

describe('with the product’s own worker', () => {
  let house: TestHouse;
  beforeAll(async () => {
    house = await startTestHouse();
  });
  afterAll(() => house.close());
  afterEach(async () => {
    await house.clearFaults();
    expect(await house.wrongs()).toEqual([]);
  });

  test('reports that come while no worker runs are kept, and the cases go on when one does', async () => {
    const laptops = [house.laptop(), house.laptop()];
    await house.stopWorker();
    for (const { serial } of laptops) {
      const report = { ticket: `NIGHT-${serial}`, device: { serial } };
      expect((await house.report(report)).outcome).toBe('opened');
      expect((await house.report({ ...report, answers: { powered: 'off' } })).outcome).toBe('joined');
    }
    await house.startWorkerAgain();
    for (const { user, workflowId } of laptops) {
      expect(await house.untilContained(workflowId)).toMatchObject({ answers: { powered: 'off' } });
      await house.decide(workflowId, recovered, {});
      await house.untilClosed(workflowId);
      expect(await house.changes(user)).toEqual(thereAndBack(user));
    }
  });

  test('a worker that stops between a change and its answer: the next one finds the change and makes no second', async () => {
    const { serial, user, workflowId } = house.laptop();
    const patch = { method: 'PATCH', path: '/api/v2/scim/' };
    await house.fault({ match: patch, when: 'after', effect: { delayMs: 800 } });
    await house.report({ ticket: 'STOP-1', device: { serial } });
    await eventually(async () => expect(await house.changes(user)).not.toEqual([]));
    await house.stopWorker();
    await house.startWorkerAgain();
    await house.untilContained(workflowId);
    await house.decide(workflowId, recovered, {});
    expect((await house.untilClosed(workflowId)).outcome).toBe('recovered');
    expect(await house.changes(user)).toEqual(thereAndBack(user));
  });

  test("a case does not end because somebody presses Cancel on Temporal's page: only a decision ends it", async () => {
    const { serial, user, workflowId } = house.laptop();
    await house.fault({ match: { path: '/api/v2/scim/' }, times: 2, effect: { delayMs: 300 } });
    await house.report({ ticket: 'CANCEL-1', device: { serial } });
    await house.handle(workflowId).cancel();
    const contained = await house.untilContained(workflowId);
    expect(contained.journal.tail.map(({ text }) => text)).toContain('Somebody asked Temporal to cancel this case.');

    await house.handle(workflowId).cancel();
    await house.decide(workflowId, recovered, {});
    expect(await house.untilClosed(workflowId)).toMatchObject({ outcome: 'recovered' });
    expect((await house.handle(workflowId).describe()).status.name).toBe('COMPLETED');
    expect(await house.changes(user)).toEqual(thereAndBack(user));
  });
});

/** A worker that forgets every workflow after each task: all of it is replayed each time. */
const forgetful: NonNullable<TestHouseOptions['work']> = (...given) =>
  startMainWorker(...given, { maxCachedWorkflows: 0 });

test('a worker that forgets and replays every case at each task comes to the same end', async () => {
  const protectedUser = 'user0001@example.test';
  const house = await startTestHouse({ work: forgetful, guard: { protectedUsers: [protectedUser] } });
  try {
    const { serial, hostname, user, workflowId } = house.laptop();
    expect(user).toBe(protectedUser);
    const { number } = await house.ticket({ u_serial: serial, caller: user });
    await house.report({ source: 'servicenow', ticket: number, device: { serial } });
    await house.untilCase(workflowId, 'a question', ({ questions }) => questions.length > 0);
    await house.decide(workflowId, answer, { value: 'yes' });
    await house.untilContained(workflowId);

    const at = new Date().toISOString();
    const device = { serial, hostname, user };
    const sighting = { source: 'netskope', device, match: 'device' as const };
    await house.handle(workflowId).signal(deviceSeen, {
      feed: 'netskope/client-status',
      sightings: [
        {
          ...sighting,
          id: 'status 1',
          at,
          feed: 'client-status',
          evidence: 'client',
          what: 'Tunnel Up',
          steeringConfig: 'Lost-Stolen Steering',
          hostInfoUpdatedAt: at,
        },
        {
          ...sighting,
          id: 'alert 1',
          at,
          feed: 'alerts',
          evidence: 'policy-block',
          what: 'blocked',
          policy: { name: 'Block lost and stolen devices', action: 'block' },
        },
      ],
    });
    await house.decide(workflowId, reportSighting, { at, what: 'Seen at the station' });
    await house.untilCase(workflowId, 'biting', ({ configuration }) => configuration.state === 'biting');
    await house.decide(workflowId, recovered, {});
    expect(await house.untilClosed(workflowId)).toMatchObject({ outcome: 'recovered', presence: { count: 3 } });
    expect(await house.changes(user)).toEqual(thereAndBack(user));
    expect(await house.wrongs()).toEqual([]);
  } finally {
    await house.close();
  }
});
