/**
 * Settings of the secret command.
 * @module
 */
import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { filledText, milliseconds } from '../setting-fields';

const program = filledText.refine(isAbsolute, {
  error: 'does not begin with an absolute path: what PATH would find may be another program',
});

/** An instance with `plugin: secret-command`: all of its part of the settings file but `plugin` itself. */
export const secretCommandSettings = z.strictObject({
  command: z.tuple([program], z.string(), { error: 'is missing: write a list, the program first' }).meta({
    description:
      'The program and its first arguments. No shell reads them; the verb and the name of the secret are put behind.',
    example: ['/usr/local/bin/our-vault'],
  }),
  environment: z
    .array(filledText.regex(/^[A-Za-z_][A-Za-z0-9_]*$/, { error: 'is not the name of a variable' }))
    .default([])
    .describe(
      'Variables of our environment that the program gets beside `PATH`, `HOME` and `LANG`. No others: they hold our own secrets.',
    ),
  timeoutMs: milliseconds
    .min(1)
    .default(30_000)
    .describe('How long it may take. Then it is killed, with all that it started.'),
});

export type SecretCommandSettings = z.infer<typeof secretCommandSettings>;
