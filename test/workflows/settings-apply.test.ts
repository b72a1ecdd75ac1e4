/**
 * The rules of the settings, moved onto a running case: what calls people is due by the new ones, and the case says so.
 */
import type { Rung } from '../../playbook/ladder';
import type { Rules } from '../../playbook/rules';
import { RefusedByRule } from '../../client/cases';
import { applyRules, recovered } from '../../workflows/messages';
import { startTestHouse, tenant, type TestHouse } from '../setup/test-house';
import { fastForward } from '../setup/time-skipping';

const hourMs = 60 * 60_000;
const rung = (name: string, afterMs: number): Rung => ({
  name,
  when: 'not contained',
  afterMs,
  unless: [],
  whom: [],
  by: [],
  inQuietHours: 'page',
  severity: 'error',
});
const withLadder = (rules: Rules, ...ladder: Rung[]): Rules => ({
  ...rules,
  escalation: { ...rules.escalation, ladder },
});

let house: TestHouse;
beforeAll(async () => {
  house = await startTestHouse({
    guard: { protectedUsers: ['user0001@example.test'] },
    rules: { escalation: { tasks: [], ladder: [] } },
  });
});
afterAll(() => house.close());

test('a rung of the new rules calls when it is due, one that is gone does not; it is in the journal, once', async () => {
  const settings = house.settings.tenants[tenant]!;
  const pinned = withLadder(settings.rules, rung('slow', 90 * hourMs), rung('leaving', 10 * hourMs));
  settings.rules = pinned;
  const { serial, user, workflowId } = house.laptop();
  await house.report({ ticket: 'RULES-1', device: { serial }, user });
  await house.untilCase(
    workflowId,
    'asked',
    ({ questions, escalation }) => questions.length === 1 && Object.keys(escalation.rungs).length === 2,
  );
  await fastForward(house.handle(workflowId), 'hour 1', hourMs);

  const rules = withLadder(settings.rules, rung('slow', 5 * hourMs));
  const decided = await house.decide(workflowId, applyRules, { rules });
  expect(decided.text).toContain('- escalation.ladder.slow.afterMs: 3 d 18 h, now 5 h');
  expect(decided.text).toContain('- escalation.ladder.leaving: there, now none');
  await expect(house.decide(workflowId, applyRules, { rules })).rejects.toThrow(RefusedByRule);
  const applied = await house.untilCase(
    workflowId,
    'applied',
    ({ escalation }) => Object.keys(escalation.rungs).length === 1,
  );
  expect(applied).toMatchObject({ rulesApplied: { times: 1 }, rules });
  expect(applied.journal.tail.filter(({ text }) => text.startsWith('Rules of the settings applied'))).toEqual([
    expect.objectContaining({ text: 'Rules of the settings applied: 2 changed.' }),
  ]);

  await fastForward(house.handle(workflowId), 'hour 4', 3 * hourMs);
  const before = await house.untilCase(workflowId, 'there', () => true);
  expect(before.escalation.rungs['slow/not contained']).toMatchObject({ called: 0 });
  await fastForward(house.handle(workflowId), 'hour 6', 2 * hourMs);
  await house.untilCase(workflowId, 'called', ({ escalation }) => escalation.rungs['slow/not contained']?.called === 1);
  await fastForward(house.handle(workflowId), 'hour 12', 6 * hourMs);
  const later = await house.untilCase(workflowId, 'there', () => true);
  expect(Object.keys(later.escalation.rungs)).toEqual(['slow/not contained']);

  await house.decide(workflowId, recovered, {});
  await house.untilClosed(workflowId);
});
