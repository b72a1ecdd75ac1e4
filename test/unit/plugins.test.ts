/** The registry: a tenant's instances are made from its settings, and what is wrong is named. */
import { createPlugins, plugins } from '../../plugins';
import { BadInput } from '../../plugins/errors';

const secrets = [`whsec_${Buffer.from('a secret of 24 bytes !!!').toString('base64')}`];

test('instances carry their own name and their plugin', () => {
  const made = createPlugins({
    generic: { plugin: 'webhook', settings: { secrets } },
    evidence: { plugin: 'folder', settings: { path: '/tmp/evidence' } },
  });
  expect([...made.values()].map(({ name, plugin }) => [name, plugin])).toEqual([
    ['generic', 'webhook'],
    ['evidence', 'folder'],
  ]);
  expect(made.get('generic')?.ticketDesk).toBeDefined();
});

test.each(Object.values(plugins))('$name fills the roles it states and no others', (manifest) => {
  expect(plugins[manifest.name]).toBe(manifest);
  expect(manifest.roles.length).toBeGreaterThan(0);
  expect(new Set(manifest.operations.map(({ name }) => name)).size).toBe(manifest.operations.length);
});

test.each([
  ['an unknown plugin', { desk: { plugin: 'clipboard', settings: {} } }, 'plugins.desk.plugin'],
  ['a name of Object', { desk: { plugin: 'constructor', settings: {} } }, 'plugins.desk.plugin'],
  ['a wrong field', { desk: { plugin: 'webhook', settings: { secrets: 'x' } } }, 'plugins.desk.settings.secrets'],
  ['no settings', { desk: { plugin: 'folder', settings: undefined } }, 'plugins.desk.settings.path'],
  [
    'a name that is no part of an address',
    { 'Desk/1': { plugin: 'webhook', settings: { secrets } } },
    'plugins.Desk/1',
  ],
])('%s is refused and named', (_, settings, field) => {
  const make = () => createPlugins(settings);
  expect(make).toThrow(BadInput);
  expect(make).toThrow(expect.objectContaining({ message: expect.stringContaining(field) }));
});

test('a secret never comes back in a message', () => {
  const make = () => createPlugins({ desk: { plugin: 'webhook', settings: { secrets: ['whsec_hunter2'] } } });
  expect(make).toThrow(expect.objectContaining({ message: expect.not.stringContaining('hunter2') }));
});
