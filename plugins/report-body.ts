/**
 * The body of a signed report: what a form, a script or a ticket system sends when a laptop is lost. The same for every
 * desk that signs, and published as a JSON schema.
 * @module
 */
import { z } from 'zod';
import type { Answers, TicketRef } from '../playbook/report';
import { onOneLine } from '../playbook/plain-text';
import type { DeskReport } from './roles';
import { parseOrRefuse } from './setting-fields';
import type { ProvenWebhook } from './standard-webhooks';

/** One name of a thing: trimmed, printable, on one line. It ends up in ids and queries, so nothing else is let in. */
const name = (maxLength: number) =>
  z
    .string()
    .trim()
    .max(maxLength, { error: `is longer than ${maxLength} characters: send the name alone` })
    .regex(/^[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]*$/u, { error: 'holds control characters: send the name without them' });

const ticketId = z.union([name(100).min(1), z.int().min(0)]);

/**
 * Words of a person. Cleaned and cut when read, not refused: a frightened person's line break, or a whole mail pasted into a
 * form, must not lose the report. The whole text stays in the ticket.
 */
const words = z.string();

const yesNoUnknown = z.union([z.boolean(), z.enum(['yes', 'no', 'unknown'])], {
  error: 'expected yes, no, unknown, true or false',
});

/** What may be sent. All but `ticket` is optional, null and an empty name count as absent, unknown keys are ignored. */
export const reportBody = z.object({
  ticket: z
    .union([ticketId, z.object({ id: ticketId, url: z.httpUrl().max(2_048).nullish() })], {
      error: 'expected the number or the id of the ticket',
    })
    .meta({ description: 'The ticket: its number, its id, or both id and address.' }),
  device: z
    .object({ serial: name(128).nullish(), hostname: name(255).nullish(), nsdeviceuid: name(128).nullish() })
    .nullish()
    .meta({ description: 'Any name of the device. Without one, people are asked.' }),
  user: name(320).nullish().meta({ description: 'User principal name of the person who had the device.' }),
  report: z
    .object({
      kind: z.enum(['lost', 'stolen', 'unknown']).nullish(),
      reportedBy: name(320).nullish(),
      reporterIsOwner: yesNoUnknown.nullish(),
      lastHeldAt: z
        .union([z.iso.datetime({ offset: true }), z.iso.date()], {
          error: 'expected ISO 8601 with its zone, like 2026-11-22T21:10:00Z, or a date',
        })
        .nullish(),
      lastHeldWhere: words.nullish(),
      powered: z
        .union([z.boolean(), z.enum(['on', 'off', 'sleeping', 'unknown'])], {
          error: 'expected on, off, sleeping, unknown, true or false',
        })
        .nullish(),
      locked: yesNoUnknown.nullish(),
      data: z.union([words, z.array(words)]).nullish(),
      vip: yesNoUnknown.nullish(),
    })
    .nullish()
    .meta({ description: 'What the reporter knows. Later webhooks may add answers.' }),
});

type ReportBody = z.infer<typeof reportBody>;

/** The published JSON schema of the body (draft 2020-12). */
export function reportBodyJsonSchema(): Record<string, unknown> {
  return { title: 'Lost-device report', ...z.toJSONSchema(reportBody, { io: 'input' }) };
}

/**
 * A proven webhook as a report.
 * @param source The plugin instance that received it: it owns the ticket.
 * @throws BadInput LDP_BAD_INPUT naming the wrong field.
 */
export function readReportBody(webhook: ProvenWebhook, source: string): DeskReport {
  const body = parseOrRefuse(reportBody, webhook.body);
  const { serial, hostname, nsdeviceuid } = body.device ?? {};
  return {
    ticket: ticketRef(source, body.ticket),
    deliveryId: webhook.deliveryId,
    verified: true,
    device: { ...(serial && { serial }), ...(hostname && { hostname }), ...(nsdeviceuid && { nsdeviceuid }) },
    ...(body.user && { user: body.user }),
    answers: readAnswers(body.report ?? {}),
    actor: { person: `webhook:${source}`, authenticated: true, how: 'webhook-signature' },
  };
}

function ticketRef(source: string, ticket: ReportBody['ticket']): TicketRef {
  if (typeof ticket !== 'object') return { source, id: String(ticket) };
  return { source, id: String(ticket.id), ...(ticket.url && { url: ticket.url }) };
}

function readAnswers(report: NonNullable<ReportBody['report']>): Answers {
  const where = onOneLine(report.lastHeldWhere ?? '');
  const data = onOneLine([report.data ?? []].flat().join('; '));
  return {
    kind: report.kind ?? 'unknown',
    ...(report.reportedBy && { reportedBy: report.reportedBy }),
    reporterIsOwner: answer(report.reporterIsOwner, 'yes', 'no'),
    ...(report.lastHeldAt && { lastHeldAt: new Date(report.lastHeldAt).toISOString() }),
    ...(where && { lastHeldWhere: where }),
    powered: answer(report.powered, 'on', 'off'),
    locked: answer(report.locked, 'yes', 'no'),
    ...(data && { data }),
    vip: answer(report.vip, 'yes', 'no'),
  };
}

function answer<Word extends string>(given: Word | boolean | null | undefined, yes: Word, no: Word): Word | 'unknown' {
  if (typeof given === 'boolean') return given ? yes : no;
  return given ?? 'unknown';
}
