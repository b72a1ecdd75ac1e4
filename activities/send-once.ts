/**
 * Send once, read back: how every mutation is made.
 * @module
 */
import { sleep } from '@temporalio/activity';
import { OutcomeUnknown, VendorUnavailable } from '../plugins/errors';

/** False when the answer was lost. That is not a failure: the reading back that follows decides. */
export async function sendOnce(send: () => Promise<unknown>): Promise<boolean> {
  try {
    await send();
    return true;
  } catch (error) {
    if (!(error instanceof OutcomeUnknown)) throw error;
    return false;
  }
}

/** Look at once, then in growing steps for twice the vendor's settle time (milliseconds). */
export async function lookUntil(settleMs: number, look: () => Promise<boolean>): Promise<boolean> {
  let waitMs = Math.max(20, Math.min(250, settleMs / 8));
  for (let waitedMs = 0; ; waitedMs += waitMs, waitMs *= 2) {
    if (await look()) return true;
    if (waitedMs + waitMs > settleMs * 2) return false;
    await sleep(waitMs);
  }
}

/** Throws `VendorUnavailable` LDP_NOT_SEEN_YET, so that the step is tried again, when looking never shows `what`. */
export async function readBack(settleMs: number, look: () => Promise<boolean>, what: string): Promise<void> {
  if (!(await lookUntil(settleMs, look))) {
    throw new VendorUnavailable('LDP_NOT_SEEN_YET', `The change was sent, but reading back does not show ${what} yet.`);
  }
}
