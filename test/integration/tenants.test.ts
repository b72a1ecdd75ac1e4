/**
 * One house for two companies, each with vendors of its own: the same laptop of the same name is lost at both, and nothing of
 * the one reaches the other.
 */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import type { CaseSummary } from '../../client/cases';
import { startHouse, type RunningHouse } from '../../house';
import type { CaseState } from '../../playbook/case';
import { loadSettings } from '../../settings/load';
import type { CallRecord } from '../../simulator/calls';
import { startSimulator, type RunningSimulator } from '../../simulator/server';
import { writeSimulatorSettings } from '../../simulator/settings';
import { signedHeaders } from '../../simulator/sign';
import { startTemporalServer, type TemporalServer } from '../../temporal/server';
import { eventually } from '../setup/eventually';
import { runQuietly } from '../setup/run-cli';
import '../setup/time-skipping'; // It sets the SDK's log level, once per process.

const folder = mkdtempSync(join(tmpdir(), 'lost-device-tenants-'));
const file = join(folder, 'lost-device.yaml');
const ofAcme = 'lost-device:acme:SN0042';
const ofGlobex = 'lost-device:globex:SN0042';
let vendors: { acme: RunningSimulator; globex: RunningSimulator };
let temporal: TemporalServer;
let house: RunningHouse;
/** The secrets of the senders, by their doors. */
let doors: Record<string, string>;

interface Written {
  tenants: Record<string, { plugins: Record<string, unknown>; guard?: object }>;
}

/** Acme: Netskope, Entra and Falcon. Globex: Netskope and Intune, and at most one containment an hour without a person. */
beforeAll(async () => {
  const [acme, globex, server] = await Promise.all([
    startSimulator({ port: 0, seed: 1 }),
    startSimulator({ port: 0, seed: 1, devices: 3 }),
    startTemporalServer({ port: 0, namespace: 'default' }),
  ]);
  vendors = { acme, globex };
  temporal = server;
  const shared = { pollEveryMs: 300, indexEvery: '300ms', reconcileEvery: '1d', temporal: server.address };
  const one = writeSimulatorSettings({
    ...shared,
    folder: join(folder, 'acme'),
    simulator: acme.url,
    tenant: 'acme',
    with: { entra: true, crowdstrike: true },
  });
  const other = writeSimulatorSettings({
    ...shared,
    folder: join(folder, 'globex'),
    simulator: globex.url,
    tenant: 'globex',
    with: { intune: true },
    guard: { containmentsPerHour: 1 },
  });
  const [first, second] = [one, other].map((part) => parse(readFileSync(part.file, 'utf8')) as Written);
  const { generic, ...products } = second?.tenants.globex?.plugins ?? {};
  const tenants = {
    ...first?.tenants,
    globex: { ...second?.tenants.globex, plugins: { ...products, door: generic } },
  };
  writeFileSync(file, stringify({ ...first, tenants }), { mode: 0o600 });
  doors = { generic: one.webhookSecret, door: other.webhookSecret };
  const bundle = process.env.LOST_DEVICE_WORKFLOW_BUNDLE;
  house = await startHouse(await loadSettings(file), { ...(bundle && { workflowBundlePath: bundle }) });
});

afterAll(async () => {
  await house.stop();
  await temporal.stop();
  await Promise.all([vendors.acme.close(), vendors.globex.close()]);
  rmSync(folder, { recursive: true, force: true });
});

/** A ticket at one door, signed by the sender of the same or of another one. */
async function send(door: string, serial: string, signedBy = door) {
  const body = JSON.stringify({ ticket: `LOST-${serial}`, device: { serial }, report: { kind: 'lost' } });
  const answer = await fetch(`${house.addresses.webhooks}/webhooks/tickets/${door}`, {
    method: 'POST',
    body,
    headers: signedHeaders(doors[signedBy] ?? '', body, `msg_${randomUUID()}`),
  });
  return { status: answer.status, body: (await answer.json()) as { case?: string } };
}

const caseOf = async (id: string) =>
  (await (await fetch(`${house.addresses.api}/api/cases/${encodeURIComponent(id)}`)).json()) as CaseState;

const callsAt = async ({ url }: RunningSimulator) =>
  (await (await fetch(`${url}/control/calls`)).json()) as CallRecord[];
const changesAt = async (vendor: RunningSimulator) =>
  (await callsAt(vendor)).flatMap(({ changed }) => (changed === null ? [] : [changed]));
const control = (vendor: RunningSimulator, path: string, body: object) =>
  fetch(`${vendor.url}/control/${path}`, { method: 'POST', body: JSON.stringify(body) });

async function cli(...given: string[]): Promise<{ code: number; rows: Record<string, unknown>[]; err: string }> {
  const { code, out, err } = await runQuietly(...given, '--json', '--settings', file);
  return { code, rows: out === '' ? [] : (JSON.parse(out) as Record<string, unknown>[]), err };
}

test('a ticket of one company opens a case there, and the other one hears no word of it', async () => {
  expect((await send('door', 'SN0042', 'generic')).status).toBe(401);
  expect(await send('generic', 'SN0042')).toMatchObject({ status: 202, body: { case: ofAcme } });
  await eventually(async () => expect(await caseOf(ofAcme)).toMatchObject({ containment: { state: 'contained' } }));
  // Sessions are revoked after the move, so by then everything is done.
  await eventually(async () =>
    expect((await changesAt(vendors.acme)).some((change) => change.startsWith('entra: '))).toBe(true),
  );
  expect(await callsAt(vendors.globex)).toEqual([]);
});

test('the same laptop at the other company is another case, with a guard, a hold and vendors of its own', async () => {
  const before = await changesAt(vendors.acme);
  expect(await send('door', 'SN0042')).toMatchObject({ status: 202, body: { case: ofGlobex } });
  await eventually(async () => expect(await caseOf(ofGlobex)).toMatchObject({ containment: { state: 'contained' } }));
  expect(await changesAt(vendors.globex)).toEqual(['netskope: pat@example.test added to group Lost-Stolen Devices']);
  expect(await changesAt(vendors.acme)).toEqual(before);

  // What a person means must be one of them.
  await eventually(async () => {
    const { code, err } = await cli('show', 'SN0042');
    expect(code).toBe(3);
    expect(err).toContain('"SN0042" fits 2 cases');
  });
});

test('the cap of one guard counts its own containments only, and a freeze is of one company', async () => {
  // Globex had the one that is automatic.
  expect((await send('door', 'SN1001')).status).toBe(202);
  const asked = await eventually(async () => {
    const state = await caseOf('lost-device:globex:SN1001');
    expect(state.questions).toHaveLength(1);
    return state;
  });
  expect(asked.containment.state).toBe('none');

  const frozen = await cli('freeze', '--tenant', 'globex', '--reason', 'because of the test');
  expect(frozen.rows).toMatchObject([{ tenant: 'globex' }]);
  const { rows } = await cli('guard');
  expect(rows).toMatchObject([
    { tenant: 'acme', state: 'open', containments: { lastHour: 1, perHour: 5 } },
    { tenant: 'globex', state: 'frozen', containments: { lastHour: 1, perHour: 1 } },
  ]);
});

test('a sign of the laptop at one company is news for its own case only', async () => {
  const heard = ({ presence: { state, count, last } }: CaseState) => ({ state, count, last });
  const before = heard(await caseOf(ofAcme));
  const feeds = ['clientstatus', 'alert'];
  const reads = async () =>
    (await callsAt(vendors.acme)).filter(({ path }) => feeds.some((feed) => path.includes(`datasearch/${feed}`)))
      .length;
  await control(vendors.globex, 'laptop', { serial: 'SN0042', do: 'online', place: 'cafe' });
  await eventually(async () => expect(await caseOf(ofGlobex)).toMatchObject({ presence: { state: 'seen' } }));
  // Acme's feeds are read on, and have nothing to tell.
  const count = await reads();
  await eventually(async () => expect(await reads()).toBeGreaterThan(count + 4));
  expect(heard(await caseOf(ofAcme))).toEqual(before);
  const { rows } = await cli('feeds');
  expect(rows.map(({ tenant, plugin }) => [tenant, plugin])).toEqual(
    expect.arrayContaining([
      ['acme', 'netskope'],
      ['acme', 'crowdstrike'],
      ['globex', 'netskope'],
      ['globex', 'intune'],
    ]),
  );
  expect(rows.filter(({ plugin }) => plugin === 'intune').map(({ tenant }) => tenant)).toEqual(['globex']);
});

test('the check and the digest tell of each company by itself', async () => {
  const stops = async () =>
    (await cli('check')).rows
      .filter(({ result }) => result === 'stops')
      .map(({ tenant, id }) => `${String(tenant)} ${String(id)}`);
  const before = await stops();
  await control(vendors.globex, 'prerequisites', { id: 'netskope-alerts', broken: true });
  expect((await stops()).filter((line) => !before.includes(line))).toEqual(['globex netskope-alerts']);
  expect(new Set((await cli('check', '--tenant', 'acme')).rows.map(({ tenant }) => tenant))).toEqual(new Set(['acme']));

  const attested = ['attest', 'netskope-endpoint-dlp', '--evidence', 'seen', '--expires', '30d'];
  expect((await cli(...attested, '--tenant', 'acme')).code).toBe(0);
  const known = (await cli('check')).rows.filter(({ id }) => id === 'netskope-endpoint-dlp');
  expect(known.map(({ tenant, result }) => [tenant, result])).toEqual([
    ['acme', 'well'],
    ['globex', 'warns'],
  ]);

  await eventually(async () => {
    const listed = (await cli('list', '--tenant', 'globex')).rows as unknown as CaseSummary[];
    expect(listed.map(({ workflowId }) => workflowId).sort()).toEqual([ofGlobex, 'lost-device:globex:SN1001']);
    const { cases } = (await cli('digest', '--tenant', 'acme')).rows as unknown as { cases: CaseSummary[] };
    expect(cases.map(({ workflowId }) => workflowId)).toEqual([ofAcme]);
  });
});
