/**
 * Settings of Netskope.
 * @module
 */
import { z } from 'zod';
import { filledText, milliseconds, vendorUrl } from '../setting-fields';

const every = (defaultMs: number) => milliseconds.min(100).default(defaultMs);
const lateDataMs = milliseconds.default(30 * 60_000);

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
  /** REST API v1 token, where the tenant still has one: client status is asked there when v2 does not offer it. */
  v1Token: filledText.optional(),
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
  /** Name of the device tag that is set beside the group. Undefined: no tag. */
  tag: z
    .string({ error: 'is missing: write the name of a device tag, or leave the line out' })
    .regex(/^[A-Za-z0-9 -]{1,80}$/, { error: 'may hold letters, digits, hyphens and spaces, 80 at most' })
    .optional(),
  /** Who writes the lost group. `auto` looks at its external id and provisioner. */
  groupOwner: z
    .enum(['auto', 'api', 'directory'], { error: 'is not known: write auto, api or directory' })
    .default('auto'),
  feeds: z
    .strictObject({
      clientStatus: z.strictObject({ pollEveryMs: every(60_000), lateDataMs }).prefault({}),
      alerts: z.strictObject({ pollEveryMs: every(60_000), lateDataMs }).prefault({}),
      events: z
        .strictObject({
          pollEveryMs: every(5 * 60_000),
          lateDataMs,
          /** Users in one query. More users, more calls. */
          userBatch: z.int({ error: 'is not a whole number' }).min(1).max(100).default(20),
        })
        .prefault({}),
    })
    .prefault({}),
  /** How long Netskope may be silent (milliseconds). */
  timeoutMs: milliseconds.min(1).default(30_000),
  /** How long after a write a read may still show the old state (milliseconds). */
  settleMs: milliseconds.default(2_000),
});

export type NetskopeSettings = z.infer<typeof netskopeSettings>;
