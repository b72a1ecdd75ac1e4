/**
 * The command `upgrade`: whether a new version may run.
 * @module
 */
import type { Command } from 'commander';
import type { UpgradeRow } from '../upgrade-check';
import { printUpgradeCheck } from './print';
import { tell, withCases } from './session';

const progressEveryMs = 2_000;

export function addUpgradeCommand(program: Command): void {
  program
    .command('upgrade')
    .description(
      'Before this version runs: replay every open case, triage, hold, guard and watch, and say which would not go on with it. Changes nothing. Ends with 1 when one would not.',
    )
    .requiredOption('--check', 'look only; how to change versions is in docs/runbook/upgrade.md')
    .action((_options: object, command: Command) =>
      withCases(command, async ({ house }) => {
        // Loaded here only: the other commands start without a worker.
        const [{ checkUpgrade, countOpen }, { DefaultLogger, makeTelemetryFilterString, Runtime }] = await Promise.all([
          import('../upgrade-check.js'),
          import('@temporalio/worker'),
        ]);
        // What the SDK would say of a workflow that does not replay stands in its row.
        Runtime.install({
          logger: new DefaultLogger('ERROR', () => undefined),
          telemetryOptions: { logging: { filter: makeTelemetryFilterString({ core: 'ERROR' }) } },
        });
        const open = await countOpen(house.client);
        const rows: UpgradeRow[] = [];
        let toldAtMs = Date.now();
        for await (const row of checkUpgrade(house.client)) {
          rows.push(row);
          if (Date.now() < toldAtMs + progressEveryMs) continue;
          toldAtMs = Date.now();
          process.stderr.write(`Replayed ${rows.length} of about ${open}; ${stopping(rows)} would stand still.\n`);
        }
        tell(command, rows, () => printUpgradeCheck(rows));
        if (stopping(rows) > 0) process.exitCode = 1;
      }),
    );
}

const stopping = (rows: UpgradeRow[]) => rows.filter(({ goesOn }) => !goesOn).length;
