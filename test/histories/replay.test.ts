/**
 * Cases that earlier versions began are replayed with today's workflows: a step that comes in another order than it did
 * would leave every open case standing still.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils';
import { Worker } from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';
import * as workflows from '../../workflows';
import '../setup/time-skipping'; // It sets the SDK's log level, once per process.

interface Recorded {
  name: string;
  workflowId: string;
  history: { events: Record<string, unknown>[] };
}

const folder = join(__dirname, 'recorded');
/** One folder for each state of the workflows that landed. */
const recorded = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.json'))
  .map((file) => ({ name: file.replace('.json', ''), text: readFileSync(join(folder, file), 'utf8') }));
const read = ({ name, text }: { name: string; text: string }) => ({ name, ...JSON.parse(text) }) as Recorded;

/** What goes wrong when these are replayed, by name. */
async function replay(histories: Recorded[]): Promise<Record<string, Error>> {
  const errors: Record<string, Error> = {};
  const results = Worker.runReplayHistories(
    { workflowBundle: { codePath: process.env.LOST_DEVICE_WORKFLOW_BUNDLE ?? '' } },
    histories.map(({ workflowId, history }) => ({ workflowId, history: historyFromJSON(history) })),
  );
  let index = 0;
  for await (const { error } of results) {
    const name = histories[index++]?.name ?? '';
    if (error) errors[name] = error;
  }
  expect(index).toBe(histories.length);
  return errors;
}

test('every workflow has a recorded history', () => {
  const types = recorded.map(read).map(({ history }) => {
    const started = history.events[0]?.workflowExecutionStartedEventAttributes as { workflowType: { name: string } };
    return started.workflowType.name;
  });
  expect([...new Set(types)].sort()).toEqual(Object.keys(workflows).sort());
});

test('all of them replay', async () => {
  expect(await replay(recorded.map(read))).toEqual({});
});

test('a history of a case that did something else does not', async () => {
  const other = read(recorded.find(({ name }) => name.endsWith('/case-asked'))!);
  const scheduled = other.history.events.find((event) => 'activityTaskScheduledEventAttributes' in event);
  (scheduled!.activityTaskScheduledEventAttributes as { activityType: { name: string } }).activityType.name = 'wipe';
  const errors = await replay([other]);
  expect(errors[other.name]).toBeInstanceOf(DeterminismViolationError);
});

test('no secret ever came into a history', () => {
  const secrets = [
    'sim-netskope-v2-token',
    'sim-netskope-v1-token',
    'sim-servicenow-password',
    'sim-entra-secret',
    'whsec_',
  ];
  for (const { name, text } of recorded) {
    const clear = payloadsOf(JSON.parse(text)).join('\n');
    expect({ name, readable: clear.includes('acme') }).toEqual({ name, readable: true });
    expect({ name, found: secrets.filter((secret) => `${text}\n${clear}`.includes(secret)) }).toEqual({
      name,
      found: [],
    });
  }
});

/** Payloads are in base64. */
function payloadsOf(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === 'data' && typeof inner === 'string' ? [Buffer.from(inner, 'base64').toString('utf8')] : payloadsOf(inner),
  );
}
