#!/usr/bin/env node
/**
 * Entry: the `lost-device` command.
 * @module
 */
import { runCli } from './cli/program';

// A reader that has seen enough (`| head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

void runCli(process.argv.slice(2)).then((exitCode) => {
  process.exitCode = exitCode;
  // What failed half way may have left something running.
  if (exitCode !== 0) process.exit();
});
