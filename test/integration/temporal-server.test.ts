/**
 * The development server lives as long as the process that started it, and keeps what it acknowledged.
 * @module
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { temporal } from '@temporalio/proto';
import { prepareNamespace } from '../../temporal/namespace';
import { startTemporalServer, type TemporalServer } from '../../temporal/server';

const namespace = 'lost-device';
const folder = mkdtempSync(path.join(tmpdir(), 'temporal-server-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('workflows survive a kill of the server; its end is told', async () => {
  const dbFile = path.join(folder, 'kept.db');
  const first = await startTemporalServer({ dbFile, namespace, port: 0, uiPort: 0 });
  const page = await fetch(first.uiUrl!);
  expect(page.status).toBe(200);
  await page.text();
  await withClient(first, (client) => client.workflow.start('any', { workflowId: 'kept', taskQueue: 'none' }));
  process.kill(first.pid, 'SIGKILL');
  expect(await first.exited).toMatchObject({ signal: 'SIGKILL' });

  const second = await startTemporalServer({ dbFile, namespace, port: portOf(first) });
  try {
    expect(second.address).toBe(first.address);
    const { status } = await withClient(second, (client) => client.workflow.getHandle('kept').describe());
    expect(status.name).toBe('RUNNING');
  } finally {
    await second.stop();
  }
  expect(await second.exited).toMatchObject({ code: 0 });
});

test('a port in use is an error with the words of the server', async () => {
  const other = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as AddressInfo;
  await expect(startTemporalServer({ namespace, port })).rejects.toThrow(
    /did not start: .*[\s\S]*address already in use/,
  );
  await new Promise((resolve) => other.close(resolve));
});

test('another server that answers at the port is not taken for ours', async () => {
  const other = await startTemporalServer({ namespace, port: 0 });
  const port = portOf(other);
  await expect(startTemporalServer({ namespace, port })).rejects.toThrow(/address already in use/);
  await other.stop();

  // All find the port free; the server of one has it in the end.
  const starts = await Promise.allSettled([1, 2, 3].map(() => startTemporalServer({ namespace, port })));
  const served = starts.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []));
  expect(served).toHaveLength(1);
  expect(isRunning(served[0]!.pid)).toBe(true);
  await served[0]!.stop();
});

test('the server does not outlive a process that is killed', async () => {
  const script = `
    const { startTemporalServer } = require('tsx/cjs/api').require('./temporal/server.ts', ${JSON.stringify(path.resolve('x.js'))});
    startTemporalServer({ namespace: 'x', port: 0 }).then(({ pid }) => console.log(pid));
    setInterval(() => {}, 1000);`;
  const parent = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const pid = await new Promise<number>((resolve) => {
    createInterface({ input: parent.stdout }).once('line', (line) => resolve(Number(line)));
  });
  expect(isRunning(pid)).toBe(true);
  parent.kill('SIGKILL');
  for (const deadline = Date.now() + 60_000; isRunning(pid) && Date.now() < deadline;) await setTimeout(100);
  expect(isRunning(pid)).toBe(false);
});

test('a prepared namespace takes our attributes and keeps cases 90 days; a wrong type is named', async () => {
  const server = await startTemporalServer({ namespace, port: 0 });
  const connection = await Connection.connect({ address: server.address });
  try {
    await prepareNamespace(connection, namespace);
    await prepareNamespace(connection, namespace);
    const client = new Client({ connection, namespace });
    expect((await client.workflow.count(`LostDeviceKeys = 'a' AND LostDeviceOutcome = 'open'`)).count).toBe(0);
    const { config } = await connection.workflowService.describeNamespace({ namespace });
    expect(Number(config?.workflowExecutionRetentionTtl?.seconds)).toBe(90 * 24 * 60 * 60);

    const wrong = { LostDeviceOutcome: temporal.api.enums.v1.IndexedValueType.INDEXED_VALUE_TYPE_INT };
    await connection.operatorService.addSearchAttributes({ namespace: 'default', searchAttributes: wrong });
    await expect(prepareNamespace(connection, 'default')).rejects.toThrow(/LostDeviceOutcome .*TYPE_INT.*TYPE_KEYWORD/);
  } finally {
    await connection.close();
    await server.stop();
  }
});

test('where the server does not let us prepare, the commands to run by hand are named', async () => {
  const server = await startTemporalServer({ namespace, port: 0 });
  const connection = await Connection.connect({ address: server.address });
  const { operatorService, workflowService } = connection;
  try {
    // A true error of the server's, as one who may not would get it.
    const notFound = workflowService.describeNamespace({ namespace: 'not-there' });
    const denied = (await notFound.catch((error: unknown) => error)) as Error & { code: number };
    denied.code = 7;
    const addSearchAttributes = operatorService.addSearchAttributes.bind(operatorService);
    Object.assign(operatorService, { addSearchAttributes: () => Promise.reject(denied) });
    await expect(prepareNamespace(connection, namespace)).rejects.toThrow(
      /let us add.*\n {2}temporal operator search-attribute create --namespace \S+ --name LostDeviceTenant --type Keyword\n[^]*LostDeviceKeys --type KeywordList/,
    );
    Object.assign(operatorService, { addSearchAttributes });

    Object.assign(workflowService, { updateNamespace: () => Promise.reject(denied) });
    expect(await prepareNamespace(connection, namespace)).toEqual([
      `temporal operator namespace update --namespace ${namespace} --retention 90d`,
    ]);
  } finally {
    await connection.close();
    await server.stop();
  }
});

async function withClient<T>(server: TemporalServer, work: (client: Client) => Promise<T>): Promise<T> {
  const connection = await Connection.connect({ address: server.address });
  try {
    return await work(new Client({ connection, namespace }));
  } finally {
    await connection.close();
  }
}

function portOf({ address }: TemporalServer): number {
  return Number(address.split(':')[1]);
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
