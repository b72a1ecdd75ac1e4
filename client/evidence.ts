/**
 * What the archive holds of a laptop's losses: evidence, what was there before the first change, and what says that a wipe
 * left. Read from the archive alone, so it needs no worker, and outlives Temporal's own memory of the case.
 * @module
 */
import type { z } from 'zod';
import { archiveKeys } from '../playbook/archive-keys';
import type { evidenceListSchema } from '../playbook/schemas/answers';
import type { Archive } from '../plugins/roles';
import { RefusedByRule } from './cases';

export type EvidenceRow = z.infer<typeof evidenceListSchema>[number];

/** How long the archive may take (milliseconds). */
const answerWithinMs = 30_000;
const call = () => ({ signal: AbortSignal.timeout(answerWithinMs), now: new Date().toISOString() });

/** Everything of every loss of this laptop, sorted by its key. @throws PlaybookError when the archive cannot be read. */
export async function listEvidence(archive: Pick<Archive, 'list'>, workflowId: string): Promise<EvidenceRow[]> {
  const keys = await archive.list(archiveKeys.losses(workflowId), call());
  return keys.map((key) => ({ key, kind: kindOf(key) }));
}

/**
 * One of these files, as text.
 * @param name The end of its key, or all of it.
 * @throws RefusedByRule when it is not exactly one.
 */
export async function readEvidence(
  archive: Pick<Archive, 'list' | 'get'>,
  workflowId: string,
  name: string,
): Promise<string> {
  const rows = await listEvidence(archive, workflowId);
  const [only, ...others] = rows.filter(({ key }) => key === name || key.endsWith(`/${name}`));
  if (only === undefined)
    throw new RefusedByRule(`Nothing of ${workflowId} in the archive ends with ${name}: \`evidence\` lists it.`);
  if (others.length > 0)
    throw new RefusedByRule(
      `${name} fits ${others.length + 1} files: ${[only, ...others].map(({ key }) => key).join(', ')}. Give the whole key.`,
    );
  return Buffer.from((await archive.get(only.key, call())) ?? []).toString('utf8');
}

/** By the part of the key behind the case's own. */
function kindOf(key: string): EvidenceRow['kind'] {
  const [folder = ''] = key.split('/').slice(2);
  return kinds[folder] ?? 'other';
}

const kinds: Record<string, EvidenceRow['kind']> = {
  'baseline.json': 'baseline',
  evidence: 'evidence',
  wipe: 'wipe intent',
  journal: 'journal',
  'closing-report.json': 'closing report',
};
