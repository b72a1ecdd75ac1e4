/** What every secure access must do, by Netskope against the simulated tenant. */
import { entra } from '../../plugins/entra';
import { intune } from '../../plugins/intune';
import { netskope } from '../../plugins/netskope';
import type { ManagedDevice } from '../../playbook/device';
import { missingHosts } from '../../playbook/wipe-hosts';
import type { Membership } from '../../plugins/roles';
import { createNetskope, post, type NetskopeInstance } from './netskope-world';
import {
  call,
  expectItsOwnReason,
  everyFault,
  startVendorWorld,
  type Exercise,
  type VendorWorld,
} from './vendor-world';

const pat = 'pat@example.test';
const added = 'netskope: pat@example.test added to group Lost-Stolen Devices';
const removed = 'netskope: pat@example.test removed from group Lost-Stolen Devices';

let world: VendorWorld;
let instance: NetskopeInstance;

beforeEach(async () => {
  world = await startVendorWorld();
  instance = createNetskope(world);
});
afterEach(() => world.close());

async function lostLaptop(): Promise<ManagedDevice> {
  const [device] = await instance.secureAccess.findDevices({ serial: 'SN0042' }, call);
  if (!device) throw new Error('LT-0042 is in the simulator');
  return device;
}

describe('devices', () => {
  test.each([
    ['serial, in any case', { serial: 'sn0042' }, ['LT-0042']],
    ['hostname', { hostname: 'lt-0042' }, ['LT-0042']],
    ['user', { user: 'sam@example.test' }, ['LT-0050', 'LT-0051']],
    ['any name that is given', { serial: 'SN0042', user: 'sam@example.test' }, ['LT-0042', 'LT-0050', 'LT-0051']],
    ['a name that nobody has', { serial: 'SN9999' }, []],
  ])('are found by %s', async (_, query, hostnames) => {
    const found = await instance.secureAccess.findDevices(query, call);
    expect(found.map(({ hostname }) => hostname).sort()).toEqual(hostnames);
  });

  test('all is read: names, client, configuration, times in ISO 8601', async () => {
    expect(await lostLaptop()).toEqual({
      source: 'netskope',
      nsdeviceuid: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      serial: 'SN0042',
      hostname: 'LT-0042',
      user: pat,
      userKey: expect.any(String) as string,
      os: 'Windows',
      model: 'C14',
      team: 'example.test/Staff',
      macAddresses: [expect.stringMatching(/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/) as string],
      lastSeenAt: '2026-11-22T19:00:00.000Z',
      steeringConfig: 'Default tenant config',
      hostInfoUpdatedAt: expect.stringMatching(/^2026-11-2.*Z$/) as string,
      client: 'enabled',
    });
  });

  test('one entry per installation, numbers for words and nulls notwithstanding; a re-image is a second one', async () => {
    await world.traps({ numbers: true, nulls: true, privateAccess: true, postureChange: true });
    await post(world, 'laptop', { serial: 'SN0051', do: 'online' });
    await world.advance(10 * 60_000);
    const sam = await instance.secureAccess.findDevices({ user: 'sam@example.test' }, call);
    expect(sam.map(({ hostname, os, client }) => [hostname, os, client])).toEqual([
      ['LT-0050', 'Windows', 'enabled'],
      ['LT-0051', 'Windows', 'enabled'],
    ]);
    await world.traps({ nulls: 'mild' });
    await post(world, 'laptop', { serial: 'SN0042', do: 're-image' });
    await post(world, 'laptop', { serial: 'SN0042', do: 'online' });
    const twice = await instance.secureAccess.findDevices({ serial: 'SN0042' }, call);
    expect(new Set(twice.map(({ nsdeviceuid }) => nsdeviceuid)).size).toBe(2);
    expect(twice.some(({ previousNsdeviceuid }) => previousNsdeviceuid !== undefined)).toBe(true);
  });

  test('hidden users name nobody', async () => {
    await world.traps({ anonymise: true });
    expect(await lostLaptop()).not.toHaveProperty('user');
  });

  test('v1 answers where v2 does not offer it; without a v1 token that is said', async () => {
    // v1 knows groups, of which the team may be any.
    const { team: _, ...inV2 } = await lostLaptop();
    await post(world, 'tenant', { switchedOff: ['/api/v2/events/datasearch/clientstatus'] });
    await expect(lostLaptop()).rejects.toMatchObject({ code: 'LDP_NOT_OFFERED' });
    instance = createNetskope(world, { v1Token: 'sim-netskope-v1-token' });
    expect(await lostLaptop()).toEqual(inV2);
    expect((await world.calls()).filter(({ path }) => path.includes('token'))).toEqual([]);
    instance = createNetskope(world, { v1Token: 'wrong-v1-token' });
    await expect(lostLaptop()).rejects.toMatchObject({ code: 'LDP_NOT_AUTHENTICATED' });
  });

  test('a 200 that failed is a failure; a refused field list is given up', async () => {
    const failed = {
      result: [],
      status: { count: 0, execution: 'Failed', message: 'Unknown field: city', status_code: 400 },
    };
    const fault = {
      match: { method: 'GET', path: '/api/v2/events/datasearch/clientstatus' },
      effect: { status: 200, body: failed },
    };
    await world.fault(fault);
    expect((await lostLaptop()).serial).toBe('SN0042');
    await lostLaptop();
    expect((await world.calls()).map(({ path }) => path.includes('fields='))).toEqual([true, false, false]);
    await world.fault(fault);
    await expect(lostLaptop()).rejects.toMatchObject({
      code: 'LDP_REFUSED',
      message: 'netskope datasearch.clientstatus: answered 200: Failed: Unknown field: city',
    });
  });

  test('an answer of another form names call and field', async () => {
    const body = { result: [{ host_info: { os: { name: 'Windows' } } }], status: { execution: 'SUCCESS' } };
    await world.fault({
      match: { method: 'GET', path: '/api/v2/events/datasearch/clientstatus' },
      times: 'always',
      effect: { status: 200, body },
    });
    await expect(lostLaptop()).rejects.toMatchObject({
      code: 'LDP_UNEXPECTED_ANSWER',
      message: expect.stringContaining('netskope datasearch.clientstatus: result[0].host_info.os') as string,
    });
  });

  test.each([{ user: `a'b"c` }, { hostname: 'a\\' }, { serial: 'a\nb' }, {}])(
    '%j cannot be asked for',
    async (query) => {
      await expect(instance.secureAccess.findDevices(query, call)).rejects.toMatchObject({ code: 'LDP_BAD_INPUT' });
      expect(await world.calls()).toEqual([]);
    },
  );

  test('a quote in a name stays a part of the name', async () => {
    expect(await instance.secureAccess.findDevices({ user: `x' or hostname like '*` }, call)).toEqual([]);
  });
});

describe('membership', () => {
  test('a user is added, read back, and removed; a repeat changes nothing', async () => {
    const { secureAccess } = instance;
    const before = await secureAccess.readMembership(pat, call);
    expect(before).toMatchObject({ user: pat, groupName: 'Lost-Stolen Devices', isMember: false, groupOwner: 'api' });
    expect(before.groups).toEqual(['Staff']);
    await secureAccess.addToLostGroup(before, call);
    await secureAccess.addToLostGroup(before, call);
    expect(await secureAccess.readMembership(pat, call)).toMatchObject({ isMember: true });
    await secureAccess.removeFromLostGroup(before, call);
    await secureAccess.removeFromLostGroup(before, call);
    expect(await secureAccess.readMembership(pat, call)).toMatchObject({ isMember: false });
    expect(await world.changes()).toEqual([added, removed]);
  });

  test('nobody else is put out of the group', async () => {
    const { secureAccess } = instance;
    for (const user of ['sam@example.test', pat]) {
      await secureAccess.addToLostGroup(await secureAccess.readMembership(user, call), call);
    }
    await secureAccess.removeFromLostGroup(await secureAccess.readMembership(pat, call), call);
    expect(await secureAccess.readMembership('sam@example.test', call)).toMatchObject({ isMember: true });
  });

  test('without the user management API the members of the group are asked for, hidden as they are', async () => {
    await post(world, 'tenant', { switchedOff: ['/api/v2/users/'] });
    const { secureAccess } = instance;
    const before = await secureAccess.readMembership(pat, call);
    expect(before.isMember).toBe(false);
    await secureAccess.addToLostGroup(before, call);
    expect(await secureAccess.readMembership(pat, call)).toMatchObject({
      isMember: true,
      groups: ['Lost-Stolen Devices'],
    });
  });

  test('a user or group that is not there is told as such, and nothing is sent', async () => {
    const nobody = await instance.secureAccess.readMembership('nobody@example.test', call);
    expect(nobody).not.toHaveProperty('userId');
    expect(nobody.isMember).toBe(false);
    await expect(instance.secureAccess.addToLostGroup(nobody, call)).rejects.toMatchObject({ code: 'LDP_NOT_FOUND' });
    const elsewhere = createNetskope(world, { lostGroup: 'No such group' }).secureAccess;
    const none = await elsewhere.readMembership(pat, call);
    expect(none).not.toHaveProperty('groupId');
    await expect(elsewhere.addToLostGroup(none, call)).rejects.toMatchObject({ code: 'LDP_NOT_FOUND' });
    expect((await world.calls()).some(({ method }) => method === 'PATCH')).toBe(false);
  });

  test('a group that a directory pushes is recognised, or the settings say so', async () => {
    const ownerIn = async (made: NetskopeInstance) => (await made.secureAccess.readMembership(pat, call)).groupOwner;
    expect(await ownerIn(createNetskope(world, { groupOwner: 'directory' }))).toBe('directory');
    await world.traps({ directoryOwnsGroup: true });
    expect(await ownerIn(createNetskope(world))).toBe('directory');
    await post(world, 'tenant', { switchedOff: ['/api/v2/users/'] });
    expect(await ownerIn(createNetskope(world))).toBe('directory');
    expect(await ownerIn(createNetskope(world, { groupOwner: 'api' }))).toBe('api');
  });

  test('a renamed user has another name under the same id, and the old name is nobody', async () => {
    const { secureAccess } = instance;
    const before = await secureAccess.readMembership(pat, call);
    const userId = before.userId ?? '';
    expect(await secureAccess.nameOfUser(userId, call)).toBe(pat);
    await post(world, 'laptop', { serial: 'SN0042', do: 'rename-user', newUser: 'pat.new@example.test' });
    expect(await secureAccess.nameOfUser(userId, call)).toBe('pat.new@example.test');
    expect(await secureAccess.readMembership(pat, call)).not.toHaveProperty('userId');
    const after = await secureAccess.readMembership('pat.new@example.test', call);
    expect(after).toEqual({ ...before, user: 'pat.new@example.test' });
    // Who is moved by the id is moved whatever the name is.
    await secureAccess.addToLostGroup(before, call);
    expect(await secureAccess.readMembership('pat.new@example.test', call)).toMatchObject({ isMember: true });
  });

  test('a deleted user has no name and no id any more, and cannot be moved', async () => {
    const { secureAccess } = instance;
    const before = await secureAccess.readMembership(pat, call);
    await secureAccess.addToLostGroup(before, call);
    await post(world, 'laptop', { serial: 'SN0042', do: 'delete-user' });
    expect(await secureAccess.nameOfUser(before.userId ?? '', call)).toBeUndefined();
    const after = await secureAccess.readMembership(pat, call);
    expect(after).not.toHaveProperty('userId');
    expect(after).toMatchObject({ isMember: false, groups: [] });
    await expect(secureAccess.addToLostGroup(before, call)).rejects.toMatchObject({ code: 'LDP_NOT_FOUND' });
  });

  test('a tenant that does not let users be read says so: that is not a user who is no more', async () => {
    await post(world, 'tenant', { switchedOff: ['/api/v2/scim/Users'] });
    await expect(instance.secureAccess.nameOfUser('some-id', call)).rejects.toMatchObject({ code: 'LDP_NOT_OFFERED' });
  });

  test('after the first reading one call is enough', async () => {
    await instance.secureAccess.readMembership(pat, call);
    await world.clearCalls();
    await instance.secureAccess.readMembership(pat, call);
    expect((await world.calls()).map(({ path }) => path)).toEqual(['/api/v2/users/getusers']);
  });
});

describe('device tag', () => {
  test('it marks this device only, and comes off again', async () => {
    const { deviceTag } = instance.secureAccess;
    const device = await lostLaptop();
    const [other] = await instance.secureAccess.findDevices({ serial: 'SN0050' }, call);
    expect(await deviceTag.isTagged(device, call)).toBe(false);
    await deviceTag.add(device, call);
    expect(await deviceTag.isTagged(device, call)).toBe(true);
    expect(await deviceTag.isTagged(other as ManagedDevice, call)).toBe(false);
    await deviceTag.remove(device, call);
    expect(await deviceTag.isTagged(device, call)).toBe(false);
  });

  test('after a fresh image it comes off the installation before as well', async () => {
    const { deviceTag, findDevices } = instance.secureAccess;
    const first = await lostLaptop();
    await deviceTag.add(first, call);
    await post(world, 'laptop', { serial: 'SN0042', do: 're-image' });
    const found = await findDevices({ serial: 'SN0042' }, call);
    const second = found.find(({ nsdeviceuid }) => nsdeviceuid !== first.nsdeviceuid) as ManagedDevice;
    expect(await deviceTag.isTagged(second, call)).toBe(false);
    await deviceTag.add(second, call);
    await deviceTag.remove(second, call);
    for (const one of [first, second]) expect(await deviceTag.isTagged(one, call)).toBe(false);
    // What is not there is not taken off.
    await world.clearCalls();
    await deviceTag.remove(second, call);
    expect((await world.calls()).filter(({ path }) => path.endsWith('/bulkremove'))).toHaveLength(1);
  });

  test('a tag that nobody created is created, once', async () => {
    const { deviceTag } = createNetskope(world, { tag: 'fresh tag' }).secureAccess;
    const device = await lostLaptop();
    await deviceTag.remove(device, call);
    await deviceTag.add(device, call);
    await deviceTag.add(device, call);
    expect(await world.changes()).toEqual([
      'netskope: tag fresh tag created',
      expect.stringContaining('netskope: tag fresh tag added to LT-0042') as string,
    ]);
  });

  test('a sixth tag is refused with its reason', async () => {
    const device = await lostLaptop();
    for (const tag of ['one', 'two', 'three', 'four', 'five']) {
      await createNetskope(world, { tag }).secureAccess.deviceTag.add(device, call);
    }
    await expect(instance.secureAccess.deviceTag.add(device, call)).rejects.toMatchObject({
      code: 'LDP_REFUSED',
      message: expect.stringContaining('A device can carry five tags') as string,
    });
  });

  test.each([{ switchedOff: ['/api/v2/devices/device/tags'] }, { scopes: { '/api/v2/devices': 'none' } }])(
    'a tenant without tags says so: %j',
    async (tenant) => {
      const device = await lostLaptop();
      await post(world, 'tenant', tenant);
      for (const work of [
        instance.secureAccess.deviceTag.isTagged(device, call),
        instance.secureAccess.deviceTag.add(device, call),
      ]) {
        await expect(work).rejects.toMatchObject({ code: 'LDP_NOT_OFFERED' });
      }
    },
  );
});

describe('faults', () => {
  type Outcome = { code: string; details: { retryAfterMs?: number }; message: string };
  let membership: Membership;
  let device: ManagedDevice;
  const tags = '/api/v2/devices/device/tags';
  /** A way that is closed is not the only one. */
  const fallsBack = { '403': 'goes on', '404': 'goes on', '409': 'goes on' };
  const tagsAreOff = { '403': 'LDP_NOT_OFFERED', '404': 'LDP_NOT_OFFERED' };
  const exercises: Record<string, Exercise> = {
    'datasearch.clientstatus': {
      path: '/api/v2/events/datasearch/clientstatus',
      run: () => instance.secureAccess.findDevices({ serial: 'SN0042' }, call),
    },
    'scim.listGroups': {
      path: '/api/v2/scim/Groups?',
      run: () => createNetskope(world).secureAccess.readMembership(pat, call),
    },
    'users.getusers': {
      path: '/api/v2/users/getusers',
      run: () => instance.secureAccess.readMembership(pat, call),
      answers: fallsBack,
    },
    'users.getgroups': {
      path: '/api/v2/users/getgroups',
      run: () => createNetskope(world).secureAccess.readMembership(pat, call),
      answers: fallsBack,
    },
    'scim.listUsers': {
      path: '/api/v2/scim/Users?',
      run: () => instance.secureAccess.readMembership('nobody@example.test', call),
    },
    'scim.readUser': {
      path: '/api/v2/scim/Users/',
      run: () => instance.secureAccess.nameOfUser(membership.userId ?? '', call),
      // Nobody has this id any more.
      answers: { '404': 'goes on' },
    },
    'scim.readGroup': {
      path: '/api/v2/scim/Groups/',
      run: async () => {
        await post(world, 'tenant', { switchedOff: ['/api/v2/users/'] });
        return instance.secureAccess.readMembership(pat, call);
      },
    },
    'scim.patchGroup': {
      path: '/api/v2/scim/Groups/',
      run: () => instance.secureAccess.addToLostGroup(membership, call),
    },
    'tags.gettags': {
      path: `${tags}/gettags`,
      run: () => instance.secureAccess.deviceTag.isTagged(device, call),
      answers: tagsAreOff,
    },
    'tags.create': {
      path: `${tags}?`,
      run: () => createNetskope(world, { tag: 'fresh tag' }).secureAccess.deviceTag.add(device, call),
      answers: tagsAreOff,
    },
    'tags.bulkadd': {
      path: `${tags}/bulkadd`,
      run: () => instance.secureAccess.deviceTag.add(device, call),
      answers: tagsAreOff,
    },
    'tags.bulkremove': {
      path: `${tags}/bulkremove`,
      run: () => instance.secureAccess.deviceTag.remove(device, call),
      answers: tagsAreOff,
    },
    'v1.clients': {
      path: '/api/v1/clients',
      run: async () => {
        await post(world, 'tenant', { switchedOff: ['/api/v2/events/datasearch/clientstatus'] });
        const made = createNetskope(world, { v1Token: 'sim-netskope-v1-token' });
        return made.secureAccess.findDevices({ serial: 'SN0042' }, call);
      },
    },
    'v1.steeringconfig': {
      path: '/api/v1/steeringconfig',
      run: async () => createNetskope(world, { v1Token: 'sim-netskope-v1-token' }).secureAccess.readSteering?.(call),
    },
  };
  /** Read by the connection test, which tells failures in lines. The feeds have a suite of their own. */
  const elsewhere = /^(datasearch\.(alert|page|network)|classification\.rules|npa\.rules)$/;

  beforeEach(async () => {
    device = await lostLaptop();
    membership = await instance.secureAccess.readMembership(pat, call);
  });

  test.each(
    everyFault(
      netskope.operations.filter(({ name }) => !elsewhere.test(name)),
      exercises,
    ),
  )('$title', async ({ operation, fault, exercise }) => {
    if (!exercise) throw new Error(`no exercise for ${operation.name}`);
    const { name, effect, when = 'before', times = 1 } = fault;
    if (operation.name === 'tags.bulkremove') await instance.secureAccess.deviceTag.add(device, call);
    if (operation.name === 'tags.create') {
      // Its path is the beginning of the others': those go through first.
      await world.fault({ match: { method: 'POST', path: `${tags}/` }, times: 'always', effect: { delayMs: 0 } });
    }
    await world.clearCalls();
    await world.fault({
      match: { method: operation.method, path: exercise.path.replace(/tags\?$/, 'tags') },
      effect,
      when,
      times,
    });
    const outcome = await exercise.run().then(
      (): Outcome => ({ code: 'goes on', details: {}, message: '' }),
      (error: unknown) => error as Outcome,
    );
    expect(outcome.code).toBe(exercise.answers?.[name] ?? (operation.changes ? fault.changes : fault.reads));
    if (name === '429') expect(outcome.details.retryAfterMs).toBe(7_000);
    expect(`${outcome.message} ${JSON.stringify(outcome.details)}`).not.toMatch(/sim-netskope|-token/);
    expect(await world.changes()).toHaveLength(operation.changes && when === 'after' ? 1 : 0);
  });

  test('a cancelled change ends with its own reason', () =>
    expectItsOwnReason(world, { method: 'PATCH', path: '/api/v2/scim/Groups/' }, (cancelled) =>
      instance.secureAccess.addToLostGroup(membership, cancelled),
    ));

  test('the vendor’s own limit is told with its wait', async () => {
    await post(world, 'tenant', { limits: { netskopePerSecond: 1 } });
    const looks = [1, 2, 3].map(() => instance.secureAccess.findDevices({ serial: 'SN0042' }, call));
    await expect(Promise.all(looks)).rejects.toMatchObject({
      code: 'LDP_RATE_LIMITED',
      message: 'netskope datasearch.clientstatus: answered 429: API rate limit exceeded',
      details: { retryAfterMs: 1_000 },
    });
  });
});

describe('the lost steering configuration', () => {
  const needed = [intune, entra].flatMap(({ agentHosts }) => agentHosts).concat('ts01-lanner-lion.cloudsink.net');
  const read = () => createNetskope(world, { v1Token: 'sim-netskope-v1-token' }).secureAccess.readSteering?.(call);

  test('without a v1 token it cannot be read; with one, what it lets through comes, and the token stays in the body', async () => {
    expect(instance.secureAccess.readSteering).toBeUndefined();
    const steering = await read();
    expect(steering).toMatchObject({ config: 'Lost-Stolen Steering', privateAccess: false });
    expect(missingHosts(needed, steering?.letThrough ?? [])).toEqual([]);
    expect((await world.calls()).map(({ method, path }) => [method, path])).toEqual([
      ['POST', '/api/v1/steeringconfig'],
    ]);
  });

  test.each([true, false])('what an administrator took out is missing, by location: %s', async (byLocation) => {
    const without = ['manage.microsoft.com', '*.wns.windows.com'];
    await post(world, 'tenant', { lostSteering: { without, byLocation, privateApps: true } });
    const steering = await read();
    expect(steering?.privateAccess).toBe(true);
    expect(missingHosts(needed, steering?.letThrough ?? [])).toEqual(without);
  });

  test('an answer without exceptions says nothing, which is not the same as none', async () => {
    const body = { status: 'success', data: [{ steering_config: 'Lost-Stolen Steering' }] };
    await world.fault({ match: { method: 'POST', path: '/api/v1/steeringconfig' }, effect: { status: 200, body } });
    expect(await read()).toBeUndefined();
  });
});

describe('the connection test', () => {
  test('all is well', async () => {
    const lines = await createNetskope(world, { v1Token: 'sim-netskope-v1-token' }).test(call);
    expect(lines.map(({ what, ok }) => [what, ok])).toEqual([
      ['client status', true],
      ['group "Lost-Stolen Devices"', true],
      ['users', true],
      ['alerts and events', true],
      ['Private Access', true],
      ['device tag "lost-stolen"', true],
      ['steering configuration "Lost-Stolen Steering"', true],
    ]);
    expect(await world.changes()).toEqual([]);
  });

  test('a wrong token fails every line and is shown in none', async () => {
    const lines = await createNetskope(world, { token: 'wrong-token-1' }).test(call);
    expect(lines.filter(({ ok }) => ok)).toEqual([]);
    expect(JSON.stringify(lines)).not.toContain('wrong-token-1');
  });

  test('what is missing is named', async () => {
    const made = createNetskope(world, {
      lostGroup: 'Lost',
      lostSteeringConfig: 'Steering',
      tag: 'fresh tag',
      v1Token: 'sim-netskope-v1-token',
    });
    await post(world, 'tenant', { switchedOff: ['/api/v2/policy/npa', '/api/v2/events/datasearch/page'] });
    const lines = new Map((await made.test(call)).map(({ what, ok, detail }) => [what, `${ok} ${detail}`]));
    expect(lines.get('group "Lost"')).toMatch(/^false It does not exist/);
    expect(lines.get('steering configuration "Steering"')).toMatch(/^false /);
    expect(lines.get('alerts and events')).toMatch(/^false netskope datasearch.page: .*Ask the vendor for the feature/);
    expect(lines.get('Private Access')).toBe('true This tenant does not have it.');
    expect(lines.get('device tag "fresh tag"')).toMatch(/^true .*created at first use/);
  });
});

test.each([
  [{ url: 'http://tenant.example.test' }, 'url'],
  [{ token: '' }, 'token'],
  [{ lostGroup: undefined }, 'lostGroup'],
  [{ tag: 'no/slashes' }, 'tag'],
  [{ groupOwner: 'me' }, 'groupOwner'],
  [{ feeds: { events: { userBatch: 0 } } }, 'feeds.events.userBatch'],
  [{ unknown: 1 }, ''],
])('settings %j are refused by name', (wrong, field) => {
  const settings = {
    url: 'https://t.goskope.com',
    token: 't',
    lostGroup: 'g',
    lostSteeringConfig: 's',
    lostPolicy: 'p',
  };
  expect(() => netskope.settings.parse(settings)).not.toThrow();
  expect(() => netskope.settings.parse({ ...settings, ...wrong })).toThrow(
    expect.objectContaining({
      issues: [expect.objectContaining({ path: field === '' ? [] : field.split('.') })],
    }) as Error,
  );
});
