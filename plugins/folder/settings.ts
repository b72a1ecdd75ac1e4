/**
 * Settings of the folder archive.
 * @module
 */
import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { filledText } from '../setting-fields';

/** An instance with `plugin: folder`: all of its part of the settings file but `plugin` itself. */
export const folderSettings = z.strictObject({
  path: filledText
    .refine(isAbsolute, { error: 'is not an absolute path: a worker may be started from anywhere' })
    .meta({
      description: 'Where journals and evidence are kept. Made when it is not there, readable by our own account only.',
      example: './archive',
    }),
});

export type FolderSettings = z.infer<typeof folderSettings>;
