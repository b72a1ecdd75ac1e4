/**
 * Netskope: secure access and three sighting feeds.
 * @module
 */
import { errorCatalogue, PlaybookError } from '../errors';
import type { Call, ConnectionTest, Plugin } from '../roles';
import { createClients, operations } from './client';
import { createDeviceTag } from './device-tag';
import { createFeeds } from './feeds';
import { createInventory } from './inventory';
import { v1SteeringConfigs } from './schemas';
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
    const { lostGroup, lostSteeringConfig, lostPolicy } = settings;
    /** A name that no device and no user has. */
    const nobody = 'lost-device-connection-test';

    return {
      secureAccess,
      feeds,

      async test(call: Call) {
        const lines = [
          tried('client status', async () => {
            await inventory.named([{ serial: nobody, hostname: nobody, nsdeviceuid: nobody, user: nobody }], call);
            return 'It can be searched by serial, hostname, nsdeviceuid and user.';
          }),
          tried(`group "${lostGroup}"`, async () => {
            const group = await secureAccess.readLostGroup(call);
            if (!group)
              return { problem: 'It does not exist. Create it by SCIM or in the directory, or correct lostGroup.' };
            if (group.owner === 'api') return 'It is there, and written by API.';
            if (group.owner === 'directory')
              return 'It is there, and a directory writes it: name one with a directory plugin.';
            return { problem: 'It was made in the console, where no API may change its members. Make it by SCIM.' };
          }),
          tried('users', async () => {
            await secureAccess.readMembership(`${nobody}@example.invalid`, call);
            return 'Users and their groups can be read.';
          }),
          tried('alerts and events', async () => {
            const device = { user: nobody, hostname: nobody, workflowId: '' };
            for (const feed of feeds.slice(1)) await feed.read(undefined, [device], call);
            return `Alerts of "${lostPolicy}", page and network events can be read.`;
          }),
        ];
        if (tag) {
          lines.push(
            tried(`device tag "${tag.name}"`, async () =>
              (await tag.find(call)) === undefined
                ? 'Tags are offered. It will be created at first use.'
                : 'It is there.',
            ),
          );
        }
        const { v1 } = clients;
        if (v1) {
          lines.push(
            tried(`steering configuration "${lostSteeringConfig}" (v1)`, async () => {
              const json = { token: v1.token };
              const { body } = await v1.client.request(operations.v1SteeringConfigs, {
                call,
                json,
                schema: v1SteeringConfigs,
              });
              return body.data.some((config) => config.config_name === lostSteeringConfig)
                ? 'It is there.'
                : { problem: 'It does not exist. Create it, or correct lostSteeringConfig.' };
            }),
          );
        }
        return Promise.all(lines);
      },

      close: async () => {},
    };
  },
};

async function tried(what: string, look: () => Promise<string | { problem: string }>): Promise<ConnectionTest> {
  try {
    const seen = await look();
    return typeof seen === 'string' ? { what, ok: true, detail: seen } : { what, ok: false, detail: seen.problem };
  } catch (error) {
    if (!(error instanceof PlaybookError)) throw error;
    return { what, ok: false, detail: `${error.message}. ${errorCatalogue[error.code].remedy}` };
  }
}
