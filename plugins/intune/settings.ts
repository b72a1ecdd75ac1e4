/**
 * Settings of Microsoft Intune.
 * @module
 */
import { z } from 'zod';
import { graphSettings } from '../graph';
import { lateDataMs, milliseconds, pollEveryMs } from '../setting-fields';

/** An instance with `plugin: intune`: all of its part of the settings file but `plugin` itself. */
export const intuneSettings = z.strictObject({
  ...graphSettings,
  feeds: z
    .strictObject({
      lastSeen: z
        .strictObject({ pollEveryMs: pollEveryMs(5 * 60_000), lateDataMs: lateDataMs(30 * 60_000) })
        .prefault({})
        .describe('When devices last synchronised: about every 8 hours while they are on.'),
    })
    .prefault({})
    .describe('What is read here for sightings.'),
  // Microsoft names no time.
  settleMs: milliseconds.default(30_000).describe('How long after a command its row may still be missing.'),
});

export type IntuneSettings = z.infer<typeof intuneSettings>;
