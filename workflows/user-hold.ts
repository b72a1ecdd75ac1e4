/**
 * One per tenant and user: who needs the user in the lost group, and what was there before. While anybody holds, the user
 * must be in the group; the last one to let go gives back what was there before.
 * @module
 */
import { ActivityFailure, ApplicationFailure } from '@temporalio/workflow';
import { condition, getExternalWorkflowHandle, log, setHandler } from '@temporalio/workflow';
import { act } from './case-file';
import { now } from './last-news';
import type { HoldClaim, UserHoldInput, UserReleased } from './messages';
import { describeUserHold, forgetUser, holdUser, letGoOfUser, userReleased } from './messages';

export async function userHold({ tenant, rules, state }: UserHoldInput): Promise<void> {
  let ensure = false;
  let retryNow = false;
  let forgotten = false;

  // The first reading counts. A later case may read "member" only because an earlier one put the user there.
  const remember = (claim: HoldClaim) => {
    state.memberBefore =
      state.memberBefore === undefined ? claim.memberBefore : state.memberBefore && claim.memberBefore;
  };
  setHandler(describeUserHold, () => state);
  setHandler(holdUser, (claim) => {
    remember(claim);
    state.holders[claim.chain] = claim;
    ensure = true;
  });
  setHandler(forgetUser, ({ chain }) => {
    delete state.holders[chain];
    state.leaving = state.leaving.filter((waiting) => waiting.chain !== chain);
    forgotten = true;
  });
  setHandler(letGoOfUser, (claim) => {
    remember(claim);
    retryNow = true;
    if (!state.leaving.some((waiting) => waiting.chain === claim.chain)) state.leaving.push(claim);
  });

  const held = () => Object.values(state.holders);
  for (;;) {
    await condition(() => ensure || forgotten || state.leaving.length > 0);
    forgotten = false;
    const [leaving] = state.leaving;
    if (leaving) {
      delete state.holders[leaving.chain];
      const answer = await letGo(leaving);
      const done = answer.outcome !== 'stuck' && answer.outcome !== 'failing';
      if (done || held().length > 0) state.leaving = state.leaving.filter((waiting) => waiting !== leaving);
      await tell(leaving, answer);
      // The case tries again at its own pace or when a person says so; this makes sure where the case is gone.
      if (!done) await condition(() => retryNow || ensure, rules.waits.retryMaxMs);
    } else {
      ensure = false;
      const [holder] = held();
      // The case moved the user itself; this makes good what another case's release may have undone in between.
      if (holder) await untilDone(() => act.moveUser({ tenant, now: now(), user: state.user, via: holder.via }));
    }
    if (held().length === 0 && state.leaving.length === 0) return;
  }

  /** Give back what was there before, unless another case still needs the user. */
  async function letGo(claim: HoldClaim): Promise<UserReleased> {
    const answer = { at: now(), request: claim.request };
    const others = held();
    if (others.length > 0) {
      const names = others.map(({ workflowId }) => workflowId).join(', ');
      return { ...answer, outcome: 'still held', evidence: `Still held in the lost group by ${names}.` };
    }
    if (state.memberBefore) {
      return {
        ...answer,
        outcome: 'was there before',
        evidence: `${state.user} was in the lost group before the case, and stays there.`,
      };
    }
    retryNow = false;
    const input = { tenant, user: state.user, via: claim.via };
    try {
      let released = await act.releaseUser({ ...input, now: now() });
      // A directory's change takes its cycle to arrive.
      while (!released.seen && held().length === 0) {
        await condition(() => held().length > 0, rules.waits.moveLookEveryMs);
        released = await act.lookForMove({ ...input, now: now(), wanted: false });
      }
      return { ...answer, at: now(), outcome: released.seen ? 'released' : 'still held', evidence: released.evidence };
    } catch (error) {
      const outcome = isRefusal(error) ? 'stuck' : 'failing';
      return { ...answer, outcome, evidence: `The user could not be released: ${reason(error)}` };
    }
  }

  async function untilDone(run: () => Promise<unknown>): Promise<void> {
    for (let waitMs = rules.waits.retryFirstMs; ; waitMs = Math.min(rules.waits.retryMaxMs, waitMs * 2)) {
      try {
        await run();
        return;
      } catch (error) {
        log.warn('the hold could not make sure of the user', { error: reason(error) });
        if (await condition(() => state.leaving.length > 0, waitMs)) return;
      }
    }
  }

  async function tell(claim: HoldClaim, answer: UserReleased): Promise<void> {
    try {
      await getExternalWorkflowHandle(claim.workflowId).signal(userReleased, answer);
    } catch (error) {
      log.warn('a case did not take the answer of the hold', { case: claim.workflowId, error: reason(error) });
    }
  }
}

function isRefusal(error: unknown): boolean {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  return cause instanceof ApplicationFailure && cause.nonRetryable === true;
}

function reason(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error ? cause.message : 'unknown failure';
}
