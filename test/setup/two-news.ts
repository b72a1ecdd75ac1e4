/**
 * A workflow that takes two steps, each for a piece of news of its own. On replay signals come before timers.
 * @module
 */
import { condition, defineQuery, defineSignal, proxyActivities, setHandler, sleep } from '@temporalio/workflow';

export const stepsTaken = defineQuery<number>('stepsTaken');
export const heard = defineSignal('heard');

const { afterTimer, afterSignal } = proxyActivities<Record<'afterTimer' | 'afterSignal', () => Promise<void>>>({
  startToCloseTimeout: '20s',
});

/** @param timerMs when the first piece of news comes (milliseconds); the second is a signal. */
export async function twoNews(timerMs: number): Promise<number> {
  let steps = 0;
  setHandler(stepsTaken, () => steps);
  setHandler(heard, async () => {
    await afterSignal();
    steps += 1;
  });
  await sleep(timerMs);
  await afterTimer();
  steps += 1;
  await condition(() => steps === 2);
  return steps;
}
