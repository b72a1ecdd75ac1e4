/**
 * Commands about the products of the settings: `plugins`, and `plugins test`. Neither needs Temporal.
 * @module
 */
import type { Command } from 'commander';
import { createPlugins, plugins } from '../plugins';
import { BadInput } from '../plugins/errors';
import { printPlugins, printTests } from './print';
import { tell, settingsFor } from './session';

const testWithinMs = 60_000;

export function addPluginCommands(program: Command): void {
  const group = program
    .command('plugins')
    .description('Show the products of the settings: their roles, and what their credentials must be allowed to do.')
    .action(async (_options: object, command: Command) => {
      const { tenants } = await settingsFor(command);
      const list = Object.entries(tenants).flatMap(([tenant, { plugins: instances, agentHosts: given }]) =>
        Object.entries(instances).flatMap(([name, { plugin }]) => {
          const product = plugins[plugin];
          if (product === undefined) return [];
          const { title, roles, agentHosts, operations } = product;
          const permissions = [...new Set(operations.map(({ permission }) => permission))];
          return [{ tenant, name, plugin, title, roles, hosts: given[name] ?? agentHosts, permissions }];
        }),
      );
      tell(command, list, () => printPlugins(list));
    });

  group
    .command('test <name>')
    .description('Try the connection of one product, without changing anything.')
    .option('--tenant <name>', 'whose, when several tenants have the name')
    .action(async (name: string, options: { tenant?: string }, command: Command) => {
      const { tenants } = await settingsFor(command);
      const found = Object.entries(tenants).filter(
        ([tenant, { plugins: instances }]) =>
          Object.hasOwn(instances, name) && (options.tenant === undefined || options.tenant === tenant),
      );
      const [only] = found;
      if (only === undefined || found.length > 1) {
        const remedy = only
          ? `name one of ${found.map(([tenant]) => tenant).join(', ')} by --tenant`
          : '`plugins` shows all';
        throw new BadInput('LDP_BAD_INPUT', `${found.length} products are called ${name}: ${remedy}.`);
      }
      const instance = createPlugins(only[1].plugins).get(name);
      if (instance === undefined) return;
      const call = { signal: AbortSignal.timeout(testWithinMs), now: new Date().toISOString() };
      const tests = await instance.test(call).finally(() => instance.close());
      tell(command, tests, () => printTests(tests));
      if (tests.some(({ ok }) => !ok)) process.exitCode = 1;
    });
}
