/**
 * What one shift hands to the next: what is open, what asks whom, what happened, what comes next and when. Pure: the same
 * cases at the same time give the same words.
 * @module
 */
import type { CaseState, JournalEntry } from './case';
import { namesOf } from './case';
import { clockTime, duration } from './clock-time';
import { comingCalls, describeCall, describeWhom } from './coming-calls';
import { describeDevice } from './device';
import type { RungProgress, Trouble } from './ladder';
import type { TicketRef } from './report';
import { comesNext, describeWipe, headline } from './summary';
import { byDueTime, describeTask, isLate, openTasks, type Task } from './tasks';
import { blindSince, subjectOf, troublesOf } from './troubles';
import { mayStillLand, wipeUnderWay } from './wipe';

export interface Digest {
  /** What happened since then is told. ISO 8601. */
  since: string;
  /** When it was made. ISO 8601. */
  at: string;
  /** All of it in a few sentences. */
  says: string;
  /** What asks a person first, then what is late or counted by the law, then what comes next soonest. */
  cases: DigestCase[];
  triages: DigestTriage[];
  /** Closed, written off or wiped since. */
  closed: { workflowId: string; headline: string; at: string; because: string }[];
  /** How many devices that were written off or wiped are listened for. */
  listening: number;
  /** Cases that did not answer. */
  unanswered: Unanswered[];
}

export interface DigestCase {
  workflowId: string;
  headline: string;
  /** What waits for a person: what, and who was called or has it in hand. */
  asks: string[];
  /** How a wipe that is under way stands. */
  wipe?: string;
  /** The newest entries of the journal, oldest first. */
  happened: string[];
  /** What the case waits for, and what comes by time. */
  next: string;
  /** When that comes. ISO 8601. */
  nextAt?: string;
  /** Open tasks, the soonest first. */
  tasks: string[];
}

export interface DigestTriage {
  workflowId: string;
  says: string;
  asks: string[];
}

export interface Unanswered {
  workflowId: string;
  device?: string;
  why: string;
}

/** What a triage tells of itself. */
export interface ReadTriage {
  workflowId: string;
  ticket: TicketRef;
  openedAt: string;
  outcome: string;
  says: string;
  question?: { text: string };
  error?: { message: string; stuck: boolean };
}

/** What was read for a digest. */
export interface DigestInput {
  cases: CaseState[];
  triages: ReadTriage[];
  unanswered: Unanswered[];
}

const entriesTold = 5;

/** @param since ISO 8601, as `now`. */
export function digestOf(input: DigestInput, { since, now }: { since: string; now: string }): Digest {
  const busy = input.cases
    .filter((state) => asksForAttention(state, now))
    .map((state) => ({ state, order: orderOf(state, now) }));
  const open = busy.sort((a, b) => compare(a.order, b.order)).map(({ state }) => state);
  const cases = open.map((state) => digestCase(state, since, now));
  const triages = input.triages.filter(({ outcome }) => outcome === 'open').map(digestTriage);
  const closed = input.cases.flatMap((state) => closedSince(state, since));
  const listening = input.cases.filter(({ listening: listens, closedAt }) => listens && closedAt === undefined).length;
  const { unanswered } = input;
  const says = sentences(open, { cases, triages, closed, listening, unanswered }, now);
  return { since, at: now, says, cases, triages, closed, listening, unanswered };
}

/** Open, or closed towards people and yet with something for them: a legal clock, a task of the write-off. */
function asksForAttention(state: CaseState, now: string): boolean {
  if (state.closedAt !== undefined) return false;
  return state.outcome === 'open' || openTasks(state).length > 0 || asksOf(state, now).length > 0;
}

/** Compared from the left. */
function orderOf(state: CaseState, now: string): string[] {
  const [urgent] = byDueTime(openTasks(state).filter((task) => task.clock !== undefined || isLate(task, now)));
  return [
    asksOf(state, now).length > 0 ? '0' : '1',
    urgent?.dueAt ?? never,
    comingCalls(state, now)[0]?.at ?? never,
    state.openedAt,
  ];
}

const never = '9999';

function compare(a: string[], b: string[]): number {
  const at = a.findIndex((value, index) => value !== b[index]);
  return at === -1 ? 0 : (a[at] ?? '') < (b[at] ?? '') ? -1 : 1;
}

function digestCase(state: CaseState, since: string, now: string): DigestCase {
  const coming = comesByTime(state, now);
  const wipe = isWiping(state) ? describeWipe(state) : undefined;
  return {
    workflowId: state.workflowId,
    headline: headline(state),
    asks: asksOf(state, now),
    ...(wipe !== undefined && { wipe }),
    happened: state.journal.tail
      .filter(({ routine, at }) => !routine && at >= since)
      .slice(-entriesTold)
      .map(entryText),
    next: [comesNext(state), coming && `${comesText(coming, now)}.`].filter(Boolean).join(' '),
    ...(coming && { nextAt: coming.at }),
    tasks: byDueTime(openTasks(state)).map((task) => taskText(state, task, now)),
  };
}

/** Once a case ended nothing is sent any more; what left before may still land. */
const isWiping = ({ wipe, ending }: CaseState) => mayStillLand(wipe) || (ending === undefined && wipeUnderWay(wipe));

interface Coming {
  at: string;
  what: string;
}

const comesText = ({ at, what }: Coming, now: string) => `${at > now ? clockTime(at) : 'Now'} ${what}`;

/** The next call of the ladder, the next task that is due, or the end of a wipe's consents, whichever is sooner. */
function comesByTime(state: CaseState, now: string): Coming | undefined {
  const { wipe } = state;
  const consentsEnd = isWiping(state) && wipe.sent === undefined ? wipe.expiresAt : undefined;
  const [call] = comingCalls(state, now);
  const [task] = byDueTime(openTasks(state).filter(({ dueAt }) => dueAt !== undefined && dueAt > now));
  const events = [
    ...(call ? [{ at: call.at, what: describeCall(call) }] : []),
    ...(consentsEnd !== undefined && consentsEnd > now ? [{ at: consentsEnd, what: 'the wipe must have left' }] : []),
    ...(task?.dueAt ? [{ at: task.dueAt, what: `is due: ${task.title}` }] : []),
  ];
  return events.sort((a, b) => compare([a.at], [b.at]))[0];
}

/** Troubles that wait for a person by their kind; of the others those about which people were called. */
const waitsForAPerson: Trouble['kind'][] = ['question', 'proposal', 'stuck'];
/** Told among the tasks. */
const ofTasks: Trouble['kind'][] = ['task near', 'task late', 'clock late'];

function asksOf(state: CaseState, now: string): string[] {
  return troublesOf(state, now).flatMap((trouble) => {
    const called = callsAbout(state, trouble);
    const asks = waitsForAPerson.includes(trouble.kind) || (called.length > 0 && !ofTasks.includes(trouble.kind));
    return asks ? [`${subjectOf(trouble)}. ${trouble.says} ${whoHasIt(state, trouble, called)}`] : [];
  });
}

/** Rungs that called people about it, and are not over. */
function callsAbout({ escalation }: CaseState, { id }: Trouble): RungProgress[] {
  return Object.values(escalation.rungs).filter(
    ({ trouble, called, over }) => trouble === id && called > 0 && over === undefined,
  );
}

/** Who has it in hand, or was called and did not answer. */
function whoHasIt(state: CaseState, trouble: Trouble, called: RungProgress[]): string {
  const progress = called.find(({ acknowledged, snoozed }) => acknowledged ?? snoozed) ?? called[0];
  if (progress?.acknowledged)
    return `${progress.acknowledged.who} has it since ${clockTime(progress.acknowledged.at)}.`;
  if (progress?.snoozed)
    return `${progress.snoozed.who} put it off until ${clockTime(progress.snoozed.until)}: ${progress.snoozed.reason}.`;
  if (progress?.lastAt === undefined) return 'Nobody was called yet.';
  const rung = state.rules.escalation.ladder.find(({ name }) => name === progress.rung);
  const whom = describeWhom({
    whom: trouble.whom ?? rung?.whom ?? [],
    ...(progress.deputiesAt !== undefined && { deputies: true }),
  });
  const times = progress.called === 1 ? 'once' : `${progress.called} times, last`;
  return `Called ${whom} ${times} ${clockTime(progress.lastAt)}; nobody acknowledged.`;
}

function digestTriage({ workflowId, ticket, openedAt, says, question, error }: ReadTriage): DigestTriage {
  return {
    workflowId,
    says: `Ticket ${ticket.source} ${ticket.id}, in triage since ${clockTime(openedAt)}. ${says}`,
    asks: [...(question ? [question.text] : []), ...(error?.stuck ? [error.message] : [])],
  };
}

function closedSince(state: CaseState, since: string): Digest['closed'] {
  const at = state.closedAt ?? state.listening?.since;
  if (at === undefined || at < since) return [];
  const { ending } = state;
  const because = ending ? `${ending.who}: ${ending.reason}` : '';
  return [{ workflowId: state.workflowId, headline: headline(state), at, because }];
}

function entryText({ at, who, text, evidence }: JournalEntry): string {
  return `${clockTime(at)} ${who === 'playbook' ? '' : `${who}: `}${text}${evidence ? ` (${evidence})` : ''}`;
}

function taskText(state: CaseState, task: Task, now: string): string {
  const { id, dueAt, owner } = task;
  const leftMs = dueAt === undefined ? undefined : Date.parse(dueAt) - Date.parse(now);
  const late = leftMs !== undefined && leftMs <= 0;
  const kind = late ? (task.clock ? 'clock late' : 'task late') : 'task near';
  const trouble = troublesOf(state, now).find((found) => found.id === `${kind}: ${id}`);
  const called = trouble ? callsAbout(state, trouble) : [];
  return [
    late ? `LATE by ${duration(-leftMs)}: ` : '',
    describeTask(task),
    leftMs !== undefined && !late ? ` (in ${duration(leftMs)})` : '',
    owner.length > 0 ? `, for ${describeWhom({ whom: owner })}` : '',
    ` [${id}]`,
    trouble && called.length > 0 ? ` ${whoHasIt(state, trouble, called)}` : '',
  ].join('');
}

// --- the sentences at the head ----------------------------------------------------------------------------------

function sentences(
  open: CaseState[],
  {
    cases,
    triages,
    closed,
    listening,
    unanswered,
  }: Pick<Digest, 'cases' | 'triages' | 'closed' | 'listening' | 'unanswered'>,
  now: string,
): string {
  const asking = cases.filter(({ asks }) => asks.length > 0).length;
  const blind = open.filter((state) => blindSince(state) !== undefined).length;
  const late = open.flatMap(openTasks).filter((task) => isLate(task, now)).length;
  const wiping = open.filter(isWiping).length;
  const states = [
    asking > 0 && `${asking} ${asking === 1 ? 'asks' : 'ask'} a person`,
    blind > 0 && `${blind} ${blind === 1 ? 'is' : 'are'} blind`,
    wiping > 0 && `${wiping} ${wiping === 1 ? 'has' : 'have'} a wipe under way`,
  ].filter((part) => part !== false);
  const triagesAsking = triages.filter(({ asks }) => asks.length > 0).length;
  const [next] = open
    .flatMap((state) => {
      const coming = comesByTime(state, now);
      return coming ? [{ state, ...coming }] : [];
    })
    .sort((a, b) => compare([a.at], [b.at]));
  return [
    // What could not be read may be open.
    (cases.length > 0 || unanswered.length === 0) &&
      `${cases.length === 0 ? 'No open case' : count(cases.length, 'open case')}${states.length > 0 ? `: ${states.join(', ')}` : ''}.`,
    late > 0 && `${count(late, 'task')} ${late === 1 ? 'is' : 'are'} late.`,
    triages.length > 0 &&
      `${count(triages.length, 'triage')}: ${triagesAsking} ask${triagesAsking === 1 ? 's' : ''} a person.`,
    unanswered.length > 0 && `${count(unanswered.length, 'case')} could not be read.`,
    closed.length > 0 && `${count(closed.length, 'case')} closed since.`,
    listening > 0 &&
      `${count(listening, 'written-off or wiped device')} ${listening === 1 ? 'is' : 'are'} listened for.`,
    next && `Next: ${comesText(next, now)}, ${describeDevice(namesOf(next.state))}.`,
  ]
    .filter(Boolean)
    .join(' ');
}

const count = (n: number, what: string) => `${n} ${what}${n === 1 ? '' : 's'}`;
