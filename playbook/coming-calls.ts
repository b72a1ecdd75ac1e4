/**
 * Whom the ladder calls next about a case, and when, if nothing else happens: for people who read a case.
 * @module
 */
import type { CaseState } from './case';
import { dueCalls, nextDueAt, type DueCall, type PageAudience } from './ladder';
import { subjectOf, troublesOf } from './troubles';

export interface ComingCall extends DueCall {
  /** ISO 8601; past when it is due at this moment. */
  at: string;
}

/** Soonest first. */
export function comingCalls(state: CaseState, now: string): ComingCall[] {
  const { ladder } = state.rules.escalation;
  const calls = troublesOf(state, now).flatMap((trouble) =>
    ladder.flatMap((rung): ComingCall[] => {
      const at = nextDueAt(state.escalation, [rung], [trouble]);
      if (at === undefined) return [];
      return dueCalls(state.escalation, [rung], [trouble], at).map((call) => ({ ...call, at }));
    }),
  );
  return calls.sort((a, b) => a.at.localeCompare(b.at));
}

/** `call ana and noc: Stuck: tag the device`, or `propose wipe: The lost device is silent`. */
export function describeCall({ rung, trouble, to }: DueCall): string {
  const does = rung.propose
    ? `propose ${rung.propose}`
    : `call ${describeWhom({ whom: trouble.whom ?? rung.whom, ...(to === 'deputies' && { deputies: true }) })}`;
  return `${does}: ${subjectOf(trouble)}`;
}

/** `everybody`, `ana and noc`, `ana and deputies`. */
export function describeWhom({ whom, deputies }: Pick<PageAudience, 'whom' | 'deputies'>): string {
  const names = whom.length > 0 ? whom : ['everybody'];
  return [...(deputies ? [...names, 'deputies'] : names)].join(', ').replace(/, ([^,]*)$/, ' and $1');
}
