/**
 * The ladder in a running case: whom it calls and when, what stops it, and that nobody is called twice for one thing.
 */
import { randomUUID } from 'node:crypto';
import type { Rung } from '../../playbook/ladder';
import type { CaseState } from '../../playbook/case';
import { acknowledge, answer, retryStep, skipStep, snooze } from '../../workflows/messages';
import { eventually } from '../setup/eventually';
import { startTestHouse, tenant, type Laptop, type TestHouse } from '../setup/test-house';
import { fastForward } from '../setup/time-skipping';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** Quiet hours from two hours ago until four hours from now, by a clock in UTC. */
const quietEndsMs = Math.ceil((Date.now() + 4 * hourMs) / minuteMs) * minuteMs;
const timeOfDay = (atMs: number) => new Date(atMs).toISOString().slice(11, 16);
const person = (name: string, more: object = {}) => ({
  timeZone: 'UTC',
  notify: { mail: `${name}@example.test` },
  ...more,
});
const people = {
  ana: person('ana', { notify: { mail: 'ana@example.test', pager: true }, deputies: ['ben'] }),
  ben: person('ben'),
  nina: person('nina', { quietHours: { from: timeOfDay(quietEndsMs - 6 * hourMs), to: timeOfDay(quietEndsMs) } }),
  olga: person('olga'),
};
const rotas = {
  duty: { members: ['ana'], since: '2026-01-05', timeZone: 'UTC' },
};

const rung = (given: Pick<Rung, 'name' | 'when' | 'afterMs'> & Partial<Rung>): Rung => ({
  unless: [],
  whom: ['duty'],
  by: [],
  inQuietHours: 'page',
  severity: 'error',
  ...given,
});

interface Incident {
  dedupKey: string;
  status: 'triggered' | 'acknowledged' | 'resolved';
  triggers: number;
  summary: string;
}

describe.each([
  ['in one run', {}],
  ['in many runs', { dynamicConfig: { 'limit.historyCount.suggestContinueAsNew': 60 } }],
])('%s', (_, options) => {
  let house: TestHouse;
  beforeAll(async () => {
    house = await startTestHouse({
      with: { entra: false, servicenow: true, pagerDuty: true },
      people,
      rotas,
      guard: { protectedUsers: ['user0001@example.test'] },
      rules: { escalation: { tasks: [], news: { whom: ['olga'] } } },
      ...options,
    });
  });
  afterAll(() => house.close());
  afterEach(async () => {
    await house.clearFaults();
    expect(await house.wrongs()).toEqual([]);
  });

  /** The ladder of the cases that begin from now on. */
  function ladder(...rungs: Rung[]): void {
    const { rules } = house.settings.tenants[tenant]!;
    rules.escalation = { ...rules.escalation, ladder: rungs };
  }

  async function lose(laptop = house.laptop()): Promise<Laptop & { number: string }> {
    const { serial, user } = laptop;
    const { number } = await house.ticket({ u_serial: serial, caller: user });
    await house.report({ source: 'servicenow', ticket: number, device: { serial }, user });
    return { ...laptop, number };
  }

  const there = (workflowId: string) => house.untilCase(workflowId, 'there', () => true);
  const forward = (workflowId: string, ms: number, point: string) => fastForward(house.handle(workflowId), point, ms);
  const rungOf = ({ escalation }: CaseState, key: string) => escalation.rungs[key];

  /** How often somebody was called about this laptop. */
  const calls = (name: string, subject: string, { serial }: Laptop) =>
    house.mails.filter(
      (mail) =>
        mail.subject === subject && mail.text.includes(`To: ${name}@example.test`) && mail.text.includes(serial),
    ).length;
  const incidents = async ({ serial }: Laptop) =>
    (await house.control<Incident[]>('GET', 'pagerduty')).filter(({ dedupKey }) => dedupKey.includes(`:${serial}~`));

  test('not contained: called after its time and not before, again, then the deputies, until it is contained', async () => {
    const notContained = 'NOT contained';
    ladder(
      rung({
        name: 'not-contained',
        when: 'not contained',
        afterMs: 15 * minuteMs,
        repeatEveryMs: 30 * minuteMs,
        deputiesAfterMs: 45 * minuteMs,
        severity: 'critical',
      }),
    );
    const laptop = await lose();
    const { workflowId, user } = laptop;
    const called = () => [calls('ana', notContained, laptop), calls('ben', notContained, laptop)];
    await house.untilCase(workflowId, 'asked', ({ questions }) => questions.length === 1);
    await forward(workflowId, 14 * minuteMs, 'minute 14');
    expect(called()).toEqual([0, 0]);
    await forward(workflowId, 2 * minuteMs, 'minute 16');
    expect(called()).toEqual([1, 0]);
    await forward(workflowId, 28 * minuteMs, 'minute 44');
    expect(called()).toEqual([1, 0]);
    await forward(workflowId, 2 * minuteMs, 'minute 46');
    expect(called()).toEqual([2, 0]);
    await forward(workflowId, 15 * minuteMs, 'minute 61: nobody acknowledged for 45 minutes');
    expect(called()).toEqual([3, 1]);
    expect(await incidents(laptop)).toEqual([
      expect.objectContaining({ status: 'triggered', triggers: 3, summary: notContained, severity: 'critical' }),
    ]);

    await house.decide(workflowId, answer, { value: 'yes' });
    await house.untilContained(workflowId);
    await forward(workflowId, 2 * dayMs, 'two days later');
    expect(called()).toEqual([3, 1]);
    expect(await incidents(laptop)).toEqual([expect.objectContaining({ status: 'resolved' })]);
    expect((await there(workflowId)).escalation.rungs).toEqual({});
    expect(await house.changes(user)).toEqual([`netskope: ${user} added to group Lost-Stolen Devices`]);
  });

  test('an acknowledgement stops its own rung and no other, wherever it comes from; when it is over, the pager hears it', async () => {
    await house.fault({ match: { path: '/api/now/' }, times: 'always', effect: { status: 403 } });
    ladder(rung({ name: 'stuck', when: 'stuck', afterMs: 0, repeatEveryMs: 4 * hourMs }));
    const laptop = await lose();
    const { workflowId, number } = laptop;
    const [state, note] = [`set ticket servicenow ${number} in progress`, `note in ticket servicenow ${number}`];
    const called = () => [state, note].map((step) => calls('ana', `Stuck: ${step}`, laptop));
    const bothCalled = (times: number) => (found: CaseState) =>
      [state, note].every((step) => rungOf(found, `stuck/stuck: ${step}`)?.called === times);
    await house.untilContained(workflowId);
    await house.untilCase(workflowId, 'both have called', bothCalled(1));
    expect(called()).toEqual([1, 1]);

    // Two of them call: which one is meant has to be said.
    await expect(house.decide(workflowId, acknowledge, {})).rejects.toThrow(/name one of/);
    await house.decide(workflowId, acknowledge, { rung: `stuck: ${state}` });
    // The pager hears of it, and calls nobody by its own policy.
    await house.untilCase(workflowId, 'said at the pager', ({ pages }) => pages.length === 0);
    expect((await incidents(laptop)).map(({ status }) => status)).toEqual(['acknowledged', 'triggered']);
    await forward(workflowId, 4 * hourMs + minuteMs, 'hour 4');
    expect(called()).toEqual([1, 2]);

    const [, second] = await incidents(laptop);
    const news = { id: randomUUID(), incident: second!.dedupKey, who: 'ana', at: new Date().toISOString() };
    expect(second!.summary).toBe(`Stuck: ${note}`);
    expect(await house.house.cases.acknowledged(tenant, news)).toBe('told');
    expect(await house.house.cases.acknowledged(tenant, news)).toBe('told');
    expect(await house.house.cases.acknowledged(tenant, { ...news, id: randomUUID() })).toBe('told');
    expect(await house.house.cases.acknowledged('another', news)).toBe('not ours');
    await house.untilCase(
      workflowId,
      'acknowledged',
      (found) => rungOf(found, `stuck/stuck: ${note}`)?.acknowledged?.who === 'ana',
    );
    await forward(workflowId, 2 * dayMs, 'two days later');
    expect(called()).toEqual([1, 2]);
    const { chain } = await there(workflowId);
    const journal = (await house.journal(chain)).map(({ text }) => text);
    expect(journal.filter((text) => text.startsWith('Acknowledged: '))).toHaveLength(2);
    await expect(house.decide(workflowId, acknowledge, {})).rejects.toThrow(/No rung/);

    await house.clearFaults();
    await house.decide(workflowId, retryStep, {}).catch(() => undefined); // It may have come through by itself.
    await house.untilCase(
      workflowId,
      'over',
      ({ escalation, pages }) => Object.keys(escalation.rungs).length === 0 && pages.length === 0,
    );
    expect((await incidents(laptop)).map(({ status }) => status)).toEqual(['resolved', 'resolved']);
  });

  test('put off: with a reason and an end, calls again at that end, and not when it is over by then', async () => {
    await house.fault({ match: { path: '/api/now/' }, times: 'always', effect: { status: 403 } });
    ladder(rung({ name: 'stuck', when: 'stuck', afterMs: 0, repeatEveryMs: hourMs, whom: ['ben'] }));
    const laptop = await lose();
    const { workflowId, number } = laptop;
    const [state, note] = [`set ticket servicenow ${number} in progress`, `note in ticket servicenow ${number}`];
    const called = () => [state, note].map((step) => calls('ben', `Stuck: ${step}`, laptop));
    await house.untilContained(workflowId);
    await house.untilCase(workflowId, 'both have called', (found) =>
      [state, note].every((step) => rungOf(found, `stuck/stuck: ${step}`)?.called === 1),
    );
    const until = (ms: number) => new Date(Date.now() + ms).toISOString();
    const refused = (more: { until: string; reason?: string }) =>
      expect(house.decide(workflowId, snooze, { rung: `stuck: ${state}`, ...more })).rejects;
    await refused({ until: until(hourMs), reason: ' ' }).toThrow(/needs a reason/);
    await refused({ until: until(365 * dayMs) }).toThrow(/within 90 d;/);
    await refused({ until: until(-minuteMs) }).toThrow(/within 90 d;/);
    await refused({ until: 'tomorrow' }).toThrow(/within 90 d;/);

    for (const step of [state, note])
      await house.decide(workflowId, snooze, {
        rung: `stuck: ${step}`,
        until: until(10 * hourMs),
        reason: 'The desk is being moved.',
      });
    await forward(workflowId, 9 * hourMs + 50 * minuteMs, 'shortly before its end');
    expect(called()).toEqual([1, 1]);
    await forward(workflowId, 20 * minuteMs, 'shortly after its end');
    expect(called()).toEqual([2, 2]);

    for (const step of [state, note])
      await house.decide(workflowId, snooze, { rung: `stuck: ${step}`, until: until(20 * hourMs) });
    await house.clearFaults();
    await house.decide(workflowId, retryStep, {}).catch(() => undefined); // It may have come through by itself.
    await house.untilCase(workflowId, 'over', ({ steps }) => steps[note]?.state === 'done');
    await forward(workflowId, 2 * dayMs, 'two days later');
    expect(called()).toEqual([2, 2]);
  });

  test('what somebody acknowledged does not climb further; a rung of another trouble does', async () => {
    const silent = 'The lost device is silent';
    const asked = 'A decision is needed, and can wait for the day';
    ladder(
      rung({ name: 'first', when: 'silent', afterMs: hourMs, whom: ['ana'] }),
      rung({ name: 'second', when: 'silent', afterMs: 3 * hourMs, whom: ['ben'], unless: ['acknowledged'] }),
      rung({ name: 'third', when: 'silent', afterMs: 4 * hourMs, propose: 'wipe', whom: ['olga'] }),
      rung({ name: 'proposal', when: 'proposal', afterMs: 0 }),
    );
    const laptop = await lose();
    const { workflowId } = laptop;
    await house.untilContained(workflowId);
    await forward(workflowId, 2 * hourMs, 'hour 2');
    expect([calls('ana', silent, laptop), calls('ben', silent, laptop)]).toEqual([1, 0]);
    await house.decide(workflowId, acknowledge, { rung: 'first' });
    await forward(workflowId, 10 * hourMs, 'hour 12');
    expect([calls('ana', silent, laptop), calls('ben', silent, laptop)]).toEqual([1, 0]);
    // Who is asked for the decision is who the proposing rung names.
    expect([calls('olga', asked, laptop), calls('ana', asked, laptop)]).toEqual([1, 0]);
    expect((await there(workflowId)).questions).toMatchObject([{ id: 'propose: wipe', proposes: 'wipe' }]);
  });

  test('quiet hours: nobody is called before they end, but by a rung that says so; what is over by then is not said', async () => {
    await house.fault({ match: { path: '/api/now/' }, times: 'always', effect: { status: 403 } });
    const wait: Pick<Rung, 'afterMs' | 'whom' | 'inQuietHours'> = { afterMs: 0, whom: ['nina'], inQuietHours: 'wait' };
    ladder(
      rung({ ...wait, name: 'waits', when: 'stuck' }),
      rung({ ...wait, name: 'pages', when: 'stuck', inQuietHours: 'page', by: ['mail'] }),
    );
    const laptop = await lose();
    const { workflowId, number } = laptop;
    const [state, note] = [`set ticket servicenow ${number} in progress`, `note in ticket servicenow ${number}`];
    const called = () => [state, note].map((step) => calls('nina', `Stuck: ${step}`, laptop));
    await house.untilContained(workflowId);
    const held = await house.untilCase(workflowId, 'one rung has called, one waits for the morning', (found) =>
      [state, note].every(
        (step) =>
          rungOf(found, `pages/stuck: ${step}`)?.called === 1 &&
          rungOf(found, `waits/stuck: ${step}`)?.heldUntil !== undefined,
      ),
    );
    expect(called()).toEqual([1, 1]);
    const until = Date.parse(rungOf(held, `waits/stuck: ${note}`)!.heldUntil!);
    expect(until).toBe(quietEndsMs);

    // One of them is over before anybody is awake.
    await house.decide(workflowId, skipStep, { step: state });
    await forward(workflowId, until - Date.now() - 5 * minuteMs, 'five minutes before the morning');
    expect(called()).toEqual([1, 1]);
    await forward(workflowId, 10 * minuteMs, 'five minutes after it');
    expect(called()).toEqual([1, 2]);
  });

  test('a pager that is down keeps nobody from being called, is tried again, and nobody hears it twice', async () => {
    await house.fault({ match: { path: '/v2/enqueue' }, times: 'always', effect: { status: 503 } });
    const silent = 'The lost device is silent';
    ladder(rung({ name: 'silent', when: 'silent', afterMs: hourMs, whom: ['ana', 'ben'] }));
    const [first, second] = [await lose(), await lose()];
    for (const laptop of [first, second]) {
      await house.untilContained(laptop.workflowId);
      await forward(laptop.workflowId, hourMs + 10_000, 'hour 1');
      const told = await house.untilCase(
        laptop.workflowId,
        'called by mail',
        (found) => rungOf(found, 'silent/silent')?.called === 1,
      );
      expect(told.pages).toMatchObject([{ told: ['ana by mail', 'ben by mail'], tries: 1 }]);
      expect([calls('ana', silent, laptop), calls('ben', silent, laptop)]).toEqual([1, 1]);
    }
    // The second is heard before the pager is back: nothing is left to say there.
    await house.advance(30 * minuteMs);
    await house.move(second.serial, { do: 'online', place: 'home' });
    await house.untilCase(
      second.workflowId,
      'seen, nothing to say',
      ({ presence, pages }) => presence.state === 'seen' && pages.length === 0,
    );
    await house.clearFaults();
    for (const { workflowId } of [first, second]) await forward(workflowId, 20 * minuteMs, 'the next tries');
    expect(await incidents(first)).toEqual([expect.objectContaining({ status: 'triggered', triggers: 1 })]);
    expect(await incidents(second)).toEqual([]);
    expect((await there(first.workflowId)).pages).toEqual([]);
    for (const laptop of [first, second])
      expect([calls('ana', silent, laptop), calls('ben', silent, laptop)]).toEqual([1, 1]);
    // The pager had it late, and hears all the same that it is over.
    await house.move(first.serial, { do: 'online', place: 'home' });
    await house.untilCase(
      first.workflowId,
      'seen, and all is said',
      ({ presence, pages }) => presence.state === 'seen' && pages.length === 0,
    );
    expect(await incidents(first)).toEqual([expect.objectContaining({ status: 'resolved' })]);
    // News goes where the rules send news.
    expect(['olga', 'ana', 'ben'].map((name) => calls(name, 'The lost device was seen', second))).toEqual([1, 0, 0]);
  });

  test('what is over while a page is on its way is resolved once the pager has it', async () => {
    ladder(rung({ name: 'silent', when: 'silent', afterMs: hourMs, whom: ['ana'] }));
    const laptop = await lose();
    const { workflowId, serial } = laptop;
    await house.untilContained(workflowId);
    // However long it took until here: it is not called before hour 1.
    await forward(workflowId, 50 * minuteMs, 'shortly before hour 1');
    await house.fault({ match: { path: '/v2/enqueue' }, effect: { delayMs: 4_000 } });
    // Nothing is skipped while the page is on its way.
    const forwarded = forward(workflowId, 20 * minuteMs, 'after hour 1');
    // Only what has left cannot be called back: a page that waits for the next run would not be said at all.
    await house.untilCase(workflowId, 'page on its way', ({ steps }) => (steps['page people']?.attempts ?? 0) > 0);
    await house.move(serial, { do: 'online', place: 'home' });
    await house.untilCase(workflowId, 'seen', ({ presence }) => presence.state === 'seen');
    await forwarded;
    // A page on its way stands nowhere in the state: only the pager knows.
    await eventually(async () =>
      expect(await incidents(laptop)).toEqual([expect.objectContaining({ status: 'resolved', triggers: 1 })]),
    );
  });
});
