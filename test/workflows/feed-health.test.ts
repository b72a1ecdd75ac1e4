/**
 * The health of feeds: what a blindness reaches and what it does not, through the end of a worker as well; what the company's
 * own addresses and sign-ins say of where a device is.
 */
import { defaultPayloadConverter } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createWatchActivities } from '../../activities/watch';
import type { FeedRow } from '../../client/feeds';
import type { CaseState } from '../../playbook/case';
import { workflowIds } from '../../workflows/ids';
import { deviceSeen, type SightingBatch } from '../../workflows/messages';
import { eventually } from '../setup/eventually';
import { startTestHouse, tenant, type Laptop, type TestHouse } from '../setup/test-house';

let house: TestHouse;
beforeAll(async () => {
  house = await startTestHouse({
    with: { entra: { signIns: true }, servicenow: false },
    pollEveryMs: 100,
    sites: [
      { name: 'Branch', addresses: ['192.0.2.0/24', '2001:db8:1::/48'] },
      { name: 'Head office', addresses: ['198.51.100.0/24'] },
    ],
  });
});
afterAll(() => house.close());
afterEach(async () => {
  await house.clearFaults();
  expect(await house.wrongs()).toEqual([]);
});

const alerts = 'netskope/alerts';
const routes = {
  alerts: '/api/v2/events/datasearch/alert',
  events: '/api/v2/events/datasearch/page',
  'sign-ins': '/v1.0/auditLogs/signIns',
};

async function lose(): Promise<Laptop> {
  const laptop = house.laptop();
  await house.report({ ticket: `LOST-${laptop.serial}`, device: { serial: laptop.serial } });
  await house.untilContained(laptop.workflowId);
  return laptop;
}

/** From now on the token is refused, and the vendor's answer has it in it. */
const revoke = (feed: keyof typeof routes) =>
  house.fault({
    match: { path: routes[feed] },
    times: 'always',
    effect: { status: 401, body: { message: 'The token sim-netskope-v2-token is revoked' } },
  });

const untilRow = (feed: string, what: string, ready: (row: FeedRow) => boolean): Promise<FeedRow> =>
  eventually(async () => {
    const row = (await house.house.readFeeds()).find((one) => `${one.plugin}/${one.feed}` === feed);
    if (row && ready(row)) return row;
    throw new Error(`Waited for ${feed}: ${what}. It is ${JSON.stringify(row)}`);
  });

/** What the watches told the case of their health, in order. */
async function toldOfHealth(workflowId: string, feed = alerts): Promise<(string | null)[]> {
  const { events } = await house.handle(workflowId).fetchHistory();
  const batches = (events ?? []).flatMap(({ workflowExecutionSignaledEventAttributes: signaled }) =>
    signaled?.signalName === 'deviceSeen'
      ? [defaultPayloadConverter.fromPayload<SightingBatch>(signaled.input!.payloads![0]!)]
      : [],
  );
  return batches.flatMap((batch) => (batch.feed === feed && batch.blindSince !== undefined ? [batch.blindSince] : []));
}

const blindOf = (state: CaseState) => Object.keys(state.presence.blindFeeds);
const isBlindFor = (feed: string) => (state: CaseState) => blindOf(state).includes(feed);
const sees = (state: CaseState) => blindOf(state).length === 0;

test('a blindness reaches the cases it concerns, also the later ones, once; and no others', async () => {
  const early = await lose();
  const fromMs = Date.now();
  const well = await untilRow(
    alerts,
    'well, and read just now',
    ({ state, watched, lastSuccessAt = '' }) => state === 'ok' && watched === 1 && Date.parse(lastSuccessAt) > fromMs,
  );
  expect(well).toMatchObject({ tenant, putAside: 0 });

  await revoke('alerts');
  await house.untilCase(early.workflowId, 'blind', isBlindFor(alerts));
  const blind = await untilRow(alerts, 'blind', ({ state }) => state === 'blind');
  expect(blind.error).toMatchObject({ code: 'LDP_NOT_AUTHENTICATED' });
  expect(blind.error!.message).toContain('[secret] is revoked');
  expect(JSON.stringify(blind)).not.toContain('sim-netskope-v2-token');
  // Nothing was seen since the last reading that went well.
  expect(blind.blindSince).toBe(blind.lastSuccessAt);

  // The alerts name no serial: of a device that is known by nothing else they would never speak.
  const unknown = workflowIds.lostDevice(tenant, 'SN7777');
  await house.report({ ticket: 'LOST-SN7777', device: { serial: 'SN7777' } });
  await house.untilCase(unknown, 'open', () => true);
  const late = await lose();
  const told = await house.untilCase(late.workflowId, 'blind as well', isBlindFor(alerts));
  expect(told.presence.blindFeeds[alerts]).toBe(blind.blindSince);
  await untilRow(alerts, 'a few more failures', ({ watched }) => watched === 2);
  expect(blindOf(await house.untilCase(unknown, 'there', () => true))).toEqual([]);

  await house.clearFaults();
  for (const { workflowId } of [early, late]) await house.untilCase(workflowId, 'sees again', sees);
  expect(await untilRow(alerts, 'well again', ({ state }) => state === 'ok')).not.toHaveProperty('error');
  for (const { workflowId } of [early, late]) expect(await toldOfHealth(workflowId)).toEqual([blind.blindSince, null]);
  expect(await toldOfHealth(unknown)).toEqual([]);
});

test('a worker ends while a feed is blind: it is said that nobody watches, and afterwards the cases see again', async () => {
  const { workflowId } = await lose();
  await revoke('events');
  const feed = 'netskope/events';
  const before = await house.untilCase(workflowId, 'blind', isBlindFor(feed));
  await house.stopWorker();
  const nobody = await untilRow(feed, 'not running', ({ state }) => state === 'not running');
  expect(nobody).toMatchObject({ says: expect.stringContaining('No worker') as string });
  // What was known last stays to be read.
  expect(nobody.blindSince).toBe(before.presence.blindFeeds[feed]);
  expect(nobody.error).toMatchObject({ code: 'LDP_NOT_AUTHENTICATED' });

  await house.clearFaults();
  await house.startWorkerAgain();
  await house.untilCase(workflowId, 'sees again', sees);
  await untilRow(feed, 'well', ({ state }) => state === 'ok');
  expect(await toldOfHealth(workflowId, feed)).toEqual([before.presence.blindFeeds[feed], null]);
});

test('a worker ends while a feed is blind, and it stays blind: since the same moment, and no case forgets it', async () => {
  const { workflowId } = await lose();
  await revoke('alerts');
  const before = await house.untilCase(workflowId, 'blind', isBlindFor(alerts));
  const { blindSince } = await untilRow(alerts, 'blind', ({ state }) => state === 'blind');
  await house.stopWorker();
  await house.startWorkerAgain();
  const later = await lose();
  const told = await house.untilCase(later.workflowId, 'blind', isBlindFor(alerts));
  expect(told.presence.blindFeeds[alerts]).toBe(blindSince);
  const after = await house.untilCase(workflowId, 'there', () => true);
  expect(after.presence.blindFeeds).toEqual(before.presence.blindFeeds);
  await house.clearFaults();
  await house.untilCase(workflowId, 'sees again', sees);
});

test.each([
  ['a version that kept no health', { watermark: JSON.stringify({ at: 1_700_000_000 }) }],
  ['a worker that died while the feed failed', { health: { failures: 4, putAside: 0, watched: 1 } }],
])('after %s, a case that may have been told is told again', async (_, heartbeatDetails) => {
  const { workflowId } = await lose();
  const since = new Date().toISOString();
  await house.handle(workflowId).signal(deviceSeen, { feed: alerts, sightings: [], blindSince: since });
  await house.untilCase(workflowId, 'blind', isBlindFor(alerts));
  const environment = new MockActivityEnvironment({ heartbeatDetails });
  const shift = environment.run(createWatchActivities(house.house).watchFeed, {
    tenant,
    plugin: 'netskope',
    feed: 'alerts',
  });
  await house.untilCase(workflowId, 'sees again', sees);
  environment.cancel();
  await expect(shift).rejects.toThrow();
});

test('behind the company’s own addresses the site is named, and nowhere else', async () => {
  const { serial, workflowId } = await lose();
  await house.move(serial, { do: 'online', place: 'office' });
  await house.untilCase(workflowId, 'seen in the office', ({ presence }) => presence.last?.site === 'Head office');
  // Its own address there is no address of a site: every home has such.
  await house.move(serial, { do: 'move', place: { city: 'Homestead', ip: '203.0.113.20', privateIp: '192.0.2.7' } });
  const home = await house.untilCase(
    workflowId,
    'seen at home',
    ({ presence }) => presence.last?.publicAddress === '203.0.113.20',
  );
  expect(home.presence.last).toMatchObject({ privateAddress: '192.0.2.7' });
  expect(home.presence.last).not.toHaveProperty('site');
});

test('a sign-in at the lost device is seen; one at another device of its user is not', async () => {
  const { serial, hostname, user, workflowId } = await lose();
  const signIns = ({ presence }: CaseState) => presence.recent.filter(({ feed }) => feed === 'sign-ins');
  const polled = async () => (await house.calls()).filter(({ path }) => path.startsWith(routes['sign-ins'])).length;

  await house.move(serial, { do: 'second-device', newSerial: 'SN8201', newHostname: 'LT-8201' });
  await house.move('SN8201', { do: 'online', place: 'office' });
  await house.move('SN8201', { do: 'sign-in' });
  const before = await polled();
  await eventually(async () => expect(await polled()).toBeGreaterThanOrEqual(before + 3));
  expect(signIns(await house.untilCase(workflowId, 'there', () => true))).toEqual([]);

  await house.move(serial, { do: 'online', place: 'cafe' });
  await house.move(serial, { do: 'sign-in', ok: false });
  const seen = await house.untilCase(workflowId, 'a sign-in', (state) => signIns(state).length > 0);
  expect(signIns(seen)).toEqual([
    expect.objectContaining({
      source: 'entra',
      evidence: 'sign-in',
      match: 'likely',
      device: { hostname, user },
      what: 'Sign-in refused: Invalid username or password. (Office 365 Exchange Online)',
      publicAddress: '203.0.113.77',
    }),
  ]);
  // It speaks when somebody signs in, so its silence is no silence of the device.
  expect(seen.presence.regular).toEqual(['netskope/client-status']);
});
