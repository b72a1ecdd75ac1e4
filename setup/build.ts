/**
 * The package as it is published: compiled JavaScript with types, and the workflows as bundles, one to encrypt and one to leave in clear. Nothing else. It goes
 * into `dist`, or into the folder that is named.
 * @module
 */
import { chmod, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { workflowBundles } from '../worker';
import { runTool } from './run-tool';
import { bundleWorkflows } from './workflow-bundle';

async function build(): Promise<void> {
  const dist = path.resolve(process.argv[2] ?? path.join(__dirname, '..', 'dist'));
  await rm(dist, { recursive: true, force: true });
  const { ok, output } = await runTool('tsc', ['-p', 'tsconfig.build.json', '--outDir', dist]);
  if (!ok) throw new Error(output);
  await chmod(path.join(dist, 'cli.js'), 0o755);
  // worker.ts takes them from here; without them every start would bundle.
  for (const kind of ['clear', 'encrypted'] as const)
    await writeFile(path.join(dist, workflowBundles[kind]), await bundleWorkflows(kind));
}

build().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
