/**
 * PagerDuty's Events API v2: pages go out as events, and end as events (facts: PagerDuty/developer-docs, events-API-v2).
 *
 * A repeat is harmless. `dedup_key` names the trouble, so a second trigger of an open incident is a line in its log and
 * calls nobody anew, and a second resolve does nothing. A page whose answer was lost may therefore be sent again.
 * @module
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { createVendorClient } from '../http';
import { onOneLine } from '../../playbook/plain-text';
import type { Call, Notifier, Operation } from '../roles';
import type { PagerdutySettings } from './settings';

export const enqueue = {
  name: 'events.enqueue',
  method: 'POST',
  path: '/v2/enqueue',
  changes: true,
  permission: 'the integration key of an Events API v2 integration',
} as const satisfies Operation;

const accepted = z.object({ status: z.literal('success') });
const refused = z.object({ errors: z.array(z.string()).min(1) });

/** Longest `dedup_key` (characters). */
const longestKey = 255;
/** Longest `payload.summary` (characters). */
const longestSummary = 1024;

export interface PagerdutyEvents extends Required<Pick<Notifier, 'page' | 'acknowledge' | 'resolve'>> {
  /** Send an event that PagerDuty accepts and drops: the end of an incident that never was. */
  tryKey(call: Call): Promise<void>;
}

/** @throws What {@link createVendorClient} throws; a wrong integration key is LDP_NOT_AUTHENTICATED. */
export function createEvents({ routingKey, url, source, timeoutMs }: PagerdutySettings): PagerdutyEvents {
  const client = createVendorClient({
    vendor: 'pagerduty',
    baseUrl: url,
    auth: { kind: 'none' },
    secrets: [routingKey],
    timeoutMs,
    // "Approximately 120 calls/minute per integration key" (05-Rate-Limits).
    limit: { requests: 120, perMs: 60_000 },
    // The key is in the body, so a wrong one is a 400 like any other mistake: only its words tell.
    describeError({ status, body }) {
      const said = refused.safeParse(body);
      if (status !== 400 || !said.success) return undefined;
      const text = said.data.errors.join('; ');
      return { text, ...(/routing.?key/i.test(text) && { code: 'LDP_NOT_AUTHENTICATED' }) };
    },
  });
  const send = async (event: Record<string, unknown>, call: Call) => {
    await client.request(enqueue, { call, json: { routing_key: routingKey, ...event }, schema: accepted });
  };
  const resolve = (incident: string, call: Call) =>
    send({ event_action: 'resolve', dedup_key: dedupKey(incident) }, call);

  return {
    acknowledge: (incident, call) => send({ event_action: 'acknowledge', dedup_key: dedupKey(incident) }, call),
    page: (page, call) =>
      send(
        {
          event_action: 'trigger',
          dedup_key: dedupKey(page.incident ?? page.key),
          client: source,
          payload: {
            summary: onOneLine(page.subject, longestSummary),
            source,
            severity: page.severity ?? 'error',
            timestamp: call.now,
            custom_details: { text: page.text },
          },
        },
        call,
      ),
    resolve,
    tryKey: (call) => resolve('lost-device-playbook: connection test', call),
  };
}

/** The same incident has the same key. A longer one keeps its beginning, which names the case, and ends in its hash. */
export function dedupKey(incident: string): string {
  if (incident.length <= longestKey) return incident;
  const hash = createHash('sha256').update(incident).digest('base64url').slice(0, 22);
  return `${incident.slice(0, longestKey - hash.length - 1)}#${hash}`;
}
