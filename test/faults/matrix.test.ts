/**
 * The fault matrix: every operation of every plugin × every fault. Whatever a vendor does, the runbook ends as it does
 * without faults: nothing happens twice and nothing is lost, although a person may be asked on the way.
 *
 * The table is kept in docs/reliability.md; `UPDATE_RELIABILITY=1 npx jest test/faults/matrix.test.ts` writes it.
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { prepareNamespace } from '../../temporal/namespace';
import { startTemporalServer, type TemporalServer } from '../../temporal/server';
import { taskQueues } from '../../workflows/ids';
import { journeys } from './journeys';
import { allOperations, cellsOf, runCell, takeCourse, type Begin, type Result } from './matrix-cells';
import { describeMatrix, keepMatrix, readKeptMatrix } from './matrix-table';
import { readUsualSettings, startTrial } from './trial';
import '../setup/time-skipping'; // It sets the SDK's log level, once per process.

/** So many worlds stand side by side: most of a run is waiting. */
const worlds = 16;

/** A few runs share a tenant, and with it a guard: to start one takes longer than a run. */
const sharedTenant = (run: number) => `shared-${Math.floor(run / 20)}`;

/** `MATRIX_JOURNEY=wipe` takes only journeys with this word in their name, and compares no table. */
const { MATRIX_JOURNEY: word } = process.env;
const chosen = word === undefined ? journeys : journeys.filter(({ name }) => name.includes(word));

let folder: string;
let temporal: TemporalServer;
let connection: NativeConnection;
let client: Client;
let worker: Worker;
let working: Promise<void>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lost-device-matrix-'));
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
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

test('every operation of every plugin, with every fault: nothing twice, nothing lost', async () => {
  const usual = await readUsualSettings(folder);
  let runs = 0;
  const begin: Begin = ({ tenant = sharedTenant, ...options }) =>
    startTrial(usual, { ...options, client, tenant: tenant((runs += 1)) });

  const courses = await inWorlds(chosen, (journey) => takeCourse(begin, journey));
  const results = await inWorlds(cellsOf(courses), (cell) => runCell(begin, cell));
  const table = describeMatrix(results);
  process.stdout.write(`\n${table}\n`);

  expect(results.filter(({ outcome }) => outcome === 'doubled' || outcome === 'lost').map(inWords)).toEqual([]);
  if (chosen !== journeys) return;
  const reached = new Set(courses.flatMap((course) => course.reached.map(({ operation }) => operation)));
  const unreached = allOperations.filter(({ operation }) => !reached.has(operation));
  expect(unreached.map(({ plugin, operation }) => `${plugin} ${operation.name}`)).toEqual([]);
  if (process.env.UPDATE_RELIABILITY) keepMatrix(table);
  // Not in step? UPDATE_RELIABILITY=1 npx jest test/faults/matrix.test.ts
  expect(readKeptMatrix()).toBe(table);
}, 600_000);

function inWords({ cell, outcome, because = '' }: Result): string {
  const what = cell.operations.length === 1 ? cell.operations[0]?.operation.name : 'every operation';
  const where = [cell.course.journey.name, cell.aim?.step].filter(Boolean).join(', ');
  return `${outcome}: ${where}: ${cell.fault.name} at ${what}: ${because}`;
}

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
