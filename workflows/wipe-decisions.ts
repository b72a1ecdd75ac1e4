/**
 * What persons decide about the wipe, about locking and isolating: two of them for what cannot be undone.
 * @module
 */
import { setHandler } from '@temporalio/workflow';
import type { CaseState, Measure } from '../playbook/case';
import { rungsThatPropose } from '../playbook/ladder';
import { proposalId } from '../playbook/question-ids';
import type { Consent } from '../playbook/wipe';
import {
  approveWipe as approve,
  describePlan,
  endWipe,
  mayNotApprove,
  mayNotRequest,
  requestWipe as request,
  wipeUnderWay,
} from '../playbook/wipe';
import { proposeWipe } from '../playbook/wipe-tree';
import type { CaseFile } from './case-file';
import { act } from './case-file';
import { decisionsOf, reasonOf, refuse } from './decisions';
import type { Decided, Decision, Isolate, RequestWipe } from './messages';
import { approveWipe, cancelWipe, isolate, lock, refuseWipe, releaseIsolation, requestWipe } from './messages';
import { lostAnswerQuestion } from './lost-answer';
import { approvalQuestion } from './tracks/wipe';

/** Register the handlers of these decisions. */
export function takeWipeDecisions(c: CaseFile): void {
  const { state } = c;
  const { once, unlessKnown, stillOpen } = decisionsOf(c);
  const consent = ({ actor, reason }: Decision): Consent => ({
    who: actor.person,
    at: c.now,
    reason,
    authenticated: actor.authenticated,
  });
  const needsReason = ({ reason }: Decision, what: string) => {
    if (!reason.trim()) refuse(`${what} needs a reason.`);
  };

  setHandler(
    requestWipe,
    once((decision: RequestWipe) => {
      const { wipe, escalation } = state.rules;
      const kind = state.answers.kind === 'stolen' ? 'stolen' : 'lost';
      request(state, consent(decision), decision.whenOffline ?? wipe.whenOffline[kind], wipe.consentMs);
      // What it proposed is being done.
      c.withdraw(proposalId('wipe'));
      for (const progress of rungsThatPropose(state.escalation, escalation.ladder, 'wipe')) progress.proposed = true;
      const advice = proposeWipe(state, decision);
      c.say('wipe', 'A wipe was asked for.', {
        who: decision.actor.person,
        evidence: `${decision.reason} The decision tree says ${advice.propose}: ${advice.because}${decision.override ? ` Overridden: ${decision.override}` : ''}`,
        note: true,
      });
      return 'Asked for. It is being prepared; another person must approve it.';
    }),
    {
      validator: unlessKnown((decision: RequestWipe) => {
        stillOpen();
        needsReason(decision, 'A wipe');
        const no = mayNotRequest(state);
        if (no !== undefined) refuse(no);
        const advice = proposeWipe(state, decision);
        if (advice.propose === 'do not wipe' && !decision.override?.trim())
          refuse(
            `The decision tree says do not wipe: ${advice.because} To wipe all the same, give --override with the reason.`,
          );
        const selective = state.rules.wipe.isolate === 'selective' && state.asked.isolate === undefined;
        const cutOff = !selective && isolationIs(state, 'asked', 'in place', 'was there before');
        if (cutOff && !decision.override?.trim())
          refuse(
            'The device is isolated, and an isolated device never hears of its wipe: release it first, or give --override with the reason.',
          );
      }),
    },
  );

  setHandler(
    approveWipe,
    once((decision: Decision) => {
      approve(state, consent(decision));
      c.withdraw(approvalQuestion);
      c.say('wipe', 'The wipe was approved.', {
        who: decision.actor.person,
        evidence: [decision.reason, ...describePlan(state)].filter(Boolean).join(' '),
        note: true,
      });
      return 'Approved. It leaves as soon as nothing holds it; the case says what does.';
    }),
    {
      validator: unlessKnown((decision: Decision) => {
        stillOpen();
        const no = mayNotApprove(state, consent(decision));
        if (no !== undefined) refuse(no);
      }),
    },
  );

  setHandler(
    refuseWipe,
    once((decision: Decision) => {
      endWipe(state, 'refused', `${decision.actor.person}: ${decision.reason}`);
      c.withdraw(approvalQuestion);
      c.say('wipe', 'The wipe was refused.', { who: decision.actor.person, ...reasonOf(decision), note: true });
      return 'Refused: nothing is wiped.';
    }),
    {
      validator: unlessKnown((decision: Decision) => {
        needsReason(decision, 'Not wiping');
        if (state.wipe.state !== 'requested') refuse('No wipe waits for an approval in this case.');
      }),
    },
  );

  const known = once(() => '');
  setHandler(
    cancelWipe,
    async (decision: Decision): Promise<Decided> => {
      const earlier = known(decision);
      if (earlier.text !== '') return earlier;
      const { wipe, tenant } = state;
      const { plan, sent, leaving, number } = wipe;
      const who = decision.actor.person;
      const answer =
        sent === undefined || plan === undefined
          ? 'cancelled'
          : // No step: a new run waits for this handler, and steps wait for the new run.
            await act
              .cancelWipe({ tenant, now: c.now, plugin: plan.plugin, recordId: plan.recordId })
              .catch(() => 'not known' as const);
      if (answer === 'cancelled' && state.wipe.number === number) {
        endWipe(state, 'cancelled', `${who}: ${decision.reason}`);
        for (const id of [approvalQuestion, lostAnswerQuestion]) c.withdraw(id);
      }
      const stopped =
        leaving === undefined
          ? 'The wipe is cancelled.'
          : 'A send of it is on its way, and may arrive all the same: the case will say what became of it. It is not tried again.';
      const text = {
        cancelled: stopped,
        'too late': 'Too late: the device has the wipe already.',
        'cannot be cancelled': 'It cannot be cancelled: it waits at the vendor, and there is no way to take it back.',
        'not known': 'The vendor could not be asked, or gave no answer: the wipe is followed as before. Try again.',
      }[answer];
      c.say('wipe', text, { who, ...reasonOf(decision), note: true });
      return { text };
    },
    {
      validator: unlessKnown((decision: Decision) => {
        needsReason(decision, 'Cancelling');
        if (!wipeUnderWay(state.wipe)) refuse('No wipe is under way in this case.');
      }),
    },
  );

  setHandler(
    isolate,
    once((decision: Isolate) => {
      state.asked.isolate = true;
      // What a rule could not do, a person may ask for all the same.
      if (isolationIs(state, 'not offered')) delete state.containment.measures.isolate;
      c.say('containment', 'Isolation was asked for.', {
        who: decision.actor.person,
        ...reasonOf(decision),
        note: true,
      });
      return 'The EDR is asked to isolate it.';
    }),
    {
      validator: unlessKnown((decision: Isolate) => {
        stillOpen();
        needsReason(decision, 'An isolation');
        if (state.containment.state !== 'contained') refuse('Only a contained case isolates: containment comes first.');
        const waits = wipeUnderWay(state.wipe) && state.wipe.state !== 'delivered';
        if (waits && !decision.override?.trim())
          refuse(
            'A wipe is under way, and an isolated device never hears of it. To isolate all the same, give --override with the reason.',
          );
      }),
    },
  );

  setHandler(
    releaseIsolation,
    once((decision: Decision) => {
      state.asked.isolate = false;
      state.asked.releaseIsolation = true;
      c.say('containment', 'Releasing the isolation.', {
        who: decision.actor.person,
        ...reasonOf(decision),
        note: true,
      });
      return 'The EDR is asked to release it; the release is read back.';
    }),
    {
      validator: unlessKnown(() => {
        stillOpen();
        if (!isolationIs(state, 'asked', 'in place')) refuse('This case has not isolated the device.');
      }),
    },
  );

  setHandler(
    lock,
    once((decision: Decision) => {
      state.asked.lock = true;
      c.withdraw(proposalId('lost mode'));
      c.say('containment', 'A lock was asked for.', { who: decision.actor.person, ...reasonOf(decision), note: true });
      return 'The device management is asked to lock it, where the platform has a lock.';
    }),
    {
      validator: unlessKnown((decision: Decision) => {
        stillOpen();
        needsReason(decision, 'A lock');
        if (state.containment.state !== 'contained') refuse('Only a contained case locks: containment comes first.');
      }),
    },
  );
}

function isolationIs({ containment }: CaseState, ...states: Measure['state'][]): boolean {
  const isolation = containment.measures.isolate;
  return isolation !== undefined && states.includes(isolation.state);
}
