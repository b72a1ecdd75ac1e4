/** What the command line prints for people, and how it ends. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { failureOf } from '../../cli/failure';
import {
  printCase,
  printDocument,
  printEvidence,
  printFeeds,
  printGuards,
  printList,
  printPlan,
  printTasks,
  printTests,
  printTriage,
} from '../../cli/print';
import { cliHelp, runCli } from '../../cli/program';
import { RefusedByRule } from '../../client/cases';
import type { FeedRow } from '../../client/feeds';
import { openCase, takeSighting, type CaseState } from '../../playbook/case';
import { called, keepClocks, type RungProgress } from '../../playbook/ladder';
import { nothingKnown, type Report } from '../../playbook/report';
import { defaultRules } from '../../playbook/rules';
import { pluginListSchema } from '../../playbook/schemas/answers';
import { beginTasks, closeTask, startClock, type Task } from '../../playbook/tasks';
import { summarise } from '../../playbook/summary';
import { troublesOf } from '../../playbook/troubles';
import { approveWipe, endWipe, requestWipe, type WipePlan } from '../../playbook/wipe';
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

/** A case with tasks, a clock of the law, calls made and calls to come. */
function escalatedCase(): CaseState {
  const state = containedCase();
  state.steps = {};
  state.presence.blindFeeds = {};
  state.presence.heard = { client: at, other: { at, source: 'intune' } };
  state.presence.recent = state.presence.recent.map((sighting) => ({ ...sighting, site: 'Oslo' }));
  const wanted = ['inform-owner', 'police-report', 'insurer', 'spare-device'];
  state.rules = structuredClone(state.rules);
  state.rules.escalation.tasks = state.rules.escalation.tasks.filter(({ id }) => wanted.includes(id));
  beginTasks(state, 'opened', '2026-11-22T21:00:00.000Z');
  startClock(state, 'nis2', at, 'ana');
  const task = (id: string) => state.tasks.find((found) => found.id === id) as Task;
  task('police-report').owner = ['ana', 'ben'];
  closeTask(state, task('insurer'), 'done', { at, who: 'ben', reason: '', reference: 'C-77' });
  state.encryption = { answer: 'yes', at, who: 'ana', evidence: 'its recovery key is in the directory' };
  closeTask(state, task('nis2-warning'), 'not needed', { at, who: 'ana', reason: 'nothing could be read' });
  const now = new Date(nowMs).toISOString();
  keepClocks(state.escalation, state.rules.escalation.ladder, troublesOf(state, now), now);
  const question = state.escalation.rungs['decision/question: contain'];
  if (question === undefined) throw new Error('there is no rung for the question');
  called(question, at);
  called(question, '2026-11-22T23:14:00.000Z');
  return state;
}

const sectionOf = (printed: string, title: string) => {
  const [, ...lines] =
    printed
      .split('\n\n')
      .find((part) => part.startsWith(title))
      ?.split('\n') ?? [];
  return lines.map((line) => line.trim());
};

test('a case says what people have to do, who is called when, and who has it in hand', () => {
  const state = escalatedCase();
  const printed = printCase(state, nowMs);
  const tasks = [
    'LATE        inform-owner       Tell the owner what happens now, and whom to call     anybody   due 2026-11-23 01:00 UTC (34 min late)',
    'open        police-report      Report the theft to the police                        ana, ben  due 2026-11-23 21:00 UTC (in 19 h 26 min), asks for the report number',
    'open        spare-device       Give the owner a spare device                         anybody   due 2026-11-24 21:00 UTC (in 1 d 19 h)',
    'open        nis2-notification  Incident notification to the CSIRT (NIS2 Article 23)  anybody   due 2026-11-25 22:14 UTC (in 2 d 20 h), aware since 2026-11-22 22:14 UTC',
    'open        nis2-final         Final report to the CSIRT (NIS2 Article 23)           anybody   begins when the stage before it is done',
    'done        insurer            Tell the insurer                                      anybody   2026-11-22 22:14 UTC by ben, claim number C-77',
    'not needed  nis2-warning       Early warning to the CSIRT (NIS2 Article 23)          anybody   2026-11-22 22:14 UTC by ana: nothing could be read; disk encrypted: yes',
  ];
  expect(sectionOf(printed, 'Tasks')).toEqual(tasks);
  expect(printTasks(state.tasks, nowMs).split('\n').slice(1)).toEqual(tasks);
  expect(sectionOf(printed, 'Ladder')).toEqual([
    'now                                    decision   call everybody and deputies: A decision is needed',
    'now                                    task-late  call everybody: Late: inform-owner',
    '2026-11-23 21:00 UTC (in 19 h 26 min)  task-late  call ana and ben: Late: police-report',
    '2026-11-23 22:14 UTC (in 20 h 40 min)  lost-mode  propose lost mode: The lost device is silent',
    '2026-11-24 21:00 UTC (in 1 d 19 h)     task-late  call everybody: Late: spare-device',
    'and 4 more',
    'decision, contain  called 2 times, last 2026-11-22 23:14 UTC; nobody acknowledged',
  ]);
  expect(sectionOf(printed, 'Encryption proof')).toEqual([
    'Encrypted: yes, by ana 2026-11-22 22:14 UTC (3 h 20 min ago): its recovery key is in the directory',
  ]);
  expect(sectionOf(printed, 'Presence: seen')).toEqual([
    '2026-11-22 22:14 UTC (3 h 20 min ago)  netskope/client-status  Tunnel Up (likely this device)  Exampleville NL (203.0.113.77), our own site Oslo',
    'Netskope client last heard 2026-11-22 22:14 UTC (3 h 20 min ago)',
    'Last heard by intune 2026-11-22 22:14 UTC (3 h 20 min ago)',
  ]);
});

test('a call that somebody put off or has in hand is not said to come', () => {
  const state = escalatedCase();
  const ladder = () => sectionOf(printCase(state, nowMs), 'Ladder');
  const question = state.escalation.rungs['decision/question: contain'] as RungProgress;
  question.snoozed = { until: '2026-11-23T02:34:00.000Z', who: 'ben', reason: 'asleep' };
  expect(ladder()).toContain(
    '2026-11-23 02:34 UTC (in 60 min)       decision   call everybody and deputies: A decision is needed',
  );
  expect(ladder().at(-1)).toMatch(/; snoozed until 2026-11-23 02:34 UTC by ben: asleep$/);
  question.acknowledged = { who: 'ana', at };
  expect(ladder().filter((line) => line.includes('A decision is needed'))).toEqual([]);
  expect(ladder().at(-1)).toMatch(/; acknowledged by ana 2026-11-22 22:14 UTC$/);
});

test('a written-off case says until when it listens', () => {
  const state = escalatedCase();
  state.outcome = 'written off';
  state.ending = { outcome: 'written off', at, who: 'ana', reason: 'A month of silence.' };
  state.listening = { since: at, until: '2027-11-22T22:14:00.000Z' };
  const printed = printCase(state, nowMs);
  expect(printed.split('\n')[0]).toBe(
    'Stolen laptop LT-1 (serial SN1) of pat@example.test: written off, listening until 2027-11-22 22:14 UTC.',
  );
  expect(sectionOf(printed, 'Next')).toEqual(['Listen: a sign of the device opens the case again.']);
  expect(sectionOf(printed, 'Written off')).toEqual([
    'Since 2026-11-22 22:14 UTC (3 h 20 min ago), listening until 2027-11-22 22:14 UTC (in 364 d 20 h).',
  ]);
});

const plan: WipePlan = {
  at,
  plugin: 'intune',
  recordId: 'rec-1',
  platform: 'windows',
  lastSyncAt: at,
  encrypted: 'yes',
  cancellable: false,
  pin: 'none',
  simulated: false,
  dryRun: false,
  approvers: ['ben', 'cleo'],
  evidence: 'cases/x/evidence/00000001.json',
  hosts: ['a.test', 'b.test', 'c.test', 'd.test', 'e.test'],
  warnings: ['It is isolated by falcon.'],
};

/** Asked for by ana, prepared, and approved by ben. */
function wipingCase(): CaseState {
  const state = containedCase();
  const consent = { at, reason: 'Taken from the car.', authenticated: true };
  requestWipe(state, { ...consent, who: 'ana' }, 'queue-at-vendor', 3 * 86_400_000);
  state.wipe.plan = plan;
  approveWipe(state, { ...consent, who: 'ben' });
  return state;
}

const wipeOf = (state: CaseState) => {
  const printed = printCase(state, nowMs);
  return [
    printed.split('\n')[0]?.split(': ').slice(1).join(': '),
    ...sectionOf(printed, 'Next'),
    ...sectionOf(printed, `Wipe: ${state.wipe.state}`),
  ];
};

test('a wipe says how it stands, who asked and approved, until when the consents hold, and what holds it', () => {
  const state = wipingCase();
  state.wipe.state = 'held';
  state.wipe.held = { by: 'the guard', since: at, says: 'Frozen by cleo.' };
  state.wipe.vendorApproval = { code: 'MAA-7', since: at, agreed: false };
  state.wipe.lookAt = '2026-11-23T01:44:00.000Z';
  expect(wipeOf(state)).toEqual([
    'contained, wipe held.',
    'Wait for what holds the wipe. It is looked at again 2026-11-23 01:44 UTC.',
    'Approved, and held by the guard: Frozen by cleo. The consents hold until 2026-11-25 22:14 UTC.',
    'asked        2026-11-22 22:14 UTC (3 h 20 min ago) by ana: Taken from the car.',
    'left with the vendor while it is offline (queue-at-vendor)',
    'approved     2026-11-22 22:14 UTC (3 h 20 min ago) by ben',
    'consents     hold until 2026-11-25 22:14 UTC (in 2 d 20 h)',
    'held         since 2026-11-22 22:14 UTC (3 h 20 min ago) by the guard: Frozen by cleo.',
    'vendor asks  a second administrator of its own since 2026-11-22 22:14 UTC (3 h 20 min ago), request MAA-7: not agreed yet',
    'next look    2026-11-23 01:44 UTC (in 10 min)',
    'device       intune record rec-1 (windows), encrypted: yes',
    'mind         It is isolated by falcon.',
    'evidence     cases/x/evidence/00000001.json',
    'let through  a.test, b.test, c.test, d.test',
    'e.test',
  ]);
  expect(summarise(state)).toContain('\n- Wipe: held. Approved, and held by the guard: Frozen by cleo.');
});

test('a wipe that left says what the vendor says, that it is stalled, and that nobody knows when nobody does', () => {
  const state = wipingCase();
  const { wipe } = state;
  Object.assign(wipe, { state: 'queued', sent: { at, known: false } });
  expect(wipeOf(state).slice(0, 3)).toEqual([
    'contained, wipe queued.',
    'Read the wipe back.',
    'It may have left: its answer was lost, and it is read back.',
  ]);
  expect(wipeOf(state)).toContain('sent         2026-11-22 22:14 UTC (3 h 20 min ago), perhaps: the answer was lost');
  wipe.held = { by: 'a person', since: at, says: 'The vendor shows no such command.' };
  expect(wipeOf(state).slice(0, 3)).toEqual([
    'contained, and it is NOT KNOWN whether its wipe left.',
    'Wait for a person to look whether the wipe is there.',
    'It may have left: The vendor shows no such command. A person must look.',
  ]);

  delete wipe.held;
  wipe.sent = { at, known: true };
  wipe.progress = { says: 'pending', startedAt: at, readAt: at };
  wipe.stalledSince = at;
  expect(wipeOf(state).slice(0, 3)).toEqual([
    'contained, wipe queued and STALLED.',
    'Wait for the device to take its wipe.',
    'It waits at intune for the device since 2026-11-22 22:14 UTC. Stalled: the device spoke to intune at 2026-11-22 22:14 UTC, and has not taken it.',
  ]);
  expect(wipeOf(state)).toContain('vendor says  pending, read 2026-11-22 22:14 UTC (3 h 20 min ago)');
  expect(wipeOf(state).join()).not.toContain('consents');

  state.ending = { outcome: 'recovered', at, who: 'ana', reason: 'Handed in.' };
  expect(wipeOf(state).slice(0, 2)).toEqual([
    'recovered, and open because a WIPE MAY STILL LAND.',
    'Follow the wipe until it cannot land any more.',
  ]);
});

test('a wipe that is over says so: acknowledged, or why not', () => {
  const state = wipingCase();
  Object.assign(state.wipe, { state: 'acknowledged', acknowledgedAt: at });
  expect(wipeOf(state).slice(0, 3)).toEqual([
    'contained, wiped.',
    'Watch for a sign of it: its silence is success.',
    'The device acknowledged it at 2026-11-22 22:14 UTC. Its silence is success.',
  ]);
  state.questions[0] = { id: 'close', askedAt: at, text: 'Close it?', options: [], proposes: 'close as wiped' };
  expect(wipeOf(state)[1]).toBe('Wait for a person to close the case as wiped.');
  state.outcome = 'wiped';
  state.ending = { outcome: 'wiped', at, who: 'ana', reason: 'Done.' };
  state.listening = { since: at, until: '2027-11-22T22:14:00.000Z' };
  expect(wipeOf(state)[0]).toBe('wiped, listening until 2027-11-22 22:14 UTC.');

  const ended = wipingCase();
  ended.ending = { outcome: 'recovered', at, who: 'ana', reason: 'Found.' };
  expect(wipeOf(ended)[0]).toBe('closing as recovered, undoing what was done.');
  expect(wipeOf(ended)).toContain('Asked for by ana; it never left: the case ended.');

  const refused = wipingCase();
  endWipe(refused, 'refused', 'ben: the disk is encrypted');
  expect(wipeOf(refused).slice(0, 3)).toEqual([
    'contained.',
    'Wait for the device to come online and take the lost configuration.',
    'It was refused: ben: the disk is encrypted',
  ]);
  // What only matters before it lands is gone.
  expect(wipeOf(refused).join('\n')).not.toMatch(/let through|mind|consents/);
});

test('the approver reads first what would be wiped, and what cannot be taken back', () => {
  const state = wipingCase();
  expect(printPlan(state).split('\n').slice(0, 3)).toEqual([
    'Stolen laptop LT-1 (serial SN1) of pat@example.test: contained, wipe approved.',
    'Asked for by ana 2026-11-22 22:14 UTC: Taken from the car.',
    '  intune record rec-1 (windows), last in touch 2026-11-22 22:14 UTC; encrypted: yes.',
  ]);
  expect(printPlan(state)).toContain(
    '  Once it has left, intune cannot take it back. What is only on the device is gone',
  );
  state.wipe.plan = { ...plan, cancellable: true };
  expect(printPlan(state)).toContain('intune can take it back until the device has it.');
  expect(printPlan(containedCase())).toBe('');
});

test('the guard says what is frozen, how many wipes were permitted, and that nobody may approve', () => {
  const row = { tenant: 'acme', dryRun: true, approvers: [], permits: [] };
  const permits = [{ id: 'lost-device:acme:SN1~run#wipe-1.1', workflowId: 'lost-device:acme:SN1', at }];
  expect(
    printGuards(
      [
        {
          ...{ tenant: 'acme', state: 'frozen', says: 'Frozen by ana.\nforged', dryRun: false, approvers: ['ben'] },
          ...{ wipes: { lastHour: 0, perHour: 3, lastDay: 1, perDay: 10 }, containments: { lastHour: 2, perHour: 5 } },
          permits,
        },
        { ...row, tenant: 'other', state: 'not known', says: 'No worker answers.' },
      ],
      nowMs,
    ),
  ).toBe(
    [
      'acme: FROZEN. Frozen by ana. forged',
      '  dry run    off: what is permitted is real',
      '  wipes      0 of 3 within the last hour, 1 of 10 within the last day',
      '  contained  2 of 5 within the last hour',
      '  approvers  ben',
      '  permitted  2026-11-22 22:14 UTC (3 h 20 min ago)  lost-device:acme:SN1',
      '',
      'other: not known. No worker answers.',
      '  dry run    on: nothing destructive leaves',
      '  approvers  none: no real wipe can be approved',
    ].join('\n'),
  );
});

test('evidence is a list, of the journal only how much; a document can forge no line', () => {
  const journal = (key: string) => ({ kind: 'journal' as const, key });
  expect(printEvidence([])).toBe('The archive holds nothing of this laptop.');
  expect(
    printEvidence([{ kind: 'baseline', key: 'cases/x/baseline.json' }, journal('1'), journal('2')]).split('\n'),
  ).toEqual(['baseline  cases/x/baseline.json', 'and 2 files of its journal']);
  expect(printDocument({ name: 'x\n\u009b31m\u202e' })).toBe('{\n  "name": "x\\n 31m "\n}');
});

test('a case that ended says what it still does: undo, wait for a clock of the law, tell the tickets, nothing', () => {
  const state = escalatedCase();
  const said = () => {
    const printed = printCase(state, nowMs);
    return [printed.split('\n')[0]?.split(': ')[1], ...sectionOf(printed, 'Next')];
  };
  state.ending = { outcome: 'recovered', at, who: 'ana', reason: 'Handed in.' };
  expect(said()).toEqual([
    'closing as recovered, undoing what was done.',
    'Undo containment, read every undo back, close the tickets.',
  ]);
  state.containment.state = 'released';
  expect(said()).toEqual([
    'recovered, and open until its legal clocks are done.',
    'Incident notification to the CSIRT (NIS2 Article 23): due 2026-11-25 22:14 UTC.',
  ]);
  state.outcome = 'recovered';
  expect(said()).toEqual(['recovered.', 'Tell the tickets, and write the last of it into the archive.']);
  state.closedAt = at;
  expect(said()).toEqual(['recovered.', 'Nothing: the case is closed.']);
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
  const forged = 'x\nContainment: released\x1b[2J\u2028';
  state.tasks = [{ id: forged, title: forged, owner: [forged], state: 'open', dueAt: at }];
  state.encryption = { answer: 'no', at, who: forged, evidence: forged };
  state.presence.heard = { other: { at, source: forged } };
  state.escalation.rungs['x'] = {
    ...{ rung: forged, trouble: forged, since: at, called: 1, lastAt: at },
    snoozed: { until: at, who: forged, reason: forged },
  };
  requestWipe(state, { who: forged, at, reason: forged, authenticated: true }, 'queue-at-vendor', 1);
  Object.assign(state.wipe, { held: { by: 'a person', since: at, says: forged }, sent: { at, known: true } });
  state.wipe.plan = { ...plan, warnings: [forged], hosts: [forged], recordId: forged };
  const printed = printCase(state, nowMs);
  expect(printPlan(state)).not.toMatch(/[^\P{Cc}\n]|[\u202e\u2028]|^Containment:/mu);
  expect(printed).not.toMatch(/[^\P{Cc}\n]|[\u202e\u2028]/u);
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
  const row = { runId: 'run', kind: 'case', tenant: 'acme', running: true, outcome: 'open', openedAt: at } as const;
  expect(
    printList([{ ...row, workflowId: 'lost-device:acme:SN1', device: 'LT-1', user: 'pat@example.test' }], nowMs),
  ).toBe(
    [
      'DEVICE  USER              OUTCOME  CONTAINMENT  PROOF  PRESENCE  NEEDS  OPENED          CASE',
      'LT-1    pat@example.test  open     -            -      -         -      3 h 20 min ago  lost-device:acme:SN1',
    ].join('\n'),
  );
  expect(printList([{ ...row, workflowId: 'w', outcome: 'written off' }], nowMs)).toContain(
    '  written off, listening  ',
  );
  expect(printTasks([], nowMs)).toBe('No tasks.');
  expect(printList([], nowMs)).toMatch(/^No open case/);
  expect(printTests([{ what: 'users', ok: false, detail: 'No.' }])).toBe('FAILED  users  No.');
  expect(printFeeds([], nowMs)).toBe('The settings have no feed.');
});

test('feeds: one row each, and below them what is not well, with what went wrong', () => {
  const row: FeedRow = {
    ...{
      tenant: 'acme',
      plugin: 'netskope',
      feed: 'events',
      state: 'ok',
      says: 'It is read.',
      putAside: 2,
      watched: 3,
    },
    lastSuccessAt: new Date(nowMs - 20_000).toISOString(),
    newestRecordAt: at,
    lagMs: nowMs - Date.parse(at),
  };
  const blind: FeedRow = {
    ...{ ...row, feed: 'alerts', state: 'blind', says: 'It cannot be read.', blindSince: at },
    error: { code: 'LDP_SERVER_ERROR', message: 'answered 503:\nacme netskope/events: ok' },
  };
  expect(printFeeds([row, blind], nowMs).split('\n')).toEqual([
    'TENANT  FEED             STATE  LAST READ  LAG         PUT ASIDE  CASES  BLIND SINCE',
    'acme    netskope/events  ok     20 s ago   3 h 20 min  2          3      -',
    'acme    netskope/alerts  blind  20 s ago   3 h 20 min  2          3      2026-11-22 22:14 UTC',
    '',
    'Not well',
    '  acme netskope/alerts: It cannot be read. LDP_SERVER_ERROR: answered 503: acme netskope/events: ok',
  ]);
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
    ['a snooze without an end', () => ['snooze', 'SN1'], 2, /required option '--until <when>'/],
    ['an end that is none', () => ['snooze', 'SN1', '--until', 'noon'], 2, /Write it like 4h, 2d or/],
    ['a clock without its moment', () => ['start-clock', 'SN1', 'gdpr'], 2, /required option '--aware-at <time>'/],
    ['an answer that is none', () => ['encryption', 'SN1', 'maybe'], 2, /Allowed choices are yes, no, unknown/],
    [
      'a way that is none',
      () => ['request-wipe', 'SN1', '--when-offline', 'wait'],
      2,
      /Allowed choices are queue-at-vendor/,
    ],
    ['a hold that is none', () => ['request-wipe', 'SN1', '--legal-hold', 'maybe'], 2, /Allowed choices are yes, no/],
    [
      'a freeze without a house',
      () => ['freeze', '--reason', 'x', ...settings()],
      1,
      /^`lost-device up` is not running/,
    ],
    ['a shift that never began', () => ['digest', '--since', 'dawn'], 2, /Write it like 8h, 2d or/],
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
    const escalation = ['acknowledge', 'snooze', 'tasks', 'task-done', 'task-not-needed', 'start-clock', 'encryption'];
    const wipe = ['request-wipe', 'approve-wipe', 'refuse-wipe', 'cancel-wipe', 'lock', 'isolate', 'release'];
    const guard = ['freeze', 'unfreeze', 'guard', 'evidence'];
    const others = ['write-off', 'digest', 'feeds', 'false-alarm', 'plugins', 'plugins test'];
    for (const name of [...commands, ...escalation, ...wipe, ...guard, ...others]) {
      expect(headings).toContain(`## lost-device ${name}`);
    }
  });
});
