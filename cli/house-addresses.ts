/**
 * Where a running `lost-device up` listens: kept in its data folder, so that the command line finds it.
 * @module
 */
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { z } from 'zod';
import { houseAddressesSchema } from '../playbook/schemas/answers';

export type HouseAddresses = z.infer<typeof houseAddressesSchema>;

const fileIn = (dataFolder: string) => path.join(dataFolder, 'up.json');

/** Undefined when none was written, or it cannot be understood. A house that was killed leaves its file behind. */
export async function readHouseAddresses(dataFolder: string): Promise<HouseAddresses | undefined> {
  try {
    return houseAddressesSchema.parse(JSON.parse(await readFile(fileIn(dataFolder), 'utf8')));
  } catch {
    return undefined;
  }
}

/** Whole or not at all, for our own account only. */
export async function writeHouseAddresses(dataFolder: string, addresses: HouseAddresses): Promise<void> {
  const draft = `${fileIn(dataFolder)}.${process.pid}`;
  await writeFile(draft, `${JSON.stringify(addresses, undefined, 2)}\n`, { mode: 0o600 });
  await rename(draft, fileIn(dataFolder));
}

export async function removeHouseAddresses(dataFolder: string): Promise<void> {
  await rm(fileIn(dataFolder), { force: true });
}
