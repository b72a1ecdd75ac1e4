/** What a shift hands to the next: the words, made of real cases, and how the cases are read. */
import { readDigest } from '../../client/digest';
import { printDigest } from '../../cli/print';
import type { CaseSummary } from '../../client/cases';
import { openCase, type CaseState } from '../../playbook/case';
import { digestOf } from '../../playbook/digest';
import { called, keepClocks } from '../../playbook/ladder';
import { nothingKnown, type Report } from '../../playbook/report';
import { defaultRules } from '../../playbook/rules';
import { digestSchema } from '../../playbook/schemas/answers';
import { beginTasks, closeTask, openTasks, startClock } from '../../playbook/tasks';
import { troublesOf } from '../../playbook/troubles';
import { endWipe, requestWipe } from '../../playbook/wipe';
import { readMoment } from '../../settings/moment';
import type { TriageState } from '../../workflows/messages';

const hour = (n: number) => new Date(Date.parse('2026-11-22T06:00:00.000Z') + n * 3_600_000).toISOString();
const now = hour(10);
const since = hour(2);

function openedCase(serial: string): CaseState {
  const report: Report = {
    tenant: 'acme',
    ticket: { source: 'generic', id: `INC-${serial}` },
    deliveryId: serial,
    receivedAt: hour(0),
    verified: true,
    device: { serial },
    user: 'pat@example.test',
    answers: { ...nothingKnown, kind: 'stolen' },
    actor: { person: 'desk', authenticated: true, how: 'webhook-signature' },
  };
  const ids = { workflowId: `lost-device:acme:${serial}`, runId: 'run', now: hour(0) };
  const state = openCase(report, defaultRules, ids);
  state.device = { source: 'netskope', serial, user: 'pat@example.test', client: 'enabled' };
  state.containment.state = 'contained';
  return state;
}

/** As the case does it whenever something changed. */
function inStep(state: CaseState, at = now): CaseState {
  keepClocks(state.escalation, state.rules.escalation.ladder, troublesOf(state, at), at);
  return state;
}

const digest = (...cases: CaseState[]) => digestOf({ cases, triages: [], unanswered: [] }, { since, now });

describe('the digest', () => {
  test('puts what asks a person first, then what the law counts or is late, then what comes next soonest', () => {
    const quiet = inStep(openedCase('QUIET'));
    const counted = openedCase('COUNTED');
    startClock(counted, 'gdpr', hour(1), 'ana');
    inStep(counted);
    const late = openedCase('LATE');
    beginTasks(late, 'opened', hour(0));
    inStep(late);
    const asking = openedCase('ASKING');
    asking.questions.push({ id: 'office', askedAt: hour(9), text: 'Lost in the office?', options: [] });
    inStep(asking);
    const sooner = openedCase('SOONER');
    sooner.presence.unheardSince = hour(-1);
    inStep(sooner);

    const { cases, says } = digest(quiet, sooner, counted, late, asking);
    expect(cases.map(({ workflowId }) => workflowId.split(':')[2])).toEqual([
      'ASKING',
      'LATE',
      'COUNTED',
      'SOONER',
      'QUIET',
    ]);
    expect(says).toMatch(/^5 open cases: 1 asks a person\. 3 tasks are late\. Next: Now call everybody: /);
  });

  test('says who was called, who has it in hand, and who put it off until when', () => {
    const state = openedCase('SN1');
    state.containment.state = 'none';
    inStep(state);
    expect(digest(state).cases[0]?.asks).toEqual([]);

    const progress = state.escalation.rungs['not-contained/not contained'];
    if (progress === undefined) throw new Error('there is no rung for a user who is not contained');
    called(progress, hour(1));
    const [asks = ''] = digest(state).cases[0]?.asks ?? [];
    expect(asks).toMatch(/^NOT contained\. .* Called everybody once 2026-11-22 07:00 UTC; nobody acknowledged\.$/);
    called(Object.assign(progress, { calling: 'deputies' }), hour(2));
    expect(digest(state).cases[0]?.asks[0]).toContain(
      'Called everybody and deputies 2 times, last 2026-11-22 08:00 UTC',
    );

    progress.snoozed = { until: hour(12), who: 'ben', reason: 'the user is on the phone' };
    expect(digest(state).cases[0]).toMatchObject({
      asks: [expect.stringContaining('ben put it off until 2026-11-22 18:00 UTC: the user is on the phone.')],
      nextAt: hour(12),
    });
    progress.acknowledged = { who: 'ana', at: hour(3) };
    expect(digest(state).cases[0]?.asks[0]).toContain('ana has it since 2026-11-22 09:00 UTC.');
  });

  test('says what comes next and when: the next call, or the next task where no rung watches it', () => {
    const state = inStep(openedCase('SN1'));
    // Silent since the opening; lost mode is proposed after a day.
    expect(digest(state).cases[0]).toMatchObject({
      next: expect.stringMatching(
        /^Wait for .*\. 2026-11-23 06:00 UTC propose lost mode: The lost device is silent\.$/,
      ),
      nextAt: hour(24),
    });
    state.rules = { ...state.rules, escalation: { ...state.rules.escalation, ladder: [] } };
    expect(digest(inStep(state)).cases[0]).not.toHaveProperty('nextAt');
    startClock(state, 'nis2', hour(0), 'ana');
    expect(digest(inStep(state)).cases[0]).toMatchObject({
      next: expect.stringContaining('2026-11-23 06:00 UTC is due: Early warning to the CSIRT.'),
      nextAt: hour(24),
      tasks: [
        'Early warning to the CSIRT (NIS2 Article 23): due 2026-11-23 06:00 UTC (in 14 h) [nis2-warning]',
        'Incident notification to the CSIRT (NIS2 Article 23): due 2026-11-25 06:00 UTC (in 2 d 14 h) [nis2-notification]',
        'Final report to the CSIRT (NIS2 Article 23): begins when the stage before it is done [nis2-final]',
      ],
    });
  });

  test('says of a late task who was called about it', () => {
    const state = openedCase('SN1');
    startClock(state, 'gdpr', hour(-70), 'ana');
    inStep(state);
    const progress = state.escalation.rungs['clock-late/clock late: gdpr'];
    if (progress === undefined) throw new Error('there is no rung for a clock that ran out');
    called(progress, hour(4));
    expect(digest(state).cases[0]?.tasks).toEqual([
      'LATE by 8 h: Notify the supervisory authority (GDPR Article 33): due 2026-11-22 08:00 UTC [gdpr] Called everybody once 2026-11-22 10:00 UTC; nobody acknowledged.',
    ]);
  });

  test('tells the newest of the journal since then, without what is routine', () => {
    const state = openedCase('SN1');
    state.journal.tail = [1, 2, 3, 4, 5, 6, 7, 8].map((n) => ({
      n,
      at: hour(n),
      track: 'case',
      who: n === 8 ? 'ana' : 'playbook',
      text: `Entry ${n}.`,
      ...(n === 6 && { routine: true as const }),
    }));
    const told = (from: string) => digestOf({ cases: [state], triages: [], unanswered: [] }, { since: from, now });
    expect(told(hour(7)).cases[0]?.happened).toEqual([
      '2026-11-22 13:00 UTC Entry 7.',
      '2026-11-22 14:00 UTC ana: Entry 8.',
    ]);
    expect(told(hour(0)).cases[0]?.happened.map((line) => line.slice(-2, -1))).toEqual(['3', '4', '5', '7', '8']);
  });

  test('counts what is written off, tells what was closed since, and keeps both open while people have to do something', () => {
    const ends = (serial: string, outcome: 'recovered' | 'written off', at: string): CaseState => ({
      ...openedCase(serial),
      outcome,
      ending: { outcome, at, who: 'ana', reason: 'Handed in.' },
    });
    const listening = (at: string) => ({ listening: { since: at, until: hour(9_000) } });
    const closed = { ...ends('CLOSED', 'recovered', hour(5)), closedAt: hour(5) };
    const before = { ...ends('BEFORE', 'recovered', hour(1)), closedAt: hour(1) };
    const writtenOff = { ...ends('OFF', 'written off', hour(6)), ...listening(hour(6)) };
    const longAgo = { ...ends('LONG', 'written off', hour(1)), ...listening(hour(1)) };
    const withTask = { ...ends('BOOKS', 'written off', hour(1)), ...listening(hour(1)) };
    beginTasks(withTask, 'written off', hour(1));

    const told = digest(closed, before, writtenOff, longAgo, withTask);
    expect(told.closed.map(({ workflowId, because }) => [workflowId, because])).toEqual([
      ['lost-device:acme:CLOSED', 'ana: Handed in.'],
      ['lost-device:acme:OFF', 'ana: Handed in.'],
    ]);
    expect(told.cases.map(({ workflowId }) => workflowId)).toEqual(['lost-device:acme:BOOKS']);
    expect(told.listening).toBe(3);
    expect(told.says).toContain('2 cases closed since. 3 written-off or wiped devices are listened for.');

    for (const task of openTasks(withTask))
      closeTask(withTask, task, 'not needed', { at: now, who: 'ana', reason: 'leased' });
    expect(digest(withTask).cases).toEqual([]);
  });

  test('names a wipe that is under way, how it stands and until when it must have left', () => {
    const state = openedCase('SN1');
    requestWipe(
      state,
      { who: 'ana', at: hour(9), reason: 'Stolen.', authenticated: true },
      'queue-at-vendor',
      7_200_000,
    );
    const told = digest(inStep(state));
    expect(told.says).toMatch(
      /^1 open case: 1 has a wipe under way\. Next: 2026-11-22 17:00 UTC the wipe must have left, /,
    );
    expect(told.cases[0]).toMatchObject({
      headline: 'Stolen laptop SN1 of pat@example.test: contained, wipe requested.',
      wipe: 'Asked for by ana; it is being prepared.',
      nextAt: hour(11),
    });
    expect(digestSchema.parse(told)).toEqual(told);
    expect(printDigest(told, Date.parse(now))).toMatch(/^ {2}wipe +Asked for by ana; it is being prepared\.$/m);

    // It ended as recovered before that: nothing is sent any more, whatever the consents say.
    const ended: CaseState = { ...state, ending: { outcome: 'recovered', at: hour(9), who: 'ana', reason: 'Found.' } };
    expect(digest(inStep(ended)).says).not.toContain('wipe');

    // It left: the consents do not count any more, and nobody may forget it.
    Object.assign(state.wipe, { state: 'queued', sent: { at: hour(9), known: true } });
    expect(digest(inStep(state)).cases[0]).toMatchObject({
      wipe: 'It waits at the vendor for the device since 2026-11-22 15:00 UTC.',
      nextAt: hour(24),
    });
    endWipe(state, 'cancelled', 'ana: found.');
    expect(digest(inStep(state)).cases[0]).not.toHaveProperty('wipe');
    expect(digest(inStep(state)).says).not.toContain('wipe under way');
  });

  test('calls nothing quiet that it could not read', () => {
    const unanswered = [{ workflowId: 'lost-device:acme:SN1', why: 'No answer in time.' }];
    expect(digestOf({ cases: [], triages: [], unanswered }, { since, now }).says).toBe('1 case could not be read.');
  });

  test('is one that the schema knows, also with nothing to say', () => {
    const none = digest();
    expect(none.says).toBe('No open case.');
    expect(digestSchema.parse(none)).toEqual(none);
    const some = digest(inStep(openedCase('SN1')));
    expect(digestSchema.parse(some)).toEqual(some);
  });
});

describe('reading it', () => {
  const row = (serial: string): CaseSummary => ({
    workflowId: `lost-device:acme:${serial}`,
    runId: 'run',
    kind: 'case',
    tenant: 'acme',
    running: true,
    outcome: 'open',
    device: serial,
    openedAt: hour(0),
  });
  const triage: TriageState = {
    kind: 'triage',
    workflowId: 'lost-device-triage:acme:generic:INC9',
    tenant: 'acme',
    ticket: { source: 'generic', id: 'INC9' },
    openedAt: hour(3),
    outcome: 'open',
    says: 'It names no device.',
    hint: {},
    report: {} as Report,
    question: { id: 'which-device', askedAt: hour(3), text: 'Which device is it?', options: [] },
    candidates: [],
    deliveries: [],
  };

  test('a case that does not answer is named, and breaks nothing; at most ten are read at once', async () => {
    let reading = 0;
    let most = 0;
    const serials = Array.from({ length: 30 }, (_, index) => `SN${index}`);
    const told = await readDigest(
      {
        list: async ({ closedSince, tenant } = {}) => {
          expect({ closedSince, tenant }).toEqual({ closedSince: since, tenant: 'acme' });
          return [...serials, 'FROZEN', 'TRIAGE'].map(row);
        },
        show: async (id) => {
          most = Math.max(most, (reading += 1));
          await new Promise((resolve) => setTimeout(resolve, 5));
          reading -= 1;
          if (id.endsWith('FROZEN')) throw new Error('Workflow task in failed state');
          return id.endsWith('TRIAGE') ? triage : openedCase(id.split(':')[2] ?? '');
        },
      },
      { since, tenant: 'acme' },
    );
    expect(most).toBe(10);
    expect(told.cases).toHaveLength(30);
    expect(told.unanswered).toEqual([
      { workflowId: 'lost-device:acme:FROZEN', device: 'FROZEN', why: 'Workflow task in failed state' },
    ]);
    expect(told.triages).toEqual([
      {
        workflowId: triage.workflowId,
        says: 'Ticket generic INC9, in triage since 2026-11-22 09:00 UTC. It names no device.',
        asks: ['Which device is it?'],
      },
    ]);
    expect(told.says).toContain('1 triage: 1 asks a person. 1 case could not be read.');
  });

  test('a laptop that was lost twice is told as two cases; a triage that ended is not read', async () => {
    const closed = { ...openedCase('SN1'), closedAt: hour(5), outcome: 'recovered' as const };
    const first = { ...row('SN1'), runId: 'first', running: false, outcome: 'recovered' };
    const told = await readDigest(
      {
        list: async () => [
          row('SN1'),
          first,
          { ...row('SN2'), kind: 'triage', running: false, outcome: 'handed over' },
        ],
        show: async (id, { runId } = {}) => {
          expect(id).toBe('lost-device:acme:SN1');
          return runId === 'first' ? closed : openedCase('SN1');
        },
      },
      { since },
    );
    expect([told.cases.length, told.closed.length, told.unanswered]).toEqual([1, 1, []]);
  });

  test('and printing it: no name from outside forges a line', () => {
    const state = openedCase('SN1');
    state.device = { source: 'netskope', hostname: 'LT\n\nClosed since\x1b[2J', client: 'enabled' };
    state.tasks.push({ id: 'x', title: 'Look\nClosed since', owner: ['ana'], state: 'open', dueAt: hour(9) });
    const told = { ...digest(inStep(state)), unanswered: [{ workflowId: 'w', why: 'gone\nClosed since' }] };
    const printed = printDigest(told, Date.parse(now));
    expect(printed).not.toMatch(/[^\P{Cc}\n]/u);
    expect(printed).not.toMatch(/^Closed since/m);
    expect(printed).toContain('  tasks  LATE by 60 min: Look Closed since: due 2026-11-22 15:00 UTC, for ana [x]');
    expect(printed).toContain('Could not be read\n  w: gone Closed since (w)');
  });
});

test.each([
  ['8h', 'before', hour(2)],
  ['2d', 'after', hour(58)],
  ['2026-11-22T07:00:00+01:00', 'before', hour(0)],
  ['noon', 'before', undefined],
  ['4 weeks', 'after', undefined],
] as const)('%s %s now is a moment, or none', (text, is, expected) => {
  expect(readMoment(text, is, Date.parse(now))).toBe(expected);
});
