/**
 * The command `feeds`: whether anything would be seen.
 * @module
 */
import type { Command } from 'commander';
import { printFeeds } from './print';
import { tell, withCases } from './session';

export function addFeedsCommand(program: Command): void {
  program
    .command('feeds')
    .description('Show how every feed fares: when it was last read, how far behind it is, and which cases are blind.')
    .option('--tenant <name>', 'of one tenant only')
    .action(({ tenant }: { tenant?: string }, command: Command) =>
      withCases(command, async ({ house }) => {
        const feeds = (await house.readFeeds()).filter((row) => tenant === undefined || row.tenant === tenant);
        tell(command, feeds, () => printFeeds(feeds, Date.now()));
      }),
    );
}
