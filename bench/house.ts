/**
 * The house in a process of its own, for the benchmarks: prints its addresses as one JSON line, ends on SIGTERM.
 * @module
 */
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { startHouse } from '../house';
import { loadSettings } from '../settings/load';

async function main(): Promise<void> {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const house = await startHouse(await loadSettings(process.argv[2]));
  process.stdout.write(`${JSON.stringify(house.addresses)}\n`);
  process.once('SIGTERM', () => void house.stop().then(() => process.exit(0)));
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
