/** Two device managements beside each other: whichever has the one enrolment locks and wipes it, and two have it for nobody. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { createMeasureActivities, type MeasureReading } from '../../activities/measures';
import { createWipeActivities } from '../../activities/wipe';
import type { House } from '../../activities/house';
import { closeHouse, openHouse } from '../../open-house';
import type { ManagedDevice } from '../../playbook/device';
import type { WipePlan } from '../../playbook/wipe';
import { loadSettings } from '../../settings/load';
import { startSimulator, type RunningSimulator } from '../../simulator/server';
import { writeSimulatorSettings } from '../../simulator/settings';

const now = '2026-11-20T23:30:00Z';
const serial = 'SN0070';
const folders: string[] = [];

/** A house of its own; nothing here reaches a case. */
async function open(): Promise<{ simulator: RunningSimulator; house: House }> {
  const folder = mkdtempSync(join(tmpdir(), 'one-enrolment-test-'));
  folders.push(folder);
  const simulator = await startSimulator({ port: 0, seed: 1, devices: 1, now });
  const given = { folder, simulator: simulator.url, tenant: 'acme' };
  const { file } = writeSimulatorSettings({ ...given, with: { intune: true, secrets: true } });
  const client = new Client({ connection: Connection.lazy({ address: '127.0.0.1:9' }) });
  return { simulator, house: openHouse(await loadSettings(file), client, false) };
}

let first: Awaited<ReturnType<typeof open>>;
let second: Awaited<ReturnType<typeof open>>;
beforeAll(async () => {
  [first, second] = await Promise.all([open(), open()]);
  const { managements } = second.house.tenant('acme');
  first.house.tenant('acme').managements.set('other', managements.get('intune')!);
});
afterAll(async () => {
  for (const { house, simulator } of [first, second]) {
    await closeHouse(house);
    await simulator.close();
  }
  for (const folder of folders) rmSync(folder, { recursive: true });
});

const device: ManagedDevice = { source: 'netskope', serial, client: 'enabled' };
/** Failures that a test expects are not its output. */
const quietly = () => new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
const readLock = (): Promise<MeasureReading> =>
  quietly().run(createMeasureActivities(first.house).readMeasure, {
    tenant: 'acme',
    now,
    measure: 'lock' as const,
    device,
  });
const prepare = (): Promise<WipePlan> =>
  quietly().run(createWipeActivities(first.house).prepareWipe, {
    tenant: 'acme',
    now,
    chain: 'lost-device:acme:SN0070~run',
    number: 1,
    device,
  });

test('where two have it nobody knows which is meant; where only the second has it, that one locks and wipes', async () => {
  const conflict = {
    code: 'LDP_CONFLICT',
    message: expect.stringMatching(/ 2 enrolments \(intune .*, other .*\)/) as string,
  };
  await expect(readLock()).rejects.toMatchObject(conflict);
  await expect(prepare()).rejects.toMatchObject(conflict);

  const deleted = await fetch(`${first.simulator.url}/control/intune`, {
    method: 'POST',
    body: JSON.stringify({ serial, do: 'delete' }),
  });
  expect(deleted.ok).toBe(true);
  expect(await readLock()).toMatchObject({ offered: true, present: false });
  const call = { signal: new AbortController().signal, now };
  const { managements, archive } = first.house.tenant('acme');
  const other = managements.get('other')!;
  const [record] = await other.findRecords({ serial }, call);
  await other.lock(record!, { justification: 'Found by hand.', message: 'Call us.' }, call);
  expect(await readLock()).toMatchObject({ present: true });

  const plan = await prepare();
  expect(plan.plugin).toBe('other');
  const evidence = Buffer.from((await archive.get(plan.evidence, call))!).toString('utf8');
  expect(JSON.parse(evidence)).toMatchObject({ enrolment: { id: record!.id }, commands: [{ command: 'lock' }] });
});
