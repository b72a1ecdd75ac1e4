/**
 * Secrets in a folder, each in a file of its own, encrypted with AES-256-GCM. The file names the key that it was encrypted with, and
 * is bound to its own name: a file that was changed, or put in the place of another, is found out.
 * @module
 */
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import { z } from 'zod';
import { createDurableFolder } from '../durable-folder';
import { BadInput, VendorRefused } from '../errors';
import type { Archive, SecretStore } from '../roles';

const cipher = 'aes-256-gcm';
/** NIST SP 800-38D section 8.2.2: random, 96 bits. */
const ivBytes = 12;
const tagBytes = 16;

const sealedSchema = z.object({
  version: z.literal(1),
  keyId: z.string(),
  iv: z.base64(),
  tag: z.base64(),
  data: z.base64(),
});

/** A store, and the names of what it holds. */
export interface EncryptedFolder extends SecretStore {
  list: Archive['list'];
}

/**
 * @param path Absolute path. The folder is made at the first write.
 * @param keys 32 bytes each. The first encrypts, all of them read.
 * @throws From `get`: VendorRefused LDP_NOT_AUTHENTICATED where the key that encrypted is not among ours, LDP_CONFLICT where the file
 * is damaged. No message has anything of a secret or a key but the key's id.
 */
export function createEncryptedFolder(path: string, keys: Buffer[]): EncryptedFolder {
  const folder = createDurableFolder('encrypted-folder', path);
  const byId = new Map(keys.map((key) => [idOf(key), key]));
  return {
    async putOnce(name, secret, call) {
      if (secret === '') throw new BadInput('LDP_BAD_INPUT', `${name}: the secret is empty`, { field: 'secret' });
      const [[keyId, key] = []] = byId;
      if (keyId === undefined || key === undefined) throw new TypeError('the settings name at least one key');
      return folder.putOnce(name, Buffer.from(JSON.stringify(seal(name, secret, keyId, key))), call);
    },

    async get(name, call) {
      const bytes = await folder.get(name, call);
      if (bytes === undefined) return undefined;
      const sealed = read(bytes);
      if (!sealed) throw damaged(name);
      const key = byId.get(sealed.keyId);
      if (!key) {
        const ours = [...byId.keys()].join(', ');
        throw new VendorRefused(
          'LDP_NOT_AUTHENTICATED',
          `encrypted-folder: ${name} was encrypted with key ${sealed.keyId}, and keys has ${ours} only: add the old key to it`,
        );
      }
      return open(name, sealed, key);
    },

    list: folder.list,
  };
}

/** Names a key without telling anything of it. */
function idOf(key: Buffer): string {
  return createHmac('sha256', key).update('lost-device key id').digest('hex').slice(0, 16);
}

/** What stands beside the secret and may not be changed either. */
function bound(name: string, keyId: string): Buffer {
  return Buffer.from(JSON.stringify(['lost-device secret', 1, keyId, name]));
}

function seal(name: string, secret: string, keyId: string, key: Buffer): z.infer<typeof sealedSchema> {
  const iv = randomBytes(ivBytes);
  const sealing = createCipheriv(cipher, key, iv, { authTagLength: tagBytes }).setAAD(bound(name, keyId));
  const data = Buffer.concat([sealing.update(secret, 'utf8'), sealing.final()]);
  const text = (bytes: Buffer) => bytes.toString('base64');
  return { version: 1, keyId, iv: text(iv), tag: text(sealing.getAuthTag()), data: text(data) };
}

function read(bytes: Uint8Array): z.infer<typeof sealedSchema> | undefined {
  try {
    return sealedSchema.safeParse(JSON.parse(Buffer.from(bytes).toString('utf8'))).data;
  } catch {
    return undefined;
  }
}

function open(name: string, sealed: z.infer<typeof sealedSchema>, key: Buffer): string {
  const [iv, tag, data] = [sealed.iv, sealed.tag, sealed.data].map((text) => Buffer.from(text, 'base64'));
  try {
    const opening = createDecipheriv(cipher, key, iv!, { authTagLength: tagBytes });
    opening.setAAD(bound(name, sealed.keyId)).setAuthTag(tag!);
    return Buffer.concat([opening.update(data!), opening.final()]).toString('utf8');
  } catch {
    throw damaged(name);
  }
}

function damaged(name: string): VendorRefused {
  return new VendorRefused(
    'LDP_CONFLICT',
    `encrypted-folder: ${name} was changed after it was written, or is damaged: look for it in a backup`,
  );
}
