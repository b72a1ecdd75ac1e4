/**
 * The simulator's clock: it runs with real time until it is moved, and everything planned in between happens at its own
 * moment. Nothing looks at the world but requests, so planned things are carried out when the next request comes.
 * @module
 */

interface Planned {
  atMs: number;
  run: () => void;
}

/** A clock with a plan. All times are milliseconds since 1970 in simulator time. */
export class Clock {
  #aheadMs: number;
  /** Set while something planned happens: its own moment. */
  #momentMs: number | undefined;
  /** Latest first, so that the next one is popped off the end. */
  readonly #plan: Planned[] = [];

  constructor(startMs: number) {
    this.#aheadMs = startMs - performance.now();
  }

  /** Now, in whole milliseconds. */
  now(): number {
    return this.#momentMs ?? Math.floor(performance.now() + this.#aheadMs);
  }

  /** Now as vendors write it: whole seconds. */
  seconds(): number {
    return Math.floor(this.now() / 1000);
  }

  /** Plan something. What is planned first for the same moment happens first. */
  after(delayMs: number, run: () => void): void {
    const atMs = this.now() + delayMs;
    let low = 0;
    let high = this.#plan.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#plan[middle]!.atMs <= atMs) high = middle;
      else low = middle + 1;
    }
    this.#plan.splice(low, 0, { atMs, run });
  }

  /** Let happen what is due by now. */
  catchUp(): void {
    this.#runUntil(this.now());
  }

  /** Let happen what is planned until then, each at its own moment, and go on from there with real time. */
  moveTo(targetMs: number): void {
    this.#runUntil(targetMs);
    this.#aheadMs = targetMs - performance.now();
  }

  #runUntil(untilMs: number): void {
    try {
      for (let next = this.#plan.at(-1); next && next.atMs <= untilMs; next = this.#plan.at(-1)) {
        this.#plan.pop();
        this.#momentMs = next.atMs;
        next.run();
      }
    } finally {
      this.#momentMs = undefined;
    }
  }
}
