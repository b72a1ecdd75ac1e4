/**
 * Microsoft Entra: the directory that may own the lost group, and that can end sessions and disable accounts. It also sees
 * who signs in at the device.
 * @module
 */
import { tried } from '../connection-test';
import { identified, itemsOf } from '../graph';
import type { VendorClient } from '../http';
import type { Call, Plugin } from '../roles';
import { createDirectory } from './directory';
import { createGraph, deviceSchema, groupSchema, operations } from './graph';
import { entraSettings, type EntraSettings } from './settings';
import { createSignInFeed } from './sign-ins';

/** `plugin: entra`. */
export const entra: Plugin<EntraSettings> = {
  name: 'entra',
  title: 'Microsoft Entra',
  roles: ['directory', 'feeds'],
  settings: entraSettings,
  operations: Object.values(operations),
  // Sign-in and device registration must stay reachable, or the device can never be told anything.
  agentHosts: ['login.microsoftonline.com', 'device.login.microsoftonline.com', 'enterpriseregistration.windows.net'],
  create: (_instanceName, settings) => ({
    directory: createDirectory(settings),
    ...(settings.feeds.signIns && { feeds: [createSignInFeed(settings, settings.feeds.signIns)] }),
    async test(call) {
      const graph = createGraph(settings);
      const { lostGroupId, provisioning } = settings;
      const lines = [tried('sign-in and devices', () => readAnyDevice(graph, call))];
      if (lostGroupId !== undefined) lines.push(tried('lost group', () => readLostGroup(graph, lostGroupId, call)));
      if (provisioning) lines.push(tried('provisioning', () => readJobs(graph, provisioning.servicePrincipalId, call)));
      if (settings.feeds.signIns) lines.push(tried('sign-ins', () => readAnySignIn(graph, call)));
      return Promise.all(lines);
    },
    close: async () => {},
  }),
};

async function readAnyDevice(graph: VendorClient, call: Call) {
  const devices = itemsOf(graph, operations.findDevices, deviceSchema, { call, query: { $top: 1, $select: 'id' } });
  await devices.next();
  return { detail: 'We are let in, and may read devices.' };
}

/** Groups whose members Graph does not let anybody write (facts: group-post-members.md). */
async function readLostGroup(graph: VendorClient, groupId: string, call: Call) {
  const { body } = await graph.request(operations.readGroup, {
    call,
    params: { groupId },
    query: { $select: 'id,displayName,groupTypes,onPremisesSyncEnabled,isAssignableToRole' },
    schema: groupSchema,
  });
  const name = body.displayName ?? groupId;
  if (body.groupTypes?.includes('DynamicMembership')) {
    return { remedy: `${name} fills itself by a rule and takes no members: use an assigned group.` };
  }
  if (body.onPremisesSyncEnabled) {
    return { remedy: `${name} is synchronised from the local directory: use a group that lives in the cloud.` };
  }
  if (body.isAssignableToRole) {
    return { remedy: `${name} can carry roles, which needs RoleManagement.ReadWrite.Directory: use a plain group.` };
  }
  return { detail: `${name} is there, and its members can be written.` };
}

async function readJobs(graph: VendorClient, servicePrincipalId: string, call: Call) {
  const ids: string[] = [];
  const jobs = itemsOf(graph, operations.listJobs, identified, { call, params: { servicePrincipalId } });
  for await (const { id } of jobs) ids.push(id);
  if (ids.length === 0) return { remedy: 'The application has no provisioning job: set provisioning up in Entra.' };
  return { detail: `The application pushes by ${ids.join(', ')}.` };
}

async function readAnySignIn(graph: VendorClient, call: Call) {
  await itemsOf(graph, operations.listSignIns, identified, { call, query: { $top: 1 } }).next();
  return { detail: 'The sign-in log can be read.' };
}
