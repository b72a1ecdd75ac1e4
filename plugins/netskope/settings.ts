/**
 * Settings of Netskope.
 * @module
 */
import { z } from 'zod';
import { filledText, lateDataMs, milliseconds, pollEveryMs, settleMs, vendorUrl } from '../setting-fields';

const late = lateDataMs(30 * 60_000);

/** An instance with `plugin: netskope`: all of its part of the settings file but `plugin` itself. */
export const netskopeSettings = z.strictObject({
  url: vendorUrl.meta({
    description: 'Address of the tenant, for instance https://acme.goskope.com or https://acme.eu.goskope.com.',
    example: 'https://your-tenant.goskope.invalid',
  }),
  token: filledText.meta({
    description: 'REST API v2 token. `lost-device plugins` says what it must be allowed to do.',
    example: 'env:NETSKOPE_TOKEN',
  }),
  v1Token: filledText
    .optional()
    .describe(
      'REST API v1 token, where the tenant still has one: client status is asked there when v2 does not offer it.',
    ),
  lostGroup: filledText.meta({
    description: 'Name of the group whose members get the lost configurations and policy.',
    example: 'Lost-Stolen Devices',
  }),
  lostSteeringConfig: filledText.meta({
    description: 'Name of the steering configuration of that group.',
    example: 'Lost-Stolen Steering',
  }),
  lostPolicy: filledText.meta({
    description: 'Name of the real-time policy that blocks that group.',
    example: 'Block lost and stolen devices',
  }),
  tag: z
    .string({ error: 'is missing: write the name of a device tag, or leave the line out' })
    .regex(/^[A-Za-z0-9 -]{1,80}$/, { error: 'may hold letters, digits, hyphens and spaces, 80 at most' })
    .optional()
    .describe('Name of the device tag that is set beside the group. Left out: no tag is set.'),
  groupOwner: z
    .enum(['auto', 'api', 'directory'], { error: 'is not known: write auto, api or directory' })
    .default('auto')
    .describe('Who writes the lost group. `auto` looks at its external id and provisioner.'),
  feeds: z
    .strictObject({
      clientStatus: z
        .strictObject({ pollEveryMs: pollEveryMs(60_000), lateDataMs: late })
        .prefault({})
        .describe('What clients say of themselves, for the whole tenant.'),
      alerts: z
        .strictObject({ pollEveryMs: pollEveryMs(60_000), lateDataMs: late })
        .prefault({})
        .describe('Alerts of the lost policy: the proof that it bites.'),
      events: z
        .strictObject({
          pollEveryMs: pollEveryMs(5 * 60_000),
          lateDataMs: late,
          userBatch: z
            .int({ error: 'is not a whole number' })
            .min(1)
            .max(100)
            .default(20)
            .describe('Users in one query. Fewer in one, more calls.'),
        })
        .prefault({})
        .describe('Page and network events of the users of lost devices.'),
    })
    .prefault({})
    .describe('What is read here for sightings.'),
  timeoutMs: milliseconds.min(1).default(30_000).describe('How long Netskope may be silent.'),
  settleMs: settleMs(2_000),
});

export type NetskopeSettings = z.infer<typeof netskopeSettings>;
