/**
 * Never reappears: what is proposed with age, what a write-off leaves in place, what it costs to listen for a year, and
 * what opens the case again.
 */
import type { CaseState } from '../../playbook/case';
import type { Rung } from '../../playbook/ladder';
import { answer, closeTask, deviceSeen, recovered, reportSighting, writeOff } from '../../workflows/messages';
import { startTestHouse, type Laptop, type TestHouse, type TestHouseOptions } from '../setup/test-house';
import { fastForward } from '../setup/time-skipping';

const hourMs = 60 * 60_000;
const dayMs = 24 * hourMs;

const person = (name: string) => ({ timeZone: 'UTC', notify: { mail: `${name}@example.test` } });
const silent = { when: 'silent', whom: ['lead'] } as const;
const ladder: (Partial<Omit<Rung, 'whom'>> & { whom?: readonly string[] })[] = [
  { ...silent, name: 'lost-mode', afterMs: dayMs, propose: 'lost mode' },
  { ...silent, name: 'write-off', afterMs: 30 * dayMs, propose: 'write-off' },
  { name: 'proposal', when: 'proposal', afterMs: 0, whom: ['lead'] },
];
const tasks = [
  {
    id: 'asset-write-off',
    title: 'Take it off the books',
    owner: ['lead'],
    dueMs: 14 * dayMs,
    begins: 'written off',
    reference: 'asset number',
  },
];
const back = 'A written-off laptop is back';

describe.each([
  ['in one run', {}],
  ['in many runs', { dynamicConfig: { 'limit.historyCount.suggestContinueAsNew': 60 } }],
  // The vendor takes five changes of tags in a minute: enough for one case.
  ['with a device tag', { with: { entra: true, servicenow: true, tag: true } }],
])('%s', (_, options: TestHouseOptions) => {
  const withTag = options.with?.tag === true;
  let house: TestHouse;
  beforeAll(async () => {
    house = await startTestHouse({
      with: { entra: true, servicenow: true },
      people: { lead: person('lead'), olga: person('olga') },
      rules: {
        directorySteps: { lost: ['revoke-sessions'], stolen: ['revoke-sessions', 'disable-device', 'disable-user'] },
        escalation: { ladder, tasks, news: { whom: ['olga'] } },
      },
      ...options,
    });
  });
  afterAll(() => house.close());
  afterEach(async () => {
    await house.clearFaults();
    expect(await house.wrongs()).toEqual([]);
  });

  type Lost = Laptop & { number: string };
  async function contained(): Promise<Lost> {
    const laptop = house.laptop();
    const { serial, user, workflowId } = laptop;
    const { number } = await house.ticket({ u_serial: serial, caller: user });
    await house.report({ source: 'servicenow', ticket: number, device: { serial }, answers: { kind: 'stolen' } });
    await house.untilContained(workflowId);
    return { ...laptop, number };
  }
  const untilListening = (workflowId: string) =>
    house.untilCase(
      workflowId,
      'listening, all said',
      ({ listening, notes, pages, journal }) =>
        listening !== undefined && notes.pending.length + pages.length === 0 && journal.archived === journal.next - 1,
    );
  async function writtenOff(): Promise<Lost> {
    const lost = await contained();
    await house.decide(lost.workflowId, writeOff, { reason: 'Nobody will find it.' });
    await untilListening(lost.workflowId);
    await house.decide(lost.workflowId, closeTask, { task: 'asset-write-off', as: 'done', reference: 'A-1' });
    return lost;
  }

  const there = (workflowId: string) => house.untilCase(workflowId, 'there', () => true);
  const forward = (workflowId: string, ms: number, point: string) => fastForward(house.handle(workflowId), point, ms);
  const asked = ({ questions }: CaseState) => questions.map(({ id }) => id);
  const mails = (subject: string, { serial }: Laptop) =>
    house.mails
      .filter((mail) => mail.subject === subject && mail.text.includes(serial))
      .map(({ text }) => /^To: (.*)@/m.exec(text)?.[1]);
  const ticketStateOf = async (number: string) => (await house.ticketState(number))?.state;
  /** Reopened, and everything done against the loss is in place again. */
  const untilBack = (workflowId: string) =>
    house.untilCase(
      workflowId,
      'back, contained again',
      ({ reopened, outcome, containment: { state, measures }, pages, steps }) =>
        reopened === 1 &&
        outcome === 'open' &&
        state === 'contained' &&
        ['disable-device', 'disable-user'].every(
          (name) => measures[name as keyof typeof measures]?.state === 'in place',
        ) &&
        pages.length === 0 &&
        Object.entries(steps).every(([name, step]) => !name.endsWith('in progress') || step.state === 'done'),
    );

  /** What the server keeps going for a workflow, and what its worker had to do so far. */
  async function costOf(workflowId: string) {
    const handle = house.handle(workflowId);
    const { raw, status, runId } = await handle.describe();
    const { events = [] } = await house.client.workflow.getHandle(workflowId, runId).fetchHistory();
    const count = (key: string) =>
      events?.filter((event) => Object.hasOwn(event, key) && event[key as 'eventId']).length ?? 0;
    return {
      status: status.name,
      activities: raw.pendingActivities?.length ?? 0,
      timers:
        count('timerStartedEventAttributes') -
        count('timerFiredEventAttributes') -
        count('timerCanceledEventAttributes'),
      workflowTasks: count('workflowTaskCompletedEventAttributes'),
      runId,
    };
  }

  test('recovered while it listens: what held the device is undone, and the case closes', async () => {
    const { workflowId, hostname, number } = await writtenOff();
    const { measures } = (await there(workflowId)).containment;
    expect(measures).toMatchObject({
      'lost-group': { state: 'undone' },
      'device-tag': { state: withTag ? 'in place' : 'not offered' },
      'disable-device': { state: 'in place' },
    });
    await forward(workflowId, 90 * dayMs, 'three months later');
    await house.decide(workflowId, recovered, { reason: 'Found behind a cabinet.' });
    const closed = await house.untilClosed(workflowId);
    expect(closed).toMatchObject({ outcome: 'recovered', reopened: 0, containment: { state: 'released' } });
    expect(await house.changes(hostname)).toEqual([
      ...(withTag ? [`netskope: tag lost-stolen added to ${hostname}`] : []),
      `entra: device ${hostname} disabled`,
      ...(withTag ? [`netskope: tag lost-stolen removed from ${hostname}`] : []),
      `entra: device ${hostname} enabled`,
    ]);
    expect(await ticketStateOf(number)).toBe('Resolved');
    expect(await house.closing('servicenow', number)).toMatchObject({ chain: closed.chain, outcome: 'recovered' });
  });

  if (withTag) return;

  test('what is proposed with age is decided by people; written off, it listens at the cost of one timer; the watch hears it', async () => {
    const lost = await contained();
    const { workflowId, user, hostname, number, serial } = lost;
    const asksFor = 'A decision is needed, and can wait for the day';
    await forward(workflowId, 23.9 * hourMs, 'shortly before a day');
    expect(asked(await there(workflowId))).toEqual([]);
    await forward(workflowId, 0.2 * hourMs, 'a day');
    expect(await there(workflowId)).toMatchObject({
      presence: { state: 'silent' },
      questions: [{ id: 'propose: lost mode', proposes: 'lost mode' }],
    });
    expect(mails(asksFor, lost)).toEqual(['lead']);

    await house.decide(workflowId, answer, { value: 'later' });
    await forward(workflowId, 6.9 * dayMs, 'not yet a week later');
    expect(asked(await there(workflowId))).toEqual([]);
    await forward(workflowId, 0.2 * dayMs, 'a week later');
    expect(asked(await there(workflowId))).toEqual(['propose: lost mode']);
    expect(mails(asksFor, lost)).toEqual(['lead', 'lead']);
    await house.decide(workflowId, answer, { value: 'done' });
    await forward(workflowId, 21.8 * dayMs, 'shortly before 30 days');
    expect(asked(await there(workflowId))).toEqual([]);
    await forward(workflowId, 0.2 * dayMs, '30 days');
    expect(asked(await there(workflowId))).toEqual(['propose: write-off']);
    expect(mails(asksFor, lost)).toEqual(['lead', 'lead', 'lead']);

    await house.decide(workflowId, answer, { value: 'yes', reason: 'Insurance has paid.' });
    const off = await untilListening(workflowId);
    expect(off).toMatchObject({
      outcome: 'written off',
      containment: {
        state: 'user released, device held',
        measures: {
          'lost-group': { state: 'undone' },
          'disable-device': { state: 'in place' },
          'disable-user': { state: 'undone' },
        },
      },
      tasks: [{ id: 'asset-write-off', state: 'open' }],
    });
    expect(await house.lostGroup()).not.toContain(user);
    expect(await ticketStateOf(number)).toBe('Resolved');
    const takenBack = [
      `netskope: ${user} added to group Lost-Stolen Devices`,
      `entra: sessions of ${user} revoked`,
      `entra: device ${hostname} disabled`,
      `entra: user ${user} disabled`,
      `netskope: ${user} removed from group Lost-Stolen Devices`,
      `entra: user ${user} enabled`,
    ];
    expect(await house.changes(user, hostname)).toEqual(takenBack);

    await house.decide(workflowId, closeTask, { task: 'asset-write-off', as: 'done', reference: 'A-1' });
    await forward(workflowId, 20 * dayMs, 'what was set before has rung');
    const quiet = await costOf(workflowId);
    expect(quiet).toMatchObject({ status: 'RUNNING', activities: 0, timers: 1 });
    const nowMs = await forward(workflowId, 100 * dayMs, 'months later');
    expect(await costOf(workflowId)).toEqual(quiet);
    expect(await house.changes(user, hostname)).toEqual(takenBack);

    await house.control('POST', 'clock', { now: new Date(nowMs).toISOString() });
    await house.move(serial, { do: 'online', place: 'cafe' });
    const again = await untilBack(workflowId);
    expect(again.chain).toBe(off.chain);
    expect(await house.lostGroup()).toContain(user);
    expect(await ticketStateOf(number)).toBe('In Progress');
    expect(mails(back, lost)).toEqual(['olga']);
    expect(await house.changes(user, hostname)).toEqual([
      ...takenBack,
      `netskope: ${user} added to group Lost-Stolen Devices (#2)`,
      `entra: user ${user} disabled (#2)`,
    ]);

    await house.decide(workflowId, recovered, { reason: 'The police brought it.' });
    const closed = await house.untilClosed(workflowId);
    expect(closed).toMatchObject({ outcome: 'recovered', chain: off.chain, containment: { state: 'released' } });
    expect((await house.changes(user, hostname)).slice(takenBack.length + 2)).toEqual([
      `netskope: ${user} removed from group Lost-Stolen Devices (#2)`,
      `entra: device ${hostname} enabled`,
      `entra: user ${user} enabled (#2)`,
    ]);
    expect(await ticketStateOf(number)).toBe('Resolved');
  });

  test('a record from before the write-off, told late, opens nothing; a person who saw it does, and its silence begins anew', async () => {
    const lost = await writtenOff();
    const { workflowId, serial, hostname, user, number } = lost;
    await forward(workflowId, 60 * dayMs, 'two months later');
    const { containment } = await there(workflowId);
    const at = new Date(Date.parse(containment.armedSince!) - 1_000).toISOString();
    await house.handle(workflowId).signal(deviceSeen, {
      feed: 'netskope/events',
      sightings: [
        {
          id: 'told late',
          at,
          source: 'netskope',
          feed: 'events',
          evidence: 'cloud-traffic',
          match: 'device',
          device: { serial, hostname, user },
          what: 'Web traffic',
        },
      ],
    });
    const late = await house.untilCase(workflowId, 'taken in', ({ presence }) => presence.last?.id === 'told late');
    expect(late).toMatchObject({ outcome: 'written off', reopened: 0, listening: expect.anything() });

    const seenAt = late.listening!.until;
    await expect(house.decide(workflowId, reportSighting, { at: seenAt, what: 'Seen' })).rejects.toThrow(
      /in the future/,
    );
    await house.decide(workflowId, reportSighting, { at: new Date().toISOString(), what: 'Seen in a pawn shop' });
    const again = await untilBack(workflowId);
    expect(again.questions).toEqual([]);
    expect(await ticketStateOf(number)).toBe('In Progress');
    expect(mails(back, lost)).toEqual(['olga']);
    await forward(workflowId, 23 * hourMs, 'not yet a day after it came back');
    expect(asked(await there(workflowId))).toEqual([]);
    await forward(workflowId, 2 * hourMs, 'a day after it came back');
    expect(asked(await there(workflowId))).toEqual(['propose: lost mode']);
  });

  test('a new ticket opens it again, also one that came while it was being written off', async () => {
    const lost = await writtenOff();
    const { workflowId, serial, user } = lost;
    await forward(workflowId, 60 * dayMs, 'two months later');
    const { number } = await house.ticket({ u_serial: serial, caller: user });
    const again = { source: 'servicenow', device: { serial } };
    // What its own ticket says opens nothing.
    await house.report({ ...again, ticket: lost.number, answers: { powered: 'on' } });
    expect((await house.untilCase(workflowId, 'taken in', ({ answers }) => answers.powered === 'on')).reopened).toBe(0);
    expect(await house.report({ ...again, ticket: number })).toEqual({ outcome: 'joined', workflowId });
    const open = await untilBack(workflowId);
    expect(open.tickets.map(({ id }) => id)).toEqual([lost.number, number]);
    expect([await ticketStateOf(lost.number), await ticketStateOf(number)]).toEqual(['In Progress', 'In Progress']);
    expect(mails(back, lost)).toEqual(['olga']);
    await forward(workflowId, 23 * hourMs, 'not yet a day after it was reported again');
    expect(asked(await there(workflowId))).toEqual([]);

    const other = await contained();
    await house.fault({ match: { method: 'PATCH', path: '/api/v2/scim/' }, times: 'always', effect: { status: 503 } });
    await house.decide(other.workflowId, writeOff, { reason: 'Nobody will find it.' });
    const second = await house.ticket({ u_serial: other.serial, caller: other.user });
    await house.report({ source: 'servicenow', ticket: second.number, device: { serial: other.serial } });
    await house.untilCase(other.workflowId, 'kept for later', ({ afterwards }) => afterwards.length === 1);
    await house.clearFaults();
    const both = await untilBack(other.workflowId);
    expect(both.tickets.map(({ id }) => id)).toEqual([other.number, second.number]);
    expect(await ticketStateOf(other.number)).toBe('In Progress');
  });

  test('a year without a sign: closed with its record, nothing more is written to the desk, the device stays held', async () => {
    const lost = await writtenOff();
    const { workflowId, number, hostname, user } = lost;
    await untilListening(workflowId);
    const told = (await house.ticketState(number))!.workNotes.length;
    const before = [house.mails.length, await house.changes(user, hostname, number)];
    await forward(workflowId, 364 * dayMs, 'day 364');
    expect(await costOf(workflowId)).toMatchObject({ status: 'RUNNING', activities: 0, timers: 1 });
    await forward(workflowId, 0.9 * dayMs, 'shortly before the end');
    expect(await house.closing('servicenow', number)).toBeUndefined();
    // It ends on the way, and with it the clock that is moved.
    await forward(workflowId, 0.2 * dayMs, 'its end').catch(() => undefined);
    const closed = await house.untilClosed(workflowId);
    expect(closed).toMatchObject({ outcome: 'written off', reopened: 0 });
    expect(await house.closing('servicenow', number)).toMatchObject({ chain: closed.chain, outcome: 'written off' });
    expect((await house.ticketState(number))!.workNotes).toHaveLength(told);
    expect([house.mails.length, await house.changes(user, hostname, number)]).toEqual(before);
  });

  test('a write-off needs a device and a reason', async () => {
    const serial = `SN77${Math.floor(Math.random() * 90) + 10}`;
    const { workflowId } = await house.report({ ticket: `UNKNOWN-${serial}`, device: { serial } });
    await house.untilCase(workflowId, 'asked', ({ questions }) => questions.length === 1);
    await expect(house.decide(workflowId, writeOff, {})).rejects.toThrow(/Only an identified device/);
    const known = await contained();
    await expect(house.decide(known.workflowId, writeOff, { reason: ' ' })).rejects.toThrow(/needs a reason/);
  });
});
