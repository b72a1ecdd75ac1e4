/**
 * The command `start`: a person at this machine reports a loss.
 * @module
 */
import { randomUUID } from 'node:crypto';
import { Option, type Command } from 'commander';
import type { TenantSettings } from '../playbook/settings';
import { BadInput } from '../plugins/errors';
import { readReportBody } from '../plugins/report-body';
import { actorFor, tell, tenantOf, withCases } from './session';

interface StartOptions {
  tenant?: string;
  serial?: string;
  hostname?: string;
  user?: string;
  ticket?: string;
  kind?: string;
  reportedBy?: string;
  reporterIsOwner?: string;
  lastHeldAt?: string;
  lastHeldWhere?: string;
  powered?: string;
  locked?: string;
  data?: string;
  vip?: string;
}

const yesNo = (flags: string, description: string) =>
  new Option(`${flags} [answer]`, description).choices(['yes', 'no', 'unknown']).preset('yes');

export function addStartCommand(program: Command): void {
  program
    .command('start')
    .description(
      'Report a lost or stolen device. What is not known may be left out, and said later by another `start`.',
    )
    .option('--serial <text>', 'serial of the device')
    .option('--hostname <text>', 'its name')
    .option('--user <name>', 'user principal name of the person who had it')
    .addOption(new Option('--kind <kind>', 'how it went').choices(['lost', 'stolen', 'unknown']))
    .option('--ticket <id>', 'ticket number; DESK:NUMBER where a desk of the settings shall get the notes')
    .option('--reported-by <name>', 'who says so')
    .addOption(yesNo('--reporter-is-owner', 'that person had the device'))
    .option('--last-held-at <time>', 'when it was last held, in ISO 8601')
    .option('--last-held-where <text>', 'and where')
    .addOption(new Option('--powered <state>', 'then it was').choices(['on', 'off', 'sleeping', 'unknown']))
    .addOption(yesNo('--locked', 'its screen was locked'))
    .option('--data <text>', 'what data is on it')
    .addOption(yesNo('--vip', 'its user is a person of special importance'))
    .option('--tenant <name>', 'whose device it is, when the settings name several')
    .action((options: StartOptions, command: Command) =>
      withCases(command, async ({ settings, cases, ask }) => {
        const [tenant, { plugins, rules }] = tenantOf(settings, options.tenant);
        const report = { ...readOptions(options, plugins), tenant, receivedAt: new Date().toISOString() };
        const taken = await ask(() => cases.handIn({ ...report, actor: actorFor(command) }, rules));
        tell(command, taken, () => `${sentences[taken.outcome]}: ${taken.workflowId}`);
      }),
    );
}

const sentences = {
  opened: 'Opened a case',
  joined: 'Added to the open case',
  'in triage': 'In triage, until it is known which device it is',
  'already closed': 'That ticket belongs to a closed case, and nothing was started',
};

/** The same form, limits and words as a webhook's. */
function readOptions(options: StartOptions, plugins: TenantSettings['plugins']) {
  const { serial, hostname, user, ticket = `cli-${randomUUID().slice(0, 8)}`, tenant: _, ...report } = options;
  const [, desk, number] = /^([a-z][a-z0-9-]*):(.+)$/.exec(ticket) ?? [];
  if (desk !== undefined && !Object.hasOwn(plugins, desk)) {
    throw new BadInput(
      'LDP_BAD_INPUT',
      `--ticket: the settings have no desk ${desk}; there are ${Object.keys(plugins).join(', ')}`,
    );
  }
  const body = { ticket: number ?? ticket, device: { serial, hostname }, user, report };
  return readReportBody({ deliveryId: `cli:${randomUUID()}`, body }, desk ?? 'cli');
}
