/**
 * `npm run bench -- NAME [--json]`.
 * @module
 */
import { benchContainment } from './containment';
import { benchLimits } from './limits';

const benches: Record<string, (json: boolean) => Promise<void>> = {
  containment: benchContainment,
  limits: benchLimits,
};

const [name = '', ...flags] = process.argv.slice(2);
const bench = benches[name];
if (bench === undefined) {
  process.stderr.write(`Usage: npm run bench -- NAME [--json]. There are: ${Object.keys(benches).join(', ')}.\n`);
  process.exit(2);
}
bench(flags.includes('--json')).then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exit(1);
  },
);
