/**
 * PagerDuty as HTTP: the Events API v2, and the two reads of its REST API that our product needs.
 * @module
 */
import { z } from 'zod';
import { type Answer, jsonOf, RateLimit, type Vendor, type VendorRequest } from '../vendor';
import type { World } from '../world';

const routingKey = 'sim-pagerduty-key'.padEnd(32, '0');
const apiToken = 'sim-pagerduty-api-token';

const event = z.object({
  routing_key: z.string({ error: "'routing_key' is missing" }),
  event_action: z.enum(['trigger', 'acknowledge', 'resolve'], { error: "'event_action' is missing or invalid" }),
  dedup_key: z.string().max(255, { error: "Length of 'dedup_key' is too long (maximum is 255 characters)" }).optional(),
  payload: z.unknown().optional(),
});
const payload = z.object({
  summary: z
    .string({ error: "'payload.summary' is missing or blank" })
    .trim()
    .min(1, { error: "'payload.summary' is missing or blank" })
    .max(1024, { error: "Length of 'payload.summary' is too long (maximum is 1024 characters)" }),
  source: z
    .string({ error: "'payload.source' is missing or blank" })
    .min(1, { error: "'payload.source' is missing or blank" }),
  severity: z.enum(['critical', 'error', 'warning', 'info'], { error: "'payload.severity' is missing or invalid" }),
  custom_details: z.unknown().optional(),
});

const invalid = (errors: string[]): Answer => ({
  status: 400,
  body: { status: 'invalid event', message: 'Event object is invalid', errors },
});
const errorsOf = (error: z.ZodError) => error.issues.map(({ message }) => message);

/** PagerDuty as HTTP. */
export function createPagerDuty(world: World): Vendor {
  const limits = new RateLimit();

  function enqueue(request: VendorRequest): Answer {
    if (request.method !== 'POST') return { status: 404 };
    const read = event.safeParse(jsonOf(request.body));
    if (!read.success) return invalid(errorsOf(read.error));
    const { routing_key: key, event_action: action } = read.data;
    if (key.length !== 32) return invalid(["Length of 'routing_key' is incorrect (should be 32 characters)"]);
    if (key !== routingKey) return invalid(['Invalid routing key']);
    const { remaining } = limits.count('events', world.tenant.limits.pagerDutyPerMinute, 60_000);
    if (remaining < 0) {
      return { status: 429, body: { status: 'throttle exceeded', message: 'Request Limit Exceeded' } };
    }
    const accepted = (dedupKey: string, changed: string | null): Answer => ({
      status: 202,
      body: { status: 'success', message: 'Event processed', dedup_key: dedupKey },
      changed,
    });
    if (action !== 'trigger') {
      const { dedup_key: dedupKey } = read.data;
      if (!dedupKey) return invalid([`'dedup_key' is required for ${action} events`]);
      return accepted(dedupKey, world.pagerDuty.move(dedupKey, action === 'resolve' ? 'resolved' : 'acknowledged'));
    }
    const of = payload.safeParse(read.data.payload ?? {});
    if (!of.success) return invalid(errorsOf(of.error));
    const { summary, source, severity, custom_details: details } = of.data;
    const dedupKey = read.data.dedup_key || world.seed.hex(`dedup ${world.pagerDuty.all.length}`, 32);
    return accepted(dedupKey, world.pagerDuty.trigger(dedupKey, { summary, source, severity, details }));
  }

  function rest({ method, path, headers }: VendorRequest): Answer {
    if (headers.authorization !== `Token token=${apiToken}`) {
      return { status: 401, body: { error: { message: 'Unauthorized', code: 2006 } } };
    }
    if (method === 'GET' && path === '/abilities') return { status: 200, body: { abilities: ['teams', 'urgencies'] } };
    const id = /^\/incidents\/([^/]+)\/alerts$/.exec(path)?.[1];
    const incident = id === undefined ? undefined : world.pagerDuty.byId(id);
    if (method !== 'GET' || !incident) return { status: 404, body: { error: { message: 'Not Found', code: 2100 } } };
    const { dedupKey, status, severity, summary, createdAt } = incident;
    const alert = {
      id: `${incident.id}A`,
      type: 'alert',
      summary,
      severity,
      status: status === 'resolved' ? 'resolved' : 'triggered',
      alert_key: dedupKey,
      created_at: createdAt,
      incident: { id: incident.id, type: 'incident_reference' },
    };
    return { status: 200, body: { alerts: [alert], limit: 100, offset: 0, more: false, total: null } };
  }

  return {
    name: 'pagerduty',
    answers: (path) => path === '/v2/enqueue' || path === '/abilities' || path.startsWith('/incidents/'),
    answer: (request) => (request.path === '/v2/enqueue' ? enqueue(request) : rest(request)),
  };
}
