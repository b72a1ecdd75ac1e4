/**
 * Whom a watch looks for: the running cases, as visibility shows them.
 *
 * Visibility is only eventually consistent. Were a case that one look misses taken for closed, its feed would lose its place,
 * and a case that was told of a blindness might never hear that it is over. So gone is what two looks in a row did not show.
 * @module
 */
import type { WatchedDevice } from '../plugins/roles';

export interface WatchedCases {
  devices: WatchedDevice[];
  /** Workflow ids of those that the last look did not show any more. */
  missed: ReadonlySet<string>;
}

export const nobodyYet: WatchedCases = { devices: [], missed: new Set() };

/** After one more look at visibility. */
export function afterLook({ devices, missed }: WatchedCases, shown: WatchedDevice[]): WatchedCases {
  const found = new Set(shown.map(({ workflowId }) => workflowId));
  const missing = devices.filter(({ workflowId }) => !found.has(workflowId) && !missed.has(workflowId));
  return { devices: [...shown, ...missing], missed: new Set(missing.map(({ workflowId }) => workflowId)) };
}
