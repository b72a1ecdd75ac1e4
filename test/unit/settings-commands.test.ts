/** `init`, `settings show`, and how mistakes in the settings are told, as a person at the command line meets them. */
import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { parse } from 'yaml';
import { runCli } from '../../cli/program';
import { ruleChanges } from '../../playbook/rule-changes';
import { defaultRules } from '../../playbook/rules';
import { plugins } from '../../plugins';
import { readEffectiveSettings } from '../../settings/effective';
import { firstFile, neededFields } from '../../settings/first-file';
import { loadSettings } from '../../settings/load';

const root = path.resolve(__dirname, '../..');
let folder: string;
let file: string;
let said: { stdout: string; stderr: string };

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'settings-commands-'));
  file = path.join(folder, 'lost-device.yaml');
  said = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const)
    jest.spyOn(process[stream], 'write').mockImplementation((chunk) => {
      said[stream] += String(chunk);
      return true;
    });
  delete process.env.TEMPORAL_ADDRESS;
});
afterEach(() => {
  jest.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

test('ten mistakes at once: ten lines, exit code 2, and no stack', async () => {
  writeFileSync(
    file,
    `data: 7
temporal: { address: localhost }
http:
  webhooks: { port: 70000 }
tenants:
  acme:
    plugins:
      netskope:
        plugin: netskope
        url: http://acme.goskope.com
        token: hunter2
        lostGroup: Lost
        lostSteeringConfig: Lost
      pager: { plugin: pagerdoody }
      archive: { plugin: folder, path: ./archive, paht: x }
    reconciliation: { every: soon }
    onCall: [nobody]
`,
  );
  const ended = await new Promise<{ code: unknown; stdout: string; stderr: string }>((resolve) =>
    execFile(
      process.execPath,
      ['--import', 'tsx', 'cli.ts', 'plugins', '--settings', file],
      { cwd: root },
      (error, stdout, stderr) => resolve({ code: error?.code, stdout, stderr }),
    ),
  );
  expect(ended).toMatchObject({ code: 2, stdout: '' });
  const lines = ended.stderr.trimEnd().split('\n');
  expect(lines).toHaveLength(10);
  expect(lines.every((line) => /lost-device\.yaml:\d+ \S+ .+: .+$/.test(line))).toBe(true);
  expect(ended.stderr).not.toMatch(/hunter2|^ +at /m);
});

describe('init', () => {
  test('--defaults asks nothing and writes a file that loads, with its secrets beside it', async () => {
    expect(await runCli(['init', '--defaults', '--file', file])).toBe(0);
    expect(said.stdout).toContain('Put each secret into its file: ./secrets/netskope-token.');
    const settings = await loadSettings(file);
    expect(settings.tenants.main?.rules).toStrictEqual(defaultRules);
    expect(settings.tenants.main?.wipe.dryRun).toBe(true);
    expect(statSync(path.join(folder, 'secrets/netskope-token')).mode & 0o777).toBe(0o600);
    const [schemaLine = ''] = readFileSync(file, 'utf8').split('\n');
    const schema = path.resolve(folder, schemaLine.replace('# yaml-language-server: $schema=', ''));
    expect(JSON.parse(readFileSync(schema, 'utf8'))).toHaveProperty('properties.tenants');
  });

  test('a file that is there stays; with --force it is written anew, and a secret stays as it is', async () => {
    expect(await runCli(['init', '--defaults', '--file', file])).toBe(0);
    writeFileSync(path.join(folder, 'secrets/netskope-token'), 'the real one');
    const mine = `${readFileSync(file, 'utf8')}# mine\n`;
    writeFileSync(file, mine);
    expect(await runCli(['init', '--defaults', '--file', file])).toBe(2);
    expect(said.stderr).toContain('is there already: --force writes over it');
    expect(readFileSync(file, 'utf8')).toBe(mine);
    expect(await runCli(['init', '--defaults', '--force', '--file', file])).toBe(0);
    expect(readFileSync(file, 'utf8')).not.toContain('# mine');
    expect(readFileSync(path.join(folder, 'secrets/netskope-token'), 'utf8')).toBe('the real one');
  });

  const answered = async (lines: string[]) => {
    const child = spawn(process.execPath, ['--import', 'tsx', 'cli.ts', 'init', '--file', file], { cwd: root });
    child.stdin.end(lines.map((line) => `${line}\n`).join(''));
    const exit = new Promise<number | null>((resolve) => child.once('close', resolve));
    const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), exit]);
    return { stdout, stderr, code };
  };

  test('asks by the keyboard: Enter takes what is proposed, and what is no answer is asked again', async () => {
    // By the list of products, in its order; Netskope and the folder are needed, and not asked for.
    const lines = [
      ...['Acme!', 'acme'],
      ...['no', 'n', 'maybe', 'no', '', 'n'],
      ...['https://acme.goskope.com', 'Lost', '', ''],
      ...['no', 'no', 'no'],
      ...['yes', 'mail.acme.test', 'ldp@acme.test', 'soc@acme.test, ciso@acme.test'],
      '',
    ];
    const { code, stderr } = await answered(lines);
    expect(stderr).toContain('Small letters, digits and -, please.');
    expect(stderr).toContain('yes or no, please.');
    expect(code).toBe(0);
    const { acme } = (await loadSettings(file)).tenants;
    expect(Object.keys(acme?.plugins ?? {})).toEqual(['folder', 'netskope', 'smtp', 'webhook']);
    expect(acme?.plugins.netskope?.settings).toMatchObject({ url: 'https://acme.goskope.com', lostGroup: 'Lost' });
    expect(acme?.plugins.smtp?.settings).toMatchObject({ to: ['soc@acme.test', 'ciso@acme.test'] });
  });

  test('answers that end too early write nothing', async () => {
    const { code, stderr } = await answered(['acme', 'yes']);
    expect(code).toBe(2);
    expect(stderr).toContain('nothing was written: --defaults asks nothing');
    expect(() => statSync(file)).toThrow('ENOENT');
  });

  test('for every product the file loads; and so it does, to the same, with every # taken away', async () => {
    const all = Object.fromEntries(Object.keys(plugins).map((product) => [product, {}]));
    const { text: written, secrets } = firstFile({ tenant: 'main', products: all }, 'schema.json');
    for (const product of Object.keys(plugins)) expect([product, neededFields(product)]).not.toEqual([product, []]);
    // One of the two stores of secrets would do; the form allows both.
    writeFileSync(file, written);
    const before = await readEffectiveSettings(file);
    expect(secrets.length).toBeGreaterThan(5);
    const uncommented = written.replace(/^( *)#(?=\S)/gm, '$1');
    expect(uncommented.split('\n').length).toBe(written.split('\n').length);
    expect(uncommented).toMatch(/^ +- \{.*not-contained/m);
    writeFileSync(file, uncommented);
    expect(await readEffectiveSettings(file)).toEqual(before);
  });
});

describe('settings show', () => {
  test('fills every default in, reads no secret, and is a settings file itself', async () => {
    const example = path.join(root, 'docs/lost-device.example.yaml');
    expect(await runCli(['settings', 'show', '--settings', example])).toBe(0);
    const shown = said.stdout;
    const { tenants } = parse(shown) as { tenants: Record<string, Record<string, Record<string, unknown>>> };
    expect(tenants.acme?.plugins?.netskope).toMatchObject({ token: 'env:NETSKOPE_TOKEN', settleMs: '2s' });
    expect(tenants.acme?.plugins?.generic).toMatchObject({ secrets: ['env:LOST_DEVICE_WEBHOOK_SECRET'] });
    expect(tenants.acme?.rules?.waits).toMatchObject({ retryMaxMs: '15min', noteGatherMs: '3s' });
    writeFileSync(file, shown);
    expect(await readEffectiveSettings(file)).toEqual(await readEffectiveSettings(example));
    said.stdout = '';
    expect(await runCli(['settings', 'show', '--json', '--settings', example])).toBe(0);
    expect(JSON.parse(said.stdout)).toEqual(parse(shown));
  });
});

describe('what differs between rules', () => {
  test('is named as in the file; the order of keys is no difference', () => {
    const { waits, escalation } = defaultRules;
    const [first, second, ...rest] = escalation.ladder;
    const other = {
      ...defaultRules,
      waits: { ...waits, retryMaxMs: 2 * 60 * 60_000 },
      directorySteps: { ...defaultRules.directorySteps, lost: [] },
      escalation: { ...escalation, ladder: [second!, { ...first!, afterMs: 0 }, ...rest.slice(1)] },
    };
    expect(ruleChanges(defaultRules, other)).toEqual([
      'directorySteps.lost: revoke-sessions, now none',
      'waits.retryMaxMs: 15 min, now 2 h',
      'escalation.ladder.not-contained.afterMs: 15 min, now 0 s',
      `escalation.ladder.${rest[0]?.name}: there, now none`,
    ]);
    const turned = { ...defaultRules, waits: Object.fromEntries(Object.entries(waits).reverse()) as typeof waits };
    expect(ruleChanges(defaultRules, turned)).toEqual([]);
    const swapped = { ...defaultRules, escalation: { ...escalation, ladder: [second!, first!, ...rest] } };
    expect(ruleChanges(defaultRules, swapped)).toEqual(['escalation.ladder: in another order']);
  });
});
