/**
 * What runs for a tenant without any case: one watch per feed, and the reconciliation of tickets.
 * @module
 */
import { ScheduleAlreadyRunning, ScheduleOverlapPolicy } from '@temporalio/client';
import type { House } from './activities/house';
import { taskQueues, workflowIds } from './workflows/ids';

/**
 * Make sure that it is there, as the settings say it. Safe to repeat by every process; it waits for a worker by itself.
 * @returns The ids of the watches and schedules.
 */
export async function startStandingWork(house: Pick<House, 'client' | 'tenants'>): Promise<string[]> {
  const ids: string[] = [];
  for (const tenant of house.tenants.values()) {
    for (const { plugin, feed } of tenant.feeds) {
      const workflowId = workflowIds.fleetWatch(tenant.name, plugin, feed.name);
      await house.client.workflow.start('fleetWatch', {
        workflowId,
        taskQueue: taskQueues.main,
        workflowIdConflictPolicy: 'USE_EXISTING',
        args: [{ tenant: tenant.name, plugin, feed: feed.name }],
        staticSummary: `Watch of ${plugin}/${feed.name}`,
      });
      ids.push(workflowId);
    }
    const scheduleId = workflowIds.reconciliation(tenant.name);
    const every = tenant.settings.reconciliation.everyMs;
    const action = {
      type: 'startWorkflow' as const,
      workflowType: 'reconciliation',
      workflowId: scheduleId,
      taskQueue: taskQueues.main,
      args: [{ tenant: tenant.name }],
    };
    const policies = { overlap: ScheduleOverlapPolicy.SKIP };
    try {
      await house.client.schedule.create({ scheduleId, spec: { intervals: [{ every }] }, action, policies });
    } catch (error) {
      if (!(error instanceof ScheduleAlreadyRunning)) throw error;
      await house.client.schedule
        .getHandle(scheduleId)
        .update((known) => ({ ...known, spec: { intervals: [{ every }] }, action, policies }));
    }
    ids.push(scheduleId);
  }
  return ids;
}
