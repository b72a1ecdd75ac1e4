/**
 * Many laptops are reported lost at once, as after a burglary or by somebody who forges tickets: every report is stored, none
 * twice; the guard lets its cap through and asks a person for the rest. 1,000 of them are `npm run bench -- limits`.
 */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { CaseSummary } from '../../client/cases';
import { startHouse, type RunningHouse } from '../../house';
import { loadSettings } from '../../settings/load';
import type { CallRecord } from '../../simulator/calls';
import { startSimulator, type RunningSimulator } from '../../simulator/server';
import { writeSimulatorSettings } from '../../simulator/settings';
import { signedHeaders } from '../../simulator/sign';
import '../setup/time-skipping'; // It sets the SDK's log level, once per process.

const losses = 60;
const cap = 5;
const patienceMs = 120_000;

const folder = mkdtempSync(join(tmpdir(), 'lost-device-burst-'));
let simulator: RunningSimulator;
let house: RunningHouse;
let secret: string;

beforeAll(async () => {
  simulator = await startSimulator({ port: 0, seed: 1, devices: losses });
  const { file, webhookSecret } = writeSimulatorSettings({
    folder,
    simulator: simulator.url,
    tenant: 'acme',
    with: {},
    guard: { containmentsPerHour: cap },
  });
  secret = webhookSecret;
  const bundle = process.env.LOST_DEVICE_WORKFLOW_BUNDLE;
  house = await startHouse(await loadSettings(file), { ...(bundle && { workflowBundlePath: bundle }) });
});

afterAll(async () => {
  await house.stop();
  await simulator.close();
  rmSync(folder, { recursive: true, force: true });
});

test(`${losses} losses at once are ${losses} cases: ${cap} are contained, a person is asked for the rest`, async () => {
  const reports = Array.from({ length: losses }, (_, n) => ({
    id: `msg_${randomUUID()}`,
    body: JSON.stringify({ ticket: `BURST-${n}`, device: { serial: `SN${1001 + n}` }, report: { kind: 'stolen' } }),
  }));
  const send = async ({ id, body }: { id: string; body: string }) => {
    const headers = signedHeaders(secret, body, id);
    const answer = await fetch(`${house.addresses.webhooks}/webhooks/tickets/generic`, {
      method: 'POST',
      body,
      headers,
    });
    return { status: answer.status, ...((await answer.json()) as { case: string; outcome: string }) };
  };
  // A desk that heard nothing in time sends each again.
  const answers = await Promise.all(reports.flatMap((report) => [send(report), send(report)]));
  expect(answers.filter(({ status }) => status === 202)).toHaveLength(losses);
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(losses);
  expect(new Set(answers.map((answer) => answer.case)).size).toBe(losses);

  const cases = async () => (await (await fetch(`${house.addresses.api}/api/cases?all=true`)).json()) as CaseSummary[];
  const settled = ({ containment, needs }: CaseSummary) => containment === 'contained' || needs === 'person';
  let all = await cases();
  for (const endMs = Date.now() + patienceMs; all.filter(settled).length < losses; all = await cases()) {
    if (Date.now() > endMs) throw new Error(`${all.filter(settled).length} of ${losses} cases have settled`);
    await setTimeout(500);
  }
  expect(new Set(all.map(({ workflowId }) => workflowId))).toEqual(new Set(answers.map((answer) => answer.case)));
  expect(all).toHaveLength(losses);
  expect(all.every(({ running, tickets }) => running && tickets?.length === 1)).toBe(true);
  expect(all.filter(({ containment }) => containment === 'contained')).toHaveLength(cap);

  const calls = (await (await fetch(`${simulator.url}/control/calls`)).json()) as CallRecord[];
  const changes = calls.flatMap(({ changed }) => changed ?? []);
  expect(changes).toHaveLength(cap);
  expect(new Set(changes).size).toBe(cap);
});
