/** What the command line prints for people, and how it ends. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { failureOf } from '../../cli/failure';
import { printCase, printList, printTests, printTriage } from '../../cli/print';
import { cliHelp, runCli } from '../../cli/program';
import { RefusedByRule } from '../../client/cases';
import { openCase, takeSighting, type CaseState } from '../../playbook/case';
import { nothingKnown, type Report } from '../../playbook/report';
import { defaultRules } from '../../playbook/rules';
import { pluginListSchema } from '../../playbook/schemas/answers';
import { BadInput, VendorUnavailable } from '../../plugins/errors';

const at = '2026-11-22T22:14:00.000Z';
const nowMs = Date.parse('2026-11-23T01:34:00.000Z');

const report: Report = {
  tenant: 'acme',
  ticket: { source: 'generic', id: 'INC1', url: 'https://desk.example.test/INC1' },
  deliveryId: 'msg_1',
  receivedAt: at,
  verified: true,
  device: { serial: 'SN1' },
  user: 'pat@example.test',
  answers: { ...nothingKnown, kind: 'stolen' },
  actor: { person: 'webhook:generic', authenticated: true, how: 'webhook-signature' },
};

function containedCase(): CaseState {
  const state = openCase(report, defaultRules, { workflowId: 'lost-device:acme:SN1', runId: 'run', now: at });
  state.device = { source: 'netskope', serial: 'SN1', hostname: 'LT-1', user: 'pat@example.test', client: 'enabled' };
  state.otherDevices = [{ hostname: 'LT-2', serial: 'SN2' }];
  state.containment = {
    ...state.containment,
    state: 'contained',
    measures: { 'lost-group': { state: 'in place', at, evidence: 'netskope shows pat in the group.' } },
  };
  state.configuration = {
    ...state.configuration,
    state: 'member',
    rungs: { member: { at, evidence: 'read back' } },
    expectedBy: '2026-11-22T23:24:00.000Z',
    says: 'Not proven, will verify on return.',
  };
  takeSighting(state, {
    id: 's1',
    at,
    source: 'netskope',
    feed: 'client-status',
    evidence: 'client',
    match: 'likely',
    device: {},
    what: 'Tunnel Up',
    publicAddress: '203.0.113.77',
    place: { city: 'Exampleville', country: 'NL' },
  });
  state.presence.state = 'seen';
  state.presence.blindFeeds = { 'netskope/alerts': at };
  state.steps = {
    'tag the device': {
      state: 'stuck',
      since: at,
      attempts: 1,
      error: { code: 'LDP_NOT_PERMITTED', message: 'No right.' },
    },
    'revoke the sessions': {
      state: 'failing',
      since: at,
      attempts: 3,
      error: { code: 'LDP_SERVER_ERROR', message: 'Answered 503.' },
      nextTryAt: '2026-11-22T22:20:00.000Z',
    },
  };
  state.questions = [
    {
      id: 'contain',
      askedAt: at,
      text: 'Contain anyway?',
      options: [{ value: 'yes', text: 'Contain the user' }],
      freeText: 'serial',
    },
  ];
  state.journal.tail = [
    { n: 1, at, track: 'case', who: 'ana', text: 'Case opened.', evidence: 'INC1' },
    { n: 2, at, track: 'presence', who: 'playbook', text: 'The same again.', routine: true },
  ];
  return state;
}

test('a case says what it is, who must do what, what is proven and where the device was', () => {
  expect(printCase(containedCase(), nowMs)).toBe(`Stolen laptop LT-1 (serial SN1) of pat@example.test: contained.
lost-device:acme:SN1, opened 2026-11-22 22:14 UTC (3 h 20 min ago)

Waits for a person
  Contain anyway? (question contain)
    1 = yes: Contain the user
    or a serial
  Stuck since 2026-11-22 22:14 UTC: tag the device. No right. Retry it, or skip it with a reason.

Waits for a vendor
  Failing since 2026-11-22 22:14 UTC: revoke the sessions. Answered 503. Tried again at 2026-11-22 22:20 UTC.

Next
  Wait for the device to come online and take the lost configuration.

Containment: contained
  lost group  in place  2026-11-22 22:14 UTC  netskope shows pat in the group.

Proof: member
  [x]  member   2026-11-22 22:14 UTC                       read back
  [ ]  applied  not yet; expected by 2026-11-22 23:24 UTC
  [ ]  biting   not yet
  Not proven, will verify on return.

Presence: seen, 1 sighting
  2026-11-22 22:14 UTC (3 h 20 min ago)  netskope/client-status  Tunnel Up (likely this device)  Exampleville NL (203.0.113.77)
  Blind: netskope/alerts since 2026-11-22 22:14 UTC

Other devices of the user
  LT-2 (serial SN2)

Tickets
  generic  INC1  https://desk.example.test/INC1

Journal
  2026-11-22 22:14 UTC  ana: Case opened. (INC1)`);
});

test('a name from outside can neither forge a line nor steer the terminal', () => {
  const state = containedCase();
  state.device = {
    ...state.device,
    source: 'netskope',
    hostname: 'LT\n\nContainment: released\x1b[2J\u202e',
    client: 'enabled',
  };
  state.otherDevices = [{ hostname: 'x\r\u009b31m' }];
  const printed = printCase(state, nowMs);
  expect(printed).not.toMatch(/[^\P{Cc}\n]|\u202e/u);
  expect(printed.split('\n').filter((line) => line.startsWith('Containment:'))).toEqual(['Containment: contained']);
});

test('a triage says which question waits', () => {
  const printed = printTriage(
    {
      kind: 'triage',
      workflowId: 'lost-device-triage:acme:generic:INC1',
      tenant: 'acme',
      ticket: report.ticket,
      openedAt: at,
      outcome: 'open',
      says: 'Waits for a person.',
      hint: {},
      report,
      question: {
        id: 'which-device',
        askedAt: at,
        text: 'Which device is it?',
        options: [{ value: 'none', text: 'None' }],
      },
      candidates: [],
      deliveries: [],
    },
    nowMs,
  );
  expect(printed).toContain('Waits for a person\n  Which device is it? (question which-device)\n    1 = none: None');
  expect(printed).not.toContain('Waits for a vendor');
});

test('lists are columns', () => {
  const row = { kind: 'case', tenant: 'acme', running: true, outcome: 'open', openedAt: at } as const;
  expect(
    printList([{ ...row, workflowId: 'lost-device:acme:SN1', device: 'LT-1', user: 'pat@example.test' }], nowMs),
  ).toBe(
    [
      'DEVICE  USER              OUTCOME  CONTAINMENT  PROOF  PRESENCE  NEEDS  OPENED          CASE',
      'LT-1    pat@example.test  open     -            -      -         -      3 h 20 min ago  lost-device:acme:SN1',
    ].join('\n'),
  );
  expect(printList([], nowMs)).toMatch(/^No open case/);
  expect(printTests([{ what: 'users', ok: false, detail: 'No.' }])).toBe('FAILED  users  No.');
});

test.each([
  ['a vendor that is away', new VendorUnavailable('LDP_UNREACHABLE', 'Away.'), 1],
  ['anything unforeseen', new Error('Anything else.'), 1],
  ['bad input', new BadInput('LDP_BAD_INPUT', 'Wrong.'), 2],
  ['a rule', new RefusedByRule('No.'), 3],
] as const)('%s has its own exit code', (_, error, exitCode) => {
  expect(failureOf(error)).toEqual({ exitCode, text: error.message });
});

describe('the program', () => {
  let folder: string;
  let said: { out: string; err: string };
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'cli-'));
    said = { out: '', err: '' };
    for (const [name, stream] of [
      ['out', process.stdout],
      ['err', process.stderr],
    ] as const) {
      jest.spyOn(stream, 'write').mockImplementation((text) => ((said[name] += String(text)), true));
    }
  });
  afterEach(() => {
    jest.restoreAllMocks();
    rmSync(folder, { recursive: true });
  });

  function settings(): string[] {
    const file = path.join(folder, 'lost-device.yaml');
    writeFileSync(path.join(folder, 'token'), 'secret-token');
    writeFileSync(
      file,
      `tenants:
  acme:
    plugins:
      netskope: { plugin: netskope, url: 'https://acme.goskope.com', token: 'file:token', lostGroup: Lost, lostSteeringConfig: Lost, lostPolicy: Lost }
      archive: { plugin: folder, path: ./archive }
`,
    );
    return ['--settings', file];
  }

  test('prints one line that fits the published schema with --json, wherever that stands', async () => {
    expect(await runCli(['plugins', '--json', ...settings()])).toBe(0);
    expect(said.out).toMatch(/^[^\n]*\n$/);
    expect(said.out).not.toContain('secret-token');
    expect(pluginListSchema.parse(JSON.parse(said.out)).map(({ name }) => name)).toEqual(['netskope', 'archive']);
  });

  test.each([
    ['no such command', () => ['lst'], 2, /unknown command 'lst'/],
    ['a decision without its case', () => ['recovered'], 2, /missing required argument 'case'/],
    ['a time that is none', () => ['sighting', 'SN1', '--what', 'x', '--at', 'noon'], 2, /Write it like/],
    ['no settings', () => ['list', '--settings', '/nowhere'], 2, /^\/nowhere cannot be read \(ENOENT\)/],
    ['a product that is not there', () => ['plugins', 'test', 'x', ...settings()], 2, /^0 products are called x/],
    ['no house', () => ['list', ...settings()], 1, /^`lost-device up` is not running/],
  ])('%s is said on stderr, with the exit code and without a stack', async (_, given, exitCode, message) => {
    delete process.env.TEMPORAL_ADDRESS;
    expect(await runCli(given())).toBe(exitCode);
    expect(said.err).toMatch(message);
    expect(said.err).not.toMatch(/^\s+at /m);
    expect(said.out).toBe('');
  });

  test('has a help for every command', () => {
    const headings = cliHelp().match(/^## .*$/gm);
    const commands = ['up', 'start', 'list', 'show', 'answer', 'retry', 'skip', 'sighting', 'replace', 'recovered'];
    for (const name of [...commands, 'false-alarm', 'plugins', 'plugins test']) {
      expect(headings).toContain(`## lost-device ${name}`);
    }
  });
});
