/**
 * What a worker gives to a workflow passes here first. Part of every bundle of the workflows: without it a question can
 * stop a case for good.
 * @module
 */
import type { WorkflowInterceptorsFactory } from '@temporalio/workflow';
import { askAgain } from './messages';

/**
 * A question (Temporal's query) that had to wait for a worker reaches it with all that has happened meanwhile. The core of
 * SDK 1.24 hands that news over at once, ahead of the workflow task that it belongs to; what comes until the task begins is
 * handed over with it. A replay hands both over together, signals and updates first: steps come in another order, and the
 * workflow stands still (TMPRL1100).
 *
 * So such news is refused: the worker forgets the workflow, fails the question, and reads the workflow anew with its task.
 * It is known by its time and size, which come from the start of a workflow task: they are those of the task before, while
 * the history has grown. `test/workflows/asked-amid-news.test.ts` says when the SDK does not need this any more.
 */
export const interceptors: WorkflowInterceptorsFactory = () => {
  let before: { events: number; bytes: number; at: string } | undefined;
  return {
    internals: [
      {
        activate(input, next) {
          const { jobs, isReplaying, historyLength, historySizeBytes, timestamp } = input.activation;
          if (jobs?.some(({ queryWorkflow }) => !queryWorkflow)) {
            const now = {
              events: Number(historyLength),
              bytes: Number(historySizeBytes),
              at: [timestamp?.seconds, timestamp?.nanos].join('.'),
            };
            const isAhead =
              before &&
              now.bytes > 0 &&
              now.events > before.events &&
              now.bytes === before.bytes &&
              now.at === before.at;
            if (isAhead && !isReplaying) throw new Error(askAgain);
            before = now;
          }
          next(input);
        },
      },
    ],
  };
};
