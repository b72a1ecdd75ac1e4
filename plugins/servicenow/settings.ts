/**
 * Settings of ServiceNow.
 * @module
 */
import { z } from 'zod';
import { filledText, milliseconds, vendorUrl, webhookSecrets } from '../setting-fields';

const column = z.string().regex(/^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$/, {
  error: 'is not a column: write its name in the table, with dots to follow references (caller_id.user_name)',
});

const stateValue = z.string().regex(/^-?\d{1,5}$/, { error: 'is not the number of a state, in quotes' });

/** An instance with `plugin: servicenow`: all of its part of the settings file but `plugin` itself. */
export const servicenowSettings = z
  .strictObject({
    url: vendorUrl.meta({
      description: 'Address of the instance.',
      example: 'https://your-instance.service-now.invalid',
    }),
    user: filledText.optional().meta({ description: 'Account of ours there.', example: 'lost-device' }),
    password: filledText.optional().meta({ description: 'Its password.', example: 'env:SERVICENOW_PASSWORD' }),
    /** OAuth client credentials, instead of user and password. */
    oauth: z
      .strictObject({ clientId: filledText, clientSecret: filledText, scope: z.string().default('useraccount') })
      .optional(),
    table: z
      .string()
      .regex(/^[a-z][a-z0-9_]*$/, { error: 'is not the name of a table' })
      .default('incident'),
    /** Encoded query that a ticket about a lost device fits, open or not. */
    lostDeviceQuery: filledText
      .refine((query) => !/\^NQ|\^EQ|ORDERBY|GROUPBY|javascript:|\p{Cc}/iu.test(query), {
        error: 'holds ^NQ, ^EQ, an order, a script or a line break: write conditions joined by ^ or ^OR only',
      })
      .default('category=equipment_loss'),
    /** Columns that hold what is known of the loss. What is left out is read from `key: value` lines of the description. */
    fields: z
      .strictObject({
        serial: column.default('u_serial'),
        hostname: column.optional(),
        user: column.default('caller_id.user_name'),
        reportedBy: column.default('caller_id.user_name'),
        reporterIsOwner: column.optional(),
        kind: column.optional(),
        lastHeldAt: column.optional(),
        lastHeldWhere: column.optional(),
        powered: column.optional(),
        locked: column.optional(),
        data: column.optional(),
        vip: column.optional(),
      })
      .prefault({}),
    webhookSecrets: webhookSecrets.default([]).meta({
      description:
        'Standard Webhooks secrets of the business rule that tells us. Without one, tickets are found by reconciliation.',
      example: ['env:SERVICENOW_WEBHOOK_SECRET'],
    }),
    /** Resolution code; its choices differ by instance. */
    closeCode: filledText.default('Solution provided'),
    /** Resolution notes. Callers may read them, and a thief may be the reader: so never a word of the case itself. */
    closeNotes: filledText.default('Closed by the security team.'),
    /** Values of the column `state`. */
    states: z
      .strictObject({
        inProgress: stateValue.default('2'),
        resolved: stateValue.default('6'),
        /** States that are never left again. */
        closed: z.array(stateValue).default(['7', '8']),
      })
      .prefault({}),
    /** How long ServiceNow may be silent (milliseconds). */
    timeoutMs: milliseconds.min(1).default(30_000),
  })
  .refine((settings) => (settings.user === undefined) === (settings.password === undefined), {
    path: ['password'],
    error: 'goes with user: write both or neither',
  })
  .refine((settings) => (settings.user === undefined) !== (settings.oauth === undefined), {
    path: ['user'],
    error: 'and password, or oauth: write one of the two ways to sign in',
  });

export type ServicenowSettings = z.infer<typeof servicenowSettings>;
