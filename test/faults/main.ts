/**
 * `npm run test:faults`: the whole tier, with 20 runs of crashes.
 *
 *     npm run test:faults -- [--long] [--runs N] [--seed N]
 *
 * `--long` makes 200 runs of crashes. `--seed` plays one of them alone, and nothing else.
 * @module
 */
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

/** So many installations stand side by side: each keeps somewhat less than one core busy. */
const atOnce = availableParallelism() + 1;

function main(): void {
  const { values } = parseArgs({
    options: { long: { type: 'boolean', default: false }, runs: { type: 'string' }, seed: { type: 'string' } },
  });
  const { seed, runs = values.long ? '200' : '20' } = values;
  const chosen =
    seed === undefined ? ['--selectProjects', 'faults'] : ['test/faults/crash.test.ts', '-t', `seed ${seed}:`];
  const jest = join(__dirname, '..', '..', 'node_modules', 'jest', 'bin', 'jest.js');
  const child = spawn(process.execPath, [jest, ...chosen, '--maxConcurrency', String(atOnce)], {
    stdio: 'inherit',
    env: { ...process.env, CRASH_SEEDS: seed ?? `1-${runs}` },
  });
  child.once('close', (code) => (process.exitCode = code ?? 1));
}

main();
