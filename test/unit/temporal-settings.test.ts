/** Where Temporal is, by environment, settings and temporal.toml, in this order; and what is said when one of them is wrong. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { BadInput } from '../../plugins/errors';
import { loadSettings, loadSettingsWithoutSecrets } from '../../settings/load';
import { readEffectiveSettings } from '../../settings/effective';
import { createAuthority } from '../setup/certificates';

const folder = mkdtempSync(path.join(tmpdir(), 'temporal-settings-'));
const file = path.join(folder, 'lost-device.yaml');
const environment = { ...process.env };
const authority = createAuthority('the company');
const ours = authority.issue('playbook');
const apiKey = 'key-that-nobody-may-read';
const tls = `[profile.work.tls]
server_ca_cert_path = "${folder}/ca"
client_cert_path = "${folder}/certificate"
client_key_path = "${folder}/key"
server_name = "temporal.company.test"
`;
const work = `[profile.work]
address = "profile.test:7233"
namespace = "of-the-profile"
api_key = "${apiKey}"
`;

beforeAll(() => {
  const files = {
    ca: authority.certificate,
    certificate: ours.certificate,
    key: ours.key,
    other: authority.key,
    empty: '',
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text);
});
beforeEach(() => {
  for (const name of Object.keys(process.env)) if (name.startsWith('TEMPORAL_')) delete process.env[name];
  // Where temporal.toml lies when nobody names it.
  process.env.XDG_CONFIG_HOME = folder;
});
afterEach(() => {
  process.env = { ...environment };
});
afterAll(() => rmSync(folder, { recursive: true }));

const write = (temporal: string) =>
  writeFileSync(
    file,
    `temporal: ${temporal}
tenants:
  acme:
    plugins:
      netskope:
        plugin: netskope
        url: https://acme.goskope.com
        token: file:${folder}/other
        lostGroup: Lost
        lostSteeringConfig: Lost
        lostPolicy: Block
      archive: { plugin: folder, path: ./archive }
`,
  );
const toml = (text: string) => writeFileSync(path.join(folder, 'temporal.toml'), text);
const temporal = async () => (await loadSettings(file)).temporal;
const named = '{ profile: work, config: ./temporal.toml }';

test('a profile brings address, namespace, TLS and API key', async () => {
  toml(work + tls);
  write(named);
  expect(await temporal()).toEqual({
    address: 'profile.test:7233',
    namespace: 'of-the-profile',
    port: 7233,
    uiPort: 8233,
    keepClosedMs: 90 * 24 * 60 * 60_000,
    taskQueue: 'lost-device',
    access: {
      apiKey,
      tls: {
        serverNameOverride: 'temporal.company.test',
        serverRootCACertificate: Buffer.from(authority.certificate),
        clientCertPair: { crt: Buffer.from(ours.certificate), key: Buffer.from(ours.key) },
      },
    },
  });
});

test('the settings go before the profile, and the environment before both', async () => {
  toml(`${work}[profile.other]\naddress = "other.test:7233"\n`);
  write('{ profile: work, config: ./temporal.toml, address: "settings.test:7233", namespace: of-the-settings }');
  expect(await temporal()).toMatchObject({
    address: 'settings.test:7233',
    namespace: 'of-the-settings',
    access: { apiKey, tls: true },
  });
  Object.assign(process.env, {
    TEMPORAL_ADDRESS: 'environment.test:7233',
    TEMPORAL_NAMESPACE: 'of-the-environment',
    TEMPORAL_API_KEY: 'another-key',
    TEMPORAL_TLS: '',
  });
  expect(await temporal()).toMatchObject({
    address: 'environment.test:7233',
    namespace: 'of-the-environment',
    access: { apiKey: 'another-key', tls: true },
  });
  for (const name of ['TEMPORAL_ADDRESS', 'TEMPORAL_NAMESPACE', 'TEMPORAL_API_KEY']) process.env[name] = '';
  process.env.TEMPORAL_PROFILE = 'other';
  write('{ profile: work, config: ./temporal.toml }');
  expect(await temporal()).toMatchObject({ address: 'other.test:7233', namespace: 'default', access: {} });
});

test('a temporal.toml that nobody names is left alone, and our own server gets no key', async () => {
  mkdirSync(path.join(folder, 'temporalio'));
  writeFileSync(path.join(folder, 'temporalio', 'temporal.toml'), `[profile.default]\naddress = "cloud.test:7233"\n`);
  write('{}');
  process.env.TEMPORAL_API_KEY = apiKey;
  const own = await temporal();
  expect(own).not.toHaveProperty('access');
  expect(own).not.toHaveProperty('address');
  process.env.TEMPORAL_PROFILE = 'default';
  expect(await temporal()).toEqual({ ...own, address: 'cloud.test:7233', access: { apiKey, tls: true } });
});

test('who asks for no secrets gets none, and `settings show` prints none', async () => {
  toml(work + tls);
  write(named);
  const { settings } = await loadSettingsWithoutSecrets(file);
  expect(settings.temporal).toMatchObject({ address: 'profile.test:7233', namespace: 'of-the-profile' });
  expect(settings.temporal.access).toBeUndefined();
  const shown = await readEffectiveSettings(file);
  expect(shown.temporal).toMatchObject({ profile: 'work', address: 'profile.test:7233', namespace: 'of-the-profile' });
  expect(JSON.stringify(shown)).not.toContain(apiKey);
});

const changed = (name: string, value: string) => work + tls.replace(new RegExp(`^${name} = .*$`, 'm'), value);

test.each<[string, string, Record<string, string>, string]>([
  [
    'a profile that is not there',
    work.replaceAll('work', 'play'),
    {},
    '1 temporal.profile names a profile that is not there',
  ],
  ['a file without profiles', 'address = "x"', {}, '1 temporal.profile names a profile that is not there'],
  [
    'a file that is no TOML',
    `${work}api_key "${apiKey}"`,
    {},
    '1 temporal.config names a temporal.toml that is no TOML',
  ],
  [
    'a file that is not there',
    work,
    { TEMPORAL_CONFIG_FILE: '/nowhere/temporal.toml' },
    '1 TEMPORAL_CONFIG_FILE names /nowhere/temporal.toml, which cannot be read (ENOENT): write it there',
  ],
  ['no address', '[profile.work]', {}, '1 temporal.profile names a profile that has no address: write it there'],
  ['a profile of the environment', work, { TEMPORAL_PROFILE: 'x' }, '1 TEMPORAL_PROFILE: the profile is not there'],
  [
    'a key that is not there',
    changed('client_key_path', 'client_key_path = "/nowhere"'),
    {},
    'client key in /nowhere cannot',
  ],
  ['a certificate alone', changed('client_key_path', ''), {}, 'a client certificate and its key go together'],
  [
    "somebody else's key",
    changed('client_key_path', `client_key_path = "${folder}/other"`),
    {},
    'is not the key of the client certificate',
  ],
  [
    'a CA that is none',
    changed('server_ca_cert_path', `server_ca_cert_path = "${folder}/empty"`),
    {},
    'is no certificate',
  ],
  [
    'a path and a text',
    work + tls,
    { TEMPORAL_TLS_CLIENT_KEY_DATA: apiKey },
    'there are client_key_path and client_key_data: keep one',
  ],
])('%s: one line with the remedy, and nothing secret in it', async (_, text, env, says) => {
  toml(text);
  write(named);
  Object.assign(process.env, env);
  const error: unknown = await loadSettings(file).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(BadInput);
  const { message } = error as BadInput;
  expect(message.split('\n')).toEqual([expect.stringContaining(says)]);
  expect(message).toMatch(/lost-device\.yaml:1 .*: \w/);
  expect(message).not.toContain(apiKey);
});
