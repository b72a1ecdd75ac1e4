/**
 * One timer for many due times. News moves most of them later, a year long: the timer then stays as it is and rings early,
 * which costs nothing, where a timer set anew each time would cost history.
 * @module
 */
import { CancellationScope, isCancellation, sleep } from '@temporalio/workflow';
import { nowMs } from './last-news';

export class Alarm {
  /** It rang since it was last listened to. */
  rang = false;
  private set: { atMs: number; scope: CancellationScope } | undefined;

  /** Ring at this time at the latest (ISO 8601); undefined leaves the alarm as it is. */
  ringBy(at: string | undefined): void {
    if (at === undefined) return;
    const atMs = Date.parse(at);
    if (this.set !== undefined && this.set.atMs <= atMs) return;
    this.set?.scope.cancel();
    const scope = new CancellationScope();
    const set = (this.set = { atMs, scope });
    scope
      .run(() => sleep(Math.max(1, atMs - nowMs())))
      .then(
        () => {
          if (this.set === set) this.set = undefined;
          this.rang = true;
        },
        (error: unknown) => {
          if (!isCancellation(error)) throw error;
        },
      );
  }
}
