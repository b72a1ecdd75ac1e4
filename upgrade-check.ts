/**
 * Before a new version runs: would every open workflow go on with it? Each history is replayed by the code of this
 * version, and nothing is sent anywhere. A workflow whose history this code contradicts would stand still under it.
 *
 * What a replay cannot see: steps whose input changed, and what this version will do later.
 * @module
 */
import type { Client } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/client';
import type { History } from '@temporalio/common/lib/proto-utils';
import { Worker } from '@temporalio/worker';
import type { z } from 'zod';
import type { upgradeCheckSchema } from './playbook/schemas/answers';
import { workflowCode } from './worker';
import { activityPrefix } from './workflows/activity-names';
import { taskQueues } from './workflows/ids';

export type UpgradeRow = z.infer<typeof upgradeCheckSchema>[number];

/** By queue, not by name: a workflow that this version does not know any more is found as well. */
const openOnes = `ExecutionStatus = 'Running' AND TaskQueue = '${taskQueues.main}'`;
/** How long the server may take for one history (milliseconds). */
const historyWithinMs = 30_000;

const kinds: Record<string, string> = {
  lostDevice: 'case',
  triage: 'triage',
  userHold: 'user hold',
  guard: 'guard',
  fleetWatch: 'fleet watch',
  reconciliation: 'reconciliation',
};

/** About how many there are to check. Visibility lags a moment behind. */
export async function countOpen(client: Client): Promise<number> {
  return (await client.workflow.count(openOnes)).count;
}

/**
 * One row for each open workflow, in the order in which they were started, newest first. One history is held at a time; each takes
 * about a tenth of a second.
 * @param bundlePath Prebuilt workflow bundle of the version that is checked; this version's own when left out.
 * @throws When Temporal does not answer.
 */
export async function* checkUpgrade(client: Client, bundlePath?: string): AsyncGenerator<UpgradeRow> {
  let current: { workflowId: string; kind: string; history: History } | undefined;
  async function* histories() {
    for await (const { workflowId, type } of client.workflow.list({ query: openOnes })) {
      const history = await newestHistory(client, workflowId);
      if (history === undefined) continue;
      current = { workflowId, kind: kinds[type] ?? type, history };
      yield { workflowId, history };
    }
  }
  // One after the other: a result is always about the history that was given last.
  const { dataConverter = {} } = client.options;
  const code = { dataConverter, ...workflowCode(dataConverter, bundlePath) };
  for await (const { error } of Worker.runReplayHistories(code, histories())) {
    if (current === undefined) continue;
    const { workflowId, kind, history } = current;
    const known = { workflowId, kind, events: history.events?.length ?? 0 };
    yield error ? { ...known, goesOn: false, ...whyNot(error, history) } : { ...known, goesOn: true };
  }
}

/** Of the newest run: since it was listed, it may have gone on as a new one. Undefined when it was removed. */
async function newestHistory(client: Client, workflowId: string): Promise<History | undefined> {
  try {
    return await client.withDeadline(Date.now() + historyWithinMs, () =>
      client.workflow.getHandle(workflowId).fetchHistory(),
    );
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}

type Reason = Required<Pick<UpgradeRow, 'because' | 'todo'>>;

const keepOld = 'Keep the old version running, and report it';
const needsPatched = `${keepOld}: in this one the change must stand behind \`patched\`.`;

/** What the SDK's core says, in our words. Its sentences were read from 1.24; another one is passed on as it is. */
function whyNot(error: Error, history: History): Reason {
  const said = coreMessage(error);
  const [, newer] = /patch marker encountered for change ([^,]+),/.exec(said) ?? [];
  if (newer !== undefined)
    return {
      because: `A newer version with the change "${newer}" has worked on it, and this version does not know that change.`,
      todo: 'Do not go back behind the version that has it.',
    };
  const [, eventId, eventType = ''] = /HistoryEvent\(id: (\d+), (\w+)\)/.exec(said) ?? [];
  if (eventId !== undefined) {
    const does = said.startsWith('No command') ? 'does nothing' : 'does something else';
    const what = `${spoken(eventType)}${stepOf(history, Number(eventId))}`;
    return { because: `Event ${eventId} of its history is ${what}, where this version ${does}.`, todo: needsPatched };
  }
  const [, was, is] = /'([^']+)' does not match .*'([^']+)'/.exec(said) ?? [];
  if (was !== undefined && is !== undefined)
    return { because: `Its history has ${bare(was)}, where this version has ${bare(is)}.`, todo: needsPatched };
  const [, unknown] = /workflow of type '([^']+)'/.exec(said) ?? [];
  if (unknown !== undefined)
    return { because: `This version has no workflow ${unknown}.`, todo: `${keepOld}: this one lacks it.` };
  return { because: `This version fails in it: ${said}.`, todo: `${keepOld}: this one has a mistake.` };
}

/** The sentence inside what core prints of its failure: the first line, without codes and stack. */
function coreMessage({ message }: Error): string {
  const [, quoted] = /message: "((?:[^"\\]|\\.)*)"/.exec(message) ?? [];
  const whole = quoted?.replace(/\\(.)/g, (_, letter: string) => (letter === 'n' ? '\n' : letter)) ?? message;
  const [first = ''] = whole.split('\n');
  return first
    .replace(/^(\[TMPRL\d+\] )?(Nondeterminism error|Unhandled Promise rejection): /, '')
    .replace(/[.!]$/, '');
}

/** `ActivityTaskScheduled`: activity task scheduled. */
const spoken = (eventType: string) => eventType.replace(/(?!^)[A-Z]/g, (letter) => ` ${letter}`).toLowerCase();

function stepOf(history: History, eventId: number): string {
  const event = history.events?.find((one) => Number(one.eventId) === eventId);
  const name = event?.activityTaskScheduledEventAttributes?.activityType?.name;
  return name ? ` (the step ${bare(name)})` : '';
}

const bare = (name: string) => name.replace(activityPrefix, '');
