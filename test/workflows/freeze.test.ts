/**
 * What persons do on the command line about wipes: the freeze that stops them all, the guard's own words, and the evidence.
 */
import { join } from 'node:path';
import { createPermits } from '../../activities/admission';
import type { GuardRow } from '../../client/guard';
import { evidenceListSchema, guardListSchema } from '../../playbook/schemas/answers';
import { eventually } from '../setup/eventually';
import { runQuietly } from '../setup/run-cli';
import { startTestHouse, tenant, type TestHouse } from '../setup/test-house';
import { fastForward } from '../setup/time-skipping';

let house: TestHouse;
beforeAll(async () => {
  house = await startTestHouse({ with: { entra: false, servicenow: false } });
});
afterAll(() => house.close());
afterEach(async () => expect(await house.wrongs()).toEqual([]));

const cli = (...given: string[]) =>
  runQuietly('--as', 'ana', ...given, '--settings', join(house.folder, 'lost-device.yaml'));

async function guard(): Promise<GuardRow> {
  const { out, err } = await cli('guard', '--json');
  expect(err).toBe('');
  const [row] = guardListSchema.parse(JSON.parse(out));
  if (row === undefined) throw new Error('the settings have a tenant');
  return row;
}

const ask = (id: string) => {
  const request = { id, what: 'wipe' as const, at: new Date().toISOString(), perHour: 3, perDay: 10, dryRun: false };
  return createPermits(house.client)(tenant, request);
};

test('one command stops everything before the first case, says who and why, and one lets it go on', async () => {
  expect(await guard()).toMatchObject({ state: 'open', wipes: { lastHour: 0, perHour: 3 }, permits: [] });
  expect(await cli('unfreeze', '--reason', 'x')).toMatchObject({ code: 3, err: 'Nothing is frozen.\n' });
  expect(await cli('freeze')).toMatchObject({ code: 3, err: 'A freeze needs a reason.\n' });
  expect(await cli('freeze', '--tenant', 'nobody', '--reason', 'x')).toMatchObject({ code: 2 });

  const frozen = await cli('freeze', '--reason', 'an account was taken over');
  expect(frozen).toMatchObject({ code: 0, err: '' });
  expect(frozen.out).toMatch(/^acme: Frozen by ana since .*: no wipe, lock or isolation leaves\.\n$/);
  expect(await guard()).toMatchObject({ state: 'frozen', frozen: { who: 'ana', reason: 'an account was taken over' } });
  expect(await ask('lost-device:acme:SN1~run#wipe-1.1')).toMatchObject({ granted: false, because: 'frozen' });

  // It outlives the worker.
  await house.stopWorker();
  await house.startWorkerAgain();
  await eventually(async () => expect((await guard()).state).toBe('frozen'));

  expect(await cli('unfreeze', '--reason', 'it was a drill')).toMatchObject({ code: 0 });
  expect(await ask('lost-device:acme:SN1~run#wipe-1.1')).toMatchObject({ granted: true });
  expect(await guard()).toMatchObject({
    state: 'open',
    wipes: { lastHour: 1, lastDay: 1 },
    permits: [{ workflowId: 'lost-device:acme:SN1' }],
  });
});

test('without a worker a freeze is stored, and holds before anything can leave', async () => {
  await house.stopWorker();
  try {
    const { code, err, out } = await cli('freeze', '--reason', 'nobody is there');
    expect([code, err]).toEqual([0, '']);
    expect(out).toContain('Stored for acme: no worker runs now');
    expect(await guard()).toMatchObject({ state: 'not known', permits: [] });
  } finally {
    await house.startWorkerAgain();
  }
  await eventually(async () =>
    expect(await guard()).toMatchObject({ state: 'frozen', frozen: { reason: 'nobody is there' } }),
  );
  await cli('unfreeze', '--reason', 'over');
});

test('a wipe is asked for, cannot be approved before it is prepared, and is refused; what was kept is listed and printed', async () => {
  const { serial, workflowId } = house.laptop();
  await house.report({ ticket: 'WIPE-1', device: { serial } });
  await house.untilContained(workflowId);

  expect(await cli('request-wipe', serial)).toMatchObject({ code: 3, err: 'A wipe needs a reason.\n' });
  const held = await cli('request-wipe', serial, '--legal-hold', 'yes', '--reason', 'it is gone');
  expect(held).toMatchObject({ code: 3 });
  expect(held.err).toMatch(/^The decision tree says do not wipe: A legal hold forbids it\. /);
  const asked = await cli('request-wipe', serial, '--when-offline', 'queue-at-vendor', '--reason', 'it is gone');
  expect(asked).toMatchObject({ code: 0 });
  // No device management stands in these settings: a person sees why it is not prepared.
  await house.untilCase(workflowId, 'stuck', ({ steps }) => steps['prepare the wipe']?.state === 'stuck');
  const { out } = await cli('show', serial);
  expect(out).toContain('contained, wipe requested.\n');
  expect(out).toContain('\nWipe: requested\n  Asked for by ana; it is being prepared.\n');
  expect(await cli('approve-wipe', serial, '--as', 'ben')).toMatchObject({
    code: 3,
    err: 'It is still being prepared: look at what it would wipe, and approve then.\n',
  });
  expect(await cli('refuse-wipe', serial)).toMatchObject({ code: 3, err: 'Not wiping needs a reason.\n' });
  expect(await cli('refuse-wipe', serial, '--reason', 'it is encrypted')).toMatchObject({ code: 0 });
  expect(await cli('cancel-wipe', serial, '--reason', 'x')).toMatchObject({
    code: 3,
    err: 'No wipe is under way in this case.\n',
  });
  expect(await cli('lock', serial)).toMatchObject({ code: 3, err: 'A lock needs a reason.\n' });
  expect(await cli('release', serial)).toMatchObject({ code: 3, err: 'This case has not isolated the device.\n' });

  const rows = evidenceListSchema.parse(JSON.parse((await cli('evidence', serial, '--json')).out));
  const baseline = rows.find(({ kind }) => kind === 'baseline');
  expect(baseline?.key).toMatch(
    new RegExp(`^cases/lost-device_3a_acme_3a_${serial}_7e_[-0-9a-f]{36}/baseline\\.json$`),
  );
  const printed = await cli('evidence', serial, 'baseline.json');
  expect(printed).toMatchObject({ code: 0 });
  expect(JSON.parse(printed.out)).toEqual(
    JSON.parse((await cli('evidence', serial, baseline?.key ?? '', '--json')).out),
  );
  expect(await cli('evidence', serial, 'nothing.json')).toMatchObject({ code: 3 });
  expect(await cli('evidence', 'SN-OF-NOBODY')).toMatchObject({ code: 3 });
});

test('two persons and a permit: the approver reads what would be wiped, it leaves, and says that nobody can take it back', async () => {
  const wiping = await startTestHouse({ with: { entra: false, servicenow: false, intune: true } });
  const before = house;
  house = wiping;
  try {
    wiping.house.tenant(tenant).settings.wipe.dryRun = false;
    const { serial, workflowId } = wiping.laptop();
    await wiping.report({ ticket: 'WIPE-2', device: { serial } });
    await wiping.untilContained(workflowId);
    const why = ['--when-offline', 'queue-at-vendor', '--reason', 'taken from the car'];
    expect(await cli('request-wipe', serial, ...why)).toMatchObject({ code: 0 });
    await wiping.untilCase(workflowId, 'prepared', ({ wipe }) => wipe.plan !== undefined);
    expect((await cli('show', serial)).out).toContain('\n  Asked for by ana; another person must approve it. ');

    const alone = await cli('approve-wipe', serial);
    expect(alone).toMatchObject({ code: 3, err: 'The request is by ana: another person must approve.\n' });
    // It is read before anything is sent, so also where it is refused.
    expect(alone.out).toMatch(/^Lost laptop .*\nAsked for by ana .*: taken from the car\n {2}intune record /);
    await cli('freeze', '--reason', 'wait');
    const approved = await cli('approve-wipe', serial, '--as', 'ben');
    expect(approved).toMatchObject({ code: 0 });
    expect(approved.out).toMatch(/Once it has left, intune cannot take it back\..*\n\nApproved\. /);
    await wiping.untilCase(workflowId, 'held', ({ wipe }) => wipe.held?.by === 'the guard');
    expect((await cli('show', serial)).out).toContain('Approved, and held by the guard: Frozen by ana since ');
    expect((await guard()).permits).toEqual([]);
    expect(await wiping.changes('intune')).toEqual([]);

    await cli('unfreeze', '--reason', 'go on');
    await fastForward(wiping.handle(workflowId), 'the guard is asked again', 16 * 60_000);
    await wiping.untilCase(workflowId, 'queued', ({ wipe }) => wipe.state === 'queued');
    expect(await wiping.changes('intune')).toEqual([`intune: wipe of ${serial} accepted`]);
    expect((await cli('show', serial)).out).toContain('\nWipe: queued\n  It waits at intune for the device since ');
    expect(await guard()).toMatchObject({ wipes: { lastHour: 1 }, permits: [{ workflowId }] });
    expect(await cli('cancel-wipe', serial, '--reason', 'she has it')).toMatchObject({
      code: 0,
      out: 'It cannot be cancelled: it waits at the vendor, and there is no way to take it back.\n',
    });
    const rows = evidenceListSchema.parse(JSON.parse((await cli('evidence', serial, '--json')).out));
    expect(rows.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['baseline', 'evidence', 'wipe intent']));
    const evidence = await cli('evidence', serial, 'evidence/00000001.json');
    expect(JSON.parse(evidence.out)).toMatchObject({ enrolment: { names: { serial } } });
  } finally {
    house = before;
    await wiping.close();
  }
});
