/**
 * Files that are made from the code: written, or with `--check` compared, so that they never drift apart.
 * @module
 */
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { format, resolveConfig } from 'prettier';

const root = path.dirname(__dirname);

/**
 * Bring files in step with the code.
 * @param wanted Texts by path in the project; they are formatted like everything else.
 * @param options.folder Files in this folder that are not wanted are removed, or are a difference.
 * @param options.script Named in the remedy.
 */
export async function keepInStep(
  wanted: ReadonlyMap<string, string>,
  { folder, script }: { folder?: string; script: string },
): Promise<void> {
  const check = process.argv.includes('--check');
  const different: string[] = [];
  for (const [name, text] of wanted) {
    const file = path.join(root, name);
    const formatted = await format(text, { ...(await resolveConfig(file)), filepath: file });
    if ((await readFile(file, 'utf8').catch(() => undefined)) === formatted) continue;
    different.push(name);
    if (check) continue;
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, formatted);
  }
  const present = folder === undefined ? [] : await readdir(path.join(root, folder)).catch(() => []);
  for (const name of present.map((entry) => `${folder}/${entry}`)) {
    if (wanted.has(name)) continue;
    different.push(name);
    if (!check) await rm(path.join(root, name));
  }
  if (!check) process.stdout.write(`${different.length} of ${wanted.size} files changed.\n`);
  else if (different.length > 0) {
    process.stderr.write(`Not in step with the code: ${different.join(', ')}. Run \`npx tsx ${script}\`.\n`);
    process.exitCode = 1;
  }
}
