/**
 * Where things lie in the archive. Everything of a case hangs on its chain, so that a second loss of the same laptop
 * never meets the papers of the first.
 * @module
 */
import type { TicketRef } from './report';
import { shortHash } from './short-hash';

/** Readable, and safe for every file system and object store. */
const spell = (text: string) =>
  text.replace(/[^A-Za-z0-9.-]/g, (character) => `_${character.charCodeAt(0).toString(16)}_`).replace(/^\./, '_2e_');

/** What of a long text is kept as it is. */
const keptLetters = 100;

/** One segment of a key: never two texts on one segment. */
function segment(text: string): string {
  const safe = spell(text);
  return safe.length <= 120 ? safe : `${safe.slice(0, keptLetters)}_${shortHash(text)}`;
}

const number = (n: number) => String(n).padStart(8, '0');

export const archiveKeys = {
  /** What the keys of all losses of one laptop begin with: a chain is the workflow id, a tilde and a run id. */
  losses: (workflowId: string) => `cases/${spell(`${workflowId}~`).slice(0, keptLetters)}`,
  journal: (chain: string, first: number, last: number) =>
    `cases/${segment(chain)}/journal/${number(first)}-${number(last)}.json`,
  /** What was there before the first change, written down before that change is sent. */
  baseline: (chain: string) => `cases/${segment(chain)}/baseline.json`,
  evidence: (chain: string, n: number) => `cases/${segment(chain)}/evidence/${number(n)}.json`,
  /** Written before a wipe leaves: whoever finds it there must not send. */
  wipeIntent: (chain: string, permit: string) => `cases/${segment(chain)}/wipe/${segment(permit)}.json`,
  report: (chain: string) => `cases/${segment(chain)}/closing-report.json`,
  /** When a notifier told an alarm: what it told lately is not told again. */
  alarm: (alarm: string, notifier: string, at: string) => `${archiveKeys.alarms(alarm, notifier)}${segment(at)}.json`,
  alarms: (alarm: string, notifier: string) => `alarms/${segment(alarm)}/${segment(notifier)}/`,
  /** What a person saw where no API looks. */
  attestation: (id: string, at: string) => `${archiveKeys.attestations}${segment(id)}/${segment(at)}.json`,
  attestations: 'attestations/',
  /** What the daily look at the prerequisites found. */
  check: (at: string) => `${archiveKeys.checks}${segment(at)}.json`,
  checks: 'checks/daily/',
  /** A paper that only proves that papers are taken. */
  tried: (at: string) => `checks/tried/${segment(at)}.json`,
  closing: (ticket: TicketRef) => `closings/${segment(ticket.source)}/${segment(ticket.id)}.json`,
};
