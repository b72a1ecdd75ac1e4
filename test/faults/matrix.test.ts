/**
 * The fault matrix: every operation of every plugin × every fault. Whatever a vendor does, the runbook ends as it does
 * without faults: nothing happens twice and nothing is lost, although a person may be asked on the way.
 *
 * The table is kept in docs/reliability.md; `UPDATE_RELIABILITY=1 npx jest test/faults/matrix.test.ts` writes it.
 * @module
 */
import { Client } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { prepareNamespace } from '../../temporal/namespace';
import { startTemporalServer, type TemporalServer } from '../../temporal/server';
import { taskQueues } from '../../workflows/ids';
import { journeys } from './journeys';
import { allOperations, cellsOf, runCell, takeCourse, type Course, type Result } from './matrix-cells';
import '../setup/time-skipping'; // It sets the SDK's log level, once per process.

/** So many worlds stand side by side: most of a run is waiting. */
const worlds = 12;

let temporal: TemporalServer;
let connection: NativeConnection;
let client: Client;
let worker: Worker;
let working: Promise<void>;

beforeAll(async () => {
  temporal = await startTemporalServer({ port: 0, namespace: 'default' });
  connection = await NativeConnection.connect({ address: temporal.address });
  await prepareNamespace(connection, 'default');
  client = new Client({ connection, namespace: 'default' });
  // It runs the guards only: cases that are handed in stay where they are.
  worker = await Worker.create({
    connection,
    namespace: 'default',
    taskQueue: taskQueues.main,
    workflowBundle: { codePath: process.env.LOST_DEVICE_WORKFLOW_BUNDLE ?? '' },
  });
  working = worker.run();
}, 120_000);

afterAll(async () => {
  worker.shutdown();
  await working;
  await connection.close();
  await temporal.stop();
}, 60_000);

test('every operation of every plugin, with every fault: nothing twice, nothing lost', async () => {
  let runs = 0;
  const nextTenant = () => `matrix-${(runs += 1)}`;
  const startedAt = Date.now();
  const only = process.env.MATRIX_JOURNEY;
  const chosen = journeys.filter(({ name }) => only === undefined || name.includes(only));
  const courses = await inWorlds(chosen, (journey) => takeCourse(client, journey, nextTenant()));
  const baseMs = Date.now() - startedAt;
  const reached = new Set(courses.flatMap((course) => course.reached.map(({ operation }) => operation)));
  const unreached = allOperations.filter(({ operation }) => !reached.has(operation));

  const cells = courses.flatMap((course: Course) => cellsOf(course));
  const results: Result[] = await inWorlds(cells, (cell) => runCell(client, cell, nextTenant()));
  process.stdout.write(`${chosen.length} journeys in ${baseMs} ms, ${cells.length} cells in ${Date.now() - startedAt - baseMs} ms\n`);
  const counts: Record<string, number> = {};
  for (const { outcome } of results) counts[outcome] = (counts[outcome] ?? 0) + 1;
  process.stdout.write(JSON.stringify(counts) + '\n');
  for (const { cell, outcome, because } of results)
    if (outcome === 'doubled' || outcome === 'lost')
      process.stdout.write(
        `${outcome}: ${cell.course.journey.name} / ${cell.aim?.step ?? 'all along'} / ${cell.fault.name} / ${cell.operations.length === 1 ? cell.operations[0]?.operation.name : 'all'}: ${because}\n`,
      );
  process.stdout.write(`unreached: ${unreached.map(({ plugin, operation }) => `${plugin} ${operation.name}`).join(', ')}\n`);
  const wrong = results.filter(({ outcome }) => outcome === 'doubled' || outcome === 'lost');
  expect(wrong.length).toBe(0);
}, 600_000);

/** Each item once, so many at the same time, in their order. */
async function inWorlds<T, R>(items: readonly T[], run: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const work = async () => {
    for (let at = next++; at < items.length; at = next++) results[at] = await run(items[at] as T);
  };
  await Promise.all(Array.from({ length: worlds }, work));
  return results;
}
