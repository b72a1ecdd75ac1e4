/**
 * What no API does: tasks of people, and the clocks of the law. A clock is a task that a person's decision starts at its
 * own moment of awareness.
 * @module
 */
import type { CaseState } from './case';
import { clockTime } from './clock-time';

export interface TaskRule {
  /** Short, for commands: `police-report`. */
  id: string;
  title: string;
  /** Persons or rotas; empty: everybody whom the notifiers know. */
  owner: string[];
  /** After it began (milliseconds). */
  dueMs: number;
  /** People hear of it this long before it is due (milliseconds). */
  warnBeforeMs?: number;
  /** For which losses; a kind that is not known counts as lost. */
  kinds: ('lost' | 'stolen')[];
  begins: 'opened' | 'written off';
  /** What must be told when it is done, for instance `report number`. */
  reference?: string;
}

/** A duty to tell an authority, in one stage or several. */
export interface ClockRule {
  /** For commands: `gdpr`. */
  id: string;
  law: string;
  stages: ClockStage[];
}

export interface ClockStage {
  /** Id of the task, for instance `gdpr` or `nis2-final`. */
  id: string;
  title: string;
  owner: string[];
  /** `awareness`, or the stage that must be done before. */
  from: string;
  /** Milliseconds, or whole months of the calendar. */
  due: { ms: number } | { months: number };
  warnBeforeMs: number;
}

/** What is known of the disk's encryption, and by whom: legal clocks hinge on it. */
export interface EncryptionProof {
  answer: 'yes' | 'no' | 'unknown';
  at: string;
  who: string;
  evidence: string;
}

export interface Task {
  id: string;
  title: string;
  owner: string[];
  state: 'open' | 'done' | 'not needed' | 'left open';
  /** ISO 8601; absent while the stage before it is not done. */
  beganAt?: string;
  dueAt?: string;
  warnAt?: string;
  /** What must be told when it is done. */
  reference?: string;
  clock?: { id: string; law: string; awareAt: string; who: string };
  closed?: { at: string; who: string; reason: string; reference?: string; encryption?: EncryptionProof };
}

/** Add the tasks that begin now: at the opening, when a loss turns out to be a theft, or at the write-off. */
export function beginTasks(state: CaseState, begins: TaskRule['begins'], now: string): Task[] {
  const kind = state.answers.kind === 'stolen' ? 'stolen' : 'lost';
  const added = state.rules.escalation.tasks
    .filter((rule) => rule.begins === begins && rule.kinds.includes(kind))
    .filter((rule) => !state.tasks.some((task) => task.id === rule.id))
    .map(({ id, title, owner, dueMs, warnBeforeMs, reference }): Task => {
      const dueAt = after(now, { ms: dueMs });
      return {
        id,
        title,
        owner,
        state: 'open',
        beganAt: now,
        dueAt,
        ...(warnBeforeMs !== undefined && { warnAt: after(dueAt, { ms: -warnBeforeMs }) }),
        ...(reference !== undefined && { reference }),
      };
    });
  state.tasks.push(...added);
  return added;
}

/** Start a clock: one task for each of its stages. Undefined when there is no such clock, or it was started before. */
export function startClock(state: CaseState, id: string, awareAt: string, who: string): Task[] | undefined {
  const rule = state.rules.escalation.clocks.find((clock) => clock.id === id);
  if (rule === undefined || state.tasks.some((task) => task.clock?.id === id)) return undefined;
  const stages = rule.stages.map((stage): Task => ({
    id: stage.id,
    title: stage.title,
    owner: stage.owner,
    state: 'open',
    ...(stage.from === 'awareness' && times(stage, awareAt)),
    clock: { id, law: rule.law, awareAt, who },
  }));
  state.tasks.push(...stages);
  return stages;
}

/** Close a task, and begin the stage that waited for it. */
export function closeTask(state: CaseState, task: Task, as: Task['state'], closed: NonNullable<Task['closed']>): void {
  task.state = as;
  task.closed = { ...closed, ...(task.clock && state.encryption && { encryption: state.encryption }) };
  const stages = state.rules.escalation.clocks.find(({ id }) => id === task.clock?.id)?.stages ?? [];
  for (const stage of stages.filter(({ from }) => from === task.id)) {
    const next = state.tasks.find(({ id }) => id === stage.id);
    if (next?.state !== 'open' || next.dueAt !== undefined) continue;
    if (as === 'done') Object.assign(next, times(stage, closed.at));
    else closeTask(state, next, as, closed);
  }
}

export const openTasks = (state: CaseState) => state.tasks.filter((task) => task.state === 'open');
/** A legal clock outlives the return of the laptop: data may have been read meanwhile. */
export const runningClocks = (state: CaseState) => openTasks(state).filter((task) => task.clock !== undefined);

export const isLate = ({ state, dueAt }: Task, now: string) => state === 'open' && dueAt !== undefined && dueAt <= now;

/** What is due first, first; what has no due time yet, last. */
export const byDueTime = (tasks: Task[]) =>
  [...tasks].sort((a, b) => (a.dueAt ?? '9999').localeCompare(b.dueAt ?? '9999'));

/** `Police report (due 2026-11-25 22:14 UTC)`. */
export function describeTask({ title, dueAt, clock }: Task): string {
  const law = clock ? ` (${clock.law})` : '';
  return `${title}${law}: ${dueAt ? `due ${clockTime(dueAt)}` : 'begins when the stage before it is done'}`;
}

function times(stage: ClockStage, from: string): Pick<Task, 'beganAt' | 'dueAt' | 'warnAt'> {
  const dueAt = after(from, stage.due);
  return { beganAt: from, dueAt, warnAt: after(dueAt, { ms: -stage.warnBeforeMs }) };
}

/** A month ends on the same day of the next one, or on its last day where it has no such day. */
function after(iso: string, span: { ms: number } | { months: number }): string {
  const from = new Date(iso);
  if ('ms' in span) return new Date(from.getTime() + span.ms).toISOString();
  const day = from.getUTCDate();
  const to = new Date(from);
  to.setUTCDate(1);
  to.setUTCMonth(to.getUTCMonth() + span.months);
  const lastDay = new Date(Date.UTC(to.getUTCFullYear(), to.getUTCMonth() + 1, 0)).getUTCDate();
  to.setUTCDate(Math.min(day, lastDay));
  return to.toISOString();
}
