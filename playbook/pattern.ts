/**
 * The pattern alarm: several losses in one site, one team or one hour are more than bad luck. Pure: the same openings give
 * the same alarms.
 * @module
 */
import { duration } from './clock-time';

/** A case that was opened in the window; false alarms and moved cases are left out by whoever asks. */
export interface Opening {
  /** Names the device: opened twice, it counts once. */
  workflowId: string;
  /** What people call the device. */
  device: string;
  /** ISO 8601. */
  at: string;
  site?: string;
  team?: string;
}

export interface Pattern {
  /** The same for the same site, team or hour rule, whichever cases make it: it is said once a day. */
  name: string;
  /** A few words for a subject. */
  about: string;
  /** One sentence that names the cases. */
  says: string;
}

const hourMs = 60 * 60_000;
const namedAtMost = 10;

/**
 * Sites first, then teams, then the hour; what an earlier one tells of the same cases is not told again.
 * @param losses So many in one place are a pattern.
 * @param withinMs The window from which the openings come (milliseconds), for the sentence; where it is shorter than an
 * hour, it is also the hour.
 */
export function findPatterns(
  openings: Opening[],
  { losses, withinMs }: { losses: number; withinMs: number },
): Pattern[] {
  const once = [...new Map(openings.map((opening) => [opening.workflowId, opening])).values()].sort(
    (a, b) => Date.parse(a.at) - Date.parse(b.at),
  );
  const candidates = [
    ...groups(once, 'site', withinMs),
    ...groups(once, 'team', withinMs),
    busiestSpan(once, Math.min(hourMs, withinMs)),
  ];
  const found: Candidate[] = [];
  for (const candidate of candidates) {
    const { cases } = candidate;
    if (cases.length < losses) continue;
    if (found.some((earlier) => cases.every((opening) => earlier.cases.includes(opening)))) continue;
    found.push(candidate);
  }
  return found.map(({ name, about, cases, where }) => ({
    name,
    about,
    says: `${cases.length} laptops were reported lost ${where}: ${listed(cases)}.`,
  }));
}

interface Candidate {
  name: string;
  about: string;
  cases: Opening[];
  where: string;
}

/** Names are written by people: capitals and blanks make no other site. */
function groups(openings: Opening[], by: 'site' | 'team', withinMs: number): Candidate[] {
  const found = new Map<string, Candidate>();
  for (const opening of openings) {
    const value = opening[by]?.trim();
    if (!value) continue;
    const key = value.toLowerCase();
    const about = `${by} ${value}`;
    const group = found.get(key) ?? {
      name: `${by}:${key}`,
      about,
      cases: [],
      where: `in ${about} within ${duration(withinMs)}`,
    };
    group.cases.push(opening);
    found.set(key, group);
  }
  return [...found.values()];
}

/** The span of this length with the most openings. */
function busiestSpan(openings: Opening[], spanMs: number): Candidate {
  let cases: Opening[] = [];
  for (const [index, first] of openings.entries()) {
    const endMs = Date.parse(first.at) + spanMs;
    const span = openings.slice(index).filter(({ at }) => Date.parse(at) <= endMs);
    if (span.length > cases.length) cases = span;
  }
  const where = `within ${duration(spanMs)}`;
  return { name: 'hour', about: where, cases, where };
}

function listed(cases: Opening[]): string {
  const names = cases.slice(0, namedAtMost).map(({ device }) => device);
  const more = cases.length - names.length;
  return more > 0 ? `${names.join(', ')} and ${more} more` : names.join(', ');
}
