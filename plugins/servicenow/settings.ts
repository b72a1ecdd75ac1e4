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
    oauth: z
      .strictObject({
        clientId: filledText.describe('Id of the OAuth client.'),
        clientSecret: filledText.describe('Its secret.'),
        scope: z.string().default('useraccount').describe('What its token is asked for.'),
      })
      .optional()
      .describe('OAuth client credentials, instead of user and password.'),
    table: z
      .string()
      .regex(/^[a-z][a-z0-9_]*$/, { error: 'is not the name of a table' })
      .default('incident')
      .describe('Where tickets are: `incident`, `sn_si_incident`, or a table of your own.'),
    lostDeviceQuery: filledText
      .refine((query) => !/\^NQ|\^EQ|ORDERBY|GROUPBY|javascript:|\p{Cc}/iu.test(query), {
        error: 'holds ^NQ, ^EQ, an order, a script or a line break: write conditions joined by ^ or ^OR only',
      })
      .default('category=equipment_loss')
      .describe('Encoded query that a ticket about a lost device fits, open or not.'),
    fields: z
      .strictObject({
        serial: column.default('u_serial').describe("The device's serial number."),
        hostname: column.optional().describe("The device's name."),
        user: column.default('caller_id.user_name').describe('Whose device it is.'),
        reportedBy: column.default('caller_id.user_name').describe('Who reported the loss.'),
        reporterIsOwner: column.optional().describe('Whether that is the one whose device it is.'),
        kind: column.optional().describe('Lost or stolen.'),
        lastHeldAt: column.optional().describe('When it was last held.'),
        lastHeldWhere: column.optional().describe('Where it was last held.'),
        powered: column.optional().describe('Whether it was on, off or asleep.'),
        locked: column.optional().describe('Whether its screen was locked.'),
        data: column.optional().describe('What is on it.'),
        vip: column.optional().describe('Whether its user is a VIP.'),
      })
      .prefault({})
      .describe(
        'Columns that hold what is known of the loss. What is left out is read from `key: value` lines of the description.',
      ),
    webhookSecrets: webhookSecrets.default([]).meta({
      description:
        'Standard Webhooks secrets of the business rule that tells us. Without one, tickets are found by reconciliation.',
      example: ['env:SERVICENOW_WEBHOOK_SECRET'],
    }),
    closeCode: filledText.default('Solution provided').describe('Resolution code; its choices differ by instance.'),
    closeNotes: filledText
      .default('Closed by the security team.')
      .describe('Resolution notes. Callers may read them, and a thief may be the reader: so never a word of the case.'),
    states: z
      .strictObject({
        inProgress: stateValue.default('2').describe('A ticket that is worked on.'),
        resolved: stateValue.default('6').describe('A ticket whose case has ended.'),
        closed: z.array(stateValue).default(['7', '8']).describe('States that are never left again.'),
      })
      .prefault({})
      .describe('Values of the column `state`.'),
    timeoutMs: milliseconds.min(1).default(30_000).describe('How long ServiceNow may be silent.'),
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
