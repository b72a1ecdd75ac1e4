/**
 * Commands about what destroys or cuts off: the wipe with its two persons, lock and isolation, the freeze that stops them
 * all, and the evidence that was kept.
 * @module
 */
import { Option, type Command } from 'commander';
import { RefusedByRule } from '../client/cases';
import { listEvidence, readEvidence } from '../client/evidence';
import {
  approveWipe,
  cancelWipe,
  isolate,
  lock,
  refuseWipe,
  releaseIsolation,
  requestWipe,
  type RequestWipe,
} from '../workflows/messages';
import { onCase } from './cases';
import { decide, decideIn, decideOnly, newDecision } from './decisions';
import { printDocument, printEvidence, printFrozen, printGuards, printPlan } from './print';
import { tell, tenantOf, withCases, type GlobalOptions } from './session';

export function addWipeCommands(program: Command): void {
  const known = (flags: string, description: string) =>
    new Option(`${flags} <answer>`, description).choices(['yes', 'no', 'unknown']);

  onCase(
    program,
    'request-wipe <case>',
    'Ask for a wipe: your consent is the first, and another person must approve. Needs --reason.',
  )
    .addOption(
      new Option(
        '--when-offline <way>',
        'leave the command with the vendor, or hold it here until the device is heard; else as the rules say',
      ).choices(['queue-at-vendor', 'hold-until-seen']),
    )
    .addOption(known('--unique-data', 'it holds the only copy of something'))
    .addOption(known('--legal-hold', 'what is on it must be kept'))
    .option('--override <why>', 'why all the same, where the decision tree or an isolation speaks against it')
    .action((name: string, options: Omit<RequestWipe, 'id' | 'actor' | 'reason'>, command: Command) =>
      decide(command, name, requestWipe, options),
    );

  onCase(
    program,
    'approve-wipe <case>',
    'Approve a wipe that another person asked for. What would be wiped, and what cannot be taken back, is printed first.',
  ).action((name: string, _options: object, command: Command) =>
    withCases(command, async (session) => {
      const { cases, ask } = session;
      const id = await ask(() => cases.resolve(name));
      const state = await ask(() => cases.show(id));
      if ('kind' in state) throw new RefusedByRule(`${id} is a triage: only an identified device can be wiped.`);
      if (!command.optsWithGlobals<GlobalOptions>().json) process.stdout.write(printPlan(state));
      await decideIn(session, command, id, approveWipe, {});
    }),
  );

  onCase(program, 'refuse-wipe <case>', 'Refuse a wipe that was asked for. Needs --reason.').action(
    decideOnly(refuseWipe),
  );
  onCase(
    program,
    'cancel-wipe <case>',
    'Take a wipe back: at once while it is held here, afterwards where the vendor can. Needs --reason.',
  ).action(decideOnly(cancelWipe));
  onCase(program, 'lock <case>', 'Lock the device, where its platform has a lock. Needs --reason.').action(
    decideOnly(lock),
  );
  onCase(program, 'isolate <case>', 'Cut the device off from everything but its EDR. Needs --reason.')
    .option('--override <why>', 'why all the same, where a wipe is under way: isolated, the device never hears of it')
    .action((name: string, options: { override?: string }, command: Command) =>
      decide(command, name, isolate, options),
    );
  onCase(program, 'release <case>', 'Lift the isolation of the device; the release is read back.').action(
    decideOnly(releaseIsolation),
  );

  program
    .command('freeze')
    .description('Stop every wipe, lock and isolation, until somebody unfreezes. Needs --reason.')
    .option('--tenant <name>', 'of one tenant only')
    .action(({ tenant }: { tenant?: string }, command: Command) =>
      withCases(command, async ({ settings, house }) => {
        const decision = newDecision(command);
        const names = tenant === undefined ? Object.keys(settings.tenants) : [tenantOf(settings, tenant)[0]];
        // One tenant that does not answer keeps no other from being frozen, and from being said.
        const answers = await Promise.allSettled(
          names.map(async (name) => ({ tenant: name, ...(await house.guards.freeze(name, decision)) })),
        );
        const frozen = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
        if (frozen.length > 0) tell(command, frozen, () => printFrozen(frozen));
        const failed = answers.find((answer) => answer.status === 'rejected');
        if (failed) throw failed.reason;
      }),
    );

  program
    .command('unfreeze')
    .description('End a freeze: what waits asks for its permit again. Needs --reason.')
    .option('--tenant <name>', 'whose, when the settings name several')
    .action(({ tenant }: { tenant?: string }, command: Command) =>
      withCases(command, async ({ settings, house }) => {
        const [name] = tenantOf(settings, tenant);
        const unfrozen = [{ tenant: name, ...(await house.guards.unfreeze(name, newDecision(command))) }];
        tell(command, unfrozen, () => printFrozen(unfrozen));
      }),
    );

  program
    .command('guard')
    .description(
      'Show what is frozen since when and by whom, how many wipes were permitted, and whether it is a dry run.',
    )
    .option('--tenant <name>', 'of one tenant only')
    .action(({ tenant }: { tenant?: string }, command: Command) =>
      withCases(command, async ({ settings, house }) => {
        const wanted = tenant === undefined ? undefined : tenantOf(settings, tenant)[0];
        const rows = (await house.guards.read()).filter((row) => wanted === undefined || row.tenant === wanted);
        tell(command, rows, () => printGuards(rows, Date.now()));
      }),
    );

  onCase(
    program,
    'evidence <case> [file]',
    'List what the archive holds of every loss of the device; with the end of a key, print that file.',
  ).action((name: string, file: string | undefined, _options: object, command: Command) =>
    withCases(command, async ({ house, cases, ask }) => {
      const id = await ask(() => cases.resolve(name));
      const [kind, tenant = ''] = id.split(':');
      if (kind !== 'lost-device') throw new RefusedByRule(`${id} is a triage: evidence begins with the case.`);
      const { archive } = house.tenant(tenant);
      if (file === undefined) {
        const rows = await listEvidence(archive, id);
        tell(command, rows, () => printEvidence(rows));
      } else {
        const document: unknown = JSON.parse(await readEvidence(archive, id, file));
        tell(command, document, () => printDocument(document));
      }
    }),
  );
}
