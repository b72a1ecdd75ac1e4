/**
 * The commands `keys new` and `keys rotate`: the keyring by which what Temporal keeps is encrypted. No key is ever printed.
 * @module
 */
import type { Command } from 'commander';
import { rotateKeyring, writeNewKeyring } from '../settings/keyring';
import { tell } from './session';

export function addKeysCommands(program: Command): void {
  const keys = program
    .command('keys')
    .description('The keys by which what Temporal keeps is encrypted: docs/runbook/keys.md.');
  keys
    .command('new')
    .argument('<file>', 'where it is written, readable by your account alone')
    .description('Make a keyring. The settings then name it: encryption: { keys: file:FILE }.')
    .action(async (file: string, _options: object, command: Command) => {
      const current = await writeNewKeyring(file);
      tell(command, { file, current }, () =>
        [
          `Wrote the key ${current} into ${file}. Keep a copy where your other secrets are: without it no case can be read.`,
          'Name it in the settings while no case is open, and start every process again:',
          '',
          'encryption:',
          `  keys: file:${file}`,
        ].join('\n'),
      );
    });
  keys
    .command('rotate')
    .argument('<file>', 'the keyring')
    .description('Add a key, by which everything is encrypted from now on. What older keys encrypted stays readable.')
    .action(async (file: string, _options: object, command: Command) => {
      const { current, older } = await rotateKeyring(file);
      tell(command, { file, current, older }, () =>
        [
          `Added the key ${current} to ${file}; ${older.join(', ')} still ${older.length === 1 ? 'decrypts' : 'decrypt'}.`,
          'Bring the file to every machine first, then start the processes again, one by one: each encrypts by it then.',
        ].join('\n'),
      );
    });
}
