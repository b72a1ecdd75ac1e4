/**
 * Asks the guard, many cases at once: one update is on its way at a time, and carries everything that waits.
 * @module
 */
import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { WithStartWorkflowOperation } from '@temporalio/client';
import type { Permit, PermitRequest } from '../playbook/permits';
import { VendorUnavailable } from '../plugins/errors';
import { taskQueues, workflowIds } from '../workflows/ids';
import type { Admission, AdmissionRequest } from '../workflows/messages';
import { admitContainments, permitCommand } from '../workflows/messages';

/** One update asks for at most this many cases. */
const batchSize = 200;
/** A worker that shuts down does not run the guard any more: its activities must not wait for it (milliseconds). */
const answerWithinMs = 10_000;

interface Waiting {
  request: AdmissionRequest;
  resolve(admission: Admission): void;
  reject(error: unknown): void;
}

/** The way to the guards of all tenants. Safe to repeat: the guard knows a case by its chain. */
export function createAdmissions(client: Client): (tenant: string, request: AdmissionRequest) => Promise<Admission> {
  const waiting = new Map<string, Waiting[]>();

  function ask(tenant: string, batch: Waiting[]): Promise<Admission[]> {
    return client.workflow.executeUpdateWithStart(admitContainments, {
      startWorkflowOperation: new WithStartWorkflowOperation('guard', {
        workflowId: workflowIds.guard(tenant),
        taskQueue: taskQueues.main,
        workflowIdConflictPolicy: 'USE_EXISTING',
        args: [{ tenant, admitted: [] }],
      }),
      updateId: randomUUID(),
      args: [batch.map(({ request }) => request)],
    });
  }

  async function carry(tenant: string, queue: Waiting[]): Promise<void> {
    while (queue.length > 0) {
      const batch = queue.splice(0, batchSize);
      try {
        const admissions = await client.withDeadline(Date.now() + answerWithinMs, () => ask(tenant, batch));
        batch.forEach(({ resolve, reject }, index) => {
          const admission = admissions[index];
          if (admission) resolve(admission);
          else reject(new Error('The guard answered for fewer cases than it was asked for'));
        });
      } catch (error) {
        const cause = error instanceof Error ? error : new Error(String(error));
        for (const { reject } of batch)
          reject(new VendorUnavailable('LDP_UNREACHABLE', 'The guard did not answer in time.', {}, { cause }));
      }
    }
    waiting.delete(tenant);
  }

  return (tenant, request) =>
    new Promise((resolve, reject) => {
      const queue = waiting.get(tenant);
      if (queue) {
        queue.push({ request, resolve, reject });
        return;
      }
      const first: Waiting[] = [{ request, resolve, reject }];
      waiting.set(tenant, first);
      void carry(tenant, first);
    });
}

/** Asks the guard for one permit. The guard knows each permit by its id: a repeat is harmless. */
export function createPermits(client: Client): (tenant: string, request: PermitRequest) => Promise<Permit> {
  return async (tenant, request) => {
    try {
      return await client.withDeadline(Date.now() + answerWithinMs, () =>
        client.workflow.executeUpdateWithStart(permitCommand, {
          startWorkflowOperation: new WithStartWorkflowOperation('guard', {
            workflowId: workflowIds.guard(tenant),
            taskQueue: taskQueues.main,
            workflowIdConflictPolicy: 'USE_EXISTING',
            args: [{ tenant, admitted: [] }],
          }),
          updateId: randomUUID(),
          args: [request],
        }),
      );
    } catch (cause) {
      throw new VendorUnavailable('LDP_UNREACHABLE', 'The guard did not answer in time.', {}, { cause });
    }
  };
}
