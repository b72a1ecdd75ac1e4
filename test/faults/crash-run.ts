/**
 * One run: 50 laptops are lost at once and take their courses, while worker, intake and Temporal server are killed (-9) at
 * seeded moments. Afterwards the cases and the vendors are looked at.
 * @module
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { archiveKeys } from '../../playbook/archive-keys';
import type { CaseState, JournalEntry } from '../../playbook/case';
import { seeded } from '../setup/seeded';
import type { Course } from './crash-courses';
import { courses } from './crash-courses';
import type { CrashHouse } from './crash-house';
import { openCrashHouse, programs } from './crash-house';
import { replayAll } from './crash-replay';
import type { CrashWorld, Laptop } from './crash-world';
import { laptopAt, openCrashWorld } from './crash-world';

const secondMs = 1_000;

/** What a run was, and all that was wrong in it. */
export interface Run {
  seed: number;
  cases: number;
  kills: number;
  seconds: number;
  /** How much was looked at afterwards. */
  webhooks: number;
  changes: number;
  notes: number;
  entries: number;
  /** Programs that ended without being killed, and were started again. */
  diedAlone: number;
  /** Empty: no case lost, every outcome as it would have been, nothing twice, no answered webhook forgotten. */
  wrong: string[];
}

/** A case, and what was said to it. */
interface Played {
  course: Course;
  laptop: Laptop;
  /** Number of its ServiceNow ticket; undefined where the desk signs reports and takes nothing back. */
  ticket: string | undefined;
  /** Deliveries that were answered 2xx. */
  answered: string[];
}

/**
 * Plays one run in an installation of its own.
 * @param options.kills how many; every program at least once when there are three or more.
 * @param options.build folder of the published program.
 */
export async function playRun(options: { build: string; seed: number; cases: number; kills: number }): Promise<Run> {
  const { build, seed, cases, kills } = options;
  const startedMs = Date.now();
  const random = seeded(seed);
  const wrong: string[] = [];
  const house = await openCrashHouse({ build, seed, laptops: cases, reconcileEvery: '20s' });
  const world = openCrashWorld(house, (sentence) => wrong.push(sentence));
  try {
    const plans = Array.from({ length: cases }, (_, index) => planOf(index, random));
    const killing = killAtRandom(house, kills, random);
    const played = await Promise.all(plans.map((plan) => play(world, plan, wrong)));
    await killing;
    // A worker that begins anew reads each case from its history: one that contradicts it gives no answer.
    await house.kill('worker');
    await house.startAgain('worker');
    const looked = await lookAtAll(world, played, wrong);
    // A quarter of a run's time, so only where it may explain something.
    if (wrong.length > 0) wrong.push(...(await replayAll(house.client, build, `seed-${seed}`)));
    const seconds = Math.round((Date.now() - startedMs) / secondMs);
    return { seed, cases, kills, seconds, ...looked, diedAlone: house.diedAlone.length, wrong };
  } finally {
    await world.close();
    await house.close();
  }
}

/** Chance decides all of a case before anything begins, so that a seed means the same however fast things go. */
function planOf(index: number, random: () => number) {
  const course = courses[index % courses.length];
  if (course === undefined) throw new Error('there are no courses');
  return {
    course,
    laptop: laptopAt(index),
    startsAfterMs: random() * 15 * secondMs,
    /** Half of the tickets lie in ServiceNow, where the webhook is a hint only. */
    inServiceNow: random() < 0.5,
    /** The desk sends its webhook once, whatever it is answered. */
    sendsOnce: random() < 0.3,
    /** The desk did not get the answer in time, and sends the same again. */
    sendsTwice: random() < 0.3,
    /** Somebody adds to the report a while later. */
    addsAfterMs: random() < 0.5 ? random() * 10 * secondMs : undefined,
  };
}

/** Every program once, then any; some seconds between. What was killed stays away for up to two seconds. */
async function killAtRandom(house: CrashHouse, kills: number, random: () => number): Promise<void> {
  const order = [...programs].sort(() => random() - 0.5);
  for (let n = 0; n < kills; n += 1) {
    await setTimeout((1 + random() * 5) * secondMs);
    const name = order[n] ?? programs[Math.floor(random() * programs.length)] ?? 'worker';
    await house.kill(name);
    await setTimeout(random() * 2 * secondMs);
    await house.startAgain(name);
  }
}

async function play(world: CrashWorld, plan: ReturnType<typeof planOf>, wrong: string[]): Promise<Played> {
  const { course, laptop } = plan;
  const { serial, user } = laptop;
  const played: Played = { course, laptop, ticket: undefined, answered: [] };
  const send = async (source: string, delivery: string, body: unknown, once = false) => {
    if (await world.send(source, delivery, body, once)) played.answered.push(delivery);
  };
  try {
    await setTimeout(plan.startsAfterMs);
    if (plan.inServiceNow) {
      const opened = await world.house.control<{ number: string }>('POST', 'tickets', {
        category: 'equipment_loss',
        u_serial: serial,
        caller: user,
        description: `kind: ${course.kind}`,
      });
      played.ticket = opened.number;
      await send('servicenow', `msg_${serial}`, { ticket: opened.number }, plan.sendsOnce);
      if (plan.sendsTwice) await send('servicenow', `msg_${serial}`, { ticket: opened.number });
    } else {
      const report = { ticket: `T-${serial}`, device: { serial }, user, report: { kind: course.kind } };
      await send('generic', `msg_${serial}`, report);
      if (plan.sendsTwice) await send('generic', `msg_${serial}`, report);
      if (plan.addsAfterMs !== undefined) {
        await setTimeout(plan.addsAfterMs);
        await send('generic', `msg_${serial}_more`, { ...report, report: { kind: course.kind, powered: 'off' } });
      }
    }
    await course.play(world, laptop);
    const { outcome, listening = false } = course.ends;
    await world.untilListed(
      laptop.workflowId,
      `ends as ${outcome}`,
      (row) => row.outcome === outcome && row.running === listening,
    );
  } catch (error) {
    wrong.push(`${serial} (${course.name}): ${error instanceof Error ? error.message : String(error)}`);
  }
  return played;
}

async function lookAtAll(world: CrashWorld, played: Played[], wrong: string[]) {
  const { house } = world;
  // Every case first, the vendors after it: a case that listens may have a last note to bring to its ticket.
  const states = new Map<string, CaseState | Error>();
  const untilAtRest = async ({ laptop: { workflowId } }: Played) => {
    const said = world.untilSaid(workflowId, 'at rest', (state) => state.closedAt !== undefined || isAtRest(state));
    states.set(workflowId, await said.catch((error: unknown) => error as Error));
  };
  await Promise.all(played.map(untilAtRest));
  const changes = await world.readChanges();
  const state = await house.control<VendorState>('GET', 'state');
  const rows = await house.cases.list({ all: true });
  const looked = { webhooks: 0, changes: changes.length, notes: 0, entries: 0 };

  for (const change of new Set(changes)) {
    const times = changes.filter((other) => other === change).length;
    if (times > 1) wrong.push(`Happened ${times} times: ${change}`);
    if (/COMMENT THAT THE CALLER SEES|DELETED/.test(change)) wrong.push(`Must never happen: ${change}`);
  }
  const incidents = await house.control<{ dedupKey: string }[]>('GET', 'pagerduty');
  const keys = incidents.map(({ dedupKey }) => dedupKey);
  for (const key of new Set(keys.filter((key, index) => keys.indexOf(key) !== index)))
    wrong.push(`People were called twice: ${key}`);
  for (const { laptop, course, ticket, answered } of played) {
    const { serial, workflowId } = laptop;
    const say = (sentence: string) => wrong.push(`${serial} (${course.name}): ${sentence}`);
    const mine = rows.filter((row) => row.workflowId === workflowId);
    if (mine.length !== 1) say(`has ${mine.length} cases`);
    const found = states.get(workflowId);
    if (found === undefined || found instanceof Error) {
      say(`does not answer, or never comes to rest: ${found?.message ?? ''}`);
      continue;
    }
    if (found.outcome !== course.ends.outcome) say(`ended as ${found.outcome}`);
    if (course.ends.listening && Date.parse(found.listening?.until ?? '') < Date.now() + 300 * 24 * 3_600_000)
      say(`listens until ${found.listening?.until ?? 'nothing'}`);

    looked.webhooks += answered.length;
    if (ticket === undefined) {
      for (const delivery of answered)
        if (!found.deliveries.includes(delivery)) say(`does not know the delivery ${delivery}`);
    } else if (!found.tickets.some(({ id }) => id === ticket)) say(`does not know its ticket ${ticket}`);

    const expected = [...course.changes(laptop), ...ticketChanges(ticket, found)].sort();
    const happened = changes
      .filter((change) =>
        [serial, laptop.hostname, laptop.user, ticket ?? serial].some((name) => isAbout(change, name)),
      )
      .filter((change) => !change.startsWith('servicenow: note') && !change.startsWith('pagerduty'))
      .sort();
    for (const change of expected) if (!happened.includes(change)) say(`never happened: ${change}`);
    for (const change of happened) if (!expected.includes(change)) say(`happened and should not: ${change}`);

    if (ticket !== undefined) {
      const notes = state.servicenow.tickets.find(({ number }) => number === ticket)?.workNotes ?? [];
      const said = numbersOf(notes.map((note) => /\[ldp:.*:(\d+)-(\d+)\]/.exec(note) ?? []));
      looked.notes += notes.length;
      if (!isWhole(said, found.notes.next - 1 - found.notes.pending.length))
        say(`notes in the ticket: ${said.join(' ')} of ${found.notes.next - 1}`);
    }
    // What it hears while its last papers are on their way stands in no paper.
    const entries = (await journalOf(house.folder, found)).map(({ n }) => n);
    looked.entries += entries.length;
    if (!isWhole(entries, found.journal.archived))
      say(`entries in the archive: ${entries.join(' ')} of ${found.journal.archived}`);
  }
  return looked;
}

/** It listens, and has said everything that it has to say. */
const isAtRest = ({ listening, notes, pages, journal }: CaseState) =>
  listening !== undefined && notes.pending.length === 0 && pages.length === 0 && journal.next - 1 === journal.archived;

const isAbout = (change: string, name: string) => new RegExp(`\\b${name.replaceAll('.', '\\.')}\\b`).test(change);

function ticketChanges(ticket: string | undefined, { reopened }: CaseState): string[] {
  if (ticket === undefined) return [];
  const once = [`servicenow: ${ticket} is In Progress`, `servicenow: ${ticket} is Resolved`];
  return reopened > 0 ? [...once, ...once.map((change) => `${change} (#2)`)] : once;
}

/** Every number of these ranges, as often as it comes. */
const numbersOf = (ranges: (string | undefined)[][]) =>
  ranges.flatMap(([, first, last]) =>
    Array.from({ length: Number(last) - Number(first) + 1 }, (_, index) => Number(first) + index),
  );

/** Each number from 1 to the last one, and none of them twice. */
const isWhole = (numbers: number[], last: number) =>
  numbers.length === last && new Set(numbers).size === last && numbers.every((n) => n >= 1 && n <= last);

async function journalOf(folder: string, { chain }: CaseState): Promise<JournalEntry[]> {
  const batches = join(folder, 'archive', archiveKeys.journal(chain, 0, 0), '..');
  const files = await readdir(batches).catch(() => []);
  const texts = await Promise.all(files.map((file) => readFile(join(batches, file), 'utf8')));
  return texts.flatMap((text) => {
    const batch = JSON.parse(text) as JournalEntry[] | { entries: JournalEntry[] };
    return Array.isArray(batch) ? batch : batch.entries;
  });
}

interface VendorState {
  servicenow: { tickets: { number: string; state: string; workNotes: string[] }[] };
}
