/**
 * A way to the cases for a program that runs no worker: the command line.
 * @module
 */
import { Connection } from '@temporalio/client';
import { closeHouse, openHouse } from '../open-house';
import type { Settings } from '../playbook/settings';
import { VendorUnavailable } from '../plugins/errors';
import { openClient } from '../temporal/open-client';
import { readHouseAddresses } from './house-addresses';

const connectWithinMs = 5_000;

export interface Connected {
  house: ReturnType<typeof openHouse>;
  close(): Promise<void>;
}

/**
 * Reach Temporal at the settings' address, or where `lost-device up` says that it runs.
 * @throws VendorUnavailable LDP_UNREACHABLE when nothing answers there.
 */
export async function connect(settings: Settings): Promise<Connected> {
  const address = settings.temporal.address ?? (await readHouseAddresses(settings.dataFolder))?.temporal;
  if (address === undefined) {
    throw new VendorUnavailable('LDP_UNREACHABLE', '`lost-device up` is not running: start it, and try again.');
  }
  const connection = await Connection.connect({ address, connectTimeout: connectWithinMs }).catch(() => {
    const remedy =
      settings.temporal.address === undefined ? 'start `lost-device up`' : 'start it, or correct temporal.address';
    throw new VendorUnavailable('LDP_UNREACHABLE', `Temporal does not answer at ${address}: ${remedy}, and try again.`);
  });
  const house = openHouse(settings, openClient(settings, connection), false);
  return {
    house,
    async close() {
      await closeHouse(house);
      await connection.close();
    },
  };
}
