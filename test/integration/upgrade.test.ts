/**
 * Cases outlive the code that began them: what an earlier version started goes on with this one, and what would not is
 * found before this one runs.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { runCli } from '../../cli/program';
import { upgradeCheckSchema } from '../../playbook/schemas/answers';
import { bundleWorkflows } from '../../setup/workflow-bundle';
import { checkUpgrade, type UpgradeRow } from '../../upgrade-check';
import { startWorker } from '../../worker';
import { workflowIds } from '../../workflows/ids';
import {
  answer,
  approveWipe,
  falseAlarm,
  recovered,
  replaceDevice,
  reportSighting,
  requestWipe,
  writeOff,
} from '../../workflows/messages';
import { bundleOtherVersion, patchesOfToday, withPatches } from '../setup/other-version';
import { analyst, startTestHouse, tenant, type Laptop, type TestHouse } from '../setup/test-house';

jest.setTimeout(240_000);

const root = join(__dirname, '..', '..');
const today = process.env.LOST_DEVICE_WORKFLOW_BUNDLE ?? '';
const minuteMs = 60_000;
const stolen = { kind: 'stolen' } as const;
const folder = mkdtempSync(join(tmpdir(), 'lost-device-upgrade-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** As people run it: in a process of its own, with the code as it stands here. */
function runCheck(house: TestHouse, ...more: string[]): Promise<{ exitCode: number; out: string; err: string }> {
  const settings = join(house.folder, 'lost-device.yaml');
  const given = ['--import', 'tsx', 'cli.ts', 'upgrade', '--settings', settings, ...more];
  return new Promise((resolve) =>
    execFile(process.execPath, given, { cwd: root }, (error, out, err) =>
      resolve({ exitCode: error === null ? 0 : Number(error.code), out, err }),
    ),
  );
}

/** What `upgrade --check` of another version would say, by kind, in the order of kinds. */
async function stoppedBy(bundle: string, house: TestHouse): Promise<[kind: string, because: string, todo: string][]> {
  const rows: UpgradeRow[] = [];
  for await (const row of checkUpgrade(house.client, bundle)) rows.push(row);
  return rows
    .filter(({ goesOn }) => !goesOn)
    .map(({ kind, because = '', todo = '' }): [string, string, string] => [kind, because, todo])
    .sort();
}

/** Visibility lags a moment behind. */
async function untilListed({ house }: TestHouse, wanted: string): Promise<void> {
  for (const endMs = Date.now() + 60_000; ; await setTimeout(100)) {
    if ((await house.cases.list()).some(({ workflowId }) => workflowId === wanted)) return;
    if (Date.now() > endMs) throw new Error(`${wanted} is not listed`);
  }
}

const decision = (reason: string) => ({ id: reason, actor: analyst, reason });

/**
 * Each landed state of the workflows with the changes that it knew: the markers of its recorded histories. Without those
 * that know no more than one before, or all that we know today.
 */
function landedStates(): [state: string, patches: string[]][] {
  const recorded = join(root, 'test/histories/recorded');
  const states = readdirSync(recorded).map((state): [string, string[]] => {
    const texts = readdirSync(join(recorded, state)).map((file) => readFileSync(join(recorded, state, file), 'utf8'));
    const marks = texts
      .flatMap((text) => [...text.matchAll(/"patch-data":.*?"data":"([^"]+)"/g)])
      .map(([, base64 = '']) => JSON.parse(Buffer.from(base64, 'base64').toString('utf8')) as { id: string });
    return [state, [...new Set(marks.map(({ id }) => id))].sort()];
  });
  return states.filter(
    ([, patches], index) =>
      patches.length < patchesOfToday().length &&
      states.findIndex(([, others]) => others.join() === patches.join()) === index,
  );
}

describe.each(landedStates())('begun by an earlier version, which knew no change since %s', (_, patches) => {
  let house: TestHouse;
  let bundle: string;
  beforeAll(async () => {
    bundle = await bundleOtherVersion({ folder, change: withPatches(patches) });
    house = await startTestHouse({
      with: { entra: true, servicenow: true, intune: true, crowdstrike: true, secrets: true },
      guard: { protectedUsers: ['user0001@example.test'] },
      rules: { wipe: { waits: { settleMs: 300, lookFirstMs: 300, lookMaxMs: 600, askEveryMs: 400 } } },
      wipe: { dryRun: false, approvers: ['ben'] },
      work: (...given) => startWorker(...given, bundle),
    });
  });
  afterAll(() => house.close());

  const reported = async (laptop: Laptop, answers = {}) => {
    await house.report({ ticket: `T-${laptop.serial}`, device: { serial: laptop.serial }, answers });
    return laptop;
  };
  const contained = async (answers = {}) => {
    const laptop = await reported(house.laptop(), answers);
    await house.untilContained(laptop.workflowId);
    return laptop;
  };

  /** A protected user: people are asked whether to contain. */
  async function asked() {
    const laptop = await reported(house.laptop());
    await house.untilCase(laptop.workflowId, 'a question', ({ questions }) => questions.length > 0);
    return laptop;
  }

  /** Asked for, approved, and held by a freeze. */
  async function aboutToBeWiped() {
    const laptop = await contained(stolen);
    const { workflowId } = laptop;
    await house.house.guards.freeze(tenant, decision('an upgrade'));
    await house.decide(workflowId, requestWipe, {});
    await house.untilCase(workflowId, 'prepared', ({ wipe }) => wipe.plan !== undefined);
    await house.decide(workflowId, approveWipe, { actor: { ...analyst, person: 'ben' } });
    await house.untilCase(workflowId, 'held', ({ wipe }) => wipe.held?.by === 'the guard');
    return laptop;
  }

  /** The user has a replacement; the laptop is contained again when it shows up. */
  async function replaced() {
    const laptop = await contained();
    await house.decide(laptop.workflowId, replaceDevice, {});
    await house.untilCase(laptop.workflowId, 'released', ({ containment }) => containment.armed);
    return laptop;
  }

  /** Written off, where the earlier version could do that, and listened for. */
  async function gone() {
    const laptop = await contained();
    if (patches.includes('ladder')) {
      await house.decide(laptop.workflowId, writeOff, {});
      await house.untilCase(laptop.workflowId, 'listening', ({ listening }) => listening !== undefined);
    }
    return laptop;
  }

  /** A ticket that names nobody. */
  async function inTriage() {
    const { number } = await house.ticket({});
    const { workflowId } = await house.report({ source: 'servicenow', ticket: number });
    await house.untilTriage(workflowId, 'a question', ({ question }) => question !== undefined);
    return workflowId;
  }

  /** Its sessions are not revoked: the directory takes nothing. */
  async function failing() {
    await house.fault({ match: { method: 'POST', path: '/v1.0/users/' }, times: 'always', effect: { status: 503 } });
    const laptop = await reported(house.laptop(), stolen);
    await house.untilCase(
      laptop.workflowId,
      'contained, and failing',
      ({ containment: { state }, steps }) =>
        state === 'contained' && Object.values(steps).some((step) => step.state === 'failing'),
    );
    return laptop;
  }

  test('every case is found to go on, and does: to its end, with nothing doubled', async () => {
    const begun = {
      asked: await asked(),
      wiped: await aboutToBeWiped(),
      replaced: await replaced(),
      gone: await gone(),
      failing: await failing(),
    };
    const triage = await inTriage();
    await house.reconcile();
    await house.stopWorker();
    // Nobody works: nothing was done for this one yet.
    const cases = { ...begun, waiting: await reported(house.laptop()) };
    await untilListed(house, cases.waiting.workflowId);

    const { exitCode, out, err } = await runCheck(house, '--check', '--json');
    const rows = upgradeCheckSchema.parse(JSON.parse(out));
    expect({ stopping: rows.filter(({ goesOn }) => !goesOn), exitCode }).toEqual({ stopping: [], exitCode: 0 });
    expect(err).toMatch(/^(Replayed \d+ of about \d+; 0 would stand still\.\n)*$/);
    expect(rows.map(({ workflowId }) => workflowId)).toEqual(
      expect.arrayContaining([
        ...Object.values(cases).map(({ workflowId }) => workflowId),
        triage,
        workflowIds.guard(tenant),
        workflowIds.userHold(tenant, cases.failing.user),
        workflowIds.fleetWatch(tenant, 'netskope', 'client-status'),
      ]),
    );

    bundle = today;
    await house.startWorkerAgain();
    await house.clearFaults();
    const found = house.laptop();
    await house.decide(triage, answer, { value: found.serial });
    await house.decide(cases.asked.workflowId, answer, { value: 'yes' });
    await house.decide(cases.gone.workflowId, reportSighting, { at: new Date().toISOString(), what: 'Handed in' });
    await house.house.guards.unfreeze(tenant, decision('the upgrade is over'));
    await house.untilCase(cases.wiped.workflowId, 'queued', ({ wipe }) => wipe.state === 'queued');
    await house.advance(20 * minuteMs);
    await house.move(cases.replaced.serial, { do: 'online' });
    await house.move(cases.wiped.serial, { do: 'online', place: 'cafe' });
    for (let passedMs = 0; passedMs < 3 * minuteMs; passedMs += minuteMs / 2) await house.advance(minuteMs / 2);
    await house.untilCase(cases.replaced.workflowId, 'contained again', ({ containment }) => containment.times === 2);
    await house.untilCase(cases.wiped.workflowId, 'acknowledged', ({ wipe }) => wipe.state === 'acknowledged');
    await house.untilCase(
      cases.wiped.workflowId,
      'isolated',
      ({ containment: { measures } }) => measures.isolate?.state === 'in place',
    );
    for (const { workflowId } of [cases.asked, cases.gone, cases.failing, cases.waiting, found])
      await house.untilContained(workflowId);

    await house.decide(cases.asked.workflowId, falseAlarm, {});
    const { asked: alarm, ...lost } = { ...cases, found };
    for (const { workflowId } of Object.values(lost)) await house.decide(workflowId, recovered, {});
    for (const { workflowId } of Object.values(lost))
      expect(await house.untilClosed(workflowId)).toMatchObject({ outcome: 'recovered' });
    expect(await house.untilClosed(alarm.workflowId)).toMatchObject({ outcome: 'false alarm' });

    const effects = async ({ user, hostname, serial }: Laptop) =>
      (await house.changes(user, hostname, serial)).map((effect) =>
        effect.replace(user, 'USER').replace(hostname, 'LT').replace(serial, 'SN'),
      );
    const into = 'netskope: USER added to group Lost-Stolen Devices';
    const outOf = 'netskope: USER removed from group Lost-Stolen Devices';
    const revoked = 'entra: sessions of USER revoked';
    const again = [`${into} (#2)`, `${outOf} (#2)`];
    for (const plain of [cases.asked, cases.waiting, found])
      expect(await effects(plain)).toEqual([into, revoked, outOf]);
    expect(await effects(cases.replaced)).toEqual([into, revoked, outOf, ...again]);
    expect(await effects(cases.gone)).toEqual([into, revoked, outOf, ...(patches.includes('ladder') ? again : [])]);
    expect((await effects(cases.failing)).sort()).toEqual(
      [into, revoked, 'entra: device LT disabled', outOf, 'entra: device LT enabled'].sort(),
    );
    expect(await effects(cases.wiped)).toEqual([
      ...[into, revoked, 'entra: device LT disabled', 'intune: wipe of SN accepted', 'intune: SN wiped'],
      ...['crowdstrike: LT contained', outOf, 'crowdstrike: LT released', 'entra: device LT enabled'],
    ]);
    expect(await house.lostGroup()).toEqual([]);
    expect(await house.wrongs()).toEqual([]);
  });
});

test('what would stand still is found before the new version runs, and named', async () => {
  // Two commands of every case in another order.
  const swapped = await bundleOtherVersion({
    folder,
    change: (source) =>
      source.replace(
        /( {4}upsertSearchAttributes\(\[[\s\S]*?\]\);\n)([\s\S]*?)( {4}upsertMemo\(\{[\s\S]*?\}\);\n)/,
        '$2$3$1',
      ),
  });
  const withoutTriage = await bundleOtherVersion({
    folder,
    change: (source, file) => (file === 'index.ts' ? source.replace(/^.* triage .*\n/m, '') : source),
  });
  const beforeAllChanges = await bundleOtherVersion({ folder, change: withPatches([]) });
  const broken = join(folder, 'broken.js');
  writeFileSync(broken, await bundleWorkflows('clear', require.resolve('../setup/broken-case')));

  let bundle = today;
  const house = await startTestHouse({ work: (...given) => startWorker(...given, bundle) });
  try {
    const { serial, workflowId } = house.laptop();
    await house.report({ ticket: 'RUNNING-1', device: { serial } });
    await house.untilContained(workflowId);
    const { number } = await house.ticket({});
    const { workflowId: triage } = await house.report({ source: 'servicenow', ticket: number });
    await house.untilTriage(triage, 'a question', ({ question }) => question !== undefined);
    await untilListed(house, triage);

    const keepOld = 'Keep the old version running, and report it';
    const needsPatched = `${keepOld}: in this one the change must stand behind \`patched\`.`;
    expect(await stoppedBy(today, house)).toEqual([]);
    const elsewhere =
      /^Event \d+ of its history is upsert workflow search attributes, where this version does something else\.$/;
    expect(await stoppedBy(swapped, house)).toEqual([
      ['case', expect.stringMatching(elsewhere), needsPatched],
      ['triage', expect.stringMatching(elsewhere), needsPatched],
    ]);
    expect(await stoppedBy(withoutTriage, house)).toEqual([
      ['triage', 'This version has no workflow triage.', `${keepOld}: this one lacks it.`],
    ]);
    expect(await stoppedBy(beforeAllChanges, house)).toEqual([
      [
        'case',
        expect.stringMatching(/^A newer version with the change ".+" has worked on it, and this version does not know/),
        'Do not go back behind the version that has it.',
      ],
    ]);
    const mistake = ['case', 'This version fails in it: the release is broken.', `${keepOld}: this one has a mistake.`];
    expect(await stoppedBy(broken, house)).toEqual([mistake]);

    // It went out all the same, and a case froze at its first step: the version that was mended takes it up.
    await house.stopWorker();
    bundle = broken;
    await house.startWorkerAgain();
    const frozen = house.laptop();
    await house.report({ ticket: 'FROZEN-1', device: { serial: frozen.serial } });
    await untilListed(house, frozen.workflowId);
    await untilFailed(house, frozen.workflowId);
    expect(await stoppedBy(today, house)).toEqual([]);
    // What a version will do next is in no history: the frozen case itself speaks against nobody.
    expect(await stoppedBy(broken, house)).toEqual([mistake]);

    // By the code of today, what the swapped one did is wrong as well: this is how people read it.
    await house.stopWorker();
    bundle = swapped;
    await house.startWorkerAgain();
    const other = house.laptop();
    await house.report({ ticket: 'OTHER-1', device: { serial: other.serial } });
    await house.untilContained(other.workflowId);
    await untilListed(house, other.workflowId);
    const { exitCode, out, err } = await runCheck(house, '--check');
    expect(exitCode).toBe(1);
    expect(err).toMatch(/^(Replayed \d+ of about \d+; \d would stand still\.\n)*$/);
    expect(out).toMatch(new RegExp(`^goes on +case +${workflowId} +\\d+$`, 'm'));
    expect(out).toMatch(new RegExp(`^STANDS STILL +case +${other.workflowId} +\\d+$`, 'm'));
    expect(out).toMatch(new RegExp(`^ +${other.workflowId}: Event \\d+ of its history is `, 'm'));
    expect(out).toContain(needsPatched);
    expect(out).toMatch(/open workflows would stand still: do not start this version\.\n$/);
  } finally {
    await house.close();
  }
});

async function untilFailed(house: TestHouse, workflowId: string): Promise<void> {
  for (const endMs = Date.now() + 60_000; ; await setTimeout(100)) {
    const { events } = await house.handle(workflowId).fetchHistory();
    if (events?.some(({ workflowTaskFailedEventAttributes: failed }) => failed)) return;
    if (Date.now() > endMs) throw new Error(`${workflowId} did not freeze`);
  }
}

test('`upgrade` alone is refused: nothing but the check is there', async () => {
  const said = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
  try {
    expect(await runCli(['upgrade'])).toBe(2);
    expect(said.mock.calls.join('')).toContain('--check');
  } finally {
    said.mockRestore();
  }
});
