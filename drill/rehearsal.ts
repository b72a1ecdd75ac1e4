/**
 * The products of a drill: every plugin instance of the settings under its own name and in its own roles, played in this
 * process. Nothing is called and nothing leaves; what would have been done is written down.
 *
 * The real instance is made without its secrets, and asked for what it is (which feeds, which offers, how long it settles),
 * never for what it does.
 * @module
 */
import { once } from 'node:events';
import { nothingKnown } from '../playbook/report';
import type { TenantSettings } from '../playbook/settings';
import { createPlugins, type NamedPlugin } from '../plugins';
import type {
  Archive,
  Call,
  CommandProgress,
  DeviceManagement,
  Directory,
  EndpointDetection,
  Notifier,
  PluginInstance,
  SecretStore,
  SecureAccess,
  SightingFeed,
  TicketDesk,
} from '../plugins/roles';
import type { FeedKind, Laptop } from './laptop';

/** A feed is asked again so soon (milliseconds of our own clock): it answers when there is news. */
const pollEveryMs = 100;

/** Make the players of one tenant's products. @throws BadInput as `createPlugins`. */
export function rehearse(parts: TenantSettings['plugins'], laptop: Laptop): Map<string, NamedPlugin> {
  const instances = createPlugins(parts);
  const groupIsPushed = [...instances.values()].some(({ directory }) => directory?.hasLostGroup);
  if (groupIsPushed) laptop.groupOwner = 'directory';
  return new Map(
    [...instances].map(([name, real]) => [
      name,
      {
        name,
        plugin: real.plugin,
        ...(real.agentHosts && { agentHosts: real.agentHosts }),
        ...playRoles(name, real, laptop),
        test: () => Promise.resolve([]),
        close: () => real.close(),
      },
    ]),
  );
}

function playRoles(name: string, real: PluginInstance, laptop: Laptop): Omit<PluginInstance, 'test' | 'close'> {
  const { secureAccess, directory, deviceManagement, endpointDetection, ticketDesk, notifier, feeds } = real;
  return {
    ...(secureAccess && { secureAccess: playSecureAccess(name, secureAccess, laptop) }),
    ...(directory && { directory: playDirectory(name, directory, laptop) }),
    ...(deviceManagement && { deviceManagement: playDeviceManagement(name, deviceManagement, laptop) }),
    ...(endpointDetection && { endpointDetection: playEndpointDetection(name, endpointDetection, laptop) }),
    ...(ticketDesk && { ticketDesk: playTicketDesk(name, ticketDesk, laptop) }),
    ...(notifier && { notifier: playNotifier(name, notifier, laptop) }),
    ...(real.archive && { archive: keepInMemory() }),
    ...(real.secretStore && { secretStore: keepSecrets(name, laptop) }),
    ...(feeds && { feeds: feeds.map((feed) => playFeed(real, feed, laptop)) }),
  };
}

function playSecureAccess(name: string, real: SecureAccess, laptop: Laptop): SecureAccess {
  const { names } = laptop;
  const { lostSteeringConfig, lostPolicy, settleMs, deviceTag } = real;
  Object.assign(laptop, { lostSteeringConfig, lostPolicy });
  const move = (isIn: boolean, what: string) => async (_: unknown, call: Call) => {
    laptop.inLostGroup = isIn;
    laptop.did(name, what, call.now);
  };
  return {
    lostSteeringConfig,
    lostPolicy,
    settleMs,
    async findDevices(query) {
      const isIt = (Object.keys(names) as (keyof typeof names)[]).some(
        (key) => query[key]?.toLowerCase() === names[key].toLowerCase(),
      );
      const steeringConfig = laptop.configured ? lostSteeringConfig : 'Usual configuration';
      const { lastSeenAt } = laptop;
      return isIt
        ? [{ source: name, ...names, lastSeenAt, hostInfoUpdatedAt: lastSeenAt, steeringConfig, client: 'enabled' }]
        : [];
    },
    readMembership: async (user) => ({
      user,
      userId: laptop.account.id,
      groupName: 'the lost group',
      groupId: 'drill-group',
      isMember: laptop.inLostGroup,
      groups: [],
      groupOwner: laptop.groupOwner,
    }),
    nameOfUser: async () => names.user,
    addToLostGroup: move(true, `${names.user} added to the lost group`),
    removeFromLostGroup: move(false, `${names.user} taken out of the lost group`),
    ...(deviceTag && {
      deviceTag: {
        name: deviceTag.name,
        isTagged: async () => laptop.tagged,
        async add(_, call) {
          laptop.tagged = true;
          laptop.did(name, `tag "${deviceTag.name}" put on the laptop`, call.now);
        },
        async remove(_, call) {
          laptop.tagged = false;
          laptop.did(name, `tag "${deviceTag.name}" taken off the laptop`, call.now);
        },
      },
    }),
  };
}

/** What it pushes is seen in secure access at once. */
function playDirectory(name: string, real: Directory, laptop: Laptop): Directory {
  const { settleMs, provisioningCycleMs, hasLostGroup } = real;
  const move = (isIn: boolean, what: string) => async (_: string, call: Call) => {
    laptop.inLostGroup = isIn;
    laptop.did(name, what, call.now);
  };
  return {
    settleMs,
    provisioningCycleMs,
    ...(hasLostGroup && { hasLostGroup }),
    readAccount: async () => ({ ...laptop.account }),
    readMembership: async () => (hasLostGroup ? { isMember: laptop.inLostGroup } : undefined),
    addToLostGroup: move(true, `${laptop.names.user} added to the lost group`),
    removeFromLostGroup: move(false, `${laptop.names.user} taken out of the lost group`),
    provisionNow: async () => true,
    async revokeSessions(_, call) {
      laptop.account.sessionsValidFrom = laptop.at(call.now);
      laptop.did(name, `sessions of ${laptop.names.user} revoked`, call.now);
    },
    async setUserEnabled(_, enabled, call) {
      laptop.account.enabled = enabled;
      laptop.did(name, `account of ${laptop.names.user} ${enabled ? 'enabled' : 'disabled'}`, call.now);
    },
    findDirectoryDevices: async () => [{ ...laptop.directoryDevice }],
    async setDeviceEnabled(_, enabled, call) {
      laptop.directoryDevice.enabled = enabled;
      laptop.did(name, `device object ${enabled ? 'enabled' : 'disabled'}`, call.now);
    },
  };
}

function playDeviceManagement(name: string, real: DeviceManagement, laptop: Laptop): DeviceManagement {
  const command = (recordId: string, what: CommandProgress['command'], call: Call) => {
    const startedAt = laptop.at(call.now);
    const queued: CommandProgress = { command: what, state: 'queued', startedAt, says: 'pending' };
    laptop.commands.set(recordId, [queued, ...(laptop.commands.get(recordId) ?? [])]);
    laptop.did(name, `${what} of the laptop sent`, call.now);
  };
  const commandsOf = (id: string) => laptop.commands.get(id) ?? [];
  return {
    settleMs: real.settleMs,
    offers: (record) => real.offers(record),
    findRecords: async () => laptop.enrolments.slice(-1).map((record) => ({ ...record })),
    readRecord: async (id) => laptop.enrolments.find((record) => record.id === id),
    readCommands: async (id) => commandsOf(id).map((known) => ({ ...known })),
    wipe: async ({ id }, _, call) => command(id, 'wipe', call),
    lock: async ({ id }, _, call) => command(id, 'lock', call),
    ...(real.enableLostMode && { enableLostMode: async ({ id }, _, call) => command(id, 'lost mode', call) }),
    ...(real.cancel && {
      cancel: async ({ id }, what, call) => {
        const waits = commandsOf(id).find((known) => known.command === what && known.state === 'queued');
        if (waits === undefined) return 'too late';
        waits.state = 'cancelled';
        laptop.did(name, `${what} taken back`, call.now);
        return 'cancelled';
      },
    }),
  };
}

function playEndpointDetection(name: string, real: EndpointDetection, laptop: Laptop): EndpointDetection {
  const { settleMs, whileIsolated, selective } = real;
  const isolate = (id: string, isolated: boolean, call: Call) => {
    const agent = laptop.agents.find((known) => known.id === id);
    if (agent) agent.isolation = isolated ? 'isolated' : 'none';
    laptop.cutOff = selective === undefined && laptop.agents.at(-1)?.isolation === 'isolated';
    laptop.did(name, isolated ? 'laptop isolated' : 'isolation lifted', call.now);
  };
  return {
    settleMs,
    whileIsolated,
    ...(selective && { selective }),
    findAgents: async () => laptop.agents.map((agent) => ({ ...agent })),
    readAgent: async (id) => laptop.agents.find((agent) => agent.id === id),
    isolate: async ({ id }, _, call) => isolate(id, true, call),
    release: async ({ id }, _, call) => isolate(id, false, call),
  };
}

function playTicketDesk(name: string, real: TicketDesk, laptop: Laptop): TicketDesk {
  const markers = new Set<string>();
  return {
    ...(real.addInternalNote && {
      async addInternalNote(id, { marker }, call) {
        if (markers.has(marker)) return 'already there';
        markers.add(marker);
        laptop.did(name, `internal note in ticket ${id}`, call.now);
        return 'added';
      },
    }),
    ...(real.setState && {
      async setState(id, state, _, call) {
        laptop.ticket.open = state !== 'resolved';
        laptop.did(name, `ticket ${id} set to ${state}`, call.now);
      },
    }),
    ...(real.readTicket && {
      readTicket: async (id) => ({
        ref: { source: name, id },
        open: laptop.ticket.open,
        aboutLostDevice: true,
        report: { device: { serial: laptop.names.serial }, answers: nothingKnown },
      }),
    }),
  };
}

/** Nobody is called. What every page would have said, and to whom, stands in the case's history. */
function playNotifier(name: string, real: Notifier, laptop: Laptop): Notifier {
  return {
    page: async () => undefined,
    ...(real.dropsRepeats && { dropsRepeats: real.dropsRepeats }),
    ...(real.resolve && { resolve: async (_, call) => laptop.did(name, 'incident resolved', call.now) }),
    ...(real.acknowledge && { acknowledge: async (_, call) => laptop.did(name, 'incident acknowledged', call.now) }),
  };
}

function keepInMemory(): Archive {
  const kept = new Map<string, Uint8Array>();
  return {
    async putOnce(key, bytes) {
      if (kept.has(key)) return 'already there';
      kept.set(key, bytes);
      return 'created';
    },
    get: async (key) => kept.get(key),
    list: async (prefix) => [...kept.keys()].filter((key) => key.startsWith(prefix)).sort(),
  };
}

function keepSecrets(name: string, laptop: Laptop): SecretStore {
  const kept = new Map<string, string>();
  return {
    async putOnce(key, secret, call) {
      if (kept.has(key)) return 'already there';
      kept.set(key, secret);
      laptop.did(name, 'PIN kept', call.now);
      return 'created';
    },
    get: async (key) => kept.get(key),
  };
}

function playFeed(real: PluginInstance, feed: SightingFeed, laptop: Laptop): SightingFeed {
  const kind = kindOf(real, feed);
  const { name, lateDataMs, regular } = feed;
  return {
    name,
    pollEveryMs,
    lateDataMs,
    regular,
    sees: (device) => feed.sees(device),
    // By count and not by time: the watch has the machine's clock, and the laptop that of its case.
    async read(watermark, _watched, { signal }) {
      const told = Number(watermark ?? 0);
      const all = () => laptop.said.get(kind) ?? [];
      // What would be asked every minute for weeks waits here until the laptop speaks.
      while (watermark !== undefined && all().length === told) await once(laptop.speaks, 'news', { signal });
      return { records: all().slice(told), watermark: String(all().length), putAside: 0 };
    },
  };
}

/** What such a product's feed speaks of. */
function kindOf(real: PluginInstance, { name, regular }: SightingFeed): FeedKind {
  if (real.secureAccess) return regular ? 'client' : name === 'alerts' ? 'policy-block' : 'cloud-traffic';
  if (real.directory) return 'sign-in';
  return real.deviceManagement || real.endpointDetection ? 'tool' : 'network';
}
