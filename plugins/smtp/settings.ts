/**
 * Settings of mail.
 * @module
 */
import { z } from 'zod';
import { filledText, isLoopback, milliseconds } from '../setting-fields';

/** A mail address, alone. */
export const address = z.email({ error: 'is not a mail address: write it like soc@example.test' });

/** An instance with `plugin: smtp`: all of its part of the settings file but `plugin` itself. */
export const smtpSettings = z
  .strictObject({
    host: filledText.meta({
      description: 'The mail server that takes our mail.',
      example: 'mail.your-company.invalid',
    }),
    port: z.int().min(1).max(65_535).default(587).describe('Its port.'),
    secure: z
      .boolean()
      .default(false)
      .describe('TLS from the first byte (port 465). Otherwise STARTTLS is demanded, except on loopback.'),
    user: filledText.optional().describe('Account of ours there. Left out: it takes our mail without one.'),
    password: filledText.optional().describe('Its password.'),
    from: address.meta({ description: 'Whom our mail comes from.', example: 'lost-device@your-company.invalid' }),
    to: z
      .array(address)
      .min(1, { error: 'is empty: name at least one reader' })
      .max(50)
      .meta({ description: 'Who reads it, where no person is named.', example: ['soc@your-company.invalid'] }),
    timeoutMs: milliseconds.min(1).default(30_000).describe('How long the server may be silent.'),
    allowPlainText: z
      .boolean()
      .default(false)
      .describe('Let mail leave without TLS, for a relay inside your own walls. Never with a password.'),
  })
  .refine((settings) => (settings.user === undefined) === (settings.password === undefined), {
    path: ['password'],
    error: 'goes with user: write both or neither',
  })
  .refine((settings) => !settings.allowPlainText || settings.password === undefined || isLoopback(settings.host), {
    path: ['allowPlainText'],
    error: 'would send the password in the clear: remove it, or user and password',
  });

export type SmtpSettings = z.infer<typeof smtpSettings>;
