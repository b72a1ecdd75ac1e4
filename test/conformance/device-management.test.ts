/** What every device management must do, by Intune against the simulated Graph and the laptops that it reaches. */
import { intune } from '../../plugins/intune';
import type { DeviceNames } from '../../playbook/device';
import type {
  Call,
  DeviceManagement,
  ManagedRecord,
  PluginInstance,
  SendOptions,
  SightingFeed,
  WipeOptions,
} from '../../plugins/roles';
import { callNow, post } from './netskope-world';
import {
  call,
  expectItsOwnReason,
  everyFault,
  startVendorWorld,
  type Exercise,
  type VendorWorld,
} from './vendor-world';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const pin = '482913';
const why: SendOptions = { justification: 'Lost on a train, case 7; asked for by Ana, approved by Béa' };
const plain: WipeOptions = { ...why, protected: false };

interface IntuneView {
  devices: {
    id: string;
    serial: string;
    managementState: string;
    actions: { name: string; state: string; asked: Record<string, unknown> }[];
  }[];
  approvals: { id: string; status: string; justification: string; serial: string }[];
}

let world: VendorWorld;
let instance: PluginInstance;
let management: Required<Omit<DeviceManagement, 'cancel'>>;
beforeEach(async () => {
  world = await startVendorWorld();
  instance = create();
  management = instance.deviceManagement as typeof management;
});
afterEach(() => world.close());

function create(more: Record<string, unknown> = {}): PluginInstance {
  return intune.create(
    'intune',
    intune.settings.parse({
      directoryTenant: '11111111-1111-4111-8111-111111111111',
      clientId: '22222222-2222-4222-8222-222222222222',
      clientSecret: 'sim-entra-secret',
      graphUrl: world.url,
      loginUrl: world.url,
      timeoutMs: 300,
      ...more,
    }),
  );
}

/** The one enrolment of a laptop; LT-0070 (SN0070) is a Mac. */
async function record(serial = 'SN0042'): Promise<ManagedRecord> {
  const [found, ...others] = await management.findRecords({ serial }, call);
  if (!found || others.length > 0) throw new Error(`${serial} is enrolled once`);
  return found;
}
const commandsOf = async (id: string) => management.readCommands(id, await callNow(world));
const stateOf = async (id: string) => (await commandsOf(id)).map(({ command, state }) => [command, state]);
const portal = (body: Record<string, unknown>) => post(world, 'intune', body);
const laptop = (body: Record<string, unknown>) => post(world, 'laptop', { serial: 'SN0042', ...body });
const view = async () => (await (await fetch(`${world.url}/control/intune`)).json()) as IntuneView;
const asked = async (serial = 'SN0042') => (await view()).devices.find((one) => one.serial === serial)?.actions;

describe('finding', () => {
  test('an enrolment is found by serial, with all that a wipe must know', async () => {
    expect(await management.findRecords({ serial: 'sn0042', hostname: 'LT-9999' }, call)).toEqual([
      {
        id: expect.any(String) as unknown,
        names: { serial: 'SN0042', hostname: 'LT-0042', user: 'pat@example.test' },
        platform: 'windows',
        supervised: false,
        companyOwned: true,
        encrypted: 'yes',
        enrolledAt: '2026-05-06T19:00:00.000Z',
        lastSyncAt: expect.stringMatching(/^2026-11-22T19:00:00/) as unknown,
        state: 'managed',
      },
    ]);
  });

  test('by hostname only where no serial is known, and by nothing less', async () => {
    expect((await management.findRecords({ hostname: 'lt-0042' }, call)).map(({ names }) => names.serial)).toEqual([
      'SN0042',
    ]);
    const nothing: DeviceNames[] = [{}, { user: 'pat@example.test' }, { serial: '' }, { nsdeviceuid: 'x' }];
    await world.clearCalls();
    for (const names of nothing) expect(await management.findRecords(names, call)).toEqual([]);
    expect(await world.calls()).toEqual([]);
  });

  test.each([[{ serial: "SN0042' or serialNumber ne '" }], [{ hostname: "LT-0042'" }], [{ serial: 'SN00' }]])(
    '%j finds nothing',
    async (names) => expect(await management.findRecords(names, call)).toEqual([]),
  );

  test('a tenant that leaves the filter out of account does not make every device the lost one', async () => {
    await world.traps({ intuneIgnoresFilters: true });
    expect((await management.findRecords({ serial: 'SN0042' }, call)).map(({ names }) => names.serial)).toEqual([
      'SN0042',
    ]);
    expect(await management.findRecords({ serial: 'SN-NOBODY' }, call)).toEqual([]);
  });

  test('a device that was enrolled twice is two records', async () => {
    await laptop({ do: 'enrol-again' });
    const found = await management.findRecords({ serial: 'SN0042' }, call);
    expect(new Set(found.map(({ id }) => id)).size).toBe(2);
  });

  test('a record that is gone is none', async () => {
    const { id } = await record();
    await portal({ serial: 'SN0042', do: 'delete' });
    expect(await management.readRecord(id, call)).toBeUndefined();
    expect(await management.readCommands(id, call)).toEqual([]);
    await expect(management.wipe({ ...(await record('SN0050')), id }, plain, call)).rejects.toMatchObject({
      code: 'LDP_NOT_FOUND',
    });
  });
});

describe('offers', () => {
  const offered = async (change: Record<string, unknown>) => {
    await portal({ serial: 'SN0042', do: 'change', ...change });
    return management.offers(await record());
  };

  test.each([
    [{ operatingSystem: 'Windows' }, ['wipe']],
    [{ operatingSystem: 'Windows', owner: 'personal' }, []],
    [{ operatingSystem: 'Windows', owner: 'unknown' }, []],
    [{ operatingSystem: 'macOS' }, ['wipe', 'lock']],
    [{ operatingSystem: 'iOS', supervised: true }, ['wipe', 'lock', 'lost mode']],
    [{ operatingSystem: 'iPadOS', supervised: false }, ['wipe', 'lock']],
    [{ operatingSystem: 'AndroidEnterprise' }, ['wipe', 'lock']],
    [{ operatingSystem: 'Android', owner: 'personal' }, []],
    [{ operatingSystem: 'ChromeOS' }, ['wipe']],
    [{ operatingSystem: 'Linux (ubuntu)' }, []],
    [{ operatingSystem: '' }, []],
  ])('%j: %j', async (change, commands) => {
    const offers = await offered(change);
    expect(offers.flatMap(({ command, offered: yes }) => (yes ? [command] : []))).toEqual(commands);
    for (const { because, cancellable, offered: yes } of offers) {
      expect(because).toMatch(/^[A-Z].*\.$/);
      expect(cancellable).toBe(false);
      expect(because.includes('cannot be taken back')).toBe(yes);
    }
  });

  test('only a Mac has PINs: ours for its wipe, Intune’s for its lock', async () => {
    const pins = async (operatingSystem: string) => (await offered({ operatingSystem })).map((one) => one.pin);
    expect(await pins('macOS')).toEqual(['ours', 'made by the vendor', 'none']);
    expect(await pins('iOS')).toEqual(['none', 'none', 'none']);
    expect(await pins('Windows')).toEqual(['none', 'none', 'none']);
  });

  test('what is not offered is not sent, whoever asks', async () => {
    await portal({ serial: 'SN0042', do: 'change', owner: 'personal' });
    const personal = await record();
    await expect(management.wipe(personal, plain, call)).rejects.toMatchObject({ code: 'LDP_NOT_OFFERED' });
    await expect(management.lock(personal, { ...why, message: 'x' }, call)).rejects.toMatchObject({
      code: 'LDP_NOT_OFFERED',
    });
    const lost = management.enableLostMode(personal, { ...why, message: 'x', phone: '1' }, call);
    await expect(lost).rejects.toMatchObject({ code: 'LDP_NOT_OFFERED' });
    expect(
      (await world.calls()).filter(({ method, path }) => method === 'POST' && /managedDevices/.test(path)),
    ).toEqual([]);
  });
});

describe('a wipe', () => {
  test('waits while the laptop is off, and is followed to the end when it comes on', async () => {
    const found = await record();
    await management.wipe(found, plain, call);
    const [waiting] = await commandsOf(found.id);
    expect(waiting).toMatchObject({ command: 'wipe', state: 'queued', says: 'wipe pending, wipePending' });
    expect(Date.parse(waiting?.startedAt ?? '')).toBeGreaterThanOrEqual(Date.parse(call.now));
    await world.advance(3 * day);
    expect(await stateOf(found.id)).toEqual([['wipe', 'queued']]);

    await laptop({ do: 'online', place: 'cafe' });
    await world.advance(30_000);
    expect(await stateOf(found.id)).toEqual([['wipe', 'delivered']]);
    await world.advance(30_000);
    expect(await stateOf(found.id)).toEqual([['wipe', 'acknowledged']]);
    expect(await world.changes()).toEqual(['intune: wipe of SN0042 accepted', 'intune: SN0042 wiped']);
  });

  test('keeps nothing; the protected form is Windows’ own', async () => {
    await management.wipe(await record(), plain, call);
    await management.wipe(await record('SN0050'), { ...why, protected: true }, call);
    await management.wipe(await record('SN0070'), { ...why, protected: true, pin }, call);
    const nothing = { keepEnrollmentData: false, keepUserData: false };
    expect((await asked())?.[0]?.asked).toEqual(nothing);
    expect((await asked('SN0050'))?.[0]?.asked).toEqual({ ...nothing, useProtectedWipe: true });
    expect((await asked('SN0070'))?.[0]?.asked).toEqual({ ...nothing, macOsUnlockCode: pin });
  });

  test.each([undefined, '', '12345', '1234567', '12345a'])('of a Mac is not sent with the PIN %j', async (wrong) => {
    const mac = await record('SN0070');
    const sent = management.wipe(mac, { ...plain, ...(wrong !== undefined && { pin: wrong }) }, call);
    await expect(sent).rejects.toMatchObject({ name: 'BadInput', code: 'LDP_BAD_INPUT' });
    expect(await world.changes()).toEqual([]);
  });

  test('of anything else takes no PIN along: Graph would refuse it', async () => {
    await management.wipe(await record(), { ...plain, pin }, call);
    expect(JSON.stringify(await asked())).not.toContain(pin);
  });

  test('that is sent twice is two: Intune does not ask', async () => {
    const found = await record();
    await management.wipe(found, plain, call);
    await management.wipe(found, plain, call);
    expect(await stateOf(found.id)).toEqual([
      ['wipe', 'queued'],
      ['wipe', 'queued'],
    ]);
    expect(await world.changes()).toEqual(['intune: wipe of SN0042 accepted', 'intune: wipe of SN0042 accepted (#2)']);
  });

  test('that a synchronised laptop did not carry out is still queued, and shows that it was seen since', async () => {
    await world.traps({ intuneStuck: true });
    const found = await record();
    await management.wipe(found, plain, call);
    await laptop({ do: 'online' });
    await world.advance(2 * hour);
    const [waiting] = await commandsOf(found.id);
    const later = await management.readRecord(found.id, call);
    expect(waiting?.state).toBe('queued');
    expect(Date.parse(later?.lastSyncAt ?? '')).toBeGreaterThan(Date.parse(waiting?.startedAt ?? ''));
  });

  test('that the laptop did without a word stays queued for ever', async () => {
    await world.traps({ intuneSilentWipe: true });
    const found = await record();
    await management.wipe(found, plain, call);
    await laptop({ do: 'online' });
    await world.advance(30 * day);
    expect(await stateOf(found.id)).toEqual([['wipe', 'queued']]);
    expect(await world.changes()).toContain('intune: SN0042 wiped');
  });

  test('that only the state of the device tells of is found', async () => {
    await world.traps({ intuneListsNoActions: true });
    const found = await record();
    await management.wipe(found, plain, call);
    const now = await callNow(world);
    expect(await management.readCommands(found.id, now)).toEqual([
      { command: 'wipe', state: 'queued', startedAt: now.now, says: 'wipePending' },
    ]);
    await laptop({ do: 'online' });
    await world.advance(30_000);
    expect(await stateOf(found.id)).toEqual([['wipe', 'delivered']]);
  });

  test('that support took back is cancelled', async () => {
    const found = await record();
    await management.wipe(found, plain, call);
    await portal({ serial: 'SN0042', do: 'cancel-wipe' });
    expect(await stateOf(found.id)).toEqual([['wipe', 'cancelled']]);
    expect(instance.deviceManagement?.cancel).toBeUndefined();
  });

  test('of a device that was deleted never lands', async () => {
    const found = await record();
    await management.wipe(found, plain, call);
    await portal({ serial: 'SN0042', do: 'delete' });
    await laptop({ do: 'online' });
    await world.advance(day);
    expect(await management.readRecord(found.id, call)).toBeUndefined();
    expect(await world.changes()).toEqual(['intune: wipe of SN0042 accepted']);
  });

  test.each([
    ['pending', 'wipePending', 'queued'],
    ['none', 'wipePending', 'queued'],
    ['pending', 'wipeIssued', 'delivered'],
    ['pending', 'wipeFailed', 'failed'],
    ['active', 'wipePending', 'delivered'],
    ['active', 'wipeCanceled', 'cancelled'],
    ['done', 'wipePending', 'acknowledged'],
    ['failed', 'managed', 'failed'],
    ['canceled', 'managed', 'cancelled'],
    ['notSupported', 'wipePending', 'not supported'],
    ['somethingNew', 'managed', 'queued'],
  ])('%s on a device that is %s: %s', async (actionState, managementState, state) => {
    const { id } = await record();
    const older = { actionName: 'wipe', actionState: 'failed', startDateTime: '2026-01-01T00:00:00Z' };
    const newer = {
      actionName: 'factoryReset',
      actionState,
      startDateTime: '2026-11-22T22:00:00.1234567Z',
      lastUpdatedDateTime: '0001-01-01T00:00:00Z',
    };
    await world.fault({
      match: { method: 'GET', path: `/v1.0/deviceManagement/managedDevices/${id}` },
      effect: {
        status: 200,
        body: { managementState, deviceActionResults: [older, { actionName: 'rebootNow' }, newer] },
      },
    });
    expect(await management.readCommands(id, call)).toEqual([
      expect.objectContaining({ command: 'wipe', state, startedAt: '2026-11-22T22:00:00.123Z' }),
      { command: 'wipe', state: 'failed', startedAt: '2026-01-01T00:00:00.000Z', says: 'wipe failed' },
    ]);
  });
});

describe('a second administrator', () => {
  beforeEach(() => world.traps({ intuneSecondAdmin: true }));

  /** Sends, is refused, and says with which code. */
  async function codeOf(found: ManagedRecord): Promise<string> {
    const refused = await management.wipe(found, plain, call).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(refused).toMatchObject({ name: 'VendorRefused', code: 'LDP_APPROVAL_REQUIRED' });
    return (refused as { details: { approvalCode: string } }).details.approvalCode;
  }

  test('is asked with our reason, agrees, and the wipe goes out once', async () => {
    const found = await record();
    const code = await codeOf(found);
    expect((await view()).approvals).toEqual([
      { id: code, status: 'needsApproval', justification: why.justification, serial: 'SN0042' },
    ]);
    expect(await management.readApproval(code, call)).toBe('needs approval');
    expect(await stateOf(found.id)).toEqual([]);
    await portal({ serial: 'SN0042', do: 'approve' });
    expect(await management.readApproval(code.toUpperCase(), call)).toBe('approved');
    await management.wipe(found, { ...plain, approvalCode: code }, call);
    expect(await management.readApproval(code, call)).toBe('completed');
    await expect(management.wipe(found, { ...plain, approvalCode: code }, call)).rejects.toMatchObject({
      code: 'LDP_NOT_PERMITTED',
    });
    expect(await world.changes()).toEqual([
      'intune: approval of the wipe of SN0042 asked for',
      'intune: wipe of SN0042 accepted',
    ]);
  });

  test.each([
    ['reject', 'rejected'],
    ['cancel-request', 'cancelled'],
  ])('who does %s ends it', async (how, state) => {
    const found = await record();
    const code = await codeOf(found);
    await portal({ serial: 'SN0042', do: how });
    expect(await management.readApproval(code, call)).toBe(state);
    await expect(management.wipe(found, { ...plain, approvalCode: code }, call)).rejects.toMatchObject({
      code: 'LDP_NOT_PERMITTED',
    });
    expect(await stateOf(found.id)).toEqual([]);
  });

  test('has three days, also to be made use of; then a new one is asked', async () => {
    const found = await record();
    const code = await codeOf(found);
    await portal({ serial: 'SN0042', do: 'approve' });
    await world.advance(3 * day + minute);
    expect(await management.readApproval(code, call)).toBe('expired');
    expect(await codeOf(found)).not.toBe(code);
  });

  test('is asked once: a second question is a conflict, and a code that is not agreed to sends nothing', async () => {
    const found = await record();
    const code = await codeOf(found);
    await expect(management.wipe(found, plain, call)).rejects.toMatchObject({ code: 'LDP_CONFLICT' });
    await expect(management.wipe(found, { ...plain, approvalCode: code }, call)).rejects.toMatchObject({
      code: 'LDP_APPROVAL_REQUIRED',
      details: { approvalCode: code },
    });
    expect(await stateOf(found.id)).toEqual([]);
  });

  test('an approval that the list does not show is looked for again', async () => {
    await expect(management.readApproval('aabb1234-5678-4012-abcd-ef0123456789', call)).rejects.toMatchObject({
      name: 'VendorUnavailable',
      code: 'LDP_NOT_SEEN_YET',
    });
  });
});

describe('lock and lost mode', () => {
  test('the lock of a Mac has a PIN, until the next command', async () => {
    const mac = await record('SN0070');
    expect(await management.readLockPin(mac.id, call)).toBeUndefined();
    await management.lock(mac, { ...why, message: 'Please call us' }, call);
    const found = await management.readLockPin(mac.id, call);
    expect(found).toMatch(/^\d{6}$/);
    expect(JSON.stringify(await commandsOf(mac.id))).not.toContain(found);
    await post(world, 'laptop', { serial: 'SN0070', do: 'online' });
    await world.advance(minute);
    expect(await stateOf(mac.id)).toEqual([['lock', 'acknowledged']]);
    expect(await world.changes()).toEqual(['intune: lock of SN0070 accepted', 'intune: SN0070 locked']);
    await management.wipe(mac, { ...plain, pin }, call);
    expect(await management.readLockPin(mac.id, call)).toBeUndefined();
  });

  test('a Mac that is locked refuses a second lock', async () => {
    const mac = await record('SN0070');
    await post(world, 'laptop', { serial: 'SN0070', do: 'online' });
    for (let i = 0; i < 2; i++) {
      await management.lock(mac, { ...why, message: '' }, call);
      await world.advance(minute);
    }
    expect(await stateOf(mac.id)).toEqual([
      ['lock', 'failed'],
      ['lock', 'acknowledged'],
    ]);
  });

  test('lost mode shows our message and number', async () => {
    await portal({ serial: 'SN0042', do: 'change', operatingSystem: 'iOS', supervised: true });
    const phone = await record();
    await management.enableLostMode(phone, { ...why, message: 'Please call', phone: '+31 20 555 0100' }, call);
    expect((await asked())?.[0]?.asked).toEqual({ message: 'Please call', phoneNumber: '+31 20 555 0100', footer: '' });
    expect(await stateOf(phone.id)).toEqual([['lost mode', 'queued']]);
  });
});

describe('clean-up', () => {
  test('is the shortest rule, and none where there is none', async () => {
    expect(await management.readCleanUp(call)).toBeUndefined();
    await post(world, 'tenant', {
      intuneCleanUp: [
        { platform: 'windows', days: 90 },
        { platform: 'ios', days: 0 },
      ],
    });
    expect(await management.readCleanUp(call)).toEqual({ afterMs: 90 * day });
    await post(world, 'tenant', {
      intuneCleanUp: [
        { platform: 'windows', days: 90 },
        { platform: 'all', days: 60 },
      ],
    });
    expect(await management.readCleanUp(call)).toEqual({ afterMs: 60 * day });
  });
});

describe('last-seen', () => {
  let feed: SightingFeed;
  beforeEach(() => {
    [feed] = instance.feeds as [SightingFeed];
  });
  const read = async (watermark?: string, at?: Call) => feed.read(watermark, [], at ?? (await callNow(world)));

  test('a laptop that comes on has synchronised, and does so again 8 hours later', async () => {
    const silent = await read();
    expect(silent).toMatchObject({ records: [], putAside: 0 });
    await laptop({ do: 'online', place: 'cafe' });
    const first = await read(silent.watermark);
    expect(first.records).toEqual([
      {
        id: expect.any(String) as unknown,
        at: expect.stringMatching(/^2026-11-22T22:00/) as unknown,
        evidence: 'tool',
        device: { serial: 'SN0042', hostname: 'LT-0042', user: 'pat@example.test' },
        what: 'Synchronised with Intune',
      },
    ]);
    expect((await read(first.watermark)).records).toEqual(first.records);
    await world.advance(9 * hour);
    const [later, ...others] = (await read(first.watermark)).records;
    expect(others).toEqual([]);
    expect(Date.parse(later?.at ?? '') - Date.parse(first.records[0]?.at ?? '')).toBeGreaterThanOrEqual(8 * hour);
  });

  test('an enrolment anew is told beside, and a wiped laptop is silent until then', async () => {
    await management.wipe(await record(), plain, call);
    await laptop({ do: 'online' });
    await world.advance(hour);
    const before = await read();
    await laptop({ do: 'online' });
    await world.advance(day);
    expect((await read(before.watermark)).records.map(({ what }) => what)).not.toContain('Enrolled anew');
    await laptop({ do: 'enrol-again', place: 'home' });
    const { records } = await read(before.watermark);
    expect(records.map(({ what }) => what)).toEqual(
      expect.arrayContaining(['Enrolled anew', 'Synchronised with Intune']),
    );
    expect(records.at(-1)?.device.serial).toBe('SN0042');
  });

  test('one request for the whole tenant, with no more than is needed', async () => {
    await read();
    const calls = (await world.calls()).filter(({ vendor }) => vendor === 'intune');
    expect(calls).toHaveLength(1);
    const query = new URLSearchParams(calls[0]?.path.split('?')[1]);
    expect(query.get('$filter')).toBe('lastSyncDateTime ge 2026-11-22T21:30:00Z');
    expect(query.get('$select')).toBe('id,deviceName,serialNumber,userPrincipalName,enrolledDateTime,lastSyncDateTime');
  });

  test('a tenant that leaves the filter out of account tells nothing old', async () => {
    await world.traps({ intuneIgnoresFilters: true });
    expect((await read()).records).toEqual([]);
  });

  test('pages are followed, and what cannot be read is put aside', async () => {
    const row = (id: string) => ({ id, serialNumber: 'SN1', lastSyncDateTime: '2026-11-22T22:00:00.7Z' });
    const path = '/v1.0/deviceManagement/managedDevices';
    const next = `${world.url}${path}?$skiptoken=1`;
    await world.fault({
      match: { method: 'GET', path: `${path}?$skiptoken` },
      effect: { status: 200, body: { value: [row('b')] } },
    });
    await world.fault({
      match: { method: 'GET', path },
      effect: { status: 200, body: { value: [row('a'), { id: '' }, 'x'], '@odata.nextLink': next } },
    });
    const { records, putAside } = await read();
    expect(records.map(({ id }) => id.split('|')[0])).toEqual(['a', 'b']);
    expect(putAside).toBe(2);
  });

  test('it sees what a record can be told by', () => {
    expect(feed.sees({ serial: 'SN0042' })).toBe(true);
    expect(feed.sees({ hostname: 'LT-0042', user: 'pat@example.test' })).toBe(true);
    expect(feed.sees({ hostname: 'LT-0042' })).toBe(false);
    expect(feed.sees({ user: 'pat@example.test' })).toBe(false);
    expect(feed.regular).toBe(false);
  });
});

describe('faults', () => {
  // Kept so that no fault of another call stands in the way.
  let windows: ManagedRecord;
  let mac: ManagedRecord;
  let phone: ManagedRecord;
  const devices = '/v1.0/deviceManagement/managedDevices';
  const exercises: Record<string, Exercise> = {
    'managedDevices.list': { path: devices, run: () => management.findRecords({ serial: 'SN0042' }, call) },
    'managedDevices.get': {
      path: `${devices}/`,
      run: () => management.readRecord(windows.id, call),
      answers: { '404': undefined },
    },
    'managedDevices.wipe': { path: devices, run: () => management.wipe(mac, { ...plain, pin }, call) },
    'managedDevices.wipeProtected': {
      path: '/beta/deviceManagement/managedDevices/',
      run: () => management.wipe(windows, { ...why, protected: true }, call),
    },
    'managedDevices.remoteLock': { path: devices, run: () => management.lock(mac, { ...why, message: '' }, call) },
    'managedDevices.enableLostMode': {
      path: '/beta/deviceManagement/managedDevices/',
      run: () => management.enableLostMode(phone, { ...why, message: 'm', phone: '1' }, call),
    },
    'operationApprovalRequests.list': {
      path: '/beta/deviceManagement/operationApprovalRequests',
      run: () => management.readApproval('aabb1234-5678-4012-abcd-ef0123456789', call),
    },
    'operationApprovalPolicies.list': {
      path: '/beta/deviceManagement/operationApprovalPolicies',
      run: async () => {
        const around = { agentHosts: [], behindPrivateAccess: false, directoryHasLostGroup: false, directorySteps: [] };
        const all = instance.prerequisites?.(around) ?? [];
        return all.find(({ id }) => id === 'intune-second-administrator')?.look?.(call);
      },
    },
    'managedDeviceCleanupRules.list': {
      path: '/beta/deviceManagement/managedDeviceCleanupRules',
      run: () => management.readCleanUp(call),
    },
  };

  beforeEach(async () => {
    await portal({ serial: 'SN0050', do: 'change', operatingSystem: 'iOS', supervised: true });
    [windows, mac, phone] = await Promise.all([record(), record('SN0070'), record('SN0050')]);
  });

  test.each(everyFault(intune.operations, exercises))('$title', async ({ operation, fault, exercise }) => {
    if (!exercise) throw new Error(`no exercise for ${operation.name}`);
    const { effect, when = 'before', times = 1 } = fault;
    await world.fault({ match: { method: operation.method, path: exercise.path }, effect, when, times });
    if (exercise.answers && fault.name in exercise.answers) {
      expect(await exercise.run()).toEqual(exercise.answers[fault.name]);
      return;
    }
    const failed = await exercise.run().then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failed).toMatchObject({ code: operation.changes ? fault.changes : fault.reads });
    if (fault.name === '429') expect(failed).toMatchObject({ details: { retryAfterMs: 7_000 } });
    expect(String(failed)).not.toMatch(new RegExp(`sim-entra|${pin}`));
    // Whatever the answer was, the command left at most once.
    expect((await world.changes()).length).toBeLessThanOrEqual(1);
  });

  test('a PIN that Graph repeats to us is in no message, and in no address', async () => {
    await world.fault({
      match: { method: 'POST', path: devices },
      effect: {
        status: 400,
        body: { error: { code: 'BadRequest', message: `macOsUnlockCode "${pin}" is not valid` } },
      },
    });
    const failed: unknown = await management.wipe(mac, { ...plain, pin }, call).catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: 'LDP_REFUSED', message: expect.stringContaining('[secret]') });
    expect(JSON.stringify(failed) + String(failed)).not.toContain(pin);
    expect(JSON.stringify(await world.calls())).not.toContain(pin);
  });

  test('a PIN that Intune made is in no message when its answer cannot be read', async () => {
    await world.fault({
      match: { method: 'GET', path: `${devices}/${mac.id}` },
      effect: { status: 200, body: { deviceActionResults: [{ actionName: 'remoteLock', unlockPin: 482913 }] } },
    });
    const failed: unknown = await management.readLockPin(mac.id, call).catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: 'LDP_UNEXPECTED_ANSWER' });
    expect(JSON.stringify(failed) + String(failed)).not.toContain(pin);
  });

  test('a 403 with no code is no approval', async () => {
    await world.fault({ match: { method: 'POST', path: devices }, effect: { status: 403 } });
    await expect(management.wipe(windows, plain, call)).rejects.toMatchObject({ code: 'LDP_NOT_PERMITTED' });
  });

  test('a cancelled call ends with its own reason', () =>
    expectItsOwnReason(world, { method: 'GET', path: devices }, (cancelled) =>
      management.findRecords({ serial: 'SN0042' }, cancelled),
    ));
});

describe('the connection test', () => {
  test('all is well, and nothing is changed', async () => {
    expect((await instance.test(call)).map(({ what, ok }) => [what, ok])).toEqual([
      ['sign-in and devices', true],
      ['second administrators', true],
      ['approval policies', true],
      ['clean-up rules', true],
    ]);
    expect(await world.changes()).toEqual([]);
  });

  test('a missing permission is named, and a wrong secret is shown in no line', async () => {
    await world.fault({
      match: { method: 'GET', path: '/beta/deviceManagement/operationApprovalRequests' },
      effect: { status: 403 },
    });
    expect((await instance.test(call)).map(({ ok }) => ok)).toEqual([true, false, true, true]);
    const lines = await create({ clientSecret: 'wrong-secret' }).test(call);
    expect(lines.map(({ ok }) => ok)).toEqual([false, false, false, false]);
    expect(JSON.stringify(lines)).not.toContain('wrong-secret');
  });
});

test.each([
  [{ graphUrl: 'http://graph.example.test' }, 'graphUrl'],
  [{ clientId: 'my-app' }, 'clientId'],
  [{ clientsecret: 'x' }, 'clientsecret'],
  [{ feeds: { lastSeen: { pollEveryMs: 1 } } }, 'pollEveryMs'],
])('settings %j are refused', (wrong, field) => {
  expect(() => create(wrong)).toThrow(new RegExp(field));
});
