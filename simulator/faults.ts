/**
 * Faults between a vendor and its caller.
 * @module
 */
import { z } from 'zod';

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
]);

/** The body of `POST /control/faults`. */
export const faultSchema = z.strictObject({
  match: z.strictObject({ method: z.string().optional(), path: z.string().optional() }).default({}),
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
  take(method: string, path: string): Fault | undefined {
    const index = this.#standing.findIndex(
      ({ match }) =>
        (match.method === undefined || match.method.toUpperCase() === method) &&
        (match.path === undefined || path.startsWith(match.path)),
    );
    const fault = this.#standing[index];
    if (fault && fault.times !== 'always') {
      fault.times -= 1;
      if (fault.times === 0) this.#standing.splice(index, 1);
    }
    return fault;
  }
}
