/**
 * Commands by which a person decides something in a case. Each is refused at once when a rule forbids it.
 * @module
 */
import { randomUUID } from 'node:crypto';
import type { UpdateDefinition } from '@temporalio/common';
import { InvalidArgumentError, type Command } from 'commander';
import {
  answer,
  falseAlarm,
  recovered,
  replaceDevice,
  reportSighting,
  retryStep,
  skipStep,
  type Decided,
  type Decision,
} from '../workflows/messages';
import { onCase } from './cases';
import { actorFor, tell, withCases, type GlobalOptions, type Session } from './session';

export function addDecisionCommands(program: Command): void {
  onCase(program, 'answer <case> <value>', 'Answer a question of a case: an option by its value or its number.')
    .option('--question <id>', 'which one, when several are open')
    .action((name: string, value: string, { question }: { question?: string }, command: Command) =>
      decide(command, name, answer, { value, ...(question !== undefined && { questionId: question }) }),
    );

  onCase(program, 'retry <case> [step]', 'Try a failing or stuck step again now; without a step, all of them.').action(
    (name: string, step: string | undefined, _options: object, command: Command) =>
      decide(command, name, retryStep, step === undefined ? {} : { step }),
  );

  onCase(program, 'skip <case> <step>', 'Go on without a failing or stuck step. Needs --reason.').action(
    (name: string, step: string, _options: object, command: Command) => decide(command, name, skipStep, { step }),
  );

  onCase(program, 'sighting <case>', 'Report where somebody saw the device.')
    .requiredOption('--what <text>', 'what was seen')
    .option('--where <text>', 'the place')
    .option('--at <time>', 'when, in ISO 8601; now when left out', readTime)
    .action((name: string, options: { what: string; where?: string; at?: string }, command: Command) =>
      decide(command, name, reportSighting, { ...options, at: options.at ?? new Date().toISOString() }),
    );

  onCase(program, 'replace <case>', 'The user gets a replacement: release the user, keep the device held.').action(
    decideOnly(replaceDevice),
  );
  onCase(program, 'recovered <case>', 'The device is back: undo containment, and close.').action(decideOnly(recovered));
  onCase(program, 'false-alarm <case>', 'It was never lost: undo what was done, and close.').action(
    decideOnly(falseAlarm),
  );
}

/** A decision that says nothing but that it was taken, and why. */
export const decideOnly =
  (update: UpdateDefinition<Decided, [Decision]>) => (name: string, _options: object, command: Command) =>
    decide(command, name, update, {});

/** Send a decision of whoever is acting, and print what became of it. */
export async function decide<D extends Decision>(
  command: Command,
  name: string,
  update: UpdateDefinition<Decided, [D]>,
  particulars: Omit<D, keyof Decision>,
): Promise<void> {
  await withCases(command, async (session) => {
    const id = await session.ask(() => session.cases.resolve(name));
    await decideIn(session, command, id, update, particulars);
  });
}

/** The same, of a case by its full id, in a session that is open already. */
export async function decideIn<D extends Decision>(
  { cases, ask }: Session,
  command: Command,
  id: string,
  update: UpdateDefinition<Decided, [D]>,
  particulars: Omit<D, keyof Decision>,
): Promise<void> {
  const decision = { ...particulars, ...newDecision(command) } as D;
  const decided = await ask(() => cases.decide(id, update, decision));
  tell(command, decided, () => decided.text);
}

/** Who decides, and why. */
export function newDecision(command: Command): Decision {
  const { reason = '' } = command.optsWithGlobals<GlobalOptions>();
  return { id: randomUUID(), actor: actorFor(command), reason };
}

/** Reads an option that is a time. */
export function readTime(text: string): string {
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) throw new InvalidArgumentError('Write it like 2026-11-22T21:10:00Z.');
  return new Date(ms).toISOString();
}
