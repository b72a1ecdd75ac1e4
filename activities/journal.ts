/**
 * Steps towards the archive: the journal in numbered batches, and the closing record.
 * @module
 */
import { archiveKeys } from '../playbook/archive-keys';
import type { ClosingRecord, JournalEntry } from '../playbook/case';
import { callAt } from './call';
import type { House } from './house';

const bytesOf = (value: unknown) => Buffer.from(`${JSON.stringify(value, undefined, 2)}\n`, 'utf8');

export function createJournalActivities(house: House) {
  /** Create-if-absent under chain and numbers, so a repeat writes nothing new. */
  async function archiveJournal(input: {
    tenant: string;
    now: string;
    chain: string;
    entries: JournalEntry[];
  }): Promise<void> {
    const first = input.entries[0]?.n;
    const last = input.entries.at(-1)?.n;
    if (first === undefined || last === undefined) return;
    const { archive } = house.tenant(input.tenant);
    await archive.putOnce(archiveKeys.journal(input.chain, first, last), bytesOf(input.entries), callAt(input.now));
  }

  /** The closing record under each ticket, so that none of them starts a case again by itself, and the closing report. */
  async function archiveClosing(input: {
    tenant: string;
    now: string;
    record: ClosingRecord;
    report: unknown;
  }): Promise<void> {
    const { archive } = house.tenant(input.tenant);
    const call = callAt(input.now);
    for (const ticket of input.record.tickets) {
      await archive.putOnce(archiveKeys.closing(ticket), bytesOf(input.record), call);
    }
    await archive.putOnce(archiveKeys.report(input.record.chain), bytesOf(input.report), call);
  }

  return { archiveJournal, archiveClosing };
}
