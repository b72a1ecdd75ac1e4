/**
 * How workflows name activities.
 * @module
 */
import type { ActivityInterfaceFor, ActivityOptions } from '@temporalio/workflow';
import { proxyActivities } from '@temporalio/workflow';

export const activityPrefix = 'lostDevice.';

/** Like `proxyActivities`, under the house's prefix. */
export function activitiesOf<T extends object>(options: ActivityOptions): ActivityInterfaceFor<T> {
  const prefixed = proxyActivities<Record<string, () => Promise<unknown>>>(options);
  return new Proxy({} as ActivityInterfaceFor<T>, {
    get: (_, name) => prefixed[activityPrefix + String(name)],
  });
}
