/**
 * Settings of CrowdStrike Falcon.
 * @module
 */
import { z } from 'zod';
import { filledText, lateDataMs, milliseconds, pollEveryMs, settleMs, vendorUrl } from '../setting-fields';

/**
 * Where a Falcon cloud answers, and what its sensors speak to (port 443, certificates pinned). API hosts: gofalcon
 * falcon/cloud.go. Sensor hosts: docs.actzero.ai agent-prereqs. Those of the government clouds are in no public source.
 */
export const clouds = {
  'us-1': { api: 'https://api.crowdstrike.com', sensor: sensorHosts('-b') },
  'us-2': { api: 'https://api.us-2.crowdstrike.com', sensor: sensorHosts('-gyr-maverick') },
  'us-3': {
    api: 'https://api.us-3.crowdstrike.com',
    sensor: ['ts01.us-3.cloudsink.net', 'lfodown01.us-3.cloudsink.net'],
  },
  'eu-1': { api: 'https://api.eu-1.crowdstrike.com', sensor: sensorHosts('-lanner-lion') },
} as const;

function sensorHosts(cloud: string): string[] {
  return ['ts01', 'lfodown01', 'lfoup01'].map((name) => `${name}${cloud}.cloudsink.net`);
}

/** An instance with `plugin: crowdstrike`: all of its part of the settings file but `plugin` itself. */
export const crowdstrikeSettings = z
  .strictObject({
    region: z
      .enum(['us-1', 'us-2', 'us-3', 'eu-1'], { error: 'is none of us-1, us-2, us-3, eu-1' })
      .meta({ description: 'The cloud that you live in: the address of the console shows it.', example: 'eu-1' }),
    clientId: filledText.meta({ description: 'Id of the API client.', example: '00000000000000000000000000000000' }),
    clientSecret: filledText.meta({ description: 'Its secret.', example: 'env:CROWDSTRIKE_CLIENT_SECRET' }),
    url: vendorUrl.optional().describe('Address of the API. Left out: that of the region.'),
    feeds: z
      .strictObject({
        lastSeen: z
          .strictObject({ pollEveryMs: pollEveryMs(60_000), lateDataMs: lateDataMs(10 * 60_000) })
          .optional()
          .describe('When the sensor was last seen, as sightings. Left out, it is not read; `{}` reads it.'),
      })
      .prefault({})
      .describe('What is read here for sightings.'),
    // A host that was read at once after its release was seen to stay in `lift_containment_pending` (public code of an
    // integrator).
    settleMs: settleMs(15_000),
    timeoutMs: milliseconds.min(1).default(30_000).describe('How long Falcon may be silent.'),
  })
  .transform((settings) => ({ ...settings, url: settings.url ?? clouds[settings.region].api }));

export type CrowdStrikeSettings = z.infer<typeof crowdstrikeSettings>;
