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
    /** Where events go. Accounts in Europe: https://events.eu.pagerduty.com. */
    url: vendorUrl.default('https://events.pagerduty.com'),
    /** Secrets of the webhook subscription, as PagerDuty shows them. Without one, nobody can acknowledge at PagerDuty. */
    webhookSecrets: z
      .array(filledText.min(16, { error: 'is shorter than any secret that PagerDuty makes' }))
      .max(10)
      .default([]),
    /** REST key, read-only: finds out which page an acknowledgement is about. */
    apiToken: filledText.optional(),
    /** Where the REST key is good. Accounts in Europe: https://api.eu.pagerduty.com. */
    apiUrl: vendorUrl.default('https://api.pagerduty.com'),
    /** What incidents are shown to come from. */
    source: filledText.max(255).default('lost-device-playbook'),
    /** How long PagerDuty may be silent (milliseconds). */
    timeoutMs: milliseconds.min(1).default(30_000),
  })
  .refine((settings) => settings.webhookSecrets.length > 0 === (settings.apiToken !== undefined), {
    path: ['apiToken'],
    error: 'goes with webhookSecrets: write both or neither',
  });

export type PagerdutySettings = z.infer<typeof pagerdutySettings>;
