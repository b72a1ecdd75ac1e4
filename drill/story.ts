/**
 * A story of a drill: what happens to the laptop and what people decide, in case time. What the playbook makes of it is
 * nobody's script.
 * @module
 */
import type { UpdateDefinition } from '@temporalio/common';
import type { CaseState } from '../playbook/case';
import type { Proposal } from '../playbook/ladder';
import type { LossKind } from '../playbook/report';
import type { Decided, Decision } from '../workflows/messages';

/** What a story can do. */
export interface Stage {
  /** Print what happens, and put it into the course of the report. */
  tell(text: string): void;
  /** Somebody reports the loss. Resolves when the first response is over. */
  report(kind: LossKind, where: string): Promise<void>;
  /**
   * Case time goes on (milliseconds). Once a day people look at what asks them: they answer, and do the tasks that are late.
   * Resolves early, within a day, once `enough`.
   */
  pass(ms: number, enough?: (state: CaseState) => boolean): Promise<CaseState>;
  /** Go on until this long after the loss (milliseconds). */
  passTo(ms: number): Promise<CaseState>;
  /** The laptop is on for this long (milliseconds), and speaks every ten minutes. */
  online(where: string, ms: number): Promise<CaseState>;
  /** Somebody sets the wiped laptop up again. */
  setUpAgain(): void;
  decide<D extends Decision>(
    person: string,
    update: UpdateDefinition<Decided, [D]>,
    particulars: Omit<D, keyof Decision> & { reason: string },
  ): Promise<Decided>;
  state(): Promise<CaseState>;
  /** How people answer proposals from now on. */
  answers: Record<Proposal, string>;
  /** Persons of the settings in the name of the drill, the approvers first. */
  analyst: string;
  secondPerson: string | undefined;
  /** What must be so at the end; the sentence says what is wrong when it is not. The story goes on. */
  expect(isSo: boolean, otherwise: string): void;
  /** What a lack of the settings kept from happening. */
  kept(sentence: string): void;
}

export type Story = (stage: Stage) => Promise<void>;

const hourMs = 60 * 60_000;
export const spans = { minuteMs: 60_000, hourMs, dayMs: 24 * hourMs };
