/**
 * The guards of the tenants, as persons use them: stop everything destructive, let it go on, and look what was permitted.
 * @module
 */
import type { Client } from '@temporalio/client';
import {
  isGrpcServiceError,
  ServiceError,
  WithStartWorkflowOperation,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import type { UpdateDefinition } from '@temporalio/common';
import { ApplicationFailure } from '@temporalio/common';
import type { z } from 'zod';
import { clockTime } from '../playbook/clock-time';
import type { guardListSchema } from '../playbook/schemas/answers';
import type { TenantSettings } from '../playbook/settings';
import { VendorUnavailable } from '../plugins/errors';
import { startOfGuard, workflowIds } from '../workflows/ids';
import type { Decided, Decision, GuardState } from '../workflows/messages';
import { describeGuard, freeze, freezeNow, unfreeze } from '../workflows/messages';
import { ask } from './ask';
import { RefusedByRule } from './cases';
import { readDecision } from './decision';

export type GuardRow = z.infer<typeof guardListSchema>[number];

/** A guard answers in milliseconds: whoever waits longer than this must hear that nobody works (milliseconds). */
const decideWithinMs = 15_000;
const readWithinMs = 5_000;
const hourMs = 60 * 60_000;
const dayMs = 24 * hourMs;

export type Guards = ReturnType<typeof createGuards>;

/** @param tenants By name: their caps, and whether anything destructive leaves at all. */
export function createGuards(client: Client, tenants: Record<string, Pick<TenantSettings, 'wipe' | 'guard'>>) {
  /** Starts the guard where there was none, so that a freeze holds before the first case. */
  async function decide(
    tenant: string,
    update: UpdateDefinition<Decided, [Decision]>,
    decision: Decision,
  ): Promise<Decided> {
    try {
      return await client.withDeadline(Date.now() + decideWithinMs, () =>
        client.workflow.executeUpdateWithStart(update, {
          startWorkflowOperation: new WithStartWorkflowOperation('guard', startOfGuard(tenant)),
          updateId: decision.id,
          args: [decision],
        }),
      );
    } catch (error) {
      if (error instanceof WorkflowUpdateFailedError && error.cause instanceof ApplicationFailure)
        throw new RefusedByRule(error.cause.message);
      if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError || noWorkerAnswers(error))
        throw new VendorUnavailable(
          'LDP_UNREACHABLE',
          `No worker answered for ${tenant}, so nobody knows whether this holds. Nothing leaves while no worker runs, but what waits may leave when one starts: repeat this then, and look with \`lost-device guard\`.`,
        );
      throw error;
    }
  }

  async function readOne([tenant, limits]: [string, Pick<TenantSettings, 'wipe' | 'guard'>]): Promise<GuardRow> {
    const { dryRun, approvers, perHour, perDay } = limits.wipe;
    const known = { tenant, dryRun, approvers };
    let state: GuardState;
    try {
      state = await ask(client, workflowIds.guard(tenant), describeGuard, { withinMs: readWithinMs });
    } catch (error) {
      if (noWorkerAnswers(error))
        return {
          ...known,
          state: 'not known',
          says: 'No worker answers, so nobody knows what is frozen.',
          permits: [],
        };
      if (!(error instanceof WorkflowNotFoundError)) throw error;
      state = { tenant, admitted: [] };
    }
    const nowMs = Date.now();
    const within = (spanMs: number, list: { at: string }[]) =>
      list.filter(({ at }) => Date.parse(at) > nowMs - spanMs).length;
    const { wipes = [], frozen } = state.permits ?? {};
    return {
      ...known,
      state: frozen ? 'frozen' : 'open',
      says: frozen
        ? `Frozen by ${frozen.who} since ${clockTime(frozen.at)}: no wipe, lock or isolation leaves. ${frozen.reason}`
        : `Nothing is frozen.${dryRun ? ' Dry run: no wipe, lock or isolation leaves all the same.' : ''}`,
      ...(frozen && { frozen }),
      wipes: { lastHour: within(hourMs, wipes), perHour, lastDay: within(dayMs, wipes), perDay },
      containments: { lastHour: within(hourMs, state.admitted), perHour: limits.guard.containmentsPerHour },
      // A permit's id begins with the chain of its case: workflow id, tilde, run id.
      permits: wipes
        .filter(({ at }) => Date.parse(at) > nowMs - dayMs)
        .map(({ id, at }) => ({ id, workflowId: id.split('~')[0] ?? id, at })),
    };
  }

  return {
    /** Stop every wipe, lock and isolation of the tenant, also before a worker runs. Frozen already, it stays as it was. */
    async freeze(tenant: string, given: Decision): Promise<Decided> {
      const decision = readDecision(given);
      if (!decision.reason.trim()) throw new RefusedByRule('A freeze needs a reason.');
      await client.workflow.signalWithStart('guard', {
        ...startOfGuard(tenant),
        signal: freezeNow,
        signalArgs: [decision],
      });
      try {
        return await decide(tenant, freeze, decision);
      } catch (error) {
        if (!(error instanceof VendorUnavailable)) throw error;
        return {
          text: `Stored for ${tenant}: no worker runs now, and when one does, nothing leaves before it knows of the freeze.`,
        };
      }
    },
    unfreeze: async (tenant: string, decision: Decision) => decide(tenant, unfreeze, readDecision(decision)),
    /** One row for each tenant of the settings. Without a worker, the rows say that nobody knows. */
    read: (): Promise<GuardRow[]> => Promise.all(Object.entries(tenants).map(readOne)),
  };
}

/**
 * Nobody took it up: our time was over, or the server gave up before. The server words that in several ways, depending on
 * where it waited.
 */
function noWorkerAnswers(error: unknown): boolean {
  const cause = error instanceof ServiceError ? error.cause : error;
  return isGrpcServiceError(cause) && nobodyCame.includes(Number(cause.code));
}

/** gRPC: CANCELLED, DEADLINE_EXCEEDED, FAILED_PRECONDITION (no poller was seen lately). */
const nobodyCame = [1, 4, 9];
