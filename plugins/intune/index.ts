/**
 * Microsoft Intune: finds, locks and wipes devices, and sees when they synchronise.
 * @module
 */
import { tried } from '../connection-test';
import { identified, itemsOf, type GraphOperation } from '../graph';
import type { VendorClient } from '../http';
import type { Call, Plugin } from '../roles';
import { createDeviceManagement } from './device-management';
import { createGraph, operations } from './graph';
import { createLastSeenFeed } from './last-seen';
import { intunePrerequisites } from './prerequisites';
import { intuneSettings, type IntuneSettings } from './settings';

/** `plugin: intune`. */
export const intune: Plugin<IntuneSettings> = {
  name: 'intune',
  title: 'Microsoft Intune',
  roles: ['deviceManagement', 'feeds'],
  settings: intuneSettings,
  operations: Object.values(operations),
  // memdocs intune-endpoints.md (2025-06) and support.apple.com HT210060; traffic to them must not be decrypted.
  agentHosts: [
    ...[
      '*.manage.microsoft.com',
      'manage.microsoft.com',
      '*.dm.microsoft.com',
      'enterpriseenrollment.manage.microsoft.com',
    ],
    ...['login.microsoftonline.com', 'login.live.com', 'account.live.com', 'graph.microsoft.com', 'graph.windows.net'],
    ...['enterpriseregistration.windows.net', 'certauth.enterpriseregistration.windows.net', 'go.microsoft.com'],
    ...['config.edge.skype.com', 'ecs.office.com', '*.do.dsp.mp.microsoft.com', '*.dl.delivery.mp.microsoft.com'],
    // They tell a Windows device, and an Apple one, that a command waits: without them it comes hours later.
    ...['*.notify.windows.com', '*.wns.windows.com', '*.push.apple.com'],
    ...['albert.apple.com', 'gs.apple.com', 'humb.apple.com', 'static.ips.apple.com', 'tbsc.apple.com'],
    ...['deviceenrollment.apple.com', 'deviceservices-external.apple.com', 'gdmf.apple.com', 'identity.apple.com'],
    ...['iprofiles.apple.com', 'mdmenrollment.apple.com', 'setup.icloud.com', 'vpp.itunes.apple.com'],
    ...['ocsp.apple.com', 'valid.apple.com'],
  ],
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
