/**
 * Every vendor answers badly at seeded random moments, before and after changes, while cases open, close and go on as
 * new runs. Whatever happened, the outcome is what it would have been, and nothing was done twice.
 */
import { setTimeout } from 'node:timers/promises';
import { seeded } from '../setup/seeded';
import { startTestHouse, type Fault, type TestHouse } from '../setup/test-house';
import { falseAlarm, recovered, replaceDevice } from '../../workflows/messages';

const seed = Number(process.env.BAD_NETWORK_SEED ?? 1);
const laptops = 10;
const faults = 60;

let house: TestHouse;
beforeAll(async () => {
  house = await startTestHouse({
    netskopeTimeoutMs: 600,
    dynamicConfig: { 'limit.historyCount.suggestContinueAsNew': 60 },
  });
});
afterAll(() => house.close());

test(`cases come to their end through a bad network (seed ${seed})`, async () => {
  const random = seeded(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const aFault = (): Fault => ({
    match: pick([
      { method: 'PATCH', path: '/api/v2/scim/' },
      { method: 'GET', path: '/api/v2/' },
      { method: 'POST', path: '/api/v2/users/' },
      { method: 'PATCH', path: '/api/now/' },
      { method: 'GET', path: '/api/now/' },
      { method: 'POST', path: '/v1.0/' },
      { method: 'PATCH', path: '/v1.0/' },
      { method: 'GET', path: '/v1.0/' },
    ]),
    when: pick(['before', 'after'] as const),
    effect: pick<Record<string, unknown>>([
      { status: 503 },
      { status: 429, headers: { 'retry-after': '0' } },
      { reset: true },
      { truncate: true },
      { delayMs: 400 },
    ]),
  });
  let trouble = true;
  const troublemaker = (async () => {
    for (let n = 0; n < faults && trouble; n += 1) {
      await house.fault(aFault());
      await setTimeout(60 + random() * 120);
    }
  })();

  const stories = Array.from({ length: laptops }, async (_, n) => {
    const { serial, hostname, user, workflowId } = house.laptop();
    const { number } = await house.ticket({ u_serial: serial, caller: user });
    await setTimeout(n * 200);
    const kind = n % 2 === 0 ? 'stolen' : 'lost';
    await house.report({ source: 'servicenow', ticket: number, device: { serial }, answers: { kind } });
    await house.untilContained(workflowId);
    const replaced = n % 3 === 0;
    if (replaced) {
      await house.decide(workflowId, replaceDevice, {});
      await house.untilCase(workflowId, 'released', ({ containment }) => containment.armed);
    }
    await house.decide(workflowId, n % 4 === 0 ? falseAlarm : recovered, {});
    const closed = await house.untilClosed(workflowId);
    expect(closed.notes.pending).toEqual([]);
    expect(await house.changes(user, hostname)).toEqual([
      `netskope: ${user} added to group Lost-Stolen Devices`,
      `entra: sessions of ${user} revoked`,
      ...(kind === 'stolen' ? [`entra: device ${hostname} disabled`] : []),
      `netskope: ${user} removed from group Lost-Stolen Devices`,
      ...(kind === 'stolen' ? [`entra: device ${hostname} enabled`] : []),
    ]);
    expect(await house.ticketState(number)).toMatchObject({ state: 'Resolved', comments: [] });
  });
  const ended = await Promise.allSettled(stories);
  trouble = false;
  await troublemaker;
  expect(ended.flatMap((end) => (end.status === 'rejected' ? [String(end.reason)] : []))).toEqual([]);
  expect(await house.lostGroup()).toEqual([]);
  expect(await house.wrongs()).toEqual([]);
}, 300_000);
