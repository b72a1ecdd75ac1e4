/**
 * A year of one case: long silences, short visits, ten thousand signs of the device, each told more than once. What the
 * case keeps stays bounded, and every sign is in the archive once.
 */
import { caseBudgetBytes } from '../../playbook/case';
import type { Sighting } from '../../playbook/sighting';
import { deviceSeen } from '../../workflows/messages';
import { seeded } from '../setup/seeded';
import { startTestHouse, type TestHouse } from '../setup/test-house';
import { fastForward } from '../setup/time-skipping';

let house: TestHouse;
beforeAll(async () => {
  // The watch has nothing to say: the signs of this case are told by the test.
  house = await startTestHouse({
    with: { entra: false, servicenow: false },
    pollEveryMs: 60_000,
    // Nobody here closes a task or mends what is overdue: only silence is told, once each time.
    rules: {
      escalation: {
        tasks: [],
        ladder: [
          { name: 'lost-mode', when: 'silent', afterMs: '1d', propose: 'lost mode' },
          { name: 'write-off', when: 'silent', afterMs: '7d', propose: 'write-off' },
          { name: 'proposal', when: 'proposal', afterMs: 0 },
        ],
      },
    },
  });
});
afterAll(() => house.close());

const dayMs = 24 * 60 * 60_000;
const yearMs = 365 * dayMs;
const signs = 10_000;
const visits = 40;
/** The server suggests a new run at 4,096 events; one visit more may come before it is quiet. */
const mostEvents = 4_096 + 1_000;

test('a year of silence with 10,000 sightings: bounded, and each in the archive once', async () => {
  const random = seeded(2026);
  const { serial, hostname, user, workflowId } = house.laptop();
  await house.report({ ticket: 'YEAR-1', device: { serial } });
  await house.untilContained(workflowId);
  await house.untilCase(workflowId, 'first look taken', ({ presence }) => presence.firstLookAt !== undefined);
  const handle = house.handle(workflowId);

  const leaps = Array.from({ length: visits }, () => random());
  const sum = leaps.reduce((total, leap) => total + leap, 0);
  const runs = new Set<string>();
  const most = { bytes: 0, events: 0 };
  const rss: number[] = [];
  let told = 0;
  let overlap: Sighting[] = [];
  for (const [visit, leap] of leaps.entries()) {
    const nowMs = await fastForward(handle, `visit ${visit + 1}`, Math.round((leap / sum) * yearMs));
    const news = Array.from({ length: Math.round(((visit + 1) * signs) / visits) - told }, (_, n): Sighting => {
      const at = new Date(nowMs - Math.floor(random() * 60 * 60_000)).toISOString();
      return {
        id: `sign ${told + n}`,
        at,
        source: 'netskope',
        feed: 'client-status',
        evidence: 'client',
        match: 'device',
        device: { serial, hostname, user },
        what: `Sign ${told + n}`,
        publicAddress: `203.0.113.${visit % 200}`,
        place: { city: `Town ${visit}`, country: 'NL' },
        client: 'enabled',
        steeringConfig: 'Default tenant config',
      };
    });
    told += news.length;
    // Feeds overlap: what was told in the last read is told again.
    const batch = [...overlap, ...news];
    for (let first = 0; first < batch.length; first += 50)
      await handle.signal(deviceSeen, { feed: 'netskope/client-status', sightings: batch.slice(first, first + 50) });
    overlap = news.slice(-30);
    const state = await house.untilCase(
      workflowId,
      'all of it taken in and archived',
      ({ presence, journal }) => presence.count >= told && journal.archived === journal.next - 1,
    );
    const { historyLength, runId } = await handle.describe();
    runs.add(runId);
    most.bytes = Math.max(most.bytes, Buffer.byteLength(JSON.stringify(state)));
    most.events = Math.max(most.events, historyLength);
    rss.push(process.memoryUsage().rss);
  }

  const state = await house.untilCase(workflowId, 'there', () => true);
  const entries = await house.journal(state.chain);
  const archived = entries.flatMap(({ text }) => /: (Sign \d+)\.$/.exec(text)?.[1] ?? []);
  const mb = (bytes: number) => Math.round(bytes / 1024 / 1024);
  process.stderr.write(
    `a year: ${told} signs, ${runs.size} runs seen, at most ${most.events} events, state at most ${most.bytes} bytes, ` +
      `${entries.length} journal entries, memory ${mb(rss[3] ?? 0)} MB after a tenth, ${mb(rss.at(-1) ?? 0)} MB at the end\n`,
  );
  expect(told).toBe(signs);
  expect(entries.map(({ n }) => n)).toEqual(entries.map((_, index) => index + 1));
  expect(new Set(archived).size).toBe(signs);
  expect(archived).toHaveLength(signs);
  expect(most.bytes).toBeLessThan(caseBudgetBytes);
  expect(most.events).toBeLessThan(mostEvents);
  expect(runs.size).toBeGreaterThan(1);
  // What was silent for long enough was proposed, and nobody was asked twice at once.
  expect(entries.some(({ text }) => text.startsWith('Asked:'))).toBe(true);
  expect(await house.wrongs()).toEqual([]);
}, 600_000);
