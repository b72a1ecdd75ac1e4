/**
 * Workflow ids: the business key is the identity, so that Temporal itself refuses a second case for the same device.
 * @module
 */
import type { TicketRef } from '../playbook/report';

export const taskQueues = { main: 'lost-device', watch: 'lost-device-watch' } as const;

export const workflowIds = {
  lostDevice: (tenant: string, serial: string) => `lost-device:${tenant}:${serial}`,
  triage: (tenant: string, ticket: TicketRef) => `lost-device-triage:${tenant}:${ticket.source}:${ticket.id}`,
  userHold: (tenant: string, user: string) => `lost-device-user-hold:${tenant}:${user.toLowerCase()}`,
  guard: (tenant: string) => `lost-device-guard:${tenant}`,
  fleetWatch: (tenant: string, plugin: string, feed: string) => `lost-device-fleet-watch:${tenant}:${plugin}:${feed}`,
  reconciliation: (tenant: string) => `lost-device-reconciliation:${tenant}`,
};

/** Whoever needs a tenant's guard starts it where there was none. */
export const startOfGuard = (tenant: string) => ({
  workflowId: workflowIds.guard(tenant),
  taskQueue: taskQueues.main,
  workflowIdConflictPolicy: 'USE_EXISTING' as const,
  args: [{ tenant, admitted: [] }],
});
