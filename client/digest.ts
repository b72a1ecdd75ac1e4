/**
 * Reads every case for the digest. A case that does not answer is named in it, and holds up nobody.
 * @module
 */
import { isGrpcDeadlineError, ServiceError } from '@temporalio/client';
import type { CaseState } from '../playbook/case';
import { digestOf, type Digest, type DigestInput } from '../playbook/digest';
import type { CaseClient } from './cases';

/** A case is read from Temporal's memory or replayed by a worker: more at once would only wait for each other. */
const readAtOnce = 10;
/** How long one case, and all of them together, may take (milliseconds). */
const oneWithinMs = 10_000;
const allWithinMs = 60_000;

/** @param options.since ISO 8601: what happened and was closed since then is told. */
export async function readDigest(
  cases: Pick<CaseClient, 'list' | 'show'>,
  { since, tenant }: { since: string; tenant?: string },
): Promise<Digest> {
  const untilMs = Date.now() + allWithinMs;
  const rows = await cases.list({ closedSince: since, ...(tenant !== undefined && { tenant }) });
  const toRead = rows.filter(({ kind, running }) => kind === 'case' || running);
  // What may ask people is read first, for the day on which time does not suffice.
  const left = [true, false].flatMap((open) => toRead.filter(({ outcome }) => (outcome === 'open') === open));
  const read: DigestInput = { cases: [], triages: [], unanswered: [] };
  const readOneByOne = async () => {
    for (let row = left.shift(); row !== undefined; row = left.shift()) {
      const { workflowId, runId, running, device } = row;
      const withinMs = Math.min(oneWithinMs, Math.max(1, untilMs - Date.now()));
      try {
        const state = await cases.show(workflowId, { withinMs, ...(!running && { runId }) });
        if (isCase(state)) read.cases.push(state);
        else read.triages.push(state);
      } catch (error) {
        read.unanswered.push({ workflowId, ...(device !== undefined && { device }), why: whyNot(error) });
      }
    }
  };
  await Promise.all(Array.from({ length: readAtOnce }, readOneByOne));
  return digestOf(read, { since, now: new Date().toISOString() });
}

const isCase = (state: Awaited<ReturnType<CaseClient['show']>>): state is CaseState => !('kind' in state);

function whyNot(error: unknown): string {
  const cause = error instanceof ServiceError ? error.cause : error;
  if (isGrpcDeadlineError(cause)) return 'No answer in time: is a worker running, or is the case frozen?';
  return cause instanceof Error ? cause.message : String(cause);
}
