/**
 * An installation that can be killed: the published program in three processes (Temporal's server, worker, intake), each
 * started again as a supervisor would, with the simulated vendors beside them.
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { request } from 'undici';
import { closeHouse, openHouse } from '../../open-house';
import { defaultRules } from '../../playbook/rules';
import { loadSettings } from '../../settings/load';
import { startChild } from '../../simulator/child';
import { startSimulator } from '../../simulator/server';
import { writeSimulatorSettings } from '../../simulator/settings';
import { signedHeaders } from '../../simulator/sign';
import { prepareNamespace } from '../../temporal/namespace';
import { startTemporalServer } from '../../temporal/server';

export const tenant = 'acme';
/** The company's own site: a laptop behind its addresses may lie in a drawer. */
export const site = 'Head office';

export const programs = ['worker', 'intake', 'temporal'] as const;
export type Program = (typeof programs)[number];

const secondMs = 1_000;

/** Days of silence, as long as this. Every wait is written down; retries and time-outs stay as they are. */
const silence: Record<string, number> = {
  'lost-mode': 15 * secondMs,
  wipe: 16 * secondMs,
  'write-off': 17 * secondMs,
};
/** Fifty cases ask for more within a minute than a pager takes (120 calls), so that nobody is called for proposals. */
const ladder = defaultRules.escalation.ladder
  .filter(({ name }) => name !== 'proposal')
  .map((rung) => ({ ...rung, afterMs: silence[rung.name] ?? rung.afterMs }));

const rules = {
  directorySteps: { lost: ['revoke-sessions', 'disable-device'], stolen: ['revoke-sessions', 'disable-device'] },
  // Gathered for longer than usual: each batch is a task, and there are 50 cases.
  waits: { retryFirstMs: 500, moveLookEveryMs: 500, noteGatherMs: 6 * secondMs, journalGatherMs: 15 * secondMs },
  escalation: { ladder },
  // Whoever is heard is looked at: has somebody undone what holds it?
  levers: { lookWhenHeardMs: 3 * secondMs },
  wipe: { waits: { settleMs: 1_000, lookFirstMs: 1_000, lookMaxMs: 2_000, askEveryMs: 1_000 } },
};

/** A program that does not start so often never will. `CRASH_LOUD=1` shows what it says. */
const mostStarts = 20;

/** What a sender of a webhook is told. */
export interface Answered {
  status: number;
  /** When it shall come again (seconds). */
  retryAfter: string | undefined;
}

/** A program that runs. */
interface Running {
  kill(): Promise<void>;
}

export type CrashHouse = Awaited<ReturnType<typeof openCrashHouse>>;

/**
 * Starts everything in a folder of its own; resolves when all of it serves.
 * @param options.build folder of the published program.
 */
export async function openCrashHouse(options: {
  build: string;
  seed: number;
  laptops: number;
  reconcileEvery: string;
}) {
  const folder = mkdtempSync(join(tmpdir(), 'lost-device-crash-'));
  const simulator = await startSimulator({ port: 0, seed: options.seed, devices: options.laptops });
  const port = await freePort();
  const { file, webhookSecret } = writeSimulatorSettings({
    folder,
    simulator: simulator.url,
    tenant,
    with: { entra: true, servicenow: true, pagerDuty: true, intune: true, crowdstrike: true, secrets: true },
    temporal: `127.0.0.1:${port}`,
    pollEveryMs: 3 * secondMs,
    indexEvery: '6s',
    reconcileEvery: options.reconcileEvery,
    guard: { containmentsPerHour: 1_000 },
    people: {
      ana: { timeZone: 'UTC', notify: { pager: true } },
      bob: { timeZone: 'UTC', notify: { pager: true } },
    },
    sites: [{ name: site, addresses: ['198.51.100.0/24'] }],
    // The vendor is this machine, so that nobody must be proven for a wipe.
    wipe: { dryRun: false, perHour: 1_000, perDay: 1_000, approvers: ['bob'] },
    rules,
  });
  const diedAlone: Program[] = [];
  let webhooks: string | undefined;
  let stopping = false;

  const start: Record<Program, () => Promise<Running>> = {
    async temporal() {
      // Whoever is killed loses nothing that it gave to the operating system: the power stays on here.
      const dbFile = join(folder, 'cases.db');
      const server = await startTemporalServer({ port, dbFile, durability: 'normal', namespace: 'default' });
      return {
        async kill() {
          process.kill(server.pid, 'SIGKILL');
          await server.exited;
        },
      };
    },
    worker: () => startProgram('worker', 'worker.js', () => undefined),
    intake: () => startProgram('intake', 'server.js', (said) => void (webhooks = /Webhooks on (\S+),/.exec(said)?.[1])),
  };

  /** What ends by itself is started again, as what was killed: also when it could not start, for a while. */
  async function startProgram(name: Program, file: string, ready: (said: string) => void): Promise<Running> {
    for (let tries = 1; ; tries += 1) {
      const child = startChild([join(options.build, file)], { env, quiet: process.env.CRASH_LOUD === undefined });
      try {
        ready(await child.firstLine);
      } catch (error) {
        if (tries === mostStarts || stopping) throw error;
        await setTimeout(300);
        continue;
      }
      let killed = false;
      void child.ended
        .then(async () => {
          if (killed || stopping) return;
          diedAlone.push(name);
          running[name] = await start[name]();
        })
        // It stays away: the run finds what waits for it.
        .catch(() => undefined);
      return {
        async kill() {
          killed = true;
          await child.stop('SIGKILL');
        },
      };
    }
  }

  const env = { LOST_DEVICE_SETTINGS: file };
  const running = {} as Record<Program, Running>;
  running.temporal = await start.temporal();
  const connection = await Connection.connect({ address: `127.0.0.1:${port}` });
  await prepareNamespace(connection, 'default');
  [running.worker, running.intake] = await Promise.all([start.worker(), start.intake()]);
  const house = openHouse(await loadSettings(file), new Client({ connection }), false);

  const control = async <T>(method: 'GET' | 'POST', route: string, body?: unknown): Promise<T> => {
    const answer = await request(`${simulator.url}/control/${route}`, {
      method,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    if (answer.statusCode !== 200) throw new Error(`${method} ${route}: ${await answer.body.text()}`);
    return (await answer.body.json()) as T;
  };
  // An hour takes seconds here, so nothing is late by minutes; and laptops ask for their configuration every five.
  await control('POST', 'traps', { lateEvents: false });
  await control('POST', 'tenant', { fastSync: true });

  return {
    folder,
    client: house.client,
    cases: house.cases,
    readFeeds: house.readFeeds,
    /** Calls a control route of the simulated world. */
    control,
    /** Programs that ended although nobody killed them. */
    diedAlone,

    /** Ends a program as a power cut would (-9). Resolves when it is gone. */
    async kill(name: Program): Promise<void> {
      if (name === 'intake') webhooks = undefined;
      await running[name].kill();
    },
    async startAgain(name: Program): Promise<void> {
      running[name] = await start[name]();
    },

    /** One try of a sender; undefined when nobody answered. */
    async post(source: string, deliveryId: string, body: unknown): Promise<Answered | undefined> {
      if (webhooks === undefined) return undefined;
      const text = JSON.stringify(body);
      try {
        const answer = await request(`${webhooks}/webhooks/tickets/${source}`, {
          method: 'POST',
          body: text,
          headers: signedHeaders(webhookSecret, text, deliveryId),
          headersTimeout: 15 * secondMs,
        });
        await answer.body.dump();
        return { status: answer.statusCode, retryAfter: answer.headers['retry-after'] as string | undefined };
      } catch {
        return undefined;
      }
    },

    async close(): Promise<void> {
      stopping = true;
      await Promise.all([running.worker.kill(), running.intake.kill()]);
      await closeHouse(house);
      await connection.close();
      await running.temporal.kill();
      await simulator.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}
