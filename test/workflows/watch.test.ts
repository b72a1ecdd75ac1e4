/**
 * The fleet watch: what proves, what does not, what is counted, and what a quiet case costs.
 */
import { startTestHouse, type Laptop, type TestHouse } from '../setup/test-house';

let house: TestHouse;
beforeAll(async () => {
  house = await startTestHouse({ with: { entra: false, servicenow: false }, pollEveryMs: 100 });
});
afterAll(() => house.close());
afterEach(async () => {
  await house.clearFaults();
  expect(await house.wrongs()).toEqual([]);
});

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

async function lose(): Promise<Laptop> {
  const laptop = house.laptop();
  await house.report({ ticket: `LOST-${laptop.serial}`, device: { serial: laptop.serial } });
  await house.untilContained(laptop.workflowId);
  return laptop;
}

/** Time passes for the laptop, in steps, as the watch sees it. */
async function passTime(ms: number): Promise<void> {
  for (let leftMs = ms; leftMs > 0; leftMs -= 5 * minuteMs) await house.advance(Math.min(leftMs, 5 * minuteMs));
}

test('three minutes in a café are seen and prove nothing; a later visit proves applied, then biting', async () => {
  const { serial, workflowId } = await lose();
  await house.advance(3 * hourMs);
  await house.move(serial, { do: 'online', place: 'cafe' });
  await house.advance(3 * minuteMs);
  await house.move(serial, { do: 'offline' });
  const seen = await house.untilCase(workflowId, 'seen', ({ presence }) => presence.state === 'seen');
  expect(seen.presence.last).toMatchObject({
    place: { city: 'Cafeton', country: 'BE' },
    publicAddress: '203.0.113.77',
  });
  await house.untilMail('The lost device was seen', serial);

  await passTime(30 * minuteMs); // Late events, too.
  await house.untilPolled();
  const later = await house.untilCase(workflowId, 'there', () => true);
  expect(Object.keys(later.configuration.rungs)).toEqual(['member']);
  expect(later.configuration.state).toBe('member');

  await house.advance(5 * hourMs);
  await house.move(serial, { do: 'online', place: 'home' });
  await passTime(50 * minuteMs);
  await house.untilPolled();
  // Online for less than the client's own cadence: still nothing proven.
  const waiting = await house.untilCase(workflowId, 'there', () => true);
  expect(Object.keys(waiting.configuration.rungs)).toEqual(['member']);
  await passTime(60 * minuteMs);
  const proven = await house.untilCase(workflowId, 'biting and applied', ({ configuration: { rungs } }) =>
    Boolean(rungs.applied && rungs.biting),
  );
  expect(proven.configuration.state).toBe('biting');
  const { applied, biting } = proven.configuration.rungs;
  expect(applied!.evidence).toContain('"Lost-Stolen Steering"');
  expect(biting!.evidence).toContain('"Block lost and stolen devices"');
});

test("the user's other laptop is never taken for the lost one", async () => {
  const lost = await lose();
  await house.move(lost.serial, { do: 'second-device', newSerial: 'SN8101', newHostname: 'LT-8101' });
  const before = await house.untilCase(lost.workflowId, 'first look taken', ({ presence }) => !!presence.firstLookAt);
  await house.move('SN8101', { do: 'online', place: 'office' });
  await passTime(2 * hourMs); // It takes the lost configuration, and is blocked.
  await house.untilPolled();
  const after = await house.untilCase(lost.workflowId, 'there', () => true);
  expect(after.presence).toMatchObject({ state: 'silent', count: before.presence.count });
  expect(after.configuration.state).toBe('member');
});

test('what is read again counts once, and a quiet case adds nothing to its history', async () => {
  const { serial, hostname, workflowId } = await lose();
  await house.move(serial, { do: 'online', place: 'home' });
  await passTime(20 * minuteMs);
  await house.move(serial, { do: 'offline', how: 'shutdown' });
  await passTime(20 * minuteMs);
  await house.untilPolled();
  const length = async () => (await house.handle(workflowId).describe()).historyLength;
  const seen = await house.untilCase(
    workflowId,
    'nothing left to tell',
    ({ journal, notes, pages, presence, steps }) =>
      presence.state === 'seen' &&
      journal.archived === journal.next - 1 &&
      notes.pending.length + pages.length === 0 &&
      Object.values(steps).every(({ state }) => state === 'done'),
  );
  // Tunnel Up, heartbeats and the shutdown from one feed; page and network traffic from another: some of each, each once.
  const { recent, count, known } = seen.presence;
  expect(new Set(known).size).toBe(count);
  expect(new Set(recent.map(({ feed }) => feed))).toEqual(new Set(['client-status', 'events']));
  expect(recent.every(({ device }) => device.hostname === hostname)).toBe(true);

  const before = await length();
  for (let polls = 0; polls < 3; polls += 1) await house.untilPolled();
  expect(await length()).toBe(before);
  expect((await house.untilCase(workflowId, 'there', () => true)).presence.count).toBe(count);
});

test('online for long without the lost configuration: overdue, with the reason, and people are told', async () => {
  const { serial, workflowId } = await lose();
  await house.move(serial, { do: 'tamper', how: 'removed-from-group' });
  await house.move(serial, { do: 'online', place: 'home' });
  for (let passedMs = 0; passedMs < 100 * minuteMs; passedMs += 10 * minuteMs) {
    await house.advance(10 * minuteMs);
    await house.untilPolled();
  }
  const overdue = await house.untilCase(
    workflowId,
    'overdue',
    ({ configuration }) => configuration.state === 'overdue',
  );
  expect(overdue.configuration.overdueBecause).toContain('still reports "Default tenant config"');
  await house.untilMail('The lost configuration is overdue', serial);
});

test('a feed that cannot be read makes the case blind, not silent', async () => {
  const { workflowId } = await lose();
  await house.fault({
    match: { path: '/api/v2/events/datasearch/clientstatus' },
    times: 'always',
    effect: { status: 503 },
  });
  const blind = await house.untilCase(workflowId, 'blind', ({ presence }) => presence.state === 'blind');
  expect(Object.keys(blind.presence.blindFeeds)).toEqual(['netskope/client-status']);
  await house.clearFaults();
  const sees = await house.untilCase(workflowId, 'sees again', ({ presence }) => presence.state !== 'blind');
  expect(sees.presence).toMatchObject({ state: 'silent', blindFeeds: {} });
});
