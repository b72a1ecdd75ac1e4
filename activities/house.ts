/**
 * What activities work with: for each tenant the plugins by the role they fill, and the client that reaches cases.
 * @module
 */
import type { Client } from '@temporalio/client';
import type { CaseClient } from '../client/cases';
import type { FeedRow } from '../client/feeds';
import type { Guards } from '../client/guard';
import type { QueueName } from '../client/workers';
import type { ClosingRecord } from '../playbook/case';
import { archiveKeys } from '../playbook/archive-keys';
import type { Judged } from '../playbook/prerequisites';
import type { TicketRef } from '../playbook/report';
import type { TenantSettings } from '../playbook/settings';
import { VendorRefused } from '../plugins/errors';
import type {
  Archive,
  Call,
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

/** One tenant with its plugins in their roles. */
export interface Tenant {
  name: string;
  settings: TenantSettings;
  /** Instance name of the secure access plugin, for people. */
  secureAccessName: string;
  secureAccess: SecureAccess;
  directory?: Directory;
  desks: Map<string, TicketDesk>;
  notifiers: Map<string, Notifier>;
  archive: Archive;
  managements: Map<string, DeviceManagement>;
  detections: Map<string, EndpointDetection>;
  secretStore?: SecretStore;
  /** Instances whose address is this machine: nothing real can happen there. */
  simulated: Set<string>;
  /** Hosts that the agents on devices need, by instance. */
  agentHosts: Map<string, string[]>;
  feeds: { plugin: string; feed: SightingFeed }[];
  instances: Map<string, PluginInstance>;
}

export interface House {
  tenant(name: string): Tenant;
  tenants: Map<string, Tenant>;
  client: Client;
  cases: CaseClient;
  /** Task queues without a worker now. */
  missingWorkers(): Promise<QueueName[]>;
  /** Every prerequisite of a tenant, looked at now. */
  checkPrerequisites(tenant: Tenant, call: Call): Promise<Judged[]>;
  /** How each feed of the settings fares. */
  readFeeds(): Promise<FeedRow[]>;
  /** The freeze, and what was permitted. */
  guards: Guards;
}

/** Put a tenant's plugin instances into their roles. Exactly one secure access and one archive are needed. */
export function assembleTenant(
  name: string,
  settings: TenantSettings,
  instances: Map<string, PluginInstance>,
  about: Pick<Tenant, 'simulated' | 'agentHosts'>,
): Tenant {
  const filling = <R extends keyof PluginInstance>(role: R) =>
    [...instances].flatMap(([instance, plugin]) =>
      plugin[role] ? [[instance, plugin[role] as NonNullable<PluginInstance[R]>] as const] : [],
    );
  const one = <R extends keyof PluginInstance>(role: R, title: string) => {
    const found = filling(role);
    if (found.length !== 1) {
      const names = found.map(([instance]) => instance).join(', ') || 'none';
      throw new VendorRefused(
        'LDP_BAD_INPUT',
        `Tenant ${name} needs exactly one plugin for ${title}; the settings have ${names}.`,
      );
    }
    return found[0] as (typeof found)[number];
  };
  const [secureAccessName, secureAccess] = one('secureAccess', 'secure access (for instance netskope)');
  const [, archive] = one('archive', 'the archive (for instance folder)');
  const directory = filling('directory')[0]?.[1];
  const secretStore = filling('secretStore')[0]?.[1];
  return {
    name,
    settings,
    secureAccessName,
    secureAccess,
    ...(directory && { directory }),
    desks: new Map(filling('ticketDesk')),
    notifiers: new Map(filling('notifier')),
    archive,
    managements: new Map(filling('deviceManagement')),
    detections: new Map(filling('endpointDetection')),
    ...(secretStore && { secretStore }),
    ...about,
    feeds: filling('feeds').flatMap(([plugin, feeds]) => feeds.map((feed) => ({ plugin, feed }))),
    instances,
  };
}

/** Look a ticket's closing record up in the tenant's archive. */
export async function findClosing(tenant: Tenant, ticket: TicketRef): Promise<ClosingRecord | undefined> {
  const bytes = await tenant.archive.get(archiveKeys.closing(ticket), {
    signal: AbortSignal.timeout(30_000),
    now: new Date().toISOString(),
  });
  return bytes && (JSON.parse(Buffer.from(bytes).toString('utf8')) as ClosingRecord);
}
