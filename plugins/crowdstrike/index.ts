/**
 * CrowdStrike Falcon: endpoint detection that can isolate a device, and a sensor that speaks whenever it is on.
 * @module
 */
import { tried } from '../connection-test';
import { epoch } from '../feed-reading';
import { anyAnswer, clockOf, letIn, mayCall, probed, readable, well } from '../prerequisites';
import type { AgentHosts, Call, Plugin, ProductPrerequisite } from '../roles';
import { createEndpointDetection } from './endpoint-detection';
import { createFalcon, operations, search, seenSince } from './hosts';
import { createLastSeenFeed } from './last-seen';
import { clouds, crowdstrikeSettings, type CrowdStrikeSettings } from './settings';

/** The vendor's own page needs a login; this one quotes it. */
const hostsOf = (region: keyof typeof clouds): AgentHosts => ({
  hosts: [...clouds[region].sensor],
  region,
  source: 'https://docs.actzero.ai/agent-prereqs',
  date: '2026-11',
});
const agentHostSources = (Object.keys(clouds) as (keyof typeof clouds)[]).map(hostsOf);

/** `plugin: crowdstrike`. */
export const crowdstrike: Plugin<CrowdStrikeSettings> = {
  name: 'crowdstrike',
  title: 'CrowdStrike Falcon',
  roles: ['endpointDetection', 'feeds'],
  settings: crowdstrikeSettings,
  operations: Object.values(operations),
  agentHosts: agentHostSources.flatMap(({ hosts }) => hosts),
  agentHostSources,
  create: (_instanceName, settings) => ({
    endpointDetection: createEndpointDetection(settings),
    agentHosts: [...clouds[settings.region].sensor],
    agentHostSources: [hostsOf(settings.region)],
    ...(settings.feeds.lastSeen && { feeds: [createLastSeenFeed(settings, settings.feeds.lastSeen)] }),
    prerequisites: () => prerequisitesOf(settings),
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

const page = 'Support and resources > API clients and keys > the client';
/** No sensor has this id. */
const nobody = '0'.repeat(32);

/** What must be so at Falcon. Nothing is changed. */
function prerequisitesOf(settings: CrowdStrikeSettings): ProductPrerequisite[] {
  const falcon = createFalcon(settings);
  const read = (call: Call, accept: number[] = []) =>
    falcon.request(operations.searchHosts, { call, query: { filter: seenSince(epoch(call.now)), limit: 1 }, accept });
  const after = 'crowdstrike-client';
  return [
    readable(
      {
        id: after,
        title: 'Falcon takes our API client',
        neededFor: 'Without it no host is seen, isolated or released.',
        setAt: `${page}, and region in the settings`,
      },
      (call) => letIn(() => read(call)),
    ),
    readable(
      {
        id: 'crowdstrike-clock',
        title: 'Its clock and ours agree',
        neededFor: 'When a sensor was last seen is compared by time.',
        setAt: 'The clock of this machine (NTP)',
        after,
      },
      async (call) => clockOf(await read(call, anyAnswer)),
    ),
    readable(
      {
        id: 'crowdstrike-hosts-read',
        title: 'We may read hosts',
        neededFor: 'A host that is not found is neither seen nor isolated.',
        setAt: `${page}: Hosts, Read`,
        after,
      },
      async (call) => {
        await read(call);
        return well('We may.');
      },
    ),
    probed(
      {
        id: 'crowdstrike-hosts-write',
        title: 'We may isolate hosts and release them',
        neededFor: 'Without it nothing is isolated, and nothing released.',
        setAt: `${page}: Hosts, Write`,
        after,
      },
      // The release: should there be such a host one day, it would lose nothing.
      (call) =>
        mayCall(() =>
          falcon.request(operations.act, {
            call,
            query: { action_name: 'lift_containment' },
            json: { action_parameters: [], ids: [nobody] },
          }),
        ),
    ),
  ];
}
