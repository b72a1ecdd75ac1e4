/**
 * Tasks of people and the clocks of the law: when they are due, what begins when, and what is kept when they are closed.
 */
import { openCase, takeReport, type CaseState } from '../../playbook/case';
import type { Report } from '../../playbook/report';
import { nothingKnown } from '../../playbook/report';
import { defaultRules, type EscalationRules } from '../../playbook/rules';
import { taskSchema } from '../../playbook/schemas/escalation';
import type { Task } from '../../playbook/tasks';
import { beginTasks, closeTask, openTasks, runningClocks, startClock } from '../../playbook/tasks';

const now = '2026-11-22T22:14:00.000Z';

const report = (more: Partial<Report> = {}): Report => ({
  tenant: 'acme',
  ticket: { source: 'generic', id: 'T-1' },
  deliveryId: 'd-1',
  receivedAt: now,
  verified: true,
  device: { serial: 'SN0042' },
  answers: nothingKnown,
  actor: { person: 'desk', authenticated: true, how: 'webhook-signature' },
  ...more,
});

function opened(kind: 'lost' | 'stolen' | 'unknown' = 'unknown', escalation: Partial<EscalationRules> = {}): CaseState {
  const rules = { ...defaultRules, escalation: { ...defaultRules.escalation, ...escalation } };
  const ids = { workflowId: 'lost-device:acme:SN0042', runId: 'run-1', now };
  return openCase(report({ answers: { ...nothingKnown, kind } }), rules, ids);
}

const ids = (tasks: Task[] = []) => tasks.map(({ id }) => id);

function taskOf(state: CaseState, id: string): Task {
  const found = state.tasks.find((task) => task.id === id);
  if (found === undefined) throw new Error(`No task ${id}`);
  return found;
}

const close = (state: CaseState, id: string, as: 'done' | 'not needed' | 'left open', at: string) =>
  closeTask(state, taskOf(state, id), as, { at, who: 'dana', reason: 'told by phone' });

describe('tasks', () => {
  const rule = { title: 'Do it', owner: ['ana'], dueMs: 36 * 60 * 60_000, kinds: ['lost', 'stolen'] as const };
  const tasks = [
    { ...rule, id: 'plain', kinds: [...rule.kinds], begins: 'opened' as const },
    { ...rule, id: 'theft', kinds: ['stolen' as const], begins: 'opened' as const, reference: 'report number' },
    { ...rule, id: 'loss', kinds: ['lost' as const], begins: 'opened' as const, warnBeforeMs: 60 * 60_000 },
    { ...rule, id: 'books', kinds: [...rule.kinds], begins: 'written off' as const },
  ];

  test.each([
    ['lost', ['plain', 'loss']],
    ['unknown', ['plain', 'loss']],
    ['stolen', ['plain', 'theft']],
  ] as const)('begin at the opening by the kind of loss: %s', (kind, expected) => {
    expect(ids(beginTasks(opened(kind, { tasks }), 'opened', now))).toEqual(expected);
  });

  test('are due after they began, and warn before that', () => {
    const state = opened('lost', { tasks });
    beginTasks(state, 'opened', now);
    expect(taskOf(state, 'plain')).toEqual({
      id: 'plain',
      title: 'Do it',
      owner: ['ana'],
      state: 'open',
      beganAt: now,
      dueAt: '2026-11-24T10:14:00.000Z',
    });
    expect(taskOf(state, 'loss').warnAt).toBe('2026-11-24T09:14:00.000Z');
  });

  test('of a theft are added once when it turns out to be one, and nothing that stands there is touched', () => {
    const state = opened('lost', { tasks });
    beginTasks(state, 'opened', now);
    close(state, 'plain', 'done', now);
    const before = structuredClone(state.tasks);
    takeReport(state, report({ deliveryId: 'd-2', answers: { ...nothingKnown, kind: 'stolen' } }));

    const later = '2026-11-25T00:00:00.000Z';
    expect(ids(beginTasks(state, 'opened', later))).toEqual(['theft']);
    expect(taskOf(state, 'theft')).toMatchObject({ beganAt: later, reference: 'report number' });
    expect(beginTasks(state, 'opened', later)).toEqual([]);
    expect(state.tasks.slice(0, 2)).toEqual(before);
  });

  test('of the write-off begin with it', () => {
    const state = opened('stolen', { tasks });
    beginTasks(state, 'opened', now);
    expect(ids(state.tasks)).not.toContain('books');
    expect(ids(beginTasks(state, 'written off', '2027-01-02T00:00:00.000Z'))).toEqual(['books']);
    expect(taskOf(state, 'books').dueAt).toBe('2027-01-03T12:00:00.000Z');
  });

  test('as they come with the playbook name the police and the books where they belong', () => {
    expect(ids(beginTasks(opened('unknown'), 'opened', now))).not.toContain('police-report');
    expect(ids(beginTasks(opened('stolen'), 'opened', now))).toContain('police-report');
    expect(ids(beginTasks(opened('stolen'), 'written off', now))).toEqual(['asset-write-off']);
  });
});

describe('clocks of the law', () => {
  const aware = '2026-11-20T09:30:00.000Z';

  test.each([
    ['gdpr', 'gdpr', '2026-11-23T09:30:00.000Z', '2026-11-22T09:30:00.000Z'],
    ['nis2', 'nis2-warning', '2026-11-21T09:30:00.000Z', '2026-11-21T03:30:00.000Z'],
    ['nis2', 'nis2-notification', '2026-11-23T09:30:00.000Z', '2026-11-22T09:30:00.000Z'],
    ['hipaa', 'hipaa', '2027-01-19T09:30:00.000Z', '2027-01-05T09:30:00.000Z'],
  ])('%s counts from its own moment of awareness: %s', (clock, task, dueAt, warnAt) => {
    const state = opened();
    startClock(state, clock, aware, 'dana');
    expect(taskOf(state, task)).toMatchObject({ beganAt: aware, dueAt, warnAt, state: 'open' });
    expect(taskOf(state, task).clock).toMatchObject({ id: clock, awareAt: aware, who: 'dana' });
  });

  test('are started once, also when they are over, and only those that the rules have', () => {
    const state = opened();
    expect(ids(startClock(state, 'nis2', aware, 'dana'))).toEqual(['nis2-warning', 'nis2-notification', 'nis2-final']);
    expect(startClock(state, 'nis2', aware, 'dana')).toBeUndefined();
    for (const id of ['nis2-warning', 'nis2-notification', 'nis2-final']) close(state, id, 'done', now);
    expect(startClock(state, 'nis2', now, 'dana')).toBeUndefined();
    expect(startClock(state, 'lgpd', aware, 'dana')).toBeUndefined();
    expect(state.tasks).toHaveLength(3);
    expect(ids(startClock(state, 'gdpr', aware, 'dana'))).toEqual(['gdpr']);
  });

  test.each([
    ['2026-01-31T18:00:00.000Z', '2026-02-28T18:00:00.000Z'],
    ['2028-01-31T18:00:00.000Z', '2028-02-29T18:00:00.000Z'],
    ['2028-02-29T23:59:00.000Z', '2028-03-29T23:59:00.000Z'],
    ['2026-03-31T00:00:00.000Z', '2026-04-30T00:00:00.000Z'],
    ['2026-12-31T12:00:00.000Z', '2027-01-31T12:00:00.000Z'],
    ['2026-11-25T08:00:00.000Z', '2026-12-25T08:00:00.000Z'],
  ])('the final report is due a month after the notification of %s: %s', (notified, dueAt) => {
    const state = opened();
    startClock(state, 'nis2', aware, 'dana');
    const final = taskOf(state, 'nis2-final');
    expect(final).not.toHaveProperty('dueAt');
    close(state, 'nis2-warning', 'done', notified);
    expect(final).not.toHaveProperty('dueAt');
    close(state, 'nis2-notification', 'done', notified);
    expect(final).toMatchObject({ state: 'open', beganAt: notified, dueAt });
    expect(Date.parse(dueAt) - Date.parse(final.warnAt ?? '')).toBe(7 * 24 * 60 * 60_000);
  });

  test.each(['not needed', 'left open'] as const)('a final report goes with a notification that is %s', (as) => {
    const state = opened();
    startClock(state, 'nis2', aware, 'dana');
    close(state, 'nis2-notification', as, now);
    expect(taskOf(state, 'nis2-final')).toMatchObject({
      state: as,
      closed: { at: now, who: 'dana', reason: 'told by phone' },
    });
    expect(ids(openTasks(state))).toEqual(['nis2-warning']);
  });

  test('a final report that was closed before stays as it was', () => {
    const state = opened();
    startClock(state, 'nis2', aware, 'dana');
    close(state, 'nis2-final', 'not needed', aware);
    close(state, 'nis2-notification', 'done', now);
    expect(taskOf(state, 'nis2-final')).toMatchObject({ state: 'not needed', closed: { at: aware } });
    expect(taskOf(state, 'nis2-final')).not.toHaveProperty('dueAt');
  });

  test('keep the proof of encryption as it was known when they were closed; other tasks do not', () => {
    const state = opened('stolen');
    beginTasks(state, 'opened', now);
    startClock(state, 'gdpr', aware, 'dana');
    startClock(state, 'nis2', aware, 'dana');
    close(state, 'nis2-warning', 'done', now);
    const encryption = { answer: 'yes' as const, at: now, who: 'erik', evidence: 'BitLocker key 12 in Entra' };
    state.encryption = encryption;
    close(state, 'gdpr', 'not needed', now);
    close(state, 'police-report', 'done', now);
    // The final report falls away with the notification, for the same reason.
    close(state, 'nis2-notification', 'not needed', now);
    state.encryption = { ...encryption, answer: 'no', evidence: 'The key was taped to the lid' };

    expect(taskOf(state, 'nis2-warning').closed).not.toHaveProperty('encryption');
    for (const id of ['gdpr', 'nis2-notification', 'nis2-final'])
      expect(taskOf(state, id).closed).toMatchObject({ reason: 'told by phone', encryption });
    expect(taskOf(state, 'police-report').closed).toEqual({ at: now, who: 'dana', reason: 'told by phone' });
    for (const task of state.tasks) expect(taskSchema.parse(task)).toEqual(task);
  });

  test('run on for as long as a stage is open', () => {
    const state = opened();
    beginTasks(state, 'opened', now);
    expect(runningClocks(state)).toEqual([]);
    startClock(state, 'nis2', aware, 'dana');
    close(state, 'nis2-warning', 'done', now);
    expect(ids(runningClocks(state))).toEqual(['nis2-notification', 'nis2-final']);
    close(state, 'nis2-notification', 'done', now);
    close(state, 'nis2-final', 'done', now);
    expect(runningClocks(state)).toEqual([]);
  });
});
