/**
 * One per tenant and feed: keeps a watch running and its place safe. All the looking is the activity's.
 * @module
 */
import { continueAsNew, isCancellation, sleep } from '@temporalio/workflow';
import type { PlaybookActivities } from '../activities';
import type { WatchPlace } from '../playbook/feed-health';
import { activitiesOf } from './activity-names';
import { taskQueues } from './ids';

export interface FleetWatchInput extends WatchPlace {
  tenant: string;
  plugin: string;
  feed: string;
}

/** Shifts of an hour each; a shift that dies is taken up from its last heartbeat. */
const { watchFeed } = activitiesOf<Pick<PlaybookActivities, 'watchFeed'>>({
  taskQueue: taskQueues.watch,
  startToCloseTimeout: '75 minutes',
  heartbeatTimeout: '30 seconds',
  retry: { initialInterval: '1 second', maximumInterval: '1 minute' },
});

const shiftsPerRun = 48;

export async function fleetWatch({ tenant, plugin, feed, ...given }: FleetWatchInput): Promise<void> {
  let place: WatchPlace = given;
  for (let shift = 0; shift < shiftsPerRun; shift += 1) {
    try {
      place = await watchFeed({ tenant, plugin, feed, ...place });
    } catch (error) {
      if (isCancellation(error)) throw error;
      // The feed is not in the settings any more, or the shift outlived its bounds: look again in a minute.
      await sleep('1 minute');
    }
  }
  return continueAsNew<typeof fleetWatch>({ tenant, plugin, feed, ...place });
}
