/**
 * The command `digest`: what a shift hands to the next.
 * @module
 */
import { InvalidArgumentError, type Command } from 'commander';
import { readDigest } from '../client/digest';
import { readMoment } from '../settings/moment';
import { printDigest } from './print';
import { tell, withCases } from './session';

export function addDigestCommand(program: Command): void {
  program
    .command('digest')
    .description(
      'For the change of shifts: what is open, what asks whom, what happened, what comes next and when. What asks a person comes first.',
    )
    .option('--since <when>', 'tell what happened since: 12h, 2d, or a time in ISO 8601; 8h when left out', readSince)
    .option('--tenant <name>', 'of one tenant only')
    .action(({ since = readSince('8h'), ...options }: { since?: string; tenant?: string }, command: Command) =>
      withCases(command, async ({ cases }) => {
        const digest = await readDigest(cases, { ...options, since });
        tell(command, digest, () => printDigest(digest, Date.now()));
      }),
    );
}

function readSince(text: string): string {
  const since = readMoment(text, 'before', Date.now());
  if (since === undefined) throw new InvalidArgumentError('Write it like 8h, 2d or 2026-11-22T14:00:00Z.');
  return since;
}
