/**
 * Microsoft Intune: finds, locks and wipes devices, and sees when they synchronise.
 * @module
 */
import { tried } from '../connection-test';
import { identified, itemsOf, type GraphOperation } from '../graph';
import type { VendorClient } from '../http';
import type { AgentHosts, Call, Plugin } from '../roles';
import { createDeviceManagement } from './device-management';
import { createGraph, operations } from './graph';
import { createLastSeenFeed } from './last-seen';
import { intunePrerequisites } from './prerequisites';
import { intuneSettings, type IntuneSettings } from './settings';

/**
 * Traffic to them must not be decrypted. The push hosts tell a device that a command waits: without them it comes hours later.
 */
const agentHostSources: AgentHosts[] = [
  {
    hosts: [
      '*.manage.microsoft.com',
      'manage.microsoft.com',
      '*.dm.microsoft.com',
      'enterpriseenrollment.manage.microsoft.com',
      'login.microsoftonline.com',
      'login.live.com',
      'account.live.com',
      'graph.microsoft.com',
      'graph.windows.net',
      'enterpriseregistration.windows.net',
      'certauth.enterpriseregistration.windows.net',
      'go.microsoft.com',
      'config.edge.skype.com',
      'ecs.office.com',
      '*.do.dsp.mp.microsoft.com',
      '*.dl.delivery.mp.microsoft.com',
      '*.notify.windows.com',
      '*.wns.windows.com',
    ],
    region: 'all',
    source: 'https://learn.microsoft.com/intune/intune-service/fundamentals/intune-endpoints',
    date: '2025-06',
  },
  {
    hosts: [
      '*.push.apple.com',
      'albert.apple.com',
      'gs.apple.com',
      'humb.apple.com',
      'static.ips.apple.com',
      'tbsc.apple.com',
      'deviceenrollment.apple.com',
      'deviceservices-external.apple.com',
      'gdmf.apple.com',
      'identity.apple.com',
      'iprofiles.apple.com',
      'mdmenrollment.apple.com',
      'setup.icloud.com',
      'vpp.itunes.apple.com',
      'ocsp.apple.com',
      'valid.apple.com',
    ],
    region: 'all',
    // Apple gives its page no date that we know: read for this list.
    source: 'https://support.apple.com/HT210060',
    date: '2026-11',
  },
];

/** `plugin: intune`. */
export const intune: Plugin<IntuneSettings> = {
  name: 'intune',
  title: 'Microsoft Intune',
  roles: ['deviceManagement', 'feeds'],
  settings: intuneSettings,
  operations: Object.values(operations),
  agentHosts: agentHostSources.flatMap(({ hosts }) => hosts),
  agentHostSources,
  create: (_instanceName, settings) => ({
    deviceManagement: createDeviceManagement(settings),
    feeds: [createLastSeenFeed(settings, settings.feeds.lastSeen)],
    prerequisites: () => intunePrerequisites(settings),
    async test(call) {
      const graph = createGraph(settings);
      return Promise.all([
        tried('sign-in and devices', () =>
          readAny(graph, operations.listDevices, call, 'We are let in, and may read devices.'),
        ),
        tried('second administrators', () =>
          readAny(graph, operations.listApprovals, call, 'Approvals can be followed, where a policy asks for them.'),
        ),
        tried('approval policies', () =>
          readAny(graph, operations.listApprovalPolicies, call, 'Whether a policy asks for approvals can be read.'),
        ),
        tried('clean-up rules', () => readAny(graph, operations.listCleanUpRules, call, 'Clean-up rules can be read.')),
      ]);
    },
    close: async () => {},
  }),
};

/** Whether commands may be sent shows only when one is sent. */
async function readAny(graph: VendorClient, operation: GraphOperation, call: Call, detail: string) {
  await itemsOf(graph, operation, identified, { call, query: { $top: 1 } }).next();
  return { detail };
}
