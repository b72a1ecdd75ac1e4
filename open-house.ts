/**
 * Opens the house: tenants with their plugins in their roles, and the client that reaches cases.
 * @module
 */
import type { Client } from '@temporalio/client';
import type { House, Tenant } from './activities/house';
import { assembleTenant, findClosing } from './activities/house';
import { createCaseClient } from './client/cases';
import { readFeeds } from './client/feeds';
import { createGuards } from './client/guard';
import { checkPrerequisites } from './client/preflight';
import { askForSearchAttributes } from './client/search-attributes';
import { missingWorkers } from './client/workers';
import type { Settings, TenantSettings } from './playbook/settings';
import { createPlugins, plugins, type NamedPlugin } from './plugins';
import { isLoopback } from './plugins/setting-fields';

/** Makes the plugin instances of one tenant: {@link createPlugins}, or the players of a drill. */
export type MakePlugins = (settings: TenantSettings['plugins']) => Map<string, NamedPlugin>;

/** The tenants of the settings, each with its plugins made. Nothing is called yet. */
export function openTenants(settings: Settings, make: MakePlugins = createPlugins): Map<string, Tenant> {
  return new Map(
    Object.entries(settings.tenants).map(([name, tenant]) => {
      const instances = make(tenant.plugins);
      const simulated = [...instances.keys()].filter((instance) => isHere(tenant.plugins[instance]?.settings));
      const hosts = [...instances].map(
        ([instance, { agentHosts, plugin }]) =>
          [instance, tenant.agentHosts[instance] ?? agentHosts ?? plugins[plugin]?.agentHosts ?? []] as const,
      );
      return [
        name,
        assembleTenant(name, tenant, instances, { simulated: new Set(simulated), agentHosts: new Map(hosts) }),
      ];
    }),
  );
}

/** Every address of the instance is on this machine. */
function isHere(settings: unknown): boolean {
  const addresses = Object.values(settings ?? {}).filter(
    (value): value is string => typeof value === 'string' && /^https?:\/\//.test(value),
  );
  return addresses.length > 0 && addresses.every((address) => isLoopback(new URL(address).hostname));
}

/** What activities, webhooks and the API work with. `eager`: the worker shares this client's native connection. */
export function openHouse(settings: Settings, client: Client, eager: boolean, make?: MakePlugins): House {
  const tenants = openTenants(settings, make);
  const tenant = (name: string): Tenant => {
    const found = tenants.get(name);
    if (found === undefined) throw new Error(`The settings name no tenant ${name}`);
    return found;
  };
  // One key for all tenants of an installation: it never rotates.
  const indexKey = Object.values(settings.tenants)[0]?.indexKey ?? '';
  const cases = createCaseClient({
    client,
    indexKey,
    hideNames: settings.encryption !== undefined,
    eager,
    findClosing: (name, ticket) => findClosing(tenant(name), ticket),
  });
  const watches = [...tenants.values()].flatMap(({ name, feeds }) =>
    feeds.map(({ plugin, feed }) => ({ tenant: name, plugin, feed: feed.name })),
  );
  return {
    tenant,
    tenants,
    client,
    cases,
    missingWorkers: () => missingWorkers(client),
    checkPrerequisites: (of, call) => checkPrerequisites(of, call, () => askForSearchAttributes(client)),
    readFeeds: () => readFeeds(client, watches),
    guards: createGuards(client, settings.tenants),
  };
}

export async function closeHouse(house: House): Promise<void> {
  await Promise.all(
    [...house.tenants.values()].flatMap(({ instances }) => [...instances.values()].map((plugin) => plugin.close())),
  );
}
