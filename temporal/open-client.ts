/**
 * Our client of Temporal, and how it writes values down: the one place where that is decided, for clients and workers.
 * @module
 */
import { Client, type ClientOptions } from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import type { Settings } from '../playbook/settings';
import { createPayloadCodec } from './payload-codec';

/** Encrypting where the settings have a keyring. The failure converter must be in the bundle of the workflows as well. */
export function dataConverterOf({ encryption }: Pick<Settings, 'encryption'>): DataConverter {
  if (encryption === undefined) return {};
  return {
    payloadCodecs: [createPayloadCodec(encryption)],
    failureConverterPath: require.resolve('./failure-converter'),
  };
}

/** In the namespace of the settings. Workers take `options.dataConverter` from it. */
export function openClient(
  settings: Pick<Settings, 'temporal' | 'encryption'>,
  connection: NonNullable<ClientOptions['connection']>,
): Client {
  const { namespace } = settings.temporal;
  return new Client({ connection, namespace, dataConverter: dataConverterOf(settings) });
}
