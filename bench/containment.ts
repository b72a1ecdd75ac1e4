/**
 * From the first byte of the webhook to the user seen in the lost group, beside the floor in the same run; and the intake.
 *
 * Both sides are measured by the same instrument, the simulator's own record of calls: from the moment the first byte is
 * sent to the arrival of the reading that shows the user in the group, plus that reading's own latency. Measured in a
 * process of its own: a loop beside the worker would slow the worker down.
 * @module
 */
import { randomUUID } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import { startChild, startSimulatorProcess } from '../simulator/child';
import { signedHeaders } from '../simulator/sign';
import { writeSimulatorSettings } from '../simulator/settings';
import { containPlainly, learnGroup } from './floor';

const samples = 40;
const warmUps = 8;
const intakeCases = 600;
const intakeInFlight = 20;
const devices = 2 * (samples + warmUps) * 2 + intakeCases;

interface Row {
  bench: 'containment';
  latencyMs: number;
  floorMs: number;
  p50Ms: number;
  p95Ms: number;
  /** p50 over the floor's p50. */
  ratio: number;
  /** p50 less the floor's p50 (milliseconds). */
  overMs: number;
  samples: number;
}

interface IntakeRow {
  bench: 'intake';
  casesPerSecond: number;
  p50Ms: number;
  p95Ms: number;
  cases: number;
  inFlight: number;
  /** Cases found in Temporal afterwards. */
  stored: number;
}

export async function benchContainment(json: boolean): Promise<void> {
  const say = (line: string) => void process.stderr.write(`${line}\n`);
  say('Starting the simulator, Temporal and the house…');
  const simulator = await startSimulatorProcess({ seed: 7, devices });
  const netskope = simulator.url;
  const house = await startHouseProcess(netskope);
  try {
    const groupId = await learnGroup(netskope);
    const take = takeDevices();
    const rows: (Row | IntakeRow)[] = [];
    for (const latencyMs of [0, 50]) {
      await request(`${netskope}/control/faults`, { method: 'DELETE' });
      if (latencyMs > 0)
        await post(`${netskope}/control/faults`, {
          match: { path: '/api/' },
          times: 'always',
          effect: { delayMs: latencyMs },
        });
      say(
        `Measuring at ${latencyMs} ms vendor latency: ${samples} cases beside ${samples} runs of the floor, taking turns…`,
      );
      const floor: number[] = [];
      const ours: number[] = [];
      for (let n = 0; n < samples + warmUps; n += 1) {
        const plain = take();
        const floorMs = await measure(netskope, latencyMs, plain.user, () =>
          containPlainly({ netskope, ...plain, groupId }).then(() => undefined),
        );
        const device = take();
        const oursMs = await measure(netskope, latencyMs, device.user, () => house.report(device.serial));
        if (n < warmUps) continue;
        floor.push(floorMs);
        ours.push(oursMs);
      }
      const floorMs = quantile(floor, 0.5);
      const p50Ms = quantile(ours, 0.5);
      const row: Row = {
        bench: 'containment',
        latencyMs,
        floorMs: round(floorMs),
        p50Ms: round(p50Ms),
        p95Ms: round(quantile(ours, 0.95)),
        ratio: Math.round((p50Ms / floorMs) * 1000) / 1000,
        overMs: round(p50Ms - floorMs),
        samples,
      };
      rows.push(row);
      if (json) process.stdout.write(`${JSON.stringify(row)}\n`);
    }
    await request(`${netskope}/control/faults`, { method: 'DELETE' });
    say(`Measuring the intake: ${intakeCases} webhooks, ${intakeInFlight} in flight, the worker busy with the cases…`);
    const intake = await measureIntake(house, take);
    rows.push(intake);
    if (json) process.stdout.write(`${JSON.stringify(intake)}\n`);
    else print(rows);
  } finally {
    await house.stop();
    await simulator.stop();
  }
}

/** One device after the other, none twice. */
function takeDevices(): () => { serial: string; user: string } {
  let n = 0;
  return () => {
    n += 1;
    return { serial: `SN${1000 + n}`, user: `user${String(n).padStart(4, '0')}@example.test` };
  };
}

interface Call {
  at: string;
  method: string;
  path: string;
  status: number;
  changed: string | null;
}

/** Start something, wait until the simulator shows the reading that follows the PATCH, and say how long it took. */
async function measure(netskope: string, latencyMs: number, user: string, start: () => Promise<void>): Promise<number> {
  await request(`${netskope}/control/calls`, { method: 'DELETE' });
  const startedMs = performance.timeOrigin + performance.now();
  await start();
  // Look rarely, so that looking does not slow down what is looked at.
  for (let waitedMs = 0; waitedMs < 20_000; waitedMs += 100) {
    await new Promise((resolve) => setTimeout(resolve, waitedMs === 0 ? latencyMs * 4 + 60 : 100));
    const calls = await get<Call[]>(`${netskope}/control/calls`);
    const added = calls.findIndex(({ changed }) => changed?.includes(`${user} added to group`));
    const seen = calls.find(
      ({ path }, index) => index > added && added >= 0 && path.startsWith('/api/v2/users/getusers'),
    );
    if (seen) {
      await new Promise((resolve) => setTimeout(resolve, 250)); // Let the rest of this case pass before the next.
      return Date.parse(seen.at) + latencyMs - startedMs;
    }
  }
  throw new Error(`${user} was not seen in the lost group within 20 s`);
}

async function measureIntake(house: HouseProcess, take: () => { serial: string }): Promise<IntakeRow> {
  const latencies: number[] = [];
  const startedMs = performance.now();
  let left = intakeCases;
  await Promise.all(
    Array.from({ length: intakeInFlight }, async () => {
      while (left > 0) {
        left -= 1;
        const sentMs = performance.now();
        await house.report(take().serial);
        latencies.push(performance.now() - sentMs);
      }
    }),
  );
  const tookMs = performance.now() - startedMs;
  const before = house.reported - intakeCases;
  let stored = 0;
  for (let tries = 0; tries < 60 && stored < intakeCases; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 500));
    stored = (await get<unknown[]>(`${house.api}/api/cases?all=true`)).length - before;
  }
  return {
    bench: 'intake',
    casesPerSecond: round((intakeCases / tookMs) * 1000),
    p50Ms: round(quantile(latencies, 0.5)),
    p95Ms: round(quantile(latencies, 0.95)),
    cases: intakeCases,
    inFlight: intakeInFlight,
    stored,
  };
}

interface HouseProcess {
  api: string;
  reported: number;
  /** Send a signed report; resolves when it was answered 2xx. */
  report(serial: string): Promise<void>;
  stop(): Promise<void>;
}

async function startHouseProcess(netskope: string): Promise<HouseProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'lost-device-bench-'));
  const { file, webhookSecret } = writeSimulatorSettings({
    folder,
    simulator: netskope,
    tenant: 'bench',
    with: {},
    // The cap would ask a person after five: here it is the machine that is measured.
    guard: { containmentsPerHour: 1_000_000 },
  });
  const child = startChild(['bench/house.ts', file]);
  const up = JSON.parse(await child.firstLine) as { webhooks: string; api: string };
  const agent = new Agent({ keepAliveTimeout: 30_000 });
  const house: HouseProcess = {
    api: up.api,
    reported: 0,
    async report(serial) {
      const id = `msg_${randomUUID()}`;
      const body = JSON.stringify({ ticket: `BENCH-${serial}`, device: { serial }, report: { kind: 'lost' } });
      const answer = await request(`${up.webhooks}/webhooks/tickets/generic`, {
        dispatcher: agent,
        method: 'POST',
        body,
        headers: signedHeaders(webhookSecret, body, id),
      });
      await answer.body.dump();
      if (answer.statusCode >= 300) throw new Error(`The webhook was answered ${answer.statusCode}`);
      house.reported += 1;
    },
    stop: () => child.stop(),
  };
  return house;
}

async function get<T>(url: string): Promise<T> {
  return (await (await request(url)).body.json()) as T;
}

async function post(url: string, body: unknown): Promise<void> {
  const answer = await request(url, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  });
  await answer.body.dump();
  if (answer.statusCode >= 300) throw new Error(`${url}: ${answer.statusCode}`);
}

function quantile(values: number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? NaN;
}

const round = (ms: number) => Math.round(ms * 10) / 10;

function print(rows: (Row | IntakeRow)[]): void {
  for (const row of rows) {
    process.stdout.write(
      row.bench === 'containment'
        ? `containment at ${row.latencyMs} ms: floor ${row.floorMs} ms, ours p50 ${row.p50Ms} ms, p95 ${row.p95Ms} ms; ratio ${row.ratio}, over by ${row.overMs} ms (${row.samples} samples)\n`
        : `intake: ${row.casesPerSecond} cases/s, answered p50 ${row.p50Ms} ms, p95 ${row.p95Ms} ms; ${row.stored} of ${row.cases} stored (${row.inFlight} in flight)\n`,
    );
  }
}
