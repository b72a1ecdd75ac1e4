/**
 * The simulated vendors and the laptop: what other tests build on must be as promised in simulator/README.md.
 * @module
 */
import type { CallRecord } from '../../simulator/calls';
import { type RunningSimulator, startSimulator } from '../../simulator/server';

const start = '2026-03-01T08:00:00.000Z';
const minutes = (n: number) => ({ advanceMs: n * 60_000 });
const netskopeAuth = { 'netskope-api-token': 'sim-netskope-v2-token' };
const serviceNowAuth = {
  authorization: `Basic ${Buffer.from('sim-servicenow:sim-servicenow-password').toString('base64')}`,
};

/** What the tests read of a client status record. */
interface Status {
  _id: string;
  hostname: string | null;
  timestamp: number;
  last_event_timestamp: number;
  host_info: Record<'steering_config' | 'nsdeviceuid' | 'old_nsdeviceuid', string> & {
    last_update_timestamp: number;
    os: unknown;
    mac_addresses: unknown;
  };
  user_info: { userkey: string };
  last_seen_device_event: { service_name: string; timestamp: number };
}
interface Found<T> {
  result: T[];
}
interface ScimList {
  Resources: [{ id: string }];
}

let simulator: RunningSimulator;
beforeEach(async () => {
  simulator = await startSimulator({ port: 0, seed: 1, now: start });
});
afterEach(() => simulator.close());

async function call<T>(method: string, path: string, body?: unknown, headers: Record<string, string> = netskopeAuth) {
  const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
  const answer = await fetch(simulator.url + path, { method, headers, ...(text !== undefined && { body: text }) });
  const received = await answer.text();
  return { status: answer.status, headers: answer.headers, body: (received && JSON.parse(received)) as T };
}
const get = <T>(path: string) => call<T>('GET', path);
const control = async (what: string, body: unknown): Promise<Record<string, string>> => {
  const answer = await call<Record<string, string>>('POST', `/control/${what}`, body);
  if (answer.status !== 200) throw new Error(JSON.stringify(answer.body));
  return answer.body;
};
const search = async <T = Status>(what: string, query = '', more = ''): Promise<T[]> =>
  (await get<Found<T>>(`/api/v2/events/datasearch/${what}?timeout=60&query=${encodeURIComponent(query)}${more}`)).body
    .result;
const statusOf = async (serial: string) => (await search('clientstatus', `host_info.serial_number eq '${serial}'`))[0]!;
const calls = async () => (await call<CallRecord[]>('GET', '/control/calls')).body;
const patches = async () => (await calls()).filter((one) => one.method === 'PATCH');
const changes = async () => (await calls()).flatMap((one) => one.changed ?? []);

async function lostGroupId(): Promise<string> {
  const filter = encodeURIComponent('displayName eq "Lost-Stolen Devices"');
  return (await get<ScimList>(`/api/v2/scim/Groups?filter=${filter}`)).body.Resources[0].id;
}
async function scimIdOf(user: string): Promise<string> {
  const filter = encodeURIComponent(`userName eq "${user}"`);
  return (await get<ScimList>(`/api/v2/scim/Users?filter=${filter}`)).body.Resources[0].id;
}
async function patchMember(op: 'add' | 'remove', user = 'pat@example.test') {
  const value = [{ value: await scimIdOf(user) }];
  return call('PATCH', `/api/v2/scim/Groups/${await lostGroupId()}`, { Operations: [{ op, path: 'members', value }] });
}
async function groupsOf(user: string): Promise<string[]> {
  const query = { filter: { and: [{ emails: { eq: user } }] }, paging: { offset: 0, limit: 1 } };
  type Users = { data: [{ accounts: [{ parentGroups: string[] }] }] };
  return (await call<Users>('POST', '/api/v2/users/getusers', { query })).body.data[0].accounts[0].parentGroups;
}
async function graph(method: string, path: string, body?: unknown) {
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: '22222222-2222-4222-8222-222222222222',
    client_secret: 'sim-entra-secret',
    scope: 'https://graph.microsoft.com/.default',
  });
  const tokenPath = '/11111111-1111-4111-8111-111111111111/oauth2/v2.0/token';
  const token = (await call<{ access_token: string }>('POST', tokenPath, form.toString(), {})).body.access_token;
  return call<Record<string, string>>(method, `/v1.0/${path}`, body, { authorization: `Bearer ${token}` });
}
const members = 'groups/33333333-3333-4333-8333-333333333333/members';
async function addInEntra(user: string) {
  const { id } = (await graph('GET', `users/${user}`)).body;
  const ref = { '@odata.id': `https://graph.microsoft.com/v1.0/directoryObjects/${id}` };
  return { id: id!, answer: await graph('POST', `${members}/$ref`, ref) };
}

describe('a laptop', () => {
  it('leaves a cafe after three minutes with the configuration it came with, and takes the new one at a later visit', async () => {
    await patchMember('add');
    await control('laptop', { serial: 'SN0042', do: 'online', place: 'cafe' });
    await control('clock', minutes(3));
    await control('laptop', { serial: 'SN0042', do: 'offline' });
    await control('clock', minutes(24 * 60));
    const afterCafe = await statusOf('SN0042');
    expect(afterCafe.host_info.steering_config).toBe('Default tenant config');
    expect(afterCafe.last_seen_device_event).toMatchObject({ event: 'Tunnel Up', timestamp: Date.parse(start) / 1000 });
    expect(afterCafe).toMatchObject({
      city: 'Cafeton',
      last_connected_from_public_ip: '203.0.113.77',
      heart_beat: false,
    });
    expect(await search('alert', `hostname eq 'LT-0042'`)).toEqual([]);

    await control('laptop', { serial: 'SN0042', do: 'online', place: 'home' });
    await control('clock', minutes(62));
    expect((await statusOf('SN0042')).host_info.steering_config).toBe('Default tenant config');
    await control('clock', minutes(9));
    const applied = await statusOf('SN0042');
    expect(applied.host_info.steering_config).toBe('Lost-Stolen Steering');
    const onlineFor = applied.host_info.last_update_timestamp - Date.parse(start) / 1000 - (24 * 60 + 3) * 60;
    expect(onlineFor).toBeGreaterThanOrEqual(63 * 60);
    expect(onlineFor).toBeLessThanOrEqual(70 * 60 + 1);

    await control('clock', minutes(30));
    const [alert] = await search(
      'alert',
      `hostname eq 'LT-0042' and timestamp ge ${applied.host_info.last_update_timestamp}`,
    );
    expect(alert).toMatchObject({
      alert_type: 'policy',
      action: 'block',
      policy: 'Block lost and stolen devices',
      nsdeviceuid: applied.host_info.nsdeviceuid,
      user: 'pat@example.test',
    });

    await patchMember('remove');
    await control('clock', minutes(75));
    expect((await statusOf('SN0042')).host_info.steering_config).toBe('Default tenant config');
  });

  it('shows signs of life without an event, late events, and tampering', async () => {
    await control('laptop', { serial: 'SN0042', do: 'online', place: 'cafe' });
    await control('clock', minutes(2));
    expect(await search('page', `user eq 'pat@example.test'`)).toEqual([]);
    await control('clock', minutes(9));
    const [page] = await search('page', `user eq 'pat@example.test'`);
    expect(page).toMatchObject({
      hostname: 'LT-0042',
      srcip: '203.0.113.77',
      src_location: 'Cafeton',
      action: 'allow',
    });
    const alive = await statusOf('SN0042');
    expect(alive.timestamp - alive.last_event_timestamp).toBe(600);

    await control('laptop', { serial: 'SN0042', do: 'tamper', how: 'uninstalled' });
    const gone = (await statusOf('SN0042')).last_seen_device_event;
    expect(gone).toMatchObject({ event: 'Uninstalled', status: 'Disabled', status_v2: 'Uninstalled' });
    await control('clock', minutes(60));
    expect((await statusOf('SN0042')).last_event_timestamp).toBe(gone.timestamp);

    await control('laptop', { serial: 'SN0042', do: 're-image' });
    const both = await search('clientstatus', `serial_number eq 'SN0042'`);
    expect(both).toHaveLength(2);
    expect(both[0]!.host_info.old_nsdeviceuid).toBe(both[1]!.host_info.nsdeviceuid);
  });
});

describe('tampering', () => {
  const laptop = (body: Record<string, unknown>, serial = 'SN0042') => control('laptop', { serial, ...body });
  const refusal = (body: Record<string, unknown>) => call('POST', '/control/laptop', { serial: 'SN0042', ...body });
  const pat = 'pat@example.test';
  interface State {
    netskope: { groups: Record<string, string[]>; tags: Record<string, string[]> };
    entra: {
      users: { user: string; enabled: boolean; deleted: boolean }[];
      devices: { id: string; displayName: string; enabled: boolean }[];
    };
    crowdstrike: { hosts: { serial: string; status: string }[] };
  }
  const state = async () => (await call<State>('GET', '/control/state')).body;
  const lostGroup = async () => (await state()).netskope.groups['Lost-Stolen Devices'];

  it('a device with a wrong clock dates its events and its own data; Netskope dates what it hears', async () => {
    const now = Date.parse(start) / 1000;
    await laptop({ do: 'clock', offMs: 2 * 3600_000 });
    const before = (await statusOf('SN0042')).host_info.last_update_timestamp;
    expect(before).toBeLessThan(now);
    await laptop({ do: 'online' });
    const wrong = await statusOf('SN0042');
    expect(wrong.timestamp).toBeLessThan(now + 60);
    expect(wrong.last_event_timestamp).toBeGreaterThanOrEqual(now + 7200);
    expect(wrong.last_seen_device_event.timestamp).toBe(wrong.last_event_timestamp);
    await patchMember('add');
    await control('clock', minutes(75));
    const configured = await statusOf('SN0042');
    expect(configured.host_info.last_update_timestamp).toBeGreaterThan(configured.timestamp + 3600);
    await laptop({ do: 'clock', offMs: -3600_000 });
    await laptop({ do: 'move', place: 'home' });
    const behind = await statusOf('SN0042');
    expect(behind.timestamp - behind.last_event_timestamp).toBe(3600);
  });

  it('what is done to a client that is off is told when it comes on; an uninstalled one tells nothing', async () => {
    for (const [how, last] of [
      ['user-disabled', 'User Disabled'],
      ['uninstalled', 'User Disabled'],
    ]) {
      await laptop({ do: 'tamper', how });
      await laptop({ do: 'online' });
      expect((await statusOf('SN0042')).last_seen_device_event).toMatchObject({ event: last });
      await control('clock', minutes(10));
      await laptop({ do: 'offline' });
    }
  });

  it('a renamed user keeps ids and memberships, in every route; what was told before keeps the old name', async () => {
    const [id, key] = [await scimIdOf(pat), (await statusOf('SN0042')).user_info.userkey];
    await patchMember('add');
    const entraId = (await graph('GET', `users/${pat}`)).body['id'];
    await laptop({ do: 'online' });
    expect((await refusal({ do: 'rename-user', newUser: 'sam@example.test' })).status).toBe(400);
    await laptop({ do: 'rename-user', newUser: 'Pat.New@example.test' });

    const renamed = 'pat.new@example.test';
    expect(await scimIdOf(renamed)).toBe(id);
    expect(await get(`/api/v2/scim/Users/${id}`)).toMatchObject({ status: 200, body: { userName: renamed } });
    expect(await groupsOf(renamed)).toContain('Lost-Stolen Devices');
    expect((await graph('GET', `users/${renamed}`)).body['id']).toBe(entraId);
    expect((await graph('GET', `users/${pat}`)).status).toBe(404);
    const filter = encodeURIComponent(`userName eq "${pat}"`);
    expect((await get(`/api/v2/scim/Users?filter=${filter}`)).body).toMatchObject({ totalResults: 0 });

    expect(await search('clientstatus', `username eq '${pat}'`)).toHaveLength(1);
    await control('clock', minutes(6));
    expect(await search('clientstatus', `username eq '${pat}'`)).toEqual([]);
    const [after] = await search('clientstatus', `username eq '${renamed}'`);
    expect(after).toMatchObject({ hostname: 'LT-0042', user_info: { username: renamed, userkey: key } });
    const token = 'sim-netskope-v1-token';
    const query = `host_info.hostname eq 'LT-0042'`;
    expect(await call('POST', '/api/v1/clients', { token, query })).toMatchObject({
      body: { data: [{ attributes: { users: [{ username: renamed, userkey: key }] } }] },
    });
  });

  it('a deleted user is gone from groups, SCIM and Entra, and marked in getusers; the client goes on', async () => {
    const id = await scimIdOf(pat);
    await patchMember('add');
    await laptop({ do: 'delete-user' });
    const gone = await get(`/api/v2/scim/Users/${id}`);
    expect(gone).toMatchObject({ status: 404, body: { schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'] } });
    expect(await lostGroup()).toEqual([]);
    const query = { filter: { and: [{ emails: { eq: pat } }] }, paging: { offset: 0, limit: 1 } };
    expect(await call('POST', '/api/v2/users/getusers', { query })).toMatchObject({
      body: { data: [{ accounts: [{ deleted: true, parentGroups: [] }] }] },
    });
    expect((await graph('GET', `users/${pat}`)).status).toBe(404);
    const value = [{ value: id }];
    const patch = { Operations: [{ op: 'add', path: 'members', value }] };
    expect((await call('PATCH', `/api/v2/scim/Groups/${await lostGroupId()}`, patch)).status).toBe(404);
    await laptop({ do: 'online' });
    expect(await search('clientstatus', `username eq '${pat}'`)).toHaveLength(1);
  });

  it('another device of the same name, of another user, is another one everywhere', async () => {
    const body = { do: 'second-device', newSerial: 'SN9001', newHostname: 'LT-0042', newUser: 'kim@example.test' };
    await laptop(body);
    expect((await refusal({ ...body, newSerial: 'SN9002', newUser: 'nobody@example.test' })).status).toBe(400);
    const both = await search('clientstatus', `hostname eq 'LT-0042'`);
    expect(new Set(both.map(({ host_info }) => host_info.nsdeviceuid)).size).toBe(2);
    expect(new Set(both.map(({ user_info }) => user_info.userkey)).size).toBe(2);
    const named = (await state()).entra.devices.filter(({ displayName }) => displayName === 'LT-0042');
    expect(new Set(named.map(({ id }) => id)).size).toBe(2);
  });

  it('somebody undoes the tag and the steps of the directory; done again, they are numbered', async () => {
    for (const what of ['tag-removed', 'device-enabled-again', 'user-enabled-again', 'isolation-lifted']) {
      expect((await refusal({ do: what })).status).toBe(400);
    }
    const { host_info, user_info, hostname } = await statusOf('SN0042');
    const devices = [{ nsdeviceuid: host_info.nsdeviceuid, userkey: user_info.userkey, hostname }];
    const tag = () => call('POST', '/api/v2/devices/device/tags/bulkadd', { tags: [7], devices });
    const { id } = (await state()).entra.devices.find(({ displayName }) => displayName === 'LT-0042')!;
    const disable = async () => {
      await graph('PATCH', `devices/${id}`, { accountEnabled: false });
      await graph('PATCH', `users/${pat}`, { accountEnabled: false });
    };
    const held = async () => {
      const { netskope, entra } = await state();
      const enabled = (list: { enabled: boolean }[], index: number) => list[index]?.enabled;
      return [
        netskope.tags['lost-stolen']?.includes('LT-0042'),
        enabled(
          entra.devices.filter((one) => one.id === id),
          0,
        ),
        enabled(
          entra.users.filter((one) => one.user === pat),
          0,
        ),
      ];
    };
    await tag();
    await disable();
    expect(await held()).toEqual([true, false, false]);
    for (const what of ['tag-removed', 'device-enabled-again', 'user-enabled-again']) await laptop({ do: what });
    expect(await held()).toEqual([false, true, true]);
    await call('DELETE', '/control/calls');
    await tag();
    await disable();
    expect(await changes()).toEqual([
      expect.stringMatching(/^netskope: tag lost-stolen added to LT-0042 .*\(#2\)$/),
      expect.stringMatching(/^entra: device LT-0042 .* disabled \(#2\)$/),
      `entra: user ${pat} disabled (#2)`,
    ]);
  });

  it('a Falcon administrator lets a contained laptop out', async () => {
    const form = 'client_id=sim-crowdstrike-client&client_secret=sim-crowdstrike-secret';
    const token = (await call<{ access_token: string }>('POST', '/oauth2/token', form, {})).body.access_token;
    const { hosts } = (
      await call<{ crowdstrike: { hosts: { serial: string; deviceId: string }[] } }>('GET', '/control/state')
    ).body.crowdstrike;
    const ids = hosts.filter(({ serial }) => serial === 'SN0042').map(({ deviceId }) => deviceId);
    const actions = '/devices/entities/devices-actions/v2?action_name=contain';
    await laptop({ do: 'online' });
    await call('POST', actions, { ids }, { authorization: `Bearer ${token}` });
    await control('clock', minutes(1));
    const status = async () => (await state()).crowdstrike.hosts.find(({ serial }) => serial === 'SN0042')?.status;
    expect(await status()).toBe('contained');
    await laptop({ do: 'isolation-lifted' });
    await control('clock', minutes(1));
    expect(await status()).toBe('normal');
  });

  it('an identity sync makes the group its own list at every cycle, until it is stopped', async () => {
    expect((await call('GET', '/control/identity-sync')).body).toEqual({});
    expect((await call('POST', '/control/identity-sync', { everyMs: 60_000, group: 'No group' })).status).toBe(400);
    await control('identity-sync', { everyMs: 600_000, members: ['sam@example.test'] });
    await patchMember('add');
    await control('clock', minutes(9));
    expect(await lostGroup()).toEqual([pat]);
    await control('clock', minutes(2));
    expect(await lostGroup()).toEqual(['sam@example.test']);
    await patchMember('add');
    await control('clock', minutes(10));
    expect(await lostGroup()).toEqual(['sam@example.test']);
    const view = { everyMs: 600_000, group: 'Lost-Stolen Devices', undone: 2 };
    expect((await call('GET', '/control/identity-sync')).body).toEqual(view);
    await call('DELETE', '/control/identity-sync');
    await patchMember('add');
    await control('clock', minutes(60));
    expect(new Set(await lostGroup())).toEqual(new Set([pat, 'sam@example.test']));
    expect((await changes()).filter((text) => text.includes(`${pat} added`))).toEqual([
      `netskope: ${pat} added to group Lost-Stolen Devices`,
      `netskope: ${pat} added to group Lost-Stolen Devices (#2)`,
      `netskope: ${pat} added to group Lost-Stolen Devices (#3)`,
    ]);
  });

  it('somebody takes the user out by hand: in Entra where the directory owns the group', async () => {
    await patchMember('add');
    await laptop({ do: 'tamper', how: 'removed-from-group' });
    expect(await lostGroup()).toEqual([]);
    await control('traps', { directoryOwnsGroup: true });
    await addInEntra(pat);
    await control('clock', minutes(41));
    expect(await lostGroup()).toEqual([pat]);
    await laptop({ do: 'tamper', how: 'removed-from-group' });
    expect(await lostGroup()).toEqual([pat]);
    await control('clock', minutes(41));
    expect(await lostGroup()).toEqual([]);
  });
});

describe('traps of Netskope', () => {
  it('numbers for words, a Private Access record, a posture change, nulls: each where the README says, each switchable', async () => {
    expect((await statusOf('SN0060')).host_info.os).toBe(0);
    expect((await statusOf('SN0042')).host_info.os).toBe('Windows');
    await control('laptop', { serial: 'SN0060', do: 'online' });
    await control('clock', minutes(1));
    const posture = (await statusOf('SN0060')).last_seen_device_event;
    expect(posture).toMatchObject({ event: 'Device Posture Change', status: 'Unmanaged', status_v2: 2 });

    const services = (await search('clientstatus', `hostname eq 'LT-0051'`)).map((one) => one.last_seen_device_event);
    expect(services.map((one) => one.service_name).sort()).toEqual(['Internet Security', 'Private Access']);
    expect(services.find((one) => one.service_name === 'Private Access')).toMatchObject({
      event: 'Tunnel Up',
      status: 'Disabled',
    });

    const lee = await statusOf('SN0070');
    expect(lee.host_info.mac_addresses).toBeNull();
    expect(lee).not.toHaveProperty('guid');
    expect(await search('clientstatus')).toContainEqual(expect.objectContaining({ hostname: null, user_info: null }));

    await control('traps', { numbers: true, nulls: false });
    expect((await statusOf('SN0042')).host_info.os).toBe(0);
    expect((await statusOf('SN0070')).host_info.mac_addresses).toHaveLength(1);
  });

  it('a page repeats the last record of the page before, and no record is missed', async () => {
    const pages: string[][] = [];
    for (let offset = 0; pages.at(-1)?.length !== 0 && offset < 50; offset += 3) {
      pages.push((await search('clientstatus', '', `&limit=3&offset=${offset}`)).map((one) => one._id));
    }
    const all = (await search('clientstatus')).map((one) => one._id);
    expect(pages[1]![0]).toBe(pages[0]![2]);
    expect(new Set(pages.flat())).toEqual(new Set(all));
    expect(pages.flat().length).toBeGreaterThan(all.length);
  });

  it('an unknown field is HTTP 200 with a failed execution; grouping makes _id an object and fields flat', async () => {
    const failed = await get('/api/v2/events/datasearch/clientstatus?fields=hostname,nonsense');
    expect(failed).toMatchObject({ status: 200, body: { result: [], status: { execution: 'FAILED' } } });
    expect((await get('/api/v2/events/datasearch/clientstatus?query=hostname%20is%20x')).status).toBe(400);
    expect((await get('/api/v2/events/datasearch/alert')).status).toBe(400);
    const query = encodeURIComponent(`hostname eq "LT-0042"`);
    const path = `/api/v2/events/datasearch/clientstatus?groupbys=nsdeviceuid&fields=hostname,serial_number&query=${query}`;
    const [grouped] = (await get<Found<unknown>>(path)).body.result;
    expect(grouped).toEqual({ _id: { nsdeviceuid: expect.any(String) }, hostname: 'LT-0042', serial_number: 'SN0042' });
  });

  it.each([
    [`hostname in ['LT-0042', "LT-0050"] and not_a_field eq 1`, null],
    [`hostname in ['LT-0042', "LT-0050"]`, ['LT-0042', 'LT-0050']],
    [`hostname eq 'lt-0042'`, []],
    [`hostname like "LT-005*" and host_info.os eq 'Windows'`, ['LT-0050', 'LT-0051', 'LT-0051']],
    [
      `(username eq 'pat@example.test' or user_info.username eq 'lee@example.test') and host_info.os ne 'Mac'`,
      ['LT-0042'],
    ],
    [`timestamp ge ${Date.parse(start) / 1000} and hostname like '*'`, []],
    [`timestamp between [0, ${Date.parse(start) / 1000}] and serial_number eq 'SN0042'`, ['LT-0042']],
  ])('understands %s', async (query, expected) => {
    const found = await get<Found<Status>>(`/api/v2/events/datasearch/clientstatus?query=${encodeURIComponent(query)}`);
    if (expected === null) expect(found.status).toBe(400);
    else expect(found.body.result.map((one) => one.hostname).sort()).toEqual(expected);
  });

  it('hides group members, leaves out empty lists, and lags behind a write', async () => {
    await patchMember('add');
    const id = await lostGroupId();
    expect((await get(`/api/v2/scim/Groups/${id}`)).body).not.toHaveProperty('members');
    const asked = await get(`/api/v2/scim/Groups/${id}?attributes=members`);
    const pat = { value: await scimIdOf('pat@example.test'), display: 'pat@example.test' };
    expect(asked.body).toMatchObject({ members: [pat] });
    const nobody = (await get(`/api/v2/scim/Users?filter=${encodeURIComponent('userName eq "nobody@example.test"')}`))
      .body;
    expect(nobody).toMatchObject({ totalResults: 0 });
    expect(nobody).not.toHaveProperty('Resources');

    await control('traps', { readLagMs: 60_000 });
    await control('clock', minutes(2));
    await patchMember('remove');
    expect(await groupsOf('pat@example.test')).toContain('Lost-Stolen Devices');
    await control('clock', minutes(2));
    expect(await groupsOf('pat@example.test')).not.toContain('Lost-Stolen Devices');
  });

  it('refuses by token, scope, missing route and limit in the words of a gateway', async () => {
    const users = '/api/v2/scim/Users';
    expect((await call('GET', users, undefined, {})).status).toBe(401);
    expect((await call('GET', users, undefined, { authorization: 'Bearer sim-netskope-v2-token' })).status).toBe(200);
    await control('tenant', { scopes: { '/api/v2/users': 'read', '/api/v2/scim/Users': 'none' } });
    expect((await get(users)).status).toBe(403);
    expect((await call('POST', '/api/v2/users/getusers', {})).status).toBe(403);
    await control('tenant', { switchedOff: ['/api/v2/devices'], limits: { netskopePerSecond: 1 } });
    const off = await call('POST', '/api/v2/devices/device/tags/gettags', {});
    expect(off).toMatchObject({ status: 404, body: { message: 'no Route matched with those values' } });
    await get('/api/v2/scim/Groups');
    const many = await get('/api/v2/scim/Groups');
    expect(many.status).toBe(429);
    expect(many.headers.get('retry-after')).toBe('1');
  });

  it('tags installations up to five times, and tells v1 and NPA failures with HTTP 200', async () => {
    const tags = '/api/v2/devices/device/tags';
    const { host_info, user_info, hostname } = await statusOf('SN0042');
    const devices = [{ nsdeviceuid: host_info.nsdeviceuid, userkey: user_info.userkey, hostname }];
    type Tags = { data: { data: [{ id: number }] } };
    const [own] = (await call<Tags>('POST', `${tags}/gettags`, { name: 'Lost-Stolen' })).body.data.data;
    const added = await call('POST', `${tags}/bulkadd`, { tags: [own.id], devices });
    expect(added).toMatchObject({ status: 200, body: { success: true } });
    const mine = await call('POST', `${tags}/gettags`, { devices });
    expect(mine).toMatchObject({ body: { data: { total_count: 1 } } });
    expect((await call('POST', tags, { name: 'lost-stolen' })).status).toBe(409);
    const more: number[] = [];
    for (const name of ['a', 'b', 'c', 'd', 'e']) {
      more.push((await call<{ data: { id: number } }>('POST', tags, { name })).body.data.id);
    }
    expect(await call('POST', `${tags}/bulkadd`, { tags: more, devices })).toMatchObject({
      status: 400,
      body: { success: false },
    });

    const npa = await get('/api/v2/policy/npa/rules/999');
    expect(npa).toMatchObject({ status: 200, body: { status: 'error' } });
    const refused = await call('POST', '/api/v1/clients', { token: 'sim-netskope-v2-token' });
    expect(refused).toMatchObject({ status: 200, body: { status: 'error' } });
    const query = `host_info.hostname eq 'LT-0042'`;
    const clients = await call('POST', '/api/v1/clients', { token: 'sim-netskope-v1-token', query });
    const attributes = {
      host_info: { serialNumber: 'SN0042', last_hostinfo_update_timestamp: expect.any(String) },
      users: [{ username: 'pat@example.test' }],
    };
    expect(clients).toMatchObject({ body: { data: [{ attributes }] } });
  });
});

describe('the record of calls', () => {
  it('names what changed, numbers what was undone and made again, and gives doubles the same text', async () => {
    const added = 'netskope: pat@example.test added to group Lost-Stolen Devices';
    const removed = 'netskope: pat@example.test removed from group Lost-Stolen Devices';
    for (const op of ['add', 'add', 'remove', 'remove', 'add'] as const) await patchMember(op);
    expect(await changes()).toEqual([added, removed, `${added} (#2)`]);

    await call('DELETE', '/control/calls');
    const { sys_id, number } = await control('tickets', { u_serial: 'SN0042', caller: 'pat' });
    const incident = `/api/now/table/incident/${sys_id}`;
    const patch = (body: unknown) => call('PATCH', incident, body, serviceNowAuth);
    await patch({ state: '2' });
    await patch({ state: '2' });
    await patch({ work_notes: '[ldp:run-1:3] moved' });
    await patch({ work_notes: '[ldp:run-1:3] moved, again' });
    expect((await patch({ state: '6' })).status).toBe(403);
    const close = { state: '6', close_code: 'Solution provided', close_notes: 'back' };
    await patch(close);
    await patch(close);
    expect(await changes()).toEqual([
      `servicenow: ${number} is In Progress`,
      `servicenow: note [ldp:run-1:3] added to ${number}`,
      `servicenow: note [ldp:run-1:3] added to ${number}`,
      `servicenow: ${number} is Resolved`,
      `servicenow: ${number} is Resolved`,
    ]);
    const workNotes = ['[ldp:run-1:3] moved', '[ldp:run-1:3] moved, again'];
    const ticket = { state: 'Resolved', comments: [], workNotes, fields: { active: 'true' } };
    expect(await call('GET', '/control/state')).toMatchObject({ body: { servicenow: { tickets: [ticket] } } });
  });

  it('tells a second revocation of the same case from one of a later case', async () => {
    const revoke = () => graph('POST', 'users/pat@example.test/revokeSignInSessions');
    await patchMember('add');
    await revoke();
    await revoke();
    await patchMember('remove');
    await revoke();
    const revoked = 'entra: sessions of pat@example.test revoked';
    expect((await changes()).filter((text) => text.startsWith(revoked))).toEqual([revoked, revoked, `${revoked} (#2)`]);
  });
});

describe('faults', () => {
  const set = (when: 'before' | 'after', effect: unknown, times: number | 'always' = 1) =>
    control('faults', { match: { method: 'PATCH', path: '/api/v2/scim/Groups/' }, times, when, effect });
  const isMember = async () => (await groupsOf('pat@example.test')).includes('Lost-Stolen Devices');

  it('a status before leaves the vendor as it was, one after comes when the change is made; each as often as told', async () => {
    await set('before', { status: 503, headers: { 'retry-after': '7' }, body: { message: 'away' } });
    await set('after', { status: 500, body: 'lost' });
    const before = await patchMember('add').catch((error: unknown) => error);
    expect(before).toMatchObject({ status: 503, body: { message: 'away' } });
    expect(await isMember()).toBe(false);
    await expect(patchMember('add')).rejects.toThrow();
    expect(await isMember()).toBe(true);
    expect((await patchMember('add')).status).toBe(204);
    const made = await patches();
    expect(made.map((one) => [one.status, one.changed !== null])).toEqual([
      [503, false],
      [500, true],
      [204, false],
    ]);
    expect(Date.parse(made[0]!.at)).toBeGreaterThan(Date.now() - 60_000);
  });

  it.each([
    ['reset', { reset: true }, 0],
    ['truncate', { truncate: true }, 200],
  ] as const)('%s breaks the connection, after the change when told so', async (_name, effect, status) => {
    await set('before', effect);
    await expect(patchMember('add')).rejects.toThrow();
    expect(await isMember()).toBe(false);
    await set('after', effect);
    await expect(patchMember('add')).rejects.toThrow();
    expect(await isMember()).toBe(true);
    expect((await patches()).at(-1)).toMatchObject({ status, changed: expect.stringContaining('added') });
  });

  it('hangs without an answer, delays and goes on, and can be taken away', async () => {
    await set('after', { hang: true }, 'always');
    const path = `/api/v2/scim/Groups/${await lostGroupId()}`;
    const value = [{ value: await scimIdOf('pat@example.test') }];
    const body = JSON.stringify({ Operations: [{ op: 'add', path: 'members', value }] });
    const signal = AbortSignal.timeout(200);
    const hanging = fetch(simulator.url + path, { method: 'PATCH', headers: netskopeAuth, body, signal });
    await expect(hanging).rejects.toMatchObject({ name: 'TimeoutError' });
    expect(await isMember()).toBe(true);
    await call('DELETE', '/control/faults');
    await set('before', { delayMs: 120 });
    const begin = performance.now();
    expect((await patchMember('remove')).status).toBe(204);
    expect(performance.now() - begin).toBeGreaterThanOrEqual(115);
    expect(await isMember()).toBe(false);
  });

  it('meets one operation by its template, and the record of calls says which call met which fault', async () => {
    const match = { method: 'GET', template: '/api/v2/scim/Groups/{id}' };
    const { id } = await control('faults', { match, times: 'always', effect: { status: 503 } });
    const group = await lostGroupId();
    expect((await call('GET', `/api/v2/scim/Groups/${group}?attributes=members`)).status).toBe(503);
    expect((await calls()).map(({ status, fault }) => [status, fault])).toEqual([
      [200, undefined],
      [503, id],
    ]);
  });

  it('lets a read lag behind a change, so often as told, and no other read', async () => {
    const match = { template: '/api/v2/users/getusers' };
    const { id } = await control('faults', { match, times: 'always', effect: { lagReads: 2 } });
    expect([await isMember(), await isMember()]).toEqual([false, false]);
    await patchMember('add');
    expect(await groupsOf('sam@example.test')).not.toContain('Lost-Stolen Devices');
    expect([await isMember(), await isMember(), await isMember(), await isMember()]).toEqual([
      false,
      false,
      true,
      true,
    ]);
    await patchMember('remove');
    expect([await isMember(), await isMember(), await isMember()]).toEqual([true, true, false]);
    expect((await calls()).filter(({ fault }) => fault !== undefined).map(({ fault }) => fault)).toEqual([
      id,
      id,
      id,
      id,
    ]);
  });

  it('refuses a fault that cannot be read, and a clock that goes back', async () => {
    await expect(set('before', { status: 'bad' })).rejects.toThrow();
    await expect(control('clock', { now: '2026-02-01T00:00:00Z' })).rejects.toThrow('never goes back');
  });
});

describe('Entra', () => {
  const provision = async (id: string) => {
    const subject = {
      objectId: members.split('/')[1],
      objectTypeName: 'Group',
      links: { members: [{ objectId: id }] },
    };
    const parameters = [{ ruleId: '55555555-5555-4555-8555-555555555555', subjects: [subject] }];
    const job = 'servicePrincipals/44444444-4444-4444-8444-444444444444/synchronization/jobs/Netskope.1';
    const answer = await graph('POST', `${job}/provisionOnDemand`, { parameters });
    return JSON.parse(answer.body['key']!) as { result: string; errorCode?: string };
  };

  it('refuses a wrong secret, a second add and an absent removal; deletes the user when $ref is forgotten', async () => {
    const form = 'grant_type=client_credentials&client_id=x&client_secret=y&scope=z/.default';
    const path = '/11111111-1111-4111-8111-111111111111/oauth2/v2.0/token';
    expect(await call('POST', path, form, {})).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
    expect((await call('GET', '/v1.0/users/pat@example.test', undefined, {})).status).toBe(401);
    const { id, answer } = await addInEntra('pat@example.test');
    expect(answer.status).toBe(204);
    expect((await addInEntra('pat@example.test')).answer.status).toBe(400);
    const groupIds = [members.split('/')[1]];
    expect((await graph('POST', `users/${id}/checkMemberGroups`, { groupIds })).body).toEqual({ value: groupIds });
    expect((await graph('DELETE', `${members}/${id}/$ref`)).status).toBe(204);
    expect((await graph('DELETE', `${members}/${id}/$ref`)).status).toBe(404);
    expect((await graph('DELETE', `${members}/${id}`)).status).toBe(204);
    expect((await graph('GET', `users/${id}`)).status).toBe(404);
    expect((await changes()).at(-1)).toBe('entra: USER pat@example.test DELETED');
  });

  it('owns the group when told so: members come by cycle or on demand, and edits elsewhere can be undone', async () => {
    await control('traps', { directoryOwnsGroup: true });
    const filter = encodeURIComponent('displayName eq "Lost-Stolen Devices"');
    expect((await get<ScimList>(`/api/v2/scim/Groups?filter=${filter}`)).body.Resources[0]).toHaveProperty(
      'externalId',
    );

    const pat = await addInEntra('pat@example.test');
    expect(await groupsOf('pat@example.test')).not.toContain('Lost-Stolen Devices');
    expect(await provision(pat.id)).toMatchObject({ result: 'Success' });
    expect(await provision(pat.id)).toMatchObject({ result: 'Skipped', errorCode: 'RedundantExport' });
    await control('clock', minutes(1));
    expect(await groupsOf('pat@example.test')).toContain('Lost-Stolen Devices');

    await addInEntra('sam@example.test');
    await control('clock', minutes(41));
    expect(await groupsOf('sam@example.test')).toContain('Lost-Stolen Devices');

    await patchMember('add', 'kim@example.test');
    await control('clock', minutes(41));
    expect(await groupsOf('kim@example.test')).toContain('Lost-Stolen Devices');
    await control('traps', { directoryUndoesEdits: true });
    await control('clock', minutes(41));
    expect(await groupsOf('kim@example.test')).not.toContain('Lost-Stolen Devices');
  });
});

describe('the seed', () => {
  it('decides all identifiers: the same gives the same, another gives others', async () => {
    const [same, other] = [
      await startSimulator({ port: 0, seed: 1 }),
      await startSimulator({ port: 0, seed: 2, devices: 2 }),
    ];
    const laptopsAt = async ({ url }: RunningSimulator) => {
      const laptops = (await (await fetch(`${url}/control/laptops`)).json()) as {
        hostname: string;
        nsdeviceuid: string;
      }[];
      return laptops.map(({ hostname, nsdeviceuid }) => [hostname, nsdeviceuid] as const);
    };
    const mine = await laptopsAt(simulator);
    expect(await laptopsAt(same)).toEqual(mine);
    const others = await laptopsAt(other);
    expect(others.map(([hostname]) => hostname)).toEqual([...mine.map(([hostname]) => hostname), 'LT-1001', 'LT-1002']);
    expect(others[0]![1]).not.toBe(mine[0]![1]);
    await Promise.all([same.close(), other.close()]);
  });
});

describe('ServiceNow', () => {
  it('lists by encoded query with fields through references, links to the next page, and wants credentials', async () => {
    for (const number of ['INC1', 'INC2', 'INC3']) {
      await control('tickets', { number, caller: 'pat', cmdb_ci: 'SN0042', description: 'a^b' });
    }
    await control('tickets', { number: 'INC4', category: 'software' });
    const query = new URLSearchParams({
      sysparm_query: 'category=equipment_loss^active=true^stateIN1,2^descriptionLIKEa^^b^ORDERBYDESCnumber',
      sysparm_fields: 'number,caller_id.user_name,cmdb_ci.serial_number',
      sysparm_limit: '2',
    });
    const path = `/api/now/table/incident?${query.toString()}`;
    expect((await call('GET', path, undefined, {})).status).toBe(401);
    const page = await call('GET', path, undefined, serviceNowAuth);
    const shown = { 'caller_id.user_name': 'pat@example.test', 'cmdb_ci.serial_number': 'SN0042' };
    expect(page.body).toEqual({ result: ['INC3', 'INC2'].map((number) => ({ number, ...shown })) });
    const next = /<([^>]+)>;rel="next"/.exec(page.headers.get('link') ?? '')![1]!;
    const rest = await call('GET', next.slice(simulator.url.length), undefined, serviceNowAuth);
    expect(rest.body).toEqual({ result: [{ number: 'INC1', ...shown }] });
    expect(rest.headers.get('link')).not.toContain('rel="next"');
    const missing = await call('GET', `/api/now/table/incident/${'0'.repeat(32)}`, undefined, serviceNowAuth);
    expect(missing).toMatchObject({ status: 404, body: { status: 'failure' } });
  });
});
