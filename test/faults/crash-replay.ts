/**
 * What a run left behind is replayed: a worker that took news in an order that no replay makes goes on for now, and the
 * next one stands still in that case.
 * @module
 */
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { type History, historyToJSON } from '@temporalio/common/lib/proto-utils';
import { Worker } from '@temporalio/worker';
import { workflowBundles } from '../../worker';

/**
 * Replays every run of every workflow. A sentence for each that contradicts the code, with the file where its history is kept.
 * @param build folder of the published program.
 * @param run names what is kept, for instance `seed-7`.
 */
export async function replayAll(client: Client, build: string, run: string): Promise<string[]> {
  const wrong: string[] = [];
  let current: { name: string; history: History } | undefined;
  // One is held at a time: a result is always about the one that was given last.
  async function* read() {
    for await (const { workflowId, runId, type } of client.workflow.list()) {
      const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
      current = { name: `${type} ${workflowId} ${runId}`, history };
      yield { workflowId, history };
    }
  }
  const code = { workflowBundle: { codePath: join(build, workflowBundles.clear) } };
  for await (const { error } of Worker.runReplayHistories(code, read())) {
    if (error === undefined || current === undefined) continue;
    const file = join(tmpdir(), `${run} ${current.name}.json`.replaceAll(/[^\w.-]+/g, '-'));
    writeFileSync(file, historyToJSON(current.history));
    wrong.push(`${current.name} does not replay: ${error.message.split('\n')[0] ?? ''} (kept in ${file})`);
  }
  return wrong;
}
