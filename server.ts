/**
 * Entry: ticket webhooks on one listener, the analysts' API on another. They share nothing but the cases.
 * @module
 */
import type { AddressInfo } from 'node:net';
import { Connection } from '@temporalio/client';
import type { House } from './activities/house';
import { closeHouse, openHouse } from './open-house';
import { createApiServer } from './http/api';
import { createWebhookServer } from './http/webhooks';
import type { Settings } from './playbook/settings';
import { BadInput } from './plugins/errors';
import { loadSettings } from './settings/load';
import { connectTemporal } from './temporal/connect';
import { openClient } from './temporal/open-client';
import { monitorWorkers } from './worker-monitor';

export interface RunningServer {
  webhooks: string;
  api: string;
  close(): Promise<void>;
}

/** How often it is looked whether workers run (milliseconds). No setting: Temporal tells of one that is gone no sooner. */
const lookForWorkersEveryMs = 60_000;

/**
 * Listen for tickets and for analysts, each at its own address of the settings, and look for workers: reports are taken
 * while there is none, and somebody must know.
 */
export async function startServer(
  settings: Settings,
  house: House,
  log: (line: string) => void,
  monitorEveryMs = lookForWorkersEveryMs,
): Promise<RunningServer> {
  const webhooks = createWebhookServer({ tenants: house.tenants, cases: house.cases, log });
  const api = createApiServer(house);
  await webhooks.listen(settings.http.webhooks);
  await api.listen(settings.http.api);
  const stopMonitor = monitorWorkers(house, monitorEveryMs, log);
  const url = (server: typeof webhooks) => {
    const { address, port } = server.server.address() as AddressInfo;
    return `http://${address.includes(':') ? `[${address}]` : address}:${port}`;
  };
  return {
    webhooks: url(webhooks),
    api: url(api),
    async close() {
      await Promise.all([webhooks.close(), api.close(), stopMonitor()]);
    },
  };
}

async function main(): Promise<void> {
  const settings = await loadSettings();
  const connection = await connectTemporal(Connection, settings);
  const house = openHouse(settings, openClient(settings, connection), false);
  const server = await startServer(settings, house, (line) => void process.stderr.write(`${line}\n`));
  process.stdout.write(`Webhooks on ${server.webhooks}, API on ${server.api}.\n`);
  const stop = async () => {
    await server.close();
    await closeHouse(house);
    await connection.close();
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stop());
}

if (require.main === module) {
  main().catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = error instanceof BadInput ? 2 : 1;
  });
}
