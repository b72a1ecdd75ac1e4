/**
 * A question that waited for a worker reaches it with news (`workflows/interceptors.ts`). With our interceptors the workflow
 * replays; without them it does not, in this version of the SDK: when it does, they can go.
 */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleWorkflowCode, DefaultLogger, Worker } from '@temporalio/worker';
import { ask } from '../../client/ask';
import { bundleWorkflows } from '../../setup/workflow-bundle';
import { startChild } from '../../simulator/child';
import { askAgain } from '../../workflows/messages';
import { eventually } from '../setup/eventually';
import { replay } from '../setup/replay';
import { connectTestServer, type TestServer } from '../setup/time-skipping';
import { heard, stepsTaken, twoNews } from '../setup/two-news';

const folder = mkdtempSync(join(tmpdir(), 'lost-device-asked-'));
const workflowsPath = require.resolve('../setup/two-news');
const activities = { afterTimer: async () => undefined, afterSignal: async () => undefined };

let server: TestServer;
beforeAll(async () => {
  server = await connectTestServer();
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

/**
 * A worker is killed. A question waits for it, then a timer fires. The next worker gets the question first; before it gets the task of the timer,
 * a signal comes as well.
 * @returns what the question was answered, and what a replay says of the whole.
 */
async function playAmidNews(code: string) {
  const taskQueue = `two-news-${randomUUID()}`;
  const codePath = join(folder, `${taskQueue}.js`);
  writeFileSync(codePath, code);
  const { connection, namespace } = server.worker;
  const killed = startChild([
    'test/setup/two-news-worker.ts',
    process.env.LOST_DEVICE_TEST_TEMPORAL ?? '',
    namespace,
    taskQueue,
    codePath,
  ]);
  await killed.firstLine;
  const timerMs = 4_000;
  const handle = await server.client.workflow.start(twoNews, { workflowId: taskQueue, taskQueue, args: [timerMs] });
  await eventually(async () => expect((await handle.describe()).historyLength).toBeGreaterThan(4));
  await killed.stop('SIGKILL');

  const question = server.client
    .withDeadline(Date.now() + 60_000, () => handle.query(stepsTaken))
    .catch((error: unknown) => (error instanceof Error ? error.message : String(error)));
  await eventually(async () => expect((await handle.describe()).historyLength).toBeGreaterThan(6));
  const worker = await Worker.create({ connection, namespace, taskQueue, workflowBundle: { codePath }, activities });
  return worker.runUntil(async () => {
    const answer = await question;
    await handle.signal(heard);
    // Read anew by then, a workflow that does not replay says so.
    const later = await ask(server.client, taskQueue, stepsTaken, { withinMs: 60_000 }).catch(
      (error: Error) => error.message,
    );
    if (typeof later === 'string') return { answer, later, verdict: later };
    await handle.result();
    return { answer, later, verdict: await replay({ codePath }, handle) };
  });
}

test('the question is refused, asked again and answered, and the workflow replays; without our interceptors it does not', async () => {
  const { code: without } = await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('WARN') });
  const [ours, bare] = await Promise.all([
    playAmidNews(await bundleWorkflows('clear', workflowsPath)),
    playAmidNews(without),
  ]);
  expect(ours.answer).toContain(askAgain);
  expect(ours.later).toBeGreaterThanOrEqual(0);
  expect(ours.verdict).toBe('replays');
  expect(bare.answer).toBe(0);
  expect(bare.verdict).toContain('TMPRL1100');
});
