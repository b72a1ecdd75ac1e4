/**
 * The process that takes the webhooks tells people when nobody works on what it takes.
 */
import { setTimeout } from 'node:timers/promises';
import { startServer } from '../../server';
import { startWorker } from '../../worker';
import { startTestHouse } from '../setup/test-house';

const everyMs = 150;

test('without a worker people are paged once, and told when it is over', async () => {
  let isStaffed = false;
  const nobody = { ended: Promise.resolve(), stop: async () => {} };
  const house = await startTestHouse({
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
    expect(await health()).toEqual({ status: 'ok', workers: 'ok' });
    await house.untilContained(workflowId);
    await setTimeout(6 * everyMs);
    expect(house.mails.filter(({ subject }) => subject.includes('No worker'))).toHaveLength(2);
  } finally {
    await server.close();
    await house.close();
  }
});
