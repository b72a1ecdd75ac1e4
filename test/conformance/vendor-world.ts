/**
 * The simulated vendors for a conformance suite, and the faults that every operation of a plugin is put through. What a
 * fault must be called depends only on whether the operation changes something.
 */
import type { CallRecord } from '../../simulator/calls';
import { startSimulator } from '../../simulator/server';
import type { ErrorCode } from '../../plugins/errors';
import type { Call, Operation } from '../../plugins/roles';

export const call: Call = { signal: new AbortController().signal, now: '2026-11-22T22:00:00Z' };

export type Fault = {
  match: { method: string; path: string };
  when?: 'before' | 'after';
  times?: number | 'always';
  effect: Record<string, unknown>;
};

/** A simulator of its own, and its control routes. */
export async function startVendorWorld() {
  const simulator = await startSimulator({ port: 0, seed: 1, now: call.now });
  const control = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const answer = await fetch(`${simulator.url}/control/${path}`, {
      method,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`the simulator answered ${answer.status}: ${await answer.text()}`);
    return (await answer.json()) as T;
  };
  return {
    url: simulator.url,
    close: simulator.close,
    fault: (fault: Fault) => control('POST', 'faults', fault),
    clearFaults: () => control('DELETE', 'faults'),
    calls: () => control<CallRecord[]>('GET', 'calls'),
    clearCalls: () => control('DELETE', 'calls'),
    /** What changed at the vendors, in order. */
    changes: async () =>
      (await control<CallRecord[]>('GET', 'calls')).flatMap(({ changed }) => (changed ? [changed] : [])),
    state: <T>() => control<T>('GET', 'state'),
    traps: (traps: Record<string, unknown>) => control('POST', 'traps', traps),
    ticket: (ticket: Record<string, unknown>) => control<{ number: string; sys_id: string }>('POST', 'tickets', ticket),
    advance: (advanceMs: number) => control('POST', 'clock', { advanceMs }),
  };
}

export type VendorWorld = Awaited<ReturnType<typeof startVendorWorld>>;

/** Faults by name. `reads` and `changes` are what they must be called for the two kinds of operation. */
export const faults: {
  name: string;
  effect: Record<string, unknown>;
  when?: 'before' | 'after';
  times?: 'always';
  reads: ErrorCode;
  changes: ErrorCode;
}[] = [
  {
    name: '401',
    effect: { status: 401 },
    times: 'always',
    reads: 'LDP_NOT_AUTHENTICATED',
    changes: 'LDP_NOT_AUTHENTICATED',
  },
  { name: '403', effect: { status: 403 }, reads: 'LDP_NOT_PERMITTED', changes: 'LDP_NOT_PERMITTED' },
  { name: '404', effect: { status: 404 }, reads: 'LDP_NOT_FOUND', changes: 'LDP_NOT_FOUND' },
  { name: '409', effect: { status: 409 }, reads: 'LDP_CONFLICT', changes: 'LDP_CONFLICT' },
  {
    name: '429',
    effect: { status: 429, headers: { 'retry-after': '7' } },
    reads: 'LDP_RATE_LIMITED',
    changes: 'LDP_RATE_LIMITED',
  },
  { name: '503 before', effect: { status: 503 }, reads: 'LDP_SERVER_ERROR', changes: 'LDP_OUTCOME_UNKNOWN' },
  {
    name: '503 after',
    effect: { status: 503 },
    when: 'after',
    reads: 'LDP_SERVER_ERROR',
    changes: 'LDP_OUTCOME_UNKNOWN',
  },
  { name: 'time-out', effect: { hang: true }, reads: 'LDP_UNREACHABLE', changes: 'LDP_OUTCOME_UNKNOWN' },
  { name: 'reset before', effect: { reset: true }, reads: 'LDP_UNREACHABLE', changes: 'LDP_OUTCOME_UNKNOWN' },
  {
    name: 'reset after',
    effect: { reset: true },
    when: 'after',
    reads: 'LDP_UNREACHABLE',
    changes: 'LDP_OUTCOME_UNKNOWN',
  },
  { name: 'half a body', effect: { truncate: true }, reads: 'LDP_UNREACHABLE', changes: 'LDP_OUTCOME_UNKNOWN' },
  {
    name: 'garbage',
    effect: { status: 200, body: '<html>sign in to the hotel</html>' },
    reads: 'LDP_UNEXPECTED_ANSWER',
    changes: 'LDP_OUTCOME_UNKNOWN',
  },
];

/** How one operation is reached through its role, and where it differs from the table on purpose. */
export interface Exercise {
  /** Prefix of the path at the vendor. */
  path: string;
  run(): Promise<unknown>;
  /** Faults that this step takes for an answer, and which. */
  answers?: Record<string, unknown>;
}

/** Every operation of the plugin with every fault. An operation without an exercise is a failure of the suite. */
export function everyFault(operations: Operation[], exercises: Record<string, Exercise>) {
  return operations.flatMap((operation) =>
    faults.map((fault) => ({
      title: `${operation.name}: ${fault.name}`,
      operation,
      fault,
      exercise: exercises[operation.name],
    })),
  );
}

/** Expects that a call which is cancelled while this request of it hangs ends at once, with the canceller's own reason. */
export async function expectItsOwnReason(
  world: VendorWorld,
  match: Fault['match'],
  run: (call: Call) => Promise<unknown>,
): Promise<void> {
  const controller = new AbortController();
  const reason = new Error('cancelled');
  await world.fault({ match, effect: { hang: true } });
  const running = run({ ...call, signal: controller.signal });
  setTimeout(() => controller.abort(reason), 30);
  await expect(running).rejects.toBe(reason);
}
