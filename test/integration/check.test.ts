/** `check` against the running simulator: well, then with each prerequisite broken one by one; attestations; exceptions. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { SMTPServer } from 'smtp-server';
import { parse, stringify } from 'yaml';
import { pluginListSchema } from '../../playbook/schemas/answers';
import {
  attestationSchema,
  checkSchema,
  exceptionsSchema,
  prerequisiteListSchema,
} from '../../playbook/schemas/preflight';
import { startSimulator, type RunningSimulator } from '../../simulator/server';
import { everyVendor, writeSimulatorSettings } from '../../simulator/settings';
import { runQuietly } from '../setup/run-cli';

let folder: string;
let simulator: RunningSimulator;
let mail: SMTPServer;
let file: string;

beforeAll(async () => {
  delete process.env.TEMPORAL_ADDRESS;
  simulator = await startSimulator({ port: 0, seed: 1 });
  await control('POST', 'tenant', { limits: { netskopeV1PerFiveSeconds: 10_000 } });
  mail = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onData: (stream, _, done) => stream.resume().on('end', done),
  });
  await new Promise<void>((resolve) => mail.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  await simulator.close();
  await new Promise<void>((resolve) => mail.close(resolve));
});
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'check-'));
  ({ file } = writeSimulatorSettings({
    folder,
    simulator: simulator.url,
    tenant: 'acme',
    with: { ...everyVendor, mailPort: (mail.server.address() as AddressInfo).port },
    rules: { directorySteps: { stolen: ['revoke-sessions', 'disable-device', 'disable-user'] } },
    wipe: { dryRun: false, approvers: ['ana', 'bo'] },
    people: Object.fromEntries(
      ['ana', 'bo'].map((name) => [name, { timeZone: 'UTC', notify: { mail: `${name}@example.test` } }]),
    ),
  }));
});
afterEach(() => rmSync(folder, { recursive: true }));

const run = (...given: string[]) => runQuietly(...given, '--settings', file);

const check = async (...options: string[]) => {
  const { code, out, err } = await run('check', '--json', ...options);
  if (out === '') throw new Error(err);
  return { code, out, lines: checkSchema.parse(JSON.parse(out)) };
};
const stopping = ({ lines }: Awaited<ReturnType<typeof check>>) =>
  lines.filter(({ result }) => result === 'stops').map(({ id }) => id);
const control = async (method: string, route: string, body?: unknown) => {
  const answer = await fetch(`${simulator.url}/control/${route}`, {
    method,
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  return { status: answer.status, body: await answer.json() };
};

test('all is well but for what nobody has attested; nothing changes at any vendor, and no secret is printed', async () => {
  await control('DELETE', 'calls');
  const found = await check();
  expect(found.lines.filter(({ result, how }) => result !== 'well' && how !== 'person')).toEqual([
    expect.objectContaining({ id: 'company-addresses', result: 'warns' }),
  ]);
  expect(found.code).toBe(0);
  expect(new Set(found.lines.filter(({ how }) => how === 'person').map(({ result }) => result))).toEqual(
    new Set(['warns']),
  );
  const calls = (await control('GET', 'calls')).body as { changed: string | null }[];
  expect(calls.length).toBeGreaterThan(30);
  expect(calls.filter(({ changed }) => changed !== null)).toEqual([]);
  expect(found.out).not.toMatch(/sim-[a-z]+-(v[12]-)?(token|secret|password|key)/);
  const { out } = await run('check');
  expect(out).toMatch(/Nothing of \d+ would stop the playbook; \d+ to look at\.\n$/);
});

test('the list names them all, and the simulator can break every one that is read at a vendor', async () => {
  const { code, out } = await run('check', '--list', '--json');
  expect(code).toBe(0);
  const listed = prerequisiteListSchema.parse(JSON.parse(out));
  expect(new Set(listed.map(({ id }) => id)).size).toBe(listed.length);
  const breakable = ((await control('GET', 'prerequisites')).body as { id: string }[]).map(({ id }) => id);
  const read = listed.filter(({ how }) => how === 'vendor').map(({ id }) => id);
  expect([...read].sort()).toEqual([...breakable].sort());
  expect(read.length).toBeGreaterThanOrEqual(25);
  expect((await control('POST', 'prerequisites', { id: 'approvers' })).status).toBe(400);
  expect((await run('check', '--list')).out).toContain('netskope-fail-close');
});

test('each of them broken, one by one: exit code 1, and its line named with its console page', async () => {
  const ids = ((await control('GET', 'prerequisites')).body as { id: string }[]).map(({ id }) => id);
  for (const id of ids) {
    await control('POST', 'prerequisites', { id, broken: true });
    const found = await check();
    await control('POST', 'prerequisites', { id, broken: false });
    // One app signs in for both products behind Graph.
    const others = id.endsWith('-sign-in') ? ['entra-sign-in', 'intune-sign-in'] : [id];
    expect({ id, code: found.code, stopping: stopping(found) }).toEqual({ id, code: 1, stopping: others });
    const line = found.lines.find((one) => one.id === id);
    expect(line?.setAt).not.toBe('');
    // What is wrong and what to do: two sentences, or one after a colon.
    expect(line?.says).toMatch(/\S+[.:] \S+/);
  }
  expect((await check()).code).toBe(0);
}, 180_000);

test('each that only a person can see: nobody looked, it warns; attested, well; it is not so, or it is over, stops', async () => {
  const listed = prerequisiteListSchema.parse(JSON.parse((await run('check', '--list', '--json')).out));
  const ids = listed.filter(({ how }) => how === 'person').map(({ id }) => id);
  expect(ids.length).toBeGreaterThan(10);
  const attest = (id: string, expires: string, ...more: string[]) =>
    run('attest', id, '--by', 'ana', '--evidence', 'CHG-7', '--expires', expires, ...more);
  const before = await check();
  for (const [n, id] of ids.entries()) {
    expect(before.lines.find((line) => line.id === id)?.result).toBe('warns');
    const said = n % 2 === 0 ? await attest(id, '90d', '--negative') : await attest(id, '2026-01-01');
    expect(said.code).toBe(0);
    const found = await check();
    expect({ id, code: found.code, stopping: stopping(found) }).toEqual({ id, code: 1, stopping: [id] });
    await attest(id, '90d');
  }
  const after = await check();
  expect(after.code).toBe(0);
  expect(after.lines.filter(({ result }) => result !== 'well').map(({ id }) => id)).toEqual(['company-addresses']);
}, 180_000);

test('in the table what stops comes first, with where it is set', async () => {
  await control('POST', 'prerequisites', { id: 'netskope-group-write' });
  const { code, out } = await run('check');
  await control('POST', 'prerequisites', { id: 'netskope-group-write', broken: false });
  expect(code).toBe(1);
  expect(out.split('\n')[1]).toMatch(/^STOPS +netskope-group-write +acme\/netskope /);
  expect(out).toContain('netskope-group-write: set at Settings > Tools > REST API v2');
  expect(out).toMatch(/1 of \d+ would stop the playbook\.\n$/);
});

test('read only: nothing that would be a change is sent anywhere, those permissions are attested, and it can be a setting', async () => {
  const listed = prerequisiteListSchema.parse(JSON.parse((await run('check', '--list', '--json')).out));
  const probed = listed.filter(({ probes }) => probes).map(({ id }) => id);
  expect(probed).toContain('intune-commands');
  const calls = async () => {
    const all = (await control('GET', 'calls')).body as { method: string; path: string }[];
    return all.map(({ method, path: to }) => `${method} ${to}`);
  };
  // By POST, and yet nothing but a question.
  const asks = /token$|^POST \/api\/(v1\/(clients|steeringconfig)|v2\/(users\/get|devices\/device\/tags\/gettags))/;
  const changes = async () => (await calls()).filter((call) => !call.startsWith('GET ') && !asks.test(call));

  await control('DELETE', 'calls');
  expect((await check()).code).toBe(0);
  expect((await changes()).length).toBe(probed.length);

  const written = readFileSync(file, 'utf8');
  for (const how of ['by option', 'by setting']) {
    if (how === 'by setting') writeFileSync(file, `${written}    check: { readOnly: true }\n`);
    await control('DELETE', 'calls');
    const found = await check(...(how === 'by option' ? ['--read-only'] : []));
    expect({ how, changes: await changes(), code: found.code }).toEqual({ how, changes: [], code: 0 });
    for (const line of found.lines.filter(({ id }) => probed.includes(id)))
      expect(line).toMatchObject({ result: 'warns', says: expect.stringMatching(/^Not tried.*attest/) as string });
  }
  await run('attest', 'intune-commands', '--by', 'ana', '--evidence', 'CHG-9', '--expires', '90d');
  expect((await check()).lines.find(({ id }) => id === 'intune-commands')).toMatchObject({ result: 'well' });
});

test('an attestation makes it well, a negative and an expired one stop, and the newest counts', async () => {
  const lineOf = async () => (await check()).lines.find(({ id }) => id === 'netskope-fail-close');
  const attest = (...more: string[]) =>
    run('attest', 'netskope-fail-close', '--by', 'ana', '--evidence', 'CHG-7, seen in the console', ...more);
  expect((await lineOf())?.result).toBe('warns');

  const said = await attest('--expires', '90d', '--json');
  expect(attestationSchema.parse(JSON.parse(said.out))).toMatchObject({ who: 'ana', holds: true });
  expect(await lineOf()).toMatchObject({ result: 'well', says: expect.stringContaining('CHG-7') as string });

  await attest('--expires', '90d', '--negative');
  const negative = await check();
  expect([negative.code, stopping(negative)]).toEqual([1, ['netskope-fail-close']]);

  await attest('--expires', '2026-01-01');
  const expired = await check();
  expect([expired.code, stopping(expired)]).toEqual([1, ['netskope-fail-close']]);
  expect(expired.lines.find(({ id }) => id === 'netskope-fail-close')?.says).toContain('expired on 2026-01-01');

  await attest('--expires', '90d');
  expect((await lineOf())?.result).toBe('well');
  expect(await run('attest', 'gone', '--evidence', 'x', '--expires', '1d')).toMatchObject({ code: 2 });
  expect(await run('attest', 'approvers', '--evidence', 'x', '--expires', 'soon')).toMatchObject({ code: 2 });
});

test('each that is seen here, broken in the settings one by one: the exit code and its line', async () => {
  const written = readFileSync(file, 'utf8');
  const blocked = path.join(folder, 'no-folder');
  writeFileSync(blocked, '');
  const mailPort = (mail.server.address() as AddressInfo).port;
  const broken: Record<string, [result: 'stops' | 'warns', settings: string]> = {
    'mail-server': ['stops', written.replace(`port: ${mailPort}`, 'port: 9')],
    'secret-store': ['stops', written.replace(/path: .*secrets$/m, `path: ${blocked}/secrets`)],
    'archive-writable': ['stops', written.replace(/path: .*archive$/m, `path: ${blocked}/archive`)],
    approvers: ['stops', written.replace('- bo\n', '')],
    'dry-run-off': ['warns', written.replace('dryRun: false', 'dryRun: true')],
    'somebody-to-page': ['warns', withoutNotifiers(written)],
    'search-attributes': [
      'stops',
      written.replace(/temporal:\n {2}port: 0\n {2}uiPort: 0/, 'temporal:\n  address: 127.0.0.1:9'),
    ],
    // It is so from the start: no site is named.
    'company-addresses': ['warns', written],
  };
  const listed = prerequisiteListSchema.parse(JSON.parse((await run('check', '--list', '--json')).out));
  const here = listed.filter(({ how }) => how === 'here').map(({ id }) => id);
  expect([...here].sort()).toEqual(Object.keys(broken).sort());
  for (const [id, [result, settings]] of Object.entries(broken)) {
    writeFileSync(file, settings);
    const found = await check();
    const line = found.lines.find((one) => one.id === id);
    expect({ id, result: line?.result, code: found.code, stopping: stopping(found) }).toEqual({
      id,
      result,
      code: result === 'stops' ? 1 : 0,
      stopping: result === 'stops' ? [id] : [],
    });
    expect(line?.says).toMatch(/\S+[.:] \S+/);
  }
});

/** Nobody can be named where nothing reaches them. */
function withoutNotifiers(written: string): string {
  const settings = parse(written) as { tenants: { acme: { plugins: Record<string, unknown>; people?: unknown } } };
  const { acme } = settings.tenants;
  delete acme.plugins.mail;
  delete acme.plugins.pager;
  delete acme.people;
  return stringify(settings);
}

test('exceptions: every host with vendor, region, source and date; for one device only the agents that know it', async () => {
  const json = exceptionsSchema.parse(JSON.parse((await run('exceptions', '--format', 'json')).out));
  expect(json.map(({ host }) => host)).toEqual(
    expect.arrayContaining(['*.manage.microsoft.com', 'ts01-lanner-lion.cloudsink.net', 'login.microsoftonline.com']),
  );
  expect(
    json.every(({ region, source, date }) => region !== '' && source.startsWith('https://') && /^20\d\d/.test(date)),
  ).toBe(true);
  const csv = (await run('exceptions', '--format', 'csv')).out.split('\r\n');
  expect(csv[0]).toBe('host,vendor,region,source,date');
  expect(csv).toHaveLength(json.length + 2);
  const of = async (serial: string) =>
    new Set(
      exceptionsSchema
        .parse(JSON.parse((await run('exceptions', '--device', serial, '--json')).out))
        .map((row) => row.of),
    );
  expect(await of('SN0042')).toEqual(new Set(['entra', 'intune', 'crowdstrike']));
  expect(await of('SN-NOBODY')).toEqual(new Set(['entra']));
  expect((await run('exceptions')).out).toMatch(/^HOST +VENDOR +REGION +SOURCE +DATE\n/);

  // A private cloud has other hosts than those that the product names.
  writeFileSync(
    file,
    readFileSync(file, 'utf8').replace(/^ {4}plugins:/m, '    agentHosts: { crowdstrike: [falcon.acme.test] }\n$&'),
  );
  const own = exceptionsSchema.parse(JSON.parse((await run('exceptions', '--json')).out));
  expect(own.filter(({ of }) => of === 'crowdstrike').map(({ host, source }) => [host, source])).toEqual([
    ['falcon.acme.test', 'agentHosts of the settings'],
  ]);
  expect(own.filter(({ of }) => of === 'intune')).toEqual(json.filter(({ of }) => of === 'intune'));
  const hosts = (await check()).lines.find(({ id }) => id === 'netskope-exceptions');
  expect(hosts).toMatchObject({ result: 'stops', says: 'Not let through: falcon.acme.test. Add them.' });
  const listed = pluginListSchema.parse(JSON.parse((await run('plugins', '--json')).out));
  expect(listed.find(({ name }) => name === 'crowdstrike')?.hosts).toEqual(['falcon.acme.test']);
});

test('the simulator as people start it, in the background, with settings that point to it: nothing stops', async () => {
  const background = path.join(folder, 'background');
  const child = spawn(process.execPath, ['--import', 'tsx', 'simulator/main.ts', '--settings', background], {
    cwd: path.resolve(__dirname, '../..'),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  try {
    const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
    ({ settings: file } = JSON.parse(line) as { settings: string });
    const found = await check();
    expect({ code: found.code, stopping: stopping(found) }).toEqual({ code: 0, stopping: [] });
    expect(found.lines.filter(({ how }) => how === 'vendor').length).toBeGreaterThan(40);
  } finally {
    child.kill();
    await ended;
  }
});
