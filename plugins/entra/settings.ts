/**
 * Settings of Microsoft Entra.
 * @module
 */
import { z } from 'zod';
import { graphSettings, objectId } from '../graph';
import { filledText, lateDataMs, milliseconds, pollEveryMs, settleMs } from '../setting-fields';

/** An instance with `plugin: entra`: all of its part of the settings file but `plugin` itself. */
export const entraSettings = z
  .strictObject({
    ...graphSettings,
    lostGroupId: objectId.optional().describe('Object id of the lost group. Left out: secure access owns the group.'),
    provisioning: z
      .strictObject({
        servicePrincipalId: objectId.describe('Object id of that application.'),
        jobId: filledText.optional().describe('Its synchronisation job. Left out: looked up, where there is only one.'),
        ruleId: filledText.optional().describe('The rule of that job. Left out: looked up, where there is only one.'),
      })
      .optional()
      .describe(
        'The enterprise application that pushes the group to secure access. Left out: its regular cycle is waited for.',
      ),
    feeds: z
      .strictObject({
        // Records come within minutes, and up to two hours late (learn.microsoft.com).
        signIns: z
          .strictObject({ pollEveryMs: pollEveryMs(60_000), lateDataMs: lateDataMs(2 * 60 * 60_000) })
          .optional()
          .describe(
            'Sign-ins at the device, as sightings. Left out, they are not read: they need a permission and a licence of their own. `{}` reads them.',
          ),
      })
      .prefault({})
      .describe('What is read here for sightings.'),
    settleMs: settleMs(2_000),
    secretEndsSoonMs: z
      .int({ error: 'is not a whole number of milliseconds' })
      .min(0)
      .max(366 * 86_400_000)
      .default(7 * 86_400_000)
      .describe('`check` says so this long before our client secret ends.'),
    // About 40 min (docs.netskope.com).
    provisioningCycleMs: milliseconds
      .default(2_400_000)
      .describe('Longest time until the regular cycle has carried a change to secure access.'),
  })
  .refine((settings) => settings.provisioning === undefined || settings.lostGroupId !== undefined, {
    path: ['provisioning'],
    error: 'pushes nothing without lostGroupId: write that too',
  });

export type EntraSettings = z.infer<typeof entraSettings>;
