/**
 * One case under a flood: the state stays within its budget, nothing is lost, nothing is doubled, and the server never has a
 * reason to end the case.
 */
import { caseBudgetBytes, type CaseState } from '../../playbook/case';
import type { Sighting } from '../../playbook/sighting';
import { deviceSeen, falseAlarm } from '../../workflows/messages';
import { startTestHouse, type Laptop, type TestHouse } from '../setup/test-house';

let house: TestHouse;
beforeAll(async () => {
  house = await startTestHouse();
});
afterAll(() => house.close());

const sizeOf = (state: CaseState) => Buffer.byteLength(JSON.stringify(state));

/** Every run of this laptop's cases: one that was ended by anybody but us is seen here. */
async function runsOf({ workflowId }: Laptop): Promise<string[]> {
  const runs: string[] = [];
  for await (const run of house.client.workflow.list({ query: `WorkflowId = '${workflowId}'` }))
    runs.push(run.status.name);
  return runs.sort();
}

describe('10,000 sightings of one case within a minute', () => {
  const count = 10_000;
  const perSignal = 50;

  test('each is in the archive once, the state stays small, and the case goes on as a new run', async () => {
    const laptop = house.laptop();
    const { serial, hostname, user, workflowId } = laptop;
    await house.report({ ticket: 'FLOOD-1', device: { serial } });
    const { chain } = await house.untilContained(workflowId);
    const firstAtMs = Date.now();
    const sighting = (n: number): Sighting => ({
      id: `flood ${n}`,
      at: new Date(firstAtMs + n * 6).toISOString(),
      source: 'netskope',
      feed: 'client-status',
      evidence: 'client',
      match: 'device',
      device: { serial, hostname, user },
      what: `Tunnel Up ${n}`,
      publicAddress: `203.0.113.${n % 2}`,
      client: 'enabled',
    });
    for (let first = 0; first < count; first += perSignal) {
      const sightings = Array.from({ length: perSignal }, (_, n) => sighting(first + n));
      await house.handle(workflowId).signal(deviceSeen, { feed: 'netskope/client-status', regular: true, sightings });
    }
    let largest = 0;
    const done = await house.untilCase(
      workflowId,
      'every sighting is archived',
      (state) => {
        largest = Math.max(largest, sizeOf(state));
        return state.presence.count >= count && state.journal.archived === state.journal.next - 1;
      },
      120_000,
    );
    expect(largest).toBeLessThan(caseBudgetBytes);
    expect(done.presence.count).toBe(count);
    const seen = (await house.journal(chain)).flatMap(({ text }) => /^Seen: Tunnel Up (\d+)\.$/.exec(text)?.[1] ?? []);
    expect(new Set(seen).size).toBe(count);
    expect(seen).toHaveLength(count);
    expect(await runsOf(laptop)).toEqual(expect.arrayContaining(['CONTINUED_AS_NEW', 'RUNNING']));
    expect(done.chain).toBe(chain);
    await house.decide(workflowId, falseAlarm, {});
    expect((await house.untilClosed(workflowId)).outcome).toBe('false alarm');
  });
});

test('90 tickets about one laptop are one case, and each of them is told', async () => {
  const laptop = house.laptop();
  const { serial, workflowId } = laptop;
  const tickets = Array.from({ length: 90 }, (_, n) => `MANY-${n}`);
  const outcomes: string[] = [];
  for (const ticket of tickets) outcomes.push((await house.report({ ticket, device: { serial } })).outcome);
  expect(outcomes.filter((outcome) => outcome === 'opened')).toHaveLength(1);
  const state = await house.untilCase(
    workflowId,
    'all tickets, all steps',
    (one) => one.tickets.length === tickets.length && Object.values(one.steps).every((step) => step.state === 'done'),
    60_000,
  );
  expect(new Set(state.tickets.map(({ id }) => id))).toEqual(new Set(tickets));
  expect(sizeOf(state)).toBeLessThan(caseBudgetBytes);
  expect(await runsOf(laptop)).toEqual(['RUNNING']);
});
