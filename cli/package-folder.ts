/**
 * Where this package lies: its documents and its version stand beside the code.
 * @module
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';

const above = path.dirname(__dirname);

/** From source that is the folder above this one; compiled, the one above `dist`. */
export const packageFolder = path.basename(above) === 'dist' ? path.dirname(above) : above;

export function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(path.join(packageFolder, 'package.json'), 'utf8')) as { version: string };
  return version;
}
