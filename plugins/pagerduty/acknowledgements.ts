/**
 * Acknowledgements that come back from PagerDuty by v3 webhook (facts: PagerDuty/developer-docs, webhooks/01 and 04).
 *
 * The webhook names PagerDuty's own incident. The key by which we opened it stands in `incident_key` only on old
 * services; where the service creates alerts, as all new ones do, it is null there and stands on the incident's alerts.
 * @module
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { BadInput } from '../errors';
import { createVendorClient } from '../http';
import { onOneLine } from '../../playbook/plain-text';
import type { Acknowledgement, Call, Operation, RawWebhook } from '../roles';
import { parseOrRefuse } from '../setting-fields';
import type { PagerdutySettings } from './settings';

const permission = 'a read-only REST API key';

export const listAlerts = {
  name: 'alerts.list',
  method: 'GET',
  path: '/incidents/{id}/alerts',
  changes: false,
  permission,
} as const satisfies Operation;

export const listAbilities = {
  name: 'abilities.list',
  method: 'GET',
  path: '/abilities',
  changes: false,
  permission,
} as const satisfies Operation;

/** PagerDuty waits 5 s for an answer to its webhook, and the case is to be told after this (milliseconds). */
const longestReadMs = 1_500;

/** Parts of the webhook that concern us; a ping and news of other things have no incident in `data`. */
const webhookBody = z.object({
  event: z.object({
    id: z.string().min(1).max(200),
    event_type: z.string(),
    occurred_at: z.iso.datetime({ offset: true }),
    agent: z.object({ type: z.string(), id: z.string().nullish(), summary: z.string().nullish() }).nullish(),
    data: z.unknown().optional(),
  }),
});
const incidentOf = z.object({
  event: z.object({
    data: z.object({
      id: z.string().min(1),
      incident_key: z.string().nullish(),
      resolve_reason: z.object({ type: z.string() }).nullish(),
    }),
  }),
});
const alerts = z.object({ alerts: z.array(z.object({ alert_key: z.string().nullish() })) });
const abilities = z.object({ abilities: z.array(z.string()) });

export interface AcknowledgementReader {
  /** As the role's `receive`. An incident of several alerts acknowledges each of them. */
  receive(webhook: RawWebhook): Promise<Acknowledgement[]>;
  tryToken(call: Call): Promise<void>;
}

export function createAcknowledgementReader(settings: PagerdutySettings, apiToken: string): AcknowledgementReader {
  const api = createVendorClient({
    vendor: 'pagerduty',
    baseUrl: settings.apiUrl,
    auth: { kind: 'header', name: 'authorization', value: `Token token=${apiToken}` },
    secrets: [apiToken],
    timeoutMs: Math.min(settings.timeoutMs, longestReadMs),
  });
  const headers = { accept: 'application/vnd.pagerduty+json;version=2' };

  /** The keys by which we opened it. */
  async function keysOf(incidentId: string): Promise<string[]> {
    const call: Call = { signal: AbortSignal.timeout(2 * longestReadMs), now: new Date().toISOString() };
    const { status, body } = await api.request(listAlerts, {
      call,
      params: { id: incidentId },
      query: { limit: 100 },
      headers,
      schema: alerts,
      accept: [404],
    });
    return status === 404 ? [] : body.alerts.flatMap(({ alert_key: key }) => (key ? [key] : []));
  }

  return {
    async receive(webhook) {
      proveSender(webhook, settings.webhookSecrets);
      const body = readJson(webhook.body);
      const { event } = parseOrRefuse(webhookBody, body);
      const { agent } = event;
      if (!['incident.acknowledged', 'incident.resolved'].includes(event.event_type)) return [];
      // Our own resolve comes back too, by the integration; an automation has no agent at all.
      if (agent?.type !== 'user_reference' && agent?.type !== 'user') return [];
      const { data } = parseOrRefuse(incidentOf, body).event;
      // Whoever merges has taken nothing over: its alerts live on in another incident, which calls people.
      if (data.resolve_reason?.type === 'merge_resolve_reason') return [];

      const keys = data.incident_key ? [data.incident_key] : await keysOf(data.id);
      return keys.map((incident) => ({
        id: `${event.id}.${createHash('sha256').update(incident).digest('base64url').slice(0, 8)}`,
        incident,
        who: onOneLine(agent.summary || agent.id || '', 100) || 'somebody',
        at: new Date(event.occurred_at).toISOString(),
      }));
    },
    async tryToken(call) {
      await api.request(listAbilities, { call, headers, schema: abilities });
    },
  };
}

/**
 * `X-PagerDuty-Signature`: `v1=` and the HMAC-SHA256 of the raw body in hex, several with commas while a secret changes.
 * @throws BadInput LDP_BAD_SIGNATURE
 */
function proveSender({ headers, body }: RawWebhook, secrets: readonly string[]): void {
  const given = (headers['x-pagerduty-signature'] ?? '')
    .split(',', 20)
    .flatMap((one) => /^\s*v1=([0-9a-f]{64})\s*$/i.exec(one)?.[1] ?? [])
    .map((hex) => Buffer.from(hex, 'hex'));
  const proven = secrets.some((secret) => {
    const expected = createHmac('sha256', secret).update(body).digest();
    return given.some((signature) => timingSafeEqual(signature, expected));
  });
  if (!proven) throw new BadInput('LDP_BAD_SIGNATURE', 'the webhook was refused: no signature fits any of our secrets');
}

/** The parser's own message would quote the body. */
function readJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    throw new BadInput('LDP_BAD_INPUT', 'the body of the webhook is not JSON');
  }
}
