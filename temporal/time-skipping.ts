/**
 * Time that can be skipped, on the real server (1.32 or newer): for the drill and the tests. Each workflow has a clock of its
 * own, which runs like ours until somebody moves it. Activities and children in flight are never skipped over.
 *
 * The SDK's messages carry these calls and its client does not offer them yet: this file is the only one that makes them.
 * @module
 */
import type { Client, WorkflowHandle } from '@temporalio/client';
import { msToTs, tsToMs } from '@temporalio/common/lib/time';
import { temporal } from '@temporalio/proto';

const { FastForwardPollingResult } = temporal.api.enums.v1;
/** The server's own limit of 200 skips is too low for a year of retries. */
const maxSessionSkipCount = 2_000;

/** From now on every workflow that is started over this client's connection skips time whenever nothing is in flight. */
export function skipTimeFromStart(client: Client): void {
  const service = client.connection.workflowService;
  const timeSkippingConfig = { enabled: true, maxSessionSkipCount };
  const start = service.startWorkflowExecution.bind(service);
  const signalWithStart = service.signalWithStartWorkflowExecution.bind(service);
  const multiOperation = service.executeMultiOperation.bind(service);
  const wrapped = {
    startWorkflowExecution: (request: Parameters<typeof start>[0]) => start({ ...request, timeSkippingConfig }),
    signalWithStartWorkflowExecution: (request: Parameters<typeof signalWithStart>[0]) =>
      signalWithStart({ ...request, timeSkippingConfig }),
    executeMultiOperation: (request: Parameters<typeof multiOperation>[0]) =>
      multiOperation({
        ...request,
        operations: (request.operations ?? []).map((operation) =>
          operation.startWorkflow
            ? { ...operation, startWorkflow: { ...operation.startWorkflow, timeSkippingConfig } }
            : operation,
        ),
      }),
  };
  Object.assign(service, wrapped);
}

/**
 * Moves one workflow's clock on by `durationMs`, through every timer on the way, and waits until it is there. From there
 * the clock runs like ours again. `point` names where the caller wants to be, and shows in the error. A timer that falls due
 * within the milliseconds that a task takes may be left behind, until the next one fires (seen with server 1.32.0).
 * @returns the workflow's clock at that point (epoch milliseconds).
 * @throws Error when the workflow ended before, or something in flight held it for 90 s.
 */
export async function fastForward(handle: WorkflowHandle, point: string, durationMs: number): Promise<number> {
  const fastForwardId = `${point} ${++points}`;
  const { service, target } = serviceOf(handle);
  await setTimeSkipping(handle, {
    enabled: true,
    maxSessionSkipCount,
    fastForwardConfig: { id: fastForwardId, duration: msToTs(durationMs) },
  });
  const { FAST_FORWARD_POLLING_RESULT_POLL_TIMEOUT: notYet } = FastForwardPollingResult;
  const endMs = Date.now() + reachWithinMs;
  const poll = () =>
    handle.client.connection.withDeadline(endMs, () =>
      service.pollWorkflowExecutionTimeSkipping({ ...target, fastForwardId }),
    );
  // The server ends each poll after a while, whether the workflow is there or not.
  let result = await poll();
  while (result.fastForwardPollingResult === notYet && Date.now() < endMs) result = await poll();
  if (result.fastForwardPollingResult !== FastForwardPollingResult.FAST_FORWARD_POLLING_RESULT_FAST_FORWARD_COMPLETED) {
    const outcome = FastForwardPollingResult[result.fastForwardPollingResult];
    throw new Error(`${handle.workflowId} did not get to "${point}": ${outcome} ${result.failedReason}`);
  }
  return tsToMs(result.fastForwardInfo?.targetTime);
}

/** Lets one workflow skip time from now on, to its end, whenever nothing is in flight. */
export async function skipTime(handle: WorkflowHandle): Promise<void> {
  await setTimeSkipping(handle, { enabled: true, maxSessionSkipCount });
}

let points = 0;
/** How long a workflow may take to get to a point (milliseconds). */
const reachWithinMs = 90_000;

async function setTimeSkipping(
  handle: WorkflowHandle,
  timeSkippingConfig: temporal.api.common.v1.ITimeSkippingConfig,
): Promise<void> {
  const { service, target } = serviceOf(handle);
  await service.updateWorkflowExecutionOptions({
    ...target,
    workflowExecutionOptions: { timeSkippingConfig },
    updateMask: { paths: ['time_skipping_config'] },
  });
}

function serviceOf(handle: WorkflowHandle) {
  return {
    service: handle.client.workflowService,
    target: { namespace: handle.client.options.namespace, workflowExecution: { workflowId: handle.workflowId } },
  };
}
