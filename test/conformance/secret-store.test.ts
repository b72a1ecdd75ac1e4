/** What every secret store must do: keep once, give back, and never show a secret. By real files, and by a real script. */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { encryptedFolder } from '../../plugins/encrypted-folder';
import type { Call, PluginInstance, SecretStore } from '../../plugins/roles';
import { secretCommand } from '../../plugins/secret-command';

const call: Call = { signal: new AbortController().signal, now: '2026-11-22T22:00:00Z' };
const name = 'cases/lost-device_3a_acme/wipe-1';
const pin = '482913';
const aKey = () => randomBytes(32).toString('base64');

let parent: string;
let path: string;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'secrets-'));
  path = join(parent, 'made', 'later');
});
afterEach(() => rm(parent, { recursive: true, force: true }));

function storeOf(instance: PluginInstance): SecretStore {
  if (!instance.secretStore) throw new Error('the plugin fills the role');
  return instance.secretStore;
}
const failureOf = (work: Promise<unknown>) =>
  work.then(
    () => {
      throw new Error('it did not fail');
    },
    (error: unknown) => error as Error,
  );

// --- a folder of encrypted files -------------------------------------------------------------------------------------

const key = aKey();
const folderWith = (...keys: string[]) =>
  encryptedFolder.create('secrets', encryptedFolder.settings.parse({ path, keys }));

// --- a script that keeps secrets in plain files, as a stand-in for a vault's client -----------------------------------

/** Each line of `before` runs first, so that a test can make it fail. */
async function scriptWith(before = '', more: Record<string, unknown> = {}): Promise<PluginInstance> {
  const program = join(parent, 'vault');
  await writeFile(
    program,
    `#!/bin/sh
verb=$1; file="${parent}/$(echo "$2" | tr / _).plain"
${before}
case $verb in
  put) set -C; { cat > "$file"; } 2>/dev/null || exit 3 ;;
  get) [ -e "$file" ] || exit 4; cat "$file"; echo ;;
  *) exit 64 ;;
esac
`,
  );
  await chmod(program, 0o700);
  return secretCommand.create('vault', secretCommand.settings.parse({ command: [program], timeoutMs: 5_000, ...more }));
}

describe.each([
  ['encrypted-folder', () => Promise.resolve(folderWith(key))],
  ['secret-command', () => scriptWith()],
])('%s', (_, create) => {
  let store: SecretStore;
  let instance: PluginInstance;
  beforeEach(async () => {
    instance = await create();
    store = storeOf(instance);
  });

  test('the first writer wins, and what was written is read back', async () => {
    expect(await store.get(name, call)).toBeUndefined();
    expect(await store.putOnce(name, pin, call)).toBe('created');
    expect(await store.putOnce(name, '000000', call)).toBe('already there');
    expect(await store.get(name, call)).toBe(pin);
    expect(await store.get(`${name}0`, call)).toBeUndefined();
  });

  test('any text comes back as it was', async () => {
    const secret = `ключ "'$(id)\`\\ %s\n--put ${'x'.repeat(5_000)}`;
    await store.putOnce(name, secret, call);
    expect(await store.get(name, call)).toBe(secret);
  });

  test('ten writers at once: one creates, and its secret is the one that is kept', async () => {
    const secrets = Array.from({ length: 10 }, (_, i) => `secret ${i}`);
    const outcomes = await Promise.all(secrets.map((secret) => store.putOnce(name, secret, call)));
    expect(outcomes.filter((outcome) => outcome === 'created')).toHaveLength(1);
    expect(await store.get(name, call)).toBe(secrets[outcomes.indexOf('created')]);
  });

  test.each(['', '../x', 'a/../x', '/etc/passwd', 'a//b', 'a b', 'a\u0000b', 'a/'])(
    'the name %j is refused',
    async (wrong) => {
      await expect(store.putOnce(wrong, pin, call)).rejects.toMatchObject({ code: 'LDP_BAD_INPUT' });
      await expect(store.get(wrong, call)).rejects.toMatchObject({ code: 'LDP_BAD_INPUT' });
    },
  );

  test('an empty secret is refused', async () => {
    await expect(store.putOnce(name, '', call)).rejects.toMatchObject({ code: 'LDP_BAD_INPUT' });
    expect(await store.get(name, call)).toBeUndefined();
  });

  test('a cancelled call does nothing, and ends with its own reason', async () => {
    const reason = new Error('cancelled');
    const cancelled = { ...call, signal: AbortSignal.abort(reason) };
    await expect(store.putOnce(name, pin, cancelled)).rejects.toBe(reason);
    await expect(store.get(name, cancelled)).rejects.toBe(reason);
    expect(await store.get(name, call)).toBeUndefined();
  });

  test('the connection test writes nothing', async () => {
    const before = (await readdir(parent)).filter((file) => file.endsWith('.plain'));
    for (const line of await instance.test(call)) expect(line).toMatchObject({ ok: true });
    expect((await readdir(parent)).filter((file) => file.endsWith('.plain'))).toEqual(before);
  });
});

describe('encrypted-folder', () => {
  const file = () => join(path, name);

  test('nothing of a secret or a key is in the file, nobody else may read it, and equal secrets look different', async () => {
    const store = storeOf(folderWith(key));
    await store.putOnce(name, pin, call);
    await store.putOnce(`${name}-again`, pin, call);
    const text = await readFile(file(), 'utf8');
    const dataOf = (sealed: string) => (JSON.parse(sealed) as { data: string }).data;
    expect(dataOf(text)).not.toBe(dataOf(await readFile(`${file()}-again`, 'utf8')));
    for (const shown of [pin, Buffer.from(pin).toString('base64').slice(0, 6), key]) expect(text).not.toContain(shown);
    expect((await stat(file())).mode & 0o777).toBe(0o600);
    expect((await stat(path)).mode & 0o777).toBe(0o700);
    expect(await readdir(join(path, '.incoming'))).toEqual([]);
  });

  test('another key is told as such, by its id; with the old one beside it everything is read', async () => {
    await storeOf(folderWith(key)).putOnce(name, pin, call);
    const newer = aKey();
    const failure = await failureOf(storeOf(folderWith(newer)).get(name, call));
    expect(failure).toMatchObject({ name: 'VendorRefused', code: 'LDP_NOT_AUTHENTICATED' });
    const { keyId } = JSON.parse(await readFile(file(), 'utf8')) as { keyId: string };
    expect(failure.message).toContain(keyId);
    for (const secret of [key, newer, pin]) expect(failure.message).not.toContain(secret);

    const both = storeOf(folderWith(newer, key));
    expect(await both.get(name, call)).toBe(pin);
    await both.putOnce('newer', '111111', call);
    expect(await storeOf(folderWith(newer)).get('newer', call)).toBe('111111');
  });

  test('the connection test finds what our keys do not read', async () => {
    await storeOf(folderWith(key)).putOnce(name, pin, call);
    const lines = await folderWith(aKey()).test(call);
    expect(lines.map(({ ok }) => ok)).toEqual([true, false]);
    expect(lines[1]?.detail).toContain('add the old key');
  });

  test.each<[string, (sealed: Record<string, string>) => Record<string, unknown> | string]>([
    ['another secret', (sealed) => ({ ...sealed, data: Buffer.from('000000').toString('base64') })],
    ['another vector', (sealed) => ({ ...sealed, iv: randomBytes(12).toString('base64') })],
    [
      'a shorter tag',
      (sealed) => ({
        ...sealed,
        tag: Buffer.from(sealed.tag ?? '', 'base64')
          .subarray(0, 4)
          .toString('base64'),
      }),
    ],
    ['no tag', (sealed) => ({ ...sealed, tag: '' })],
    ['half a file', (sealed) => JSON.stringify(sealed).slice(0, 40)],
    ['nothing', () => ''],
    ['the secret in plain text', () => pin],
  ])('a file that was given %s is found out', async (_, change) => {
    const store = storeOf(folderWith(key));
    await store.putOnce(name, pin, call);
    const changed = change(JSON.parse(await readFile(file(), 'utf8')) as Record<string, string>);
    await writeFile(file(), typeof changed === 'string' ? changed : JSON.stringify(changed));
    const failure = await failureOf(store.get(name, call));
    expect(failure).toMatchObject({ name: 'VendorRefused', code: 'LDP_CONFLICT' });
    expect(failure.message).not.toContain(pin);
  });

  test("a file in another's place is found out", async () => {
    const store = storeOf(folderWith(key));
    await store.putOnce('one', '111111', call);
    await store.putOnce('other', '222222', call);
    await rename(join(path, 'other'), join(path, 'one'));
    await expect(store.get('one', call)).rejects.toMatchObject({ code: 'LDP_CONFLICT' });
  });

  test.each([
    ['a short key', { keys: [randomBytes(16).toString('base64')] }, 'keys.0'],
    ['a password', { keys: ['correct horse battery staple'] }, 'keys.0'],
    ['no key', { keys: [] }, 'keys'],
    ['a relative path', { path: 'secrets' }, 'path'],
  ])('%s is refused', (_, wrong, field) => {
    const parsed = () => encryptedFolder.settings.parse({ path, keys: [key], ...wrong });
    expect(parsed).toThrow(expect.objectContaining({ issues: [expect.objectContaining({ path: pathOf(field) })] }));
    expect(parsed).not.toThrow(/correct horse/);
  });
  const pathOf = (field: string) => field.split('.').map((part) => (/^\d+$/.test(part) ? Number(part) : part));
});

describe('secret-command', () => {
  test('the secret is in no argument and in no variable, and our own variables stay ours', async () => {
    process.env.LDP_TEST_PASSED = 'passed';
    process.env.LDP_TEST_KEPT = 'kept';
    try {
      const seen = join(parent, 'seen');
      const spy = `{ echo "$0 $*"; env; } >> "${seen}"`;
      const store = storeOf(await scriptWith(spy, { environment: ['LDP_TEST_PASSED'] }));
      await store.putOnce(name, pin, call);
      await store.get(name, call);
      const text = await readFile(seen, 'utf8');
      expect(text).toContain(`put ${name}`);
      expect(text).toContain('LDP_TEST_PASSED=passed');
      expect(text).not.toContain('LDP_TEST_KEPT');
      expect(text).not.toContain(pin);
    } finally {
      delete process.env.LDP_TEST_PASSED;
      delete process.env.LDP_TEST_KEPT;
    }
  });

  test.each(['-n', '--help', 'a/-x', '@file', '.x'])(
    'the name %j would mean something to a program: refused',
    async (wrong) => {
      const store = storeOf(await scriptWith(`touch "${parent}/ran"`));
      await expect(store.get(wrong, call)).rejects.toMatchObject({ code: 'LDP_BAD_INPUT' });
      expect(existsSync(join(parent, 'ran'))).toBe(false);
    },
  );

  test.each([
    ['try later', 'exit 75', 'LDP_UNREACHABLE', 'LDP_UNREACHABLE'],
    ['not permitted', 'exit 77', 'LDP_NOT_PERMITTED', 'LDP_NOT_PERMITTED'],
    ['a failure of any other kind', 'exit 1', 'LDP_OUTCOME_UNKNOWN', 'LDP_SERVER_ERROR'],
    ['a crash', 'kill -9 $$', 'LDP_OUTCOME_UNKNOWN', 'LDP_SERVER_ERROR'],
    ['too much to read', 'head -c 100000 /dev/zero; sleep 60', 'LDP_OUTCOME_UNKNOWN', 'LDP_SERVER_ERROR'],
    ['secrets on the way', `echo "${pin}" >&2; echo "${pin}"; exit 1`, 'LDP_OUTCOME_UNKNOWN', 'LDP_SERVER_ERROR'],
  ])('%s', async (_, before, put, get) => {
    const store = storeOf(await scriptWith(before));
    for (const [work, code] of [
      [() => store.putOnce(name, pin, call), put],
      [() => store.get(name, call), get],
    ] as const) {
      const failure = await failureOf(work());
      expect(failure).toMatchObject({ code });
      expect(JSON.stringify([failure.message, failure])).not.toContain(pin);
    }
  });

  test('one that says nothing although all is well is not believed', async () => {
    const store = storeOf(await scriptWith('exit 0'));
    await expect(store.get(name, call)).rejects.toMatchObject({ code: 'LDP_UNEXPECTED_ANSWER' });
  });

  test('one that reads no input is judged by what it says', async () => {
    const store = storeOf(await scriptWith('exec 0<&-; exit 3'));
    expect(await store.putOnce(name, 'x'.repeat(500_000), call)).toBe('already there');
  });

  test.each(['time', 'cancellation'])('%s ends it with all that it started', async (why) => {
    const started = join(parent, 'started');
    const instance = await scriptWith(`sleep 60 & echo $! > "${started}"; wait`, {
      timeoutMs: why === 'time' ? 500 : 60_000,
    });
    const controller = new AbortController();
    const reason = new Error('the case was closed');
    const failing = failureOf(storeOf(instance).putOnce(name, pin, { ...call, signal: controller.signal }));
    let pid = '';
    for (let i = 0; i < 100 && pid === ''; i += 1) {
      await wait(20);
      pid = existsSync(started) ? (await readFile(started, 'utf8')).trim() : '';
    }
    if (why === 'time') expect(await failing).toMatchObject({ code: 'LDP_OUTCOME_UNKNOWN' });
    else {
      controller.abort(reason);
      expect(await failing).toBe(reason);
    }
    await wait(50);
    // Gone, or a dead entry that its new parent has not collected yet.
    const state = existsSync(`/proc/${pid}/stat`) ? (await readFile(`/proc/${pid}/stat`, 'utf8')).split(' ')[2] : 'Z';
    expect(state).toBe('Z');
  });

  test('a program that is not there, or may not be run, is told', async () => {
    const commandOf = (program: string) =>
      storeOf(secretCommand.create('vault', secretCommand.settings.parse({ command: [program] })));
    await expect(commandOf(join(parent, 'nowhere')).get(name, call)).rejects.toMatchObject({ code: 'LDP_NOT_FOUND' });
    await writeFile(join(parent, 'no-program'), 'x', { mode: 0o600 });
    await expect(commandOf(join(parent, 'no-program')).putOnce(name, pin, call)).rejects.toMatchObject({
      code: 'LDP_NOT_PERMITTED',
    });
  });

  test('a script that finds what nobody wrote fails the connection test', async () => {
    const [line] = await (await scriptWith('echo something; exit 0')).test(call);
    expect(line).toMatchObject({ ok: false, detail: expect.stringContaining('end with 4') as string });
    expect(line?.detail).not.toContain('something');
  });

  test.each([
    ['a text', { command: 'vault put' }],
    ['no program', { command: [] }],
    ['a program that PATH would look for', { command: ['vault'] }],
    ['a variable with its value', { command: ['/bin/vault'], environment: ['TOKEN=x'] }],
  ])('%s is refused', (_, wrong) => {
    expect(() => secretCommand.settings.parse(wrong)).toThrow();
  });
});
