/** What every directory must do, by Entra against the simulated Graph. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { entra } from '../../plugins/entra';
import { onlyReferencesAreDeleted, type GraphOperation } from '../../plugins/graph';
import { createVendorClient } from '../../plugins/http';
import type { Directory, Operation, PluginInstance } from '../../plugins/roles';
import {
  call,
  expectItsOwnReason,
  everyFault,
  startVendorWorld,
  type Exercise,
  type VendorWorld,
} from './vendor-world';

const groupId = '33333333-3333-4333-8333-333333333333';
const servicePrincipalId = '44444444-4444-4444-8444-444444444444';
const jobs = `/v1.0/servicePrincipals/${servicePrincipalId}/synchronization/jobs`;
const pat = 'pat@example.test';

let world: VendorWorld;
let instance: PluginInstance;
let directory: Directory;

interface State {
  entra: {
    groupMembers: string[];
    users: { user: string; enabled: boolean; deleted: boolean }[];
    devices: { id: string; displayName: string; enabled: boolean }[];
  };
  netskope: { groups: Record<string, string[]> };
}

function create(more: Record<string, unknown> = {}): PluginInstance {
  return entra.create(
    'entra',
    entra.settings.parse({
      directoryTenant: '11111111-1111-4111-8111-111111111111',
      clientId: '22222222-2222-4222-8222-222222222222',
      clientSecret: 'sim-entra-secret',
      graphUrl: world.url,
      loginUrl: world.url,
      lostGroupId: groupId,
      provisioning: { servicePrincipalId },
      timeoutMs: 300,
      ...more,
    }),
  );
}

function directoryOf(made: PluginInstance): Directory {
  if (!made.directory) throw new Error('the entra plugin fills the directory role');
  return made.directory;
}

async function account(user = pat) {
  const found = await directory.readAccount(user, call);
  if (!found) throw new Error(`${user} is in the simulator`);
  return found;
}

beforeEach(async () => {
  world = await startVendorWorld();
  instance = create();
  directory = directoryOf(instance);
});
afterEach(() => world.close());

describe('membership', () => {
  test('a user is added, read back, and removed; a repeat changes nothing', async () => {
    expect(await directory.readMembership(pat, call)).toEqual({ isMember: false });
    await directory.addToLostGroup(pat, call);
    await directory.addToLostGroup(pat, call);
    expect(await directory.readMembership(pat, call)).toEqual({ isMember: true });
    await directory.removeFromLostGroup(pat, call);
    await directory.removeFromLostGroup(pat, call);
    expect(await directory.readMembership(pat, call)).toEqual({ isMember: false });
    expect(await world.changes()).toEqual([
      'entra: pat@example.test added to group Lost-Stolen Devices',
      'entra: pat@example.test removed from group Lost-Stolen Devices',
    ]);
  });

  test('a user who does not exist is no member, and cannot be made one', async () => {
    expect(await directory.readAccount('nobody@example.test', call)).toBeUndefined();
    expect(await directory.readMembership('nobody@example.test', call)).toEqual({ isMember: false });
    await expect(directory.addToLostGroup('nobody@example.test', call)).rejects.toMatchObject({
      code: 'LDP_NOT_FOUND',
    });
  });

  test('a refusal that is not "already a member" is told', async () => {
    await world.fault({
      match: { method: 'POST', path: `/v1.0/groups/${groupId}/members/` },
      effect: { status: 400, body: { error: { code: 'Request_BadRequest', message: 'The group is dynamic.' } } },
    });
    await expect(directory.addToLostGroup(pat, call)).rejects.toMatchObject({
      code: 'LDP_REFUSED',
      message: expect.stringContaining('The group is dynamic.'),
    });
  });

  test('without a lost group the directory says that it has none', async () => {
    const without = directoryOf(create({ lostGroupId: undefined, provisioning: undefined }));
    expect(await without.readMembership(pat, call)).toBeUndefined();
    expect(await without.provisionNow(pat, call)).toBe(false);
  });
});

describe('a DELETE that would delete the user', () => {
  let server: Server;
  let asked: string[];
  const client = () =>
    onlyReferencesAreDeleted(
      createVendorClient({
        vendor: 'entra',
        baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        auth: { kind: 'none' },
      }),
      'entra',
    );
  const remove = (path: string): Operation => ({ name: 'x', method: 'DELETE', path, changes: true, permission: '' });

  beforeEach(async () => {
    asked = [];
    server = createServer((request, response) => {
      asked.push(`${request.method} ${request.url}`);
      response.writeHead(204).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  test.each([
    ['without its end', '/v1.0/groups/{groupId}/members/{userId}', {}],
    ['of a user', '/v1.0/users/{userId}', {}],
    ['of a group', '/v1.0/groups/{groupId}', {}],
    ['whose end a query would hide', '/v1.0/groups/{groupId}/members/{userId}/$ref', { query: { a: 1 } }],
    ['whose path a link would replace', '/v1.0/groups/{groupId}/members/{userId}/$ref', { url: '/v1.0/users/u1' }],
  ])('%s is never sent', async (_, path, more) => {
    const request = client().request(remove(path), { call, params: { groupId: 'g1', userId: 'u1' }, ...more });
    await expect(request).rejects.toMatchObject({ name: 'VendorRefused', code: 'LDP_REFUSED' });
    expect(asked).toEqual([]);
  });

  test.each(['u1?', 'u1#', '../../users/u1', 'u1/x', '%2e%2e'])('the id %j cannot bend the path', async (userId) => {
    await client().request(remove('/v1.0/groups/{groupId}/members/{userId}/$ref'), {
      call,
      params: { groupId: 'g1', userId },
    });
    expect(asked).toEqual([expect.stringMatching(/^DELETE \/v1\.0\/groups\/g1\/members\/[^/?#]+\/\$ref$/)]);
  });

  test.each(['', '.', '..'])('the id %j is refused', async (userId) => {
    const path = '/v1.0/groups/{groupId}/members/{userId}/$ref';
    await expect(client().request(remove(path), { call, params: { groupId: 'g1', userId } })).rejects.toThrow();
    expect(asked).toEqual([]);
  });

  test('is not among the operations, and the type knows none', async () => {
    const deletes = entra.operations.filter(({ method }) => method === 'DELETE');
    expect(deletes).toHaveLength(1);
    for (const { path } of deletes) expect(path).toMatch(/\/\$ref$/);
    // @ts-expect-error a DELETE of a user is no operation of Graph as this plugin knows it
    const wrong: GraphOperation = {
      name: 'x',
      method: 'DELETE',
      path: '/v1.0/users/{id}',
      changes: true,
      permission: '',
    };
    expect(wrong.method).toBe('DELETE');
  });

  test('has not happened to anybody in the simulator', async () => {
    await directory.addToLostGroup(pat, call);
    await directory.removeFromLostGroup(pat, call);
    expect((await world.state<State>()).entra.users.filter(({ deleted }) => deleted)).toEqual([]);
  });
});

describe('pushing at once', () => {
  beforeEach(() => world.traps({ directoryOwnsGroup: true }));

  test('a new member reaches secure access', async () => {
    await directory.addToLostGroup(pat, call);
    expect(await directory.provisionNow(pat, call)).toBe(true);
    await world.advance(5_000);
    expect((await world.state<State>()).netskope.groups['Lost-Stolen Devices']).toEqual([pat]);
  });

  test('what is there already is success', async () => {
    await directory.addToLostGroup(pat, call);
    await directory.provisionNow(pat, call);
    expect(await directory.provisionNow(pat, call)).toBe(true);
  });

  test('a job that cannot push says false', async () => {
    await world.traps({ directoryOwnsGroup: false });
    expect(await directory.provisionNow(pat, call)).toBe(false);
  });

  test('five in ten seconds, and the sixth is put off without being sent', async () => {
    const users = [pat, 'sam@example.test', 'kim@example.test', 'lee@example.test', 'breakglass@example.test'];
    for (const user of users) expect(await directory.provisionNow(user, call)).toBe(true);
    await expect(directory.provisionNow(pat, call)).rejects.toMatchObject({ code: 'LDP_RATE_LIMITED' });
  });
});

describe('sessions, users and devices', () => {
  test('sessions are revoked, and the account shows when', async () => {
    const before = await account();
    await world.advance(60_000);
    await directory.revokeSessions(before, call);
    expect(Date.parse((await account()).sessionsValidFrom ?? '')).toBeGreaterThan(
      Date.parse(before.sessionsValidFrom ?? ''),
    );
  });

  test('a session that was not revoked is told', async () => {
    const found = await account();
    await world.fault({
      match: { method: 'POST', path: `/v1.0/users/${found.id}/revoke` },
      effect: { status: 200, body: { value: false } },
    });
    await expect(directory.revokeSessions(found, call)).rejects.toMatchObject({ code: 'LDP_REFUSED' });
  });

  test('a user is disabled and enabled', async () => {
    await directory.setUserEnabled(await account(), false, call);
    expect((await account()).enabled).toBe(false);
    await directory.setUserEnabled(await account(), true, call);
    expect((await account()).enabled).toBe(true);
  });

  test('a device is found by its exact name and disabled', async () => {
    const [found, ...others] = await directory.findDirectoryDevices({ hostname: 'lt-0042' }, call);
    expect(others).toEqual([]);
    if (!found) throw new Error('LT-0042 is in the simulator');
    await directory.setDeviceEnabled(found, false, call);
    expect(await directory.findDirectoryDevices({ hostname: 'LT-0042' }, call)).toEqual([{ ...found, enabled: false }]);
  });

  test('two objects of one name are both shown; part of a name and a quote find nothing', async () => {
    expect(await directory.findDirectoryDevices({ hostname: 'LT-0051' }, call)).toHaveLength(2);
    expect(await directory.findDirectoryDevices({ hostname: 'LT-00' }, call)).toEqual([]);
    expect(await directory.findDirectoryDevices({ hostname: "LT-0042' or displayName ne '" }, call)).toEqual([]);
    expect(await directory.findDirectoryDevices({ serial: 'SN0042' }, call)).toEqual([]);
  });

  test('where some objects carry the serial, they alone are meant', async () => {
    const device = (id: string, physicalIds: string[]) => ({
      id,
      displayName: 'LT-0042',
      accountEnabled: true,
      physicalIds,
    });
    await world.fault({
      match: { method: 'GET', path: '/v1.0/devices' },
      effect: { status: 200, body: { value: [device('old', ['[HWID]:h:1']), device('new', ['[SERIAL]:SN0042'])] } },
    });
    const found = await directory.findDirectoryDevices({ hostname: 'LT-0042', serial: 'sn0042' }, call);
    expect(found.map(({ id }) => id)).toEqual(['new']);
  });

  test('lists are read over their pages', async () => {
    await world.fault({
      match: { method: 'GET', path: '/v1.0/users/pat%40example.test/memberOf' },
      effect: {
        status: 200,
        body: {
          value: [{ id: 'some-other-group' }],
          '@odata.nextLink': `${world.url}/v1.0/users/pat%40example.test/memberOf?$skiptoken=0`,
        },
      },
    });
    await directory.addToLostGroup(pat, call);
    expect(await directory.readMembership(pat, call)).toEqual({ isMember: true });
  });

  test('a page at another host is not followed', async () => {
    await world.fault({
      match: { method: 'GET', path: '/v1.0/users/pat%40example.test/memberOf' },
      effect: { status: 200, body: { value: [], '@odata.nextLink': 'https://thief.example.test/v1.0/users' } },
    });
    await expect(directory.readMembership(pat, call)).rejects.toMatchObject({ code: 'LDP_HOST_NOT_ALLOWED' });
  });
});

describe('faults', () => {
  // Kept so that no fault of another call stands in the way.
  let known: Awaited<ReturnType<typeof account>>;
  const device = () => directory.findDirectoryDevices({ hostname: 'LT-0042' }, call);
  const exercises: Record<string, Exercise> = {
    'users.get': {
      path: '/v1.0/users/pat%40example.test',
      run: () => directory.readAccount(pat, call),
      answers: { '404': undefined },
    },
    'users.memberOf': {
      path: '/v1.0/users/pat%40example.test/memberOf',
      run: () => directory.readMembership(pat, call),
      answers: { '404': { isMember: false } },
    },
    'groups.addMember': {
      path: `/v1.0/groups/${groupId}/members/$ref`,
      run: () => directory.addToLostGroup(pat, call),
    },
    'groups.removeMember': {
      path: `/v1.0/groups/${groupId}/members/`,
      run: () => directory.removeFromLostGroup(pat, call),
      answers: { '404': undefined },
    },
    'groups.get': { path: `/v1.0/groups/${groupId}?`, run: () => failedLine('lost group') },
    'users.revokeSignInSessions': { path: '/v1.0/users/', run: () => directory.revokeSessions(known, call) },
    'users.update': { path: '/v1.0/users/', run: () => directory.setUserEnabled(known, false, call) },
    'devices.list': { path: '/v1.0/devices', run: device },
    'devices.update': {
      path: '/v1.0/devices/',
      run: async () => directory.setDeviceEnabled((await device())[0] ?? { id: 'x', enabled: true }, false, call),
    },
    'synchronization.jobs': {
      path: jobs,
      run: () => directory.provisionNow(pat, call),
      answers: { '401': false, '403': false, '404': false, '409': false },
    },
    'applications.list': {
      path: '/v1.0/applications',
      run: () => failedLine('client secret'),
      answers: { '403': expect.objectContaining({ ok: true }) },
    },
    'synchronization.schema': {
      path: `${jobs}/Netskope.1/schema`,
      run: () => directory.provisionNow(pat, call),
      answers: { '401': false, '403': false, '404': false, '409': false },
    },
    'synchronization.provisionOnDemand': {
      path: `${jobs}/Netskope.1/provisionOnDemand`,
      run: () => directory.provisionNow(pat, call),
      answers: { '401': false, '403': false, '404': false, '409': false },
    },
  };

  /** An operation that only the connection test makes: its failure is a line. */
  async function failedLine(what: string): Promise<unknown> {
    const line = (await instance.test(call)).find((one) => one.what === what);
    if (line?.ok !== false) return line;
    throw Object.assign(new Error(line.detail), { name: 'line' });
  }

  beforeEach(async () => {
    known = await account();
  });

  // The sign-in log is a feed: its faults are in feeds.test.ts.
  const ofDirectory = entra.operations.filter(({ name }) => name !== 'auditLogs.signIns');

  test.each(everyFault(ofDirectory, exercises))('$title', async ({ operation, fault, exercise }) => {
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
    if (failed instanceof Error && failed.name === 'line') return;
    expect(failed).toMatchObject({ code: operation.changes ? fault.changes : fault.reads });
    if (fault.name === '429') expect(failed).toMatchObject({ details: { retryAfterMs: 7_000 } });
    expect(String(failed)).not.toContain('sim-entra');
  });

  test('a cancelled call ends with its own reason', () =>
    expectItsOwnReason(world, { method: 'GET', path: '/v1.0/users/' }, (cancelled) =>
      directory.readAccount(pat, cancelled),
    ));
});

describe('the connection test', () => {
  test('all is well', async () => {
    expect((await instance.test(call)).map(({ what, ok }) => [what, ok])).toEqual([
      ['sign-in and devices', true],
      ['lost group', true],
      ['provisioning', true],
      ['client secret', true],
    ]);
    expect(await world.changes()).toEqual([]);
  });

  test('a wrong secret fails every line and is shown in none', async () => {
    const lines = await create({ clientSecret: 'wrong-secret' }).test(call);
    expect(lines.map(({ ok }) => ok)).toEqual([false, false, false, false]);
    expect(JSON.stringify(lines)).not.toContain('wrong-secret');
  });

  test.each([
    [{ groupTypes: ['DynamicMembership'] }, 'rule'],
    [{ onPremisesSyncEnabled: true }, 'local directory'],
    [{ isAssignableToRole: true }, 'roles'],
  ])('a group that cannot be written is found before it matters: %j', async (more, word) => {
    await world.fault({
      match: { method: 'GET', path: `/v1.0/groups/${groupId}?` },
      effect: { status: 200, body: { id: groupId, displayName: 'Lost', ...more } },
    });
    const line = (await instance.test(call)).find(({ what }) => what === 'lost group');
    expect(line).toMatchObject({ ok: false, detail: expect.stringContaining(word) });
  });
});

test.each([
  [{ graphUrl: 'http://graph.example.test' }, 'graphUrl'],
  [{ lostGroupId: 'Lost-Stolen Devices' }, 'lostGroupId'],
  [{ lostGroupId: undefined }, 'provisioning'],
  [{ directoryTenant: 'a/b' }, 'directoryTenant'],
  [{ clientsecret: 'x' }, 'clientsecret'],
])('settings %j are refused', (wrong, field) => {
  expect(() => create(wrong)).toThrow(new RegExp(field));
});
