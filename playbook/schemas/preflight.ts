/**
 * The answers of `check`, `attest` and `exceptions`.
 * @module
 */
import { z } from 'zod';
import { time } from './report';

const prerequisite = z.object({
  tenant: z.string(),
  of: z.string().describe("The product's name in the settings, or `settings` for what belongs to none."),
  id: z.string(),
  title: z.string(),
  neededFor: z.string(),
  serious: z.enum(['stops', 'warns']).describe('What follows when it is not so.'),
  setAt: z.string().describe('The page of the console, or the setting, where it is set.'),
  how: z.enum(['vendor', 'here', 'person']).describe('Read at the vendor by API, read here, or attested by a person.'),
  probes: z
    .literal(true)
    .exactOptional()
    .describe('Read by asking for a change of something that does not exist; `--read-only` leaves it out.'),
});

/** `check --list`: everything that is looked at or attested. */
export const prerequisiteListSchema = z.array(prerequisite);

/** `attest`: what a person saw. */
export const attestationSchema = z.object({
  id: z.string(),
  holds: z.boolean().describe('False: it is not so.'),
  who: z.string(),
  at: time,
  evidence: z.string(),
  expiresAt: time,
});

/** `check`: each of them, with what was found. */
export const checkSchema = z.array(
  prerequisite.extend({
    result: z.enum(['well', 'warns', 'stops']),
    says: z.string(),
    attestation: attestationSchema.exactOptional(),
    passing: z.literal(true).exactOptional().describe('The vendor is away, or it was not looked at.'),
  }),
);

/** `exceptions --format json`: hosts that a lost device must still reach. */
export const exceptionsSchema = z.array(
  z.object({
    host: z.string(),
    vendor: z.string(),
    of: z.string().describe("The product's name in the settings."),
    region: z.string(),
    source: z.string(),
    date: z.string().describe('Of the source: a year, a month or a day. Empty where the settings name the host.'),
  }),
);
