/**
 * Worker, intake and Temporal server are killed (-9) at seeded random moments while cases open, are contained and close.
 * Afterwards: the outcome is what it would have been, nothing was done twice, and no webhook that was answered 2xx is
 * forgotten.
 * @module
 */
import { randomUUID } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { request } from 'undici';
import { createCaseClient } from '../../client/cases';
import type { CaseClient } from '../../client/cases';
import type { CaseState } from '../../playbook/case';
import type { Child } from '../../simulator/child';
import { startChild, startSimulatorProcess } from '../../simulator/child';
import { signedHeaders } from '../../simulator/sign';
import { writeSimulatorSettings } from '../../simulator/settings';
import { prepareNamespace } from '../../temporal/namespace';
import { startTemporalServer } from '../../temporal/server';
import type { TemporalServer } from '../../temporal/server';
import { recovered } from '../../workflows/messages';
import { seeded } from '../setup/seeded';

const seed = Number(process.env.CRASH_SEED ?? 1);
const cases = 10;
const kills = 9;
const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}

/** The three processes of an installation, each of which can be killed and started again. */
async function install(simulator: string) {
  const folder = mkdtempSync(join(tmpdir(), 'lost-device-crash-'));
  const port = await freePort();
  const { file, webhookSecret } = writeSimulatorSettings({
    folder,
    simulator,
    tenant: 'acme',
    with: { entra: true, servicenow: true, tag: true },
    temporal: `127.0.0.1:${port}`,
    guard: { containmentsPerHour: 1_000 },
    rules: { waits: { retryFirstMs: 500, noteGatherMs: 300, journalGatherMs: 300, moveLookEveryMs: 500 } },
  });
  const startTemporal = () => startTemporalServer({ port, dbFile: join(folder, 'cases.db'), namespace: 'default' });
  const env = { LOST_DEVICE_SETTINGS: file };
  const running: { temporal: TemporalServer; worker: Child; server: Child } = {
    temporal: await startTemporal(),
    worker: startChild(['worker.ts'], { env, quiet: true }),
    server: startChild(['server.ts'], { env, quiet: true }),
  };
  let webhooks = '';
  const learnAddress = async () => {
    webhooks = /Webhooks on (\S+),/.exec(await running.server.firstLine)?.[1] ?? '';
  };
  const restart = {
    temporal: async () => {
      process.kill(running.temporal.pid, 'SIGKILL');
      await running.temporal.exited;
      await wait(300);
      running.temporal = await startTemporal();
    },
    worker: async () => {
      await running.worker.stop('SIGKILL');
      running.worker = startChild(['worker.ts'], { env, quiet: true });
    },
    server: async () => {
      await running.server.stop('SIGKILL');
      running.server = startChild(['server.ts'], { env, quiet: true });
      await learnAddress().catch(() => undefined);
    },
  };
  await learnAddress();
  return {
    address: `127.0.0.1:${port}`,
    restart,
    /** One try; the status, or undefined when there was no answer. */
    async post(body: unknown, id: string): Promise<number | undefined> {
      const text = JSON.stringify(body);
      const headers = signedHeaders(webhookSecret, text, id);
      try {
        const answer = await request(`${webhooks}/webhooks/tickets/generic`, {
          method: 'POST',
          body: text,
          headers,
          headersTimeout: 10_000,
        });
        await answer.body.dump();
        return answer.statusCode;
      } catch {
        return undefined;
      }
    },
    async stop() {
      await running.server.stop();
      await running.worker.stop('SIGKILL');
      await running.temporal.stop();
    },
  };
}

/** The answer of a call that may hit a dead process: asked again until it comes. */
async function insist<T>(what: string, call: () => Promise<T>, withinMs = 240_000): Promise<T> {
  const endMs = Date.now() + withinMs;
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (Date.now() > endMs)
        throw new Error(`${what}: ${error instanceof Error ? error.message : 'unknown'}`, { cause: error });
      await wait(300);
    }
  }
}

async function until(
  client: CaseClient,
  workflowId: string,
  what: string,
  ready: (state: CaseState) => boolean,
): Promise<void> {
  await insist(
    `${workflowId} ${what}`,
    async () => {
      const state = (await client.show(workflowId)) as CaseState;
      if (!ready(state))
        throw new Error(JSON.stringify({ is: state.containment.state, outcome: state.outcome, steps: state.steps }));
    },
    240_000,
  );
}

test('killed at random moments: same outcome, nothing twice, nothing forgotten', async () => {
  const random = seeded(seed);
  const simulator = await startSimulatorProcess({ seed, devices: cases });
  const house = await install(simulator.url);
  const connection = await Connection.connect({ address: house.address });
  await prepareNamespace(connection, 'default');
  const client = createCaseClient({
    client: new Client({ connection }),
    indexKey: '',
    eager: false,
    findClosing: () => Promise.resolve(undefined),
  });
  let killing = true;
  const killer = (async () => {
    const names = ['worker', 'server', 'temporal'] as const;
    for (let n = 0; n < kills && killing; n += 1) {
      await wait(400 + random() * 2_500);
      await house.restart[names[Math.floor(random() * names.length)] ?? 'worker']();
    }
  })();

  const serials = Array.from({ length: cases }, (_, n) => `SN${1001 + n}`);
  const idOf = (serial: string) => `lost-device:acme:${serial}`;
  try {
    // Each desk sends until it is answered 2xx, as desks do, with the same delivery id.
    const answered = await Promise.all(
      serials.map(async (serial, n) => {
        await wait(n * 700);
        const id = `msg_${randomUUID()}`;
        await insist(`webhook for ${serial}`, async () => {
          const status = await house.post(
            { ticket: `T-${serial}`, device: { serial }, report: { kind: 'stolen' } },
            id,
          );
          if (status === undefined || status >= 300) throw new Error(`answered ${status ?? 'nothing'}`);
        });
        return serial;
      }),
    );
    expect(answered).toHaveLength(cases);
    await Promise.all(
      serials.map(async (serial) => {
        await until(
          client,
          idOf(serial),
          'contained',
          ({ containment }) => containment.measures['disable-device']?.state === 'in place',
        );
        const decision = {
          id: randomUUID(),
          actor: { person: 'ana', authenticated: false, how: 'test' },
          reason: 'found',
        };
        await insist(`recover ${serial}`, () => client.decide(idOf(serial), recovered, decision));
        await until(
          client,
          idOf(serial),
          'recovered',
          ({ outcome, closedAt }) => outcome === 'recovered' && closedAt !== undefined,
        );
      }),
    );
    killing = false;
    await killer;

    const calls = (await (await request(`${simulator.url}/control/calls`)).body.json()) as { changed: string | null }[];
    const changes = calls.flatMap(({ changed }) => (changed === null ? [] : [changed]));
    expect(changes.filter((change, index) => changes.indexOf(change) !== index)).toEqual([]);
    for (const [n] of serials.entries()) {
      const user = `user${String(n + 1).padStart(4, '0')}@example.test`;
      expect(changes).toContain(`netskope: ${user} added to group Lost-Stolen Devices`);
      expect(changes).toContain(`netskope: ${user} removed from group Lost-Stolen Devices`);
      expect(changes).toContain(`entra: sessions of ${user} revoked`);
    }
    const state = (await (await request(`${simulator.url}/control/state`)).body.json()) as Record<string, unknown>;
    expect(JSON.stringify(state)).not.toMatch(/"members":\s*\[[^\]]*user0/);
  } finally {
    killing = false;
    await killer.catch(() => undefined);
    await connection.close();
    await house.stop();
    await simulator.stop();
  }
}, 600_000);
