/**
 * A question to a workflow (Temporal's query) or a decision in it (update), sent until a worker takes it.
 * @module
 */
import { setTimeout } from 'node:timers/promises';
import {
  type Client,
  isGrpcServiceError,
  QueryNotRegisteredError,
  ServiceError,
  type WorkflowHandle,
  WorkflowUpdateFailedError,
} from '@temporalio/client';
import type { QueryDefinition } from '@temporalio/common';
import { askAgain, knock } from '../workflows/messages';

/** How long one try waits (milliseconds): with a refused question a worker forgets those that came beside it. */
const tryMs = 3_000;
/** How long after a refused one the next is asked (milliseconds): by then the news has mostly been taken. */
const againAfterMs = 200;
/** How often a decision is sent; the second time it comes to a worker that has read all. */
const mostTries = 10;

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

/**
 * The same for a decision (Temporal's update): one that came together with news leaves nothing behind, and is sent again after a
 * knock.
 * @param send with one id every time, so that a repeat changes nothing.
 * @throws what it throws, also the refusal when it goes on.
 */
export async function sendDecision<Answer>(handle: WorkflowHandle, send: () => Promise<Answer>): Promise<Answer> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await send();
    } catch (error) {
      if (!cameWithNews(error) || tries === mostTries) throw error;
      await handle.signal(knock);
      await setTimeout(againAfterMs);
    }
  }
}

const cameWithNews = (error: unknown) =>
  error instanceof WorkflowUpdateFailedError && error.cause?.message.includes(askAgain);
