/**
 * What holds for every activity: it heartbeats, so that a dead worker is noticed in seconds, and its errors become the
 * failures that workflows know.
 * @module
 */
import type { ActivityInboundCallsInterceptor, ActivityInterceptorsFactory } from '@temporalio/worker';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import type { Context } from '@temporalio/activity';
import { PlaybookError } from '../plugins/errors';

/** Well under the heartbeat time-out that workflows ask for (milliseconds). */
const heartbeatEveryMs = 2_000;

/** Map the catalogue to Temporal, once: the code is the failure's type, refusals are never retried by the server. */
export function toFailure(error: unknown): unknown {
  if (!(error instanceof PlaybookError)) return error;
  const { retryAfterMs } = error.details;
  return ApplicationFailure.create({
    type: error.code,
    message: error.message,
    nonRetryable: error.name === 'VendorRefused' || error.name === 'BadInput',
    details: [{ class: error.name, ...error.details }],
    ...(retryAfterMs !== undefined && { nextRetryDelay: retryAfterMs }),
  });
}

export const activityInterceptors: ActivityInterceptorsFactory = (context: Context) => ({
  inbound: {
    async execute(input, next) {
      const own = context.info.activityType.endsWith('watchFeed'); // Its heartbeats carry the watermark.
      const timer = own ? undefined : setInterval(() => context.heartbeat(), heartbeatEveryMs);
      try {
        return await next(input);
      } catch (error) {
        if (context.cancellationSignal.aborted && !(error instanceof CancelledFailure)) await context.cancelled;
        throw toFailure(error);
      } finally {
        clearInterval(timer);
      }
    },
  } satisfies ActivityInboundCallsInterceptor,
});
