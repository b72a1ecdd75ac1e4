/**
 * The command `up`: the whole house on this machine, until it is stopped.
 * @module
 */
import { once } from 'node:events';
import type { Command } from 'commander';
import { readHouseAddresses, removeHouseAddresses, writeHouseAddresses } from './house-addresses';
import type { Settings } from '../playbook/settings';
import { tell, settingsFor } from './session';

export function addUpCommand(program: Command): void {
  program
    .command('up')
    .description('Run everything on this machine: Temporal, the worker, the webhooks and the API. Ctrl-C stops it.')
    .action(async (_options: object, command: Command) => {
      const settings = await settingsFor(command);
      await refuseSecond(settings);
      // Loaded here only: the other commands start without a worker.
      const [{ createLogger, startHouse }, { Runtime }] = await Promise.all([
        import('../house.js'),
        import('@temporalio/worker'),
      ]);
      Runtime.install({ logger: createLogger() });
      const stopped = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
      const house = await startHouse(settings, { log: (line) => process.stderr.write(`${line}\n`) });
      const addresses = { pid: process.pid, ...house.addresses, startedAt: new Date().toISOString() };
      try {
        await writeHouseAddresses(settings.dataFolder, addresses);
        tell(command, addresses, () =>
          [
            `Webhooks  ${addresses.webhooks}/webhooks/tickets/<desk>`,
            `API       ${addresses.api}/api/cases`,
            `Temporal  ${addresses.temporal}${addresses.ui ? `, pages at ${addresses.ui}` : ''}`,
            'Running. Ctrl-C stops it; open cases go on at the next start.',
          ].join('\n'),
        );
        await Promise.race([stopped, house.ended]);
      } finally {
        await removeHouseAddresses(settings.dataFolder);
        await house.stop();
      }
    });
}

/** A file alone proves nothing: a house that was killed leaves it behind. */
async function refuseSecond({ dataFolder }: Settings): Promise<void> {
  const earlier = await readHouseAddresses(dataFolder);
  if (earlier === undefined) return;
  const answers = await fetch(`${earlier.api}/health`, { signal: AbortSignal.timeout(2_000) }).then(
    ({ ok }) => ok,
    () => false,
  );
  if (answers) throw new Error(`It runs already, as process ${earlier.pid}, with the API at ${earlier.api}.`);
}
