/**
 * The analysts' API: reading cases. It has no sign-in yet, so it answers this machine only.
 * @module
 */
import { WorkflowNotFoundError } from '@temporalio/client';
import { fastify, type FastifyInstance } from 'fastify';
import { RefusedByRule, type CaseClient } from '../client/cases';
import { readDigest } from '../client/digest';
import type { FeedRow } from '../client/feeds';
import type { Guards } from '../client/guard';
import type { QueueName } from '../client/workers';
import { BadInput } from '../plugins/errors';
import { isLoopback } from '../plugins/setting-fields';
import { readMoment } from '../settings/moment';
import { answerError, refuse } from './answers';
import { publishedSchemas } from './schemas';

/**
 * `GET /health` (this server, and which queues lack a worker), `/api/cases` (`?all=true` for closed ones too),
 * `/api/cases/:id` (workflow id, serial, hostname or user), `/api/digest` (`?since=8h` or a time in ISO 8601, `&tenant=`),
 * `/api/feeds` (how each feed fares), `/api/guard` (what is frozen, and what was permitted), `/api/schemas` and `/api/schemas/:name`.
 *
 * Answers 403 to whoever comes over another address than loopback, or by another name: a web page elsewhere could else
 * make an analyst's browser read cases for it.
 */
export function createApiServer({
  cases,
  missingWorkers,
  readFeeds,
  guards,
}: {
  cases: Pick<CaseClient, 'list' | 'resolve' | 'show'>;
  missingWorkers(): Promise<QueueName[]>;
  readFeeds(): Promise<FeedRow[]>;
  guards: Pick<Guards, 'read'>;
}): FastifyInstance {
  const app = fastify({ logger: false, bodyLimit: 1024, requestTimeout: 30_000 });
  app.setNotFoundHandler((_request, reply) => refuse(reply, 404, 'LDP_NOT_FOUND', 'There is nothing here.'));
  app.setErrorHandler((error, request, reply) => {
    // The client's own words: no case fits, or several do.
    if (error instanceof RefusedByRule) return refuse(reply, 404, 'LDP_NOT_FOUND', error.message);
    if (error instanceof WorkflowNotFoundError) return refuse(reply, 404, 'LDP_NOT_FOUND', 'There is no such case.');
    return answerError(error, request, reply);
  });
  app.addHook('onRequest', async (request, reply) => {
    const address = (request.socket.localAddress ?? '').replace(/^::ffff:/, '');
    if (isLoopback(address) && isLoopback(request.hostname)) return;
    await refuse(reply, 403, 'LDP_NOT_PERMITTED', 'The API has no sign-in yet: it answers on 127.0.0.1 only.');
  });

  app.get('/health', async () => {
    const workers = await missingWorkers().then(
      (missing) => (missing.length === 0 ? 'ok' : `missing ${missing.join(', ')}`),
      () => 'not known: Temporal does not answer',
    );
    return { status: 'ok', workers };
  });
  app.get<{ Querystring: { all?: string } }>('/api/cases', ({ query }) => cases.list({ all: query.all === 'true' }));
  app.get<{ Params: { id: string } }>('/api/cases/:id', async ({ params }) =>
    cases.show(await cases.resolve(params.id)),
  );
  app.get<{ Querystring: { since?: string; tenant?: string } }>(
    '/api/digest',
    async ({ query: { since: text = '8h', tenant } }) => {
      const since = readMoment(text, 'before', Date.now());
      if (since === undefined)
        throw new BadInput('LDP_BAD_INPUT', 'since: write it like 8h, 2d or 2026-11-22T14:00:00Z.');
      return readDigest(cases, { since, ...(tenant !== undefined && { tenant }) });
    },
  );
  app.get('/api/feeds', () => readFeeds());
  app.get('/api/guard', () => guards.read());
  app.get('/api/schemas', () => Object.keys(publishedSchemas));
  app.get<{ Params: { name: string } }>('/api/schemas/:name', ({ params }, reply) =>
    Object.hasOwn(publishedSchemas, params.name)
      ? reply.send(publishedSchemas[params.name])
      : refuse(reply, 404, 'LDP_NOT_FOUND', 'There is no such schema.'),
  );
  return app;
}
