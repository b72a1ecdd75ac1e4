/**
 * Commands about the settings file: `settings show`, and `settings apply`, which moves its rules onto a running case.
 * @module
 */
import type { Command } from 'commander';
import { stringify } from 'yaml';
import { RefusedByRule } from '../client/cases';
import { readEffectiveSettings } from '../settings/effective';
import { applyRules } from '../workflows/messages';
import { onCase } from './cases';
import { decideIn } from './decisions';
import { tell, withCases, type GlobalOptions } from './session';

export function addSettingsCommands(program: Command): void {
  const group = program.command('settings').description('Show the settings, or move their rules onto a running case.');

  group
    .command('show')
    .description(
      'Show what this installation goes by: the file with every default filled in. It is itself a settings file. A secret ' +
        'is never read: what stands there is where it lies.',
    )
    .action(async (_options: object, command: Command) => {
      const settings = await readEffectiveSettings(command.optsWithGlobals<GlobalOptions>().settings);
      tell(command, settings, () => stringify(settings, { lineWidth: 0, aliasDuplicateObjects: false }).trimEnd());
    });

  onCase(
    group,
    'apply <case>',
    'Move the rules of the settings onto a running case, which pinned those of its beginning. It says what changed.',
  ).action((name: string, _options: object, command: Command) =>
    withCases(command, async (session) => {
      const { settings, cases, ask } = session;
      const id = await ask(() => cases.resolve(name));
      const state = await ask(() => cases.show(id));
      if ('kind' in state) throw new RefusedByRule(`${id} is a triage: rules are pinned when the case begins.`);
      const rules = settings.tenants[state.tenant]?.rules;
      if (rules === undefined) throw new RefusedByRule(`The settings name no tenant ${state.tenant}.`);
      await decideIn(session, command, id, applyRules, { rules });
    }),
  );
}
