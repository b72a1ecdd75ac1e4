/** The settings file: what a good one becomes, and how everything that is wrong with a bad one is said at once. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { defaultRules } from '../../playbook/rules';
import { createPlugins } from '../../plugins';
import { BadInput } from '../../plugins/errors';
import { ensureIndexKey } from '../../settings/index-key';
import { loadSettings } from '../../settings/load';

const secret = `whsec_${Buffer.from('a secret of thirty-two letters').toString('base64')}`;
const environment = { ...process.env };
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'settings-'));
  process.env.NETSKOPE_TOKEN = 'token-from-the-environment';
  delete process.env.TEMPORAL_ADDRESS;
});
afterEach(() => {
  process.env = { ...environment };
  rmSync(folder, { recursive: true });
});

function write(text: string): string {
  const file = path.join(folder, 'lost-device.yaml');
  writeFileSync(file, text);
  return file;
}

const refusalOf = (text: string) =>
  loadSettings(write(text)).then(
    () => [],
    (error: unknown) => {
      expect(error).toBeInstanceOf(BadInput);
      expect(error).toHaveProperty('code', 'LDP_BAD_INPUT');
      return (error as Error).message.replaceAll(`${folder}/`, '').split('\n');
    },
  );

const good = `
data: ./state
tenants:
  acme:
    plugins:
      netskope:
        plugin: netskope
        url: https://acme.goskope.com/
        token: env:NETSKOPE_TOKEN
        lostGroup: Lost-Stolen Devices
        lostSteeringConfig: Lost Steering
        lostPolicy: Block lost devices
        feeds: { clientStatus: { pollEveryMs: 90s } }
      generic: { plugin: webhook, secrets: ['file:webhook.secret'] }
      archive: { plugin: folder, path: ./archive }
    rules:
      waits: { retryMaxMs: 2h }
    reconciliation: { every: 15min }
`;

describe('a good file', () => {
  beforeEach(() => writeFileSync(path.join(folder, 'webhook.secret'), `${secret}\n`));

  test('gets its secrets, its durations in milliseconds, its paths beside the file, and the defaults', async () => {
    const settings = await loadSettings(write(good));
    expect(settings).toMatchObject({
      dataFolder: path.join(folder, 'state'),
      temporal: { namespace: 'default', port: 7233, uiPort: 8233 },
      http: { webhooks: { host: '127.0.0.1', port: 8787 }, api: { host: '127.0.0.1', port: 8788 } },
    });
    expect(settings.temporal).not.toHaveProperty('address');
    const { plugins, rules, guard, reconciliation, watch } = settings.tenants.acme ?? {};
    expect(plugins?.netskope?.settings).toMatchObject({
      token: 'token-from-the-environment',
      feeds: { clientStatus: { pollEveryMs: 90_000 } },
    });
    expect(plugins?.generic).toEqual({ plugin: 'webhook', settings: { secrets: [secret] } });
    expect(plugins?.archive?.settings).toEqual({ path: path.join(folder, 'archive') });
    expect(rules).toEqual({ ...defaultRules, waits: { ...defaultRules.waits, retryMaxMs: 7_200_000 } });
    expect(guard).toEqual({ containmentsPerHour: 5, protectedUsers: [] });
    expect(reconciliation).toEqual({ everyMs: 900_000 });
    expect(watch).toEqual({ indexEveryMs: 30_000 });
    expect([...createPlugins(plugins ?? {}).keys()]).toEqual(['netskope', 'generic', 'archive']);
  });

  test('TEMPORAL_ADDRESS in the environment goes before the file', async () => {
    const withAddress = `temporal: { address: 'temporal.internal:7233' }\n${good}`;
    expect((await loadSettings(write(withAddress))).temporal.address).toBe('temporal.internal:7233');
    process.env.TEMPORAL_ADDRESS = '127.0.0.1:9';
    expect((await loadSettings(write(withAddress))).temporal.address).toBe('127.0.0.1:9');
  });
});

describe('a bad file', () => {
  test('eleven mistakes are eleven lines, each with its place and what to write instead', async () => {
    const lines = await refusalOf(`data: 7
temporal: { address: localhost }
http:
  api: { host: 0.0.0.0 }
  webhooks: { port: 70000 }
tenants:
  acme:
    plugins:
      netskope:
        plugin: netskope
        url: http://acme.goskope.com
        token: env:NOT_THERE
        lostGroup: Lost
        lostSteeringConfig: Lost
      generic: { plugin: webhook, secrets: [${secret}] }
      pager: { plugin: pagerdoody }
      archive: { plugin: folder, path: ./archive, paht: x }
    reconciliation: { every: soon }
`);
    expect(lines).toEqual([
      'lost-device.yaml:1 data is no folder: write its path',
      'lost-device.yaml:2 temporal.address is no address: write host:port',
      'lost-device.yaml:4 http.api.host is open to others, and the API has no sign-in yet: write 127.0.0.1',
      'lost-device.yaml:5 http.webhooks.port is not a port: 65535 is the highest',
      'lost-device.yaml:9 tenants.acme.plugins.netskope.lostPolicy is missing: write a text',
      'lost-device.yaml:11 tenants.acme.plugins.netskope.url would send secrets in the clear: use https:// (http:// is for loopback only)',
      'lost-device.yaml:12 tenants.acme.plugins.netskope.token names NOT_THERE, which is not in the environment: set it',
      'lost-device.yaml:15 tenants.acme.plugins.generic.secrets.0 is a secret in the open: put it elsewhere, and write env:NAME or file:PATH here',
      'lost-device.yaml:16 tenants.acme.plugins.pager.plugin is not a product we know: write one of entra, folder, netskope, servicenow, smtp, webhook',
      'lost-device.yaml:17 tenants.acme.plugins.archive.paht there is no such setting: correct its name or remove it',
      'lost-device.yaml:18 tenants.acme.reconciliation.every is not a duration: write 90s, 15min, 2h, 3d or a number of milliseconds',
    ]);
  });

  test('a secret in the open is never printed, whatever it looks like', async () => {
    const numbers = good.replace('env:NETSKOPE_TOKEN', '4711081516').replace("'file:webhook.secret'", 'hunter2');
    const said = (await refusalOf(numbers)).join('\n');
    expect(said).toContain('netskope.token is a secret in the open');
    expect(said).toContain('generic.secrets.0 is a secret in the open');
    expect(said).not.toMatch(/4711081516|hunter2/);
  });

  test('a ticket source belongs to one tenant, and the roles that cannot be shared are filled once', async () => {
    writeFileSync(path.join(folder, 'webhook.secret'), secret);
    const lines = await refusalOf(`${good}
  globex:
    plugins:
      generic: { plugin: webhook, secrets: ['file:webhook.secret'] }
      one: { plugin: folder, path: /tmp/one }
      two: { plugin: folder, path: /tmp/two }
      cli: { plugin: webhook, secrets: ['file:webhook.secret'] }
`);
    expect(lines).toEqual([
      expect.stringContaining('plugins has no product for secure access (for instance netskope): add one'),
      expect.stringContaining(
        'plugins has several products for the archive (for instance folder), one and two: keep one',
      ),
      expect.stringContaining('globex.plugins.generic is a ticket desk of acme too'),
      expect.stringContaining('globex.plugins.cli is a name of ours: choose another'),
    ]);
  });

  test.each([
    ['no file', undefined, /cannot be read \(ENOENT\): write the settings there, or name them by --settings FILE/],
    ['an empty file', '', /^lost-device.yaml:1 is empty: write at least tenants$/],
    ['no YAML', 'tenants: [', /^lost-device.yaml:1 /],
    ['no YAML around a secret', 'token: |hunter2', /^lost-device.yaml:1 is not YAML: [^:]*$/],
    ['an alias of nothing', 'tenants: *hunter2', /^lost-device.yaml:1 is not YAML: an alias [^:]*$/],
    ['a key twice', 'tenants: {}\ntenants: {}', /^lost-device.yaml:2 is not YAML: Map keys must be unique$/],
    ['no tenant', 'tenants: {}', /^lost-device.yaml:1 tenants is empty: write at least one tenant$/],
  ])('%s is said plainly', async (_, text, message) => {
    if (text === undefined) await expect(loadSettings(path.join(folder, 'none.yaml'))).rejects.toThrow(message);
    else expect(await refusalOf(text)).toEqual([expect.stringMatching(message)]);
  });
});

test('the index key is made once, for our account only, also when many start together', async () => {
  const data = path.join(folder, 'data');
  const keys = await Promise.all(Array.from({ length: 8 }, () => ensureIndexKey(data)));
  expect(new Set(keys).size).toBe(1);
  expect(Buffer.from(keys[0] ?? '', 'base64url')).toHaveLength(32);
  expect(await ensureIndexKey(data)).toBe(keys[0]);
  expect(readFileSync(path.join(data, 'index-key'), 'utf8').trim()).toBe(keys[0]);
  expect(statSync(path.join(data, 'index-key')).mode & 0o777).toBe(0o600);
});
