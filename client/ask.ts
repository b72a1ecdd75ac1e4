/**
 * A question to a workflow (Temporal's query), asked until a worker answers it.
 * @module
 */
import { setTimeout } from 'node:timers/promises';
import { type Client, isGrpcServiceError, QueryNotRegisteredError, ServiceError } from '@temporalio/client';
import type { QueryDefinition } from '@temporalio/common';
import { askAgain } from '../workflows/messages';

/** How long one try waits (milliseconds): with a refused question a worker forgets those that came beside it. */
const tryMs = 3_000;
/** How long after a refused one the next is asked (milliseconds): by then the news has mostly been taken. */
const againAfterMs = 200;

/**
 * A question that had to wait may be refused, because it reached the worker together with news
 * (workflows/interceptors.ts): it is asked again.
 * @param options.runId of an earlier workflow of this id; left out, the newest.
 * @param options.withinMs how long Temporal and a worker may take (milliseconds).
 * @throws what the client throws: that there is no such workflow, or after that time that nobody answered.
 */
export async function ask<Answer>(
  client: Client,
  workflowId: string,
  query: QueryDefinition<Answer>,
  { runId, withinMs }: { runId?: string | undefined; withinMs: number },
): Promise<Answer> {
  const handle = client.workflow.getHandle(workflowId, runId);
  const endMs = Date.now() + withinMs;
  for (;;) {
    const untilMs = Math.min(endMs, Date.now() + tryMs);
    try {
      return await client.withDeadline(untilMs, () => handle.query(query));
    } catch (error) {
      const refused = wasRefused(error);
      if (!(refused || wasTooLate(error)) || Date.now() + againAfterMs > endMs) throw error;
      if (refused) await setTimeout(againAfterMs);
    }
  }
}

/** Our own deadline: DEADLINE_EXCEEDED, or CANCELLED where the server was told of it first (gRPC 4 and 1). */
function wasTooLate(error: unknown): boolean {
  return error instanceof ServiceError && isGrpcServiceError(error.cause) && [1, 4].includes(Number(error.cause.code));
}

const wasRefused = (error: unknown) => error instanceof QueryNotRegisteredError && error.message.includes(askAgain);
