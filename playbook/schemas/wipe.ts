/**
 * The wipe, as it stands in a case and as rules.
 * @module
 */
import { z } from 'zod';
import type { WipeRules } from '../rules';
import type { WipePlan, WipeTrack } from '../wipe';
import { time } from './report';

const known = z.enum(['yes', 'no', 'unknown']);
const whenOffline = z.enum(['queue-at-vendor', 'hold-until-seen']);

const plan = z.object({
  at: time,
  plugin: z.string(),
  recordId: z.string(),
  platform: z.string(),
  lastSyncAt: time.exactOptional(),
  earlierWipe: time.exactOptional(),
  encrypted: known,
  cancellable: z.boolean(),
  pin: z.enum(['none', 'ours', 'made by the vendor']),
  simulated: z.boolean(),
  dryRun: z.boolean(),
  approvers: z.array(z.string()),
  evidence: z.string().describe('Key in the archive.'),
  hosts: z.array(z.string()).describe('What the steering configuration must let through.'),
  cleanUpAfterMs: z.number().exactOptional(),
  warnings: z.array(z.string()),
}) satisfies z.ZodType<WipePlan>;

export const wipeSchema = z.object({
  state: z.enum([
    'none',
    'requested',
    'approved',
    'held',
    'queued',
    'delivered',
    'acknowledged',
    'refused',
    'cancelled',
    'failed',
  ]),
  number: z.int(),
  attempt: z.int(),
  request: z
    .object({ who: z.string(), at: time, reason: z.string(), whenOffline, authenticated: z.boolean() })
    .exactOptional(),
  plan: plan.exactOptional(),
  approval: z.object({ who: z.string(), at: time }).exactOptional(),
  expiresAt: time.exactOptional(),
  held: z
    .object({
      by: z.enum(['the guard', 'until seen', 'the office', 'the vendor', 'a person']),
      since: time,
      says: z.string(),
    })
    .exactOptional(),
  leaving: time.exactOptional(),
  sent: z.object({ at: time, known: z.boolean() }).exactOptional(),
  vendorApproval: z.object({ code: z.string(), since: time, agreed: z.boolean() }).exactOptional(),
  progress: z.object({ says: z.string(), startedAt: time, readAt: time }).exactOptional(),
  lookAt: time.exactOptional(),
  looks: z.int(),
  stalledSince: time.exactOptional(),
  told: z.string().exactOptional(),
  deliveredAt: time.exactOptional(),
  acknowledgedAt: time.exactOptional(),
  endedBecause: z.string().exactOptional(),
}) satisfies z.ZodType<WipeTrack>;

export const wipeRulesSchema = z.object({
  whenOffline: z.object({ lost: whenOffline, stolen: whenOffline }),
  consentMs: z.number(),
  askAgainMs: z.number(),
  protected: z.object({ lost: z.boolean(), stolen: z.boolean() }),
  isolate: z.enum(['never', 'afterWipeDelivered', 'selective', 'immediate']),
  waits: z.object({
    settleMs: z.number(),
    lookFirstMs: z.number(),
    lookMaxMs: z.number(),
    stalledAfterMs: z.number(),
    isolateAfterMs: z.number(),
    askEveryMs: z.number(),
    lastWordsMs: z.number(),
  }),
  tree: z.array(
    z.object({
      kind: z.enum(['lost', 'stolen']).exactOptional(),
      encrypted: known.exactOptional(),
      powered: z.enum(['on', 'off', 'sleeping', 'unknown']).exactOptional(),
      uniqueData: known.exactOptional(),
      legalHold: known.exactOptional(),
      inTheOffice: z.boolean().exactOptional(),
      propose: z.enum(['wipe', 'do not wipe']),
      because: z.string(),
    }),
  ),
}) satisfies z.ZodType<WipeRules>;
