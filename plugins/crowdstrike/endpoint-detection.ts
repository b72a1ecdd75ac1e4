/**
 * CrowdStrike Falcon as endpoint detection: one agent for each installation of its sensor.
 * @module
 */
import { z } from 'zod';
import { BadInput, OutcomeUnknown, VendorRefused } from '../errors';
import type { AgentRecord, Call, EndpointDetection, Platform } from '../roles';
import { createFalcon, equals, hostSchema, namesOf, operations, search, type Host } from './hosts';
import type { CrowdStrikeSettings } from './settings';

export function createEndpointDetection(settings: CrowdStrikeSettings): EndpointDetection {
  const falcon = createFalcon(settings);

  /** Agents whose state nobody was told are `unknown`. */
  async function withOnlineState(hosts: Host[], call: Call): Promise<AgentRecord[]> {
    if (hosts.length === 0) return [];
    const ids = hosts.slice(0, onlineStates).map((host) => host.device_id);
    const { body } = await falcon.request(operations.readOnlineState, {
      call,
      query: { ids },
      schema: onlineStateSchema,
    });
    const states = new Map((body.resources ?? []).map(({ id, state }) => [id, state]));
    return hosts.map((host) => agentOf(host, states.get(host.device_id)));
  }

  async function act(action: 'contain' | 'lift_containment', agent: AgentRecord, call: Call): Promise<void> {
    const { body } = await falcon.request(operations.act, {
      call,
      query: { action_name: action },
      json: { action_parameters: [], ids: [pinned(agent.id)] },
      schema: actedSchema,
    });
    if (body.resources?.some(({ id }) => id === agent.id)) return;
    const operation = `crowdstrike ${operations.act.name}`;
    throw body.errors?.some(({ code }) => code === 404)
      ? new VendorRefused('LDP_NOT_FOUND', `${operation}: there is no such agent (any more)`, { operation })
      : new OutcomeUnknown('LDP_OUTCOME_UNKNOWN', `${operation}: accepted, but not for this agent`, { operation });
  }

  return {
    settleMs: settings.settleMs,
    whileIsolated:
      'Only the CrowdStrike cloud and the IP addresses of the Falcon containment policy stay reachable: device management (so a ' +
      'wipe, too) and the Netskope client are cut off, unless their addresses stand there.',

    /** By serial, or by hostname where there is none. Compared again here, so that nothing else is ever taken for it. */
    async findAgents({ serial, hostname }, call) {
      const [field, wanted] = serial?.trim() ? (['serial_number', serial] as const) : (['hostname', hostname] as const);
      const value = wanted?.trim();
      if (!value) return [];
      const found: Host[] = [];
      for await (const row of search(falcon, equals(field, value), call)) {
        const parsed = hostSchema.safeParse(row);
        if (parsed.success && parsed.data[field]?.toLowerCase() === value.toLowerCase()) found.push(parsed.data);
      }
      found.sort((one, other) => (other.last_seen ?? '').localeCompare(one.last_seen ?? ''));
      return withOnlineState(found, call);
    },

    async readAgent(id, call) {
      const { status, body } = await falcon.request(operations.readHosts, {
        call,
        json: { ids: [pinned(id)] },
        schema: hostsSchema,
        accept: [404],
      });
      const host = status === 404 ? undefined : body.resources?.find((one) => one.device_id === id);
      return host && (await withOnlineState([host], call))[0];
    },

    async isolate(agent, _reason, call) {
      if (agent.isolation === 'isolated' || agent.isolation === 'being isolated') return;
      if (agent.isolation === 'being released') {
        throw new VendorRefused('LDP_CONFLICT', 'crowdstrike: its release is not through yet: wait until it is', {
          operation: `crowdstrike ${operations.act.name}`,
        });
      }
      await act('contain', agent, call);
    },

    async release(agent, _reason, call) {
      if (agent.isolation === 'none' || agent.isolation === 'being released') return;
      await act('lift_containment', agent, call);
    },
  };
}

/** Ids that one question after online states may carry: the address must not grow too long. */
const onlineStates = 100;

/** An agent id as Falcon makes them. Anything else never leaves: an action without an id must not find one by itself. */
function pinned(id: string): string {
  if (/^[0-9a-f]{32}$/i.test(id)) return id;
  throw new BadInput('LDP_BAD_INPUT', 'crowdstrike: an agent id is 32 hexadecimal digits', { field: 'id' });
}

const hostsSchema = z.object({ resources: z.array(hostSchema).nullish() });
const actedSchema = z.object({
  resources: z.array(z.object({ id: z.string() })).nullish(),
  errors: z.array(z.object({ code: z.number().nullish() })).nullish(),
});
const onlineStateSchema = z.object({
  resources: z.array(z.object({ id: z.string(), state: z.string().nullish() })).nullish(),
});

function agentOf(host: Host, online: string | null | undefined): AgentRecord {
  return {
    id: host.device_id,
    names: namesOf(host),
    platform: platforms[host.platform_name?.toLowerCase() ?? ''] ?? 'unknown',
    ...(host.last_seen !== undefined && { lastSeenAt: host.last_seen }),
    online: online === 'online' ? 'yes' : online === 'offline' ? 'no' : 'unknown',
    isolation: isolationOf(host.status),
  };
}

const platforms: Record<string, Platform> = {
  windows: 'windows',
  mac: 'macos',
  linux: 'linux',
  ios: 'ios',
  android: 'android',
  chromeos: 'chromeos',
};

/** Four values (public code of several integrations). Nothing, or a word of its own: it was not told to be isolated. */
export function isolationOf(status: string | undefined): AgentRecord['isolation'] {
  switch (status?.toLowerCase()) {
    case 'contained':
      return 'isolated';
    case 'containment_pending':
      return 'being isolated';
    case 'lift_containment_pending':
      return 'being released';
    default:
      return 'none';
  }
}
