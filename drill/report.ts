/**
 * From what happened in a drill to its report. Pure.
 * @module
 */
import type { z } from 'zod';
import type { CaseState, JournalEntry } from '../playbook/case';
import { duration } from '../playbook/clock-time';
import { quietUntil, whoIsCalled } from '../playbook/people';
import type { drillReportSchema } from '../playbook/schemas/answers';
import type { TenantSettings } from '../playbook/settings';
import { byDueTime } from '../playbook/tasks';
import type { CallMade } from './calls';
import { lacksOf, type MissingSecret } from './lacks';
import type { Sent } from './laptop';
import type { Product } from './products';
import type { Told } from './stage';

export type DrillReport = z.infer<typeof drillReportSchema>;

/** All that is known when the story is over. */
export interface Played extends Told {
  story: DrillReport['story'];
  tenant: string;
  /** As the file has them. */
  settings: TenantSettings;
  startedAt: string;
  endedAt: string;
  state: CaseState;
  journal: JournalEntry[];
  calls: CallMade[];
  sent: Sent[];
  products: Product[];
  missingSecrets: MissingSecret[];
}

/** What every page of a drill begins with. */
const mark = '[DRILL] ';
const dayMs = 24 * 60 * 60_000;

export function reportOf(played: Played): DrillReport {
  const { story, tenant, startedAt, endedAt, wrong, kept, settings } = played;
  const ended = wrong.length === 0;
  const lacks = lacksOf(played);
  const dayOf = (at: string) => Math.floor((Date.parse(at) - Date.parse(startedAt)) / dayMs);
  return {
    story,
    tenant,
    from: startedAt,
    to: endedAt,
    ended,
    says: [
      `The story "${story}" ${ended ? 'ended as it should' : 'did NOT end as it should'}, after ${duration(Date.parse(endedAt) - Date.parse(startedAt))} of case time.`,
      'Nothing left this machine, and nobody was called.',
      lacks.length === 0
        ? 'The settings lack nothing that it needs.'
        : `The settings lack ${lacks.length === 1 ? 'one thing' : `${lacks.length} things`}.`,
    ].join(' '),
    wrong,
    kept,
    course: courseOf(played).map(({ at, ...line }) => ({ at, day: dayOf(at), ...line })),
    asked: [...played.asked].sort(byTime).map(({ at, text, whom, answer, who }) => ({
      at,
      day: dayOf(at),
      what: text,
      whom,
      ...(answer !== undefined && { answer }),
      ...(who !== undefined && { who: inTheDrill(who) }),
    })),
    tasks: byDueTime(played.state.tasks).map(({ id, title, owner, dueAt }) => ({
      id,
      title,
      owner,
      ...(dueAt !== undefined && { dueAt }),
    })),
    calls: grouped(played.calls, ({ page }) => page.subject).map((calls) => callOf(calls, settings)),
    sent: grouped(played.sent, ({ product, what }) => `${product} ${what}`).map((all) => ({
      product: all[0].product,
      what: all[0].what,
      ...howOften(all),
    })),
    lacks,
  };
}

/** What the story brought, and what the case said of it. Calls and routine signs would bury the rest. */
function courseOf({ beats, journal }: Played): Omit<DrillReport['course'][number], 'day'>[] {
  const told = beats.map(({ at, text }) => ({ at, who: 'story', what: text }));
  const said = journal
    .filter(({ routine, track, text }) => !routine && !(track === 'escalation' && text.startsWith('Called ')))
    .map(({ at, who, text, evidence }) => ({
      at,
      who: who === 'playbook' ? who : inTheDrill(who),
      what: text,
      ...(evidence !== undefined && { evidence }),
    }));
  // Of one moment, what the story brings stands before what the case makes of it.
  return [...told, ...said].sort(byTime);
}

/** All calls of one subject: who would have been reached, who had quiet hours, and who could not be reached. */
function callOf(calls: Group<CallMade>, { people, onCall }: TenantSettings): DrillReport['calls'][number] {
  const reached = calls.flatMap(({ now: at, page, answer }) =>
    answer.told
      .filter((way) => !page.told?.includes(way))
      .map((way) => {
        const [, who = way, by = ''] = /^(.*) by (.*)$/.exec(way) ?? [];
        const own = typeof people.persons[who]?.notify[by] === 'string';
        return { at, who, by, address: own ? ("the person's own" as const) : ("the notifier's own" as const) };
      }),
  );
  const quiet = calls.flatMap(({ now: at, page: { to } }) => {
    const whom = to.whom.length > 0 ? to.whom : onCall;
    const asked = to.inQuietHours === 'wait' ? whoIsCalled(people, whom, to.deputies === true, at) : [];
    return asked.flatMap(({ name: who, person }) => {
      const until = quietUntil(person, at);
      return until === undefined ? [] : [{ at, who, until }];
    });
  });
  const [{ page }] = calls;
  return {
    subject: `${mark}${page.subject}`,
    severity: page.to.severity,
    ...howOften(calls.map(({ now }) => ({ at: now }))),
    times: calls.filter(({ answer }) => answer.told.length > 0).length,
    people: grouped(reached, ({ who, by }) => `${who} ${by}`).map((ways) => {
      const { who, by, address } = ways[0];
      return { who, by, address, ...howOften(ways) };
    }),
    quiet: grouped(quiet, ({ who }) => who).map((times) => ({
      who: times[0].who,
      times: times.length,
      until: times.at(-1)?.until ?? times[0].until,
    })),
    missed: [...new Set(calls.flatMap(({ answer }) => answer.missing.map(({ who, message }) => `${who} ${message}`)))],
  };
}

type Group<T> = [T, ...T[]];

/** In the order of their first one. */
function grouped<T>(all: T[], keyOf: (one: T) => string): Group<T>[] {
  const groups = new Map<string, Group<T>>();
  for (const one of all) {
    const group = groups.get(keyOf(one));
    if (group) group.push(one);
    else groups.set(keyOf(one), [one]);
  }
  return [...groups.values()];
}

function howOften(all: { at: string }[]): { times: number; firstAt: string; lastAt: string } {
  const times = all.map(({ at }) => at).sort();
  return { times: all.length, firstAt: times[0] ?? '', lastAt: times.at(-1) ?? '' };
}

const byTime = (a: { at: string }, b: { at: string }) => Date.parse(a.at) - Date.parse(b.at);

/** Whoever decides here does so in the name of the drill. */
const inTheDrill = (who: string) => (who === 'the drill' ? who : `drill: ${who}`);
