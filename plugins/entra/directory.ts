/**
 * Microsoft Entra as the directory.
 * @module
 */
import type { z } from 'zod';
import { VendorRefused } from '../errors';
import { identified, itemsOf, noContent, odataText } from '../graph';
import type { VendorClient } from '../http';
import type { Call, Directory, DirectoryAccount } from '../roles';
import {
  createGraph,
  deviceSchema,
  jobSchemaSchema,
  operations,
  provisionedSchema,
  revokedSchema,
  userSchema,
} from './graph';
import type { EntraSettings } from './settings';

/** On-demand provisioning takes five requests in ten seconds (facts: provision-on-demand.md). */
const provisioningPace = { requests: 5, perMs: 10_000 };

export function createDirectory(settings: EntraSettings): Directory {
  const graph = createGraph(settings);
  const provisioner = settings.provisioning && createProvisioner(graph, settings, settings.provisioning);
  const { lostGroupId: groupId } = settings;

  async function readAccount(user: string, call: Call): Promise<DirectoryAccount | undefined> {
    const { status, body } = await graph.request(operations.readUser, {
      call,
      params: { user },
      query: { $select: 'id,userPrincipalName,displayName,accountEnabled,signInSessionsValidFromDateTime' },
      schema: userSchema,
      accept: [404],
    });
    if (status === 404) return undefined;
    return {
      id: body.id,
      user: body.userPrincipalName ?? user,
      ...(body.displayName && { displayName: body.displayName }),
      // Graph leaves the field out where the app may not read it: then nothing says that the account is disabled.
      enabled: body.accountEnabled ?? true,
      ...(body.signInSessionsValidFromDateTime && { sessionsValidFrom: body.signInSessionsValidFromDateTime }),
    };
  }

  async function requireAccount(user: string, call: Call): Promise<DirectoryAccount> {
    const account = await readAccount(user, call);
    if (account) return account;
    throw new VendorRefused('LDP_NOT_FOUND', `entra: there is no user ${user}`, { operation: 'entra users.get' });
  }

  function requireGroup(): string {
    if (groupId !== undefined) return groupId;
    throw new VendorRefused('LDP_NOT_OFFERED', 'entra: the settings name no lostGroupId', {});
  }

  return {
    ...(groupId !== undefined && { hasLostGroup: true }),
    settleMs: settings.settleMs,
    provisioningCycleMs: settings.provisioningCycleMs,
    readAccount,

    /**
     * Direct membership only. `checkMemberGroups` would be shorter and also counts nested groups, which provisioning
     * does not read and from which nobody can be removed.
     */
    async readMembership(user, call) {
      if (groupId === undefined) return undefined;
      const groups = itemsOf(graph, operations.listGroupsOfUser, identified, {
        call,
        params: { user },
        query: { $select: 'id', $top: 999 },
        accept: [404],
      });
      for await (const { id } of groups) {
        if (id.toLowerCase() === groupId.toLowerCase()) return { isMember: true };
      }
      return { isMember: false };
    },

    async addToLostGroup(user, call) {
      const { id } = await requireAccount(user, call);
      try {
        await graph.request(operations.addMember, {
          call,
          params: { groupId: requireGroup() },
          json: { '@odata.id': `${settings.graphUrl}/v1.0/directoryObjects/${id}` },
          schema: noContent,
        });
      } catch (error) {
        // Already a member is what was wanted. The caller reads back, so a wrong guess here is found.
        const alreadyMember =
          error instanceof VendorRefused && error.details.status === 400 && /already exist/i.test(error.message);
        if (!alreadyMember) throw error;
      }
    },

    async removeFromLostGroup(user, call) {
      const { id: userId } = await requireAccount(user, call);
      // 404: not a member, which is what was wanted. The caller reads back.
      await graph.request(operations.removeMember, {
        call,
        params: { groupId: requireGroup(), userId },
        schema: noContent,
        accept: [404],
      });
    },

    async provisionNow(user, call) {
      if (!provisioner) return false;
      const { id } = await requireAccount(user, call);
      return provisioner(requireGroup(), id, call);
    },

    async revokeSessions(account, call) {
      const { body } = await graph.request(operations.revokeSessions, {
        call,
        params: { userId: account.id },
        schema: revokedSchema,
      });
      if (body?.value === false) {
        throw new VendorRefused('LDP_REFUSED', 'entra users.revokeSignInSessions: answered that nothing was revoked', {
          operation: 'entra users.revokeSignInSessions',
        });
      }
    },

    async setUserEnabled(account, enabled, call) {
      await graph.request(operations.updateUser, {
        call,
        params: { userId: account.id },
        json: { accountEnabled: enabled },
        schema: noContent,
      });
    },

    async findDirectoryDevices(device, call) {
      const { hostname, serial } = device;
      if (hostname === undefined) return [];
      const named: z.infer<typeof deviceSchema>[] = [];
      const devices = itemsOf(graph, operations.findDevices, deviceSchema, {
        call,
        query: {
          $filter: `displayName eq ${odataText(hostname)}`,
          $select: 'id,displayName,accountEnabled,physicalIds',
        },
      });
      for await (const found of devices) {
        if (found.displayName?.toLowerCase() === hostname.toLowerCase()) named.push(found);
      }
      // Old objects of a re-imaged laptop keep its name. Where some carry the serial, they alone are meant.
      const withSerial = named.filter(({ physicalIds }) => carriesSerial(physicalIds ?? [], serial));
      return (withSerial.length > 0 ? withSerial : named).map(({ id, displayName, accountEnabled }) => ({
        id,
        ...(displayName && { displayName }),
        enabled: accountEnabled ?? true,
      }));
    },

    async setDeviceEnabled(device, enabled, call) {
      await graph.request(operations.updateDevice, {
        call,
        params: { deviceId: device.id },
        json: { accountEnabled: enabled },
        schema: noContent,
      });
    },
  };
}

/** Physical ids read `[KIND]:value`. */
function carriesSerial(physicalIds: string[], serial: string | undefined): boolean {
  if (serial === undefined) return false;
  return physicalIds.some((text) => text.slice(text.indexOf(']:') + 2).toLowerCase() === serial.toLowerCase());
}

type Provisioner = (groupId: string, userId: string, call: Call) => Promise<boolean>;

/** Pushes one user's membership at once. It answers false for every refusal: the regular cycle carries it anyway. */
function createProvisioner(
  graph: VendorClient,
  settings: EntraSettings,
  { servicePrincipalId, jobId, ruleId }: NonNullable<EntraSettings['provisioning']>,
): Provisioner {
  const paced = createGraph(settings, provisioningPace);
  let known = jobId !== undefined && ruleId !== undefined ? { jobId, ruleId } : undefined;

  return async (groupId, userId, call) => {
    try {
      known ??= await findJobAndRule(graph, { servicePrincipalId, jobId, ruleId }, call);
      if (known === undefined) return false;
      const subject = {
        objectId: groupId,
        objectTypeName: 'Group',
        links: { members: [{ objectId: userId, objectTypeName: 'User' }] },
      };
      const { body } = await paced.request(operations.provisionOnDemand, {
        call,
        params: { servicePrincipalId, jobId: known.jobId },
        json: { parameters: [{ ruleId: known.ruleId, subjects: [subject] }] },
        schema: provisionedSchema,
      });
      return wasProvisioned(body);
    } catch (error) {
      if (error instanceof VendorRefused) return false;
      throw error;
    }
  };
}

async function findJobAndRule(
  graph: VendorClient,
  wanted: { servicePrincipalId: string; jobId: string | undefined; ruleId: string | undefined },
  call: Call,
): Promise<{ jobId: string; ruleId: string } | undefined> {
  const { servicePrincipalId } = wanted;
  let { jobId, ruleId } = wanted;
  if (jobId === undefined) {
    const ids: string[] = [];
    for await (const { id } of itemsOf(graph, operations.listJobs, identified, {
      call,
      params: { servicePrincipalId },
    })) {
      ids.push(id);
    }
    jobId = onlyOne(ids);
  }
  if (jobId === undefined) return undefined;
  if (ruleId === undefined) {
    const schema = await graph.request(operations.readJobSchema, {
      call,
      params: { servicePrincipalId, jobId },
      schema: jobSchemaSchema,
    });
    ruleId = onlyOne(schema.body.synchronizationRules.map(({ id }) => id));
  }
  return ruleId === undefined ? undefined : { jobId, ruleId };
}

function onlyOne(ids: string[]): string | undefined {
  return ids.length === 1 ? ids[0] : undefined;
}

/** Success, or skipped because it was already there. */
function wasProvisioned(answer: z.infer<typeof provisionedSchema>): boolean {
  let result: unknown;
  try {
    result = (JSON.parse(answer.key) as { result?: unknown } | null)?.result;
  } catch {
    return false;
  }
  if (result === 'Success') return true;
  return result === 'Skipped' && `${answer.key} ${answer.value ?? ''}`.includes('RedundantExport');
}
