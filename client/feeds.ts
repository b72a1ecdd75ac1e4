/**
 * How every feed fares, read from the last heartbeat of its watch. The server answers that by itself: it needs no worker,
 * and so it can say that there is none.
 * @module
 */
import type { Client, WorkflowExecutionDescription } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/client';
import { decodeFromPayloadsAtIndex } from '@temporalio/common/lib/internal-non-workflow';
import { temporal } from '@temporalio/proto';
import type { z } from 'zod';
import { clockTime } from '../playbook/clock-time';
import { feedState, idle, type WatchPlace } from '../playbook/feed-health';
import type { feedListSchema } from '../playbook/schemas/answers';
import { workflowIds } from '../workflows/ids';

export type FeedRow = z.infer<typeof feedListSchema>[number];

/** One feed of the settings. */
export interface WatchName {
  tenant: string;
  plugin: string;
  feed: string;
}

/** How long the server may take for all of them (milliseconds). */
const answerWithinMs = 10_000;

/** One row for each feed, in the order given. */
export function readFeeds(client: Client, watches: WatchName[]): Promise<FeedRow[]> {
  return client.withDeadline(Date.now() + answerWithinMs, () =>
    Promise.all(watches.map(async (watch) => rowOf(watch, await lookAt(client, watch), Date.now()))),
  );
}

interface Watch {
  /** Somebody gave a sign within the heartbeat time-out. */
  isRunning: boolean;
  place: WatchPlace;
  /** Why nobody does, where that is known. */
  because?: string;
}

async function lookAt(client: Client, { tenant, plugin, feed }: WatchName): Promise<Watch> {
  let found: WorkflowExecutionDescription;
  try {
    found = await client.workflow.getHandle(workflowIds.fleetWatch(tenant, plugin, feed)).describe();
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
    return { isRunning: false, place: {}, because: 'It was never started: a worker with these settings does it.' };
  }
  if (found.status.name !== 'RUNNING')
    return { isRunning: false, place: {}, because: 'Somebody ended it: the next worker that starts begins it again.' };
  const [shift] = found.raw.pendingActivities ?? [];
  // Without an answer in time the server takes the shift away from its worker, and it waits for one.
  const isRunning = shift?.state === temporal.api.enums.v1.PendingActivityState.PENDING_ACTIVITY_STATE_STARTED;
  const payloads = shift?.heartbeatDetails?.payloads;
  const place = payloads?.length
    ? await decodeFromPayloadsAtIndex<WatchPlace>(client.options.loadedDataConverter, 0, payloads)
    : {};
  return { isRunning, place, ...(!isRunning && { because: 'No worker runs it: is one there, with these settings?' }) };
}

function rowOf(watch: WatchName, { isRunning, place, because }: Watch, nowMs: number): FeedRow {
  const health = place.health ?? idle;
  const { lastSuccessAt, newestRecordAt, failingSince, blindSince, error, putAside, watched } = health;
  const state = isRunning ? feedState(health) : 'not running';
  return {
    ...watch,
    state,
    says: because ?? inWords[state](health),
    ...(lastSuccessAt !== undefined && { lastSuccessAt }),
    ...(newestRecordAt !== undefined && { newestRecordAt, lagMs: Math.max(0, nowMs - Date.parse(newestRecordAt)) }),
    ...(failingSince !== undefined && { failingSince }),
    ...(blindSince !== undefined && { blindSince }),
    ...(error && { error }),
    putAside,
    watched,
  };
}

const inWords: Record<FeedRow['state'], (health: typeof idle) => string> = {
  ok: () => 'It is read.',
  idle: () => 'No open case has a device that it could see, so it is not asked.',
  failing: ({ failingSince = '', failures }) =>
    `It cannot be read since ${clockTime(failingSince)}; tried ${failures === 1 ? 'once' : `${failures} times`}.`,
  blind: ({ blindSince = '', watched }) =>
    `It cannot be read, and saw nothing since ${clockTime(blindSince)}. It concerns ${watched === 1 ? 'one case' : `${watched} cases`}.`,
  'not running': () => 'No worker runs it.',
};
