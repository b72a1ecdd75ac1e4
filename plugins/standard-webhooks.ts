/**
 * Standard Webhooks (https://www.standardwebhooks.com), for every ticket desk whose sender can sign.
 * @module
 */
import { isUtf8 } from 'node:buffer';
import { timingSafeEqual } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { BadInput } from './errors';
import type { RawWebhook } from './roles';

/** How far the sender's clock may be from ours, both ways (milliseconds). The specification's own figure. */
const toleranceMs = 5 * 60_000;

/** A webhook whose sender was proven. */
export interface ProvenWebhook {
  /** `webhook-id`: the same on every resend. */
  deliveryId: string;
  /** The parsed body. */
  body: unknown;
}

/**
 * Prove the sender over the raw bytes, and only then parse.
 *
 * The library signs and decodes secrets; its `verify` is not used because it looks at the machine's clock instead of the
 * caller's, and lets a body that is not JSON escape as a SyntaxError.
 * @param secrets Each is tried, so that a sender can change its secret without losing a webhook.
 * @param nowMs The receiver's clock.
 * @throws BadInput LDP_BAD_SIGNATURE when the sender is not proven or the time is out of the window, LDP_BAD_INPUT when
 * the proven body is not JSON.
 */
export function proveWebhook(webhook: RawWebhook, secrets: readonly string[], nowMs: number): ProvenWebhook {
  const id = webhook.headers['webhook-id'] ?? '';
  const timestamp = webhook.headers['webhook-timestamp'] ?? '';
  const signatures = webhook.headers['webhook-signature'] ?? '';
  if (!/^[\x21-\x7e]{1,256}$/.test(id) || !/^\d{1,12}$/.test(timestamp) || signatures === '') {
    throw notProven('the headers webhook-id, webhook-timestamp and webhook-signature are missing or malformed');
  }
  // The library reads the body as text. Bytes that are not text would be signed as something else than they are.
  if (!isUtf8(webhook.body)) throw notProven('the body is not UTF-8');

  const sentAt = new Date(Number(timestamp) * 1000);
  const given = signatures.split(' ').slice(0, 20);
  const proven = secrets.some((secret) => {
    const expected = new Webhook(secret).sign(id, sentAt, webhook.body);
    return given.some((signature) => equalInConstantTime(signature, expected));
  });
  if (!proven) throw notProven('no signature fits any of our secrets');
  if (Math.abs(nowMs - sentAt.getTime()) > toleranceMs) {
    throw notProven('its timestamp is more than five minutes from our clock');
  }

  try {
    return { deliveryId: id, body: JSON.parse(webhook.body.toString('utf8')) };
  } catch {
    // The parser's message quotes the body: it stays out.
    throw new BadInput('LDP_BAD_INPUT', 'the body of the webhook is not JSON');
  }
}

function notProven(why: string): BadInput {
  return new BadInput('LDP_BAD_SIGNATURE', `the webhook was refused: ${why}`);
}

function equalInConstantTime(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}
