/** What every sighting feed must do, by Netskope's three and Entra's one against the simulated tenants and their laptops. */
import { entra } from '../../plugins/entra';
import { netskope } from '../../plugins/netskope';
import { matchDevice } from '../../playbook/device';
import type { FeedAnswer, SightingFeed, WatchedDevice } from '../../plugins/roles';
import { callNow, createNetskope, post } from './netskope-world';
import { everyFault, startVendorWorld, type Exercise, type VendorWorld } from './vendor-world';

const minute = 60_000;
const pat: WatchedDevice = {
  workflowId: 'w',
  serial: 'SN0042',
  hostname: 'LT-0042',
  user: 'pat@example.test',
};
/** So many that the feed asks for the whole tenant. */
const fleet: WatchedDevice[] = [
  pat,
  ...Array.from({ length: 30 }, (_, i) => ({
    workflowId: `w${i}`,
    serial: `SN9${i}`,
    hostname: `LT-9${i}`,
    user: `user9${i}@example.test`,
  })),
];

let world: VendorWorld;
beforeEach(async () => {
  world = await startVendorWorld();
});
afterEach(() => world.close());

function feedOf(name: string, more: Record<string, unknown> = {}): SightingFeed {
  const feed = createNetskope(world, more).feeds.find((one) => one.name === name);
  if (!feed) throw new Error(`there is no feed ${name}`);
  return feed;
}

async function read(feed: SightingFeed, watermark?: string, watched = [pat]): Promise<FeedAnswer> {
  return feed.read(watermark, watched, await callNow(world));
}

function signInFeed(): SightingFeed {
  const settings = entra.settings.parse({
    directoryTenant: '11111111-1111-4111-8111-111111111111',
    clientId: '22222222-2222-4222-8222-222222222222',
    clientSecret: 'sim-entra-secret',
    graphUrl: world.url,
    loginUrl: world.url,
    timeoutMs: 300,
    feeds: { signIns: {} },
  });
  const [feed] = entra.create('entra', settings).feeds ?? [];
  if (!feed) throw new Error('the settings switch the feed on');
  return feed;
}

/** The laptop is contained, on at a place, and has taken its configuration: its traffic is blocked. */
async function containedAndOnline(): Promise<void> {
  const { secureAccess } = createNetskope(world);
  const call = await callNow(world);
  await secureAccess.addToLostGroup(await secureAccess.readMembership('pat@example.test', call), call);
  await post(world, 'laptop', { serial: 'SN0042', do: 'online', place: 'cafe' });
  await world.advance(90 * minute);
}

describe('client-status', () => {
  test('a laptop that comes on is seen with place, address, client and configuration', async () => {
    await post(world, 'laptop', { serial: 'SN0042', do: 'online', place: 'cafe' });
    const { records } = await read(feedOf('client-status'));
    expect(records).toEqual([
      expect.objectContaining({
        at: '2026-11-22T22:00:00.000Z',
        evidence: 'client',
        what: 'Tunnel Up',
        client: 'enabled',
        steeringConfig: 'Default tenant config',
        publicAddress: '203.0.113.77',
        device: expect.objectContaining({ serial: 'SN0042', hostname: 'LT-0042', user: 'pat@example.test' }) as unknown,
        place: expect.objectContaining({ city: 'Cafeton', country: 'BE' }) as unknown,
      }),
    ]);
  });

  test('a silent laptop is no news, and neither is what was told before', async () => {
    const feed = feedOf('client-status');
    const silent = await read(feed);
    expect(silent.records).toEqual([]);
    await post(world, 'laptop', { serial: 'SN0042', do: 'online' });
    const first = await read(feed, silent.watermark);
    await post(world, 'laptop', { serial: 'SN0042', do: 'offline' });
    await world.advance(20 * minute);
    const again = await read(feed, first.watermark);
    expect(again.records.map(({ id }) => id)).toEqual(first.records.map(({ id }) => id));
    expect(again.watermark).toBe(first.watermark);
  });

  test('each sign of life is one sighting; a new configuration is news at once', async () => {
    const feed = feedOf('client-status');
    await post(world, 'laptop', { serial: 'SN0042', do: 'online' });
    const ids = new Set<string>();
    for (let i = 0; i < 6; i++) {
      for (const { id } of (await read(feed)).records) ids.add(id);
      await world.advance(5 * minute);
    }
    expect(ids.size).toBe(6);
    const tampered = await read(feed);
    await post(world, 'laptop', { serial: 'SN0042', do: 'tamper', how: 'user-disabled' });
    const [after] = (await read(feed)).records;
    expect(after).toMatchObject({ client: 'disabled', what: 'User Disabled' });
    expect(after?.id).not.toBe(tampered.records[0]?.id);
  });

  test.each([false, true])(
    'who disabled the client is told, and nobody once it is enabled; in numbers: %s',
    async (numbers) => {
      await world.traps({ numbers });
      const feed = feedOf('client-status');
      const now = async (how: string) => {
        await world.advance(minute);
        await post(world, 'laptop', { serial: 'SN0042', do: 'tamper', how });
        const { client, disabledBy } = (await read(feed)).records[0] ?? {};
        return [client, disabledBy];
      };
      await post(world, 'laptop', { serial: 'SN0042', do: 'online' });
      expect(await now('user-disabled')).toEqual(['disabled', 'its user']);
      expect(await now('user-enabled')).toEqual(['enabled', undefined]);
      expect(await now('admin-disabled')).toEqual(['disabled', 'an administrator']);
      expect(await now('tunnel-down')).toEqual(['disabled', undefined]);
      expect(await now('fail-closed')).toEqual(['fail closed', undefined]);
      expect(await now('uninstalled')).toEqual(['uninstalled', undefined]);
    },
  );

  test('what was done to the client while it was off is told when it is back', async () => {
    const feed = feedOf('client-status');
    await post(world, 'laptop', { serial: 'SN0042', do: 'tamper', how: 'user-disabled' });
    expect((await read(feed)).records).toEqual([]);
    await world.advance(minute);
    await post(world, 'laptop', { serial: 'SN0042', do: 'online' });
    expect((await read(feed)).records).toMatchObject([{ client: 'disabled', disabledBy: 'its user' }]);
  });

  test('a fresh image names the installation before it, so that the device is known by that alone', async () => {
    const [before] = await createNetskope(world).secureAccess.findDevices({ serial: 'SN0042' }, await callNow(world));
    const { nsdeviceuid } = before ?? {};
    await post(world, 'laptop', { serial: 'SN0042', do: 're-image' });
    await post(world, 'laptop', { serial: 'SN0042', do: 'online' });
    const { records } = await read(feedOf('client-status'));
    const device = records.map((record) => record.device).find((one) => one.nsdeviceuid !== nsdeviceuid);
    expect(device).toMatchObject({ serial: 'SN0042', previousNsdeviceuid: nsdeviceuid });
    expect(matchDevice({ ...(nsdeviceuid && { nsdeviceuid }) }, { ...device, serial: 'unreadable' })).toBe('device');
  });

  test('a second device of the same name is a device of its own', async () => {
    await post(world, 'laptop', {
      serial: 'SN0042',
      do: 'second-device',
      newSerial: 'SN9001',
      newHostname: 'LT-0042',
      newUser: 'kim@example.test',
    });
    for (const serial of ['SN0042', 'SN9001']) await post(world, 'laptop', { serial, do: 'online' });
    const { records } = await read(feedOf('client-status'));
    const told = records.map(({ device }) => [device.serial, device.user, matchDevice(pat, device)]).sort();
    expect(told).toEqual([
      ['SN0042', 'pat@example.test', 'device'],
      ['SN9001', 'kim@example.test', 'none'],
    ]);
  });

  test('a renamed user keeps the key', async () => {
    const feed = feedOf('client-status');
    await post(world, 'laptop', { serial: 'SN0042', do: 'online' });
    const before = (await read(feed)).records.at(-1);
    await post(world, 'laptop', { serial: 'SN0042', do: 'rename-user', newUser: 'pat.new@example.test' });
    // The client says so when it speaks next.
    expect((await read(feed)).records.at(-1)?.device.user).toBe('pat@example.test');
    await world.advance(5 * minute);
    const after = (await read(feed)).records.at(-1);
    expect(after?.device.user).toBe('pat.new@example.test');
    expect(after?.userKey).toMatch(/^Kx/);
    expect(after?.userKey).toBe(before?.userKey);
  });

  test.each([
    ['years ahead', 3 * 365 * 24 * 60 * minute],
    ['an hour ahead', 60 * minute],
    ['an hour behind', -60 * minute],
  ])('a device whose clock is %s is seen when Netskope heard it', async (_, offMs) => {
    const feed = feedOf('client-status');
    await post(world, 'laptop', { serial: 'SN0042', do: 'clock', offMs });
    await post(world, 'laptop', { serial: 'SN0042', do: 'online' });
    const first = await read(feed);
    expect(first.putAside).toBe(0);
    expect(first.records.map(({ at, clockSays }) => [at, clockSays !== undefined])).toEqual([
      ['2026-11-22T22:00:00.000Z', offMs > 0],
    ]);
    if (offMs > 0) {
      const says = Date.parse(first.records[0]?.clockSays ?? '');
      expect(Math.abs(says - Date.parse('2026-11-22T22:00:00Z') - offMs)).toBeLessThan(minute);
    }
    const [device] = await createNetskope(world).secureAccess.findDevices({ serial: 'SN0042' }, await callNow(world));
    expect(device?.lastSeenAt).toBe('2026-11-22T22:00:00.000Z');
    // The next sign of life, and another device, are not missed.
    await world.advance(20 * minute);
    await post(world, 'laptop', { serial: 'SN0050', do: 'online' });
    const next = await read(feed, first.watermark, fleet.concat({ workflowId: 'x', serial: 'SN0050' }));
    expect(next.records.map(({ device: { serial }, at }) => [serial, at.slice(11, 16)])).toEqual([
      ['SN0042', '22:20'],
      ['SN0050', '22:20'],
    ]);
  });

  test('in v1, an event that is still to come says nothing of when the device was seen', async () => {
    await post(world, 'tenant', { switchedOff: ['/api/v2/events/datasearch/clientstatus'] });
    const feed = feedOf('client-status', { v1Token: 'sim-netskope-v1-token' });
    await post(world, 'laptop', { serial: 'SN0042', do: 'clock', offMs: 60 * minute });
    await post(world, 'laptop', { serial: 'SN0042', do: 'online' });
    const wrong = await read(feed);
    expect(wrong).toMatchObject({ records: [], putAside: 1 });
    expect(wrong.watermark).toBe((await read(feed, wrong.watermark)).watermark);
    await post(world, 'laptop', { serial: 'SN0042', do: 'clock', offMs: 0 });
    await world.advance(minute);
    await post(world, 'laptop', { serial: 'SN0042', do: 'move', place: 'home' });
    expect((await read(feed, wrong.watermark)).records).toMatchObject([{ at: '2026-11-22T22:01:00.000Z' }]);
  });

  test('a watermark from a time when our own clock was ahead loses nothing', async () => {
    const feed = feedOf('client-status');
    const { now, ...call } = await callNow(world);
    const tomorrow = new Date(Date.parse(now) + 24 * 60 * minute).toISOString();
    const { watermark } = await feed.read(undefined, [pat], { ...call, now: tomorrow });
    await post(world, 'laptop', { serial: 'SN0042', do: 'online' });
    const back = await read(feed, watermark);
    expect(back.records).toHaveLength(1);
    expect(Date.parse(now) / 1000).toBeGreaterThanOrEqual((JSON.parse(back.watermark) as { at: number }).at - 60);
  });

  test('the whole tenant is read page by page, records put aside and the rest told', async () => {
    await world.traps({ privateAccess: true, postureChange: true, numbers: true });
    await post(world, 'laptop', { serial: 'SN0042', do: 'online' });
    await post(world, 'laptop', { serial: 'SN0060', do: 'online' });
    await world.advance(minute);
    const asked = feedOf('client-status', { feeds: { clientStatus: { lateDataMs: 12 * 60 * minute } } });
    const { records, putAside } = await read(asked, undefined, fleet);
    const told = records.map(({ device, client }) => [device.hostname, client] as const).sort();
    expect(told).toEqual([
      ['LT-0042', 'enabled'],
      ['LT-0050', 'enabled'],
      ['LT-0051', 'enabled'],
      ['LT-0060', 'enabled'],
      ['LT-0070', 'enabled'],
      ['LT-0099', 'enabled'],
    ]);
    // The one record of which only the time is left.
    expect(putAside).toBe(1);
    expect(records.map(({ at }) => at)).toEqual(records.map(({ at }) => at).sort());
  });

  test.each([
    ['a month ahead is told', 30, 1, 0],
    ['decades ahead is put aside', 20_000, 0, 1],
  ])('a record with a date %s, and does not move the feed on', async (_, days, told, putAside) => {
    const { now } = await callNow(world);
    const timestamp = Date.parse(now) / 1000 + days * 86_400;
    await world.fault({
      match: { method: 'GET', path: '/api/v2/events/datasearch/clientstatus' },
      effect: {
        status: 200,
        body: { result: [{ hostname: 'LT-1', timestamp }], status: { execution: 'SUCCESS' } },
      },
    });
    const feed = feedOf('client-status');
    const bad = await read(feed, undefined, fleet);
    expect([bad.records.length, bad.putAside]).toEqual([told, putAside]);
    await post(world, 'laptop', { serial: 'SN0042', do: 'online' });
    expect((await read(feed, bad.watermark, fleet)).records).toHaveLength(1);
  });
});

describe('alerts', () => {
  test('a block by the lost policy is told for the very device', async () => {
    await containedAndOnline();
    const { records } = await read(feedOf('alerts'));
    expect(records.length).toBeGreaterThan(1);
    expect(new Set(records.map(({ id }) => id)).size).toBe(records.length);
    for (const record of records) {
      expect(record).toMatchObject({
        evidence: 'policy-block',
        policy: { name: 'Block lost and stolen devices', action: 'block' },
        device: { hostname: 'LT-0042', nsdeviceuid: expect.any(String) as string },
        publicAddress: '203.0.113.77',
      });
    }
  });

  test('a renamed user keeps the key', async () => {
    await containedAndOnline();
    await post(world, 'laptop', { serial: 'SN0042', do: 'rename-user', newUser: 'pat.new@example.test' });
    await world.advance(30 * minute);
    const { records } = await read(feedOf('alerts'));
    expect(new Set(records.map(({ device }) => device.user))).toEqual(
      new Set(['pat@example.test', 'pat.new@example.test']),
    );
    expect(new Set(records.map(({ userKey }) => userKey))).toEqual(new Set([expect.stringMatching(/^Kx/)]));
  });

  test('alerts of other policies are not ours; what comes late is not missed', async () => {
    await containedAndOnline();
    expect((await read(feedOf('alerts', { lostPolicy: 'Another policy' }))).records).toEqual([]);
    const feed = feedOf('alerts');
    const early = await read(feed);
    await world.traps({ lateEvents: true });
    await post(world, 'laptop', { serial: 'SN0042', do: 'move', place: 'home' });
    await world.advance(minute);
    await post(world, 'laptop', { serial: 'SN0042', do: 'offline' });
    const soon = await read(feed, early.watermark);
    await world.advance(25 * minute);
    const late = await read(feed, soon.watermark);
    const atHome = (answer: FeedAnswer) =>
      answer.records.filter(({ publicAddress }) => publicAddress === '203.0.113.20');
    expect(atHome(soon)).toEqual([]);
    expect(atHome(late).length).toBeGreaterThan(0);
  });
});

describe('events', () => {
  test('web and network traffic is told for user and hostname together', async () => {
    await post(world, 'laptop', { serial: 'SN0050', do: 'online', place: 'home' });
    await post(world, 'laptop', { serial: 'SN0051', do: 'online', place: 'cafe' });
    await world.advance(20 * minute);
    const sam: WatchedDevice = { workflowId: 'w', hostname: 'LT-0051', user: 'sam@example.test' };
    const { records } = await read(feedOf('events'), undefined, [sam]);
    expect(new Set(records.map(({ device }) => device.hostname))).toEqual(new Set(['LT-0051']));
    expect(new Set(records.map(({ what }) => what.split(' ')[0]))).toEqual(new Set(['Web', 'Network']));
    expect(records[0]).toMatchObject({ evidence: 'cloud-traffic', publicAddress: '203.0.113.77' });
  });

  test('users are asked for in batches', async () => {
    await world.clearCalls();
    await read(feedOf('events', { feeds: { events: { userBatch: 10 } } }), undefined, fleet);
    const asked = (await world.calls()).map(({ path }) => path.split('?')[0]);
    expect(asked.filter((path) => path === '/api/v2/events/datasearch/page')).toHaveLength(4);
    expect(asked).toHaveLength(8);
  });

  test('a device without user or hostname cannot be looked for, and nothing is asked', async () => {
    await world.clearCalls();
    expect((await read(feedOf('events'), undefined, [{ workflowId: 'w', serial: 'SN0042' }])).records).toEqual([]);
    expect(await world.calls()).toEqual([]);
  });

  test('records without time or name are put aside', async () => {
    const body = {
      result: [{ timestamp: 'soon', hostname: 'LT-0042' }, { timestamp: 1_795_384_000 }, null],
      status: { execution: 'success' },
    };
    await world.fault({
      match: { method: 'GET', path: '/api/v2/events/datasearch/page' },
      effect: { status: 200, body },
    });
    expect(await read(feedOf('events'))).toMatchObject({ records: [], putAside: 3 });
  });
});

describe('sign-ins', () => {
  const signIn = (serial: string, more: Record<string, unknown> = {}) =>
    post(world, 'laptop', { serial, do: 'sign-in', ...more });
  const row = (more: Record<string, unknown>) => ({
    id: 'some-id',
    createdDateTime: '2026-11-22T21:59:00.6195833Z',
    userPrincipalName: 'pat@example.test',
    status: { errorCode: 0 },
    deviceDetail: { displayName: 'LT-0042' },
    ...more,
  });
  const answers = (...value: unknown[]) =>
    world.fault({
      match: { method: 'GET', path: '/v1.0/auditLogs/signIns' },
      effect: { status: 200, body: { value } },
    });

  test('a sign-in at the device is told with device, user, place and address; a refused one as well', async () => {
    await post(world, 'laptop', { serial: 'SN0042', do: 'online', place: 'cafe' });
    await signIn('SN0042');
    await world.advance(minute);
    await signIn('SN0042', { ok: false });
    const { records, putAside } = await read(signInFeed());
    expect(putAside).toBe(0);
    expect(records).toEqual([
      {
        id: expect.stringMatching(/^[-0-9a-f]{36}$/) as string,
        at: expect.stringMatching(/^2026-11-22T22:00:00\.\d{3}Z$/) as string,
        evidence: 'sign-in',
        device: { hostname: 'LT-0042', user: 'pat@example.test' },
        what: 'Signed in to Office 365 Exchange Online',
        publicAddress: '203.0.113.77',
        place: { city: 'Cafeton', region: 'CA', country: 'BE', latitude: 50.8, longitude: 4.3 },
      },
      expect.objectContaining({
        what: 'Sign-in refused: Invalid username or password. (Office 365 Exchange Online)',
      }),
    ]);
  });

  test("the user's other laptop is another device, and a browser without one is none", async () => {
    await post(world, 'laptop', { serial: 'SN0050', do: 'online' });
    await signIn('SN0050');
    const lost: WatchedDevice = { workflowId: 'w', hostname: 'LT-0051', user: 'Sam@Example.test' };
    // The log knows users in small letters only.
    const { records } = await read(signInFeed(), undefined, [lost]);
    expect(records.map(({ device }) => matchDevice(lost, device))).toEqual(['none']);
    await answers(row({ deviceDetail: { displayName: '' } }), row({ deviceDetail: null }));
    expect(await read(signInFeed())).toMatchObject({ records: [], putAside: 0 });
  });

  test('it can see no device of which it does not know hostname and user, and asks nothing then', async () => {
    const feed = signInFeed();
    expect(feed.sees({ hostname: 'LT-0042', user: 'pat@example.test' })).toBe(true);
    for (const device of [{ user: 'pat@example.test' }, { hostname: 'LT-0042', serial: 'SN0042' }]) {
      expect(feed.sees(device)).toBe(false);
      expect((await read(feed, undefined, [{ workflowId: 'w', ...device }])).records).toEqual([]);
    }
    expect(await world.calls()).toEqual([]);
  });

  test('what the log shows an hour late is not missed, and told once', async () => {
    const feed = signInFeed();
    await post(world, 'laptop', { serial: 'SN0042', do: 'online' });
    await signIn('SN0042', { lateMs: 60 * minute });
    await world.advance(30 * minute);
    await signIn('SN0042');
    const early = await read(feed);
    await world.advance(31 * minute);
    const late = await read(feed, early.watermark);
    expect(early.records).toHaveLength(1);
    expect(late.records.map(({ at }) => at.slice(11, 16))).toEqual(['22:00', '22:30']);
    expect(late.records[1]?.id).toBe(early.records[0]?.id);
  });

  test('users are asked for in batches; what cannot be read is put aside, what was not asked for is dropped', async () => {
    const feed = signInFeed();
    await answers(
      row({ id: 'bad', createdDateTime: 'yesterday' }),
      { nothing: 'at all' },
      row({ id: 'old', createdDateTime: '2026-01-01T00:00:00Z' }),
      row({ id: 'good' }),
    );
    const { records, putAside } = await read(feed, undefined, fleet);
    expect([records.map(({ id }) => id), putAside]).toEqual([['good'], 2]);
    const calls = (await world.calls()).filter(({ path }) => path.startsWith('/v1.0/auditLogs'));
    const asked = calls.map(({ path }) => new URLSearchParams(path.split('?')[1]).get('$filter') ?? '');
    expect(asked.map((filter) => filter.match(/userPrincipalName eq/g)?.length)).toEqual([15, 15, 1]);
    expect(asked[0]).toContain(
      "createdDateTime ge 2026-11-22T20:00:00Z and (userPrincipalName eq 'pat@example.test' or ",
    );
  });

  test('pages are read to the end', async () => {
    await world.fault({
      match: { method: 'GET', path: '/v1.0/auditLogs/signIns' },
      effect: {
        status: 200,
        body: {
          value: [row({ id: 'newest' })],
          '@odata.nextLink': `${world.url}/v1.0/auditLogs/signIns?$skiptoken=2`,
        },
      },
    });
    await world.fault({
      match: { method: 'GET', path: '/v1.0/auditLogs/signIns?$skiptoken=2' },
      effect: { status: 200, body: { value: [row({ id: 'next', createdDateTime: '2026-11-22T21:00:00Z' })] } },
    });
    expect((await read(signInFeed())).records.map(({ id }) => id)).toEqual(['next', 'newest']);
  });

  test('a tenant without the licence is told in words, and the feed is not silent about it', async () => {
    await world.fault({
      match: { method: 'GET', path: '/v1.0/auditLogs/signIns' },
      effect: {
        status: 403,
        body: {
          error: {
            code: 'Authentication_RequestFromNonPremiumTenantOrB2CTenant',
            message: "Neither tenant is B2C or tenant doesn't have premium license",
          },
        },
      },
    });
    await expect(read(signInFeed())).rejects.toMatchObject({
      code: 'LDP_NOT_PERMITTED',
      message: expect.stringContaining("tenant doesn't have premium license") as string,
    });
  });

  test('it is off unless the settings switch it on', () => {
    const settings = entra.settings.parse({
      directoryTenant: 'example.test',
      clientId: '22222222-2222-4222-8222-222222222222',
      clientSecret: 'x',
    });
    expect(entra.create('entra', settings).feeds).toBeUndefined();
  });
});

test('more than one page is read whole, though the list moves and pages overlap', async () => {
  const seconds = Math.floor(Date.parse('2026-11-22T21:50:00Z') / 1000);
  const row = (i: number, at: number) => ({
    _id: `id${i}`,
    timestamp: at,
    hostname: `LT-${i}`,
    host_info: { nsdeviceuid: `uid${i}` },
    last_seen_device_event: { event: 'Tunnel Up', timestamp: at },
  });
  const page = (rows: unknown[]) => ({ result: rows, status: { execution: 'SUCCESS' } });
  const first = Array.from({ length: 5_000 }, (_, i) => row(i, seconds + Math.floor(i / 100)));
  // Meanwhile number 10 reported again, so all behind it moved up by one.
  const second = [...first.slice(4_900), row(5_000, seconds + 60), row(10, seconds + 61)];
  for (const rows of [first, second]) {
    await world.fault({
      match: { method: 'GET', path: '/api/v2/events/datasearch/clientstatus' },
      effect: { status: 200, body: page(rows) },
    });
  }
  const { records, putAside } = await read(feedOf('client-status', { timeoutMs: 5_000 }), undefined, fleet);
  expect(putAside).toBe(0);
  expect(records).toHaveLength(5_001);
  expect(records.at(-1)).toMatchObject({ device: { hostname: 'LT-10' } });
  const [, next] = (await world.calls()).map(({ path }) => new URLSearchParams(path.split('?')[1]));
  expect(next?.get('offset')).toBe('0');
  expect(Number(next?.get('starttime'))).toBe(seconds + 49 - 1);
});

describe('faults', () => {
  const exercises: Record<string, Exercise> = {
    'datasearch.clientstatus': {
      path: '/api/v2/events/datasearch/clientstatus',
      run: () => read(feedOf('client-status'), undefined, fleet),
    },
    'datasearch.alert': { path: '/api/v2/events/datasearch/alert', run: () => read(feedOf('alerts')) },
    'datasearch.page': { path: '/api/v2/events/datasearch/page', run: () => read(feedOf('events')) },
    'datasearch.network': { path: '/api/v2/events/datasearch/network', run: () => read(feedOf('events')) },
    'auditLogs.signIns': { path: '/v1.0/auditLogs/signIns', run: () => read(signInFeed()) },
  };
  const ofFeeds = [...netskope.operations, ...entra.operations].filter(({ name }) => name in exercises);

  test.each(everyFault(ofFeeds, exercises))('$title', async ({ operation, fault, exercise }) => {
    if (!exercise) throw new Error(`no exercise for ${operation.name}`);
    const { effect, when = 'before', times = 1 } = fault;
    await world.fault({ match: { method: operation.method, path: exercise.path }, effect, when, times });
    await expect(exercise.run()).rejects.toMatchObject({
      code: fault.reads,
      details: {
        operation: expect.stringContaining(operation.name) as string,
        ...(fault.name === '429' && { retryAfterMs: 7_000 }),
      },
    });
  });

  test('a 200 with a failed execution is a failure of the feed, not silence', async () => {
    const failed = { result: [], status: { execution: 'FAILED', message: 'search timed out', status_code: 500 } };
    await world.fault({
      match: { method: 'GET', path: '/api/v2/events/datasearch/alert' },
      effect: { status: 200, body: failed },
    });
    await expect(read(feedOf('alerts'))).rejects.toMatchObject({
      name: 'VendorUnavailable',
      code: 'LDP_SERVER_ERROR',
      message: 'netskope datasearch.alert: answered 200: FAILED: search timed out',
    });
  });
});
