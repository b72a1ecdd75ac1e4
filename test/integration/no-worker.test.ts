/**
 * The process that takes the webhooks tells people when nobody works on what it takes.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { WorkflowFailedError } from '@temporalio/client';
import { startServer } from '../../server';
import { bundleWorkflows } from '../../setup/workflow-bundle';
import { startWorker } from '../../worker';
import { workflowIds } from '../../workflows/ids';
import { eventually } from '../setup/eventually';
import { startTestHouse, tenant } from '../setup/test-house';

const everyMs = 150;

test('without a worker people are paged once, and told when it is over', async () => {
  let isStaffed = false;
  const nobody = { ended: Promise.resolve(), stop: async () => {} };
  const house = await startTestHouse({
    with: { pagerDuty: true },
    work: async (...given) => (isStaffed ? startWorker(...given, process.env.LOST_DEVICE_WORKFLOW_BUNDLE) : nobody),
  });
  const server = await startServer(house.settings, house.house, () => {}, everyMs);
  try {
    const health = async () => (await fetch(`${server.api}/health`)).json();
    expect(await health()).toEqual({ status: 'ok', workers: 'missing main, watch' });
    const { serial, workflowId } = house.laptop();
    expect((await house.report({ ticket: 'NOBODY-1', device: { serial } })).outcome).toBe('opened');
    await house.untilMail('No worker: every case stands still', 'Start a worker');
    await setTimeout(6 * everyMs);
    expect(house.mails).toHaveLength(1);

    isStaffed = true;
    await house.startWorkerAgain();
    await house.untilMail('Over: No worker: every case stands still');
    await eventually(async () => expect(await health()).toEqual({ status: 'ok', workers: 'ok' }));
    await eventually(async () =>
      expect(await house.changes('alarm:no-worker')).toEqual([
        'pagerduty: incident alarm:no-worker:main triggered',
        'pagerduty: incident alarm:no-worker:main resolved',
      ]),
    );
    await house.untilContained(workflowId);
    await setTimeout(6 * everyMs);
    expect(house.mails.filter(({ subject }) => subject.includes('No worker'))).toHaveLength(2);
  } finally {
    await server.close();
    await house.close();
  }
});

test('Temporal does not answer: people are paged once, and told when it does again', async () => {
  const subject = 'Temporal does not answer: every case stands still';
  const house = await startTestHouse({ with: { pagerDuty: true } });
  await eventually(async () => expect(await house.house.missingWorkers()).toEqual([]));
  const server = await startServer(house.settings, house.house, () => {}, everyMs);
  try {
    process.kill(house.temporalPid, 'SIGSTOP');
    await house.untilMail(subject, 'Temporal does not answer.');
    await eventually(async () => expect(await house.changes('alarm:temporal-away')).toHaveLength(1));
    await house.fault({ match: { path: '/v2/enqueue' }, times: 'always', effect: { status: 500 } });
    process.kill(house.temporalPid, 'SIGCONT');
    await house.untilMail(`Over: ${subject}`);
    // The pager was away when it was over: it is told at a later look.
    await house.clearFaults();
    await eventually(async () =>
      expect(await house.changes('alarm:temporal-away')).toEqual([
        'pagerduty: incident alarm:temporal-away triggered',
        'pagerduty: incident alarm:temporal-away resolved',
      ]),
    );
    await setTimeout(6 * everyMs);
    expect(house.mails.filter((mail) => mail.subject.includes(subject))).toHaveLength(2);
  } finally {
    process.kill(house.temporalPid, 'SIGCONT');
    await server.close();
    await house.close();
  }
});

test('a reconciliation that stands still cannot say so: the process that takes the webhooks does', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lost-device-no-worker-'));
  const broken = join(folder, 'broken.js');
  writeFileSync(broken, await bundleWorkflows('clear', require.resolve('../setup/broken-reconciliation')));
  const house = await startTestHouse({
    work: (...given) => startWorker(...given, broken),
    // Five in a row take minutes.
    dynamicConfig: { 'system.numConsecutiveWorkflowTaskProblemsToTriggerSearchAttribute': 1 },
  });
  await eventually(async () => expect(await house.house.missingWorkers()).toEqual([]));
  const server = await startServer(house.settings, house.house, () => {}, everyMs);
  try {
    await setTimeout(6 * everyMs);
    expect(house.mails).toEqual([]);
    const reconciled = expect(house.reconcile()).rejects.toThrow(WorkflowFailedError);
    await house.untilMail('Frozen: reconciliation', 'Until it goes on');
    await house.handle(workflowIds.reconciliation(tenant)).terminate();
    await reconciled;
    await house.untilMail('Over: Frozen: reconciliation');
    expect(house.mails).toHaveLength(2);
  } finally {
    await server.close();
    await house.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
