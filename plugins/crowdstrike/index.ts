/**
 * CrowdStrike Falcon: endpoint detection that can isolate a device, and a sensor that speaks whenever it is on.
 * @module
 */
import { tried } from '../connection-test';
import { epoch } from '../feed-reading';
import type { Plugin } from '../roles';
import { createEndpointDetection } from './endpoint-detection';
import { createFalcon, operations, search, seenSince } from './hosts';
import { createLastSeenFeed } from './last-seen';
import { clouds, crowdstrikeSettings, type CrowdStrikeSettings } from './settings';

/** `plugin: crowdstrike`. */
export const crowdstrike: Plugin<CrowdStrikeSettings> = {
  name: 'crowdstrike',
  title: 'CrowdStrike Falcon',
  roles: ['endpointDetection', 'feeds'],
  settings: crowdstrikeSettings,
  operations: Object.values(operations),
  agentHosts: Object.values(clouds).flatMap(({ sensor }) => sensor),
  create: (_instanceName, settings) => ({
    endpointDetection: createEndpointDetection(settings),
    agentHosts: [...clouds[settings.region].sensor],
    ...(settings.feeds.lastSeen && { feeds: [createLastSeenFeed(settings, settings.feeds.lastSeen)] }),
    test: async (call) => [
      await tried('hosts', async () => {
        const { done } = await search(createFalcon(settings), seenSince(epoch(call.now) - daySeconds), call).next();
        if (done) return { remedy: 'No sensor was seen for a day: is this the right region and customer?' };
        return { detail: 'We are let in, and may read hosts. Whether we may isolate shows only when we do.' };
      }),
    ],
    close: async () => {},
  }),
};

const daySeconds = 86_400;
