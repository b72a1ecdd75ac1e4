/**
 * A worker that was started again gets a case's last news and a decision at once, the decision first
 * (temporalio/sdk-rust#1146): what follows must be what a replay makes of it.
 */
import { Worker } from '@temporalio/worker';
import { answer, falseAlarm } from '../../workflows/messages';
import { startTestHouse, type TestHouse } from '../setup/test-house';

const bundle = { codePath: process.env.LOST_DEVICE_WORKFLOW_BUNDLE ?? '' };
const protectedUsers = ['user0001@example.test', 'user0002@example.test', 'user0003@example.test'];

let house: TestHouse;
beforeAll(async () => {
  house = await startTestHouse({ guard: { protectedUsers } });
});
afterAll(() => house.close());

test('decided when no worker has the case in memory: the case replays, and goes on to its end', async () => {
  const cases = protectedUsers.map(() => house.laptop());
  for (const { serial, workflowId } of cases) {
    await house.report({ ticket: `T-${serial}`, device: { serial } });
    // Its last words before the decision are archived: that news begins no step.
    await house.untilCase(
      workflowId,
      'asked, and all of it archived',
      ({ questions, journal, notes }) =>
        questions.length > 0 && journal.archived === journal.next - 1 && notes.pending.length === 0,
    );
  }
  const { number } = await house.ticket({});
  const { workflowId: triage } = await house.report({ source: 'servicenow', ticket: number });
  await house.untilTriage(triage, 'a question', ({ question }) => question !== undefined);

  await house.stopWorker();
  await house.startWorkerAgain();
  for (const { workflowId } of cases) await house.decide(workflowId, answer, { value: 'yes' });
  const { serial, workflowId: found } = house.laptop();
  await house.decide(triage, answer, { value: serial });
  for (const workflowId of [...cases.map((laptop) => laptop.workflowId), found]) await house.untilContained(workflowId);

  const histories = [];
  for (const workflowId of [...cases.map((laptop) => laptop.workflowId), triage])
    histories.push({ workflowId, history: await house.handle(workflowId).fetchHistory() });
  for await (const { workflowId, error } of Worker.runReplayHistories({ workflowBundle: bundle }, histories))
    expect({ workflowId, error }).toEqual({ workflowId, error: undefined });

  await house.stopWorker();
  await house.startWorkerAgain();
  for (const { workflowId } of cases) await house.decide(workflowId, falseAlarm, {});
  for (const { workflowId } of cases) expect((await house.untilClosed(workflowId)).outcome).toBe('false alarm');
});
