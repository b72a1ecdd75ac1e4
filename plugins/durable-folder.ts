/**
 * A folder that keeps each key once: one file per key, durable when `putOnce` returns. Many processes may share it.
 * @module
 */
import { randomUUID } from 'node:crypto';
import { access, constants, link, mkdir, open, readdir, readFile, unlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { BadInput, VendorRefused, VendorUnavailable } from './errors';
import type { Archive, ConnectionTest } from './roles';

/** Files are written here first. No key can reach it, because no segment of a key begins with a dot. */
const incoming = '.incoming';

/**
 * @param product The plugin's name: the first word of every message.
 * @param path Absolute path. The folder is made at the first write.
 * @throws From every method: BadInput for a key that is none, VendorRefused when the account may not write,
 * VendorUnavailable when the disk is full or ill. A `putOnce` that threw is safe to repeat.
 */
export function createDurableFolder(product: string, path: string): Archive {
  const root = resolve(path);
  return {
    async putOnce(key, bytes, call) {
      call.signal.throwIfAborted();
      const file = join(root, ...segments(key));
      return orPlaybookError(`${product} putOnce`, async () => {
        await Promise.all(
          [join(root, incoming), dirname(file)].map((folder) => mkdir(folder, { recursive: true, mode: 0o700 })),
        );
        const draft = join(root, incoming, `${process.pid}-${randomUUID()}`);
        try {
          await writeDurably(draft, bytes);
          const created = await linkIfAbsent(draft, file);
          // Also when it was there: whoever made it may have died before these lines.
          const folders: string[] = [];
          for (let folder = dirname(file); folder.length >= root.length; folder = dirname(folder)) folders.push(folder);
          await Promise.all(folders.map(syncFolder));
          return created ? 'created' : 'already there';
        } finally {
          await unlink(draft).catch(() => {});
        }
      });
    },

    async get(key, call) {
      call.signal.throwIfAborted();
      const file = join(root, ...segments(key));
      return orPlaybookError(`${product} get`, () => undefinedWhenAbsent(readFile(file)));
    },

    async list(prefix, call) {
      call.signal.throwIfAborted();
      const folders = prefix.split('/').slice(0, -1);
      // The last part may be half a segment; what stands before it must be whole ones.
      const within = folders.length > 0 ? segments(folders.join('/')) : [];
      const keys = await orPlaybookError(`${product} list`, () => keysBelow(root, within));
      return keys.filter((key) => key.startsWith(prefix)).sort();
    },
  };
}

/** The line of a connection test: makes the folder, and writes nothing into it. */
export async function tryFolder(path: string): Promise<ConnectionTest> {
  const what = `folder ${path}`;
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    await access(path, constants.R_OK | constants.W_OK | constants.X_OK);
    return { what, ok: true, detail: 'It is there, and our account may read and write it.' };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { what, ok: false, detail: `${reason}. Give our account the right to write there.` };
  }
}

/** Split a key, and refuse all that could leave the folder or be mistaken for a draft. */
function segments(key: string): string[] {
  const parts = key.split('/');
  const valid = parts.length <= 12 && parts.every((part) => /^(?!\.)[A-Za-z0-9._:=@+-]{1,200}$/.test(part));
  if (!valid) {
    throw new BadInput('LDP_BAD_INPUT', 'a key is made of names parted by /: letters, digits and . _ : = @ + -', {
      field: 'key',
    });
  }
  return parts;
}

async function keysBelow(root: string, within: string[]): Promise<string[]> {
  const entries = (await undefinedWhenAbsent(readdir(join(root, ...within), { withFileTypes: true }))) ?? [];
  const found = await Promise.all(
    entries
      .filter((entry) => !entry.name.startsWith('.'))
      .map((entry) => {
        const path = [...within, entry.name];
        return entry.isDirectory() ? keysBelow(root, path) : Promise.resolve([path.join('/')]);
      }),
  );
  return found.flat();
}

async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** A hard link is the one call that makes a whole file appear at once, and fails when the name is taken. */
async function linkIfAbsent(draft: string, path: string): Promise<boolean> {
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function undefinedWhenAbsent<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(codeOf(error) ?? '')) return undefined;
    throw error;
  }
}

async function orPlaybookError<T>(operation: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw asPlaybookError(operation, error);
  }
}

function asPlaybookError(operation: string, error: unknown): unknown {
  const code = codeOf(error);
  if (code === undefined) return error;
  if (['EACCES', 'EPERM', 'EROFS'].includes(code)) {
    return new VendorRefused('LDP_NOT_PERMITTED', `${operation}: our account may not (${code})`, { operation });
  }
  return new VendorUnavailable('LDP_UNREACHABLE', `${operation}: the file system answered ${code}`, { operation });
}

function codeOf(error: unknown): string | undefined {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}
