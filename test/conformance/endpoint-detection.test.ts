/** What every endpoint detection must do, by CrowdStrike Falcon against the simulated one and the laptops its sensors run on. */
import { crowdstrike } from '../../plugins/crowdstrike';
import { intune } from '../../plugins/intune';
import type { AgentRecord, EndpointDetection, PluginInstance, SightingFeed, WatchedDevice } from '../../plugins/roles';
import type { CallRecord } from '../../simulator/calls';
import { callNow, createNetskope, post } from './netskope-world';
import {
  call,
  expectItsOwnReason,
  everyFault,
  startVendorWorld,
  type Exercise,
  type VendorWorld,
} from './vendor-world';

const second = 1_000;
const minute = 60 * second;
const actions = '/devices/entities/devices-actions/v2';

let world: VendorWorld;
let instance: PluginInstance;
let falcon: EndpointDetection;

function create(more: Record<string, unknown> = {}): PluginInstance {
  return crowdstrike.create(
    'crowdstrike',
    crowdstrike.settings.parse({
      region: 'eu-1',
      url: world.url,
      clientId: 'sim-crowdstrike-client',
      clientSecret: 'sim-crowdstrike-secret',
      feeds: { lastSeen: {} },
      timeoutMs: 300,
      ...more,
    }),
  );
}

beforeEach(async () => {
  world = await startVendorWorld();
  instance = create();
  if (!instance.endpointDetection) throw new Error('the plugin fills the role');
  falcon = instance.endpointDetection;
});
afterEach(() => world.close());

const laptop = (serial: string, what: Record<string, unknown>) => post(world, 'laptop', { serial, ...what });

async function agent(serial = 'SN0042'): Promise<AgentRecord> {
  const [found] = await falcon.findAgents({ serial }, call);
  if (!found) throw new Error(`${serial} is in the simulator`);
  return found;
}
async function isolationOf({ id }: AgentRecord) {
  return (await falcon.readAgent(id, call))?.isolation;
}
async function laptopOf(serial: string) {
  const laptops = (await (await fetch(`${world.url}/control/laptops`)).json()) as {
    serial: string;
    isolated: boolean;
  }[];
  return laptops.find((one) => one.serial === serial);
}
const falconCalls = async () => (await world.calls()).filter(({ path }) => path.startsWith('/devices/'));
const actionCalls = (calls: CallRecord[]) => calls.filter(({ path }) => path.startsWith(actions));

describe('agents', () => {
  test('one is found by its serial, whatever its letters, with its names, platform and last sign', async () => {
    expect(await falcon.findAgents({ serial: 'sn0070', hostname: 'something else' }, call)).toEqual([
      {
        id: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
        names: { serial: 'SN0070', hostname: 'LT-0070' },
        platform: 'macos',
        lastSeenAt: expect.stringMatching(/^2026-11-22T19:00:\d\d\.000Z$/) as string,
        online: 'no',
        isolation: 'none',
      },
    ]);
    expect(await falcon.findAgents({ serial: 'SN007' }, call)).toEqual([]);
  });

  test('by hostname where there is no serial', async () => {
    expect(await falcon.findAgents({ hostname: 'lt-0042' }, call)).toEqual([await agent()]);
  });

  test('after a re-image all agents of the serial are found, the one that speaks first', async () => {
    const before = await agent();
    await world.advance(minute);
    await laptop('SN0042', { do: 're-image' });
    await laptop('SN0042', { do: 'online' });
    const agents = await falcon.findAgents({ serial: 'SN0042' }, call);
    expect(agents.map(({ online }) => online)).toEqual(['yes', 'no']);
    expect(agents[1]).toEqual(before);
  });

  test.each([{}, { serial: '' }, { serial: ' ' }, { user: 'pat@example.test', nsdeviceuid: 'x' }])(
    'nothing is asked for %j: an empty filter would find every host of the company',
    async (device) => {
      expect(await falcon.findAgents(device, call)).toEqual([]);
      expect(await falconCalls()).toEqual([]);
    },
  );

  test.each(["SN0042'+hostname:!'x", 'SN*', 'SN\\', "['a'"])(
    '%j is no serial that can be asked for',
    async (serial) => {
      await expect(falcon.findAgents({ serial }, call)).rejects.toMatchObject({ code: 'LDP_BAD_INPUT' });
      expect(await falconCalls()).toEqual([]);
    },
  );

  test('what does not fit is dropped, though Falcon answered with it', async () => {
    const host = (id: string, serial_number: string) => ({ device_id: id.repeat(32), serial_number, status: 'normal' });
    await world.fault({
      match: { method: 'GET', path: '/devices/combined/' },
      effect: { status: 200, body: { resources: [host('a', 'SN0050'), host('b', 'SN0042')], errors: [] } },
    });
    const found = await falcon.findAgents({ serial: 'SN0042' }, call);
    expect(found).toEqual([
      { id: 'b'.repeat(32), names: { serial: 'SN0042' }, platform: 'unknown', online: 'unknown', isolation: 'none' },
    ]);
  });

  test('one that is not there is undefined, however Falcon says so', async () => {
    const id = 'f'.repeat(32);
    expect(await falcon.readAgent(id, call)).toBeUndefined();
    const errors = [{ code: 404, message: 'no such host' }];
    await world.fault({
      match: { method: 'POST', path: '/devices/entities/devices/v2' },
      effect: { status: 200, body: { resources: [], errors } },
    });
    expect(await falcon.readAgent(id, call)).toBeUndefined();
  });
});

describe('isolation', () => {
  test('is pending while the device is off, done soon after it is on, and survives a restart', async () => {
    const lost = await agent();
    await falcon.isolate(lost, 'case 7', call);
    expect(await isolationOf(lost)).toBe('being isolated');
    await world.advance(60 * minute);
    expect(await isolationOf(lost)).toBe('being isolated');
    await laptop('SN0042', { do: 'online', place: 'cafe' });
    await world.advance(11 * second);
    expect(await falcon.readAgent(lost.id, call)).toMatchObject({ isolation: 'isolated', online: 'yes' });
    await laptop('SN0042', { do: 'offline' });
    await laptop('SN0042', { do: 'online' });
    expect(await laptopOf('SN0042')).toMatchObject({ isolated: true });
    expect(await world.changes()).toEqual(['crowdstrike: LT-0042 contained']);
  });

  test('cuts off the Netskope client but not the sensor, until it is released', async () => {
    await laptop('SN0042', { do: 'online' });
    await falcon.isolate(await agent(), 'case 7', call);
    await world.advance(30 * minute);
    const { feeds } = createNetskope(world);
    const status = feeds.find(({ name }) => name === 'client-status');
    const pat: WatchedDevice = { workflowId: 'w', serial: 'SN0042', hostname: 'LT-0042', user: 'pat@example.test' };
    const lastSign = async () => (await status?.read(undefined, [pat], await callNow(world)))?.records.at(-1)?.at;
    expect((await lastSign())?.slice(0, 16)).toBe('2026-11-22T22:00');
    const isolated = await agent();
    expect(Date.parse(isolated.lastSeenAt ?? '')).toBeGreaterThanOrEqual(Date.parse('2026-11-22T22:25:00Z'));

    await falcon.release(isolated, 'found', call);
    expect(await isolationOf(isolated)).toBe('being released');
    await world.advance(16 * second);
    expect(await isolationOf(isolated)).toBe('none');
    expect((await lastSign())?.slice(0, 16)).toBe('2026-11-22T22:30');
    expect(await world.changes()).toEqual(['crowdstrike: LT-0042 contained', 'crowdstrike: LT-0042 released']);
  });

  test('keeps a wipe from arriving, until it is released; after the wipe the sensor is gone', async () => {
    const { deviceManagement } = intune.create(
      'intune',
      intune.settings.parse({
        directoryTenant: '11111111-1111-4111-8111-111111111111',
        clientId: '22222222-2222-4222-8222-222222222222',
        clientSecret: 'sim-entra-secret',
        graphUrl: world.url,
        loginUrl: world.url,
      }),
    );
    const [record] = (await deviceManagement?.findRecords({ serial: 'SN0042' }, call)) ?? [];
    if (!deviceManagement || !record) throw new Error('SN0042 is enrolled in the simulator');
    const wipe = async () => (await deviceManagement.readCommands(record.id, call))[0]?.state;
    await laptop('SN0042', { do: 'online', place: 'cafe' });
    await falcon.isolate(await agent(), 'case 7', call);
    await world.advance(minute);
    await deviceManagement.wipe(record, { justification: 'stolen', protected: false }, call);
    await world.advance(60 * minute);
    expect(await wipe()).toBe('queued');
    expect((await agent()).online).toBe('yes');

    await falcon.release(await agent(), 'let the wipe through', call);
    await world.advance(10 * minute);
    expect(await wipe()).toBe('acknowledged');
    expect((await agent()).online).toBe('no');
  });

  test('can be taken back before the device has heard of it', async () => {
    await falcon.isolate(await agent(), 'case 7', call);
    await falcon.release(await agent(), 'found', call);
    await laptop('SN0042', { do: 'online' });
    await world.advance(minute);
    expect(await laptopOf('SN0042')).toMatchObject({ isolated: false });
    expect((await agent()).isolation).toBe('none');
  });

  test('nothing is sent where it is so already, or where its opposite is under way', async () => {
    const free = await agent();
    await falcon.release(free, 'x', call);
    await falcon.isolate({ ...free, isolation: 'isolated' }, 'x', call);
    await falcon.isolate({ ...free, isolation: 'being isolated' }, 'x', call);
    await falcon.release({ ...free, isolation: 'being released' }, 'x', call);
    await expect(falcon.isolate({ ...free, isolation: 'being released' }, 'x', call)).rejects.toMatchObject({
      code: 'LDP_CONFLICT',
    });
    expect(actionCalls(await falconCalls())).toEqual([]);
  });

  test('a repeat from an old reading is a conflict at Falcon, and changes nothing', async () => {
    const free = await agent();
    await falcon.isolate(free, 'case 7', call);
    await expect(falcon.isolate(free, 'case 7', call)).rejects.toMatchObject({
      name: 'VendorRefused',
      code: 'LDP_CONFLICT',
    });
    expect(await world.changes()).toEqual(['crowdstrike: LT-0042 contained']);
  });

  test.each(['', 'LT-0042', '*'])('the id %j never leaves', async (id) => {
    const free = await agent();
    await world.clearCalls();
    await expect(falcon.isolate({ ...free, id }, 'x', call)).rejects.toMatchObject({ code: 'LDP_BAD_INPUT' });
    expect(await world.calls()).toEqual([]);
  });

  test('an agent that is gone is refused, although Falcon says accepted', async () => {
    const gone = { ...(await agent()), id: 'f'.repeat(32) };
    await expect(falcon.isolate(gone, 'x', call)).rejects.toMatchObject({ code: 'LDP_NOT_FOUND' });
    expect(actionCalls(await falconCalls()).map(({ status }) => status)).toEqual([202]);
  });

  test.each([
    [
      'a refusal',
      [{ code: 400, message: 'containment is switched off' }],
      'LDP_REFUSED',
      'containment is switched off',
    ],
    ['a fault of its own', [{ code: 500, message: 'internal error' }], 'LDP_OUTCOME_UNKNOWN', 'internal error'],
    ['a limit', [{ code: 429, message: 'slow down' }], 'LDP_RATE_LIMITED', 'slow down'],
    ['nothing at all', [], 'LDP_OUTCOME_UNKNOWN', 'not for this agent'],
  ])('%s inside a 202 is what it is', async (_, errors, code, words) => {
    const free = await agent();
    const body = { resources: [], errors };
    await world.fault({ match: { method: 'POST', path: actions }, effect: { status: 202, body } });
    await expect(falcon.isolate(free, 'x', call)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(words) as string,
    });
  });

  test('the approver is told what stays reachable', () => {
    expect(falcon.whileIsolated).toContain('IP addresses');
    expect(falcon.whileIsolated).toContain('wipe');
  });
});

describe('last-seen', () => {
  const feed = (more: Record<string, unknown> = {}): SightingFeed => {
    const [made] = create(more).feeds ?? [];
    if (!made) throw new Error('the settings switch the feed on');
    return made;
  };
  const read = async (watermark?: string) => feed().read(watermark, [], await callNow(world));

  test('a sensor is told with its address, also when the Netskope client was removed', async () => {
    const silent = await read();
    expect(silent.records).toEqual([]);
    await laptop('SN0042', { do: 'tamper', how: 'uninstalled' });
    await laptop('SN0042', { do: 'online', place: 'cafe' });
    await world.advance(12 * minute);
    const { records, putAside, watermark } = await read(silent.watermark);
    const { id } = await agent();
    const at = records[0]?.at ?? '';
    expect(at).toMatch(/^2026-11-22T22:10:\d\d\.000Z$/);
    expect(records).toEqual([
      {
        id: `${id}@${at}`,
        at,
        evidence: 'tool',
        device: { serial: 'SN0042', hostname: 'LT-0042' },
        what: 'Falcon sensor seen',
        publicAddress: '203.0.113.77',
        privateAddress: '192.168.1.20',
      },
    ]);
    expect(putAside).toBe(0);
    // The window overlaps: the same comes again under the same id, and what is new under a new one.
    expect((await read(watermark)).records).toEqual(records);
    await world.advance(5 * minute);
    expect((await read(watermark)).records.map(({ at }) => at.slice(11, 16))).toEqual(['22:15']);
  });

  test('an isolated device goes on being seen, and it is said', async () => {
    await laptop('SN0042', { do: 'online' });
    await falcon.isolate(await agent(), 'case 7', call);
    await world.advance(6 * minute);
    expect((await read()).records).toMatchObject([{ what: 'Falcon sensor seen, isolated' }]);
  });

  test('every page is read; what names no device or no time is put aside', async () => {
    const host = (n: number, more: Record<string, unknown> = {}) => ({
      device_id: String(n).repeat(32),
      serial_number: `SN${n}`,
      last_seen: '2026-11-22T21:55:00Z',
      last_login_user: n === 3 ? 'pat@example.test' : 'ACME\\pat',
      ...more,
    });
    const pageOf = (next: string, ...resources: unknown[]) => ({
      status: 200,
      body: { meta: { pagination: { next, total: 5 } }, resources, errors: [] },
    });
    await world.fault({
      match: { method: 'GET', path: '/devices/combined/devices/v1' },
      effect: pageOf('token+2/=', host(1), host(2, { serial_number: '', hostname: null }), { hostname: 'no id' }),
    });
    await world.fault({
      match: { method: 'GET', path: '/devices/combined/devices/v1' },
      effect: pageOf('', host(3), host(4, { last_seen: '' })),
    });
    const { records, putAside } = await read();
    expect(records.map(({ device }) => device)).toEqual([
      { serial: 'SN1' },
      { serial: 'SN3', user: 'pat@example.test' },
    ]);
    expect(putAside).toBe(3);
    const asked = (await falconCalls()).map(({ path }) => new URLSearchParams(path.split('?')[1]));
    expect(asked.map((query) => query.get('offset'))).toEqual([null, 'token+2/=']);
    for (const query of asked) expect(query.get('filter')).toMatch(/^last_seen:>='2026-11-22T21:50:\d\dZ'$/);
  });

  test('it speaks of devices whose serial is known, and is off unless the settings switch it on', () => {
    expect(feed()).toMatchObject({ name: 'last-seen', regular: true });
    expect(feed().sees({ serial: 'SN0042' })).toBe(true);
    expect(feed().sees({ hostname: 'LT-0042', user: 'pat@example.test' })).toBe(false);
    expect(create({ feeds: {} }).feeds).toBeUndefined();
  });
});

describe('faults', () => {
  let known: AgentRecord;
  const exercises: Record<string, Exercise> = {
    'hosts.search': { path: '/devices/combined/', run: () => falcon.findAgents({ serial: 'SN0042' }, call) },
    'hosts.read': {
      path: '/devices/entities/devices/v2',
      run: () => falcon.readAgent(known.id, call),
      answers: { '404': undefined },
    },
    'hosts.onlineState': { path: '/devices/entities/online-state/', run: () => falcon.readAgent(known.id, call) },
    'hosts.act': { path: actions, run: () => falcon.isolate(known, 'case 7', call) },
  };
  beforeEach(async () => {
    known = await agent();
    await world.clearCalls();
  });

  test.each(everyFault(crowdstrike.operations, exercises))('$title', async ({ operation, fault, exercise }) => {
    if (!exercise) throw new Error(`no exercise for ${operation.name}`);
    const { effect, when = 'before', times = 1 } = fault;
    await world.fault({ match: { method: operation.method, path: exercise.path }, effect, when, times });
    if (exercise.answers && fault.name in exercise.answers) {
      expect(await exercise.run()).toEqual(exercise.answers[fault.name]);
      return;
    }
    const failed = await exercise.run().catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: operation.changes ? fault.changes : fault.reads });
    expect(failed).toMatchObject({ details: { operation: `crowdstrike ${operation.name}` } });
    if (fault.name === '429') expect(failed).toMatchObject({ details: { retryAfterMs: 7_000 } });
    expect(String(failed)).not.toContain('sim-crowdstrike');
    // Never sent twice; a refused token is renewed once, because nothing was carried out.
    if (operation.changes) expect(actionCalls(await falconCalls())).toHaveLength(fault.name === '401' ? 2 : 1);
  });

  test("Falcon's own limit header is a moment, not a span", async () => {
    await post(world, 'tenant', { limits: { crowdStrikePerMinute: 1 } });
    const failed = await falcon.isolate(known, 'case 7', call).catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: 'LDP_RATE_LIMITED', details: { retryAfterMs: expect.any(Number) as number } });
    const { retryAfterMs } = (failed as { details: { retryAfterMs: number } }).details;
    expect(retryAfterMs).toBeGreaterThanOrEqual(0);
    expect(retryAfterMs).toBeLessThanOrEqual(61_000);
    expect(await world.changes()).toEqual([]);
  });

  test('a cancelled call ends with its own reason', () =>
    expectItsOwnReason(world, { method: 'POST', path: actions }, (cancelled) => falcon.isolate(known, 'x', cancelled)));
});

describe('set-up', () => {
  test('the connection test changes nothing, and says when nobody is let in', async () => {
    expect(await instance.test(call)).toEqual([expect.objectContaining({ what: 'hosts', ok: true })]);
    const [line] = await create({ clientSecret: 'wrong-secret' }).test(call);
    expect(line).toMatchObject({ ok: false, detail: expect.stringContaining('no token was granted') as string });
    expect(line?.detail).not.toContain('wrong-secret');
    expect(await world.changes()).toEqual([]);
  });

  test('a region names its address and the hosts that its sensors need', () => {
    const settings = { clientId: 'x', clientSecret: 'y' };
    const eu = crowdstrike.settings.parse({ ...settings, region: 'eu-1' });
    expect(eu.url).toBe('https://api.eu-1.crowdstrike.com');
    expect(crowdstrike.create('x', eu).agentHosts).toEqual([
      'ts01-lanner-lion.cloudsink.net',
      'lfodown01-lanner-lion.cloudsink.net',
      'lfoup01-lanner-lion.cloudsink.net',
    ]);
    expect(() => crowdstrike.settings.parse({ ...settings, region: 'gov-1' })).toThrow(/us-1, us-2, us-3, eu-1/);
  });
});
