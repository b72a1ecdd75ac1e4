/**
 * Encrypts what is given to Temporal: arguments, results, signals, memos, summaries, heartbeats and messages of failures.
 * AES-256-GCM by Node. The whole payload is sealed, with what it says of itself; the id of the key stands beside it in
 * clear, and is authenticated.
 * @module
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { Payload, PayloadCodec } from '@temporalio/common';
import { temporal } from '@temporalio/proto';
import type { Encryption, Keyring } from '../playbook/settings';

const { Payload: payloadForm } = temporal.api.common.v1;
const encoding = 'binary/encrypted';
const cipherName = 'aes-256-gcm';
/** NIST SP 800-38D: 96 bits, at random for at most 2^32 payloads under one key; and the whole tag. */
const nonceBytes = 12;
const tagBytes = 16;

/** Payloads that are not encrypted pass: they are of the time before a key was set. */
export function createPayloadCodec({ keyring, readAgain }: Encryption): PayloadCodec {
  const keys = decoded(keyring);
  let reading: Promise<void> | undefined;

  /** Another process may encrypt by a key that was added since we started. */
  const keyNamed = async (id: string): Promise<Buffer> => {
    if (!keys.has(id)) {
      reading ??= readAgain()
        .then((now) => decoded(now).forEach((key, name) => keys.set(name, key)))
        .finally(() => (reading = undefined));
      await reading;
    }
    const key = keys.get(id);
    if (key === undefined)
      throw new Error(`The keyring has no key ${id}: put it back, or what it encrypted stays shut.`);
    return key;
  };

  return {
    encode: async (payloads) => {
      const { current } = keyring;
      const key = await keyNamed(current);
      return payloads.map((payload) => seal(payload, current, key));
    },
    decode: (payloads) =>
      Promise.all(
        payloads.map(async (payload) => {
          if (textOf(payload, 'encoding') !== encoding) return payload;
          const id = textOf(payload, 'encryption-key-id');
          return unseal(payload.data ?? new Uint8Array(), id, await keyNamed(id));
        }),
      ),
  };
}

function seal(payload: Payload, id: string, key: Buffer): Payload {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv(cipherName, key, nonce).setAAD(authenticated(id));
  const sealed = Buffer.concat([cipher.update(payloadForm.encode(payload).finish()), cipher.final()]);
  return {
    metadata: {
      encoding: Buffer.from(encoding),
      'encryption-cipher': Buffer.from(cipherName),
      'encryption-key-id': Buffer.from(id),
    },
    data: Buffer.concat([nonce, sealed, cipher.getAuthTag()]),
  };
}

function unseal(data: Uint8Array, id: string, key: Buffer): Payload {
  try {
    const decipher = createDecipheriv(cipherName, key, data.subarray(0, nonceBytes), { authTagLength: tagBytes })
      .setAAD(authenticated(id))
      .setAuthTag(data.subarray(-tagBytes));
    const opened = decipher.update(data.subarray(nonceBytes, -tagBytes));
    return payloadForm.decode(Buffer.concat([opened, decipher.final()]));
  } catch {
    throw new Error(`A payload does not open by the key ${id}: it was changed, or the key is another one.`);
  }
}

const authenticated = (id: string) => Buffer.from(`${encoding}\n${cipherName}\n${id}`);

const decoded = ({ keys }: Keyring) =>
  new Map(Object.entries(keys).map(([id, key]) => [id, Buffer.from(key, 'base64')] as const));

const textOf = ({ metadata }: Payload, name: string) => Buffer.from(metadata?.[name] ?? []).toString('utf8');
