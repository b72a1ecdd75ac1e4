/**
 * A triage as `show --json` and the API give it: a report that does not name a device yet.
 * @module
 */
import { z } from 'zod';
import { managedDeviceSchema } from './device';
import { optionSchema } from './case-state';
import { deviceHintSchema, reportSchema, ticketRefSchema, time } from './report';

export const triageStateSchema = z.object({
  kind: z.literal('triage').describe('A case has no such field.'),
  workflowId: z.string(),
  tenant: z.string(),
  ticket: ticketRefSchema,
  openedAt: time,
  outcome: z.enum(['open', 'handed over', 'not a managed device', 'already closed', 'ticket closed']),
  says: z.string(),
  hint: deviceHintSchema,
  user: z.string().exactOptional(),
  report: reportSchema,
  question: z
    .object({ id: z.string(), askedAt: time, text: z.string(), options: z.array(optionSchema) })
    .exactOptional(),
  candidates: z.array(managedDeviceSchema),
  error: z
    .object({
      code: z.string(),
      message: z.string(),
      since: time,
      stuck: z.boolean(),
      nextTryAt: time.exactOptional(),
    })
    .exactOptional(),
  handedOverTo: z.string().exactOptional().describe('Workflow id of the case that goes on.'),
  deliveries: z.array(z.string()),
});
