/**
 * The form of the wipe in the settings file: the rules of a case, and what the installation allows.
 * @module
 */
import { z } from 'zod';
import { defaultRules } from '../playbook/rules';
import { filledText } from '../plugins/setting-fields';
import { duration, lasting, names, oneOf } from './fields';

const { wipe } = defaultRules;

const known = (meaning: string) => oneOf(['yes', 'no', 'unknown']).exactOptional().describe(meaning);
const whenOffline = oneOf(['queue-at-vendor', 'hold-until-seen']);

const line = z.strictObject({
  kind: oneOf(['lost', 'stolen']).exactOptional().describe('The kind of loss.'),
  encrypted: known('Its disk is encrypted.'),
  powered: oneOf(['on', 'off', 'sleeping', 'unknown']).exactOptional().describe('Its power when it was last held.'),
  uniqueData: known('It holds the only copy of something.'),
  legalHold: known('Somebody must not let it be erased.'),
  inTheOffice: z.boolean().exactOptional().describe('It was last seen behind an address of `sites`.'),
  propose: oneOf(['wipe', 'do not wipe']).describe('What people are told to do.'),
  because: filledText.describe('Why, in one sentence for the approver.'),
});

/** Rules: pinned when a case starts. */
export const wipeRulesForm = z
  .strictObject({
    whenOffline: z
      .strictObject({
        lost: whenOffline.default(wipe.whenOffline.lost).describe('For a lost device.'),
        stolen: whenOffline.default(wipe.whenOffline.stolen).describe('For a stolen device.'),
      })
      .prefault({})
      .describe('`hold-until-seen` can be taken back, and may miss a short visit.'),
    consentMs: lasting.prefault(wipe.consentMs).describe('How long a request and its approval hold.'),
    askAgainMs: lasting.prefault(wipe.askAgainMs).describe('Nobody approved: it is proposed again after this time.'),
    protected: z
      .strictObject({
        lost: z.boolean().default(wipe.protected.lost).describe('For a lost device.'),
        stolen: z.boolean().default(wipe.protected.stolen).describe('For a stolen device.'),
      })
      .prefault({})
      .describe('The variant that goes on through power-off; it may leave a device unbootable.'),
    isolate: oneOf(['never', 'afterWipeDelivered', 'selective', 'immediate'])
      .default(wipe.isolate)
      .describe('When an EDR cuts the device off. Isolated first, it would never hear of its wipe.'),
    waits: z
      .strictObject({
        settleMs: lasting
          .prefault(wipe.waits.settleMs)
          .describe('How long after a send the vendor may not show it yet.'),
        lookFirstMs: lasting
          .prefault(wipe.waits.lookFirstMs)
          .describe('First wait between two looks at a command; it doubles.'),
        lookMaxMs: lasting.prefault(wipe.waits.lookMaxMs).describe('Longest of these waits.'),
        stalledAfterMs: lasting
          .prefault(wipe.waits.stalledAfterMs)
          .describe('Online after it was queued, and still pending for this long: an alarm.'),
        isolateAfterMs: lasting
          .prefault(wipe.waits.isolateAfterMs)
          .describe('Delivered, and not acknowledged for this long: isolated all the same, by `afterWipeDelivered`.'),
        askEveryMs: lasting
          .prefault(wipe.waits.askEveryMs)
          .describe("How often the guard, or the vendor's second administrator, is asked again."),
        lastWordsMs: duration
          .prefault(wipe.waits.lastWordsMs)
          .describe('A device that speaks later than this after its wipe was set up again.'),
      })
      .prefault({})
      .describe('How long a wipe that was sent is waited for.'),
    tree: z
      .array(line)
      .prefault(wipe.tree)
      .describe('What is proposed: the first line that fits. A list given here replaces it whole.'),
  })
  .prefault({})
  .describe('How a wipe is proposed, consented to and followed.');

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
    perDay: z
      .int({ error: 'is not a whole number' })
      .min(0)
      .default(10)
      .describe('Wipes within a day, for the whole tenant.'),
    approvers: names.default([]).describe('Persons who may approve a wipe that another person asked for.'),
    behindPrivateAccess: z
      .boolean()
      .default(false)
      .describe(
        'The device management is reached through private access, so the lost configuration must keep it: name the variant group as `lostGroup`.',
      ),
  })
  .prefault({})
  .describe('What a wipe may do here, and who agrees to it.');
