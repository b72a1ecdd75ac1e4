/** The settings file: what a good one becomes, and how everything that is wrong with a bad one is said at once. */
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { defaultRules } from '../../playbook/rules';
import { createPlugins } from '../../plugins';
import { BadInput } from '../../plugins/errors';
import { ensureIndexKey } from '../../settings/index-key';
import { loadSettings, loadSettingsWithoutSecrets } from '../../settings/load';

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
    // Strict: rules are pinned in histories, where a key without a value does not survive.
    expect(rules).toStrictEqual({ ...defaultRules, waits: { ...defaultRules.waits, retryMaxMs: 7_200_000 } });
    expect(guard).toEqual({ containmentsPerHour: 5, protectedUsers: [] });
    expect(reconciliation).toEqual({ everyMs: 900_000, checkEveryMs: 86_400_000, sayAgainAfterMs: 86_400_000 });
    expect(watch).toEqual({
      indexEveryMs: 30_000,
      sweepEveryMs: 86_400_000,
      longestPauseMs: 300_000,
      blindAfterMs: 900_000,
      blindAfterFailures: 5,
    });
    expect([...createPlugins(plugins ?? {}).keys()]).toEqual(['netskope', 'generic', 'archive']);
  });

  test('says how long anything waits, and which hosts an agent needs', async () => {
    const own = good
      .replace('{ every: 15min }', '{ every: 15min, checkEvery: 6h, sayAgainAfter: 2h }')
      .concat('    watch: { sweepEvery: 12h, longestPause: 1min, blindAfter: 30min, blindAfterFailures: 9 }\n')
      .concat("    agentHosts: { archive: ['*.acme.test', mdm.acme.test] }\n")
      .concat('temporal: { keepClosed: 400d }\n');
    const { temporal, tenants } = await loadSettings(write(own));
    expect(temporal.keepClosedMs).toBe(400 * 86_400_000);
    expect(tenants.acme).toMatchObject({
      reconciliation: { everyMs: 900_000, checkEveryMs: 21_600_000, sayAgainAfterMs: 7_200_000 },
      watch: { sweepEveryMs: 43_200_000, longestPauseMs: 60_000, blindAfterMs: 1_800_000, blindAfterFailures: 9 },
      agentHosts: { archive: ['*.acme.test', 'mdm.acme.test'] },
    });
    expect(await refusalOf(own.replace('{ archive: [', '{ archiev: [').replace('400d', '1h'))).toEqual([
      expect.stringContaining('agentHosts.archiev is no product: correct it, or add it to plugins'),
      expect.stringContaining('temporal.keepClosed is less than Temporal takes: write 1d or more'),
    ]);
  });

  test('TEMPORAL_ADDRESS in the environment goes before the file', async () => {
    const withAddress = `temporal: { address: 'temporal.internal:7233' }\n${good}`;
    expect((await loadSettings(write(withAddress))).temporal.address).toBe('temporal.internal:7233');
    process.env.TEMPORAL_ADDRESS = '127.0.0.1:9';
    expect((await loadSettings(write(withAddress))).temporal.address).toBe('127.0.0.1:9');
  });
});

const escalating = `${good.replace(/ *rules:[^]*/, '')}
      mail: { plugin: smtp, host: localhost, from: ldp@acme.test, to: [soc@acme.test] }
    people:
      ana:
        timeZone: Europe/Amsterdam
        notify: { mail: ana@acme.test }
        quietHours: { from: 22:00, to: 07:00, days: [sat, sun] }
        deputies: [bob, night]
      bob: { timeZone: Asia/Kathmandu, notify: { mail: true } }
    rotas:
      night: { members: [bob, ana], turn: day, since: 2026-11-02, at: 18:00, timeZone: Asia/Kathmandu, deputies: [ana] }
      soc: { members: [ana], since: 2026-11-02, timeZone: UTC }
    sites:
      - { name: Amsterdam, addresses: [198.51.100.0/24, '2001:db8:7::/48'] }
    pattern: { losses: 2, within: 6h }
    rules:
      escalation:
        ladder:
          - { name: silent, when: silent, afterMs: 36h }
          - name: late
            when: task late
            afterMs: 0
            unless: [acknowledged]
            whom: [soc, bob]
            by: [mail]
            inQuietHours: wait
            severity: warning
            repeatEveryMs: 1d
            deputiesAfterMs: 4h
          - { name: wipe, when: silent, afterMs: 7d, propose: wipe }
        news: { whom: [ana] }
        tasks:
          - { id: badge, title: Block the badge, dueMs: 4h }
          - id: police
            title: Report the theft
            owner: [night]
            dueMs: 1d
            warnBeforeMs: 6h
            kinds: [stolen]
            begins: written off
            reference: report number
        clocks:
          - id: nis2
            law: NIS2 Article 23
            stages:
              - { id: first, title: Notify, due: { ms: 72h }, warnBeforeMs: 1d }
              - { id: final, title: Report, owner: [soc], from: first, due: { months: 1 }, warnBeforeMs: 7d }
        silentAfterMs: 12h
        cleanUps: [{ where: Intune, afterMs: 90d, warnBeforeMs: 14d }]
`;

describe('escalation', () => {
  const hourMs = 3_600_000;
  const dayMs = 24 * hourMs;
  beforeEach(() => writeFileSync(path.join(folder, 'webhook.secret'), `${secret}\n`));
  const acme = async (text: string) => (await loadSettings(write(text))).tenants.acme;

  test('people, rotas, sites and the pattern come out as the house takes them', async () => {
    const { people, sites, pattern } = (await acme(escalating)) ?? {};
    expect(people).toStrictEqual({
      persons: {
        ana: {
          timeZone: 'Europe/Amsterdam',
          notify: { mail: 'ana@acme.test' },
          quietHours: { from: '22:00', to: '07:00', days: ['sat', 'sun'] },
          deputies: ['bob', 'night'],
        },
        bob: { timeZone: 'Asia/Kathmandu', notify: { mail: true }, deputies: [] },
      },
      rotas: {
        night: {
          members: ['bob', 'ana'],
          turn: 'day',
          since: '2026-11-02',
          at: '18:00',
          timeZone: 'Asia/Kathmandu',
          deputies: ['ana'],
        },
        soc: { members: ['ana'], turn: 'week', since: '2026-11-02', at: '09:00', timeZone: 'UTC', deputies: [] },
      },
    });
    expect(sites).toEqual([{ name: 'Amsterdam', addresses: ['198.51.100.0/24', '2001:db8:7::/48'] }]);
    expect(pattern).toEqual({ losses: 2, withinMs: 6 * hourMs });
  });

  test('a list that is given replaces the default whole, what is left out does not', async () => {
    const audience = { whom: [], by: [], inQuietHours: 'page', severity: 'error' };
    expect((await acme(escalating))?.rules.escalation).toStrictEqual({
      ladder: [
        { name: 'silent', when: 'silent', afterMs: 36 * hourMs, unless: [], ...audience },
        {
          name: 'late',
          when: 'task late',
          afterMs: 0,
          unless: ['acknowledged'],
          whom: ['soc', 'bob'],
          by: ['mail'],
          inQuietHours: 'wait',
          severity: 'warning',
          repeatEveryMs: dayMs,
          deputiesAfterMs: 4 * hourMs,
        },
        { name: 'wipe', when: 'silent', afterMs: 7 * dayMs, unless: [], ...audience, propose: 'wipe' },
      ],
      news: { whom: ['ana'], by: [], inQuietHours: 'page', severity: 'warning' },
      tasks: [
        {
          id: 'badge',
          title: 'Block the badge',
          owner: [],
          dueMs: 4 * hourMs,
          kinds: ['lost', 'stolen'],
          begins: 'opened',
        },
        {
          id: 'police',
          title: 'Report the theft',
          owner: ['night'],
          dueMs: dayMs,
          warnBeforeMs: 6 * hourMs,
          kinds: ['stolen'],
          begins: 'written off',
          reference: 'report number',
        },
      ],
      clocks: [
        {
          id: 'nis2',
          law: 'NIS2 Article 23',
          stages: [
            {
              id: 'first',
              title: 'Notify',
              owner: [],
              from: 'awareness',
              due: { ms: 72 * hourMs },
              warnBeforeMs: dayMs,
            },
            {
              id: 'final',
              title: 'Report',
              owner: ['soc'],
              from: 'first',
              due: { months: 1 },
              warnBeforeMs: 7 * dayMs,
            },
          ],
        },
      ],
      silentAfterMs: 12 * hourMs,
      clientSilentAfterMs: defaultRules.escalation.clientSilentAfterMs,
      listenForMs: defaultRules.escalation.listenForMs,
      cleanUps: [{ where: 'Intune', afterMs: 90 * dayMs, warnBeforeMs: 14 * dayMs }],
      cleanUpWarnMs: 14 * dayMs,
      askAgainMs: 7 * dayMs,
      searchWithinMs: 4 * hourMs,
      snoozeMaxMs: 90 * dayMs,
      pageTries: 5,
    });
  });

  test('without any of it there are no people, and the default rules', async () => {
    const { people, sites, pattern, rules } = (await acme(good)) ?? {};
    expect({ people, sites, pattern }).toEqual({
      people: { persons: {}, rotas: {} },
      sites: [],
      pattern: { losses: 3, withinMs: dayMs },
    });
    expect(rules?.escalation).toStrictEqual(defaultRules.escalation);
  });

  test('names that point nowhere, beside a mistake of form, are all said at once', async () => {
    const lines = await refusalOf(
      escalating
        .replace('deputies: [bob, night]', 'deputies: [bob, nigth]')
        .replace('{ mail: true }', '{ mial: true }')
        .replace('members: [bob, ana]', 'members: [bob, soc]')
        .replace('timeZone: UTC', 'timeZone: Mars/Olympus')
        .replace('soc: { members', 'ana: { members')
        .replace('whom: [soc, bob]', 'whom: [soc, bob]')
        .replace('by: [mail]', 'by: [archive]')
        .replace('whom: [ana]', 'whom: [zoe]')
        .replace('owner: [night]', 'owner: [day]'),
    );
    const nobody = 'is neither a person nor a rota: correct it, or add it to people or rotas';
    const inRules = 'tenants.acme.rules.escalation';
    expect(lines.map((line) => line.replace(/^lost-device.yaml:\d+ /, ''))).toEqual([
      `tenants.acme.people.ana.deputies.1 ${nobody}`,
      'tenants.acme.people.bob.notify.mial is no notifier: correct it, or add it to plugins',
      'tenants.acme.rotas.night.members.1 is no person: correct it, or add it to people',
      'tenants.acme.rotas.ana.timeZone is no time zone: write it like Europe/Amsterdam',
      'tenants.acme.rotas.ana is a person too: choose another name',
      `${inRules}.ladder.1.whom.0 ${nobody}`,
      `${inRules}.ladder.1.by.0 is no notifier: correct it, or add it to plugins`,
      `${inRules}.news.whom.0 ${nobody}`,
      `${inRules}.tasks.1.owner.0 ${nobody}`,
      `${inRules}.clocks.0.stages.1.owner.0 ${nobody}`,
    ]);
  });

  test.each([
    ['quiet hours of no length', 'to: 07:00', 'to: 22:00', 'quietHours.to is the same time as from: write another'],
    ['no time of day', 'to: 07:00', 'to: 7am', 'quietHours.to is no time of day: write it like 22:00'],
    [
      'a week of quiet days',
      '[sat, sun]',
      '[mon, tue, wed, thu, fri, sat, sun]',
      'quietHours.days leaves no day to be called: take one out',
    ],
    ['no day', '[sat, sun]', '[sat, son]', 'days.1 is not known: write one of mon, tue, wed, thu, fri, sat, sun'],
    ['an offset', 'timeZone: UTC', "timeZone: '+01:00'", 'timeZone is no time zone: write it like Europe/Amsterdam'],
    ['nobody in a rota', 'members: [ana]', 'members: []', 'members is empty: name at least one person'],
    [
      'a date that is none',
      '2026-11-02, timeZone: UTC',
      '2026-02-30, timeZone: UTC',
      'since is no date: write it like',
    ],
    ['no way to reach somebody', '{ mail: true }', '{}', 'bob.notify is empty: write a notifier and an address'],
    ['no network', '198.51.100.0/24', '198.51.100.0/33', 'addresses.0 is no range of addresses: write it like'],
    ['no prefix', '198.51.100.0/24', '198.51.100.7', 'addresses.0 is no range of addresses: write it like'],
    ['every address', '198.51.100.0/24', '0.0.0.0/0', 'addresses.0 is every address there is: write those of the site'],
    ['every loss', 'losses: 2', 'losses: 1', 'pattern.losses would make an alarm of every loss: write 2 or more'],
    ['a rung without pause', 'repeatEveryMs: 1d', 'repeatEveryMs: 0', 'is no time at all: write more than 0'],
    ['an unknown trouble', 'when: task late', 'when: late', 'ladder.1.when is not known: write one of not contained,'],
    [
      'a proposal that no rung makes',
      'propose: wipe',
      'propose: close as wiped',
      'ladder.2.propose is not known: write one of lost mode, wipe, write-off',
    ],
    ['one name, not a list', 'whom: [ana]', 'whom: ana', 'news.whom is no list: write it like [ana, soc]'],
    ['two rungs', 'name: wipe', 'name: silent', 'ladder.2.name is the name of two rungs: choose another'],
    ['two tasks', 'id: police', 'id: badge', 'tasks.1.id is the id of two tasks or stages: choose another'],
    ['a task and a stage', 'id: first,', 'id: badge,', 'stages.0.id is the id of two tasks or stages: choose another'],
    ['no such stage', 'from: first', 'from: frist', 'stages.1.from is no stage before it: write awareness, or the id'],
    ['a stage after itself', 'from: first', 'from: final', 'stages.1.from is no stage before it: write awareness'],
    ['no due time', '{ months: 1 }', '{ weeks: 1 }', 'due is no due time: write { ms: 72h } or { months: 1 }'],
    ['a word of ours', 'bob: {', 'everybody: {', 'people.everybody is a word of ours: choose another name'],
  ])('%s is refused', async (_, right, wrong, said) => {
    expect(escalating).toContain(right);
    expect(await refusalOf(escalating.replace(right, wrong))).toEqual(
      expect.arrayContaining([expect.stringContaining(said)]),
    );
  });

  test('a task may not take the id of a default clock', async () => {
    const own = good.replace('rules:', 'rules:\n      escalation: { tasks: [{ id: gdpr, title: Ask, dueMs: 1d }] }');
    expect(await refusalOf(own)).toEqual([
      expect.stringContaining('tasks.0.id is the id of two tasks or stages: choose another'),
    ]);
    expect(await refusalOf(own.replace('tasks:', 'clocks: [], tasks:'))).toEqual([]);
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
      'lost-device.yaml:15 tenants.acme.plugins.generic.secrets.0 is a secret in the open: put it elsewhere, and write env:NAME, file:PATH or exec:COMMAND here',
      'lost-device.yaml:16 tenants.acme.plugins.pager.plugin is not a product we know: write one of crowdstrike, encrypted-folder, entra, folder, intune, netskope, pagerduty, secret-command, servicenow, smtp, webhook',
      'lost-device.yaml:17 tenants.acme.plugins.archive.paht there is no such setting: correct its name or remove it',
      'lost-device.yaml:18 tenants.acme.reconciliation.every is not a duration: write 90s, 15min, 2h, 3d or a number of milliseconds',
    ]);
  });

  test.each(['acme', 'acme.goskope.com', 'ftp://acme.goskope.com', 'http://', '""', '7', 'https://a b'])(
    'an address that is none, %s, is one mistake',
    async (url) => {
      const rest = 'token: env:TOKEN, lostGroup: L, lostSteeringConfig: L, lostPolicy: L';
      process.env.TOKEN = 'token-of-a-test';
      try {
        const lines = await refusalOf(
          `tenants: { acme: { plugins: { a: { plugin: folder, path: ./a }, n: { plugin: netskope, url: ${url}, ${rest} } } } }\n`,
        );
        expect(lines).toEqual([expect.stringContaining('.n.url is not an address')]);
      } finally {
        delete process.env.TOKEN;
      }
    },
  );

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

  test('a notifier that hears back belongs to one tenant; one that only sends may have the same name in two', async () => {
    writeFileSync(path.join(folder, 'pager.secret'), 's'.repeat(32));
    const pager = "{ plugin: pagerduty, routingKey: 'file:pager.secret'";
    const hears = `${pager}, webhookSecrets: ['file:pager.secret'], apiToken: 'file:pager.secret' }`;
    const tenant = (name: string) => `
  ${name}:
    plugins:
      netskope:
        plugin: netskope
        url: https://${name}.goskope.com
        token: 'file:pager.secret'
        lostGroup: Lost
        lostSteeringConfig: Lost
        lostPolicy: Lost
      archive: { plugin: folder, path: ./${name} }
      pager: ${hears}
      quiet: ${pager} }`;
    expect(await refusalOf(`tenants:${tenant('one')}${tenant('two')}`)).toEqual([
      expect.stringContaining('two.plugins.pager is a notifier of one too, and belongs to one tenant'),
    ]);
  });

  test('two tenants never share an archive, however its path is written', async () => {
    writeFileSync(path.join(folder, 'webhook.secret'), secret);
    const second = good
      .slice(good.indexOf('  acme:'))
      .replace('acme:', 'globex:')
      .replace('generic:', 'door:')
      .replace('./archive', './state/../archive');
    expect(await refusalOf(`${good}${second}`)).toEqual([
      expect.stringContaining('globex.plugins.archive is the archive of acme too: give each tenant one of its own'),
    ]);
    expect(await refusalOf(`${good}${second.replace('../archive', '../theirs')}`)).toEqual([]);
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

describe('a secret behind a program', () => {
  const tokenOf = async (command: string) => {
    writeFileSync(path.join(folder, 'webhook.secret'), secret);
    const settings = await loadSettings(
      write(good.replace('env:NETSKOPE_TOKEN', `'${command.replaceAll("'", "''")}'`)),
    );
    return (settings.tenants.acme?.plugins.netskope?.settings as { token: string }).token;
  };
  const program = `exec:${process.execPath} -e`;

  test('is the first line of what it prints; no shell reads the command', async () => {
    expect(await tokenOf(`${program} "console.log(process.argv[1]); console.log(2)" -- --to="$HOME; two words"`)).toBe(
      '--to=$HOME; two words',
    );
  });

  test('it finds the address of its vault in our environment', async () => {
    process.env.VAULT_ADDR = 'https://vault.acme.test';
    expect(await tokenOf(`${program} "console.log(process.env.VAULT_ADDR)"`)).toBe('https://vault.acme.test');
  });

  test.each([
    [
      'fails',
      `${program} "console.log(\`hunter2\`); console.error(\`hunter2\`); process.exit(3)"`,
      'which ended with 3: try',
    ],
    ['prints nothing', `${program} "console.log()"`, 'whose first line is empty: have it print the secret there'],
    [
      'prints too much',
      `${program} "console.log(\`hunter2\`.repeat(99_999))"`,
      'which was killed: it printed more than',
    ],
    ['is not there', 'exec:/no/such/vault get', 'runs /no/such/vault, which cannot be started (ENOENT): install it'],
    ['has a quote too many', `${program} "console.log(1)`, 'names no program by an absolute path'],
    ['has no path', 'exec:vault get token', 'names no program by an absolute path'],
  ])('one that %s is told with its remedy, and nothing of what it printed', async (_, command, said) => {
    const refused = await tokenOf(command).catch((error: Error) => error.message);
    expect(refused).toContain(
      `netskope.token ${said.startsWith('which') || said.startsWith('whose') ? `runs ${process.execPath}, ` : ''}${said}`,
    );
    expect(refused.split('\n')).toHaveLength(1);
    expect(refused).not.toContain('hunter2');
  });

  test('only a secret is asked of a program; and where none is fetched, none is run', async () => {
    writeFileSync(path.join(folder, 'webhook.secret'), secret);
    const ran = path.join(folder, 'ran');
    const touch = `exec:${process.execPath} -e "fs.writeFileSync(process.argv[1], process.argv[1])" ${ran}`;
    const refused = loadSettings(write(good.replace('Lost Steering', touch)));
    await expect(refused).rejects.toThrow('lostSteeringConfig runs a program, and is no secret: write its value here');
    const { missing } = await loadSettingsWithoutSecrets(write(good.replace('env:NETSKOPE_TOKEN', touch)));
    expect(missing).toEqual([]);
    const gone = await loadSettingsWithoutSecrets(write(good.replace('env:NETSKOPE_TOKEN', 'exec:/no/such/vault')));
    expect(gone.missing).toEqual([
      expect.objectContaining({ message: expect.stringContaining('cannot be started') as string }),
    ]);
    expect(existsSync(ran)).toBe(false);
  });
});

describe('without secrets', () => {
  test('each is looked for and none is read; what stands in for it fits its product; nothing is written', async () => {
    writeFileSync(path.join(folder, 'there.secret'), secret);
    writeFileSync(path.join(folder, 'empty.secret'), '');
    delete process.env.NO_SUCH_SECRET;
    const given = good
      .replace("['file:webhook.secret']", "['file:there.secret', 'file:empty.secret', 'file:none.secret']")
      .replace(
        'archive:',
        'pager: { plugin: pagerduty, routingKey: env:NO_SUCH_SECRET, webhookSecrets: [env:NO_SUCH_SECRET], apiToken: env:NO_SUCH_SECRET }\n' +
          '      vault: { plugin: encrypted-folder, path: ./secrets, keys: [env:NO_SUCH_SECRET] }\n      archive:',
      );
    const { settings, missing } = await loadSettingsWithoutSecrets(write(given));
    const said = missing.map(({ path: setting, message }) => `${setting} ${message}`).sort();
    expect(said).toEqual([
      'tenants.acme.plugins.generic.secrets.1 names empty.secret, which is empty: write the secret into it',
      'tenants.acme.plugins.generic.secrets.2 names none.secret, which cannot be read (ENOENT): write it, readable by our account',
      ...['pager.apiToken', 'pager.routingKey', 'pager.webhookSecrets.0', 'vault.keys.0'].map(
        (field) => `tenants.acme.plugins.${field} names NO_SUCH_SECRET, which is not in the environment: set it`,
      ),
    ]);
    expect(JSON.stringify(settings)).not.toContain('token-from-the-environment');
    expect(JSON.stringify(settings)).not.toContain(secret);
    expect([...createPlugins(settings.tenants.acme?.plugins ?? {}).keys()]).toHaveLength(5);
    expect(existsSync(path.join(folder, 'state'))).toBe(false);
  });

  test('a mistake, and a secret in the open, are refused as always', async () => {
    const refused = loadSettingsWithoutSecrets(write(good.replace('env:NETSKOPE_TOKEN', 'hunter2')));
    await expect(refused).rejects.toThrow(/token is a secret in the open/);
    await expect(loadSettingsWithoutSecrets(write(good.replace('retryMaxMs', 'retryMax')))).rejects.toThrow(/retryMax/);
  });
});
