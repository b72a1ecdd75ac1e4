/**
 * What nobody else would tell: cases that stand still, watches without a worker, losses that make a pattern.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WorkflowExecutionInfo } from '@temporalio/client';
import { bundleWorkflows } from '../../setup/workflow-bundle';
import { startWorker } from '../../worker';
import { deviceSeen, falseAlarm, recovered } from '../../workflows/messages';
import { startMainWorker } from '../setup/main-worker';
import { eventually } from '../setup/eventually';
import { startTestHouse, type Laptop, type Mail, type TestHouse, type TestHouseOptions } from '../setup/test-house';

const folder = mkdtempSync(join(tmpdir(), 'lost-device-alarms-'));
let house: TestHouse | undefined;
afterEach(async () => {
  await house?.close();
  house = undefined;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const start = async (options: TestHouseOptions) => (house = await startTestHouse(options));

async function lose(at: TestHouse, ticket: string): Promise<Laptop> {
  const laptop = at.laptop();
  await at.report({ ticket, device: { serial: laptop.serial } });
  await at.untilContained(laptop.workflowId);
  return laptop;
}

/** The device speaks, in the office. */
async function speak(at: TestHouse, { serial, hostname, user, workflowId }: Laptop): Promise<void> {
  const sighting = {
    id: `status of ${serial}`,
    at: new Date().toISOString(),
    source: 'netskope',
    feed: 'client-status',
    device: { serial, hostname, user },
    match: 'device' as const,
    evidence: 'client' as const,
    what: 'Tunnel Up',
    site: 'Utrecht',
  };
  await at.handle(workflowId).signal(deviceSeen, { feed: 'netskope/client-status', sightings: [sighting] });
}

const unwrapped = ({ text }: Mail) => text.replaceAll('=\r\n', '');
const pages = (at: TestHouse, subject: RegExp) => at.mails.filter((mail) => subject.test(mail.subject));

test('a case that stands still is found and paged once; mended, it goes on', async () => {
  const broken = join(folder, 'broken.js');
  writeFileSync(broken, await bundleWorkflows('clear', require.resolve('../setup/broken-case')));
  let release = process.env.LOST_DEVICE_WORKFLOW_BUNDLE;
  const at = await start({
    work: (...given) => startWorker(...given, release),
    // Five in a row take minutes.
    with: { pagerDuty: true },
    dynamicConfig: { 'system.numConsecutiveWorkflowTaskProblemsToTriggerSearchAttribute': 2 },
  });
  const [first, second, sound] = [await lose(at, 'FROZEN-1'), await lose(at, 'FROZEN-2'), await lose(at, 'FROZEN-3')];
  expect(await at.reconcile()).toMatchObject({ frozen: [], withoutWorker: [], unreadable: [] });

  release = broken;
  await at.stopWorker();
  await at.startWorkerAgain();
  const frozenSince = new Date();
  await at.fault({ match: { path: '/v2/enqueue' }, times: 'always', effect: { status: 400 } });
  await speak(at, first);
  const frozen = await untilFrozen(at, 1);
  expect(frozen[0]).toMatch(
    new RegExp(
      `^${first.hostname} stands still since ${frozenSince.toISOString().slice(0, 10)} .* UTC: the running program fails with ` +
        `a fault of its own \\(${first.workflowId}; .*UnhandledFailure\\)\\.$`,
    ),
  );
  const page = await at.untilMail(`Frozen: ${first.hostname}`);
  expect(unwrapped(page)).toContain('Put the last good release back');
  expect(unwrapped(page)).not.toContain(sound.hostname);
  // The pager did not tell it: it is asked again, and the mail is not.
  expect((await at.reconcile()).unreadable.join()).toContain('pager did not tell it');
  await at.clearFaults();
  expect(await at.reconcile()).toMatchObject({ frozen, unreadable: [] });
  await at.reconcile();
  expect(await at.changes('alarm:frozen')).toEqual([expect.stringMatching(/ triggered$/)]);
  expect(pages(at, /^Frozen/)).toHaveLength(1);

  // Another one is news; the first is not told again, and a desk that cannot be read hides neither.
  await speak(at, second);
  await at.fault({ match: { path: '/api/now/table/incident' }, times: 'always', effect: { status: 500 } });
  await untilFrozen(at, 2);
  const both = await at.reconcile();
  expect(both.frozen).toHaveLength(2);
  expect(both.unreadable.join()).toContain('servicenow');
  await at.untilMail(`Frozen: ${second.hostname}`);
  expect(pages(at, /^Frozen/)).toHaveLength(2);
  await at.clearFaults();

  release = process.env.LOST_DEVICE_WORKFLOW_BUNDLE;
  await at.stopWorker();
  await at.startWorkerAgain();
  for (const { workflowId } of [first, second]) {
    await at.untilCase(workflowId, 'goes on', ({ presence }) => presence.state === 'seen');
    await at.decide(workflowId, recovered, {});
    await at.untilClosed(workflowId);
  }
  // Visibility lags a moment behind.
  await untilFrozen(at, 0);
}, 300_000);

async function untilFrozen(at: TestHouse, count: number): Promise<string[]> {
  return eventually(async () => {
    const { frozen } = await at.reconcile();
    if (frozen.length === count) return frozen;
    throw new Error(`Frozen are: ${frozen.join(' ')}`);
  }, 90_000);
}

test('three losses in one site are one alarm, told once; two, and a false alarm, are none', async () => {
  // Every case goes on as a new run soon: it still is one loss.
  const at = await start({ dynamicConfig: { 'limit.historyCount.suggestContinueAsNew': 40 } });
  const seen = async (ticket: string) => {
    const laptop = await lose(at, ticket);
    await speak(at, laptop);
    await untilListed(at, laptop, "ExecutionStatus = 'Running'", ({ memo }) => memo?.site === 'Utrecht');
    return laptop;
  };
  const [first, second] = [await seen('SITE-1'), await seen('SITE-2')];
  const mistaken = await seen('SITE-3');
  await at.decide(mistaken.workflowId, falseAlarm, {});
  await at.untilClosed(mistaken.workflowId);
  await untilListed(at, mistaken, "LostDeviceOutcome = 'false alarm'");
  expect(await at.reconcile()).toMatchObject({ patterns: [], unreadable: [] });

  const third = await seen('SITE-4');
  const names = [first, second, third].map(({ hostname }) => hostname).join(', ');
  const says = `3 laptops were reported lost in site Utrecht within 24 h: ${names}.`;
  expect((await at.reconcile()).patterns).toEqual([says]);
  expect(unwrapped(await at.untilMail('Several losses together: site Utrecht'))).toContain(says);
  expect((await at.reconcile()).patterns).toEqual([says]);
  expect(pages(at, /^Several losses/)).toHaveLength(1);

  const { count } = await at.client.workflow.count(
    "ExecutionStatus = 'ContinuedAsNew' AND WorkflowType = 'lostDevice'",
  );
  expect(count).toBeGreaterThan(0);
});

/** Visibility lags a moment behind the case. */
const untilListed = (
  at: TestHouse,
  { workflowId }: Laptop,
  as: string,
  ready: (listed: WorkflowExecutionInfo) => boolean = () => true,
): Promise<void> =>
  eventually(async () => {
    for await (const listed of at.client.workflow.list({ query: `WorkflowId = '${workflowId}' AND ${as}` }))
      if (ready(listed)) return;
    throw new Error(`${workflowId} is not listed as ${as}`);
  });

test('nobody takes the watches: that is found and paged', async () => {
  const at = await start({ work: startMainWorker });
  const { withoutWorker } = await at.reconcile();
  expect(withoutWorker).toEqual(['No worker takes the watches of the feeds: no case hears of its device.']);
  await at.untilMail('No worker: watches', 'Start a worker');
});
