/**
 * The record of every call to a vendor.
 * @module
 */
import type { VendorName } from './vendor';

/** One call, or what a laptop did by itself because of an earlier one. */
export interface CallRecord {
  /** Real time at which the request was complete. ISO 8601 with milliseconds. */
  at: string;
  vendor: VendorName;
  /** `LAPTOP` when it was no call. */
  method: string;
  /** With the query. For a laptop its serial. */
  path: string;
  /** Status that was sent; 0 when none was (hang, reset, no call). */
  status: number;
  /** The effect on the vendor's state, or null. */
  changed: string | null;
  /** The fault that it met. One that lags only counts where the answer was an old one. */
  fault?: number;
}

const keptCalls = 100_000;

/** Keeps the newest 100,000 calls. */
export class Calls {
  #calls: CallRecord[] = [];

  add(call: CallRecord): void {
    this.#calls.push(call);
    if (this.#calls.length >= keptCalls * 1.1) this.#calls = this.#calls.slice(-keptCalls);
  }

  all(): CallRecord[] {
    return this.#calls.slice(-keptCalls);
  }

  clear(): void {
    this.#calls = [];
  }
}
