/**
 * A folder as the archive.
 * @module
 */
import { createDurableFolder, tryFolder } from '../durable-folder';
import type { Plugin } from '../roles';
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
    archive: createDurableFolder('folder', settings.path),
    test: async () => [await tryFolder(settings.path)],
    close: async () => {},
  }),
};
