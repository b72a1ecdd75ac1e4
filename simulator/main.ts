/**
 * Run the simulator as a program: `tsx simulator/main.ts --port 0 --seed 1 [--devices N] [--now ISO]`. It prints one JSON
 * line when it is ready, and ends on SIGTERM, SIGINT, or when its standard input closes.
 * @module
 */
import { parseArgs } from 'node:util';
import { startSimulator } from './server';

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '0' },
      seed: { type: 'string', default: '1' },
      devices: { type: 'string', default: '0' },
      now: { type: 'string' },
    },
  });
  const simulator = await startSimulator({
    port: Number(values.port),
    seed: Number(values.seed),
    devices: Number(values.devices),
    ...(values.now !== undefined && { now: values.now }),
  });
  const end = () => void simulator.close().then(() => process.exit(0));
  process.once('SIGTERM', end);
  process.once('SIGINT', end);
  process.stdin.once('end', end).resume();
  process.stdout.write(`${JSON.stringify({ simulator: simulator.url })}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`simulator: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
