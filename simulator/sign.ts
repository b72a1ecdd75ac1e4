/**
 * Signs a report as a ticket desk does, for the demo, the benchmarks and the tests.
 * @module
 */
import { Webhook } from 'standardwebhooks';

/** Standard Webhooks headers over these bytes. */
export function signedHeaders(secret: string, body: string, id: string, at = new Date()): Record<string, string> {
  return {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': new Webhook(secret).sign(id, at, body),
  };
}
