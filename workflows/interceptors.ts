/**
 * What a worker gives to a workflow passes here first. Part of every bundle of the workflows: without it a question or a
 * decision can stop a case for good.
 *
 * A workflow is replayed from its history. Whatever reaches it live in another order than a replay will give it makes its steps
 * come in another order, and it stands still (TMPRL1100). The core of SDK 1.24 does so in two moments; both are refused here,
 * and come again from `client/`. A third is of our own making: `last-news.ts`.
 * @module
 */
import { ApplicationFailure, workflowInfo, type WorkflowInterceptorsFactory } from '@temporalio/workflow';
import { beforeNews, newsComes } from './last-news';
import { askAgain, knock } from './messages';

/** Workflows that take steps by decisions. */
const takesDecisions = () => ['lostDevice', 'triage'].includes(workflowInfo().workflowType);

export const interceptors: WorkflowInterceptorsFactory = () => {
  let before: Task | undefined;
  let isCrowded = false;
  return {
    internals: [
      {
        activate({ activation, batchIndex }, next) {
          const { isReplaying, historyLength, historySizeBytes, timestamp } = activation;
          const jobs = activation.jobs ?? [];
          if (jobs.every(({ queryWorkflow }) => queryWorkflow)) return next({ activation, batchIndex });
          const now: Task = {
            events: Number(historyLength),
            bytes: Number(historySizeBytes),
            at: [timestamp?.seconds, timestamp?.nanos].join('.'),
            isReplaying: Boolean(isReplaying),
          };
          if (before && isAheadOfItsTask(before, now)) throw new Error(askAgain);
          const begins = Boolean(jobs[0]?.initializeWorkflow);
          isCrowded = !begins && isCaughtUp(before, now) && jobs.some(isNews);
          before = now;
          if (begins) {
            // What came with the start is handed over before it: all of it at once.
            newsComes();
            return next({ activation, batchIndex });
          }
          for (const job of jobs) {
            if (isNews(job)) newsComes();
            next({ activation: { ...activation, jobs: [job] }, batchIndex });
          }
        },
      },
    ],
    inbound: [
      {
        validateUpdate(input, next) {
          if (isCrowded && takesDecisions()) throw ApplicationFailure.nonRetryable(askAgain, 'AskAgain');
          beforeNews(() => next(input));
        },
        handleUpdate(input, next) {
          newsComes();
          return next(input);
        },
      },
    ],
  };
};

/** A decision is news when it is taken. */
const isNews = ({ doUpdate, signalWorkflow }: Job) => !doUpdate && signalWorkflow?.signalName !== knock.name;

interface Job {
  doUpdate?: unknown;
  signalWorkflow?: { signalName?: string | null } | null;
}

interface Task {
  events: number;
  bytes: number;
  at: string;
  isReplaying: boolean;
}

/**
 * A question (Temporal's query) that had to wait for a worker reaches it with all that has happened meanwhile. The core hands
 * that news over at once, ahead of the workflow task that it belongs to; what comes until the task begins is handed over with
 * it. A replay hands both over together, signals and updates first. Refused, the worker forgets the workflow, fails the
 * question, and reads the workflow anew with its task.
 *
 * Such news is known by its time and size, which come from the start of a workflow task: they are those of the task before,
 * while the history has grown. `test/workflows/asked-amid-news.test.ts` says when the SDK does not need this any more.
 */
function isAheadOfItsTask(before: Task, now: Task): boolean {
  const sameTask = now.bytes > 0 && now.bytes === before.bytes && now.at === before.at;
  return sameTask && now.events > before.events && !now.isReplaying;
}

/**
 * A worker that has just read a workflow may be given a decision (Temporal's update) together with news of an earlier task,
 * the decision first, where a replay gives one after the other: temporalio/sdk-rust#1146. A decision that comes with other
 * things then is refused, which leaves nothing in history; sent again after a knock it comes by itself.
 * `test/workflows/decided-after-restart.test.ts` fails without this.
 */
function isCaughtUp(before: Task | undefined, now: Task): boolean {
  return before?.isReplaying !== false && !now.isReplaying;
}
