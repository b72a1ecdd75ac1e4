/**
 * Our client of Temporal, and how it writes values down: the one place where that is decided, for clients and workers.
 * @module
 */
import { Client, type ClientOptions } from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import type { Settings } from '../playbook/settings';
import { createPayloadCodec } from './payload-codec';

/** In the namespace of the settings, encrypting where they have a keyring. Workers take `options.dataConverter` from it. */
export function openClient(
  { temporal: { namespace }, encryption }: Pick<Settings, 'temporal' | 'encryption'>,
  connection: NonNullable<ClientOptions['connection']>,
): Client {
  const dataConverter: DataConverter =
    encryption === undefined
      ? {}
      : {
          payloadCodecs: [createPayloadCodec(encryption)],
          failureConverterPath: require.resolve('./failure-converter'),
        };
  return new Client({ connection, namespace, dataConverter });
}
