/** The report of a drill: what the settings lack, who would have been called, and what would have happened. */
import { printDrill } from '../../cli/print-drill';
import type { CallMade } from '../../drill/calls';
import { lacksOf, type LooksAt } from '../../drill/lacks';
import type { Product } from '../../drill/products';
import { reportOf, type Played } from '../../drill/report';
import { openCase, type JournalEntry } from '../../playbook/case';
import { nothingKnown } from '../../playbook/report';
import { defaultRules } from '../../playbook/rules';
import { drillReportSchema } from '../../playbook/schemas/answers';
import type { TenantSettings } from '../../playbook/settings';

const dayMs = 24 * 60 * 60_000;
const start = '2026-11-22T12:00:00.000Z';
const after = (ms: number) => new Date(Date.parse(start) + ms).toISOString();

const product = (name: string, more: Partial<Product>): Product => ({
  name,
  title: name,
  roles: [],
  feeds: [],
  isPager: false,
  takesNotes: false,
  isolatesSelectively: false,
  ...more,
});

const person = (more: Partial<TenantSettings['people']['persons'][string]> = {}) => ({
  timeZone: 'UTC',
  notify: { mail: 'somebody@example.test', pager: true as const },
  deputies: ['cleo'],
  ...more,
});

const { escalation } = defaultRules;

/** An installation that lacks nothing. */
const whole: LooksAt = {
  tenant: 'acme',
  settings: {
    plugins: {},
    rules: {
      ...defaultRules,
      escalation: {
        ...escalation,
        tasks: escalation.tasks.map((task) => ({ ...task, owner: ['ana'] })),
        clocks: escalation.clocks.map((clock) => ({
          ...clock,
          stages: clock.stages.map((stage) => ({ ...stage, owner: ['ana'] })),
        })),
      },
    },
    guard: { containmentsPerHour: 5, protectedUsers: ['breakglass@example.test'] },
    reconciliation: { everyMs: 60_000, checkEveryMs: 60_000, sayAgainAfterMs: 60_000 },
    check: { readOnly: false },
    watch: {
      indexEveryMs: 1_000,
      sweepEveryMs: 86_400_000,
      longestPauseMs: 1_000,
      blindAfterMs: 1_000,
      blindAfterFailures: 5,
    },
    agentHosts: {},
    people: {
      persons: { ana: person(), bob: person(), cleo: person({ deputies: ['ana'] }) },
      rotas: {
        soc: { members: ['ana', 'bob'], turn: 'week', since: '2026-11-02', at: '09:00', timeZone: 'UTC', deputies: [] },
      },
    },
    onCall: ['soc'],
    sites: [{ name: 'Head office', addresses: ['198.51.100.0/24'] }],
    pattern: { losses: 3, withinMs: dayMs },
    wipe: { dryRun: false, perHour: 3, perDay: 10, approvers: ['ana', 'bob'], behindPrivateAccess: false },
    indexKey: '',
  },
  products: [
    product('netskope', { roles: ['secureAccess', 'feeds'], feeds: [{ name: 'client-status', regular: true }] }),
    product('entra', { roles: ['directory'] }),
    product('intune', { roles: ['deviceManagement'] }),
    product('falcon', { roles: ['endpointDetection'] }),
    product('desk', { roles: ['ticketDesk'], takesNotes: true }),
    product('mail', { roles: ['notifier'] }),
    product('pager', { roles: ['notifier'], isPager: true }),
    product('secrets', { roles: ['secretStore'] }),
  ],
  missingSecrets: [],
};

const withSettings = (change: (settings: TenantSettings) => object): LooksAt => ({
  ...whole,
  settings: { ...whole.settings, ...change(whole.settings) },
});
const without = (name: string): LooksAt => ({
  ...whole,
  products: whole.products.filter((known) => known.name !== name),
});
const withEscalation = (more: object) =>
  withSettings(({ rules }) => ({ rules: { ...rules, escalation: { ...rules.escalation, ...more } } }));
const withPeople = (more: Partial<TenantSettings['people']>) =>
  withSettings(({ people }) => ({ people: { ...people, ...more } }));
const withWipe = (more: Partial<TenantSettings['wipe']>) =>
  withSettings(({ wipe }) => ({ wipe: { ...wipe, ...more } }));

describe('what the settings lack', () => {
  test('nothing, where nothing is missing', () => {
    expect(lacksOf(whole)).toEqual([]);
  });

  const { soc } = whole.settings.people.rotas;
  test.each<[string, LooksAt, string, RegExp]>([
    ['no pager', without('pager'), 'plugins', /^No product is a pager/],
    ['no person', withPeople({ persons: {} }), 'people', /^No person is named/],
    ['nobody on call', withSettings(() => ({ onCall: [] })), 'onCall', /^Nobody is on call/],
    ['a rota of one', withPeople({ rotas: { soc: { ...soc!, members: ['ana'] } } }), 'rotas', /turns: soc\.$/],
    [
      'no deputies',
      withPeople({ persons: { ...whole.settings.people.persons, bob: person({ deputies: [] }) } }),
      'people',
      /does not answer: soc\.$/,
    ],
    [
      'a pager that nobody has',
      withPeople({ persons: { ana: person({ notify: { mail: true } }), bob: person({ notify: { mail: true } }) } }),
      'people',
      /^Nobody is called by pager/,
    ],
    [
      'no rung for a trouble',
      withEscalation({ ladder: escalation.ladder.filter(({ when }) => when !== 'blind') }),
      'rules.escalation.ladder',
      /^No rung calls anybody for: blind\.$/,
    ],
    [
      'nothing is proposed',
      withEscalation({ ladder: escalation.ladder.filter(({ propose }) => propose !== 'write-off') }),
      'rules.escalation.ladder',
      /^No rung proposes: write-off\.$/,
    ],
    [
      'a task without an owner',
      withEscalation({
        tasks: [{ id: 'carrier', title: 'x', owner: [], dueMs: 1, kinds: ['lost'], begins: 'opened' }],
      }),
      'rules.escalation.tasks',
      /without an owner, .*: carrier\.$/,
    ],
    ['no sites', withSettings(() => ({ sites: [] })), 'sites', /^No address of the company/],
    ['no approver', withWipe({ approvers: [] }), 'wipe.approvers', /^Nobody may approve/],
    ['one approver', withWipe({ approvers: ['ana'] }), 'wipe.approvers', /^Only ana may approve/],
    ['an approver who is no person', withWipe({ approvers: ['ana', 'zoe'] }), 'wipe.approvers', /called: zoe\.$/],
    ['dry run', withWipe({ dryRun: true }), 'wipe.dryRun', /^It is a dry run/],
    ['a cap of none', withWipe({ perDay: 0 }), 'wipe.perDay', /^The cap holds every wipe/],
    [
      'isolated at once',
      withSettings(({ rules }) => ({ rules: { ...rules, wipe: { ...rules.wipe, isolate: 'immediate' } } })),
      'rules.wipe.isolate',
      /^Isolated at once by falcon, a laptop never hears/,
    ],
    ['no device management', without('intune'), 'plugins', /^Nothing can wipe or lock/],
    ['no endpoint detection', without('falcon'), 'plugins', /^Nothing can isolate/],
    ['no directory', without('entra'), 'plugins', /^No session is revoked/],
    ['no secret store', without('secrets'), 'plugins', /^No PIN can be kept/],
    ['no desk', without('desk'), 'plugins', /^No ticket desk takes notes/],
    ['no feed', without('netskope'), 'plugins', /^No feed hears/],
    [
      'no regular feed',
      {
        ...without('netskope'),
        products: [...without('netskope').products, product('n', { feeds: [{ name: 'alerts', regular: false }] })],
      },
      'plugins',
      /\(n\/alerts\): silence never means anything/,
    ],
    [
      'every containment waits',
      withSettings(({ guard }) => ({ guard: { ...guard, containmentsPerHour: 0 } })),
      'guard.containmentsPerHour',
      /^Every containment waits/,
    ],
    [
      'nobody is protected',
      withSettings(({ guard }) => ({ guard: { ...guard, protectedUsers: [] } })),
      'guard.protectedUsers',
      /^A report about a break-glass account/,
    ],
    [
      'a secret that is not there',
      {
        ...whole,
        missingSecrets: [
          { path: 'tenants.acme.plugins.netskope.token', message: 'names X, which is not in the environment: set it' },
        ],
      },
      'plugins.netskope.token',
      /^It names X, which is not in the environment\.$/,
    ],
  ])('%s', (_, looksAt, setting, says) => {
    const lacks = lacksOf(looksAt);
    expect(lacks).toEqual([
      {
        setting: `tenants.acme.${setting}`,
        says: expect.stringMatching(says),
        remedy: expect.stringMatching(/^[A-Z].*\.$/),
      },
    ]);
  });

  test('no notifier at all is one lack, not two', () => {
    const lacks = lacksOf({ ...whole, products: whole.products.filter(({ roles }) => !roles.includes('notifier')) });
    expect(lacks.map(({ says }) => says)).toEqual([expect.stringMatching(/^No product pages people/)]);
  });
});

const call = (
  atMs: number,
  subject: string,
  more: Partial<CallMade['page']['to']>,
  answer: CallMade['answer'],
  told?: string[],
): CallMade => ({
  tenant: 'acme',
  now: after(atMs),
  page: {
    key: `${subject} ${atMs}`,
    subject,
    text: '',
    to: { whom: [], by: [], inQuietHours: 'wait', severity: 'error', ...more },
    ...(told && { told }),
  },
  answer,
});

const entry = (n: number, atMs: number, text: string, more: Partial<JournalEntry> = {}): JournalEntry => ({
  n,
  at: after(atMs),
  track: 'case',
  who: 'playbook',
  text,
  ...more,
});

function played(more: Partial<Played> = {}): Played {
  const report = {
    tenant: 'acme',
    ticket: { source: 'desk', id: 'DRILL-1' },
    deliveryId: 'd',
    receivedAt: start,
    verified: true,
    device: { serial: 'DRILL0001' },
    answers: nothingKnown,
    actor: { person: 'the drill', authenticated: true, how: 'drill' },
  };
  return {
    ...whole,
    story: 'recovered',
    startedAt: start,
    endedAt: after(60 * dayMs),
    beats: [],
    asked: [],
    kept: [],
    wrong: [],
    state: openCase(report, whole.settings.rules, { workflowId: 'w', runId: 'r', now: start }),
    journal: [],
    calls: [],
    sent: [],
    ...more,
  };
}

describe('the report', () => {
  test('has its published form, and says that nothing left', () => {
    const report = drillReportSchema.parse(reportOf(played()));
    expect(report).toMatchObject({ ended: true, from: start, to: after(60 * dayMs), lacks: [] });
    expect(report.says).toBe(
      'The story "recovered" ended as it should, after 60 d of case time. Nothing left this machine, and nobody was called. The settings lack nothing that it needs.',
    );
    expect(reportOf(played({ wrong: ['No.'] }))).toMatchObject({
      ended: false,
      says: expect.stringContaining('did NOT end'),
    });
  });

  test('the course: the story before what the case makes of it, days counted, calls and routine signs left out', () => {
    const { course } = reportOf(
      played({
        beats: [{ at: after(2 * dayMs), text: 'A café.' }],
        journal: [
          entry(1, 0, 'Case opened.', { who: 'the drill' }),
          entry(2, 2 * dayMs, 'Seen.', { evidence: 'netskope' }),
          entry(3, 2 * dayMs, 'Seen again.', { routine: true }),
          entry(4, 2 * dayMs, 'Called ana by mail: Seen.', { track: 'escalation' }),
          entry(5, 3 * dayMs - 1, 'Decided.', { who: 'ana' }),
        ],
      }),
    );
    expect(course.map(({ day, who, what }) => [day, who, what])).toEqual([
      [0, 'the drill', 'Case opened.'],
      [2, 'story', 'A café.'],
      [2, 'playbook', 'Seen.'],
      [2, 'drill: ana', 'Decided.'],
    ]);
    expect(course[2]).toMatchObject({ evidence: 'netskope' });
  });

  test('calls: one row for a subject, marked, with who was reached how often and who had quiet hours', () => {
    const settings = {
      ...whole.settings,
      people: {
        persons: { ana: person(), bob: person({ quietHours: { from: '22:00', to: '14:00', days: [] } }) },
        rotas: {},
      },
      onCall: ['ana', 'bob'],
    };
    const subject = 'A decision is needed';
    const { calls } = reportOf(
      played({
        settings,
        calls: [
          call(0, subject, {}, { told: ['ana by mail'], missing: [{ who: 'ana by pager', message: 'is away' }] }),
          call(60_000, subject, {}, { told: ['ana by mail', 'ana by pager'], missing: [] }, ['ana by mail']),
          call(3_600_000, subject, { whom: ['bob'] }, { told: [], missing: [], heldUntil: after(2 * 3_600_000) }),
          call(dayMs, 'Stuck', { inQuietHours: 'page' }, { told: ['everybody by mail'], missing: [] }),
        ],
      }),
    );
    expect(calls).toEqual([
      {
        subject: '[DRILL] A decision is needed',
        severity: 'error',
        times: 2,
        firstAt: start,
        lastAt: after(3_600_000),
        people: [
          { who: 'ana', by: 'mail', address: "the person's own", times: 1, firstAt: start, lastAt: start },
          {
            who: 'ana',
            by: 'pager',
            address: "the notifier's own",
            times: 1,
            firstAt: after(60_000),
            lastAt: after(60_000),
          },
        ],
        quiet: [{ who: 'bob', times: 3, until: '2026-11-22T14:00:00.000Z' }],
        missed: ['ana by pager is away'],
      },
      {
        subject: '[DRILL] Stuck',
        severity: 'error',
        times: 1,
        firstAt: after(dayMs),
        lastAt: after(dayMs),
        people: [
          {
            who: 'everybody',
            by: 'mail',
            address: "the notifier's own",
            times: 1,
            firstAt: after(dayMs),
            lastAt: after(dayMs),
          },
        ],
        quiet: [],
        missed: [],
      },
    ]);
  });

  test('what would have been sent is counted by product, and what was asked says who answered', () => {
    const { sent, asked } = reportOf(
      played({
        sent: [
          { at: start, product: 'desk', what: 'internal note' },
          { at: after(1), product: 'netskope', what: 'user moved' },
          { at: after(dayMs), product: 'desk', what: 'internal note' },
        ],
        asked: [
          { at: after(dayMs), text: 'Second?', whom: ['ana', 'bob'] },
          { at: start, text: 'First?', whom: [], answer: 'yes', who: 'ana' },
        ],
      }),
    );
    expect(sent.map(({ product: by, what, times }) => [by, what, times])).toEqual([
      ['desk', 'internal note', 2],
      ['netskope', 'user moved', 1],
    ]);
    expect(asked).toEqual([
      { at: start, day: 0, what: 'First?', whom: [], answer: 'yes', who: 'drill: ana' },
      { at: after(dayMs), day: 1, what: 'Second?', whom: ['ana', 'bob'] },
    ]);
  });
});

test('for people: what is wrong and what is lacking first, and no text from outside forges a line', () => {
  const printed = printDrill(
    reportOf(
      played({
        ...without('pager'),
        kept: ['No wipe.'],
        beats: [{ at: start, text: 'A laptop\nDay 9 is\u001b[2J stolen.' }],
        asked: [{ at: start, text: 'Contain?', whom: [], answer: 'yes', who: 'ana' }],
        calls: [call(0, 'Stuck', {}, { told: ['ana by mail'], missing: [] })],
        sent: [{ at: start, product: 'netskope', what: 'user moved' }],
      }),
    ),
  );
  const titles = printed.split('\n').filter((line) => /^\S/.test(line));
  expect(titles.slice(1)).toEqual([
    'Could not have happened',
    'What the settings lack',
    'What would have happened (times in UTC)',
    'Who would have been asked',
    'Who would have been called (nobody was)',
    'What would have been sent (nothing was)',
  ]);
  expect(printed).toContain('tenants.acme.plugins\n');
  expect(printed).toContain('day  0  12:00  ── A laptop Day 9 is [2J stolen.');
  expect(printed).toContain('[DRILL] Stuck: once, 2026-11-22 12:00 UTC');
  expect(printed).toContain('drill: ana answered: yes');
});
