/**
 * Netskope: secure access and three sighting feeds.
 * @module
 */
import type { Plugin } from '../roles';
import { createClients, operations } from './client';
import { testConnection } from './connection-test';
import { createDeviceTag } from './device-tag';
import { createFeeds } from './feeds';
import { createInventory } from './inventory';
import { netskopePrerequisites } from './prerequisites';
import { createSecureAccess } from './secure-access';
import { netskopeSettings, type NetskopeSettings } from './settings';

/** `plugin: netskope`. */
export const netskope: Plugin<NetskopeSettings> = {
  name: 'netskope',
  title: 'Netskope',
  roles: ['secureAccess', 'feeds'],
  settings: netskopeSettings,
  operations: Object.values(operations),
  // Its own client is never steered through itself.
  agentHosts: [],

  create(instanceName, settings) {
    const clients = createClients(settings);
    const inventory = createInventory(clients);
    const tag = settings.tag === undefined ? undefined : createDeviceTag(settings.tag, clients);
    const secureAccess = createSecureAccess(instanceName, settings, clients, inventory, tag);
    const feeds = createFeeds(settings, clients, inventory);
    return {
      secureAccess,
      feeds,
      prerequisites: (around) => netskopePrerequisites({ settings, clients, secureAccess, tag }, around),
      test: (call) => testConnection({ settings, clients, inventory, secureAccess, feeds, tag }, call),
      close: async () => {},
    };
  },
};
