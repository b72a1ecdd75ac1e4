/**
 * A workflow that takes a step when it is due, and whose timer rings a while later.
 * @module
 */
import { ApplicationFailure, condition, defineUpdate, proxyActivities, setHandler, sleep } from '@temporalio/workflow';
import { nowMs } from '../../workflows/last-news';

export const refuseMe = defineUpdate('refuseMe');

const { step } = proxyActivities<Record<'step', () => Promise<void>>>({ startToCloseTimeout: '20s' });

/** @param dueMs after this time (milliseconds); the timer rings at `ringsMs`. */
export async function dueSoon(dueMs: number, ringsMs: number): Promise<void> {
  const at = nowMs() + dueMs;
  const isDue = () => nowMs() >= at;
  const validator = () => {
    throw ApplicationFailure.nonRetryable(isDue() ? 'Refused: it is due.' : 'Refused: it is not due.');
  };
  setHandler(refuseMe, () => undefined, { validator });
  void sleep(ringsMs);
  await condition(isDue);
  await step();
}
