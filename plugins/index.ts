/**
 * All plugins, and the making of a tenant's instances from its settings. A new product is one line here.
 * @module
 */
import type { TenantSettings } from '../playbook/settings';
import { crowdstrike } from './crowdstrike';
import { encryptedFolder } from './encrypted-folder';
import { entra } from './entra';
import { BadInput } from './errors';
import { folder } from './folder';
import { intune } from './intune';
import { netskope } from './netskope';
import { pagerduty } from './pagerduty';
import type { Plugin, PluginInstance } from './roles';
import { parseOrRefuse } from './setting-fields';
import { secretCommand } from './secret-command';
import { servicenow } from './servicenow';
import { smtp } from './smtp';
import { webhook } from './webhook';

/** Manifests by the `plugin:` value of the settings. */
export const plugins: Readonly<Record<string, Plugin>> = Object.fromEntries(
  [
    crowdstrike,
    encryptedFolder,
    entra,
    folder,
    intune,
    netskope,
    pagerduty,
    secretCommand,
    servicenow,
    smtp,
    webhook,
  ].map((plugin: Plugin) => [plugin.name, plugin]),
);

/** An instance with the names by which people and settings know it. */
export type NamedPlugin = PluginInstance & { name: string; plugin: string };

/**
 * Make the instances of one tenant. Everything is checked before the first is made, and nothing is called.
 * @throws BadInput LDP_BAD_INPUT naming instance and field.
 */
export function createPlugins(settings: TenantSettings['plugins']): Map<string, NamedPlugin> {
  const ready = Object.entries(settings).map(([name, part]) => {
    const where = `plugins.${name}`;
    // The name becomes part of a webhook's address and of each ticket's name.
    if (!/^[a-z0-9][a-z0-9-]{0,39}$/.test(name)) {
      throw new BadInput('LDP_BAD_INPUT', `${where}: a name is made of small letters, digits and -`, { field: where });
    }
    const plugin = Object.hasOwn(plugins, part.plugin) ? plugins[part.plugin] : undefined;
    if (plugin === undefined) {
      const known = Object.keys(plugins).sort().join(', ');
      throw new BadInput('LDP_BAD_INPUT', `${where}.plugin: there is no ${part.plugin}; there are ${known}`, {
        field: `${where}.plugin`,
      });
    }
    return { name, plugin, settings: parseOrRefuse(plugin.settings, part.settings ?? {}, `${where}.settings`) };
  });
  return new Map(
    ready.map(({ name, plugin, settings: parsed }) => [
      name,
      Object.assign(plugin.create(name, parsed), { name, plugin: plugin.name }),
    ]),
  );
}
