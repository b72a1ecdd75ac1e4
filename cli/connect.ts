/**
 * A way to the cases for a program that runs no worker: the command line.
 * @module
 */
import { Connection } from '@temporalio/client';
import { closeHouse, openHouse } from '../open-house';
import type { Settings } from '../playbook/settings';
import { VendorUnavailable } from '../plugins/errors';
import { connectTemporal } from '../temporal/connect';
import { openClient } from '../temporal/open-client';
import { readHouseAddresses } from './house-addresses';

export interface Connected {
  house: ReturnType<typeof openHouse>;
  close(): Promise<void>;
}

/**
 * Reach Temporal as the settings say, or where `lost-device up` says that it runs.
 * @throws VendorUnavailable LDP_UNREACHABLE when nothing answers there.
 * @throws BadInput LDP_BAD_INPUT when it does not let us in.
 */
export async function connect(settings: Settings): Promise<Connected> {
  const own = (await readHouseAddresses(settings.dataFolder))?.temporal;
  if (settings.temporal.address === undefined && own === undefined) {
    throw new VendorUnavailable('LDP_UNREACHABLE', '`lost-device up` is not running: start it, and try again.');
  }
  const connection = await connectTemporal(Connection, settings, own);
  const house = openHouse(settings, openClient(settings, connection), false);
  return {
    house,
    async close() {
      await closeHouse(house);
      await connection.close();
    },
  };
}
