/**
 * What a vendor's side of the simulator is: a request in, an answer out, at once. Delays and faults are the server's.
 * @module
 */
import type { IncomingHttpHeaders } from 'node:http';

/** A request, with its body read. */
export interface VendorRequest {
  method: string;
  /** Without the query, percent-encoding kept. */
  path: string;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  body: string;
  /** `http://127.0.0.1:PORT`, for links in answers. */
  origin: string;
}

/** What a vendor answers. */
export interface Answer {
  status: number;
  headers?: Record<string, string>;
  /** An object is sent as JSON, a text as it is. */
  body?: unknown;
  /** What changed at the vendor, or nothing. */
  changed?: string | null;
}

/** As in the record of calls. */
export type VendorName = 'netskope' | 'servicenow' | 'entra' | 'pagerduty' | 'crowdstrike' | 'intune';

/** One vendor's side. */
export interface Vendor {
  name: VendorName;
  answers(path: string): boolean;
  answer(request: VendorRequest): Answer;
}

/** The body as JSON, or undefined when it is none. */
export function jsonOf(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

/** Counts calls in a fixed window of real time: credentials and limits belong to the connection, not to the story. */
export class RateLimit {
  readonly #windows = new Map<string, { endsMs: number; count: number }>();

  /** Count one call. Nothing remains when `remaining` is below zero. */
  count(key: string, limit: number, windowMs: number): { remaining: number; resetMs: number } {
    const nowMs = Date.now();
    let window = this.#windows.get(key);
    if (!window || window.endsMs <= nowMs) {
      window = { endsMs: nowMs + windowMs, count: 0 };
      this.#windows.set(key, window);
    }
    window.count += 1;
    return { remaining: limit - window.count, resetMs: window.endsMs - nowMs };
  }
}
