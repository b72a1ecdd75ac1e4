/**
 * The case file: the state of one case and the few ways to change it. Tracks say things, take steps, ask people and wait;
 * everything else (status, journal, notes, pages, continuing as new) follows from that.
 * @module
 */
import {
  ActivityFailure,
  ApplicationFailure,
  allHandlersFinished,
  condition,
  patched,
  setCurrentDetails,
  upsertMemo,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { PlaybookActivities } from '../activities';
import type { CaseState, PendingPage, Question, Step, TrackName } from '../playbook/case';
import { namesOf, openCase, pageHash, takeReport, troubledSteps, upgrade } from '../playbook/case';
import { asMarkdown, onOneLine } from '../playbook/plain-text';
import { nameTicket } from '../playbook/report';
import { completeRules } from '../playbook/rules';
import { summarise } from '../playbook/summary';
import { activitiesOf } from './activity-names';
import { isHistoryLong, now, nowMs } from './last-news';
import type { CaseInput, Decision } from './messages';
import { caseAttributes } from './search-attributes';

/** An activity is bounded; the long retry belongs to the workflow, where people can see it. */
export const act = activitiesOf<PlaybookActivities>({
  startToCloseTimeout: '2 minutes',
  scheduleToCloseTimeout: '10 minutes',
  heartbeatTimeout: '10 seconds',
  retry: { initialInterval: '500 milliseconds', backoffCoefficient: 2, maximumAttempts: 3 },
});

/** How many archived entries stay in the state for `show` and the console. */
const tailKept = 20;
/** Entries that wait for an archive that is away; beyond them, more of the same is only counted. */
const longestBacklog = 400;
/** Longest text of one entry (characters). */
const longestText = 400;
/** Signs that may wait for the archive before further ones wait for their turn: the state stays within its budget. */
const roomForSigns = 50;
/** A search attribute holds 2,048 bytes, and the server ends a case that sets a longer one: so many hashes of tickets fit. */
const mostTicketKeys = 80;

export class CaseFile {
  readonly state: CaseState;
  /** False in runs that began before there was a ladder: they page everybody at once, until they go on as a new run. */
  readonly hasLadder = patched('ladder');
  /** False in runs that began before tampering was recognised, until they go on as a new run. */
  readonly heedsTampering = patched('tampering');
  /** The page that is on its way: it cannot be called back. */
  sending: PendingPage | undefined;
  /** Activities on their way. Continuing as new now would lose their results. */
  private inFlight = 0;
  /** Continuing as new is wanted: nothing new starts until everything has come home. */
  private draining = false;
  /** Go on as a new run: the tracks begin anew with what the case knows. */
  async goOn(): Promise<'continue as new'> {
    this.draining = true;
    await condition(() => this.quiet);
    return 'continue as new';
  }
  private status = '';
  private readonly wakes = new Set<string>();

  constructor(input: CaseInput) {
    const { workflowId, runId } = workflowInfo();
    this.state = input.state
      ? upgrade(input.state)
      : openCase(input.report, completeRules(input.rules), { workflowId, runId, now: this.now });
    for (const report of input.more ?? []) takeReport(this.state, report);
  }

  get now(): string {
    return now();
  }

  get ending(): boolean {
    return this.state.ending !== undefined;
  }

  /**
   * The first response is over: the user is contained, or something keeps that waiting.
   */
  get responded(): boolean {
    const { containment, questions, steps } = this.state;
    const troubled = Object.values(steps).some(({ state }) => state !== 'running' && state !== 'done');
    return containment.state !== 'none' || questions.length > 0 || troubled || this.ending;
  }

  // --- saying ----------------------------------------------------------------------------------------------------

  /** Put something into the journal; with `note`, into the tickets as well. */
  say(
    track: TrackName,
    text: string,
    more: { who?: string; evidence?: string; note?: boolean; at?: string; routine?: boolean } = {},
  ): void {
    const { journal, notes } = this.state;
    if (more.routine && journal.next - journal.archived > longestBacklog) {
      journal.leftOut = (journal.leftOut ?? 0) + 1;
      return;
    }
    const at = more.at ?? this.now;
    const cut = (value: string) => onOneLine(value, longestText);
    journal.tail.push({
      n: journal.next,
      at,
      track,
      who: more.who ?? 'playbook',
      text: cut(text),
      ...(more.evidence !== undefined && { evidence: cut(more.evidence) }),
      ...(more.routine && { routine: true }),
    });
    journal.next += 1;
    if (more.note) {
      notes.pending.push({ n: notes.next, at, text: cut(more.evidence ? `${text} ${more.evidence}` : text) });
      notes.next += 1;
    }
  }

  /** Tell people news. The same key pages once in the life of a case. What stays wrong is told by the ladder. */
  page(key: string, subject: string, text: string): void {
    const { chain, pages, rules } = this.state;
    if (this.state.paged.includes(pageHash(key))) return;
    this.state.paged = [...this.state.paged, pageHash(key)].slice(-200);
    const to = this.hasLadder ? { to: rules.escalation.news } : {};
    pages.push({ key: `${chain}:${key}`, subject, text, ...to });
  }

  /** What waits for its turn, and the end of the queue. */
  private inTurn = 0;
  private lastTurn = Promise.resolve();

  /** Take signs in, in the order in which they came: at once where the archive keeps up, else after those before them. */
  takeInTurn(take: () => void): Promise<void> | void {
    if (this.inTurn === 0 && (this.hasRoom || !patched('signs take turns'))) return take();
    this.inTurn += 1;
    this.lastTurn = this.lastTurn.then(async () => {
      await condition(() => this.hasRoom);
      take();
      this.inTurn -= 1;
    });
    return this.lastTurn;
  }

  /** An archive that is away makes nothing wait: more of the same is then only counted. */
  private get hasRoom(): boolean {
    const { journal, steps } = this.state;
    const archiving = steps[archiveStep]?.state;
    const keepsUp = journal.next - 1 - journal.archived < roomForSigns;
    return keepsUp || this.draining || this.closing || archiving === 'failing' || archiving === 'stuck';
  }

  // --- waiting ---------------------------------------------------------------------------------------------------

  /** Wait until something is so, or until a due time. Costs no history unless there is a due time. */
  async until(ready: () => boolean, dueAt?: string): Promise<boolean> {
    if (dueAt === undefined) {
      await condition(ready);
      return true;
    }
    const leftMs = Date.parse(dueAt) - nowMs();
    return ready() || (leftMs > 0 && (await condition(ready, leftMs)));
  }

  after(ms: number): string {
    return new Date(nowMs() + ms).toISOString();
  }

  // --- steps -----------------------------------------------------------------------------------------------------

  /**
   * Take a step. It never fails: a vendor that is away makes it *failing*, tried again by a timer for ever; a refusal makes
   * it *stuck*, and people are told. A person may retry or skip it. Undefined when it was skipped, or when the case is
   * ending and the step is not part of the ending.
   */
  async step<T>(
    name: string,
    run: () => Promise<T>,
    options: { track: TrackName; partOfEnding?: boolean; /** Not to be tried any more. */ unless?: () => boolean },
  ): Promise<T | undefined> {
    const given = () => (this.ending && !options.partOfEnding) || options.unless?.() === true;
    const step: Step = this.state.steps[name] ?? { state: 'running', since: this.now, attempts: 0 };
    if (step.state === 'done' || step.state === 'skipped')
      Object.assign(step, { state: 'running', since: this.now, attempts: 0 });
    this.state.steps[name] = step;
    if (step.nextTryAt !== undefined && !(await this.waitForRetry(name, step, given))) return undefined;
    for (;;) {
      await condition(() => !this.draining);
      if (given()) {
        delete this.state.steps[name];
        return undefined;
      }
      step.attempts += 1;
      this.inFlight += 1;
      try {
        const result = await run();
        if (step.state === 'failing' || step.state === 'stuck')
          this.say(options.track, `Works again: ${name}.`, { note: toldInTickets(name) });
        this.finish(step, 'done');
        return result;
      } catch (error) {
        this.fail(name, step, error, options.track);
      } finally {
        this.inFlight -= 1;
      }
      if (!(await this.waitForRetry(name, step, given))) return undefined;
    }
  }

  private finish(step: Step, state: 'done' | 'skipped'): void {
    Object.assign(step, { state, since: this.now });
    delete step.error;
    delete step.nextTryAt;
  }

  private fail(name: string, step: Step, error: unknown, track: TrackName): void {
    const failure = readFailure(error);
    const state = failure.refused ? 'stuck' : 'failing';
    if (step.state !== state) {
      step.since = this.now;
      this.say(track, `${state === 'stuck' ? 'Stuck' : 'Failing'}: ${name}.`, {
        evidence: failure.message,
        note: toldInTickets(name),
      });
      if (state === 'stuck' && !this.hasLadder) {
        this.page(
          `stuck:${name}:${step.since}`,
          `Stuck: ${name}`,
          `${failure.message} Retry it, or skip it with a reason.`,
        );
      }
    }
    step.state = state;
    step.error = { code: failure.code, message: failure.message };
    const { retryFirstMs, retryMaxMs } = this.state.rules.waits;
    const backOffMs = Math.min(retryMaxMs, retryFirstMs * 2 ** Math.min(step.attempts - 1, 20));
    if (state === 'failing')
      step.nextTryAt = this.after(Math.min(retryMaxMs, Math.max(backOffMs, failure.retryAfterMs)));
    else delete step.nextTryAt;
  }

  /** False when the step is not to be tried again: skipped, or given up because the case ends. */
  private async waitForRetry(name: string, step: Step, given: () => boolean): Promise<boolean> {
    const skipped = () => step.state === 'skipped';
    await this.until(() => this.wakes.has(name) || skipped() || given(), step.nextTryAt);
    this.wakes.delete(name);
    return !skipped();
  }

  /** A person wants a step tried now, be it by the next run. Without a name: every step that waits. */
  retry(name?: string): string[] {
    const names = troubledSteps(this.state).flatMap(([found]) => (name === undefined || found === name ? [found] : []));
    for (const found of names) {
      this.wakes.add(found);
      delete this.state.steps[found]?.nextTryAt;
    }
    return names;
  }

  skip(name: string, reason: string): void {
    const step = this.state.steps[name];
    if (step === undefined) return;
    this.finish(step, 'skipped');
    step.skippedBecause = reason;
  }

  // --- asking ----------------------------------------------------------------------------------------------------

  /** Ask people once; the question stands until it is answered or withdrawn. */
  ask(question: Omit<Question, 'askedAt'>): void {
    if (this.state.questions.some(({ id }) => id === question.id)) return;
    delete this.state.decided[question.id];
    this.state.questions.push({ ...question, askedAt: this.now });
    this.say('case', `Asked: ${question.text}`, { note: true });
    if (!this.hasLadder)
      this.page(`question:${question.id}:${this.state.journal.next}`, 'A decision is needed', question.text);
  }

  withdraw(id: string): void {
    this.state.questions = this.state.questions.filter((question) => question.id !== id);
  }

  answered(id: string): string | undefined {
    return this.state.decided[id]?.value;
  }

  decide(question: Question, value: string, decision: Decision): void {
    this.withdraw(question.id);
    this.state.decided[question.id] = { value, who: decision.actor.person, at: this.now };
  }

  // --- the rounds ------------------------------------------------------------------------------------------------

  /** Keep search attributes, memo and current details in step with the state: one place, whenever something changed. */
  async keepStatus(): Promise<never> {
    for (;;) {
      await condition(() => this.status !== this.statusNow());
      this.showStatus();
    }
  }

  showStatus(): void {
    const { state } = this;
    this.status = this.statusNow();
    const ticketKeys = state.tickets.flatMap(({ key }) => (key === undefined ? [] : [key]));
    upsertSearchAttributes([
      { key: caseAttributes.outcome, value: state.outcome },
      { key: caseAttributes.containment, value: state.containment.state },
      { key: caseAttributes.configuration, value: state.configuration.state },
      { key: caseAttributes.presence, value: state.presence.state },
      { key: caseAttributes.needs, value: needs(state) },
      { key: caseAttributes.keys, value: state.keys },
      { key: caseAttributes.tickets, value: ticketKeys.slice(-mostTicketKeys) },
    ]);
    const team = state.device?.team;
    const site = state.presence.last?.site;
    upsertMemo({
      openedAt: state.openedAt,
      names: namesOf(state),
      tickets: state.tickets.slice(-mostTicketKeys).map(nameTicket),
      ...(team !== undefined && { team }),
      ...(site !== undefined && { site }),
    });
    setCurrentDetails(asMarkdown(summarise(state)));
  }

  private statusNow(): string {
    const { state } = this;
    return JSON.stringify([
      state.outcome,
      state.containment.state,
      state.configuration.state,
      state.presence.state,
      needs(state),
      state.keys,
      state.tickets.length,
      state.presence.last?.site,
    ]);
  }

  /** Entries to the archive in numbered batches; the tail is cut only after the archive has them. */
  async keepJournal(): Promise<void> {
    const { journal, rules } = this.state;
    while (!this.state.closedAt) {
      const behind = () => journal.next - 1 > journal.archived;
      await this.until(() => behind() || this.closing);
      if (!behind()) return;
      if (journal.sending === undefined) {
        await this.until(() => this.hurrying || this.inTurn > 0, this.after(rules.waits.journalGatherMs));
        journal.sending = Math.min(journal.next - 1, journal.archived + 200);
      }
      await this.archiveBatch();
    }
  }

  private async archiveBatch(): Promise<void> {
    const { journal, tenant, chain } = this.state;
    const last = journal.sending ?? journal.archived;
    const entries = journal.tail.filter((entry) => entry.n > journal.archived && entry.n <= last);
    await this.step(archiveStep, () => act.archiveJournal({ tenant, now: this.now, chain, entries }), {
      track: 'case',
      partOfEnding: true,
    });
    journal.archived = last;
    delete journal.sending;
    if (journal.leftOut !== undefined) {
      const evidence = `${journal.leftOut} routine signs are not in the journal: the archive was away for too long.`;
      delete journal.leftOut;
      this.say('case', 'The journal has a gap.', { evidence, note: true });
    }
    const kept = journal.tail.filter((entry) => entry.n <= last && !entry.routine).slice(-tailKept);
    journal.tail = [...kept, ...journal.tail.filter((entry) => entry.n > last)];
  }

  /** Notes into every ticket. A batch keeps its numbers, and so its marker, until every ticket has it. */
  async keepTickets(): Promise<void> {
    const { notes, rules } = this.state;
    for (;;) {
      await this.until(() => notes.pending.length > 0 || this.closing);
      if (notes.pending.length === 0) return;
      if (notes.sending === undefined) {
        await this.until(() => this.hurrying, this.after(rules.waits.noteGatherMs));
        notes.sending = { last: notes.next - 1, told: [] };
      }
      await this.sendNotes();
    }
  }

  private async sendNotes(): Promise<void> {
    const { notes, tenant, chain } = this.state;
    const sending = notes.sending ?? { last: 0, told: [] };
    const batch = notes.pending.filter((note) => note.n <= sending.last);
    const marker = `[ldp:${chain}:${batch[0]?.n ?? 0}-${sending.last}]`;
    const lines = batch.map((note) => `${note.at.slice(0, 16).replace('T', ' ')} UTC  ${note.text}`);
    const text = [...lines, marker].join('\n');
    for (const ticket of [...this.state.tickets]) {
      const told = nameTicket(ticket);
      if (sending.told.includes(told)) continue;
      await this.step(`${noteIn} ${told}`, () => act.addNote({ tenant, now: this.now, ticket, marker, text }), {
        track: 'case',
        partOfEnding: true,
      });
      sending.told.push(told);
    }
    notes.pending = notes.pending.filter((note) => note.n > sending.last);
    delete notes.sending;
  }

  /** Nothing is gathered any more: the case only waits for its last words to be sent. */
  private get hurrying(): boolean {
    return this.state.outcome !== 'open';
  }

  /** The rounds end when the case has nothing more to say. */
  closing = false;
  stopRounds(): void {
    this.closing = true;
  }

  /** Resolves at a quiet point once the server suggests continuing as new: no handler, no activity in flight. */
  async untilDrained(): Promise<void> {
    await condition(() => isHistoryLong() && this.inTurn === 0);
    this.draining = true;
    await condition(() => this.quiet);
  }

  private get quiet(): boolean {
    return this.inFlight === 0 && allHandlersFinished();
  }
}

const noteIn = 'note in ticket';
const archiveStep = 'archive the journal';

/** Trouble with a note is not told by a note: the ticket would never hear the end of it. */
export function toldInTickets(step: string): boolean {
  return !step.startsWith(noteIn);
}

function needs(state: CaseState): string {
  const unheeded = Object.values(state.escalation.rungs).some(
    ({ called: calls, acknowledged, over }) => calls > 0 && acknowledged === undefined && over === undefined,
  );
  const stuck = troubledSteps(state).some(([, step]) => step.state === 'stuck');
  if (state.questions.length > 0 || stuck || unheeded) return 'person';
  return troubledSteps(state).length > 0 ? 'vendor' : 'nothing';
}

/** What an activity's failure means for a step. A time-out is an unknown: it is tried again. */
function readFailure(error: unknown): { code: string; message: string; refused: boolean; retryAfterMs: number } {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (cause instanceof ApplicationFailure) {
    const details = cause.details?.[0] as { class?: string; retryAfterMs?: number } | undefined;
    return {
      code: cause.type ?? 'LDP_UNEXPECTED',
      message: cause.message,
      refused: details?.class === 'VendorRefused' || details?.class === 'BadInput' || cause.nonRetryable === true,
      retryAfterMs: details?.retryAfterMs ?? 0,
    };
  }
  const message = cause instanceof Error ? cause.message : 'unknown failure';
  return { code: 'LDP_UNREACHABLE', message: `No answer in time (${message}).`, refused: false, retryAfterMs: 0 };
}
