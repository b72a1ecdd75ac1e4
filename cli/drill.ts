/**
 * The command `drill`: a case of 60 days in seconds, beside production, with nothing real touched.
 * @module
 */
import { Option, type Command } from 'commander';
import type { StoryName } from '../drill/drill';
import { loadSettingsWithoutSecrets } from '../settings/load';
import { printDrill } from './print-drill';
import { tell, tenantOf, type GlobalOptions } from './session';

const stories = ['recovered', 'never-reappears', 'wiped'] satisfies StoryName[];

export function addDrillCommand(program: Command): void {
  program
    .command('drill')
    .description(
      'Play a case of 60 days by these settings, in seconds and beside production: no product is called, and no person. ' +
        'The report says what would have happened, who would have been asked, and what the settings lack.',
    )
    .addOption(new Option('--story <story>', 'what happens to the laptop').choices(stories).default('recovered'))
    .option('--tenant <name>', 'whose settings, when there are several')
    .action(async ({ story, tenant }: { story: StoryName; tenant?: string }, command: Command) => {
      const given = await loadSettingsWithoutSecrets(command.optsWithGlobals<GlobalOptions>().settings);
      const [name] = tenantOf(given.settings, tenant);
      // Loaded here only: the other commands start without a worker.
      const [{ drill }, { DefaultLogger, makeTelemetryFilterString, Runtime }] = await Promise.all([
        import('../drill/drill.js'),
        import('@temporalio/worker'),
      ]);
      Runtime.install({
        logger: new DefaultLogger('ERROR'),
        telemetryOptions: { logging: { filter: makeTelemetryFilterString({ core: 'ERROR' }) } },
      });
      const log = (line: string) => void process.stderr.write(`${line}\n`);
      const report = await drill(given, { story, tenant: name, log });
      tell(command, report, () => printDrill(report));
      if (!report.ended) process.exitCode = 1;
    });
}
