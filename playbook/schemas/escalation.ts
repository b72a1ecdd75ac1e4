/**
 * Ladder, tasks and clocks, as rules and as they stand in a case.
 * @module
 */
import { z } from 'zod';
import type { Audience, EscalationTrack, Proposal, Rung, RungProposal } from '../ladder';
import type { EscalationRules } from '../rules';
import type { ClockRule, EncryptionProof, Task, TaskRule } from '../tasks';
import { time } from './report';

export const troubleKind = z.enum([
  'not contained',
  'overdue',
  'silent',
  'wipe stalled',
  'blind',
  'client silent',
  'tampered',
  'stuck',
  'failing',
  'question',
  'proposal',
  'task near',
  'task late',
  'clock late',
  'clean-up near',
]);
export const fact = z.enum(['contained', 'proven', 'seen', 'acknowledged']);
export const rungProposal = z.enum(['lost mode', 'wipe', 'write-off']) satisfies z.ZodType<RungProposal>;
export const proposal = z.enum([...rungProposal.options, 'close as wiped']) satisfies z.ZodType<Proposal>;
export const severity = z.enum(['critical', 'error', 'warning', 'info']);
const names = z.array(z.string());
const ms = z.number();

export const audienceSchema = z.object({
  whom: names.describe('Persons or rotas; empty: everybody whom the notifiers know.'),
  by: names.describe('Notifiers; empty: all that a person has.'),
  inQuietHours: z.enum(['page', 'wait']),
  severity,
}) satisfies z.ZodType<Audience>;

const rung = audienceSchema.extend({
  name: z.string(),
  when: troubleKind,
  afterMs: ms,
  unless: z.array(fact),
  repeatEveryMs: ms.exactOptional(),
  deputiesAfterMs: ms.exactOptional(),
  propose: rungProposal.exactOptional(),
}) satisfies z.ZodType<Rung>;

const taskRule = z.object({
  id: z.string(),
  title: z.string(),
  owner: names,
  dueMs: ms,
  warnBeforeMs: ms.exactOptional(),
  kinds: z.array(z.enum(['lost', 'stolen'])),
  begins: z.enum(['opened', 'written off']),
  reference: z.string().exactOptional(),
}) satisfies z.ZodType<TaskRule>;

const clockRule = z.object({
  id: z.string(),
  law: z.string(),
  stages: z.array(
    z.object({
      id: z.string(),
      title: z.string(),
      owner: names,
      from: z.string().describe('`awareness`, or the stage that must be done before.'),
      due: z.union([z.object({ ms }), z.object({ months: z.int() })]),
      warnBeforeMs: ms,
    }),
  ),
}) satisfies z.ZodType<ClockRule>;

export const escalationRulesSchema = z.object({
  ladder: z.array(rung),
  news: audienceSchema,
  tasks: z.array(taskRule),
  clocks: z.array(clockRule),
  silentAfterMs: ms,
  clientSilentAfterMs: ms,
  listenForMs: ms,
  cleanUps: z.array(z.object({ where: z.string(), afterMs: ms, warnBeforeMs: ms })),
  cleanUpWarnMs: ms,
  askAgainMs: ms,
  searchWithinMs: ms,
  snoozeMaxMs: ms,
  pageTries: z.int(),
}) satisfies z.ZodType<EscalationRules>;

export const escalationSchema = z.object({
  clocks: z
    .record(z.string(), z.object({ since: time, ranMs: ms, runsSince: time.exactOptional() }))
    .describe('How long each trouble has lasted, pauses left out.'),
  rungs: z.record(
    z.string(),
    z.object({
      rung: z.string(),
      trouble: z.string(),
      since: time,
      called: z.int(),
      firstAt: time.exactOptional(),
      lastAt: time.exactOptional(),
      deputiesAt: time.exactOptional(),
      calling: z.enum(['whom', 'deputies']).exactOptional(),
      heldUntil: time.exactOptional(),
      heldFor: z.enum(['whom', 'deputies']).exactOptional(),
      acknowledged: z.object({ who: z.string(), at: time }).exactOptional(),
      snoozed: z.object({ until: time, who: z.string(), reason: z.string() }).exactOptional(),
      proposed: z.literal(true).exactOptional(),
      over: fact.exactOptional(),
      atPager: z.literal(true).exactOptional(),
    }),
  ),
}) satisfies z.ZodType<EscalationTrack>;

export const encryptionSchema = z.object({
  answer: z.enum(['yes', 'no', 'unknown']),
  at: time,
  who: z.string(),
  evidence: z.string(),
}) satisfies z.ZodType<EncryptionProof>;

export const taskSchema = z.object({
  id: z.string(),
  title: z.string(),
  owner: names,
  state: z.enum(['open', 'done', 'not needed', 'left open']),
  beganAt: time.exactOptional(),
  dueAt: time.exactOptional(),
  warnAt: time.exactOptional(),
  reference: z.string().exactOptional(),
  clock: z.object({ id: z.string(), law: z.string(), awareAt: time, who: z.string() }).exactOptional(),
  closed: z
    .object({
      at: time,
      who: z.string(),
      reason: z.string(),
      reference: z.string().exactOptional(),
      encryption: encryptionSchema.exactOptional(),
    })
    .exactOptional(),
}) satisfies z.ZodType<Task>;
