/**
 * With a keyring in the settings, a whole case is played, and Temporal's database file is searched for everything that
 * would tell whose laptop it was: as text, and as base64 at each of its three alignments.
 */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import type { Decision } from '../../workflows/messages';
import { answer, recovered, retryStep } from '../../workflows/messages';
import { RefusedByRule } from '../../client/cases';
import { startHouse, type RunningHouse } from '../../house';
import { closeHouse, openHouse } from '../../open-house';
import type { CaseState } from '../../playbook/case';
import type { Report } from '../../playbook/report';
import type { Keyring, Settings } from '../../playbook/settings';
import { checkSchema } from '../../playbook/schemas/preflight';
import { writeNewKeyring } from '../../settings/keyring';
import { loadSettings } from '../../settings/load';
import { bundleWorkflows } from '../../setup/workflow-bundle';
import { startSimulator, type RunningSimulator } from '../../simulator/server';
import { writeSimulatorSettings } from '../../simulator/settings';
import { signedHeaders } from '../../simulator/sign';
import { openClient } from '../../temporal/open-client';
import { checkUpgrade } from '../../upgrade-check';
import { eventually } from '../setup/eventually';
import { type Ran, runQuietly } from '../setup/run-cli';
import '../setup/time-skipping'; // It sets the SDK's log level, once per process.

const folder = mkdtempSync(join(tmpdir(), 'lost-device-encryption-'));
const keys = join(folder, 'keyring.json');
const bundle = join(folder, 'workflows.js');
let simulator: RunningSimulator;
let file: string;
let webhookSecret: string;
let house: RunningHouse;

/** What would tell. The last three become known to the case by themselves. */
const telling = {
  user: 'pat@example.test',
  serial: 'SN0042',
  hostname: 'LT-0042',
  ticket: 'SECRET-TICKET-77',
  whereHeld: 'on the night train to Ghent',
  refusedAnswer: 'an answer that nobody asked for',
  reason: 'Handed in by the baker of the corner',
  analyst: 'ana-the-analyst',
  sighting: 'in the canteen of the ministry',
  vendorsWords: 'words of a vendor that fails',
  netskopeToken: 'sim-netskope-v2-token',
  entraSecret: 'sim-entra-secret',
  group: 'Lost-Stolen Devices',
  address: '198.51.100.23',
};

const control = async (method: string, path: string, body?: unknown) => {
  const answered = await fetch(`${simulator.url}/control/${path}`, {
    method,
    ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  expect(answered.ok).toBe(true);
};

const decision = (reason: string): Decision => ({
  id: randomUUID(),
  actor: { person: telling.analyst, authenticated: false, how: 'test' },
  reason,
});

const reportOf = (ticket: string, serial: string): Report => ({
  tenant: 'acme',
  ticket: { source: 'generic', id: ticket },
  deliveryId: randomUUID(),
  receivedAt: new Date().toISOString(),
  verified: true,
  device: { serial },
  answers: { kind: 'lost', reporterIsOwner: 'unknown', powered: 'unknown', locked: 'unknown', vip: 'unknown' },
  actor: { person: telling.analyst, authenticated: false, how: 'test' },
});

/** As another process would: a client of its own, with the settings as they are now. */
async function withCases<T>(act: (opened: ReturnType<typeof openHouse>, settings: Settings) => Promise<T>): Promise<T> {
  const settings = await loadSettings(file);
  const connection = await Connection.connect({ address: house.addresses.temporal });
  const opened = openHouse(settings, openClient(settings, connection), false);
  try {
    return await act(opened, settings);
  } finally {
    await closeHouse(opened);
    await connection.close();
  }
}

/** The command line, on the Temporal of the house. */
async function run(...given: string[]): Promise<Ran> {
  process.env.TEMPORAL_ADDRESS = house.addresses.temporal;
  try {
    return await runQuietly(...given, '--settings', file);
  } finally {
    delete process.env.TEMPORAL_ADDRESS;
  }
}

beforeAll(async () => {
  simulator = await startSimulator({ port: 0, seed: 1 });
  const written = writeSimulatorSettings({
    folder,
    simulator: simulator.url,
    tenant: 'acme',
    with: { entra: true },
    pollEveryMs: 500,
    indexEvery: '1s',
    rules: { waits: { retryFirstMs: 200 } },
  });
  ({ file, webhookSecret } = written);
  await writeNewKeyring(keys);
  writeFileSync(file, `encryption: { keys: file:${keys} }\n${readFileSync(file, 'utf8')}`);
  writeFileSync(bundle, await bundleWorkflows('encrypted'));
  house = await startHouse(await loadSettings(file), { workflowBundlePath: bundle });
});

afterAll(async () => {
  await house.stop();
  await simulator.close();
  rmSync(folder, { recursive: true, force: true });
});

test('a case is played from webhook to recovered, and what people type finds it', async () => {
  const { user, serial, hostname, ticket, whereHeld, vendorsWords } = telling;
  // The first response fails once, so that the words of a failure are kept as well.
  await control('POST', 'faults', {
    match: { path: '/api/v2/scim/' },
    times: 2,
    when: 'before',
    effect: { status: 403, body: { detail: `${vendorsWords} about ${user}` } },
  });
  const body = JSON.stringify({
    ticket,
    device: { serial, hostname },
    user,
    report: { kind: 'stolen', lastHeldWhere: whereHeld },
  });
  const taken = await fetch(`${house.addresses.webhooks}/webhooks/tickets/generic`, {
    method: 'POST',
    body,
    headers: signedHeaders(webhookSecret, body, `msg_${randomUUID()}`),
  });
  const workflowId = ((await taken.json()) as { case: string }).case;
  expect(workflowId).toMatch(/^lost-device:acme:[\w-]{22}$/);

  await withCases(async ({ cases }) => {
    const show = async () => (await cases.show(workflowId)) as CaseState;
    await eventually(async () => expect((await show()).steps).not.toEqual({}));
    await control('DELETE', 'faults');
    await eventually(async () => {
      const state = await show();
      if (state.containment.state === 'contained') return;
      await cases.decide(workflowId, retryStep, decision('the vendor is back')).catch(() => undefined);
      throw new Error(`not contained: ${JSON.stringify(state.steps)}`);
    });
    for (const typed of [serial, serial.toLowerCase(), user, hostname, ticket])
      await eventually(async () => expect(await cases.resolve(typed)).toBe(workflowId));

    await control('POST', 'laptop', { serial, do: 'online', place: { city: 'Ghent', ip: telling.address } });
    await eventually(async () => expect((await show()).presence.state).toBe('seen'));

    await expect(
      cases.decide(workflowId, answer, { ...decision(telling.reason), value: telling.refusedAnswer }),
    ).rejects.toThrow(RefusedByRule);
    await cases.decide(workflowId, recovered, decision(telling.reason));
    await eventually(async () => expect((await show()).closedAt).toBeDefined());
  });
});

test('what a workflow throws is on its way in a payload, never as text', async () => {
  const { workflowId } = await withCases(async ({ cases }) =>
    cases.handIn(reportOf('SECOND-1', 'SN0070'), (await loadSettings(file)).tenants.acme!.rules),
  );
  await withCases(async ({ cases, client }) => {
    const service = client.connection.workflowService;
    const seen: unknown[] = [];
    const update = service.updateWorkflowExecution.bind(service);
    Object.assign(service, {
      updateWorkflowExecution: async (request: Parameters<typeof update>[0]) => {
        const response = await update(request);
        seen.push(response.outcome?.failure);
        return response;
      },
    });
    const refused = cases.decide(workflowId, answer, { ...decision('r'), value: telling.refusedAnswer });
    await expect(refused).rejects.toThrow(/answer|asked/);
    expect(seen).toMatchObject([{ message: 'Encoded failure' }]);
    expect(JSON.stringify(seen)).not.toContain('asked');
  });
});

test('after a rotation old cases are read by the old key, and a process of before reads what the new key encrypts', async () => {
  const said = await run('keys', 'rotate', keys, '--json');
  const { current, older } = JSON.parse(said.out) as { current: string; older: string[] };
  expect(older).toHaveLength(1);
  const workflowId = await withCases(async ({ cases }, settings) => {
    expect(settings.encryption?.keyring.current).toBe(current);
    await eventually(async () =>
      expect(await cases.list({ all: true })).toContainEqual(expect.objectContaining({ user: telling.user })),
    );
    const taken = await cases.handIn(reportOf('THIRD-1', 'SN0071'), settings.tenants.acme!.rules);
    return taken.workflowId;
  });
  // The worker began with the old keyring.
  await withCases(async ({ cases }) =>
    eventually(async () => expect(((await cases.show(workflowId)) as CaseState).tickets).toHaveLength(1)),
  );
});

test('the command line reads and decides cases of both keys, and prints no key', async () => {
  const ofCommand = async (...command: string[]) => {
    const { code, out, err } = await run(...command, '--json');
    expect({ command, code, err }).toEqual({ command, code: 0, err: '' });
    return out;
  };
  const both = [
    ['SN0070', 'SECOND-1'],
    ['SN0071', 'THIRD-1'],
  ] as const;
  for (const [serial, ticket] of both) {
    expect(await ofCommand('show', serial)).toContain(ticket);
    await ofCommand('sighting', serial, '--what', telling.sighting);
    expect(await ofCommand('show', serial)).toContain(telling.sighting);
  }
  // Closed, and by the first key.
  expect(await ofCommand('show', telling.serial)).toContain(telling.whereHeld);
  for (const command of [['list', '--all'], ['digest']])
    await eventually(async () => {
      const told = await ofCommand(...command);
      // Once it is identified, the device goes by its hostname.
      for (const number of ['0070', '0071']) expect(told).toMatch(new RegExp(`SN${number}|LT-${number}`));
    });
  const lines = checkSchema.parse(JSON.parse(await ofCommand('check')));
  expect(lines.find(({ id }) => id === 'search-attributes')?.says).toBe('Namespace default has them all.');
  const { keys: secret } = JSON.parse(readFileSync(keys, 'utf8')) as Keyring;
  const settings = await ofCommand('settings', 'show');
  expect(settings).toContain(`"keys":"file:${keys}"`);
  for (const key of Object.values(secret)) expect(settings).not.toContain(key);
});

test('what is open replays by the same code', async () => {
  await withCases(async ({ client }) => {
    const rows = [];
    for await (const row of checkUpgrade(client, bundle)) rows.push(row);
    expect(rows.length).toBeGreaterThan(2);
    expect(rows.filter(({ goesOn }) => !goesOn)).toEqual([]);
  });
});

test('`setup` makes ready what is ready already, and says so', async () => {
  const [first, second] = [await run('setup', '--json'), await run('setup', '--json')];
  expect(first.code).toBe(0);
  expect(second).toEqual(first);
  expect(JSON.parse(first.out)).toEqual({
    namespace: 'default',
    running: [
      'lost-device-fleet-watch:acme:netskope:client-status',
      'lost-device-fleet-watch:acme:netskope:alerts',
      'lost-device-fleet-watch:acme:netskope:events',
      'lost-device-reconciliation:acme',
    ],
    byHand: [],
  });
});

test("Temporal's files hold nothing of it", async () => {
  await house.stop();
  const database = join(folder, 'data', 'temporal');
  const files = readdirSync(database);
  expect(files).toContain('cases.db');
  const bytes = Buffer.concat(files.map((name) => readFileSync(join(database, name))));
  const text = bytes.toString('latin1');
  const folded = text.toLowerCase();
  const { keys: secret } = JSON.parse(readFileSync(keys, 'utf8')) as Keyring;
  const found = Object.entries<string>({ ...telling, ...secret }).flatMap(([name, value]) => [
    ...(folded.includes(value.toLowerCase()) ? [name] : []),
    ...[0, 1, 2].filter((offset) => text.includes(inBase64(value, offset))).map((offset) => `${name} base64 ${offset}`),
  ]);
  expect(found).toEqual([]);
  // The search finds what is there.
  expect(folded).toContain('lostdevicetenant');
  expect(text).toContain('binary/encrypted');
});

/** As it stands in base64 of a longer text, at that alignment: without the letters that its neighbours decide. */
function inBase64(value: string, offset: number): string {
  const whole = Buffer.concat([Buffer.alloc(offset), Buffer.from(value)]);
  const encoded = whole.toString('base64').replace(/=+$/, '');
  return encoded.slice(Math.ceil((offset * 8) / 6), Math.floor((whole.length * 8) / 6));
}
