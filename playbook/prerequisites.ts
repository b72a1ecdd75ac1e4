/**
 * What must be so before a laptop is lost, and what follows when it is not. Pure.
 *
 * A prerequisite is read at its vendor, read here, or attested: no API shows it, so a person looks, says what was seen, and
 * until when that counts.
 * @module
 */

/** One thing that must be so. */
export interface Prerequisite {
  /** The same for ever: attestations and the tenant's papers are kept under it. */
  id: string;
  title: string;
  /** What goes wrong without it, in one sentence. */
  neededFor: string;
  /** What follows when it is not so. */
  serious: 'stops' | 'warns';
  /** The page of the console, or the setting, where it is set. */
  setAt: string;
  /** Read at the vendor by API; read here (settings, disks, mail, Temporal); or attested by a person. */
  how: 'vendor' | 'here' | 'person';
  /**
   * Read by asking the vendor for a change of something that does not exist: no reading shows that permission. A look that is
   * read only leaves it out, and an attestation counts.
   */
  probes?: true;
}

/** What a look at it found. */
export interface Finding {
  /** `not readable`: our credential may not see it, so an attestation counts. */
  is: 'well' | 'lacking' | 'not readable' | 'not looked at';
  /** One sentence; for what is lacking with its remedy. */
  says: string;
  /** Lacking, and yet nothing stops: more to know than to mend. */
  serious?: 'warns';
  /** The vendor is away: that says nothing about the tenant. */
  passing?: true;
}

/** A person looked where no API does. The newest one of a prerequisite counts. */
export interface Attestation {
  id: string;
  /** False: it is not so. */
  holds: boolean;
  who: string;
  /** ISO 8601. */
  at: string;
  /** What was looked at: a ticket, a screenshot's place, a sentence. */
  evidence: string;
  /** ISO 8601. It counts until then. */
  expiresAt: string;
}

/** A line of the check. */
export interface Judged extends Prerequisite {
  /** The product's name in the settings, or `settings` for what belongs to none. */
  of: string;
  result: 'well' | 'warns' | 'stops';
  says: string;
  attestation?: Attestation;
  passing?: true;
}

/**
 * What follows from a look and an attestation. What is read goes before what was attested; a missing attestation warns, one that
 * says no or has expired stops: somebody knew, and it is not so any more.
 * @param finding Undefined for what only a person can see.
 */
export function judge(
  prerequisite: Prerequisite & { of: string },
  finding: Finding | undefined,
  attestation: Attestation | undefined,
  nowMs: number,
): Judged {
  const line = { ...prerequisite, ...(attestation && { attestation }) };
  if (finding?.is === 'well') return { ...line, result: 'well', says: finding.says };
  if (finding?.is === 'lacking') {
    const result = finding.serious ?? prerequisite.serious;
    return { ...line, result, says: finding.says, ...(finding.passing && { passing: true as const }) };
  }
  if (finding?.is === 'not looked at') return { ...line, result: 'warns', says: finding.says, passing: true };
  const unread = finding === undefined ? '' : `${finding.says} `;
  if (attestation === undefined)
    return {
      ...line,
      result: 'warns',
      says: `${unread}Nobody has attested it: look there, then \`lost-device attest\`.`,
    };
  const { holds, who, at, evidence, expiresAt } = attestation;
  const seen = `${who} looked on ${at.slice(0, 10)}: ${evidence}`;
  if (!holds) return { ...line, result: 'stops', says: `${unread}It is not so. ${seen}` };
  if (Date.parse(expiresAt) <= nowMs)
    return { ...line, result: 'stops', says: `${unread}Its attestation expired on ${expiresAt.slice(0, 10)}. ${seen}` };
  return { ...line, result: 'well', says: `${unread}${seen} (good until ${expiresAt.slice(0, 10)})` };
}

/** What the daily look remembers. */
export interface CheckRecord {
  /** ISO 8601. */
  at: string;
  /** By product and id. */
  results: Record<string, Judged['result']>;
  /** What was well once and is not any more. */
  drifted: { key: string; title: string; says: string }[];
}

/**
 * The record of a look, after the one before. What was never well is no drift: the check says it, and nobody is called. A vendor
 * that is away leaves everything as it was.
 */
export function nextRecord(before: CheckRecord | undefined, lines: Judged[], at: string): CheckRecord {
  const record: CheckRecord = { at, results: {}, drifted: [] };
  for (const { of, id, title, setAt, says, result, passing } of lines) {
    const key = `${of}/${id}`;
    const known = before?.drifted.find((one) => one.key === key);
    if (passing) {
      const earlier = before?.results[key];
      if (earlier !== undefined) record.results[key] = earlier;
      if (known) record.drifted.push(known);
      continue;
    }
    record.results[key] = result;
    if (result !== 'well' && (known || before?.results[key] === 'well'))
      record.drifted.push({ key, title, says: `${of}: ${title}. ${says} (${setAt})` });
  }
  return record;
}

/** What belongs to no product. */
export const ownPrerequisites = {
  archive: {
    id: 'archive-writable',
    title: 'The archive takes papers',
    neededFor: 'Nothing is changed before what was there is written down: without the archive nothing is contained.',
    serious: 'stops',
    setAt: 'plugins: the archive, and the rights of our account there',
    how: 'here',
  },
  secretStore: {
    id: 'secret-store',
    title: 'The secret store keeps PINs',
    neededFor: 'No Mac is wiped or locked before its PIN is kept.',
    serious: 'stops',
    setAt: 'plugins: the secret store, its keys and the rights of our account there',
    how: 'here',
  },
  approvers: {
    id: 'approvers',
    title: 'Two persons or more may approve a wipe',
    neededFor: 'Who asks for a wipe cannot approve it: with fewer than two no wipe leaves.',
    serious: 'stops',
    setAt: 'tenants.<tenant>.wipe.approvers',
    how: 'here',
  },
  people: {
    id: 'somebody-to-page',
    title: 'Somebody is called',
    neededFor: 'A case that needs a decision, or goes wrong, calls nobody.',
    serious: 'warns',
    setAt: 'tenants.<tenant>.plugins (a notifier), people and onCall',
    how: 'here',
  },
  attributes: {
    id: 'search-attributes',
    title: 'Temporal has our search attributes',
    neededFor: 'No case starts, and none is found, without them.',
    serious: 'stops',
    setAt: 'temporal.address, and the search attributes of its namespace',
    how: 'here',
  },
  dryRun: {
    id: 'dry-run-off',
    title: 'Real wipes leave',
    neededFor: 'In a dry run no wipe, lock or isolation leaves; all the rest is real.',
    serious: 'warns',
    setAt: 'tenants.<tenant>.wipe.dryRun',
    how: 'here',
  },
  sites: {
    id: 'company-addresses',
    title: 'The addresses of the company are known',
    neededFor: 'A laptop that lies in the office looks like any other, and may be wiped.',
    serious: 'warns',
    setAt: 'tenants.<tenant>.sites',
    how: 'here',
  },
} as const satisfies Record<string, Prerequisite>;
