/**
 * The listener for webhooks, and for nothing else: tickets, and acknowledgements of pages. A 2xx says that what came is
 * stored. A ticket is the first part of the fast path: nothing is waited for between the last byte of the body and the call
 * to Temporal.
 * @module
 */
import { hash } from 'node:crypto';
import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Tenant } from '../activities/house';
import type { CaseClient, Taken } from '../client/cases';
import { BadInput } from '../plugins/errors';
import type { Notifier, RawWebhook } from '../plugins/roles';
import { answerError, refuse } from './answers';

/** Largest body (bytes). A report is a few hundred. */
const largestBodyBytes = 256 * 1024;
/** How many answers are remembered, so that a resend costs nothing. */
const rememberAtMost = 10_000;
/** How long storing may take before the sender is asked to come again (milliseconds). Ticket desks give up after 15 s or more. */
const storeWithinMs = 10_000;
/** The same for acknowledgements (milliseconds). PagerDuty gives up after 5 s. */
const acknowledgeWithinMs = 3_500;
/** When a sender shall come again while nothing can be stored (seconds). */
const comeAgainAfterS = 30;

export interface WebhookServerOptions {
  tenants: Map<string, Tenant>;
  cases: Pick<CaseClient, 'handIn' | 'acknowledged'>;
  /** Gets a line when something proven could not be stored. */
  log?: (line: string) => void;
}

/**
 * `POST /webhooks/tickets/:source`, `POST /webhooks/notifiers/:name` and `GET /health`. A source is the name of a ticket desk
 * that takes webhooks, a name that of a notifier that hears back.
 *
 * Answers: 202 opened, joined, in triage or acknowledged; 200 already closed, a repeat, or news that concerns no case; 400
 * LDP_BAD_INPUT, 401 LDP_BAD_SIGNATURE, 404 no such source, 413 LDP_TOO_LARGE, 503 not stored, with `Retry-After`. Never 410:
 * it would end the sender's resends. News of no case is no 4xx: the sender would stop sending.
 */
export function createWebhookServer({ tenants, cases, log = () => undefined }: WebhookServerOptions): FastifyInstance {
  const notifiers = new Map(
    [...tenants.values()].flatMap(({ name: tenant, notifiers }) =>
      [...notifiers].flatMap(([name, notifier]) => {
        const receive = notifier.receive?.bind(notifier);
        return receive ? [[name, { tenant, receive }] as const] : [];
      }),
    ),
  );
  const sources = new Map(
    [...tenants.values()].flatMap((tenant) =>
      [...tenant.desks].flatMap(([source, desk]) => {
        const receive = desk.receive?.bind(desk);
        return receive ? [[source, { tenant, receive }] as const] : [];
      }),
    ),
  );
  const answers = new Map<string, Promise<Taken>>();

  const app = fastify({ logger: false, bodyLimit: largestBodyBytes, requestTimeout: 30_000 });
  // The signature is over the bytes, so no parser may touch them, whatever they say they are.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/octet-stream', { parseAs: 'buffer' }, (_request, body, done) =>
    done(null, body),
  );
  app.addHook('onRequest', (request, _reply, done) => {
    request.headers['content-type'] = 'application/octet-stream';
    done();
  });
  app.setErrorHandler(answerError);
  app.setNotFoundHandler((_request, reply) => refuse(reply, 404, 'LDP_NOT_FOUND', 'There is nothing here.'));
  app.get('/health', () => ({ status: 'ok' }));

  app.post<{ Params: { source: string } }>('/webhooks/tickets/:source', async (request, reply) => {
    const source = sources.get(request.params.source);
    if (source === undefined) return refuse(reply, 404, 'LDP_NOT_FOUND', 'There is no such ticket source.');
    const webhook = rawWebhook(request);
    const now = new Date();
    const report = await source.receive(webhook, now.getTime());

    // With the body's hash, a sender that uses an id twice for two reports loses neither.
    const key = `${request.params.source} ${report.deliveryId} ${hash('sha256', webhook.body, 'base64')}`;
    const known = answers.get(key);
    const storing =
      known ??
      cases.handIn(
        {
          ...report,
          tenant: source.tenant.name,
          receivedAt: now.toISOString(),
          actor: { ...report.actor, from: request.ip },
        },
        source.tenant.settings.rules,
      );
    if (known === undefined) remember(key, storing);
    try {
      const taken = await within(storeWithinMs, storing);
      const status = known !== undefined || taken.outcome === 'already closed' ? 200 : 202;
      return reply.code(status).send({ outcome: taken.outcome, case: taken.workflowId });
    } catch (error) {
      return notStored(reply, 'A report', request.params.source, error);
    }
  });

  app.post<{ Params: { name: string } }>('/webhooks/notifiers/:name', async (request, reply) => {
    const notifier = notifiers.get(request.params.name);
    if (notifier === undefined) return refuse(reply, 404, 'LDP_NOT_FOUND', 'There is no such notifier.');
    try {
      const told = await within(acknowledgeWithinMs, tellCases(notifier, rawWebhook(request)));
      return reply.code(told.includes('told') ? 202 : 200).send({ outcome: told });
    } catch (error) {
      if (error instanceof BadInput) throw error;
      return notStored(reply, 'An acknowledgement', request.params.name, error);
    }
  });
  return app;

  /** Safe to repeat: a case knows the acknowledgements that it had. */
  async function tellCases({ tenant, receive }: { tenant: string; receive: Receive }, webhook: RawWebhook) {
    const acknowledgements = await receive(webhook, Date.now());
    return Promise.all(acknowledgements.map((each) => cases.acknowledged(tenant, each)));
  }

  function notStored(reply: FastifyReply, what: string, sender: string, error: unknown): FastifyReply {
    log(`${what} from ${sender} could not be stored: ${error instanceof Error ? error.message : 'unknown'}`);
    reply.header('retry-after', String(comeAgainAfterS));
    return refuse(reply, 503, 'LDP_UNREACHABLE', `${what} could not be stored. Send it again.`);
  }

  /** An answer is kept once it is a 2xx; until then, whoever sends the same waits for the same. */
  function remember(key: string, storing: Promise<Taken>): void {
    answers.set(key, storing);
    if (answers.size > rememberAtMost) answers.delete(answers.keys().next().value ?? key);
    storing.catch(() => {
      if (answers.get(key) === storing) answers.delete(key);
    });
  }
}

type Receive = NonNullable<Notifier['receive']>;

function rawWebhook(request: FastifyRequest): RawWebhook {
  return {
    // Node gives a list for set-cookie only, which nobody signs.
    headers: request.headers as RawWebhook['headers'],
    body: Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0),
  };
}

/** @throws Error when it takes longer. What was begun goes on. */
async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms / 1000} s`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
