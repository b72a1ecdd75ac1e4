/**
 * How both listeners say no: always `{"error":{"code","message"}}`, in words for people, without what was sent.
 * @module
 */
import { finished } from 'node:stream/promises';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { BadInput, type ErrorCode } from '../plugins/errors';

/** How long a sender may go on sending a body that is refused already (milliseconds). */
const drainWithinMs = 2_000;

/** Send a refusal. */
export function refuse(reply: FastifyReply, status: number, code: ErrorCode, message: string): FastifyReply {
  return reply.code(status).send({ error: { code, message } });
}

/** What was thrown, as an answer: by us (`BadInput`) or by Fastify, which knows the status. */
export async function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  if (error instanceof BadInput) {
    return refuse(reply, error.code === 'LDP_BAD_SIGNATURE' ? 401 : 400, error.code, error.message);
  }
  const status = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 500;
  if (status === 413) {
    // Closing under a sender that still writes would lose the answer.
    request.raw.resume();
    await finished(request.raw, { signal: AbortSignal.timeout(drainWithinMs) }).catch(() => undefined);
    return refuse(
      reply,
      413,
      'LDP_TOO_LARGE',
      `The body is larger than ${request.routeOptions.bodyLimit} bytes: send the ticket's number and the names of the device, and leave long texts in the ticket.`,
    );
  }
  if (status >= 400 && status < 500)
    return refuse(reply, status, 'LDP_BAD_INPUT', 'This is not a request we can read.');
  return refuse(reply, 500, 'LDP_SERVER_ERROR', 'Something went wrong here. Try again.');
}
