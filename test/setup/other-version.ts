/**
 * The workflows of another version: a copy of ours with something changed, as a bundle for a worker.
 * @module
 */
import { cpSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleWorkflows } from '../../setup/workflow-bundle';

const root = join(__dirname, '..', '..');
const patch = /\bpatched\((?:'([^']+)'|"([^"]+)")\)/g;

/** The copy is made below `folder`, and named like the files it is made of. */
export interface OtherVersion {
  folder: string;
  /** Gets each file of `workflows/` by its path in there, and answers what stands in the other version. */
  change(source: string, file: string): string;
}

/**
 * @returns The path of the bundle.
 * @throws Error when nothing was changed: the sources are not what the test takes them for.
 */
export async function bundleOtherVersion({ folder, change }: OtherVersion): Promise<string> {
  const copy = mkdtempSync(join(folder, 'version-'));
  const workflows = join(copy, 'workflows');
  for (const room of ['workflows', 'playbook']) cpSync(join(root, room), join(copy, room), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  let changed = 0;
  for (const file of workflowFiles()) {
    const source = readFileSync(join(workflows, file), 'utf8');
    const other = change(source, file);
    if (other !== source) changed += 1;
    writeFileSync(join(workflows, file), other);
  }
  if (changed === 0) throw new Error('The other version is the same as ours');
  const bundle = join(copy, 'bundle.js');
  writeFileSync(bundle, await bundleWorkflows('clear', join(workflows, 'index.ts')));
  return bundle;
}

/** Every change that stands behind `patched` today. */
export function patchesOfToday(): string[] {
  const sources = workflowFiles().map((file) => readFileSync(join(root, 'workflows', file), 'utf8'));
  return [
    ...new Set(sources.flatMap((source) => [...source.matchAll(patch)].map((found) => found[1] ?? found[2] ?? ''))),
  ];
}

/** The code before all changes but these. */
export const withPatches =
  (known: string[]): OtherVersion['change'] =>
  (source, file) => {
    const before = source.replace(patch, (call, one?: string, other?: string) =>
      known.includes(one ?? other ?? '') ? call : 'false',
    );
    if (before.replace(patch, '').includes('patched(')) throw new Error(`${file}: name the change by a string`);
    return before;
  };

function workflowFiles(): string[] {
  return readdirSync(join(root, 'workflows'), { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  );
}
