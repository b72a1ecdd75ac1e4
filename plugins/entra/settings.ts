/**
 * Settings of Microsoft Entra.
 * @module
 */
import { z } from 'zod';
import { graphSettings, objectId } from '../graph';
import { filledText, milliseconds } from '../setting-fields';

/** An instance with `plugin: entra`: all of its part of the settings file but `plugin` itself. */
export const entraSettings = z
  .strictObject({
    ...graphSettings,
    /** Object id of the lost group. Leave it out where secure access owns the group. */
    lostGroupId: objectId.optional(),
    /** The enterprise application that pushes the group to secure access. Leave it out to wait for its regular cycle. */
    provisioning: z
      .strictObject({
        servicePrincipalId: objectId,
        /** Looked up when left out and there is exactly one. */
        jobId: filledText.optional(),
        /** Looked up when left out and there is exactly one. */
        ruleId: filledText.optional(),
      })
      .optional(),
    feeds: z
      .strictObject({
        /**
         * Sign-ins as sightings. Left out, they are not read: they need a permission and a licence of their own. Records
         * come within minutes, and up to two hours late (learn.microsoft.com).
         */
        signIns: z
          .strictObject({
            pollEveryMs: milliseconds.min(100).default(60_000),
            lateDataMs: milliseconds.default(2 * 60 * 60_000),
          })
          .optional(),
      })
      .prefault({}),
    /** How long a read may still show the old state after a write (milliseconds). */
    settleMs: milliseconds.default(2_000),
    /** Longest time until the regular cycle has carried a change (milliseconds): about 40 min (docs.netskope.com). */
    provisioningCycleMs: milliseconds.default(2_400_000),
  })
  .refine((settings) => settings.provisioning === undefined || settings.lostGroupId !== undefined, {
    path: ['provisioning'],
    error: 'pushes nothing without lostGroupId: write that too',
  });

export type EntraSettings = z.infer<typeof entraSettings>;
