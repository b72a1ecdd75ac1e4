/**
 * Fields that the settings of many products share, with messages that name the remedy. A plugin's settings schema is
 * made of these; the name of the field stands in the path of the zod issue.
 * @module
 */
import { Webhook } from 'standardwebhooks';
import { z } from 'zod';
import { BadInput } from './errors';

/** The loopback names of this machine. Only here may a secret travel without TLS. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

/** What is no address is one mistake, and nothing else is wrong with it. */
const addressIn = (text: string) =>
  new URL(URL.canParse(text) && /^https?:/i.test(text) ? text : 'https://none.invalid');

/** Address of a vendor, without a closing slash. `http://` is refused except on loopback, where the simulator lives. */
export const vendorUrl = z
  .url({ protocol: /^https?$/, error: 'is not an address: write it like https://example.test' })
  .refine((text) => addressIn(text).protocol === 'https:' || isLoopback(addressIn(text).hostname), {
    error: 'would send secrets in the clear: use https:// (http:// is for loopback only)',
  })
  .refine((text) => addressIn(text).username === '' && addressIn(text).password === '', {
    error: 'carries a user or a password: put them in their own settings',
  })
  .transform((text) => text.replace(/\/+$/, ''));

/** A text that must be there: a name, an id, a secret. */
export const filledText = z.string({ error: 'is missing: write a text' }).trim().min(1, { error: 'is empty' });

/** A time span in whole milliseconds. */
export const milliseconds = z.int({ error: 'is not a whole number of milliseconds' }).min(0).max(86_400_000);

/** How often a feed is asked (milliseconds). Oftener than ten times a second would only be a burden. */
export const pollEveryMs = (usualMs: number) =>
  milliseconds.min(100).default(usualMs).describe('How often it is asked.');

/** How late the records of a feed may come (milliseconds). */
export const lateDataMs = (usualMs: number) =>
  milliseconds.default(usualMs).describe('How late its records may come: each look goes back by so much.');

/** The settle time of a vendor (milliseconds). */
export const settleMs = (usualMs: number) =>
  milliseconds.default(usualMs).describe('How long a read may still show the old state after a write.');

/** Secrets that a sender of webhooks may use. Several while one is being replaced: each is tried. */
export const webhookSecrets = z
  .array(
    z.string().refine(isWebhookSecret, {
      error: 'is not a Standard Webhooks secret: whsec_ and then at least 16 bytes in base64',
    }),
    { error: 'is missing: write a list of Standard Webhooks secrets' },
  )
  .max(10);

function isWebhookSecret(text: string): boolean {
  try {
    new Webhook(text);
  } catch {
    return false;
  }
  return Buffer.from(text.replace(/^whsec_/, ''), 'base64').length >= 16;
}

/**
 * Parse at a boundary.
 * @param where What the value is part of, for instance `plugins.desk.settings`: it opens each path in the message.
 * @throws BadInput LDP_BAD_INPUT naming every wrong field (the first ten). The value itself is never in the message.
 */
export function parseOrRefuse<T>(schema: { parse(value: unknown): T }, value: unknown, where?: string): T {
  try {
    return schema.parse(value);
  } catch (error) {
    if (!(error instanceof z.ZodError)) throw error;
    const wrong = error.issues.slice(0, 10).map((issue) => ({
      field: [where, ...issue.path].filter((part) => part !== undefined).join('.'),
      message: issue.message,
    }));
    const text = wrong.map(({ field, message }) => (field ? `${field}: ${message}` : message)).join('; ');
    throw new BadInput('LDP_BAD_INPUT', text, { field: wrong[0]?.field ?? '' });
  }
}
