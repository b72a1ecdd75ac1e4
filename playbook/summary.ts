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

/** The head line: what the case is, in one sentence. */
export function headline(state: CaseState): string {
  const device = describeDevice(namesOf(state));
  const kind = state.answers.kind === 'stolen' ? 'Stolen' : 'Lost';
  const { containment, device: identified, listening } = state;
  if (listening && state.closedAt === undefined)
    return `${kind} laptop ${device}: written off, listening until ${clockTime(listening.until)}.`;
  if (state.outcome !== 'open') return `${kind} laptop ${device}: ${state.outcome}.`;
  if (state.ending && onlyClocksRun(state))
    return `${kind} laptop ${device}: ${state.ending.outcome}, and open until its legal clocks are done.`;
  if (state.ending) return `${kind} laptop ${device}: closing as ${state.ending.outcome}, undoing what was done.`;
  if (!identified) return `${kind} laptop ${device}: not identified yet.`;
  if (containment.state === 'none') return `${kind} laptop ${device}: NOT contained.`;
  if (containment.state === 'user released, device held')
    return `${kind} laptop ${device}: user released, device held; the next sighting contains the user again.`;
  return `${kind} laptop ${device}: contained.`;
}

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
  const [clock] = byDueTime(runningClocks(state));
  if (clock && onlyClocksRun(state)) return `${describeTask(clock)}.`;
  if (state.ending) return 'Undo containment, read every undo back, close the tickets.';
  if (!state.device) return 'Identify the device.';
  if (state.containment.state === 'none') return 'Move the user into the lost group.';
  if (state.containment.state === 'user released, device held') return 'Wait for the device to be seen.';
  switch (state.configuration.state) {
    case 'biting':
      return 'Watch until it is recovered.';
    case 'applied':
      return 'Wait for traffic that the lost policy blocks.';
    default:
      return 'Wait for the device to come online and take the lost configuration.';
  }
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
    ...waitsFor(state).map((line) => `- ${line}`),
    `- Next: ${comesNext(state)}`,
    `- Tickets: ${state.tickets.map((ticket) => `${ticket.source} ${ticket.id}`).join(', ')}`,
  ].join('\n');
}
