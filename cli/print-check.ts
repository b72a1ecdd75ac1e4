/**
 * What `check`, `attest` and `exceptions` print.
 * @module
 */
import type { z } from 'zod';
import type { Attestation, Prerequisite } from '../playbook/prerequisites';
import type { checkSchema, exceptionsSchema, prerequisiteListSchema } from '../playbook/schemas/preflight';
import { section, table, text } from './print';

type Line = z.infer<typeof checkSchema>[number];
type Row = z.infer<typeof prerequisiteListSchema>[number];

const order = { stops: 0, warns: 1, well: 2 };
const words = { stops: 'STOPS', warns: 'warns', well: 'well' };

/** What stops first; below the table, where each of those is set and what it is needed for. */
export function printCheck(lines: Line[]): string {
  const sorted = [...lines].sort((one, other) => order[one.result] - order[other.result]);
  const stops = sorted.filter(({ result }) => result === 'stops');
  const warns = sorted.filter(({ result }) => result === 'warns');
  return text([
    ...table([
      ['', 'ID', 'OF', 'WHAT MUST BE SO', 'FOUND'],
      ...sorted.map(({ result, id, tenant, of, title, says }) => [words[result], id, `${tenant}/${of}`, title, says]),
    ]),
    ...section(
      'Stops the playbook',
      stops.map(({ id, neededFor, setAt }) => `${id}: set at ${setAt}. ${neededFor}`),
    ),
    '',
    stops.length > 0
      ? `${stops.length} of ${lines.length} would stop the playbook.`
      : `Nothing of ${lines.length} would stop the playbook${warns.length > 0 ? `; ${warns.length} to look at` : ''}.`,
  ]);
}

const hows = { vendor: 'read by API', here: 'read here', person: 'attested' };

/** The list without a look. */
export function printPrerequisites(rows: Row[]): string {
  return text(
    table([
      ['ID', 'OF', 'HOW', 'IF NOT', 'WHAT MUST BE SO', 'SET AT'],
      ...rows.map(({ id, tenant, of, how, probes, serious, title, setAt }) => [
        id,
        `${tenant}/${of}`,
        probes ? 'probed' : hows[how],
        serious,
        title,
        setAt,
      ]),
    ]),
  );
}

/** What was written down. */
export function printAttestation({ title }: Prerequisite, { holds, who, expiresAt }: Attestation): string {
  return text([
    `${holds ? 'Attested' : 'Attested that it is NOT so'} by ${who} until ${expiresAt.slice(0, 10)}: ${title}.`,
  ]);
}

/** One row for each host. */
export function printExceptions(rows: z.infer<typeof exceptionsSchema>): string {
  if (rows.length === 0) return 'No agent of these products needs an exception.';
  return text(table([['HOST', 'VENDOR', 'REGION', 'SOURCE', 'DATE'], ...rows.map((row) => exceptionCells(row))]));
}

/** In the order of the columns. */
export const exceptionCells = ({ host, vendor, region, source, date }: z.infer<typeof exceptionsSchema>[number]) => [
  host,
  vendor,
  region,
  source,
  date,
];
