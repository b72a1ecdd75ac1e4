/**
 * A drill beside production: by the settings of an installation whose every address is a trap, and none of whose secrets is
 * there. Nothing falls into the trap.
 */
import { execFile } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { drill, type DrillOptions } from '../../drill/drill';
import { drillReportSchema } from '../../playbook/schemas/answers';
import { loadSettingsWithoutSecrets } from '../../settings/load';
import '../setup/time-skipping'; // It sets the SDK's log level, once per process.

let folder: string;
let trap: Server;
let trapPort: number;
let caught: number;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lost-device-drill-'));
  caught = 0;
  trap = createServer((socket) => {
    caught += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => trap.listen(0, '127.0.0.1', resolve));
  trapPort = (trap.address() as AddressInfo).port;
});
afterEach(async () => {
  await new Promise((resolve) => trap.close(resolve));
  rmSync(folder, { recursive: true });
});

const quietAllDay = { from: '00:00', to: '23:59' };

test('the story wiped, from the command line: ends 0, and calls nothing outside', async () => {
  const { exitCode, stdout } = await runDrill(install(), 'wiped');
  const report = drillReportSchema.parse(JSON.parse(stdout));
  expect({ exitCode, caught, wrong: report.wrong, kept: report.kept }).toEqual({
    exitCode: 0,
    caught: 0,
    wrong: [],
    kept: [],
  });
  expect(report.says).toContain('ended as it should');
  expect(Date.parse(report.to) - Date.parse(report.from)).toBeGreaterThanOrEqual(60 * 24 * 60 * 60_000);

  const sent = report.sent.map(({ product, what, times }) => `${times}x ${product}: ${what}`);
  expect(sent).toEqual(
    expect.arrayContaining([
      '2x netskope: drill@example.invalid added to the lost group',
      '2x netskope: drill@example.invalid taken out of the lost group',
      '1x entra: device object disabled',
      '1x intune: wipe of the laptop sent',
      '1x crowdstrike: laptop isolated',
      '1x servicenow: ticket DRILL-1 set to in progress again',
    ]),
  );
  const course = report.course.map(({ who, what }) => `${who}: ${what}`);
  expect(course).toEqual(
    expect.arrayContaining([
      'drill: ana: A wipe was asked for.',
      'drill: bob: The wipe was approved.',
      'playbook: Wiped. From now on its silence is success.',
      'playbook: Reopened: the wiped laptop is back.',
      'drill: ana: Closed: recovered.',
    ]),
  );
  expect(report.asked.map(({ what, whom }) => [what.slice(0, 16), whom])).toContainEqual([
    'Approve the wipe',
    ['ana', 'bob'],
  ]);

  // Everything that calls is marked. Ana has a mail address and the pager; Bob sleeps when it can wait.
  expect(report.calls.length).toBeGreaterThan(0);
  for (const { subject } of report.calls) expect(subject).toMatch(/^\[DRILL\] \S/);
  const waits = report.calls.find(({ subject }) => subject.endsWith('A decision is needed, and can wait for the day'));
  expect(waits?.quiet).toContainEqual(expect.objectContaining({ who: 'bob' }));
  expect(waits?.people.map(({ who, by, address }) => [who, by, address])).toEqual([
    ['ana', 'mail', "the person's own"],
    ['ana', 'pager', "the notifier's own"],
  ]);

  const lacks = report.lacks.map(({ setting }) => setting);
  expect(lacks).toContain('tenants.acme.wipe.dryRun');
  expect(lacks).toContain('tenants.acme.plugins.netskope.token');
  expect(lacks).not.toContain('tenants.acme.wipe.approvers');
  // Nothing was made in its data folder.
  expect(existsSync(join(folder, 'data'))).toBe(false);
}, 300_000);

test('an installation that lacks nearly everything: played as far as it goes, and each lack is named', async () => {
  const outside: string[] = [];
  const onSocket = (message: unknown) => {
    const { socket } = message as { socket: Socket };
    socket.once('connect', () => socket.remoteAddress !== '127.0.0.1' && outside.push(String(socket.remoteAddress)));
  };
  subscribe('net.client.socket', onSocket);
  try {
    const { kept, wrong, lacks, calls, course } = await play({
      plugins: leastPlugins(),
      rules: { escalation: { ladder: [{ name: 'stuck', when: 'stuck', afterMs: 0 }] } },
      guard: { containmentsPerHour: 0 },
    });
    expect({ outside, caught, wrong }).toEqual({ outside: [], caught: 0, wrong: [] });
    expect(kept).toEqual([expect.stringMatching(/^The laptop could not have been wiped: .* device management/)]);
    expect(course.map(({ what }) => what)).toContain('Contained: drill@example.invalid is in the lost group.');
    expect(calls.map(({ people }) => people)).toEqual(calls.map(() => []));
    expect(lacks.map(({ setting, says }) => `${setting}: ${says}`).sort()).toEqual(
      expect.arrayContaining(
        [
          /plugins: No product pages people/,
          /people: No person is named/,
          /ladder: No rung calls anybody for: not contained, /,
          /approvers: Nobody may approve/,
          /plugins: Nothing can wipe/,
          /plugins: Nothing can isolate/,
          /containmentsPerHour: Every containment waits/,
          /netskope\.token: It names NO_SUCH_SECRET/,
        ].map((pattern): unknown => expect.stringMatching(pattern)),
      ),
    );
  } finally {
    unsubscribe('net.client.socket', onSocket);
  }
}, 300_000);

test('settings that are wrong end 2, and nothing is played', async () => {
  const file = join(folder, 'lost-device.yaml');
  writeFileSync(file, 'tenants: { acme: { plugins: {}, wiep: 1 } }');
  const { exitCode, stderr } = await runDrill(file, 'wiped');
  expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: expect.stringContaining('wiep') });
}, 60_000);

async function play(tenant: object, story: DrillOptions['story'] = 'wiped') {
  const given = await loadSettingsWithoutSecrets(write({ acme: tenant }));
  return drill(given, {
    story,
    tenant: 'acme',
    log: () => {},
    workflowBundlePath: process.env.LOST_DEVICE_WORKFLOW_BUNDLE ?? '',
  });
}

/** In a process of its own, as people do. */
function runDrill(settings: string, story: string) {
  const given = ['--import', 'tsx', 'cli.ts', 'drill', '--settings', settings, '--story', story, '--json'];
  const env = { ...process.env, TEMPORAL_ADDRESS: `127.0.0.1:${trapPort}` };
  return new Promise<{ exitCode: number; stdout: string; stderr: string }>((resolve) => {
    execFile(process.execPath, given, { env, maxBuffer: 1e8 }, (error, stdout, stderr) =>
      resolve({ exitCode: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

function write(tenants: object): string {
  const file = join(folder, 'lost-device.yaml');
  writeFileSync(file, stringify({ data: './data', temporal: { address: `127.0.0.1:${trapPort}` }, tenants }));
  return file;
}

const secret = 'env:NO_SUCH_SECRET';

function leastPlugins() {
  const names = { lostGroup: 'Lost', lostSteeringConfig: 'Lost steering', lostPolicy: 'Lost policy' };
  return {
    netskope: { plugin: 'netskope', url: `http://127.0.0.1:${trapPort}`, token: secret, ...names },
    archive: { plugin: 'folder', path: './archive' },
  };
}

/** Every product there is, each at the trap. */
function install(): string {
  const url = `http://127.0.0.1:${trapPort}`;
  const app = {
    directoryTenant: 'acme.example',
    clientId: '22222222-2222-4222-8222-222222222222',
    clientSecret: 'file:./no-such-secret',
    graphUrl: url,
    loginUrl: url,
  };
  const notify = (name: string) => ({ mail: `${name}@example.test`, pager: true });
  return write({
    acme: {
      plugins: {
        ...leastPlugins(),
        entra: { plugin: 'entra', ...app, feeds: { signIns: {} } },
        intune: { plugin: 'intune', ...app },
        crowdstrike: {
          plugin: 'crowdstrike',
          region: 'eu-1',
          url,
          clientId: 'client',
          clientSecret: secret,
          feeds: { lastSeen: {} },
        },
        servicenow: {
          plugin: 'servicenow',
          url,
          user: 'lost-device',
          password: secret,
          lostDeviceQuery: 'category=equipment_loss',
          webhookSecrets: [secret],
        },
        mail: {
          plugin: 'smtp',
          host: '127.0.0.1',
          port: trapPort,
          user: 'lost-device',
          password: secret,
          from: 'playbook@example.test',
          to: ['soc@example.test'],
        },
        pager: {
          plugin: 'pagerduty',
          routingKey: secret,
          url,
          webhookSecrets: [secret],
          apiToken: secret,
          apiUrl: url,
        },
        secrets: { plugin: 'encrypted-folder', path: './secrets', keys: [secret] },
      },
      people: {
        ana: { timeZone: 'UTC', notify: notify('ana'), deputies: ['bob'] },
        bob: { timeZone: 'UTC', notify: notify('bob'), quietHours: quietAllDay, deputies: ['ana'] },
      },
      onCall: ['ana', 'bob'],
      wipe: { approvers: ['ana', 'bob'] },
    },
  });
}
