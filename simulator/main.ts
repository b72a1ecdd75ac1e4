/**
 * Run the simulator as a program: `npm run simulator -- --port 4599 --seed 1 [--devices N] [--now ISO] [--settings FOLDER]`. It
 * prints one JSON line when it is ready, and ends on SIGTERM, SIGINT, or when a program that started it does.
 * @module
 */
import { fstatSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { startSimulator } from './server';
import { everyVendor, writeSimulatorSettings } from './settings';

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '0' },
      seed: { type: 'string', default: '1' },
      devices: { type: 'string', default: '0' },
      now: { type: 'string' },
      settings: { type: 'string' },
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
  // A program holds it open through a pipe. A shell in the background gives nothing to read, and that is no end.
  const input = fstatSync(process.stdin.fd);
  if (input.isFIFO() || input.isSocket()) process.stdin.once('end', end).resume();
  const written =
    values.settings === undefined
      ? undefined
      : writeSimulatorSettings({
          folder: path.resolve(values.settings),
          simulator: simulator.url,
          tenant: 'simulated',
          with: everyVendor,
          wipe: { approvers: ['ana', 'bo'] },
        });
  process.stdout.write(`${JSON.stringify({ simulator: simulator.url, ...(written && { settings: written.file }) })}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`simulator: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
