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
    const expected = readStatus(statusRecord.parse(nested));
    expect(expected).toMatchObject({
      names: { serial: 'SN0042', hostname: 'LT-0042', nsdeviceuid: 'uid', user: 'pat@example.test' },
      at: '2024-10-27T03:35:50.000Z',
      hostInfoUpdatedAt: '2024-10-27T03:35:40.000Z',
      client: 'enabled',
    });
    expect(expected).not.toHaveProperty('previousNsdeviceuid');
    expect(readStatus(statusRecord.parse(numbers))).toEqual(expected);
    expect(readStatus(statusRecord.parse(dotted))).toEqual(expected);
    const flat = {
      _id: { nsdeviceuid: 'uid' },
      hostname: 'LT-0042',
      os: 'Windows',
      serial_number: 'SN0042',
      username: 'p@x.y',
    };
    expect(readStatus(statusRecord.parse(flat))).toMatchObject({
      os: 'Windows',
      names: { serial: 'SN0042', user: 'p@x.y' },
    });
  });

  test('of nulls only is read, and belongs to no installation; one of another form is refused', () => {
    const nothing = statusRecord.parse({ hostname: null, host_info: null, user_info: null, timestamp: null });
    expect(byInstallation([readStatus(nothing)])).toEqual([]);
    for (const wrong of ['text', null, [], { hostname: { secret: 1 } }]) {
      expect(statusRecord.safeParse(wrong).success).toBe(false);
    }
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
  const groups = byInstallation([nested, access].map((record) => readStatus(statusRecord.parse(record))));
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
