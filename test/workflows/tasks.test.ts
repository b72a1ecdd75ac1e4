/**
 * People's tasks and the clocks of the law: when they begin, how they end, and what of them outlives a recovered laptop.
 */
import type { CaseState } from '../../playbook/case';
import type { Rung } from '../../playbook/ladder';
import { workflowIds } from '../../workflows/ids';
import { closeTask, falseAlarm, recovered, startClock, stateEncryption } from '../../workflows/messages';
import { startTestHouse, tenant, type GivenReport, type Laptop, type TestHouse } from '../setup/test-house';
import { fastForward } from '../setup/time-skipping';

const hourMs = 60 * 60_000;
const dayMs = 24 * hourMs;

const person = (name: string, deputies: string[] = []) => ({
  timeZone: 'UTC',
  notify: { mail: `${name}@example.test` },
  deputies,
});
const ladder: Partial<Rung>[] = [
  { name: 'near', when: 'task near', afterMs: 0 },
  { name: 'late', when: 'task late', afterMs: 0, repeatEveryMs: dayMs, deputiesAfterMs: dayMs },
  { name: 'run-out', when: 'clock late', afterMs: 0, repeatEveryMs: dayMs },
];
const tasks = [
  { id: 'inform-owner', title: 'Tell the owner', owner: ['ana'], dueMs: 4 * hourMs },
  { id: 'insurer', title: 'Tell the insurer', owner: ['ana'], dueMs: 7 * dayMs, warnBeforeMs: dayMs },
  {
    id: 'police-report',
    title: 'Report it to the police',
    owner: ['cem'],
    dueMs: dayMs,
    kinds: ['stolen'],
    reference: 'report number',
  },
];

let house: TestHouse;
beforeAll(async () => {
  house = await startTestHouse({
    with: { entra: false, servicenow: true },
    people: { ana: person('ana', ['ben']), ben: person('ben'), cem: person('cem') },
    rules: { escalation: { ladder, tasks } },
    // What waits for months goes on in a new run many times.
    dynamicConfig: { 'limit.historyCount.suggestContinueAsNew': 60 },
  });
});
afterAll(() => house.close());
afterEach(async () => expect(await house.wrongs()).toEqual([]));

type Lost = Laptop & { number: string };

async function lose(more: Partial<GivenReport> = {}): Promise<Lost> {
  const laptop = house.laptop();
  const { number } = await house.ticket({ u_serial: laptop.serial, caller: laptop.user });
  await house.report({ source: 'servicenow', ticket: number, device: { serial: laptop.serial }, ...more });
  return { ...laptop, number };
}
async function contained(more: Partial<GivenReport> = {}): Promise<Lost> {
  const lost = await lose(more);
  await house.untilContained(lost.workflowId);
  return lost;
}

const there = (workflowId: string) => house.untilCase(workflowId, 'there', () => true);
const forward = (workflowId: string, ms: number, point: string) => fastForward(house.handle(workflowId), point, ms);
const statesOf = ({ tasks: all }: CaseState) => Object.fromEntries(all.map(({ id, state }) => [id, state]));
const taskOf = ({ tasks: all }: CaseState, id: string) => all.find((task) => task.id === id)!;
const calls = (name: string, subject: string, { serial }: Laptop) =>
  house.mails.filter(
    (mail) => mail.subject === subject && mail.text.includes(`To: ${name}@example.test`) && mail.text.includes(serial),
  ).length;
const notesOf = async ({ number }: Lost) => (await house.ticketState(number))!.workNotes.join('\n');
const decide = (workflowId: string, task: string, as: 'done' | 'not needed', more: object = {}) =>
  house.decide(workflowId, closeTask, { task, as, ...more });
test('tasks begin when the device is known, those of a theft once when it is one, and the late ones call their owner', async () => {
  const unknown = workflowIds.lostDevice(tenant, 'SN7777');
  await lose({ device: { serial: 'SN7777' } });
  expect((await house.untilCase(unknown, 'asked', ({ questions }) => questions.length > 0)).tasks).toEqual([]);
  await house.decide(unknown, falseAlarm, {});
  await house.untilClosed(unknown);

  const lost = await contained();
  const { workflowId, number, serial } = lost;
  const before = await house.untilCase(workflowId, 'tasks', ({ tasks: all }) => all.length > 0);
  expect(statesOf(before)).toEqual({ 'inform-owner': 'open', insurer: 'open' });
  const again = { source: 'servicenow', ticket: number, device: { serial } };
  await house.report({ ...again, answers: { kind: 'stolen' } });
  await house.report({ ...again, answers: { kind: 'stolen', powered: 'on' } });
  const stolen = await house.untilCase(
    workflowId,
    'a theft',
    ({ answers, tasks: all }) => answers.powered === 'on' && all.length === 3,
  );
  expect(statesOf(stolen)).toEqual({ 'inform-owner': 'open', insurer: 'open', 'police-report': 'open' });

  await expect(decide(workflowId, 'police-report', 'done', { reference: ' ' })).rejects.toThrow(/its report number/);
  await expect(decide(workflowId, 'police-report', 'not needed', { reason: ' ' })).rejects.toThrow(/needs a reason/);
  await expect(decide(workflowId, 'no-task', 'done')).rejects.toThrow(/no open task "no-task"/);
  await decide(workflowId, 'police-report', 'done', { reference: 'PB-2026-1', reason: '' });
  await expect(decide(workflowId, 'police-report', 'done', { reference: 'PB-2026-2' })).rejects.toThrow(/no open task/);
  expect(taskOf(await there(workflowId), 'police-report').closed).toMatchObject({
    who: 'ana (analyst)',
    reference: 'PB-2026-1',
  });

  const owner = () => [calls('ana', 'Late: inform-owner', lost), calls('ben', 'Late: inform-owner', lost)];
  await forward(workflowId, 3.9 * hourMs, 'shortly before it is due');
  expect(owner()).toEqual([0, 0]);
  await forward(workflowId, 0.2 * hourMs, 'shortly after');
  expect(owner()).toEqual([1, 0]);
  await forward(workflowId, dayMs, 'a day later: nobody acknowledged');
  expect(owner()).toEqual([2, 1]);
  await decide(workflowId, 'inform-owner', 'not needed', { reason: 'The owner reported it.' });
  expect(calls('ana', 'Due soon: insurer', lost)).toBe(0);
  await forward(workflowId, 5 * dayMs, 'a day before the insurer must know');
  expect(owner()).toEqual([2, 1]);
  expect(calls('ana', 'Due soon: insurer', lost)).toBe(1);
  await decide(workflowId, 'insurer', 'done');
  await forward(workflowId, 7 * dayMs, 'a week later');
  expect(calls('ana', 'Late: insurer', lost)).toBe(0);
  expect(calls('cem', 'Late: police-report', lost)).toBe(0);
});

test('a clock begins at its own moment of awareness, in stages; not needed only with what is known of the encryption', async () => {
  const { workflowId, ...lost } = await contained();
  const awareAt = new Date(Date.now() - 10 * hourMs).toISOString();
  const start = (clock: string, at = awareAt) => house.decide(workflowId, startClock, { clock, awareAt: at });
  await expect(start('dora')).rejects.toThrow(/There are: gdpr, nis2, hipaa/);
  await expect(start('gdpr', new Date(Date.now() + hourMs).toISOString())).rejects.toThrow(/not in the future/);
  await expect(start('gdpr', 'yesterday')).rejects.toThrow(/not in the future/);
  await start('nis2');
  await start('gdpr');
  await expect(start('gdpr')).rejects.toThrow(/was started/);

  const due = (state: CaseState, id: string) => taskOf(state, id).dueAt;
  const later = (ms: number) => new Date(Date.parse(awareAt) + ms).toISOString();
  const running = await there(workflowId);
  expect(['gdpr', 'nis2-warning', 'nis2-notification', 'nis2-final'].map((id) => due(running, id))).toEqual([
    later(72 * hourMs),
    later(24 * hourMs),
    later(72 * hourMs),
    undefined,
  ]);
  const about = { ...lost, workflowId };
  const near = () =>
    house.mails.filter(({ subject, text }) => subject === 'Due soon: gdpr' && text.includes(about.serial));
  await forward(workflowId, 37 * hourMs, 'hour 47 of awareness');
  expect(near()).toHaveLength(0);
  await forward(workflowId, 2 * hourMs, 'hour 49 of awareness');
  // Nobody owns it: everybody whom the notifiers know is told.
  expect(near().map(({ text }) => /^To: (.*)$/m.exec(text)?.[1])).toEqual(['soc@example.test']);

  await decide(workflowId, 'nis2-notification', 'done', { reason: 'Sent to the CSIRT.' });
  const notified = await there(workflowId);
  const { closed } = taskOf(notified, 'nis2-notification');
  const final = taskOf(notified, 'nis2-final');
  expect(final.beganAt).toBe(closed!.at);
  const month = new Date(closed!.at);
  month.setUTCMonth(month.getUTCMonth() + 1);
  expect(final.dueAt).toBe(month.toISOString());

  await expect(decide(workflowId, 'gdpr', 'not needed')).rejects.toThrow(/state first what is known/);
  const proof = { answer: 'yes' as const, reason: 'Recovery key escrowed, encryption on at the last sync.' };
  await expect(house.decide(workflowId, stateEncryption, { answer: 'yes', reason: '' })).rejects.toThrow(/evidence/);
  await house.decide(workflowId, stateEncryption, proof);
  await expect(decide(workflowId, 'gdpr', 'not needed', { reason: '' })).rejects.toThrow(/needs a reason/);
  await decide(workflowId, 'gdpr', 'not needed', { reason: 'No risk: the disk was encrypted.' });
  const state = await there(workflowId);
  expect(taskOf(state, 'gdpr')).toMatchObject({
    state: 'not needed',
    closed: { reason: 'No risk: the disk was encrypted.', encryption: { answer: 'yes', evidence: proof.reason } },
  });
  await house.untilCase(workflowId, 'archived', ({ journal }) => journal.archived === journal.next - 1);
  const entry = (await house.journal(state.chain)).find(
    ({ text }) => text === 'Not needed: Notify the supervisory authority.',
  );
  expect(entry?.evidence).toContain(proof.reason);
});

test('recovered: the user is free, a running clock keeps the case open, the other tasks are left to the desk; each said once', async () => {
  const lost = await contained();
  const { workflowId, user, number } = lost;
  await house.decide(workflowId, startClock, { clock: 'gdpr', awareAt: new Date().toISOString() });
  await house.decide(workflowId, recovered, { reason: 'Handed in.' });
  const waiting = await house.untilCase(workflowId, 'undone', ({ ending }) => ending?.undoneAt !== undefined);
  expect(waiting).toMatchObject({ outcome: 'open', containment: { state: 'released' } });
  expect(statesOf(waiting)).toEqual({ 'inform-owner': 'left open', insurer: 'left open', gdpr: 'open' });
  expect(await house.lostGroup()).not.toContain(user);
  // It goes on calling, run after run.
  await forward(workflowId, 10.5 * dayMs, 'long after the clock has run out');
  const runs = async () => (await house.handle(workflowId).describe()).runId;
  expect(await runs()).not.toBe(waiting.chain.split('~')[1]);
  expect((await house.ticketState(number))!.state).toBe('In Progress');
  const runOut = 'A clock of the law has run out: gdpr';
  const called = house.mails.filter(({ subject, text }) => subject === runOut && text.includes(lost.serial));
  // On the third day, and on every day after it.
  expect(called).toHaveLength(8);

  await decide(workflowId, 'gdpr', 'done', { reason: 'Notified, too late.' });
  const closed = await house.untilClosed(workflowId);
  expect(closed).toMatchObject({ outcome: 'recovered', chain: waiting.chain });
  expect((await house.ticketState(number))!.state).toBe('Resolved');
  const notes = (await notesOf(lost)).split('\n');
  for (const once of [
    'Left to the desk: tasks',
    'The case stays open: a clock',
    'Decided: recovered',
    'Closed: recovered',
  ])
    expect([once, notes.filter((line) => line.includes(once)).length]).toEqual([once, 1]);
  expect(notes.find((line) => line.includes('Left to the desk'))).toContain('inform-owner, insurer');
  expect(await house.changes(user)).toEqual([
    `netskope: ${user} added to group Lost-Stolen Devices`,
    `netskope: ${user} removed from group Lost-Stolen Devices`,
  ]);
});

test('a new loss does not wait for the papers of the first: they are left to people, aloud', async () => {
  const lost = await contained();
  const { workflowId, serial, user } = lost;
  await house.decide(workflowId, startClock, { clock: 'gdpr', awareAt: new Date().toISOString() });
  await house.decide(workflowId, recovered, { reason: 'Handed in.' });
  const first = await house.untilCase(workflowId, 'undone', ({ ending }) => ending?.undoneAt !== undefined);
  const { number } = await house.ticket({ u_serial: serial, caller: user });
  await house.report({ source: 'servicenow', ticket: number, device: { serial } });
  const second = await house.untilContained(workflowId);
  expect(second.chain).not.toBe(first.chain);
  expect(second.tickets.map(({ id }) => id)).toEqual([number]);
  expect(statesOf(second)).not.toHaveProperty('gdpr');
  expect(await house.closing('servicenow', lost.number)).toMatchObject({ chain: first.chain, outcome: 'recovered' });
  await house.untilMail('A clock of the law is left to the desk', 'GDPR');
  expect(await notesOf(lost)).toContain('Left to the desk: clocks of the law that still run.');
  await house.decide(workflowId, falseAlarm, {});
  await house.untilClosed(workflowId);
});

test('a false alarm closes every task and every clock as not needed', async () => {
  const { workflowId, number } = await contained();
  await house.decide(workflowId, startClock, { clock: 'nis2', awareAt: new Date().toISOString() });
  await house.decide(workflowId, falseAlarm, { reason: 'It was in the drawer.' });
  const closed = await house.untilClosed(workflowId);
  expect(new Set(Object.values(statesOf(closed)))).toEqual(new Set(['not needed']));
  expect(taskOf(closed, 'nis2-final').closed?.reason).toBe('false alarm: It was in the drawer.');
  expect((await house.ticketState(number))!.state).toBe('Resolved');
});
