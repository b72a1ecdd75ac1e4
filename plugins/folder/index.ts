/**
 * A folder as the archive.
 * @module
 */
import { access, constants, mkdir } from 'node:fs/promises';
import type { Plugin } from '../roles';
import { createFolderArchive } from './archive';
import { folderSettings, type FolderSettings } from './settings';

/** `plugin: folder`. It speaks to the file system, so it has no HTTP operations. */
export const folder: Plugin<FolderSettings> = {
  name: 'folder',
  title: 'Folder',
  roles: ['archive'],
  settings: folderSettings,
  operations: [],
  agentHosts: [],
  create: (_instanceName, settings) => ({
    archive: createFolderArchive(settings.path),
    async test() {
      const what = `folder ${settings.path}`;
      try {
        await mkdir(settings.path, { recursive: true, mode: 0o700 });
        await access(settings.path, constants.R_OK | constants.W_OK | constants.X_OK);
        return [{ what, ok: true, detail: 'It is there, and our account may read and write it.' }];
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        return [{ what, ok: false, detail: `${reason}. Give our account the right to write there.` }];
      }
    },
    close: async () => {},
  }),
};
