/**
 * Microsoft Graph as this plugin uses it: its operations and their answers.
 * @module
 */
import { z } from 'zod';
import { createGraphClient, identified, type GraphOperation } from '../graph';
import type { VendorClient } from '../http';
import type { EntraSettings } from './settings';

/** Least permissions are those of Microsoft's Graph documentation (application permissions). */
export const operations = {
  readUser: {
    name: 'users.get',
    method: 'GET',
    path: '/v1.0/users/{user}',
    changes: false,
    permission: 'User.Read.All',
  },
  listGroupsOfUser: {
    name: 'users.memberOf',
    method: 'GET',
    path: '/v1.0/users/{user}/memberOf',
    changes: false,
    permission: 'GroupMember.Read.All',
  },
  addMember: {
    name: 'groups.addMember',
    method: 'POST',
    path: '/v1.0/groups/{groupId}/members/$ref',
    changes: true,
    permission: 'GroupMember.ReadWrite.All',
  },
  removeMember: {
    name: 'groups.removeMember',
    method: 'DELETE',
    path: '/v1.0/groups/{groupId}/members/{userId}/$ref',
    changes: true,
    permission: 'GroupMember.ReadWrite.All',
  },
  readGroup: {
    name: 'groups.get',
    method: 'GET',
    path: '/v1.0/groups/{groupId}',
    changes: false,
    permission: 'GroupMember.Read.All',
  },
  revokeSessions: {
    name: 'users.revokeSignInSessions',
    method: 'POST',
    path: '/v1.0/users/{userId}/revokeSignInSessions',
    changes: true,
    permission: 'User.RevokeSessions.All',
  },
  updateUser: {
    name: 'users.update',
    method: 'PATCH',
    path: '/v1.0/users/{userId}',
    changes: true,
    permission: 'User.EnableDisableAccount.All and User.Read.All',
  },
  findDevices: {
    name: 'devices.list',
    method: 'GET',
    path: '/v1.0/devices',
    changes: false,
    permission: 'Device.Read.All',
  },
  updateDevice: {
    name: 'devices.update',
    method: 'PATCH',
    path: '/v1.0/devices/{deviceId}',
    changes: true,
    permission: 'Device.ReadWrite.All',
  },
  // Applications by their client id (application-get.md). An app may not read itself without the permission.
  readApplication: {
    name: 'applications.list',
    method: 'GET',
    path: '/v1.0/applications',
    changes: false,
    permission: 'Application.Read.All (only to be told before our own secret ends)',
  },
  listJobs: {
    name: 'synchronization.jobs',
    method: 'GET',
    path: '/v1.0/servicePrincipals/{servicePrincipalId}/synchronization/jobs',
    changes: false,
    permission: 'Synchronization.Read.All',
  },
  readJobSchema: {
    name: 'synchronization.schema',
    method: 'GET',
    path: '/v1.0/servicePrincipals/{servicePrincipalId}/synchronization/jobs/{jobId}/schema',
    changes: false,
    permission: 'Synchronization.Read.All',
  },
  provisionOnDemand: {
    name: 'synchronization.provisionOnDemand',
    method: 'POST',
    path: '/v1.0/servicePrincipals/{servicePrincipalId}/synchronization/jobs/{jobId}/provisionOnDemand',
    changes: true,
    permission: 'Synchronization.ReadWrite.All',
  },
  listSignIns: {
    name: 'auditLogs.signIns',
    method: 'GET',
    path: '/v1.0/auditLogs/signIns',
    changes: false,
    // The second one because of a check of the licence (signin-list.md).
    permission: 'AuditLog.Read.All and Directory.Read.All',
  },
} as const satisfies Record<string, GraphOperation>;

/** A client for Graph, at a pace of its own where one is given. */
export function createGraph(settings: EntraSettings, limit?: { requests: number; perMs: number }): VendorClient {
  return createGraphClient('entra', settings, limit && { limit });
}

// --- answers: Graph leaves out what is not selected, and sends null for what is not set -----------------------------

export const userSchema = z.object({
  id: z.string().min(1),
  userPrincipalName: z.string().nullish(),
  displayName: z.string().nullish(),
  accountEnabled: z.boolean().nullish(),
  signInSessionsValidFromDateTime: z.string().nullish(),
});

export const deviceSchema = z.object({
  id: z.string().min(1),
  displayName: z.string().nullish(),
  accountEnabled: z.boolean().nullish(),
  physicalIds: z.array(z.string()).nullish(),
});

export const groupSchema = z.object({
  id: z.string().min(1),
  displayName: z.string().nullish(),
  groupTypes: z.array(z.string()).nullish(),
  onPremisesSyncEnabled: z.boolean().nullish(),
  isAssignableToRole: z.boolean().nullish(),
});

export const jobSchemaSchema = z.object({ synchronizationRules: z.array(identified) });

export const revokedSchema = z.object({ value: z.boolean() }).optional();

/** Both fields are JSON inside a string (facts: provision-on-demand.md). */
export const provisionedSchema = z.object({ key: z.string(), value: z.string().nullish() });
