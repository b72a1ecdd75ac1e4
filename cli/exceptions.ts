/**
 * The command `exceptions`: the hosts that a lost device must still reach, for the exceptions of its steering configuration.
 * @module
 */
import { Option, type Command } from 'commander';
import type { z } from 'zod';
import { openTenants } from '../open-house';
import { toCsv } from '../playbook/csv';
import type { exceptionsSchema } from '../playbook/schemas/preflight';
import { plugins } from '../plugins';
import { exceptionCells, printExceptions } from './print-check';
import { settingsFor, tell, tenantOf, type GlobalOptions } from './session';

const answerWithinMs = 60_000;

type Tenant = NonNullable<ReturnType<ReturnType<typeof openTenants>['get']>>;

interface ExceptionOptions {
  device?: string;
  format: 'table' | 'csv' | 'json';
  tenant?: string;
}

export function addExceptionsCommand(program: Command): void {
  program
    .command('exceptions')
    .description('Print the hosts to let through in the lost steering configuration, for the agents in use.')
    .option('--device <serial>', 'only for the agents that know this device; sign-in stays')
    .addOption(new Option('--format <format>', 'how').choices(['table', 'csv', 'json']).default('table'))
    .option('--tenant <name>', 'of which tenant, when there are several')
    .action(async ({ device, format, tenant: wanted }: ExceptionOptions, command: Command) => {
      const settings = await settingsFor(command);
      const [name, given] = tenantOf(settings, wanted);
      const tenant = openTenants({ ...settings, tenants: { [name]: given } }).get(name);
      if (tenant === undefined) return;
      try {
        const strangers = device === undefined ? new Set<string>() : await agentsWithout(tenant, device);
        const rows = Object.entries(given.plugins).flatMap(([of, { plugin }]) =>
          strangers.has(of) ? [] : rowsOf(of, plugin, tenant),
        );
        const asJson = format === 'json' || command.optsWithGlobals<GlobalOptions>().json;
        if (asJson) process.stdout.write(`${JSON.stringify(rows)}\n`);
        else if (format === 'csv')
          process.stdout.write(
            `${toCsv([['host', 'vendor', 'region', 'source', 'date'], ...rows.map(exceptionCells)])}\r\n`,
          );
        else tell(command, rows, () => printExceptions(rows));
      } finally {
        await Promise.all([...tenant.instances.values()].map((instance) => instance.close()));
      }
    });
}

function rowsOf(of: string, plugin: string, { instances, settings }: Tenant): z.infer<typeof exceptionsSchema> {
  const product = plugins[plugin];
  const given = settings.agentHosts[of];
  const lists = given
    ? [{ hosts: given, region: 'all', source: 'agentHosts of the settings', date: '' }]
    : (instances.get(of)?.agentHostSources ?? product?.agentHostSources ?? []);
  return lists.flatMap(({ hosts, ...about }) =>
    hosts.map((host) => ({ host, vendor: product?.title ?? plugin, of, ...about })),
  );
}

/** Products with an agent that do not know the device. @throws PlaybookError when one cannot be asked. */
async function agentsWithout({ managements, detections }: Tenant, serial: string): Promise<Set<string>> {
  const call = { signal: AbortSignal.timeout(answerWithinMs), now: new Date().toISOString() };
  const known = await Promise.all([
    ...[...managements].map(async ([of, one]) => [of, (await one.findRecords({ serial }, call)).length] as const),
    ...[...detections].map(async ([of, one]) => [of, (await one.findAgents({ serial }, call)).length] as const),
  ]);
  return new Set(known.flatMap(([of, count]) => (count === 0 ? [of] : [])));
}
