/**
 * The way to the guard: admissions of containments, many cases at once, and permits of what is destructive.
 * @module
 */
import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { WithStartWorkflowOperation } from '@temporalio/client';
import type { UpdateDefinition } from '@temporalio/common';
import type { Permit, PermitRequest } from '../playbook/permits';
import { VendorUnavailable } from '../plugins/errors';
import { startOfGuard } from '../workflows/ids';
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

/**
 * The question of each tenant that is on its way. A guard is asked one thing after the other: a server takes few updates of one
 * workflow at the same time (ten by default), and a burst of more has brought a guard to a standstill.
 */
const onTheirWay = new WeakMap<Client, Map<string, Promise<unknown>>>();

/**
 * Ask a tenant's guard. Safe to repeat: it knows what it was asked for by its own id, also after the server forgot the update.
 * @throws VendorUnavailable LDP_UNREACHABLE when it does not answer in time.
 */
function askGuard<Answer, Question>(
  client: Client,
  tenant: string,
  update: UpdateDefinition<Answer, [Question]>,
  question: Question,
): Promise<Answer> {
  const tenants = onTheirWay.get(client) ?? new Map<string, Promise<unknown>>();
  onTheirWay.set(client, tenants);
  const byMs = Date.now() + answerWithinMs;
  const ask = async () => {
    try {
      return await client.withDeadline(byMs, () =>
        client.workflow.executeUpdateWithStart(update, {
          startWorkflowOperation: new WithStartWorkflowOperation('guard', startOfGuard(tenant)),
          updateId: randomUUID(),
          args: [question],
        }),
      );
    } catch (cause) {
      throw new VendorUnavailable('LDP_UNREACHABLE', 'The guard did not answer in time.', {}, { cause });
    }
  };
  const answer = (tenants.get(tenant) ?? Promise.resolve()).then(ask, ask);
  tenants.set(tenant, answer);
  return answer;
}

/** The way to the guards of all tenants, many cases at once: one update is on its way, and carries everything that waits. */
export function createAdmissions(client: Client): (tenant: string, request: AdmissionRequest) => Promise<Admission> {
  const waiting = new Map<string, Waiting[]>();

  async function carry(tenant: string, queue: Waiting[]): Promise<void> {
    while (queue.length > 0) {
      const batch = queue.splice(0, batchSize);
      try {
        const requests = batch.map(({ request }) => request);
        const admissions = await askGuard(client, tenant, admitContainments, requests);
        batch.forEach(({ resolve, reject }, index) => {
          const admission = admissions[index];
          if (admission) resolve(admission);
          else reject(new Error('The guard answered for fewer cases than it was asked for'));
        });
      } catch (error) {
        for (const { reject } of batch) reject(error);
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

/** One permit. The guard knows each by its id: a repeat is harmless. */
export function createPermits(client: Client): (tenant: string, request: PermitRequest) => Promise<Permit> {
  return (tenant, request) => askGuard(client, tenant, permitCommand, request);
}
