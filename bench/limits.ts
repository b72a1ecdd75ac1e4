/**
 * Much at once: 1,000 losses within a minute, and 10,000 sightings of one case within a minute. Both are sent as fast as they are
 * taken; what is told is how long each part took, whether everything is there once, and what it cost in memory.
 * @module
 */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { Agent, request } from 'undici';
import type { CaseSummary } from '../client/cases';
import type { HouseAddresses } from '../house';
import type { CaseState, JournalEntry } from '../playbook/case';
import type { Sighting } from '../playbook/sighting';
import { startChild, startSimulatorProcess, type Child } from '../simulator/child';
import { writeSimulatorSettings } from '../simulator/settings';
import { signedHeaders } from '../simulator/sign';
import { deviceSeen } from '../workflows/messages';

const losses = 1_000;
const inFlight = 20;
/** The guard lets so many through by itself; a person is asked for the rest. */
const cap = 5;
const sightings = 10_000;
/** As many as a watch puts into one signal. */
const perSignal = 50;
const patienceMs = 15 * 60_000;

interface BurstRow {
  bench: 'losses';
  sent: number;
  storedOnce: number;
  contained: number;
  askedAPerson: number;
  answeredAllMs: number;
  p50Ms: number;
  p95Ms: number;
  /** From the first webhook until every case is contained or asks. */
  caughtUpMs: number;
  /** Of the process that is worker and intake, before, and the most that was seen (MB). */
  memoryBeforeMb: number;
  memoryPeakMb: number;
}

interface FloodRow {
  bench: 'sightings';
  sent: number;
  inArchiveOnce: number;
  doubled: number;
  storedMs: number;
  archivedMs: number;
  /** The largest state that the case showed (kB). */
  largestStateKb: number;
}

export async function benchLimits(json: boolean): Promise<void> {
  const say = (line: string) => void process.stderr.write(`${line}\n`);
  say('Starting the simulator, Temporal and the house…');
  const folder = mkdtempSync(join(tmpdir(), 'lost-device-bench-'));
  const simulator = await startSimulatorProcess({ seed: 7, devices: losses + 1 });
  const { file, webhookSecret } = writeSimulatorSettings({
    folder,
    simulator: simulator.url,
    tenant: 'bench',
    with: {},
    guard: { containmentsPerHour: cap },
  });
  const child = startChild(['bench/house.ts', file]);
  try {
    const house = JSON.parse(await child.firstLine) as HouseAddresses;
    const post = createSender(house.webhooks, webhookSecret);
    say(`Reporting ${losses} losses, ${inFlight} in flight…`);
    const burst = await measureBurst(house, child, post);
    say(`Sending ${sightings} sightings of one case, ${perSignal} in a signal…`);
    const flood = await measureFlood(house, join(folder, 'archive'), burst.someCase);
    for (const row of [burst.row, flood]) process.stdout.write(`${json ? JSON.stringify(row) : inWords(row)}\n`);
  } finally {
    await child.stop();
    await simulator.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

type Send = (serial: string) => Promise<{ workflowId: string; tookMs: number }>;

function createSender(webhooks: string, secret: string): Send {
  const dispatcher = new Agent({ keepAliveTimeout: 30_000 });
  return async (serial) => {
    const body = JSON.stringify({ ticket: `BURST-${serial}`, device: { serial }, report: { kind: 'lost' } });
    const headers = signedHeaders(secret, body, `msg_${randomUUID()}`);
    const sentMs = performance.now();
    const answer = await request(`${webhooks}/webhooks/tickets/generic`, { dispatcher, method: 'POST', body, headers });
    const taken = (await answer.body.json()) as { case: string };
    if (answer.statusCode !== 202) throw new Error(`The webhook was answered ${answer.statusCode}`);
    return { workflowId: taken.case, tookMs: performance.now() - sentMs };
  };
}

async function measureBurst(
  house: HouseAddresses,
  child: Child,
  send: Send,
): Promise<{ row: BurstRow; someCase: string }> {
  const memoryBeforeMb = memoryOf(child.pid);
  let memoryPeakMb = memoryBeforeMb;
  const watch = setInterval(() => (memoryPeakMb = Math.max(memoryPeakMb, memoryOf(child.pid))), 500);
  const startedMs = performance.now();
  const answers: Awaited<ReturnType<Send>>[] = [];
  let next = 0;
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      while (next < losses) {
        next += 1;
        answers.push(await send(`SN${1000 + next}`));
      }
    }),
  );
  const answeredAllMs = performance.now() - startedMs;
  let cases: CaseSummary[] = [];
  const settled = ({ containment, needs }: CaseSummary) => containment === 'contained' || needs === 'person';
  while (cases.filter(settled).length < losses) {
    if (performance.now() - startedMs > patienceMs)
      throw new Error(`${cases.filter(settled).length} cases have settled`);
    await setTimeout(2_000);
    cases = (await (await request(`${house.api}/api/cases?all=true`)).body.json()) as CaseSummary[];
  }
  const caughtUpMs = performance.now() - startedMs;
  clearInterval(watch);
  const ids = new Set(cases.map(({ workflowId }) => workflowId));
  const took = answers.map(({ tookMs }) => tookMs).sort((a, b) => a - b);
  const contained = cases.filter(({ containment }) => containment === 'contained');
  return {
    someCase: contained[0]?.workflowId ?? '',
    row: {
      bench: 'losses',
      sent: losses,
      storedOnce: cases.length === ids.size ? answers.filter(({ workflowId }) => ids.has(workflowId)).length : 0,
      contained: contained.length,
      askedAPerson: cases.filter(({ needs }) => needs === 'person').length,
      answeredAllMs: Math.round(answeredAllMs),
      p50Ms: Math.round(took[Math.floor(took.length / 2)] ?? NaN),
      p95Ms: Math.round(took[Math.floor(took.length * 0.95)] ?? NaN),
      caughtUpMs: Math.round(caughtUpMs),
      memoryBeforeMb,
      memoryPeakMb,
    },
  };
}

/** Resident memory of a process (MB). Where the system does not tell, NaN. */
function memoryOf(pid: number): number {
  try {
    const kb = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return Math.round(Number(kb) / 1024);
  } catch {
    return NaN;
  }
}

async function measureFlood(house: HouseAddresses, archive: string, workflowId: string): Promise<FloodRow> {
  const connection = await Connection.connect({ address: house.temporal });
  try {
    const handle = new Client({ connection, namespace: 'default' }).workflow.getHandle(workflowId);
    const { device = { serial: '' } } = await handle.query<CaseState>('describe');
    const startedMs = performance.now();
    const firstAtMs = Date.now();
    for (let first = 0; first < sightings; first += perSignal) {
      const batch = Array.from({ length: perSignal }, (_, n): Sighting => {
        const at = new Date(firstAtMs + (first + n) * 6).toISOString();
        const about = { evidence: 'client', match: 'device', device: { serial: device.serial ?? '' } } as const;
        const what = `Tunnel Up ${first + n}`;
        return { id: `flood ${first + n}`, at, source: 'netskope', feed: 'client-status', what, ...about };
      });
      await handle.signal(deviceSeen, { feed: 'netskope/client-status', sightings: batch });
    }
    const storedMs = performance.now() - startedMs;
    let largest = 0;
    let state: CaseState;
    do {
      if (performance.now() - startedMs > patienceMs) throw new Error('The sightings are not archived');
      await setTimeout(250);
      state = await handle.query<CaseState>('describe');
      largest = Math.max(largest, Buffer.byteLength(JSON.stringify(state)));
    } while (state.presence.count < sightings || state.journal.archived < state.journal.next - 1);
    const archivedMs = performance.now() - startedMs;
    const seen = readJournals(archive).flatMap(({ text }) => /^Seen: Tunnel Up (\d+)\.$/.exec(text)?.[1] ?? []);
    return {
      bench: 'sightings',
      sent: sightings,
      inArchiveOnce: new Set(seen).size,
      doubled: seen.length - new Set(seen).size,
      storedMs: Math.round(storedMs),
      archivedMs: Math.round(archivedMs),
      largestStateKb: Math.round(largest / 1024),
    };
  } finally {
    await connection.close();
  }
}

/** Every entry of every journal in the archive. */
function readJournals(archive: string): JournalEntry[] {
  return readdirSync(archive, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /journal/.test(join(entry.parentPath, entry.name)))
    .flatMap((entry) => JSON.parse(readFileSync(join(entry.parentPath, entry.name), 'utf8')) as JournalEntry[]);
}

function inWords(row: BurstRow | FloodRow): string {
  return row.bench === 'losses'
    ? `losses: ${row.storedOnce} of ${row.sent} stored once; answered in ${row.answeredAllMs} ms (p50 ${row.p50Ms} ms, p95 ${row.p95Ms} ms); ` +
        `${row.contained} contained, ${row.askedAPerson} ask a person, all within ${row.caughtUpMs} ms; memory ${row.memoryBeforeMb} MB, at most ${row.memoryPeakMb} MB`
    : `sightings: ${row.inArchiveOnce} of ${row.sent} in the archive, ${row.doubled} doubled; stored in ${row.storedMs} ms, archived in ${row.archivedMs} ms; state at most ${row.largestStateKb} kB`;
}
