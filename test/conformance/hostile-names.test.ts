/**
 * Names that are written to be read as something else: quotes, wildcards and words of every query language that a plugin
 * speaks. Each is asked for as it is, or refused; it never asks for anything else, and never keeps others from being asked for.
 */
import fc from 'fast-check';
import { crowdstrike } from '../../plugins/crowdstrike';
import { entra } from '../../plugins/entra';
import { BadInput } from '../../plugins/errors';
import { intune } from '../../plugins/intune';
import type { PluginInstance, TicketDesk } from '../../plugins/roles';
import { servicenow } from '../../plugins/servicenow';
import { readFilter } from '../../simulator/crowdstrike/filter';
import { parseQuery, type Condition } from '../../simulator/netskope/jql';
import { callNow, createNetskope, post } from './netskope-world';
import { call, startVendorWorld, type VendorWorld } from './vendor-world';

let world: VendorWorld;
beforeAll(async () => {
  world = await startVendorWorld();
});
afterAll(() => world.close());

const graph = {
  directoryTenant: '11111111-1111-4111-8111-111111111111',
  clientId: '22222222-2222-4222-8222-222222222222',
  clientSecret: 'sim-entra-secret',
};
const onGraph = () => ({ ...graph, graphUrl: world.url, loginUrl: world.url });

const known = { serial: 'SN0042', hostname: 'LT-0042', user: 'pat@example.test' };
/** What the names are made of. */
const pieces = [
  ...[
    `'`,
    `''`,
    '"',
    '\\',
    '`',
    '^',
    '^^',
    '*',
    '%',
    '_',
    '?',
    '(',
    ')',
    '[',
    ']',
    '{',
    '}',
    '$',
    '&',
    '#',
    '/',
    '+',
    ',',
    ';',
  ],
  ...[
    ' or ',
    ' and ',
    ' eq ',
    ' in ',
    ' not ',
    '=',
    '!=',
    ':',
    '^OR',
    '^NQ',
    'number=',
    'ORDERBY',
    'LIKE',
    'javascript:',
  ],
  ...[
    `' or '1' eq '1`,
    `'+hostname:'*`,
    `" or userName pr or "`,
    `^ORnumberISNOTEMPTY`,
    `=cmd|'/C calc'!A0`,
    '%27',
    '%00',
  ],
  ...[
    '\0',
    '\n',
    '\r\n',
    '\u0085',
    '\u2028',
    '\u202e',
    '\u200b',
    '\ufeff',
    '\ud800',
    '😀',
    'ß',
    'İ',
    ' ',
    'x'.repeat(400),
  ],
  ...Object.values(known),
];
const hostile = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.array(fc.constantFrom(...pieces), { minLength: 1, maxLength: 6 }).map((all) => all.join('')),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 60 }) },
);
/** The same names on every machine; others by another seed. */
const seed = Number(process.env.HOSTILE_SEED ?? 6);
const runs = { numRuns: 120, seed };

/** What the vendor was asked with this parameter by the calls that `ask` made. A refusal asks nothing. */
async function asked(parameter: string, path: string, ask: () => Promise<unknown>): Promise<string[]> {
  await world.clearCalls();
  try {
    await ask();
  } catch (error) {
    if (!(error instanceof BadInput)) throw error;
  }
  const calls = (await world.calls()).filter((one) => one.path.startsWith(path));
  for (const { status } of calls) expect(status).toBe(200);
  return calls.flatMap(({ path: whole }) => new URL(whole, world.url).searchParams.get(parameter) ?? []);
}

const sameLetters = (a: string, b: string) => a.toLowerCase() === b.toLowerCase();

/** Every value of a Netskope query, by its field. */
function valuesOf(condition: Condition): [field: string, value: string][] {
  if (condition.kind !== 'compare') return condition.parts.flatMap(valuesOf);
  expect(['eq', 'in']).toContain(condition.operator);
  return condition.operands.map((value) => [condition.field, String(value)]);
}

describe('Netskope', () => {
  const path = '/api/v2/events/datasearch/';

  test('a device is asked for by its name and by nothing else, or refused', async () => {
    const { secureAccess } = createNetskope(world);
    const property = fc.asyncProperty(hostile, async (name) => {
      for (const query of await asked('query', path, () => secureAccess.findDevices({ hostname: name }, call)))
        for (const [field, value] of valuesOf(parseQuery(query))) {
          expect(field).toBe('hostname');
          expect([name.trim(), name.trim().toUpperCase(), name.trim().toLowerCase()]).toContain(value);
        }
    });
    await fc.assert(property, runs);
  });

  test('a name that cannot be asked for does not keep the serial beside it from being found', async () => {
    const { secureAccess } = createNetskope(world);
    const property = fc.asyncProperty(hostile, async (hostname) => {
      const found = await secureAccess.findDevices({ hostname, serial: known.serial }, call);
      expect(found.map(({ serial }) => serial)).toContain(known.serial);
    });
    await fc.assert(property, { ...runs, numRuns: 40 });
  });

  test('nor does it blind a feed for the others that are watched', async () => {
    const { feeds } = createNetskope(world);
    await post(world, 'laptop', { serial: known.serial, do: 'online', place: 'home' });
    await world.advance(10 * 60_000);
    const property = fc.asyncProperty(hostile, hostile, async (hostname, user) => {
      const watched = [
        { workflowId: 'a', hostname, user },
        { workflowId: 'b', serial: known.serial, hostname: known.hostname, user: known.user },
        { workflowId: 'c', user },
      ];
      for (const feed of feeds.filter(({ name }) => name !== 'alerts')) {
        const { records } = await feed.read(undefined, watched, await callNow(world));
        expect(records.map(({ device }) => device.hostname)).toContain(known.hostname);
      }
    });
    await fc.assert(property, { ...runs, numRuns: 40 });
  });

  test('a user is asked for by its name and by nothing else, or refused', async () => {
    const { secureAccess } = createNetskope(world);
    const property = fc.asyncProperty(hostile, async (user) => {
      let membership;
      const filters = await asked('filter', '/api/v2/scim/Users', async () => {
        membership = await secureAccess.readMembership(user, call);
      });
      // RFC 7644: a text is written as JSON writes it.
      for (const filter of filters) expect(JSON.parse(filter.replace(/^userName eq /, ''))).toBe(user);
      if (membership && !sameLetters(user, known.user)) expect(membership).not.toHaveProperty('userId');
    });
    await fc.assert(property, runs);
  });

  test('a device whose own name is hostile is found, and nothing else', async () => {
    const { secureAccess } = createNetskope(world);
    for (const [n, newHostname] of [`O'Hara`, `LT "42"`, '*', '%', `= or 1`, '(LT-0042)', `LT-0042 ' or`].entries()) {
      await post(world, 'laptop', { serial: known.serial, do: 'second-device', newSerial: `HOSTILE${n}`, newHostname });
      const found = await secureAccess.findDevices({ hostname: newHostname }, await callNow(world));
      expect(found.map(({ hostname }) => hostname)).toEqual([newHostname]);
    }
  });
});

/** The text of an OData comparison. */
const odataText = (filter: string, field: string) =>
  new RegExp(`^${field} eq '((?:[^']|'')*)'$`, 's').exec(filter)?.[1]?.replaceAll(`''`, `'`);

test('Entra: a device, and an account, is asked for by its name and by nothing else', async () => {
  const { directory } = entra.create('entra', entra.settings.parse(onGraph())) as Required<PluginInstance>;
  const property = fc.asyncProperty(hostile, async (name) => {
    const filters = await asked('$filter', '/v1.0/devices', () =>
      directory.findDirectoryDevices({ hostname: name }, call),
    );
    // A lone half of a character becomes the mark of one that cannot be shown.
    for (const filter of filters) expect(odataText(filter, 'displayName')).toBe(Buffer.from(name).toString());
    const account = await directory.readAccount(name, call).catch((error: unknown) => {
      if (!(error instanceof BadInput)) throw error;
    });
    if (account) expect(account.user.toLowerCase()).toBe(name.toLowerCase());
  });
  await fc.assert(property, runs);
});

test('Entra: sign-ins of the others are read beside a user with a hostile name', async () => {
  const settings = entra.settings.parse({ ...onGraph(), feeds: { signIns: {} } });
  await post(world, 'laptop', { serial: known.serial, do: 'online', place: 'home' });
  await post(world, 'laptop', { serial: known.serial, do: 'sign-in' });
  for (const user of [`' or '1' eq '1`, 'x'.repeat(5_000), '\0', `') or (userPrincipalName ne '`, '\u202e']) {
    // The vendor's pace holds for one feed: a new one does not wait.
    const [feed] = entra.create('entra', settings).feeds ?? [];
    const watched = [
      { workflowId: 'a', hostname: 'LT-1', user },
      { workflowId: 'b', hostname: known.hostname, user: known.user },
    ];
    const answer = await feed!.read(undefined, watched, await callNow(world));
    expect(answer.records.map((record) => record.device.user)).toEqual([known.user]);
  }
});

test('Intune: an enrolment is asked for by its name and by nothing else', async () => {
  const { deviceManagement } = intune.create('intune', intune.settings.parse(onGraph())) as Required<PluginInstance>;
  const property = fc.asyncProperty(hostile, fc.constantFrom('serial', 'hostname'), async (name, by) => {
    const filters = await asked('$filter', '/v1.0/deviceManagement/managedDevices', () =>
      deviceManagement.findRecords({ [by]: name }, call),
    );
    const field = by === 'serial' ? 'serialNumber' : 'deviceName';
    for (const filter of filters) expect(odataText(filter, field)).toBe(Buffer.from(name).toString());
  });
  await fc.assert(property, runs);
});

test('CrowdStrike: a host is asked for by its name and by nothing else, or refused', async () => {
  const { endpointDetection } = crowdstrike.create(
    'crowdstrike',
    crowdstrike.settings.parse({
      region: 'eu-1',
      url: world.url,
      clientId: 'sim-crowdstrike-client',
      clientSecret: 'sim-crowdstrike-secret',
      feeds: { lastSeen: {} },
    }),
  ) as Required<PluginInstance>;
  const property = fc.asyncProperty(hostile, async (name) => {
    const filters = await asked('filter', '/devices/combined/', () =>
      endpointDetection.findAgents({ hostname: name }, call),
    );
    for (const filter of filters) {
      const fits = readFilter(filter, ['hostname', 'serial_number']);
      expect(fits?.({ hostname: name.trim() })).toBe(true);
      const others = Object.values(known).filter((other) => !sameLetters(other, name.trim()));
      for (const hostname of others) expect(fits?.({ hostname, serial_number: known.serial })).toBe(false);
    }
  });
  await fc.assert(property, runs);
});

test('ServiceNow: a ticket by its number alone, and a note by its marker alone', async () => {
  const { ticketDesk } = servicenow.create(
    'desk',
    servicenow.settings.parse({ url: world.url, user: 'sim-servicenow', password: 'sim-servicenow-password' }),
  ) as Required<PluginInstance>;
  const desk = ticketDesk as Required<TicketDesk>;
  const { number } = await world.ticket({ u_serial: known.serial, caller: 'pat' });
  let n = 0;
  const property = fc.asyncProperty(hostile, async (text) => {
    expect(await desk.readTicket(text, call)).toBeUndefined();
    n += 1;
    const marker = `[ldp:${n}:${text}]`;
    const note = { marker, text: `Contained.\n${marker}` };
    try {
      expect([await desk.addInternalNote(number, note, call), await desk.addInternalNote(number, note, call)]).toEqual([
        'added',
        'already there',
      ]);
    } catch (error) {
      if (!(error instanceof BadInput)) throw error;
    }
  });
  await fc.assert(property, runs);
});
