/** A Temporal of somebody else: TLS, a client certificate and an API key, by a profile of temporal.toml. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { NativeConnection } from '@temporalio/worker';
import { startHouse, type RunningHouse } from '../../house';
import type { CaseState } from '../../playbook/case';
import { BadInput } from '../../plugins/errors';
import { loadSettings } from '../../settings/load';
import { startSimulator, type RunningSimulator } from '../../simulator/server';
import { writeSimulatorSettings } from '../../simulator/settings';
import { connectTemporal } from '../../temporal/connect';
import { startTemporalServer, type TemporalServer } from '../../temporal/server';
import { createAuthority } from '../setup/certificates';
import { eventually } from '../setup/eventually';
import { runQuietly } from '../setup/run-cli';
import '../setup/time-skipping'; // It sets the SDK's log level, once per process.
import { startTlsProxy, type TlsProxy } from '../setup/tls-proxy';

const namespace = 'lost-devices';
const apiKey = 'key-that-nobody-may-read';
const folder = mkdtempSync(path.join(tmpdir(), 'existing-temporal-'));
const company = createAuthority('the company');
const stranger = createAuthority('a stranger');
const ours = company.issue('playbook');
const strange = stranger.issue('playbook');
const files = {
  ca: company.certificate,
  certificate: ours.certificate,
  key: ours.key,
  strangeCa: stranger.certificate,
  strangeCertificate: strange.certificate,
  strangeKey: strange.key,
};
const pathOf = (name: string) => path.join(folder, name);
const environment = { ...process.env };

let simulator: RunningSimulator;
let temporal: TemporalServer;
let proxy: TlsProxy;
let file: string;

/** The profile, with what differs. An empty text leaves a line out. */
function writeProfile(more: Record<string, string> = {}, address = proxy.address): void {
  const tls: Record<string, string> = {
    server_ca_cert_path: pathOf('ca'),
    client_cert_path: pathOf('certificate'),
    client_key_path: pathOf('key'),
    server_name: 'temporal.company.test',
  };
  const { api_key = apiKey, ...differs } = more;
  const lines = Object.entries({ ...tls, ...differs }).filter(([, value]) => value !== '');
  writeFileSync(
    pathOf('temporal.toml'),
    [
      '[profile.default]\naddress = "127.0.0.1:9"\n[profile.work]',
      `address = "${address}"\nnamespace = "${namespace}"\napi_key = "${api_key}"\n[profile.work.tls]`,
      ...lines.map(([name, value]) => `${name} = "${value}"`),
    ].join('\n'),
  );
}

beforeAll(async () => {
  for (const name of Object.keys(process.env)) if (name.startsWith('TEMPORAL_')) delete process.env[name];
  for (const [name, text] of Object.entries(files)) writeFileSync(pathOf(name), text);
  [simulator, temporal] = await Promise.all([
    startSimulator({ port: 0, seed: 1 }),
    startTemporalServer({ port: 0, namespace }),
  ]);
  proxy = await startTlsProxy(temporal.address, company.issue('temporal.company.test'), company.certificate, apiKey);
  ({ file } = writeSimulatorSettings({ folder, simulator: simulator.url, tenant: 'acme', with: {}, pollEveryMs: 500 }));
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.replace('temporal:\n', 'temporal:\n  profile: work\n  config: ./temporal.toml\n'));
});
beforeEach(() => writeProfile());
afterEach(() => {
  process.env = { ...environment };
});
afterAll(async () => {
  await proxy.close();
  await Promise.all([temporal.stop(), simulator.close()]);
  rmSync(folder, { recursive: true });
});

const run = (...given: string[]) => runQuietly(...given, '--settings', file);

test('a case is opened and contained through it, and every call shows certificate and key', async () => {
  let house: RunningHouse | undefined;
  try {
    const setUp = await run('setup', '--json');
    expect(setUp).toMatchObject({ code: 0, err: '' });
    expect(JSON.parse(setUp.out)).toMatchObject({ namespace, byHand: [] });
    const bundle = process.env.LOST_DEVICE_WORKFLOW_BUNDLE ?? '';
    house = await startHouse(await loadSettings(file), { workflowBundlePath: bundle });
    expect(house.addresses.temporal).toBe(proxy.address);
    expect(await run('start', '--serial', 'SN0042', '--kind', 'stolen', '--ticket', 'TLS-1')).toMatchObject({
      code: 0,
    });
    await eventually(async () => {
      const { containment } = JSON.parse((await run('show', 'SN0042', '--json')).out) as CaseState;
      expect(containment.state).toBe('contained');
    });
    const check = JSON.parse((await run('check', '--json')).out) as { id: string; result: string }[];
    expect(check.find(({ id }) => id === 'search-attributes')?.result).toBe('well');
    expect([...proxy.callers]).toEqual(['playbook']);
  } finally {
    await house?.stop();
  }
});

const profileMistakes: [string, Record<string, string>, RegExp][] = [
  [
    'a CA that did not sign it',
    { server_ca_cert_path: pathOf('strangeCa') },
    /that we do not trust \(\w+\): name the CA/,
  ],
  [
    'a certificate for another name',
    { server_name: 'elsewhere.test' },
    /we do not trust \((ERR_TLS_CERT_ALTNAME_INVALID|NotValidForName\w*)\)/,
  ],
  ['no client certificate', { client_cert_path: '', client_key_path: '' }, /wants a client certificate: name it/],
  [
    "a stranger's client certificate",
    { client_cert_path: pathOf('strangeCertificate'), client_key_path: pathOf('strangeKey') },
    /refuses our client certificate: name one/,
  ],
  ['a wrong API key', { api_key: 'another-key' }, /does not let us in: see that the API key/],
];

test.each(profileMistakes)('%s: one sentence with the remedy, exit code 2', async (_, more, says) => {
  writeProfile(more);
  const { code, out, err } = await run('list');
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err).toMatch(says);
  expect(err.trim().split('\n')).toHaveLength(1);
  expect(err).not.toMatch(/another-key|that-nobody-may-read|BEGIN/);
});

test.each(profileMistakes)('%s: the worker says the same', async (_, more, says) => {
  writeProfile(more);
  const connecting = connectTemporal(NativeConnection, await loadSettings(file));
  await expect(connecting).rejects.toThrow(BadInput);
  await expect(connecting).rejects.toThrow(says);
});

test('TLS to a server that has none, and none to one that wants it', async () => {
  writeProfile({}, temporal.address);
  expect(await run('list')).toMatchObject({ code: 2, err: expect.stringContaining('does not speak TLS') as string });
  writeProfile();
  process.env.TEMPORAL_TLS = 'false';
  expect(await run('list')).toMatchObject({
    code: 1,
    err: expect.stringContaining('where it wants TLS, name a profile') as string,
  });
});

test('the environment alone does as well', async () => {
  const text = readFileSync(file, 'utf8');
  try {
    writeFileSync(file, text.replace(/ {2}(profile|config): .*\n/g, ''));
    Object.assign(process.env, {
      TEMPORAL_ADDRESS: proxy.address,
      TEMPORAL_NAMESPACE: namespace,
      TEMPORAL_API_KEY: apiKey,
      TEMPORAL_TLS_SERVER_CA_CERT_PATH: pathOf('ca'),
      TEMPORAL_TLS_CLIENT_CERT_DATA: files.certificate,
      TEMPORAL_TLS_CLIENT_KEY_PATH: pathOf('key'),
      TEMPORAL_TLS_SERVER_NAME: 'temporal.company.test',
    });
    expect(await run('list', '--all', '--json')).toMatchObject({ code: 0, err: '' });
  } finally {
    writeFileSync(file, text);
  }
});
