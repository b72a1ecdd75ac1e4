/**
 * The form of the wipe in the settings file: the rules of a case, and what the installation allows.
 * @module
 */
import { z } from 'zod';
import { defaultRules } from '../playbook/rules';
import { filledText } from '../plugins/setting-fields';
import { lasting, names, oneOf } from './fields';

const { wipe } = defaultRules;

const known = oneOf(['yes', 'no', 'unknown']).exactOptional();
const whenOffline = oneOf(['queue-at-vendor', 'hold-until-seen']);

const line = z.strictObject({
  kind: oneOf(['lost', 'stolen']).exactOptional(),
  encrypted: known,
  powered: oneOf(['on', 'off', 'sleeping', 'unknown']).exactOptional(),
  uniqueData: known,
  legalHold: known,
  inTheOffice: z.boolean().exactOptional(),
  propose: oneOf(['wipe', 'do not wipe']),
  because: filledText,
});

/** Rules: pinned when a case starts. */
export const wipeRulesForm = z
  .strictObject({
    whenOffline: z
      .strictObject({
        lost: whenOffline.default(wipe.whenOffline.lost),
        stolen: whenOffline.default(wipe.whenOffline.stolen),
      })
      .prefault({})
      .describe('`hold-until-seen` can be taken back, and may miss a short visit.'),
    consentMs: lasting.default(wipe.consentMs).describe('How long a request and its approval hold.'),
    askAgainMs: lasting.default(wipe.askAgainMs).describe('Nobody approved: it is proposed again after this time.'),
    protected: z
      .strictObject({
        lost: z.boolean().default(wipe.protected.lost),
        stolen: z.boolean().default(wipe.protected.stolen),
      })
      .prefault({})
      .describe('The variant that goes on through power-off; it may leave a device unbootable.'),
    isolate: oneOf(['never', 'afterWipeDelivered', 'selective', 'immediate'])
      .default(wipe.isolate)
      .describe('When an EDR cuts the device off. Isolated first, it would never hear of its wipe.'),
    waits: z
      .strictObject({
        settleMs: lasting
          .default(wipe.waits.settleMs)
          .describe('How long after a send the vendor may not show it yet.'),
        lookFirstMs: lasting
          .default(wipe.waits.lookFirstMs)
          .describe('First wait between two looks at a command; it doubles.'),
        lookMaxMs: lasting.default(wipe.waits.lookMaxMs).describe('Longest of these waits.'),
        stalledAfterMs: lasting
          .default(wipe.waits.stalledAfterMs)
          .describe('Online after it was queued, and still pending for this long: an alarm.'),
        isolateAfterMs: lasting
          .default(wipe.waits.isolateAfterMs)
          .describe('Delivered, and not acknowledged for this long: isolated all the same, by `afterWipeDelivered`.'),
        askEveryMs: lasting
          .default(wipe.waits.askEveryMs)
          .describe("How often the guard, or the vendor's second administrator, is asked again."),
      })
      .prefault({}),
    tree: z
      .array(line)
      .default(wipe.tree)
      .describe('What is proposed: the first line that fits. A list given here replaces it whole.'),
  })
  .prefault({});

/** Installation values: read at use. */
export const wipeLimitsForm = z
  .strictObject({
    dryRun: z
      .boolean()
      .default(true)
      .describe('Nothing destructive leaves. Switch it off when `check` and a drill were good.'),
    perHour: z
      .int({ error: 'is not a whole number' })
      .min(0)
      .default(3)
      .describe('Wipes within an hour, for the whole tenant.'),
    perDay: z.int({ error: 'is not a whole number' }).min(0).default(10),
    approvers: names.default([]).describe('Persons who may approve a wipe that another person asked for.'),
    behindPrivateAccess: z
      .boolean()
      .default(false)
      .describe(
        'The device management is reached through private access, so the lost configuration must keep it: name the variant group as `lostGroup`.',
      ),
  })
  .prefault({});
