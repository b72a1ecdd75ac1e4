/**
 * The whole house in one process, for one machine: worker, intake and Temporal's own server.
 * @module
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { NativeConnection } from '@temporalio/worker';
import { closeHouse, openHouse } from './open-house';
import type { Settings } from './playbook/settings';
import { startServer } from './server';
import { ensureTemporal } from './temporal/binary';
import { connectTemporal } from './temporal/connect';
import { openClient } from './temporal/open-client';
import { startTemporalServer } from './temporal/server';
import type { TemporalServer } from './temporal/server';
import { startWorker } from './worker';

export { createLogger } from './temporal/logger';

export interface HouseAddresses {
  temporal: string;
  ui?: string;
  webhooks: string;
  api: string;
}

export interface RunningHouse {
  addresses: HouseAddresses;
  /** Rejects when a worker dies by itself; resolves after `stop`. */
  ended: Promise<void>;
  /** Graceful: what runs is finished or handed back, then everything ends. */
  stop(): Promise<void>;
}

export interface StartHouseOptions {
  log?: (line: string) => void;
  /** Prebuilt workflow bundle, of the kind that the settings need; made at start when left out. */
  workflowBundlePath?: string;
  durability?: 'full' | 'normal';
}

/**
 * Everything in one process. Temporal is the settings' address, or our own server with its file in the data folder. When
 * one part does not start, those before it are ended again.
 */
export async function startHouse(settings: Settings, options: StartHouseOptions = {}): Promise<RunningHouse> {
  const log = options.log ?? (() => undefined);
  const parts: (() => Promise<unknown>)[] = [];
  const stop = async () => {
    for (const end of parts.splice(0).reverse()) await end();
  };
  try {
    const own =
      settings.temporal.address === undefined ? await keepTemporal(settings, log, options.durability) : undefined;
    if (own) parts.push(() => own.stop());
    const address = settings.temporal.address ?? own?.address ?? '';
    const connection = await connectTemporal(NativeConnection, settings, own?.address);
    parts.push(() => connection.close());
    const house = openHouse(settings, openClient(settings, connection), true);
    parts.push(() => closeHouse(house));
    const worker = await startWorker(settings, house, connection, options.workflowBundlePath);
    parts.push(() => worker.stop());
    const server = await startServer(settings, house, log);
    parts.push(() => server.close());
    return {
      addresses: {
        temporal: address,
        ...(own?.uiUrl && { ui: own.uiUrl }),
        webhooks: server.webhooks,
        api: server.api,
      },
      ended: worker.ended,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Our own Temporal server, started again on the same file and port whenever it dies. */
async function keepTemporal(settings: Settings, log: (line: string) => void, durability: 'full' | 'normal' = 'full') {
  const folder = join(settings.dataFolder, 'temporal');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  // The first time it may have to be fetched, and somebody waits.
  const { path: binary } = await ensureTemporal(log);
  const start = (port: number, uiPort: number) =>
    startTemporalServer({
      binary,
      dbFile: join(folder, 'cases.db'),
      namespace: settings.temporal.namespace,
      port,
      uiPort,
      durability,
    });
  let stopping = false;
  let server: TemporalServer = await start(settings.temporal.port, settings.temporal.uiPort);
  const { address, uiUrl } = server;
  const portOf = (text: string | undefined) => Number(text?.split(':').at(-1)?.replace(/\D.*$/, '') ?? 0);

  const watchOver = async (): Promise<void> => {
    for (;;) {
      await server.exited;
      if (stopping) return;
      log('Temporal ended by itself; starting it again on the same file.');
      for (;;) {
        try {
          server = await start(portOf(address), portOf(uiUrl));
          break;
        } catch (error) {
          log(`Temporal did not start: ${error instanceof Error ? error.message : 'unknown'}. Trying again in 2 s.`);
          await new Promise((resolve) => setTimeout(resolve, 2_000));
          if (stopping) return;
        }
      }
    }
  };
  void watchOver();
  return {
    address,
    uiUrl,
    async stop() {
      stopping = true;
      await server.stop();
    },
  };
}
