/**
 * The time harness moves a workflow's clock to the points that a test names, and no further.
 * @module
 */
import { randomUUID } from 'node:crypto';
import { bundleWorkflowCode, DefaultLogger, Worker } from '@temporalio/worker';
import { clock, finish, sleeper } from './sleeper';
import { eventually } from './eventually';
import { connectTestServer, fastForward, skipTimeFromStart, skipTime, type TestServer } from './time-skipping';

/** A loaded machine may be so slow; who moves a clock by days is not taken for it. */
const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
const taskQueue = `time-skipping-${randomUUID()}`;
let server: TestServer;
let worker: Worker;
let running: Promise<void>;
let worked = 0;

beforeAll(async () => {
  server = await connectTestServer();
  const { code } = await bundleWorkflowCode({
    workflowsPath: require.resolve('./sleeper'),
    logger: new DefaultLogger('WARN'),
  });
  worker = await Worker.create({
    ...server.worker,
    workflowBundle: { code },
    taskQueue,
    activities: { work: async () => void worked++ },
  });
  running = worker.run();
});

afterAll(async () => {
  worker.shutdown();
  await running;
  await server.close();
});

const start = () => server.client.workflow.start(sleeper, { workflowId: randomUUID(), taskQueue });

test('a clock stands at real time until it is moved, stops at each named point, and takes messages there', async () => {
  const handle = await start();
  const { startedAt } = await handle.query(clock);
  expect(Math.abs(startedAt - Date.now())).toBeLessThan(minuteMs);
  expect(worked).toBe(0);

  const third = await fastForward(handle, 'half past day three', 3.5 * dayMs);
  expect(Math.abs(third - startedAt - 3.5 * dayMs)).toBeLessThan(minuteMs);
  expect((await handle.query(clock)).wakes).toHaveLength(3);
  expect(worked).toBe(3);

  await fastForward(handle, 'half past day four', 1 * dayMs);
  expect((await handle.query(clock)).wakes).toHaveLength(4);

  await handle.signal(finish);
  const { wakes } = await handle.result();
  expect(Math.abs(wakes.at(-1)! - startedAt - 4.5 * dayMs)).toBeLessThan(2 * minuteMs);
});

test('the clock of a workflow that has ended cannot be moved', async () => {
  const handle = await start();
  await handle.terminate();
  await expect(fastForward(handle, 'day one', dayMs)).rejects.toThrow(/already completed/);
});

test('skipping freely passes a year of waiting at once', async () => {
  const handle = await start();
  await fastForward(handle, 'half past day five', 5.5 * dayMs);
  await handle.signal(finish);
  await skipTime(handle);
  const { startedAt, wakes } = await handle.result();
  expect(wakes.at(-1)! - startedAt).toBeGreaterThan(364 * dayMs);
});

test('a client can skip time from the start', async () => {
  const other = await connectTestServer();
  try {
    skipTimeFromStart(other.client);
    const handle = await other.client.workflow.signalWithStart(sleeper, {
      workflowId: randomUUID(),
      taskQueue,
      signal: finish,
    });
    await handle.result();
    const second = await other.client.workflow.start(sleeper, { workflowId: randomUUID(), taskQueue });
    await eventually(async () => expect((await second.query(clock)).wakes.length).toBeGreaterThan(4));
    await second.terminate();
  } finally {
    await other.close();
  }
});
