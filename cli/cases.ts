/**
 * Commands that read cases: `list` and `show`.
 * @module
 */
import { setTimeout } from 'node:timers/promises';
import type { Command } from 'commander';
import type { CaseState } from '../playbook/case';
import { headline } from '../playbook/summary';
import type { TriageState } from '../workflows/messages';
import { failureOf } from './failure';
import { journalLines, printCase, printList, printTriage } from './print';
import { tell, withCases, type GlobalOptions, type Session } from './session';

const watchEveryMs = 1_000;
const clearScreen = '\x1b[2J\x1b[H';

type Shown = CaseState | TriageState;

export function addCaseCommands(program: Command): void {
  program
    .command('list')
    .description('Show open cases and triages, newest first.')
    .option('--all', 'written-off ones that go on listening, and closed ones, too')
    .option('--tenant <name>', 'of one tenant only')
    .action((options: { all?: boolean; tenant?: string }, command: Command) =>
      withCases(command, async ({ cases, ask }) => {
        const rows = await ask(() => cases.list(options));
        tell(command, rows, () => printList(rows, Date.now()));
      }),
    );

  onCase(
    program,
    'show <case>',
    'Show one case: what it is, what waits for whom, what is proven, where the device was seen, who is called when.',
  )
    .option('--watch', 'again and again, until the case is closed or written off')
    .action((name: string, { watch }: { watch?: boolean }, command: Command) =>
      withCases(command, async (session) => {
        const id = await session.ask(() => session.cases.resolve(name));
        if (watch) return follow(command, session, id);
        const state = await session.ask(() => session.cases.show(id));
        tell(command, state, () => print(state));
      }),
    );
}

/** How people name a case, for the help of every command that takes one. */
export const whatACaseIs = 'CASE is a serial, a hostname, a user, a ticket in triage, or the full id.';

/** A command about one case. */
export const onCase = (program: Command, usage: string, description: string) =>
  program.command(usage).description(description).addHelpText('after', `\n${whatACaseIs}`);

/**
 * Look every second, until the case is closed or written off. In a terminal the page is drawn anew; elsewhere the journal goes on line by
 * line; with `--json` each change of the case is a line. A triage that hands over is followed to its case.
 */
async function follow(command: Command, { cases, ask }: Session, id: string): Promise<void> {
  const { json } = command.optsWithGlobals<GlobalOptions>();
  const write = (text: string) => process.stdout.write(`${text}\n`);
  const redraw = !json && process.stdout.isTTY;
  let shown = '';
  let written = 0;
  for (let current = id; ; await setTimeout(watchEveryMs)) {
    const state = await ask(() => cases.show(current)).catch((error: unknown) => {
      // Temporal may be started again: a watch outlives that.
      if (shown === '') throw error;
      process.stderr.write(`${failureOf(error).text} Looking again.\n`);
    });
    if (state === undefined) continue;
    const now = JSON.stringify(state);
    if (redraw) write(`${clearScreen}${print(state)}`);
    else if (now !== shown && json) write(now);
    else if (now !== shown && isTriage(state)) write(state.says);
    else if (now !== shown && !isTriage(state)) {
      if (written === 0) write(headline(state));
      const entries = state.journal.tail.filter(({ n }) => n > written);
      for (const line of journalLines(entries)) write(line);
      written = entries.at(-1)?.n ?? written;
    }
    shown = now;
    if (isTriage(state)) {
      if (state.outcome !== 'open' && state.handedOverTo === undefined) return;
      current = state.handedOverTo ?? current;
    } else if (state.closedAt !== undefined || state.listening !== undefined) return;
  }
}

const isTriage = (state: Shown): state is TriageState => 'kind' in state;

const print = (state: Shown) => (isTriage(state) ? printTriage(state, Date.now()) : printCase(state, Date.now()));
