/**
 * Microsoft Graph as this plugin uses it: its operations, its answers, and the one guard that it must never be without.
 * @module
 */
import { z } from 'zod';
import { VendorRefused } from '../errors';
import { createVendorClient, type VendorClient } from '../http';
import type { Call, Operation } from '../roles';
import type { EntraSettings } from './settings';

/**
 * A `DELETE` on Graph that does not end in `/$ref` deletes the object itself: the user instead of the membership. So the
 * type knows no other DELETE, and the client sends no other.
 */
export type GraphOperation =
  | (Operation & { method: Exclude<Operation['method'], 'DELETE'> })
  | (Operation & { method: 'DELETE'; path: `${string}/$ref` });

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

/** A client for Graph with client credentials. */
export function createGraph(settings: EntraSettings, limit?: { requests: number; perMs: number }): VendorClient {
  return onlyReferencesAreDeleted(
    createVendorClient({
      vendor: 'entra',
      baseUrl: settings.graphUrl,
      auth: {
        kind: 'client-credentials',
        tokenUrl: `${settings.loginUrl}/${settings.directoryTenant}/oauth2/v2.0/token`,
        clientId: settings.clientId,
        clientSecret: settings.clientSecret,
        scope: `${settings.graphUrl}/.default`,
      },
      timeoutMs: settings.timeoutMs,
      ...(limit && { limit }),
    }),
  );
}

/**
 * Refuse every DELETE that could delete an object. A link or a query would replace or hide the end of the path, so a
 * DELETE has neither; values in the path are encoded by the client and cannot be empty.
 */
export function onlyReferencesAreDeleted(client: VendorClient): VendorClient {
  return {
    async request(operation, options) {
      const safe = operation.path.endsWith('/$ref') && options.url === undefined && options.query === undefined;
      if (operation.method === 'DELETE' && !safe) {
        throw new VendorRefused('LDP_REFUSED', `entra ${operation.name}: a DELETE without /$ref deletes the object`, {
          operation: `entra ${operation.name}`,
        });
      }
      return client.request(operation, options);
    },
  };
}

/** No list read here is longer (pages): a vendor that goes round in circles must not keep us. */
const mostPages = 100;

/** The items of a list, page by page, as far as the caller wants them. None where its status is in `accept`. */
export async function* itemsOf<T>(
  graph: VendorClient,
  operation: GraphOperation,
  item: z.ZodType<T>,
  asked: {
    call: Call;
    params?: Record<string, string>;
    query?: Record<string, string | number>;
    accept?: number[];
  },
): AsyncGenerator<T, void, undefined> {
  const { query, ...rest } = asked;
  const schema = z.object({ value: z.array(item), '@odata.nextLink': z.string().nullish() });
  let url: string | undefined;
  for (let page = 0; page < mostPages; page += 1) {
    const where = url === undefined ? { ...(query && { query }) } : { url };
    const { status, body } = await graph.request(operation, { ...rest, ...where, schema });
    if (asked.accept?.includes(status)) return;
    yield* body.value;
    url = body['@odata.nextLink'] ?? undefined;
    if (url === undefined) return;
  }
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

/** 204 by the documentation. Whatever JSON may come one day is fine; a page of some proxy is not. */
export const noContent = z.unknown();

export const identified = z.object({ id: z.string().min(1) });

export const jobSchemaSchema = z.object({ synchronizationRules: z.array(identified) });

export const revokedSchema = z.object({ value: z.boolean() }).optional();

/** Both fields are JSON inside a string (facts: provision-on-demand.md). */
export const provisionedSchema = z.object({ key: z.string(), value: z.string().nullish() });
