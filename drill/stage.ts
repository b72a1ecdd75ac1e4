/**
 * The stage of a drill: one case on a Temporal server of its own, whose time goes on as fast as the machine can, and people
 * who look once a day at what asks them.
 * @module
 */
import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import type { UpdateDefinition } from '@temporalio/common';
import type { House } from '../activities/house';
import { siteFinder } from '../activities/sites';
import { RefusedByRule } from '../client/cases';
import { archiveKeys } from '../playbook/archive-keys';
import type { CaseState, JournalEntry, Question } from '../playbook/case';
import { troubledSteps } from '../playbook/case';
import { nothingKnown } from '../playbook/report';
import { openTasks } from '../playbook/tasks';
import { fastForward } from '../temporal/time-skipping';
import { answer, closeTask, skipStep, type Decided, type Decision } from '../workflows/messages';
import type { Laptop } from './laptop';
import { spans, type Stage } from './story';

const { minuteMs, hourMs, dayMs } = spans;
const ticketId = 'DRILL-1';
/** How often the laptop speaks while it is on (milliseconds of case time). */
const speaksEveryMs = 10 * minuteMs;
/** How long this machine may take for one step of the playbook (milliseconds of our own clock). */
const patienceMs = 60_000;

/** A question that a person was asked. */
export interface Asked {
  at: string;
  text: string;
  /** Empty: whoever is called where a rung names nobody. */
  whom: string[];
  answer?: string;
  who?: string;
}

/** What happened on the stage, beside what the case itself knows. */
export interface Told {
  beats: { at: string; text: string }[];
  asked: Asked[];
  /** Sentences: what a lack of the settings kept from happening. */
  kept: string[];
  /** Sentences: what is not as it should be. */
  wrong: string[];
}

export interface StageOptions {
  house: House;
  tenant: string;
  laptop: Laptop;
  log: (line: string) => void;
}

export function setStage({ house, tenant: name, laptop, log }: StageOptions) {
  const tenant = house.tenant(name);
  const { rules, wipe, people, sites } = tenant.settings;
  const told: Told = { beats: [], asked: [], kept: [], wrong: [] };
  const startMs = laptop.nowMs;
  let workflowId = '';

  const iso = () => new Date(laptop.nowMs).toISOString();
  const handle = () => house.client.workflow.getHandle(workflowId);
  const state = async () => {
    const now = (await house.cases.show(workflowId)) as CaseState;
    for (const question of now.questions) note(question);
    return now;
  };

  async function until(what: string, ready: (state: CaseState) => boolean): Promise<CaseState> {
    for (const endMs = Date.now() + patienceMs; ; await setTimeout(25)) {
      const now = await state();
      if (ready(now)) return now;
      if (Date.now() > endMs) throw new Error(`Waited ${patienceMs / 1000} s for: ${what}.`);
    }
  }

  async function forward(ms: number): Promise<CaseState> {
    try {
      laptop.at(new Date(await fastForward(handle(), 'drill', ms)).toISOString());
    } catch (error) {
      // It closed on the way.
      const last = await state();
      if (last.closedAt === undefined) throw error;
      return last;
    }
    return state();
  }

  function note({ askedAt: at, text, whom = [] }: Question): Asked {
    const known = told.asked.find((asked) => asked.at === at && asked.text === text);
    if (known) return known;
    const asked = { at, text, whom };
    told.asked.push(asked);
    return asked;
  }

  const stage: Stage = {
    analyst: wipe.approvers[0] ?? Object.keys(people.persons)[0] ?? 'an analyst',
    secondPerson: wipe.approvers[1],
    answers: { 'lost mode': 'no', wipe: 'no', 'write-off': 'later', 'close as wiped': 'yes' },
    state,
    kept: (sentence) => void told.kept.push(sentence),
    expect: (isSo, otherwise) => void (isSo || told.wrong.push(otherwise)),
    setUpAgain: () => laptop.setUpAgain(laptop.nowMs),

    tell(text) {
      told.beats.push({ at: iso(), text });
      log(`Day ${Math.floor((laptop.nowMs - startMs) / dayMs)}: ${text}`);
    },

    async report(kind, lastHeldWhere) {
      // A desk that takes notes, so that they are played too.
      const [source = 'drill'] = [...tenant.desks].flatMap(([desk, { addInternalNote }]) =>
        addInternalNote ? desk : [],
      );
      const { serial, user } = laptop.names;
      const taken = await house.cases.handIn(
        {
          tenant: name,
          ticket: { source, id: ticketId },
          deliveryId: randomUUID(),
          receivedAt: iso(),
          verified: true,
          device: { serial },
          user,
          answers: { ...nothingKnown, kind, lastHeldWhere, powered: 'off', locked: 'yes' },
          actor: { person: 'the drill', authenticated: true, how: 'drill' },
        },
        rules,
      );
      workflowId = taken.workflowId;
      const first = await until('the first response', ({ containment, questions, steps }) => {
        const troubled = Object.values(steps).some((step) => step.state === 'stuck' || step.state === 'failing');
        return containment.state !== 'none' || questions.length > 0 || troubled;
      });
      if (first.containment.state !== 'none') return;
      await attend(first);
      await stage.pass(dayMs, ({ containment }) => containment.state !== 'none');
    },

    async pass(ms, enough) {
      let now = await state();
      const stepMs = enough ? hourMs : dayMs;
      for (let leftMs = ms; leftMs > 0 && now.closedAt === undefined && !enough?.(now); leftMs -= stepMs) {
        now = await forward(Math.min(stepMs, leftMs));
        if (now.closedAt === undefined && !enough?.(now)) await attend(now);
      }
      return now;
    },

    passTo: (ms) => stage.pass(startMs + ms - laptop.nowMs),

    async online(where, ms) {
      const { configuration } = rules;
      const place = { name: where, publicAddress: strangeAddress(sites) };
      for (let leftMs = ms; ; leftMs -= speaksEveryMs) {
        laptop.speak(place, laptop.nowMs, configuration.syncEveryMs + configuration.downloadMs);
        const spoken = await countRecords();
        const now = await until('the case to hear of the laptop', ({ presence }) => presence.count >= spoken);
        if (leftMs <= 0) {
          laptop.switchOff();
          return now;
        }
        await forward(Math.min(speaksEveryMs, leftMs));
      }
    },

    decide,
  };

  function decide<D extends Decision>(
    person: string,
    update: UpdateDefinition<Decided, [D]>,
    particulars: Omit<D, keyof Decision> & { reason: string },
  ): Promise<Decided> {
    const decision = { id: randomUUID(), actor: { person, authenticated: true, how: 'drill' }, ...particulars };
    return house.cases.decide(workflowId, update, decision as unknown as D);
  }

  /** All that the feeds have to tell of the laptop. */
  async function countRecords(): Promise<number> {
    const call = { signal: AbortSignal.timeout(patienceMs), now: iso() };
    const hearing = tenant.feeds.filter(({ feed }) => feed.sees(laptop.names));
    const answers = await Promise.all(hearing.map(({ feed }) => feed.read(undefined, [], call)));
    return answers.reduce((sum, { records }) => sum + records.length, 0);
  }

  /** People look at what asks them. A task is done a day after it was late, so that the report shows who is called. */
  async function attend(now: CaseState): Promise<void> {
    for (const question of now.questions) await reply(question);
    for (const { id, dueAt } of openTasks(now))
      if (dueAt !== undefined && laptop.nowMs - Date.parse(dueAt) > dayMs)
        await orRefused(
          decide(stage.analyst, closeTask, { reason: 'Done.', task: id, as: 'done', reference: 'drill' }),
        );
    for (const [step, { state: is, error }] of troubledSteps(now)) {
      if (is !== 'stuck') continue;
      const says = `Stuck: ${step}. ${error?.message ?? ''}`.trim();
      if (step !== 'prepare the wipe') told.wrong.push(says);
      await orRefused(decide(stage.analyst, skipStep, { reason: 'Only to play the drill to its end.', step }));
    }
  }

  async function reply(question: Question): Promise<void> {
    const { id, options, proposes } = question;
    if (options.length === 0) return; // Another command answers it: a story does.
    const value = proposes === undefined ? answerTo(id, options) : stage.answers[proposes];
    const reason = proposes === 'wipe' ? 'The drill goes on without it.' : 'Answered in the drill.';
    if (!(await orRefused(decide(stage.analyst, answer, { reason, questionId: id, value })))) return;
    Object.assign(note(question), { answer: value, who: stage.analyst });
  }

  return {
    stage,
    told,
    /** The case, and its whole journal: what is archived and what is not yet. */
    async read(): Promise<{ workflowId: string; state: CaseState; journal: JournalEntry[] }> {
      const now = await state();
      const call = { signal: AbortSignal.timeout(patienceMs), now: iso() };
      const folder = archiveKeys.journal(now.chain, 0, 0).replace(/[^/]*$/, '');
      const batches = await Promise.all(
        (await tenant.archive.list(folder, call)).map((key) => tenant.archive.get(key, call)),
      );
      const archived = batches.flatMap(
        (bytes) => JSON.parse(Buffer.from(bytes ?? '[]').toString('utf8')) as JournalEntry[],
      );
      const last = archived.at(-1)?.n ?? 0;
      return { workflowId, state: now, journal: [...archived, ...now.journal.tail.filter(({ n }) => n > last)] };
    },
  };
}

/** False where the case did not want it any more. */
async function orRefused(decided: Promise<Decided>): Promise<boolean> {
  try {
    await decided;
    return true;
  } catch (error) {
    if (error instanceof RefusedByRule) return false;
    throw error;
  }
}

/** Yes to what contains, no to what is only a suspicion, else what stands first. */
function answerTo(id: string, options: Question['options']): string {
  const wanted = id.startsWith('office: ') ? 'no' : id === 'release before the wipe is over' ? 'release' : 'yes';
  return (options.find(({ value }) => value === wanted) ?? options[0])?.value ?? '';
}

/** An address of no site: of the networks that RFC 5737 keeps for documents, and that nobody else has. */
function strangeAddress(sites: Parameters<typeof siteFinder>[0]): string {
  const siteOf = siteFinder(sites);
  const addresses = ['192.0.2.77', '198.51.100.77', '203.0.113.77'];
  return addresses.find((address) => siteOf(address) === undefined) ?? '192.0.2.77';
}
