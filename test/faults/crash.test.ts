/**
 * Killed at random moments, again and again: no case lost, every outcome as it would have been, nothing done twice, no
 * answered webhook forgotten. `npm run test:faults` says how many runs; one alone: `npm run test:faults -- --seed 7`.
 */
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { runTool } from '../../setup/run-tool';
import { openCrashHouse } from './crash-house';
import { playRun } from './crash-run';
import { laptopAt, openCrashWorld } from './crash-world';

const root = join(__dirname, '..', '..');
const cases = 50;
const kills = 6;
const runWithinMs = 25 * 60_000;

/** First and last seed, for instance `1-20`. */
const [first = 1, last = first] = (process.env.CRASH_SEEDS ?? '1').split('-').map(Number);
const seeds = Array.from({ length: last - first + 1 }, (_, index) => first + index);

/** What is killed is what is published. Below `node_modules`, because its packages are found from there. */
const caches = join(root, 'node_modules', '.cache');
let folder: string | undefined;
const built = (async () => {
  mkdirSync(caches, { recursive: true });
  folder = mkdtempSync(join(caches, 'crash-'));
  const { ok, output } = await runTool('tsx', ['setup/build.ts', folder]);
  if (!ok) throw new Error(`The program could not be built: ${output}`);
  return folder;
})();
built.catch(() => undefined);

afterAll(() => {
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});

// Side by side: a run mostly waits for the time-outs after which the server misses what was killed.
test.concurrent.each(seeds)(
  `seed %d: ${cases} cases, ${kills} kills`,
  async (seed) => {
    const build = await built;
    const run = await playRun({ build, seed, cases, kills });
    const alone = run.diedAlone > 0 ? `, ${run.diedAlone} programs ended by themselves` : '';
    const lines = [
      `seed ${seed}: ${run.kills} kills, ${run.seconds} s: ${run.cases} cases, ${run.webhooks} answered webhooks, ` +
        `${run.changes} changes at vendors, ${run.notes} notes, ${run.entries} journal entries${alone}: ` +
        (run.wrong.length === 0 ? 'nothing lost, nothing twice' : `${run.wrong.length} WRONG`),
      ...run.wrong.map((sentence) => `  ${sentence}`),
      ...(run.wrong.length > 0 ? [`  alone: npm run test:faults -- --seed ${seed}`] : []),
    ];
    // People watch long work: a line for each run as it ends, and not when all have.
    process.stderr.write(`${lines.join('\n')}\n`);
    expect(run.wrong).toEqual([]);
  },
  runWithinMs,
);

test.concurrent(
  'while Temporal is away the sender is asked to come again; one that never does is found by reconciliation',
  async () => {
    const house = await openCrashHouse({ build: await built, seed: 1, laptops: 1, reconcileEvery: '2s' });
    const wrong: string[] = [];
    const world = openCrashWorld(house, (sentence) => wrong.push(sentence));
    try {
      const { serial, user, workflowId } = laptopAt(0);
      await house.kill('temporal');
      const { number } = await house.control<{ number: string }>('POST', 'tickets', {
        category: 'equipment_loss',
        u_serial: serial,
        caller: user,
        description: 'kind: stolen',
      });
      const answer = await house.post('servicenow', `msg_${randomUUID()}`, { ticket: number });
      expect(answer).toEqual({ status: 503, retryAfter: '30' });

      // Its last try goes on behind the answer; the report dies with it.
      await house.kill('intake');
      await house.startAgain('temporal');
      await world.untilListed(workflowId, 'contained', ({ containment }) => containment === 'contained');
      const { tickets, deliveries } = await world.show(workflowId);
      expect(tickets.map(({ id }) => id)).toEqual([number]);
      expect(deliveries).toEqual([`reconciliation:servicenow:${number}`]);
      expect(wrong).toEqual([]);
    } finally {
      await world.close();
      await house.close();
    }
  },
  600_000,
);
