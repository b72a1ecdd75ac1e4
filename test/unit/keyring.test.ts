/** The keyring and the codec: what is sealed opens by its key alone, and no key is ever said. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import { runCli } from '../../cli/program';
import type { Keyring } from '../../playbook/settings';
import { parseKeyring, rotateKeyring, writeNewKeyring } from '../../settings/keyring';
import { loadSettings } from '../../settings/load';
import { createPayloadCodec } from '../../temporal/payload-codec';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'keyring-'));
  file = path.join(folder, 'keyring.json');
});
afterEach(() => rmSync(folder, { recursive: true }));

const kept = () => parseKeyring(readFileSync(file, 'utf8')) as Keyring;
const codecOf = (keyring: Keyring, readAgain = () => Promise.resolve(keyring)) =>
  createPayloadCodec({ keyring, readAgain });
const payload = defaultPayloadConverter.toPayload({ serial: 'SN0042' });
const seal = async (keyring: Keyring) => (await codecOf(keyring).encode([payload]))[0] as Payload;

test('new and rotate write a file for our account alone, and say no key', async () => {
  const said: string[] = [];
  const write = jest.spyOn(process.stdout, 'write').mockImplementation((text) => said.push(String(text)) > 0);
  const refused = jest.spyOn(process.stderr, 'write').mockImplementation((text) => said.push(String(text)) > 0);
  try {
    expect(await runCli(['keys', 'new', file])).toBe(0);
    const first = kept();
    expect(await runCli(['keys', 'new', file])).toBe(2);
    expect(kept()).toEqual(first);
    expect(await runCli(['keys', 'rotate', file])).toBe(0);
    const second = kept();
    expect(second.keys).toMatchObject(first.keys);
    expect(Object.keys(second.keys)).toHaveLength(2);
    expect(first.current).toMatch(/^1-/);
    expect(second.current).toMatch(/^2-/);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    for (const key of Object.values(second.keys)) expect(said.join('')).not.toContain(key);
  } finally {
    write.mockRestore();
    refused.mockRestore();
  }
  writeFileSync(file, '{"current":"1","keys":{"1":"c2hvcnQ="}}');
  await expect(rotateKeyring(file)).rejects.toThrow(/is no keyring/);
});

test('what is sealed says nothing, differs each time, and opens to what it was', async () => {
  await writeNewKeyring(file);
  const [one, other] = [await seal(kept()), await seal(kept())];
  expect(Buffer.from(one.data ?? []).toString('latin1')).not.toContain('SN0042');
  expect(one.data).not.toEqual(other.data);
  const [opened] = await codecOf(kept()).decode([one]);
  expect(defaultPayloadConverter.fromPayload(opened as Payload)).toEqual({ serial: 'SN0042' });
  expect(await codecOf(kept()).decode([payload])).toEqual([payload]);
});

test('changed bytes, another key id, and another key under the same id do not open', async () => {
  await writeNewKeyring(file);
  const first = kept();
  await rotateKeyring(file);
  const keyring = kept();
  const sealed = await seal(first);
  const open = (changed: Payload, by = keyring) => codecOf(by).decode([changed]);
  const at = (index: number) => {
    const data = Buffer.from(sealed.data ?? []);
    data[index < 0 ? data.length + index : index]! ^= 1;
    return { ...sealed, data };
  };
  for (const index of [0, 20, -1]) await expect(open(at(index))).rejects.toThrow(/does not open/);
  await expect(open({ ...sealed, data: new Uint8Array(3) })).rejects.toThrow(/does not open/);
  // The same key under another name: only the authenticated id tells.
  const renamed: Keyring = { current: 'x', keys: { x: first.keys[first.current] as string } };
  const relabelled = { ...sealed, metadata: { ...sealed.metadata, 'encryption-key-id': Buffer.from('x') } };
  await expect(open(relabelled, renamed)).rejects.toThrow(/does not open by the key x/);
  await expect(open(sealed, renamed)).rejects.toThrow(/has no key 1-/);
});

test('a key that was added since is read once, by however many wait for it', async () => {
  await writeNewKeyring(file);
  const before = kept();
  await rotateKeyring(file);
  const sealed = await Promise.all([1, 2, 3].map(() => seal(kept())));
  let reads = 0;
  const codec = codecOf(before, () => {
    reads += 1;
    return Promise.resolve(kept());
  });
  expect(await codec.decode(sealed)).toHaveLength(3);
  expect(reads).toBe(1);
});

test('the settings take a keyring from a file, and refuse one in the open without saying it', async () => {
  await writeNewKeyring(file);
  const settings = path.join(folder, 'lost-device.yaml');
  const key = Object.values(kept().keys)[0] as string;
  const refusal = async (keys: string) => {
    writeFileSync(settings, `encryption: { keys: '${keys}' }\n`);
    return (await loadSettings(settings).catch((error: unknown) => error as Error)) as Error;
  };
  expect((await refusal(key)).message).toContain('lost-device.yaml:1 encryption.keys is a secret in the open');
  expect((await refusal(key)).message).not.toContain(key);
  writeFileSync(path.join(folder, 'other'), 'not a keyring');
  writeFileSync(
    settings,
    `encryption: { keys: file:./other }\ntenants: { acme: { plugins: { archive: { plugin: folder, path: ./archive }, netskope: { plugin: netskope, url: https://acme.goskope.com, token: env:HOME, lostGroup: L, lostSteeringConfig: S, lostPolicy: P } } } }\n`,
  );
  await expect(loadSettings(settings)).rejects.toThrow(/:1 encryption.keys names what is no keyring/);
  writeFileSync(settings, readFileSync(settings, 'utf8').replace('./other', './keyring.json'));
  expect((await loadSettings(settings)).encryption?.keyring).toEqual(kept());
});
