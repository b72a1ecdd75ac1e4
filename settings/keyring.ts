/**
 * The keyring: the keys by which what Temporal keeps is encrypted, as a file of JSON. The newest encrypts; the older ones
 * still decrypt, and stay for as long as anything that they encrypted is kept.
 * @module
 */
import { randomBytes } from 'node:crypto';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { z } from 'zod';
import type { Keyring } from '../playbook/settings';
import { BadInput } from '../plugins/errors';

const keyBytes = 32;

const keyringForm = z
  .strictObject({
    current: z.string(),
    keys: z.record(
      z.string().regex(/^[\w-]{1,40}$/),
      z.base64().refine((text) => Buffer.from(text, 'base64').length === keyBytes),
    ),
  })
  .refine(({ current, keys }) => Object.hasOwn(keys, current));

/** Undefined when the text is no keyring. Nothing of it is said: it holds keys. */
export function parseKeyring(text: string): Keyring | undefined {
  try {
    return keyringForm.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/**
 * Write a keyring of one key, readable by our account alone.
 * @returns The id of the key.
 * @throws BadInput LDP_BAD_INPUT when the file exists, or cannot be written.
 */
export async function writeNewKeyring(file: string): Promise<string> {
  const keyring = withNewKey({ current: '', keys: {} });
  await write(file, keyring).catch((error: NodeJS.ErrnoException) => {
    const why = error.code === 'EEXIST' ? 'is there already: `keys rotate` adds a key to it' : cannot('written', error);
    throw new BadInput('LDP_BAD_INPUT', `${file} ${why}`);
  });
  return keyring.current;
}

/**
 * Add a key to a keyring, by which everything is encrypted from now on. The file is replaced whole.
 * @returns The ids of the new key and of all before it.
 * @throws BadInput LDP_BAD_INPUT when the file is no keyring, or cannot be read or written.
 */
export async function rotateKeyring(file: string): Promise<{ current: string; older: string[] }> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new BadInput('LDP_BAD_INPUT', `${file} ${cannot('read', error)}`);
  });
  const known = parseKeyring(text);
  if (known === undefined) throw new BadInput('LDP_BAD_INPUT', `${file} is no keyring: make one by \`keys new\``);
  const keyring = withNewKey(known);
  // Of two rotations at once, one finds the draft of the other and ends.
  const draft = `${file}.new`;
  try {
    await write(draft, keyring);
    await rename(draft, file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EEXIST') await rm(draft, { force: true });
    const why =
      code === 'EEXIST' ? 'is there: another rotation runs, or was cut off. Remove it then' : 'cannot be written';
    throw new BadInput('LDP_BAD_INPUT', `${draft} ${why}`);
  }
  return { current: keyring.current, older: Object.keys(known.keys) };
}

/** The number orders the keys for people; the rest keeps keys of two keyrings apart. */
function withNewKey({ keys }: Keyring): Keyring {
  const newest = Math.max(0, ...Object.keys(keys).map((id) => parseInt(id, 10) || 0));
  const current = `${newest + 1}-${randomBytes(4).toString('hex')}`;
  return { current, keys: { ...keys, [current]: randomBytes(keyBytes).toString('base64') } };
}

async function write(file: string, keyring: Keyring): Promise<void> {
  const handle = await open(file, 'wx', 0o600);
  try {
    await handle.writeFile(`${JSON.stringify(keyring)}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

const cannot = (what: 'read' | 'written', { code }: NodeJS.ErrnoException) =>
  `cannot be ${what} (${code ?? 'unknown'})`;
