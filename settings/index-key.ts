/**
 * The key of the hashes in search attributes. It is made once and never changed: another key finds no earlier case.
 * @module
 */
import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, rm } from 'node:fs/promises';
import path from 'node:path';

/**
 * Read `<data>/index-key`, and make it first when it is not there. Two processes that start together agree: the key
 * appears whole, and only once.
 * @throws Error of the file system.
 */
export async function ensureIndexKey(dataFolder: string): Promise<string> {
  const file = path.join(dataFolder, 'index-key');
  const kept = await readFile(file, 'utf8').catch(unlessCode('ENOENT'));
  if (kept !== undefined) return kept.trim();

  await mkdir(dataFolder, { recursive: true, mode: 0o700 });
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  const handle = await open(draft, 'wx', 0o600);
  try {
    await handle.writeFile(`${randomBytes(32).toString('base64url')}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await link(draft, file).catch(unlessCode('EEXIST'));
  await rm(draft);
  return (await readFile(file, 'utf8')).trim();
}

const unlessCode = (code: string) => (error: NodeJS.ErrnoException) => {
  if (error.code !== code) throw error;
  return undefined;
};
