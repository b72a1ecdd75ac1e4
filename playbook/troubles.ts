/**
 * What is wrong with a case, or waits for somebody: what the ladder counts from. A trouble that begins in the future (a
 * task that will be late) is there already, and its clock has not begun.
 * @module
 */
import type { CaseState } from './case';
import { isNews, moveTheUser, troubledSteps } from './case';
import { clockTime } from './clock-time';
import { describeDevice } from './device';
import type { Fact, Trouble, TroubleKind } from './ladder';
import type { CleanUp } from './rules';
import { clientTampering } from './tamper';
import { openTasks } from './tasks';
import { mayContain, putBackStep } from './question-ids';
import { mayStillLand } from './wipe';

export function troublesOf(state: CaseState, now: string): Trouble[] {
  if (state.closedAt !== undefined) return [];
  const open = state.ending === undefined;
  return [
    ...(open ? [...ofContainment(state), ...ofConfiguration(state), ...ofPresence(state), ...ofTampering(state)] : []),
    // Of an ending case, too: whether to release while a wipe may still land.
    ...ofQuestions(state),
    ...ofWipe(state),
    ...ofSteps(state),
    ...ofTasks(state, now),
  ];
}

/** What makes rungs needless. */
export function factsOf(state: CaseState): Set<Fact> {
  const { containment, configuration, presence } = state;
  const facts = new Set<Fact>();
  if (containment.state === 'contained') facts.add('contained');
  if (configuration.rungs.applied ?? configuration.rungs.biting) facts.add('proven');
  if (presence.last && isNews(state, presence.last)) facts.add('seen');
  return facts;
}

function ofContainment({ containment, decided, steps, openedAt }: CaseState): Trouble[] {
  const putBack = putBackStep('lost-group');
  const left =
    [moveTheUser, putBack].some((step) => steps[step]?.state === 'skipped') ||
    decided[mayContain]?.value === 'no' ||
    decided[putBack]?.value === 'leave';
  if (containment.state !== 'none' || left) return [];
  const since = containment.takenOutAt ?? containment.backAt ?? openedAt;
  return [
    { ...about('not contained'), since, says: `Reported ${clockTime(since)}, and its user is still not contained.` },
  ];
}

function ofConfiguration({ configuration: { state, overdueSince, says } }: CaseState): Trouble[] {
  return state === 'overdue' && overdueSince !== undefined ? [{ ...about('overdue'), since: overdueSince, says }] : [];
}

function ofPresence(state: CaseState): Trouble[] {
  const { device, presence, openedAt, rules } = state;
  // Once it is wiped, its silence is success.
  if (device === undefined || state.wipe.state === 'acknowledged') return [];
  const name = describeDevice(device);
  const blind = blindSince(state);
  const { heard, unheardSince } = presence;
  const client = heard.client ?? device.lastSeenAt ?? openedAt;
  const { cleanUps, clientSilentAfterMs } = rules.escalation;
  const clientSilent =
    blind === undefined &&
    heard.other !== undefined &&
    Date.parse(heard.other.at) - Date.parse(client) > clientSilentAfterMs;
  const lastSeen = Date.parse(presence.last?.at ?? device.lastSeenAt ?? openedAt);
  return [
    {
      ...about('silent'),
      since: unheardSince,
      ...(blind !== undefined && { pausedSince: blind }),
      says: `${name} was not heard since ${clockTime(unheardSince)}, although somebody listened.`,
    },
    ...(blind === undefined
      ? []
      : [
          {
            ...about('blind'),
            since: blind,
            says: `Nothing can hear ${name} since ${clockTime(blind)}: ${Object.keys(presence.blindFeeds).join(', ')} cannot be read. Its silence means nothing now.`,
          },
        ]),
    ...(clientSilent && heard.other !== undefined
      ? [
          {
            ...about('client silent'),
            since: client,
            says: `${heard.other.source} heard ${name} at ${clockTime(heard.other.at)}, and its Netskope client is silent since ${clockTime(client)}. Was the client disabled or removed?`,
          },
        ]
      : []),
    ...[...cleanUps, ...ofItsConsole(state)].map(({ where, afterMs, warnBeforeMs }) => ({
      ...about('clean-up near', where),
      since: new Date(lastSeen + afterMs - warnBeforeMs).toISOString(),
      says: `${where} removes the record of ${name} at ${clockTime(new Date(lastSeen + afterMs).toISOString())}, and with it every command that waits for the device. Exclude it from the clean-up, or copy out what you need.`,
    })),
  ];
}

/** What was undone is put back or asked about; what was done to the client nobody can mend from here. */
function ofTampering(state: CaseState): Trouble[] {
  const found = clientTampering(state);
  return found === undefined ? [] : [{ ...about('tampered', found.kind), since: found.since, says: found.says }];
}

/** A wipe waits in a console that forgets silent devices: nobody may find out afterwards. */
function ofItsConsole({ wipe, rules }: CaseState): CleanUp[] {
  const { plan } = wipe;
  if (plan?.cleanUpAfterMs === undefined || !mayStillLand(wipe)) return [];
  return [{ where: plan.plugin, afterMs: plan.cleanUpAfterMs, warnBeforeMs: rules.escalation.cleanUpWarnMs }];
}

/** Since when no feed is left whose silence would mean something. */
export function blindSince({ presence: { state, regular, blindFeeds } }: CaseState): string | undefined {
  if (state !== 'blind') return undefined;
  const counting = regular.length > 0 ? regular : Object.keys(blindFeeds);
  return counting
    .flatMap((feed) => blindFeeds[feed] ?? [])
    .sort()
    .at(-1);
}

function ofWipe({ wipe }: CaseState): Trouble[] {
  if (wipe.stalledSince === undefined || !mayStillLand(wipe)) return [];
  const says = `The device spoke to its console at ${clockTime(wipe.stalledSince)}, after its wipe was queued, and has not taken it: ${wipe.progress?.says ?? 'no word'}.`;
  return [{ ...about('wipe stalled'), since: wipe.stalledSince, says }];
}

function ofQuestions({ questions }: CaseState): Trouble[] {
  return questions.map(({ id, askedAt, text, proposes, whom }) => ({
    ...about(proposes === undefined ? 'question' : 'proposal', id),
    since: askedAt,
    says: text,
    ...(whom && { whom }),
  }));
}

function ofSteps(state: CaseState): Trouble[] {
  return troubledSteps(state).map(([name, step]) => ({
    ...about(step.state === 'stuck' ? 'stuck' : 'failing', name),
    since: step.since,
    says: `${step.error?.message ?? ''} Retry it, or skip it with a reason.`.trim(),
  }));
}

function ofTasks(state: CaseState, now: string): Trouble[] {
  return openTasks(state).flatMap(({ id, title, dueAt, warnAt, owner, clock }) => {
    if (dueAt === undefined) return [];
    const whom = owner.length > 0 ? { whom: owner } : {};
    const what = clock ? `${title} (${clock.law})` : title;
    return [
      ...(warnAt !== undefined && now < dueAt
        ? [{ ...about('task near', id), since: warnAt, says: `${what} is due ${clockTime(dueAt)}.`, ...whom }]
        : []),
      {
        ...about(clock ? 'clock late' : 'task late', id),
        since: dueAt,
        says: `${what} was due ${clockTime(dueAt)}.`,
        ...whom,
      },
    ];
  });
}

const about = (kind: TroubleKind, subject?: string) => ({
  id: subject === undefined ? kind : `${kind}: ${subject}`,
  kind,
});

const subjects: Record<TroubleKind, (subject: string) => string> = {
  'not contained': () => 'NOT contained',
  overdue: () => 'The lost configuration is overdue',
  silent: () => 'The lost device is silent',
  'wipe stalled': () => 'The wipe is stalled',
  blind: () => 'Blind: nothing can hear the lost device',
  'client silent': () => 'The client is silent, the device is not',
  tampered: (what) => `Tampered with: ${what}`,
  stuck: (step) => `Stuck: ${step}`,
  failing: (step) => `Failing: ${step}`,
  question: () => 'A decision is needed',
  proposal: () => 'A decision is needed, and can wait for the day',
  'task near': (task) => `Due soon: ${task}`,
  'task late': (task) => `Late: ${task}`,
  'clock late': (clock) => `A clock of the law has run out: ${clock}`,
  'clean-up near': (where) => `${where} will forget the lost device`,
};

/** One line for the head of a page. */
export function subjectOf({ id, kind }: Trouble): string {
  return subjects[kind](id.slice(kind.length + 2));
}
