/** The published form of the settings file, as an editor checks by it. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { publishedSchemas } from '../../http/schemas';
import { plugins } from '../../plugins';
import { firstFile, usualProducts } from '../../settings/first-file';
import { fileForm, type Form } from '../../settings/form';

const root = path.resolve(__dirname, '../..');
const example = readFileSync(path.join(root, 'docs/lost-device.example.yaml'), 'utf8');
const form = z.fromJSONSchema(publishedSchemas.settings as Parameters<typeof z.fromJSONSchema>[0]);
const takes = (text: string) => form.safeParse(parse(text)).success;
const firstOf = (products: string[]) =>
  firstFile({ tenant: 'main', products: Object.fromEntries(products.map((product) => [product, {}])) }, 'schema.json')
    .text;

test('the example is taken, with what it shows as an alternative', () => {
  expect(takes(example)).toBe(true);
  const alternatives = example
    .replace(/^( *)# (?=(encryption|tag|v1Token|lostGroupId|provisioning|address|clocks|feeds): )/gm, '$1')
    .replace(/^( *)# (?=(pager|intune|crowdstrike|secrets):$| +\w+: )/gm, '$1');
  expect(alternatives).toMatch(/^ {6}crowdstrike:$/m);
  expect(takes(alternatives)).toBe(true);
});

test('what `init` writes is taken: for the usual products and for all, also with every # taken away', () => {
  expect(takes(firstOf(usualProducts))).toBe(true);
  const all = firstOf(Object.keys(plugins));
  expect(takes(all)).toBe(true);
  expect(takes(all.replace(/^( *)#(?=\S)/gm, '$1'))).toBe(true);
});

test.each([
  ['a setting of the file that there is not', 'namespace: default', 'namespaze: default'],
  ['a setting of a product that there is not', 'lostGroup: Lost', 'lostGruop: Lost'],
  ['a setting of another product', 'lostPolicy: Block', 'routingKey: env:KEY'],
  ['a setting deep in a product', 'alerts: { pollEveryMs', 'alerts: { pollEvery'],
  ['a needed setting left out', '        lostPolicy: Block lost and stolen devices\n', ''],
  ['a product that there is not', 'plugin: netskope', 'plugin: netscope'],
  ['a product in place of another', 'plugin: smtp', 'plugin: servicenow'],
  ['a secret in the open', 'token: env:NETSKOPE_TOKEN', 'token: hunter2'],
  ['a secret of figures', 'token: env:NETSKOPE_TOKEN', 'token: 4711'],
  ['a secret in the open, in a list', '[env:LOST_DEVICE_WEBHOOK_SECRET]', '[whsec_aHVudGVyMg==]'],
  ['a keyring in the open', '# encryption: { keys: file:./keyring.json }', 'encryption: { keys: hunter2 }'],
  ['a program for what is no secret', 'directoryTenant: acme.example', 'directoryTenant: exec:/bin/tenant'],
  ['a duration of a product', 'pollEveryMs: 60s', 'pollEveryMs: a minute'],
  ['a duration of the file', 'every: 5min', 'every: soon'],
])('%s is refused', (_, right, wrong) => {
  expect(example).toContain(right);
  expect(takes(example.replace(right, wrong))).toBe(false);
});

test('what is no secret may lie elsewhere too', () => {
  expect(takes(example.replace('clientId: 22222222-2222-4222-8222-222222222222', 'clientId: env:CLIENT_ID'))).toBe(
    true,
  );
});

test('every setting says what it means, and every default is in words', () => {
  const settings = settingsIn(fileForm());
  expect(settings.length).toBeGreaterThan(200);
  expect(settings.filter(({ part }) => !/^[\w`"*:{(].*[.`]$/s.test(part.description ?? '')).map(at)).toEqual([]);
  expect(settings.find(({ path: where }) => where.endsWith('Netskope.feeds.events.pollEveryMs'))?.part.default).toBe(
    '5min',
  );
  const lasting = settings.filter(({ path: where }) => /Ms$/.test(where));
  expect(lasting.filter(({ part }) => typeof part.default === 'number').map(at)).toEqual([]);
});

interface Setting {
  path: string;
  part: Form;
}

const at = ({ path: where }: Setting) => where;

/** Every setting, of the file and of every product. */
function settingsIn(part: Form, where = ''): Setting[] {
  const { properties = {}, additionalProperties: others, items, anyOf = [], oneOf = [] } = part;
  return [
    ...Object.entries(properties).flatMap(([name, below]) => [
      { path: `${where}.${name}`, part: below },
      ...settingsIn(below, `${where}.${name}`),
    ]),
    ...(typeof others === 'object' ? settingsIn(others, `${where}.*`) : []),
    ...(items ? settingsIn(items, `${where}[]`) : []),
    ...[...anyOf, ...oneOf].flatMap((one) => settingsIn(one, `${where}${one.title ? ` ${one.title}` : ''}`)),
  ];
}
