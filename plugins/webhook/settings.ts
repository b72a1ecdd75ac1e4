/**
 * Settings of the generic webhook.
 * @module
 */
import { z } from 'zod';
import { webhookSecrets } from '../setting-fields';

/** An instance with `plugin: webhook`: all of its part of the settings file but `plugin` itself. */
export const webhookSettings = z.strictObject({
  secrets: webhookSecrets.min(1, { error: 'is empty: nothing could be proven without a secret' }).meta({
    description: 'Standard Webhooks secrets, newest first. Two while one is being replaced.',
    example: ['env:LOST_DEVICE_WEBHOOK_SECRET'],
  }),
});

export type WebhookSettings = z.infer<typeof webhookSettings>;
