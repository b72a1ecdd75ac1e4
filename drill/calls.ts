/**
 * Who would have been called: read from the histories of the case, where each call stands with what it was given and what
 * it answered.
 * @module
 */
import type { Client } from '@temporalio/client';
import { decodeFromPayloadsAtIndex } from '@temporalio/common/lib/internal-non-workflow';
import type { temporal } from '@temporalio/proto';
import type { CallPeopleAnswer, CallPeopleInput } from '../activities/people';
import { activityPrefix } from '../workflows/activity-names';

/** One time that people were to be called. */
export interface CallMade extends CallPeopleInput {
  answer: CallPeopleAnswer;
}

/** All calls of a case over all of its runs, in order. A call that never came home is left out. */
export async function readCalls(client: Client, workflowId: string): Promise<CallMade[]> {
  const converter = client.options.loadedDataConverter;
  const read = <T>(payloads: temporal.api.common.v1.IPayloads | null | undefined) =>
    decodeFromPayloadsAtIndex<T>(converter, 0, payloads?.payloads);
  const calls: CallMade[] = [];
  let runId: string | undefined = (await client.workflow.getHandle(workflowId).describe()).runId;
  while (runId) {
    const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
    const begun = new Map<string, CallPeopleInput>();
    const ofRun: CallMade[] = [];
    for (const event of events ?? []) {
      const scheduled = event.activityTaskScheduledEventAttributes;
      if (scheduled?.activityType?.name === `${activityPrefix}callPeople`)
        begun.set(String(event.eventId), await read(scheduled.input));
      const completed = event.activityTaskCompletedEventAttributes;
      const call = begun.get(String(completed?.scheduledEventId));
      if (completed && call) ofRun.push({ ...call, answer: await read(completed.result) });
    }
    calls.unshift(...ofRun);
    runId = events?.[0]?.workflowExecutionStartedEventAttributes?.continuedExecutionRunId ?? undefined;
  }
  return calls;
}
