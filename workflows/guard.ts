/**
 * One per tenant. Containment is a weapon too: a burst of automatic containments asks a person first. Everything destructive
 * asks here immediately before it leaves: caps, dry run, and the freeze that stops it all.
 * @module
 */
import { allHandlersFinished, ApplicationFailure, condition, continueAsNew, setHandler } from '@temporalio/workflow';
import { clockTime } from '../playbook/clock-time';
import { askPermit, noPermits } from '../playbook/permits';
import { isHistoryLong, now } from './last-news';
import type { Admission, AdmissionRequest, Decided, Decision, GuardState } from './messages';
import { admitContainments, describeGuard, freeze, freezeNow, permitCommand, unfreeze } from './messages';

const hourMs = 60 * 60_000;

export async function guard(state: GuardState): Promise<void> {
  const permits = (state.permits ??= noPermits());
  const decisions = (state.decisions ??= []);

  const admit = ({ chain, at, perHour }: AdmissionRequest): Admission => {
    // A repeat of the same case gets the same word, also after continuing as new.
    if (state.admitted.some((earlier) => earlier.chain === chain))
      return { admitted: true, reason: 'Admitted before.' };
    const sinceMs = Date.parse(at) - hourMs;
    state.admitted = state.admitted.filter((earlier) => Date.parse(earlier.at) > sinceMs);
    if (state.admitted.length >= perHour) {
      return {
        admitted: false,
        reason: `${state.admitted.length} laptops were contained automatically within an hour, and the cap is ${perHour}: a person must agree to more.`,
      };
    }
    state.admitted.push({ chain, at });
    return { admitted: true, reason: `${state.admitted.length} of ${perHour} in this hour.` };
  };

  const once =
    (take: (decision: Decision) => string) =>
    (decision: Decision): Decided => {
      if (decisions.includes(decision.id)) return { text: 'This decision was taken before.' };
      decisions.push(decision.id);
      decisions.splice(0, decisions.length - 100);
      return { text: take(decision) };
    };

  setHandler(describeGuard, () => state);
  setHandler(admitContainments, (requests) => requests.map(admit));
  setHandler(permitCommand, (request) => askPermit(permits, request));
  const freezeAll = ({ actor, reason }: Decision) => (permits.frozen ??= { who: actor.person, at: now(), reason });
  setHandler(freezeNow, (decision) => void freezeAll(decision));
  setHandler(
    freeze,
    once((decision) => {
      const { who, at } = freezeAll(decision);
      return `Frozen by ${who} since ${clockTime(at)}: no wipe, lock or isolation leaves.`;
    }),
    {
      validator: ({ reason }: Decision) => {
        if (!reason.trim()) throw ApplicationFailure.nonRetryable('A freeze needs a reason.', 'RefusedByRule');
      },
    },
  );
  setHandler(
    unfreeze,
    once(({ actor }) => {
      delete permits.frozen;
      return `Unfrozen by ${actor.person}: what waits asks again.`;
    }),
    {
      validator: ({ reason }: Decision) => {
        if (!permits.frozen) throw ApplicationFailure.nonRetryable('Nothing is frozen.', 'RefusedByRule');
        if (!reason.trim()) throw ApplicationFailure.nonRetryable('Unfreezing needs a reason.', 'RefusedByRule');
      },
    },
  );
  await condition(() => isHistoryLong() && allHandlersFinished());
  return continueAsNew<typeof guard>(state);
}
