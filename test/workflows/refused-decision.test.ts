/**
 * A refused decision leaves nothing in history. It must begin no step, though it comes when one is due
 * (`workflows/last-news.ts`): without our interceptors it does, and the workflow does not replay.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { WorkflowUpdateFailedError } from '@temporalio/client';
import { bundleWorkflowCode, DefaultLogger, Worker } from '@temporalio/worker';
import { bundleWorkflows } from '../../setup/workflow-bundle';
import { dueSoon, refuseMe } from '../setup/due-soon';
import { replay } from '../setup/replay';
import { connectTestServer, type TestServer } from '../setup/time-skipping';

const workflowsPath = require.resolve('../setup/due-soon');

let server: TestServer;
beforeAll(async () => {
  server = await connectTestServer();
});
afterAll(() => server.close());

/** @returns why it was refused, and what a replay says. */
async function playRefused(code: string) {
  const taskQueue = `due-soon-${randomUUID()}`;
  const { connection, namespace } = server.worker;
  const workflowBundle = { code };
  const activities = { step: async () => undefined };
  const worker = await Worker.create({ connection, namespace, taskQueue, workflowBundle, activities });
  return worker.runUntil(async () => {
    const [dueMs, ringsMs] = [500, 4_000];
    const handle = await server.client.workflow.start(dueSoon, {
      workflowId: taskQueue,
      taskQueue,
      args: [dueMs, ringsMs],
    });
    await setTimeout(2 * dueMs);
    const refused = await handle.executeUpdate(refuseMe).catch((error: unknown) => error);
    await handle.result();
    const verdict = await replay(workflowBundle, handle);
    return { refused: refused instanceof WorkflowUpdateFailedError && refused.cause?.message, verdict };
  });
}

test('a decision that is refused when a step is due begins no step; without our interceptors it does', async () => {
  const { code: without } = await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('WARN') });
  const [ours, bare] = await Promise.all([
    playRefused(await bundleWorkflows('clear', workflowsPath)),
    playRefused(without),
  ]);
  expect(ours).toEqual({ refused: 'Refused: it is due.', verdict: 'replays' });
  expect(bare.refused).toBe('Refused: it is due.');
  expect(bare.verdict).toContain('TMPRL1100');
});
