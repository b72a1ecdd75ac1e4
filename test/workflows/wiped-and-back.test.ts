/**
 * Between the wipe and its end: isolation waits until the device has said that it is done; and a laptop that speaks again
 * before anybody has closed its case is another installation.
 */
import { answer, approveWipe, recovered, requestWipe } from '../../workflows/messages';
import { analyst, startTestHouse, type Laptop, type TestHouse } from '../setup/test-house';

const ben = { ...analyst, person: 'ben (lead)' };
const hourMs = 60 * 60_000;
const waits = { settleMs: 300, lookFirstMs: 300, lookMaxMs: 600, isolateAfterMs: 12_000, askEveryMs: 400 };

let house: TestHouse;
beforeAll(async () => {
  house = await startTestHouse({
    with: { intune: true, crowdstrike: true },
    rules: { wipe: { waits } },
    wipe: { dryRun: false, perHour: 100, perDay: 100, approvers: [ben.person] },
  });
});
afterAll(() => house.close());

/** Stolen, and in the café its wipe is delivered. */
async function delivered(): Promise<Laptop> {
  const laptop = house.laptop();
  const { workflowId, serial } = laptop;
  await house.report({ ticket: `T-${serial}`, device: { serial }, answers: { kind: 'stolen' } });
  await house.untilCase(workflowId, 'contained', ({ containment }) => containment.state === 'contained');
  await house.decide(workflowId, requestWipe, { reason: 'Taken from the car.' });
  await house.untilCase(workflowId, 'prepared', ({ wipe }) => wipe.plan !== undefined);
  await house.decide(workflowId, approveWipe, { actor: ben });
  await house.untilCase(workflowId, 'queued', ({ wipe }) => wipe.state === 'queued');
  await house.move(serial, { do: 'online', place: 'cafe' });
  await house.advance(22_000);
  await house.untilCase(workflowId, 'delivered', ({ wipe }) => wipe.state === 'delivered');
  return laptop;
}
const isolated = ({ workflowId }: Laptop) =>
  house.untilCase(workflowId, 'isolated', ({ containment }) => containment.measures.isolate?.state === 'in place');

test('acknowledged, then isolated; set up again before it was closed, people hear of it, and it can be wiped again', async () => {
  const laptop = await delivered();
  const { workflowId, serial, hostname } = laptop;
  expect(await house.changes(hostname)).not.toContain(`crowdstrike: ${hostname} contained`);
  await house.advance(35_000);
  const wiped = await isolated(laptop);
  expect(wiped.wipe.state).toBe('acknowledged');
  expect(wiped.questions).toContainEqual(expect.objectContaining({ proposes: 'close as wiped' }));

  await house.advance(5 * hourMs);
  await house.move(serial, { do: 'enrol-again', place: 'home' });
  await house.untilMail('A wiped laptop is back', serial);
  const back = await house.untilCase(workflowId, 'no more wiped', ({ wipe }) => wipe.state === 'none');
  expect(back).toMatchObject({ outcome: 'open', reopened: 0, wipe: { number: 1 } });
  expect(back.questions).not.toContainEqual(expect.objectContaining({ proposes: 'close as wiped' }));
  await expect(
    house.decide(workflowId, answer, { questionId: 'propose: close as wiped', value: 'yes' }),
  ).rejects.toThrow();

  // The agent that was isolated is released, although the device has another one by now.
  await house.decide(workflowId, recovered, { reason: 'Handed in.' });
  const closed = await house.untilCase(workflowId, 'closed', ({ closedAt }) => closedAt !== undefined);
  expect(closed.containment.measures.isolate).toMatchObject({ state: 'undone' });
  expect(await house.changes(hostname)).toContain(`crowdstrike: ${hostname} released`);
});

test('delivered, and then off before it was through: isolated all the same, after its time', async () => {
  const laptop = await delivered();
  await house.move(laptop.serial, { do: 'offline' });
  const { wipe, containment } = await isolated(laptop);
  expect(wipe.state).toBe('delivered');
  expect(Date.parse(containment.measures.isolate?.at ?? '') - Date.parse(wipe.deliveredAt ?? '')).toBeGreaterThan(
    waits.isolateAfterMs,
  );
});
