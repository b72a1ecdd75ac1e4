/** The tuple rule and the two forms of Netskope's answers, on records as they were seen at real tenants (invented values). */
import { failureIn, oneOf, quoted } from '../../plugins/netskope/client';
import { statusRecord } from '../../plugins/netskope/schemas';
import { byInstallation, clientState, deviceOf, readableUser, readStatus } from '../../plugins/netskope/status';

const internet = 'Internet Security';

describe('the state of the client', () => {
  test.each([
    // Recorded traps (facts/netskope.md 2.5).
    ['Private Access', 'Tunnel Up', 'Disabled', 'Enabled', 'unknown'],
    [internet, 'Tunnel Down', 'Enabled', undefined, 'disabled'],
    [internet, 'Device Posture Change', 'Managed', undefined, 'unknown'],
    [internet, 'Device Posture Change', 'Unmanaged', 'Enabled', 'enabled'],
    [internet, 'Uninstalled', 'Disabled', 'Uninstalled', 'uninstalled'],
    [internet, 'Uninstalled', 'Disabled', undefined, 'uninstalled'],
    // The ordinary.
    [internet, 'Tunnel Up', 'Enabled', 'Enabled', 'enabled'],
    [undefined, 'Tunnel Up', 'Enabled', 'Enabled', 'enabled'],
    [undefined, 'Tunnel Up', undefined, undefined, 'enabled'],
    [internet, 'User Disabled', 'Disabled', 'Disabled', 'disabled'],
    [internet, 'Tunnel down due to error', 'Fail Closed', 'Disabled', 'fail closed'],
    [internet, 'Tunnel Up', 'Enabled', 'Dormant', 'dormant'],
    [internet, 'System shutdown', undefined, undefined, 'disabled'],
    [internet, 'CA Installation Change', 'Enabled', undefined, 'enabled'],
    [internet, undefined, undefined, undefined, 'unknown'],
  ])('%s, %s, %s, %s: %s', (service, event, status, statusV2, state) => {
    const said = Object.fromEntries(Object.entries({ service, event, status, statusV2 }).filter(([, word]) => word));
    expect(clientState(said)).toBe(state);
  });
});

const nested = {
  _id: 'a',
  hostname: 'LT-0042',
  timestamp: 1_730_000_150,
  host_info: {
    os: 'Windows',
    serial_number: 'SN0042',
    nsdeviceuid: 'uid',
    old_nsdeviceuid: '',
    mac_addresses: ['02-00-00-00-00-42'],
    steering_config: 'Lost',
    last_update_timestamp: '1730000140',
  },
  last_seen_device_event: { event: 'Tunnel Up', status: 'Enabled', status_v2: 'Enabled', timestamp: 1_730_000_100 },
  user_info: { username: 'pat@example.test', userkey: 'k' },
};

const now = '2024-10-27T03:36:00.000Z';
const read = (record: unknown) => readStatus(statusRecord.parse(record), now);

describe('a record', () => {
  test('is the same nested, dotted, flat, in numbers, or with times in milliseconds', () => {
    const numbers = structuredClone(nested) as Record<string, unknown> & typeof nested;
    Object.assign(numbers, { timestamp: 1_730_000_150_000 });
    Object.assign(numbers.host_info, { os: 0, last_update_timestamp: 1_730_000_140 });
    Object.assign(numbers.last_seen_device_event, { event: 1, status: '1', status_v2: 2 });
    const dotted: Record<string, unknown> = { _id: 'a', hostname: 'LT-0042', timestamp: 1_730_000_150 };
    for (const part of ['host_info', 'last_seen_device_event', 'user_info'] as const) {
      for (const [name, value] of Object.entries(nested[part])) dotted[`${part}.${name}`] = value;
    }
    const expected = read(nested);
    expect(expected).toMatchObject({
      names: { serial: 'SN0042', hostname: 'LT-0042', nsdeviceuid: 'uid', user: 'pat@example.test' },
      at: '2024-10-27T03:35:50.000Z',
      hostInfoUpdatedAt: '2024-10-27T03:35:40.000Z',
      client: 'enabled',
    });
    expect(expected).not.toHaveProperty('previousNsdeviceuid');
    expect(read(numbers)).toEqual(expected);
    expect(read(dotted)).toEqual(expected);
    const flat = {
      _id: { nsdeviceuid: 'uid' },
      hostname: 'LT-0042',
      os: 'Windows',
      serial_number: 'SN0042',
      username: 'p@x.y',
    };
    expect(read(flat)).toMatchObject({
      os: 'Windows',
      names: { serial: 'SN0042', user: 'p@x.y' },
    });
  });

  test('of nulls only is read, and belongs to no installation; one of another form is refused', () => {
    const nothing = { hostname: null, host_info: null, user_info: null, timestamp: null };
    expect(byInstallation([read(nothing)])).toEqual([]);
    for (const wrong of ['text', null, [], { hostname: { secret: 1 } }]) {
      expect(statusRecord.safeParse(wrong).success).toBe(false);
    }
  });
});

describe('who disabled the client', () => {
  test.each([
    ['User Disabled', 'Disabled', 'Disabled', internet, 'its user'],
    ['User Disabled', 'Disabled', undefined, undefined, 'its user'],
    [6, 0, 3, internet, 'its user'],
    ['8', '0', undefined, internet, 'an administrator'],
    ['Admin Disabled', 'Disabled', 'Disabled', internet, 'an administrator'],
    // Nobody did, it is not so any more, or the event speaks of another service.
    ['Tunnel Down', 'Disabled', 'Disabled', internet, undefined],
    ['User Disabled', 'Enabled', 'Enabled', internet, undefined],
    ['User Enabled', 'Enabled', 'Enabled', internet, undefined],
    ['User Disabled', 'Fail Closed', undefined, internet, undefined],
    ['Device Posture Change', 'Unmanaged', 'Disabled', internet, undefined],
    ['Uninstalled', 'Disabled', 'Uninstalled', internet, undefined],
    ['User Disabled', 'Disabled', 'Disabled', 'Private Access', undefined],
  ])('%s, %s, %s, %s: %s', (event, status, status_v2, service_name, who) => {
    const { disabledBy } = read({
      ...nested,
      last_seen_device_event: { event, status, status_v2, service_name, timestamp: 1_730_000_100 },
    });
    expect(disabledBy).toBe(who);
  });
});

describe("a device's own clock", () => {
  const ahead = 1_730_000_150 + 86_400;
  const aheadIso = '2024-10-28T03:35:50.000Z';
  const heard = (eventAt: number, hostInfoAt: number) =>
    read({
      ...nested,
      host_info: { ...nested.host_info, last_update_timestamp: hostInfoAt },
      last_seen_device_event: { ...nested.last_seen_device_event, timestamp: eventAt },
    });

  test.each([
    ['is right', 1_730_000_100, 1_730_000_140, undefined],
    ['is ahead by less than five minutes', 1_730_000_150 + 300, 1_730_000_140, undefined],
    ['is ahead by more', 1_730_000_150 + 301, 1_730_000_140, '2024-10-27T03:40:51.000Z'],
    ['is a day ahead', ahead, ahead - 10, aheadIso],
    ['was ahead when it told of itself', 1_730_000_100, ahead, aheadIso],
    ['is behind', 1_600_000_000, 1_600_000_000, undefined],
  ])('that %s never says when it was seen', (_, eventAt, hostInfoAt, clockSays) => {
    const said = heard(eventAt, hostInfoAt);
    expect(said.at).toBe('2024-10-27T03:35:50.000Z');
    expect(said.clockSays).toBe(clockSays);
    expect(deviceOf('netskope', [said]).lastSeenAt).toBe(said.at);
  });

  test('without a time of the cloud beside it, as in v1, is believed until it is ahead of ours', () => {
    const { timestamp: _, ...v1 } = nested;
    expect(read(v1).at).toBe('2024-10-27T03:35:00.000Z');
    const wrong = read({ ...v1, last_seen_device_event: { ...nested.last_seen_device_event, timestamp: ahead } });
    expect(wrong).not.toHaveProperty('at');
    expect(wrong).not.toHaveProperty('clockSays');
  });

  test('that was ahead once does not make an old configuration the newest', () => {
    const old = read({
      ...nested,
      timestamp: 1_730_000_000,
      host_info: { ...nested.host_info, steering_config: 'Old', last_update_timestamp: ahead },
    });
    const newer = read({ ...nested, host_info: { ...nested.host_info, steering_config: 'New' } });
    expect(deviceOf('netskope', [newer, old]).steeringConfig).toBe('New');
  });
});

test('records of two services are one device: the newest places it, Internet Security decides on its client', () => {
  const access = structuredClone(nested);
  Object.assign(access, { timestamp: 1_730_000_500 });
  Object.assign(access.last_seen_device_event, {
    service_name: 'Private Access',
    status: 'Disabled',
    status_v2: 'Disabled',
  });
  Object.assign(access.host_info, { serial_number: null });
  const groups = byInstallation([nested, access].map(read));
  expect(groups).toHaveLength(1);
  expect(deviceOf('netskope', groups[0] ?? [])).toMatchObject({
    source: 'netskope',
    serial: 'SN0042',
    client: 'enabled',
    lastSeenAt: '2024-10-27T03:41:40.000Z',
  });
});

test.each([
  ['pat@example.test', 'pat@example.test'],
  ['EXAMPLE-pat', 'EXAMPLE-pat'],
  ['anon-0123456789abcdef', undefined],
  ['d41d8cd98f00b204e9800998ecf8427e', undefined],
  ['p***@example.test', undefined],
  [undefined, undefined],
])('the user %j is read as %j', (user, readable) => {
  expect(readableUser(user)).toBe(readable);
});

describe('a failure inside a 2xx', () => {
  test.each([
    [{ status: 'success', data: [] }],
    [{ status: { execution: 'SUCCESS', status_code: 200 }, result: [] }],
    [{ status: { execution: 'Success' } }],
    [{ success: true, data: {} }],
    [{ ok: 1, result: [] }],
    [[]],
    [{ Resources: [] }],
    [undefined],
  ])('%j is none', (body) => {
    expect(failureIn({ status: 200, body })).toBeUndefined();
  });

  test.each([
    [{ status: 'error', errorCode: 'x', errors: ['bad query'] }, undefined],
    [{ status: 'error', errorCode: 'Authorization Error', errors: ['Invalid token'] }, 'LDP_NOT_AUTHENTICATED'],
    [{ status: 'not found' }, 'LDP_NOT_FOUND'],
    [{ status: { execution: 'FAILED', message: 'Unknown field', status_code: 400 } }, undefined],
    [{ status: { execution: 'Failed', message: 'x', status_code: 503 } }, 'LDP_SERVER_ERROR'],
    [{ success: false, error: 'no' }, undefined],
    [{ ok: 0 }, undefined],
  ])('%j is one', (body, code) => {
    const failure = failureIn({ status: 200, body });
    expect(failure).toBeDefined();
    expect(failure?.code).toBe(code);
  });
});

test('values are quoted with the quote that they do not hold, or refused', () => {
  expect(quoted('LT-0042', 'hostname')).toBe("'LT-0042'");
  expect(quoted("O'Hara", 'user')).toBe('"O\'Hara"');
  expect(() => quoted(`'"`, 'user')).toThrow('user: holds characters');
  expect(() => quoted('a\\', 'user')).toThrow('user: holds characters');
  expect(oneOf('hostname', ['a', 'a'], 'hostname')).toBe("hostname eq 'a'");
  expect(oneOf('hostname', ['a', 'B'], 'hostname')).toBe("hostname in ['a', 'B']");
});
