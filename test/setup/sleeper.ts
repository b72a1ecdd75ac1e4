/**
 * A workflow for the tests of the time harness itself.
 * @module
 */
import { condition, defineQuery, defineSignal, proxyActivities, setHandler, sleep } from '@temporalio/workflow';

export const clock = defineQuery<{ startedAt: number; wakes: number[] }>('clock');
export const finish = defineSignal('finish');

const { work } = proxyActivities<{ work(): Promise<void> }>({ startToCloseTimeout: '20s' });

/** Wakes daily and works, until told to finish. */
export async function sleeper(): Promise<{ startedAt: number; wakes: number[] }> {
  const seen = { startedAt: Date.now(), wakes: [] as number[] };
  let finished = false;
  setHandler(clock, () => seen);
  setHandler(finish, () => void (finished = true));
  while (!(await condition(() => finished, '1 day'))) {
    await work();
    seen.wakes.push(Date.now());
    if (seen.wakes.length === 5) await sleep('360 days');
  }
  return { ...seen, wakes: [...seen.wakes, Date.now()] };
}
