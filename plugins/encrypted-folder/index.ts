/**
 * A folder of encrypted files as the secret store.
 * @module
 */
import { tried } from '../connection-test';
import { tryFolder } from '../durable-folder';
import type { Plugin } from '../roles';
import { createEncryptedFolder } from './secret-store';
import { encryptedFolderSettings, type EncryptedFolderSettings } from './settings';

/** `plugin: encrypted-folder`. It speaks to the file system, so it has no HTTP operations. */
export const encryptedFolder: Plugin<EncryptedFolderSettings> = {
  name: 'encrypted-folder',
  title: 'Encrypted folder',
  roles: ['secretStore'],
  settings: encryptedFolderSettings,
  operations: [],
  agentHosts: [],
  create(_instanceName, { path, keys }) {
    const store = createEncryptedFolder(path, keys);
    return {
      secretStore: store,
      test: async (call) => [
        await tryFolder(path),
        await tried('secrets', async () => {
          const names = await store.list('', call);
          for (const name of names) await store.get(name, call);
          return { detail: `Our keys read all of them: ${names.length}.` };
        }),
      ],
      close: async () => {},
    };
  },
};
