/**
 * Settings of the encrypted folder.
 * @module
 */
import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { filledText } from '../setting-fields';

const keyBytes = 32;

const aesKey = z
  .string()
  .transform((text) => Buffer.from(text, 'base64'))
  .refine((key) => key.length === keyBytes, {
    error: 'is not a key of 32 bytes in base64: make one with openssl rand -base64 32',
  });

/** An instance with `plugin: encrypted-folder`: all of its part of the settings file but `plugin` itself. */
export const encryptedFolderSettings = z.strictObject({
  path: filledText
    .refine(isAbsolute, { error: 'is not an absolute path: a worker may be started from anywhere' })
    .meta({
      description: 'Where secrets are kept. Made when it is not there, readable by our own account only.',
      example: './pins',
    }),
  keys: z
    .array(aesKey, { error: 'is missing: write a list of keys' })
    .min(1, { error: 'is empty: make a key with openssl rand -base64 32' })
    .max(10)
    .meta({
      description:
        'The first encrypts; all of them read. An old one stays as long as anything was written with it. Keep a copy elsewhere.',
      example: ['env:SECRETS_KEY'],
    }),
});

export type EncryptedFolderSettings = z.infer<typeof encryptedFolderSettings>;
