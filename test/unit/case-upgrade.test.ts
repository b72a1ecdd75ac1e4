/**
 * Cases of earlier versions are read by today's code: their recorded states become whole states of today.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { caseSchema, pageHash, upgrade, type CaseState } from '../../playbook/case';
import { completeRules, defaultRules } from '../../playbook/rules';
import { caseStateSchema } from '../../playbook/schemas/case-state';

const folder = join(__dirname, '..', 'histories', 'recorded');

/** States with which recorded cases continued as new. */
const recorded = readdirSync(folder, { recursive: true, encoding: 'utf8' }).flatMap((file) => {
  if (!file.endsWith('.json')) return [];
  const { history } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as {
    history: { events: { workflowExecutionStartedEventAttributes?: { input?: { payloads?: { data: string }[] } } }[] };
  };
  const data = history.events[0]?.workflowExecutionStartedEventAttributes?.input?.payloads?.[0]?.data;
  const input = JSON.parse(Buffer.from(data ?? 'e30=', 'base64').toString()) as { state?: CaseState };
  return input.state?.schema === undefined ? [] : [{ file, state: input.state }];
});
const [first] = recorded.filter(({ state }) => Number(state.schema) === 1);

test('a state of schema 1 is among the recordings', () => {
  expect(first).toBeDefined();
});

test.each(recorded)('$file becomes a whole state of today', ({ state }) => {
  const before = structuredClone(state);
  const upgraded = upgrade(state);
  expect(caseStateSchema.parse(upgraded)).toEqual(upgraded);
  expect(upgraded.schema).toBe(caseSchema);
  // Pure, and nothing to do the second time.
  expect(state).toEqual(before);
  expect(upgrade(upgraded)).toEqual(upgraded);
});

test('a rule that came later has its default, and what was pinned stays', () => {
  const { escalation, configuration, ...rest } = defaultRules;
  const { pageTries: _, askAgainMs: __, ...older } = escalation;
  const pinned = { ...rest, configuration: { syncEveryMs: 5 }, escalation: { ...older, ladder: [], silentAfterMs: 7 } };
  expect(completeRules(pinned)).toEqual({
    ...rest,
    configuration: { ...configuration, syncEveryMs: 5 },
    escalation: { ...escalation, ladder: [], silentAfterMs: 7 },
  });
});

describe('a case of schema 1', () => {
  /** As the first version wrote it: no ladder, no tasks, keys of pages at full length. */
  const old = (more: Partial<CaseState> = {}): CaseState =>
    ({ ...structuredClone(first?.state), outcome: 'open', paged: ['chain:stuck:contain'], ...more }) as CaseState;

  test('keeps what it had, gets the rules of today for what is new, and has called nobody yet', () => {
    const upgraded = upgrade(old());
    expect(upgraded).toMatchObject({
      chain: old().chain,
      containment: old().containment,
      journal: old().journal,
      escalation: { clocks: {}, rungs: {} },
      tasks: [],
      reopened: 0,
    });
    const { levers, escalation, wipe } = defaultRules;
    const { onlineGapMs } = defaultRules.configuration;
    const configuration = { ...old().rules.configuration, onlineGapMs };
    expect(upgraded.rules).toEqual({ ...old().rules, configuration, levers, escalation, wipe });
  });

  test('is unheard since its last sighting, or since its opening', () => {
    expect(upgrade(old()).presence).toMatchObject({ unheardSince: old().openedAt, regular: [], heard: {} });
    const last = { at: '2026-11-22T09:00:00.000Z' } as NonNullable<CaseState['presence']['last']>;
    const seen = upgrade(old({ presence: { ...old().presence, last } }));
    expect(seen.presence).toMatchObject({ unheardSince: last.at, last });
  });

  test('knows its pages by the short keys of today', () => {
    expect(upgrade(old()).paged).toEqual([pageHash('chain:stuck:contain')]);
  });

  test('of a version that is not known is refused', () => {
    expect(() => upgrade({ ...old(), schema: caseSchema + 1 } as unknown as CaseState)).toThrow(
      /this version reads 1 to/,
    );
  });
});
