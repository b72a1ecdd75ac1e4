/**
 * Settings of PagerDuty.
 * @module
 */
import { z } from 'zod';
import { filledText, milliseconds, vendorUrl } from '../setting-fields';

/** An instance with `plugin: pagerduty`: all of its part of the settings file but `plugin` itself. */
export const pagerdutySettings = z
  .strictObject({
    routingKey: z
      .string({ error: 'is missing: write the integration key' })
      .regex(/^\S{32}$/, { error: 'is not an integration key: PagerDuty makes it of 32 characters' })
      .meta({
        description: 'Integration key of an "Events API v2" integration: it says which service calls people.',
        example: 'env:PAGERDUTY_ROUTING_KEY',
      }),
    url: vendorUrl
      .prefault('https://events.pagerduty.com')
      .describe('Where events go. Accounts in Europe: https://events.eu.pagerduty.com.'),
    webhookSecrets: z
      .array(filledText.min(16, { error: 'is shorter than any secret that PagerDuty makes' }))
      .max(10)
      .default([])
      .describe(
        'Secrets of the webhook subscription, as PagerDuty shows them. Without one, nobody can acknowledge at PagerDuty.',
      ),
    apiToken: filledText
      .optional()
      .describe('REST key, read-only: finds out which page an acknowledgement is about. Goes with `webhookSecrets`.'),
    apiUrl: vendorUrl
      .prefault('https://api.pagerduty.com')
      .describe('Where the REST key is good. Accounts in Europe: https://api.eu.pagerduty.com.'),
    source: filledText.max(255).default('lost-device-playbook').describe('What incidents are shown to come from.'),
    timeoutMs: milliseconds.min(1).default(30_000).describe('How long PagerDuty may be silent.'),
  })
  .refine((settings) => settings.webhookSecrets.length > 0 === (settings.apiToken !== undefined), {
    path: ['apiToken'],
    error: 'goes with webhookSecrets: write both or neither',
  });

export type PagerdutySettings = z.infer<typeof pagerdutySettings>;
