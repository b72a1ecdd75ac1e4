/**
 * Which part of the house may import which: the table, and the rules of what runs inside a workflow. The linter and a
 * test both ask {@link importMistake}.
 * @module
 */
import path from 'node:path';

/** One import of a file. */
export interface Import {
  /** As written: `../playbook/case` or `zod`. */
  specifier: string;
  /** `import type`, which is gone at run time. */
  typeOnly: boolean;
}

interface Part {
  /** Folder or file from the root of the project, without ending. The longest one that fits a file is its part. */
  name: string;
  /** Other parts that it may import, or single files of them. */
  imports: string[];
  /** More that it may import as types only. */
  types?: string[];
  /** Packages that it may not import, with everything below them. */
  withoutPackages?: string[];
}

const notInWorkflows = [
  'node',
  'zod',
  'undici',
  'fastify',
  '@temporalio/activity',
  '@temporalio/client',
  '@temporalio/worker',
  '@temporalio/testing',
];
const everyPackage = [''];

/** What others may know of the workflows: nothing that runs. */
const namesOfWorkflows = ['ids', 'messages', 'activity-names', 'search-attributes'].map((name) => `workflows/${name}`);
/** What a product may take from its neighbours; never another product. */
const sharedByProducts = [
  'connection-test',
  'durable-folder',
  'errors',
  'feed-reading',
  'graph',
  'http',
  'plain-text',
  'prerequisites',
  'report-body',
  'roles',
  'run-program',
  'setting-fields',
  'standard-webhooks',
];

const anyPlugin = ['plugins', 'plugins/roles', 'plugins/errors'];

const parts: Part[] = [
  // The domain. Its schemas stand apart: zod in a workflow multiplies the memory of every cached case.
  { name: 'playbook', imports: [], withoutPackages: everyPackage },
  { name: 'playbook/schemas', imports: ['playbook'] },
  { name: 'plugins/roles', imports: ['playbook', 'plugins/errors'] },
  { name: 'plugins/errors', imports: ['playbook'], withoutPackages: everyPackage },
  // The list of products, and what they share. A product's own folder is a part by itself: see partOf.
  { name: 'plugins', imports: ['playbook', 'plugins/roles', 'plugins/errors'] },
  { name: 'workflows', imports: ['playbook'], types: ['activities'], withoutPackages: notInWorkflows },
  {
    name: 'activities',
    imports: ['playbook', 'plugins/roles', 'plugins/errors', ...namesOfWorkflows],
    types: ['client'],
  },
  { name: 'settings', imports: ['playbook', 'playbook/schemas', ...anyPlugin, 'workflows/ids'] },
  { name: 'temporal', imports: ['playbook', 'plugins/errors', 'workflows/search-attributes'] },
  // Cases are reached through a Temporal client and messages, never by the code that runs them.
  {
    name: 'client',
    imports: ['playbook', 'playbook/schemas', 'plugins/errors', ...namesOfWorkflows],
    types: ['plugins/roles'],
  },
  {
    name: 'http',
    imports: ['playbook', 'playbook/schemas', ...anyPlugin, 'client', 'settings', ...namesOfWorkflows],
    types: ['activities'],
  },
  {
    name: 'cli',
    imports: [
      ...['playbook', 'playbook/schemas', ...anyPlugin, 'client', 'settings', 'temporal', ...namesOfWorkflows],
      // `up` runs the whole house, `plugins test` opens it, `setup` starts what always runs, `upgrade` replays what is
      // open, and `drill` plays a case.
      ...['house', 'open-house', 'standing-work', 'upgrade-check', 'drill'],
    ],
  },
  // A house of its own: our workflows and activities, and imagined products.
  {
    name: 'drill',
    imports: [
      ...['playbook', ...anyPlugin, 'activities', 'client', 'temporal', 'open-house', 'worker', ...namesOfWorkflows],
    ],
    types: ['settings', 'playbook/schemas'],
  },
  // Not the product.
  { name: 'simulator', imports: [] },
];
/** They stand around the product and may import all of it; nothing of the product imports them. */
const around = ['demo', 'bench', 'examples', 'test', 'setup', 'simulator'];

/**
 * Says what is wrong with an import, or nothing.
 * @param file from the root of the project, with `/`.
 */
export function importMistake(file: string, { specifier, typeOnly }: Import): string | undefined {
  const part = partOf(file);
  if (!specifier.startsWith('.')) {
    const refused = !typeOnly && part?.withoutPackages?.some((name) => isIn(specifier, name));
    return refused ? `${part?.name} does not import ${specifier}` : undefined;
  }
  const target = path.posix.join(path.posix.dirname(file), specifier).replace(/\.js$/, '');
  const isAround = (name: string) => around.some((folder) => isIn(name, folder));
  if (isAround(target) && !isAround(file)) return `the product does not import ${target}`;
  const home = partOf(target)?.name ?? 'root';
  if (part === undefined || home === part.name) return undefined;
  const allowed = [...part.imports, ...(typeOnly ? (part.types ?? []) : [])];
  if (allowed.some((name) => name === home || name === target)) return undefined;
  return `${part.name} does not import ${target}${typeOnly ? ', not even types' : ''}`;
}

/** Undefined for entries in the root and for what stands around the product: they may import all of it. */
function partOf(file: string): Part | undefined {
  const product = /^plugins\/([^/]+)\//.exec(file)?.[1];
  if (product !== undefined) {
    return { name: `plugins/${product}`, imports: ['playbook', ...sharedByProducts.map((name) => `plugins/${name}`)] };
  }
  const fitting = parts.filter(({ name }) => isIn(file, name));
  return fitting.sort((one, other) => one.name.length - other.name.length).at(-1);
}

/** True for the same name, for what lies below it, and for every name when `whole` is empty. */
function isIn(name: string, whole: string): boolean {
  return (
    whole === '' || name === whole || [`${whole}/`, `${whole}.`, `${whole}:`].some((start) => name.startsWith(start))
  );
}
