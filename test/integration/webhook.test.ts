/**
 * The whole house as `up` starts it, with a Temporal server of its own: what comes to its door as a ticket webhook.
 */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { Webhook } from 'standardwebhooks';
import type { CaseSummary } from '../../client/cases';
import { startHouse, type RunningHouse } from '../../house';
import { loadSettings } from '../../settings/load';
import type { CallRecord } from '../../simulator/calls';
import { startSimulator, type RunningSimulator } from '../../simulator/server';
import { writeSimulatorSettings } from '../../simulator/settings';
import { signedHeaders } from '../../simulator/sign';
import { eventually } from '../setup/eventually';
import '../setup/time-skipping'; // It sets the SDK's log level, once per process.

const folder = mkdtempSync(join(tmpdir(), 'lost-device-webhook-'));
let simulator: RunningSimulator;
let house: RunningHouse;
let webhookSecret: string;

beforeAll(async () => {
  simulator = await startSimulator({ port: 0, seed: 1 });
  const written = writeSimulatorSettings({
    folder,
    simulator: simulator.url,
    tenant: 'acme',
    with: {},
    indexEvery: '1s',
  });
  ({ webhookSecret } = written);
  const bundle = process.env.LOST_DEVICE_WORKFLOW_BUNDLE;
  house = await startHouse(await loadSettings(written.file), { ...(bundle && { workflowBundlePath: bundle }) });
});

afterAll(async () => {
  await house.stop();
  await simulator.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Sent {
  id?: string;
  at?: Date;
  signature?: string;
}

async function send(body: string, { id = `msg_${randomUUID()}`, at = new Date(), signature }: Sent = {}) {
  const answer = await fetch(`${house.addresses.webhooks}/webhooks/tickets/generic`, {
    method: 'POST',
    body,
    headers: {
      ...signedHeaders(webhookSecret, body, id, at),
      ...(signature !== undefined && { 'webhook-signature': signature }),
    },
  });
  return { status: answer.status, body: (await answer.json()) as { case?: string; outcome?: string } };
}

const list = async () => (await (await fetch(`${house.addresses.api}/api/cases?all=true`)).json()) as CaseSummary[];
const report = (ticket: string, serial: string) =>
  JSON.stringify({ ticket, device: { serial }, report: { kind: 'stolen' } });

test('what is forged, old, too large or unreadable is refused, and leaves nothing behind', async () => {
  const good = report('BAD-1', 'SN0042');
  const foreign = new Webhook(`whsec_${Buffer.alloc(24, 7).toString('base64')}`);
  const now = new Date();
  const statuses = {
    forged: (await send(good, { id: 'msg_1', at: now, signature: foreign.sign('msg_1', now, good) })).status,
    unsigned: (await send(good, { signature: '' })).status,
    old: (await send(good, { at: new Date(Date.now() - 10 * 60_000) })).status,
    large: (await send(JSON.stringify({ ticket: 'BAD-2', filler: 'x'.repeat(2_000_000) }))).status,
    unreadable: (await send('ticket=BAD-3')).status,
  };
  expect(statuses).toEqual({ forged: 401, unsigned: 401, old: 401, large: 413, unreadable: 400 });
  expect((await fetch(`${house.addresses.webhooks}/api/cases`)).status).toBe(404);
  await setTimeout(1_200); // Visibility lags a moment behind.
  expect(await list()).toEqual([]);
  const calls = (await (await fetch(`${simulator.url}/control/calls`)).json()) as CallRecord[];
  expect(calls.filter(({ changed }) => changed !== null)).toEqual([]);
});

test('a good one sent 50 times at once, and again with other delivery ids, is one case and one containment', async () => {
  const body = report('GOOD-1', 'SN0042');
  const same = await Promise.all(Array.from({ length: 50 }, () => send(body, { id: 'msg_the_same' })));
  const other = await Promise.all(Array.from({ length: 10 }, () => send(body)));
  const workflowId = 'lost-device:acme:SN0042';
  expect(new Set([...same, ...other].map((answer) => answer.body.case))).toEqual(new Set([workflowId]));
  expect([...same, ...other].every(({ status }) => status === 200 || status === 202)).toBe(true);

  const changes = async () =>
    ((await (await fetch(`${simulator.url}/control/calls`)).json()) as CallRecord[]).flatMap(({ changed }) =>
      changed === null ? [] : [changed],
    );
  await eventually(async () => expect(await changes()).not.toEqual([]));
  await setTimeout(1_000);
  expect(await changes()).toEqual(['netskope: pat@example.test added to group Lost-Stolen Devices']);
  await eventually(async () =>
    expect(await list()).toMatchObject([{ workflowId, kind: 'case', running: true, containment: 'contained' }]),
  );
});
