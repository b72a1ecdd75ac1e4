/**
 * Microsoft Entra: the directory that may own the lost group, and that can end sessions and disable accounts. It also sees
 * who signs in at the device.
 * @module
 */
import { tried } from '../connection-test';
import type { AgentHosts, Plugin } from '../roles';
import { createDirectory } from './directory';
import { createGraph, operations } from './graph';
import { entraPrerequisites } from './prerequisites';
import { entraSettings, type EntraSettings } from './settings';
import { createSignInFeed } from './sign-ins';
import { readAnyDevice, readAnySignIn, readJobs, readLostGroup, readSecretEnd } from './readings';

/** Sign-in and device registration must stay reachable, or the device can never be told anything. */
const agentHostSources: AgentHosts[] = [
  {
    hosts: ['login.microsoftonline.com', 'device.login.microsoftonline.com', 'enterpriseregistration.windows.net'],
    region: 'all',
    source: 'https://learn.microsoft.com/azure/active-directory/devices/hybrid-azuread-join-managed-domains',
    date: '2025',
  },
];

/** `plugin: entra`. */
export const entra: Plugin<EntraSettings> = {
  name: 'entra',
  title: 'Microsoft Entra',
  roles: ['directory', 'feeds'],
  settings: entraSettings,
  operations: Object.values(operations),
  agentHosts: agentHostSources.flatMap(({ hosts }) => hosts),
  agentHostSources,
  create: (_instanceName, settings) => ({
    directory: createDirectory(settings),
    ...(settings.feeds.signIns && { feeds: [createSignInFeed(settings, settings.feeds.signIns)] }),
    prerequisites: (around) => entraPrerequisites(settings, around),
    async test(call) {
      const graph = createGraph(settings);
      const { lostGroupId, provisioning } = settings;
      const lines = [tried('sign-in and devices', () => readAnyDevice(graph, call))];
      if (lostGroupId !== undefined) lines.push(tried('lost group', () => readLostGroup(graph, lostGroupId, call)));
      if (provisioning) lines.push(tried('provisioning', () => readJobs(graph, provisioning.servicePrincipalId, call)));
      if (settings.feeds.signIns) lines.push(tried('sign-ins', () => readAnySignIn(graph, call)));
      lines.push(tried('client secret', () => readSecretEnd(graph, settings, call)));
      return Promise.all(lines);
    },
    close: async () => {},
  }),
};
