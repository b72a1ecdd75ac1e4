/**
 * What is said about a loss, and by whom, as a published form.
 * @module
 */
import { z } from 'zod';
import type { Actor, Answers, DeviceHint, Report, TicketRef } from '../report';

/** A point in time: ISO 8601 in UTC. */
export const time = z.iso.datetime({ offset: true });

const yesNoUnknown = z.enum(['yes', 'no', 'unknown']);

export const ticketRefSchema = z.object({
  source: z
    .string()
    .describe('The ticket desk, by its name in the settings; `cli` for a report from the command line.'),
  id: z.string(),
  url: z.string().exactOptional(),
  key: z.string().exactOptional().describe('Keyed hash of source and id.'),
}) satisfies z.ZodType<TicketRef>;

export const deviceHintSchema = z.object({
  serial: z.string().exactOptional(),
  hostname: z.string().exactOptional(),
  nsdeviceuid: z.string().exactOptional(),
}) satisfies z.ZodType<DeviceHint>;

export const answersSchema = z.object({
  kind: z.enum(['lost', 'stolen', 'unknown']),
  reportedBy: z.string().exactOptional(),
  reporterIsOwner: yesNoUnknown,
  lastHeldAt: time.exactOptional(),
  lastHeldWhere: z.string().exactOptional(),
  powered: z.enum(['on', 'off', 'sleeping', 'unknown']),
  locked: yesNoUnknown,
  data: z.string().exactOptional().describe('What data is on it, in the words of the person who reports.'),
  vip: yesNoUnknown,
}) satisfies z.ZodType<Answers>;

const actorSchema = z.object({
  person: z.string(),
  authenticated: z.boolean(),
  how: z.string().describe('How it was established who this is, for instance `webhook-signature` or `os-user`.'),
  from: z.string().exactOptional(),
}) satisfies z.ZodType<Actor>;

export const reportSchema = z.object({
  tenant: z.string(),
  ticket: ticketRefSchema,
  deliveryId: z.string(),
  receivedAt: time,
  verified: z.boolean(),
  device: deviceHintSchema,
  user: z.string().exactOptional(),
  answers: answersSchema,
  actor: actorSchema,
}) satisfies z.ZodType<Report>;
