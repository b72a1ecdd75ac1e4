/**
 * The package as it is published: compiled JavaScript with types, and the workflows as one bundle. Nothing else. It goes
 * into `dist`, or into the folder that is named.
 * @module
 */
import { chmod, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { runTool } from './run-tool';
import { bundleWorkflows } from './workflow-bundle';

async function build(): Promise<void> {
  const dist = path.resolve(process.argv[2] ?? path.join(__dirname, '..', 'dist'));
  await rm(dist, { recursive: true, force: true });
  const { ok, output } = await runTool('tsc', ['-p', 'tsconfig.build.json', '--outDir', dist]);
  if (!ok) throw new Error(output);
  await chmod(path.join(dist, 'cli.js'), 0o755);
  // worker.ts takes it from here; without it every start would bundle.
  await writeFile(path.join(dist, 'workflow-bundle.js'), await bundleWorkflows());
}

build().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
