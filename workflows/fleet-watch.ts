/**
 * One per tenant and feed: keeps a watch running and its watermark safe. All the looking is the activity's.
 * @module
 */
import { continueAsNew, isCancellation, sleep } from '@temporalio/workflow';
import type { PlaybookActivities } from '../activities';
import { activitiesOf } from './activity-names';
import { taskQueues } from './ids';

export interface FleetWatchInput {
  tenant: string;
  plugin: string;
  feed: string;
  watermark?: string;
  sweptAt?: string;
}

/** Shifts of an hour each; a shift that dies is taken up from its last heartbeat. */
const { watchFeed } = activitiesOf<Pick<PlaybookActivities, 'watchFeed'>>({
  taskQueue: taskQueues.watch,
  startToCloseTimeout: '75 minutes',
  heartbeatTimeout: '30 seconds',
  retry: { initialInterval: '1 second', maximumInterval: '1 minute' },
});

const shiftsPerRun = 48;

export async function fleetWatch(input: FleetWatchInput): Promise<void> {
  let place: Pick<FleetWatchInput, 'watermark' | 'sweptAt'> = {
    ...(input.watermark !== undefined && { watermark: input.watermark }),
    ...(input.sweptAt !== undefined && { sweptAt: input.sweptAt }),
  };
  for (let shift = 0; shift < shiftsPerRun; shift += 1) {
    try {
      place = await watchFeed({ ...input, ...place });
    } catch (error) {
      if (isCancellation(error)) throw error;
      // The feed is not in the settings any more, or the shift outlived its bounds: look again in a minute.
      await sleep('1 minute');
    }
  }
  return continueAsNew<typeof fleetWatch>({ ...input, ...place });
}
