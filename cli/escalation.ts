/**
 * Commands about what the playbook reminds people of: pages, tasks, clocks of the law, and the end of a case that never
 * came back.
 * @module
 */
import { Argument, InvalidArgumentError, type Command } from 'commander';
import type { EncryptionProof } from '../playbook/tasks';
import { readMoment } from '../settings/moment';
import {
  acknowledge,
  closeTask,
  snooze,
  startClock,
  stateEncryption,
  writeOff,
  type CloseTask,
} from '../workflows/messages';
import { RefusedByRule } from '../client/cases';
import { onCase } from './cases';
import { decide, decideOnly, readTime } from './decisions';
import { printTasks } from './print';
import { tell, withCases } from './session';

export function addEscalationCommands(program: Command): void {
  onCase(
    program,
    'acknowledge <case> [rung]',
    'Say that you have it in hand: this call is not repeated, all others go on. Name the rung where several have called.',
  ).action((name: string, rung: string | undefined, _options: object, command: Command) =>
    decide(command, name, acknowledge, rung === undefined ? {} : { rung }),
  );

  onCase(
    program,
    'snooze <case> [rung]',
    'Put a call off until later; then it comes again. Name the rung where several have called. Needs --reason.',
  )
    .requiredOption('--until <when>', 'for how long, as 4h or 2d, or until when, in ISO 8601', readUntil)
    .action((name: string, rung: string | undefined, { until }: { until: string }, command: Command) =>
      decide(command, name, snooze, { until, ...(rung !== undefined && { rung }) }),
    );

  onCase(program, 'tasks <case>', 'Show what people have to do: what is late first, then what is due next.').action(
    (name: string, _options: object, command: Command) =>
      withCases(command, async ({ cases, ask }) => {
        const id = await ask(() => cases.resolve(name));
        const state = await ask(() => cases.show(id));
        if ('kind' in state) throw new RefusedByRule(`${id} is a triage: tasks begin with the case.`);
        tell(command, state.tasks, () => printTasks(state.tasks, Date.now()));
      }),
  );

  const closesTask = (usage: string, as: CloseTask['as'], description: string) =>
    onCase(program, usage, description).action(
      (name: string, task: string, { reference }: { reference?: string }, command: Command) =>
        decide(command, name, closeTask, { task, as, ...(reference !== undefined && { reference }) }),
    );
  closesTask('task-done <case> <task>', 'done', 'Say that a task is done. `tasks` shows their names.').option(
    '--reference <text>',
    'the number that the task asks for: of the police report, of the claim',
  );
  closesTask(
    'task-not-needed <case> <task>',
    'not needed',
    'Close a task that nobody has to do; for a legal clock this is "not notified because". Needs --reason.',
  );

  onCase(
    program,
    'start-clock <case> <clock>',
    'Start a clock of the law, for instance gdpr, nis2 or hipaa: its stages become tasks with due times.',
  )
    .requiredOption(
      '--aware-at <time>',
      'when the company became aware, in ISO 8601: the law counts from then',
      readTime,
    )
    .action((name: string, clock: string, { awareAt }: { awareAt: string }, command: Command) =>
      decide(command, name, startClock, { clock, awareAt }),
    );

  onCase(
    program,
    'encryption <case>',
    'Say whether the disk was encrypted; --reason is the evidence. Whether a legal clock must end in a notice hangs on it.',
  )
    .addArgument(new Argument('<answer>', 'what is known').choices(['yes', 'no', 'unknown']))
    .action((name: string, answer: EncryptionProof['answer'], _options: object, command: Command) =>
      decide(command, name, stateEncryption, { answer }),
    );

  onCase(
    program,
    'write-off <case>',
    'Give the device up: close the case for people, and listen on. A sign of the device opens it again. Needs --reason.',
  ).action(decideOnly(writeOff));
}

function readUntil(text: string): string {
  const until = readMoment(text, 'after', Date.now());
  if (until === undefined) throw new InvalidArgumentError('Write it like 4h, 2d or 2026-11-23T08:00:00Z.');
  return until;
}
