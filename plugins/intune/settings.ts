/**
 * Settings of Microsoft Intune.
 * @module
 */
import { z } from 'zod';
import { graphSettings } from '../graph';
import { milliseconds } from '../setting-fields';

/** An instance with `plugin: intune`: all of its part of the settings file but `plugin` itself. */
export const intuneSettings = z.strictObject({
  ...graphSettings,
  feeds: z
    .strictObject({
      /** When devices last synchronised. They do so about every 8 hours while they are on. */
      lastSeen: z
        .strictObject({
          pollEveryMs: milliseconds.min(100).default(5 * 60_000),
          lateDataMs: milliseconds.default(30 * 60_000),
        })
        .prefault({}),
    })
    .prefault({}),
  /** How long after a command its row may still be missing (milliseconds). Microsoft names no time. */
  settleMs: milliseconds.default(30_000),
});

export type IntuneSettings = z.infer<typeof intuneSettings>;
