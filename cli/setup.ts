/**
 * The command `setup`: a namespace of an existing Temporal is made ready.
 * @module
 */
import type { Command } from 'commander';
import { startStandingWork } from '../standing-work';
import { prepareNamespace } from '../temporal/namespace';
import { tell, withCases } from './session';

export function addSetupCommand(program: Command): void {
  program
    .command('setup')
    .description(
      'Make a namespace of your own Temporal ready: search attributes, retention, watches and schedules. Safe to repeat. What the server does not let us do is printed, to be run by hand.',
    )
    .action((_options: object, command: Command) =>
      withCases(command, async ({ settings, house }) => {
        const { namespace, keepClosedMs } = settings.temporal;
        const byHand = await prepareNamespace(house.client.connection, namespace, keepClosedMs);
        const running = await startStandingWork(house);
        tell(command, { namespace, running, byHand }, () =>
          [
            `Namespace ${namespace} has the search attributes, and these run there:`,
            ...running.map((id) => `  ${id}`),
            ...(byHand.length > 0 ? ['The server did not let us do this. Run it with an account that may:'] : []),
            ...byHand.map((line) => `  ${line}`),
          ].join('\n'),
        );
      }),
    );
}
