/**
 * Faults between a vendor and its caller.
 * @module
 */
import { z } from 'zod';
import type { Answer } from './vendor';

const effectSchema = z.union([
  z.strictObject({
    status: z.int().min(200).max(599),
    headers: z.record(z.string(), z.string()).optional(),
    /** A text is sent as it is, anything else as JSON. */
    body: z.unknown().optional(),
  }),
  z.strictObject({ delayMs: z.number().nonnegative() }),
  z.strictObject({ hang: z.literal(true) }),
  z.strictObject({ reset: z.literal(true) }),
  z.strictObject({ truncate: z.literal(true) }),
  /** After a change, so many repeats of the same read are answered as they were before it. */
  z.strictObject({ lagReads: z.int().positive() }),
]);

/** The body of `POST /control/faults`. */
export const faultSchema = z.strictObject({
  match: z
    .strictObject({
      method: z.string().optional(),
      /** How path and query begin. */
      path: z.string().optional(),
      /** The whole path without its query; `{names}` stand for one part each. */
      template: z.string().optional(),
    })
    .default({}),
  times: z.union([z.int().positive(), z.literal('always')]).default(1),
  when: z.enum(['before', 'after']).default('before'),
  effect: effectSchema,
});

/** What a fault does. */
export type FaultEffect = z.infer<typeof effectSchema>;
type Fault = z.infer<typeof faultSchema>;

/** Standing faults, in the order in which they were set. */
export class Faults {
  readonly #standing: (Fault & { id: number })[] = [];
  #count = 0;

  add(fault: Fault): number {
    this.#count += 1;
    this.#standing.push({ ...fault, id: this.#count });
    return this.#count;
  }

  all(): readonly (Fault & { id: number })[] {
    return this.#standing;
  }

  clear(): void {
    this.#standing.length = 0;
  }

  /** The first fault that fits; it is used up by one. `path` has its query. */
  take(method: string, path: string): (Fault & { id: number }) | undefined {
    const index = this.#standing.findIndex(
      ({ match }) =>
        (match.method === undefined || match.method.toUpperCase() === method) &&
        (match.path === undefined || path.startsWith(match.path)) &&
        (match.template === undefined || fitsTemplate(match.template, path)),
    );
    const fault = this.#standing[index];
    if (fault && fault.times !== 'always') {
      fault.times -= 1;
      if (fault.times === 0) this.#standing.splice(index, 1);
    }
    return fault;
  }
}

/** Is it a path of this template, for instance `/api/v2/scim/Groups/{id}`? Its query does not matter. */
export function fitsTemplate(template: string, path: string): boolean {
  const [wanted, given] = [template, path.replace(/\?.*$/s, '')].map((one) => one.split('/')) as [string[], string[]];
  return wanted.length === given.length && wanted.every((part, at) => /^\{\w+\}$/.test(part) || part === given[at]);
}

/** What reads were answered, so that they can lag behind a change. */
export class LaggingReads {
  readonly #answers = new Map<string, { answer: Answer; afterChanges: number; repeats: number }>();

  /**
   * The answer that a read gets, which is the one of before while it lags.
   * @param changes How often anything changed at the vendors so far.
   * @param repeats How many repeats of the read lag behind a change.
   */
  answer(read: string, fresh: Answer, changes: number, repeats: number): Answer {
    const before = this.#answers.get(read);
    if (before && before.afterChanges !== changes && before.repeats > 0) {
      before.repeats -= 1;
      return before.answer;
    }
    this.#answers.set(read, { answer: fresh, afterChanges: changes, repeats });
    return fresh;
  }
}
