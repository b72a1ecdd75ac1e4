/**
 * The command `lost-device`, put together from its commands.
 * @module
 */
import { Command, CommanderError } from 'commander';
import { addCheckCommands } from './check';
import { addCaseCommands, whatACaseIs } from './cases';
import { addDecisionCommands } from './decisions';
import { addDigestCommand } from './digest';
import { addDrillCommand } from './drill';
import { addEscalationCommands } from './escalation';
import { addExceptionsCommand } from './exceptions';
import { failureOf } from './failure';
import { addFeedsCommand } from './feeds';
import { addInitCommand } from './init';
import { addKeysCommands } from './keys';
import { packageVersion } from './package-folder';
import { addPluginCommands } from './plugins';
import { addSettingsCommands } from './settings';
import { addSetupCommand } from './setup';
import { addStartCommand } from './start';
import { addUpCommand } from './up';
import { addUpgradeCommand } from './upgrade';
import { addWipeCommands } from './wipe';

const helpWidth = 100;

function createProgram(): Command {
  const program = new Command('lost-device')
    .description('The response to a lost or stolen laptop, from the ticket to its return.')
    .version(packageVersion(), '--version', 'print the version of this program')
    .option('--settings <file>', 'the settings file; else LOST_DEVICE_SETTINGS, else lost-device.yaml here')
    .option('--json', 'print values for programs, on one line each (schemas: docs/schemas)')
    .option('--as <name>', 'who decides; else your account on this machine')
    .option('--reason <text>', 'why: it goes into the journal and the ticket')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ getOutHelpWidth: () => helpWidth, getErrHelpWidth: () => helpWidth })
    .helpCommand(false)
    .exitOverride()
    .addHelpText('after', '\nExit codes: 0 ok, 1 failed, 2 bad input, 3 refused by a rule.');
  addInitCommand(program);
  addUpCommand(program);
  addSettingsCommands(program);
  addStartCommand(program);
  addCaseCommands(program);
  addDigestCommand(program);
  addDecisionCommands(program);
  addEscalationCommands(program);
  addWipeCommands(program);
  addFeedsCommand(program);
  addPluginCommands(program);
  addCheckCommands(program);
  addExceptionsCommand(program);
  addDrillCommand(program);
  addUpgradeCommand(program);
  addKeysCommands(program);
  addSetupCommand(program);
  return program;
}

/**
 * Run one command. What it has to say goes to stdout, a failure to stderr.
 * @param given Arguments after the program's name.
 * @returns The exit code: 0 ok, 1 failed, 2 bad input, 3 refused by a rule.
 */
export async function runCli(given: string[]): Promise<number> {
  try {
    await createProgram().parseAsync(given, { from: 'user' });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    // Commander has said it already: help, or what is wrong with the arguments.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    const { exitCode, text } = failureOf(error);
    process.stderr.write(`${text}\n`);
    return exitCode;
  }
}

/** The help of every command as Markdown: `docs/cli.md`. */
export function cliHelp(): string {
  const program = createProgram();
  const commandsUnder = (command: Command): Command[] =>
    command.commands.flatMap((child) => [child, ...commandsUnder(child)]);
  const nameOf = (command: Command): string =>
    command.parent ? `${nameOf(command.parent)} ${command.name()}` : command.name();
  const help = (command: Command) => {
    command.configureHelp({ showGlobalOptions: false });
    return `## ${nameOf(command)}\n\n\`\`\`text\n${command.helpInformation().trim()}\n\`\`\`\n`;
  };
  return [
    '# The command line\n',
    'Made from the program itself by `npx tsx setup/cli-docs.ts`. In a clone, `npm run lost-device --` stands for `lost-device`.\n',
    'Exit codes: 0 ok, 1 failed (a vendor or Temporal is away), 2 bad input, 3 refused by a rule.\n',
    `${whatACaseIs} The options of \`lost-device\` itself may stand behind every command.\n`,
    ...[program, ...commandsUnder(program)].map(help),
  ].join('\n');
}
