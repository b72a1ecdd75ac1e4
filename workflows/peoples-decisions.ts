/**
 * What persons decide about calls, tasks and clocks: somebody has it, not before tomorrow, done, not needed because.
 * @module
 */
import { setHandler } from '@temporalio/workflow';
import type { CaseState } from '../playbook/case';
import { clockTime, duration } from '../playbook/clock-time';
import type { RungProgress } from '../playbook/ladder';
import { incidentOf, progressKey } from '../playbook/ladder';
import type { Task } from '../playbook/tasks';
import { closeTask as close, describeTask, openTasks, startClock as start } from '../playbook/tasks';
import type { CaseFile } from './case-file';
import { nowMs } from './last-news';
import { dropPages, tellPager } from './pages';
import { decisionsOf, reasonOf, refuse } from './decisions';
import type { Acknowledge, CloseTask, PageAcknowledged, Snooze, StartClock, StateEncryption } from './messages';
import { acknowledge, closeTask, snooze, startClock, stateEncryption } from './messages';

/** Register the handlers of these decisions. */
export function takePeoplesDecisions(c: CaseFile): void {
  const { state } = c;
  const { once, unlessKnown } = decisionsOf(c);

  setHandler(
    acknowledge,
    once((decision: Acknowledge) => {
      const progress = rungOf(state, decision.rung, hasCalled);
      acknowledged(c, progress, decision.actor.person, c.now, decision.reason);
      if (progress.atPager) tellPager(c, 'acknowledge', incidentOf(state.chain, progress));
      return `Acknowledged: ${progress.trouble}. Nobody is called again by ${progress.rung} for it.`;
    }),
    { validator: unlessKnown((decision: Acknowledge) => void rungOf(state, decision.rung, hasCalled)) },
  );

  setHandler(
    snooze,
    once((decision: Snooze) => {
      const progress = rungToSnooze(state, decision);
      const until = new Date(decision.until).toISOString();
      progress.snoozed = { until, who: decision.actor.person, reason: decision.reason };
      delete progress.acknowledged;
      dropPages(c, progressKey(progress.rung, progress.trouble));
      c.say('escalation', `Put off until ${clockTime(until)}: ${progress.trouble}.`, {
        who: decision.actor.person,
        evidence: decision.reason,
        note: true,
      });
      return `${progress.rung} is put off until ${clockTime(until)}.`;
    }),
    {
      validator: unlessKnown((decision: Snooze) => {
        rungToSnooze(state, decision);
        if (!decision.reason.trim()) refuse('Putting a call off needs a reason.');
        const leftMs = Date.parse(decision.until) - nowMs();
        const { snoozeMaxMs } = state.rules.escalation;
        if (!(leftMs > 0 && leftMs <= snoozeMaxMs))
          refuse(`A call is put off until a time within ${duration(snoozeMaxMs)}; this one is: ${decision.until}.`);
      }),
    },
  );

  setHandler(
    closeTask,
    once((decision: CloseTask) => {
      const task = taskOf(state, decision);
      const reference = decision.reference?.trim();
      close(state, task, decision.as, {
        at: c.now,
        who: decision.actor.person,
        reason: decision.reason,
        ...(reference && { reference }),
      });
      const said = [reference && `${task.reference ?? 'reference'} ${reference}`, decision.reason, proofOf(task)];
      c.say('escalation', `${decision.as === 'done' ? 'Done' : 'Not needed'}: ${task.title}.`, {
        who: decision.actor.person,
        evidence: said.filter(Boolean).join('. '),
        note: true,
      });
      return `${decision.as === 'done' ? 'Done' : 'Not needed'}: ${task.title}.`;
    }),
    {
      validator: unlessKnown((decision: CloseTask) => {
        const task = taskOf(state, decision);
        if (decision.as === 'done' && task.reference !== undefined && !decision.reference?.trim())
          refuse(`"${task.title}" is done with its ${task.reference}: give it as the reference.`);
        if (decision.as === 'done') return;
        if (!decision.reason.trim()) refuse(`Why is "${task.title}" not needed? It needs a reason.`);
        if (task.clock !== undefined && state.encryption === undefined)
          refuse(
            `Whether ${task.clock.law} asks for a notification hinges on the disk's encryption: state first what is known of it.`,
          );
      }),
    },
  );

  setHandler(
    startClock,
    once((decision: StartClock) => {
      const awareAt = new Date(decision.awareAt).toISOString();
      const stages = start(state, decision.clock, awareAt, decision.actor.person) ?? [];
      c.say('escalation', `The clock ${decision.clock} runs since ${clockTime(awareAt)}.`, {
        who: decision.actor.person,
        evidence: [...stages.map(describeTask), decision.reason].filter(Boolean).join('; '),
        note: true,
      });
      return stages.map(describeTask).join('; ');
    }),
    {
      validator: unlessKnown((decision: StartClock) => {
        const { clocks } = state.rules.escalation;
        const rule = clocks.find(({ id }) => id === decision.clock);
        if (rule === undefined)
          refuse(`There is no clock "${decision.clock}". There are: ${clocks.map(({ id }) => id).join(', ')}.`);
        if (state.tasks.some((task) => task.clock?.id === decision.clock)) refuse(`The clock ${rule.id} was started.`);
        if (!(Date.parse(decision.awareAt) <= nowMs()))
          refuse(`A clock begins when somebody became aware, not in the future: ${decision.awareAt}.`);
      }),
    },
  );

  setHandler(
    stateEncryption,
    once((decision: StateEncryption) => {
      state.encryption = {
        answer: decision.answer,
        at: c.now,
        who: decision.actor.person,
        evidence: decision.reason,
      };
      c.say('escalation', `The disk was encrypted: ${decision.answer}.`, {
        who: decision.actor.person,
        ...reasonOf(decision),
        note: true,
      });
      return `Kept: encrypted, ${decision.answer}.`;
    }),
    {
      validator: unlessKnown((decision: StateEncryption) => {
        if (!decision.reason.trim()) refuse('How is it known? A statement about the encryption needs its evidence.');
      }),
    },
  );
}

/** An acknowledgement that came from where the page was read. */
export function takeAcknowledgement(c: CaseFile, { id, incident, who, at }: PageAcknowledged): void {
  const { state } = c;
  if (state.decisions.includes(id)) return;
  state.decisions = [...state.decisions, id].slice(-200);
  const progress = Object.values(state.escalation.rungs).find((rung) => incidentOf(state.chain, rung) === incident);
  if (progress !== undefined && progress.acknowledged === undefined) acknowledged(c, progress, who, at, '');
}

function acknowledged(c: CaseFile, progress: RungProgress, who: string, at: string, reason: string): void {
  progress.acknowledged = { who, at };
  dropPages(c, progressKey(progress.rung, progress.trouble));
  c.say('escalation', `Acknowledged: ${progress.trouble}.`, { who, ...(reason && { evidence: reason }), note: true });
}

const isAlive = ({ over }: RungProgress) => over === undefined;
const hasCalled = ({ called, calling, acknowledged: by, over }: RungProgress) =>
  (called > 0 || calling !== undefined) && by === undefined && over === undefined;

/** By its name any rung, also before it calls; without a name the one that calls. */
const rungToSnooze = (state: CaseState, { rung }: Snooze) =>
  rungOf(state, rung, rung === undefined ? hasCalled : isAlive);

function rungOf({ escalation }: CaseState, name: string | undefined, fits: (rung: RungProgress) => boolean) {
  const all = Object.entries(escalation.rungs).filter(([, progress]) => fits(progress));
  const named = all.filter(([key, { rung, trouble }]) => name === undefined || [key, rung, trouble].includes(name));
  const [only] = named;
  if (only !== undefined && named.length === 1) return only[1];
  const names = all.map(([key]) => key).join(', ');
  if (names === '') refuse('No rung of this case calls anybody now.');
  return refuse(only ? `Several rungs do: name one of ${names}.` : `There is no such rung. There are: ${names}.`);
}

function taskOf(state: CaseState, { task: id }: CloseTask): Task {
  const task = openTasks(state).find((open) => open.id === id);
  if (task !== undefined) return task;
  const names = openTasks(state).map((open) => open.id);
  return refuse(`There is no open task "${id}". Open are: ${names.join(', ') || 'none'}.`);
}

const proofOf = ({ closed }: Task) =>
  closed?.encryption && `Encrypted: ${closed.encryption.answer} (${closed.encryption.evidence})`;
