/**
 * The clock of the workflows. What a condition waits for must not come true by something that history does not keep: a
 * decision that is refused leaves no trace there, yet the conditions are looked at when it comes. So time goes on with news
 * only.
 * @module
 */
import { workflowInfo } from '@temporalio/workflow';

interface Moment {
  atMs: number;
  isLong: boolean;
}

let last: Moment | undefined;

const thisTask = (): Moment => ({ atMs: Date.now(), isLong: workflowInfo().continueAsNewSuggested });
const lastNews = () => last ?? thisTask();

/** When the last news came: a signal, a decision that was taken, a timer, the end of an activity (milliseconds since 1970). */
export const nowMs = (): number => lastNews().atMs;

/** The same in ISO 8601. */
export const now = (): string => new Date(nowMs()).toISOString();

/** The server says that the history grows long: time to go on as a new run. */
export const isHistoryLong = (): boolean => lastNews().isLong;

/** News comes. Called by `interceptors.ts`. */
export function newsComes(): void {
  last = thisTask();
}

/** Look at something that may turn out to be no news, and know the time all the same. */
export function beforeNews<T>(look: () => T): T {
  const kept = last;
  newsComes();
  try {
    return look();
  } finally {
    last = kept;
  }
}
