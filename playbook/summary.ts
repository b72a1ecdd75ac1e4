/**
 * A case in a few plain sentences: state first, then what is proven, then what comes next and who must do it.
 * @module
 */
import type { CaseState, Step } from './case';
import { namesOf, troubledSteps } from './case';
import { clockTime } from './clock-time';
import { describeDevice } from './device';
import { describePlace } from './sighting';
import { byDueTime, describeTask, openTasks, runningClocks } from './tasks';
import { mayStillLand, wipeUnderWay, type HeldBy, type WipeTrack } from './wipe';

/** The head line: what the case is, in one sentence. */
export function headline(state: CaseState): string {
  const device = describeDevice(namesOf(state));
  const kind = state.answers.kind === 'stolen' ? 'Stolen' : 'Lost';
  const { containment, device: identified, listening } = state;
  if (listening && state.closedAt === undefined)
    return `${kind} laptop ${device}: ${state.outcome}, listening until ${clockTime(listening.until)}.`;
  if (state.outcome !== 'open') return `${kind} laptop ${device}: ${state.outcome}.`;
  if (state.ending && mayStillLand(state.wipe))
    return `${kind} laptop ${device}: ${state.ending.outcome}, and open because a WIPE MAY STILL LAND.`;
  if (state.ending && onlyClocksRun(state))
    return `${kind} laptop ${device}: ${state.ending.outcome}, and open until its legal clocks are done.`;
  if (state.ending) return `${kind} laptop ${device}: closing as ${state.ending.outcome}, undoing what was done.`;
  if (!identified) return `${kind} laptop ${device}: not identified yet.`;
  const wipe = wipeInBrief(state.wipe);
  if (containment.state === 'none') return `${kind} laptop ${device}: NOT contained${wipe}.`;
  if (containment.state === 'user released, device held')
    return `${kind} laptop ${device}: user released, device held${wipe}; the next sighting contains the user again.`;
  return `${kind} laptop ${device}: contained${wipe}.`;
}

/** For the head line: what is over and changed nothing is left out. */
function wipeInBrief(wipe: WipeTrack): string {
  if (wipe.state === 'acknowledged') return ', wiped';
  if (!wipeUnderWay(wipe)) return '';
  if (wipe.held?.by === 'a person' || isOver(wipe)) return ', and it is NOT KNOWN whether its wipe left';
  return `, wipe ${wipe.state}${wipe.stalledSince === undefined ? '' : ' and STALLED'}`;
}

/** How the wipe stands, in a sentence or two; undefined when nobody ever asked for one. */
export function describeWipe({ wipe, ending }: CaseState): string | undefined {
  if (ending && sendsNoMore(wipe))
    return `Asked for by ${wipe.request?.who ?? 'somebody'}; it never left: the case ended.`;
  const { state, request, plan, approval, held, sent, progress, endedBecause } = wipe;
  const vendor = plan?.plugin ?? 'the vendor';
  const who = request?.who ?? 'somebody';
  const consents = wipe.expiresAt === undefined ? '' : ` The consents hold until ${clockTime(wipe.expiresAt)}.`;
  const stalled =
    wipe.stalledSince === undefined
      ? ''
      : ` Stalled: the device spoke to ${vendor} at ${clockTime(wipe.stalledSince)}, and has not taken it.`;
  switch (state) {
    case 'none':
      return undefined;
    case 'requested':
      return plan === undefined
        ? `Asked for by ${who}; it is being prepared.`
        : `Asked for by ${who}; another person must approve it.${consents}`;
    case 'approved':
      return `Asked for by ${who}, approved by ${approval?.who ?? 'somebody'}; it leaves next.${consents}`;
    case 'held':
      return `Approved, and held by ${holders[held?.by ?? 'a person']}: ${held?.says ?? ''}${consents}`;
    case 'queued':
      if (held?.by === 'a person') return `It may have left: ${held.says} A person must look.`;
      if (!sent?.known) return 'It may have left: its answer was lost, and it is read back.';
      return `It waits at ${vendor} for the device since ${clockTime(sent.at)}.${stalled}`;
    case 'delivered':
      return held?.by === 'a person'
        ? `It was delivered. ${held.says} A person must look.`
        : 'It was delivered; the device has not acknowledged it yet.';
    case 'acknowledged':
      return `The device acknowledged it${wipe.acknowledgedAt === undefined ? '' : ` at ${clockTime(wipe.acknowledgedAt)}`}${progress ? ` (${vendor}: ${progress.says})` : ''}. Its silence is success.`;
    case 'refused':
    case 'cancelled':
    case 'failed':
      return `It ${state === 'failed' ? 'failed' : `was ${state}`}: ${endedBecause ?? 'no reason is known.'}${mayStillLand(wipe) ? ' It may have left before that, and is read back.' : ''}`;
  }
}

/** Somebody said no. While it was leaving, it may land all the same. */
const isOver = ({ state }: WipeTrack) => ['refused', 'cancelled', 'failed'].includes(state);

/** Under way when the case ended, and still here. */
const sendsNoMore = (wipe: WipeTrack) => wipeUnderWay(wipe) && !mayStillLand(wipe);

/** Who or what keeps it. */
const holders: Record<HeldBy, string> = {
  'the guard': 'the guard',
  'until seen': 'us until the device is seen',
  'the office': 'us because of the office',
  'the vendor': 'the vendor',
  'a person': 'a person',
};

/** It ended, everything is undone, and a clock of the law goes on. */
function onlyClocksRun(state: CaseState): boolean {
  const undone = state.containment.state === 'released' || state.containment.state === 'none';
  return state.ending !== undefined && undone && runningClocks(state).length > 0;
}

/** What waits for somebody, in sentences; empty when nothing does. */
export function waitsFor(state: CaseState): string[] {
  return [
    ...state.questions.map((question) => `Decide: ${question.text}`),
    ...troubledSteps(state).map(([name, step]) => describeTrouble(name, step)),
    ...tasksWait(state),
  ];
}

/** People's tasks in one line: a page has no room for all of them. */
function tasksWait(state: CaseState): string[] {
  const [first, ...others] = byDueTime(openTasks(state));
  if (first === undefined) return [];
  const more = others.length > 0 ? ` ${others.length} more after it.` : '';
  return [`To do: ${describeTask(first)}.${more}`];
}

/** A step that waits for a person (stuck) or for a vendor (failing), in one sentence. */
export function describeTrouble(name: string, step: Step): string {
  return step.state === 'stuck'
    ? `Stuck since ${clockTime(step.since)}: ${name}. ${step.error?.message ?? ''} Retry it, or skip it with a reason.`
    : `Failing since ${clockTime(step.since)}: ${name}. ${step.error?.message ?? ''} Tried again at ${step.nextTryAt ? clockTime(step.nextTryAt) : 'once'}.`;
}

/** What the case itself waits for next. */
export function comesNext(state: CaseState): string {
  if (state.closedAt !== undefined) return 'Nothing: the case is closed.';
  if (state.listening) return 'Listen: a sign of the device opens the case again.';
  if (state.outcome !== 'open') return 'Tell the tickets, and write the last of it into the archive.';
  if (state.ending && mayStillLand(state.wipe)) return 'Follow the wipe until it cannot land any more.';
  const [clock] = byDueTime(runningClocks(state));
  if (clock && onlyClocksRun(state)) return `${describeTask(clock)}.`;
  if (state.ending) return 'Undo containment, read every undo back, close the tickets.';
  if (!state.device) return 'Identify the device.';
  if (state.containment.takenOutAt !== undefined) return 'Put the user back into the lost group.';
  if (state.containment.state === 'none') return 'Move the user into the lost group.';
  if (state.containment.state === 'user released, device held') return 'Wait for the device to be seen.';
  const wipe = wipeComesNext(state);
  if (wipe !== undefined) return wipe;
  switch (state.configuration.state) {
    case 'biting':
      return 'Watch until it is recovered.';
    case 'applied':
      return 'Wait for traffic that the lost policy blocks.';
    default:
      return 'Wait for the device to come online and take the lost configuration.';
  }
}

/** What the case does about a wipe; undefined when there is nothing to do. */
function wipeComesNext({ wipe, questions }: CaseState): string | undefined {
  const { state, plan, sent, held, lookAt } = wipe;
  if (state === 'acknowledged')
    return questions.some(({ proposes }) => proposes === 'close as wiped')
      ? 'Wait for a person to close the case as wiped.'
      : 'Watch for a sign of it: its silence is success.';
  if (!wipeUnderWay(wipe)) return undefined;
  if (held?.by === 'a person') return 'Wait for a person to look whether the wipe is there.';
  const look = lookAt === undefined ? '' : ` It is looked at again ${clockTime(lookAt)}.`;
  if (sent) return `${sent.known ? 'Wait for the device to take its wipe.' : 'Read the wipe back.'}${look}`;
  if (plan === undefined) return 'Prepare the wipe: find its one enrolment, and take evidence.';
  if (state === 'requested') return 'Wait for a second person to approve the wipe, or to refuse it.';
  return held === undefined ? 'Send the wipe.' : `Wait for what holds the wipe.${look}`;
}

/** Several lines of Markdown, for Temporal's own page and for pages to people. */
export function summarise(state: CaseState): string {
  const last = state.presence.last;
  const place = last && describePlace(last);
  return [
    `**${headline(state)}**`,
    '',
    `- Containment: ${state.containment.state}`,
    `- Configuration: ${state.configuration.state}. ${state.configuration.says}`,
    `- Presence: ${state.presence.state}${last ? `; last seen ${clockTime(last.at)} by ${last.source}${place ? ` at ${place}` : ''}` : ''}`,
    ...state.tampering.filter(({ over }) => over === undefined).map(({ says }) => `- Tampered with: ${says}`),
    ...(state.wipe.state === 'none' ? [] : [`- Wipe: ${state.wipe.state}. ${describeWipe(state) ?? ''}`]),
    ...waitsFor(state).map((line) => `- ${line}`),
    `- Next: ${comesNext(state)}`,
    `- Tickets: ${state.tickets.map((ticket) => `${ticket.source} ${ticket.id}`).join(', ')}`,
  ].join('\n');
}
