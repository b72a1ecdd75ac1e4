/**
 * What persons decide in a case. Each decision is checked before it enters history, and a repeat with the same id changes
 * nothing, also after the server has forgotten it.
 * @module
 */
import { ApplicationFailure, setHandler } from '@temporalio/workflow';
import type { CaseState, Ending, Question } from '../playbook/case';
import { takeSighting, troubledSteps } from '../playbook/case';
import { canonicalSerial } from '../playbook/report';
import { ruleChanges } from '../playbook/rule-changes';
import { completeRules } from '../playbook/rules';
import type { Sighting } from '../playbook/sighting';
import { toldInTickets, type CaseFile } from './case-file';
import { nowMs } from './last-news';
import type { Answer, ApplyRules, Decided, Decision, Retry, SightingReport, Skip } from './messages';
import {
  answer,
  applyRules,
  falseAlarm,
  recovered,
  replaceDevice,
  reportSighting,
  retryStep,
  skipStep,
  writeOff,
} from './messages';
import { containAgain } from './tracks/containment';
import { climbBy, endAs, takeAnswer } from './tracks/escalation';
import { reopen } from './written-off';

/** Clocks of people and machines differ by less than this (milliseconds). */
const clocksDifferByMs = 5 * 60_000;

export function refuse(text: string): never {
  throw ApplicationFailure.nonRetryable(text, 'RefusedByRule');
}

/** What all handlers of decisions share. */
export function decisionsOf(c: CaseFile) {
  const { state } = c;
  const known = (decision: Decision) => state.decisions.includes(decision.id);
  return {
    /** Take a decision once; a repeat is answered and changes nothing. */
    once:
      <D extends Decision>(take: (decision: D) => string) =>
      (decision: D): Decided => {
        if (known(decision)) return { text: 'This decision was taken before.' };
        state.decisions = [...state.decisions, decision.id].slice(-200);
        return { text: take(decision) };
      },
    unlessKnown:
      <D extends Decision>(validate: (decision: D) => void) =>
      (decision: D): void => {
        if (!known(decision)) validate(decision);
      },
    stillOpen: () => {
      if (state.ending) refuse(`The case is closing as ${state.ending.outcome} since ${state.ending.at}.`);
    },
    /** Open, or written off and listening. */
    notClosing: () => {
      if (state.ending && !state.listening)
        refuse(`The case is closing as ${state.ending.outcome} since ${state.ending.at}.`);
    },
  };
}

/** Register the handlers of all decisions. */
export function takeDecisions(c: CaseFile): void {
  const { state } = c;
  const { once, unlessKnown, stillOpen, notClosing } = decisionsOf(c);

  setHandler(
    answer,
    once((decision: Answer) => {
      const question = questionOf(state, decision.questionId);
      const value = valueOf(question, decision.value);
      c.decide(question, value, decision);
      c.say('case', `Answered "${question.text}" with ${value}.`, {
        who: decision.actor.person,
        ...reasonOf(decision),
        note: true,
      });
      takeAnswer(c, question, value, decision);
      return `Answered: ${value}.`;
    }),
    {
      validator: unlessKnown((decision: Answer) => {
        const question = questionOf(state, decision.questionId);
        const value = valueOf(question, decision.value);
        if (question.proposes === 'wipe' && value === 'no' && !decision.reason.trim())
          refuse('Not wiping needs a reason.');
      }),
    },
  );

  setHandler(
    retryStep,
    once((decision: Retry) => {
      const names = c.retry(decision.step);
      c.say('case', `Tried again now: ${names.join(', ')}.`, { who: decision.actor.person, ...reasonOf(decision) });
      return `Trying again: ${names.join(', ')}.`;
    }),
    { validator: unlessKnown((decision: Retry) => void troubledStep(state, decision.step)) },
  );

  setHandler(
    skipStep,
    once((decision: Skip) => {
      c.skip(decision.step, decision.reason);
      c.say('case', `Skipped: ${decision.step}.`, {
        who: decision.actor.person,
        evidence: decision.reason,
        note: toldInTickets(decision.step),
      });
      return `Skipped: ${decision.step}.`;
    }),
    {
      validator: unlessKnown((decision: Skip) => {
        troubledStep(state, decision.step);
        if (!decision.reason.trim()) refuse('Skipping a step needs a reason.');
      }),
    },
  );

  setHandler(
    reportSighting,
    once((decision: SightingReport) => {
      const sighting: Sighting = {
        id: decision.id,
        at: new Date(decision.at).toISOString(),
        source: 'person',
        feed: decision.actor.person,
        evidence: 'person',
        match: 'device',
        device: {},
        what: decision.what,
        ...(decision.where !== undefined && { place: { city: decision.where } }),
      };
      takeSighting(state, sighting);
      if (state.presence.state === 'silent') state.presence.state = 'seen';
      if (sighting.at > state.presence.unheardSince) state.presence.unheardSince = sighting.at;
      c.say('presence', `Reported by a person: ${decision.what}.`, {
        who: decision.actor.person,
        at: sighting.at,
        ...(decision.where !== undefined && { evidence: decision.where }),
        note: true,
      });
      if (state.listening) {
        reopen(c, `Seen by ${decision.actor.person}: ${decision.what}.`);
        containAgain(c);
      }
      return 'Sighting taken in.';
    }),
    {
      validator: unlessKnown((decision: SightingReport) => {
        notClosing();
        // A wrong date would make every true sighting after it look old.
        if (!(Date.parse(decision.at) <= nowMs() + clocksDifferByMs))
          refuse(`A sighting has a time, and not one in the future; this one has: ${decision.at}.`);
      }),
    },
  );

  setHandler(
    replaceDevice,
    once((decision: Decision) => {
      state.containment.replaceAsked = true;
      c.say('containment', 'A replacement is handed out: releasing the user, holding the device.', {
        who: decision.actor.person,
        ...reasonOf(decision),
        note: true,
      });
      return 'The user is being released; the device stays held.';
    }),
    {
      validator: unlessKnown(() => {
        stillOpen();
        if (state.containment.state !== 'contained')
          refuse(`Only a contained case can release its user; this one is: ${state.containment.state}.`);
      }),
    },
  );

  const ends = (outcome: Ending['outcome']) =>
    once((decision: Decision) => {
      state.ending = {
        outcome,
        at: c.now,
        who: decision.actor.person,
        reason: decision.reason || `Decided by ${decision.actor.person}.`,
      };
      state.questions = [];
      if (state.listening) {
        // What holds the device is undone as after any other ending.
        delete state.listening;
        state.outcome = 'open';
      }
      c.say('case', `Decided: ${outcome}. Undoing what was done.`, {
        who: decision.actor.person,
        ...reasonOf(decision),
        note: true,
      });
      return `Closing as ${outcome}: undoing what was done, each undo read back.`;
    });
  setHandler(recovered, ends('recovered'), { validator: unlessKnown(notClosing) });
  setHandler(falseAlarm, ends('false alarm'), { validator: unlessKnown(notClosing) });

  setHandler(
    writeOff,
    once((decision: Decision) => {
      endAs(c, 'written off', decision);
      c.say('case', 'Decided: written off.', { who: decision.actor.person, ...reasonOf(decision), note: true });
      return 'Closing as written off: the user goes free, the device stays held, and the case goes on listening.';
    }),
    {
      validator: unlessKnown((decision: Decision) => {
        stillOpen();
        if (!c.hasLadder)
          refuse('This case began with an earlier version; it can be written off once it went on as a new run.');
        if (state.device === undefined) refuse('Only an identified device can be written off. Is it a false alarm?');
        if (!decision.reason.trim()) refuse('A write-off needs a reason.');
      }),
    },
  );

  setHandler(
    applyRules,
    once(({ rules: given, ...decision }: ApplyRules) => {
      const rules = completeRules(given);
      const changes = ruleChanges(state.rules, rules);
      climbBy(c, rules.escalation.ladder);
      // In place: whatever waits by the rules reads them again from here.
      Object.assign(state.rules, rules);
      const { person: who } = decision.actor;
      state.rulesApplied = { at: c.now, who, times: (state.rulesApplied?.times ?? 0) + 1 };
      c.say('case', `Rules of the settings applied: ${changes.length} changed.`, {
        who,
        evidence: [changes.join('; '), decision.reason].filter(Boolean).join('. '),
        note: true,
      });
      const told = changes.map((change) => `- ${change}`).join('\n');
      return `Applied and pinned. What calls people is due by these rules now; tasks and clocks that began keep their times.\n${told}`;
    }),
    {
      validator: unlessKnown(({ rules }: ApplyRules) => {
        notClosing();
        if (ruleChanges(state.rules, completeRules(rules)).length === 0)
          refuse('The case goes by these rules already.');
      }),
    },
  );
}

export function reasonOf(decision: Decision): { evidence?: string } {
  return decision.reason ? { evidence: decision.reason } : {};
}

function questionOf(state: CaseState, id: string | undefined): Question {
  if (state.questions.length === 0) refuse('Nothing is asked in this case now.');
  if (id === undefined && state.questions.length > 1) {
    refuse(`Several questions are open (${state.questions.map((question) => question.id).join(', ')}): name one.`);
  }
  const question = id === undefined ? state.questions[0] : state.questions.find((open) => open.id === id);
  return question ?? refuse(`There is no open question "${String(id)}".`);
}

/** The canonical answer: an option by its value or its number, or free text of the form that the question takes. */
function valueOf(question: Question, given: string): string {
  const text = given.trim();
  const option =
    question.options.find(({ value }) => value.toLowerCase() === text.toLowerCase()) ??
    question.options[Number(text) - 1];
  if (option) return option.value;
  const serial = question.freeText === 'serial' ? canonicalSerial(text) : undefined;
  return (
    serial ??
    refuse(
      `"${text}" is no answer to this question. Answers: ${question.options.map(({ value }, index) => `${index + 1} = ${value}`).join(', ')}${question.freeText ? ', or a serial' : ''}.`,
    )
  );
}

function troubledStep(state: CaseState, name: string | undefined): void {
  const names = troubledSteps(state).map(([found]) => found);
  if (names.length === 0) refuse('No step of this case is failing or stuck.');
  if (name !== undefined && !names.includes(name))
    refuse(`"${name}" is not failing or stuck. These are: ${names.join(', ')}.`);
}
