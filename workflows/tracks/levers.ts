/**
 * The levers: is everything that contains the device still in place? Whatever somebody took away is put back, so often and
 * no oftener; then a person is asked, because two systems must not fight for ever.
 * @module
 */
import type { SideMeasure } from '../../activities/measures';
import type { CaseState, Measure, MeasureName } from '../../playbook/case';
import { ladderTakenDown, moveSeen } from '../../playbook/configuration';
import { putBackStep } from '../../playbook/question-ids';
import type { LeversReading } from '../../playbook/tamper';
import { endTampering, nextLookAt, putBackLately, takenOutSays } from '../../playbook/tamper';
import type { CaseFile } from '../case-file';
import { act } from '../case-file';
import { nowMs } from '../last-news';
import { begin, userRenamed } from './tampering';

/** Looks at the pace of the rules for as long as anything is held, and soon after the device was heard. */
export async function levers(c: CaseFile): Promise<void> {
  const { state } = c;
  for (;;) {
    await c.until(() => c.ending || isHeld(state));
    const due = nextLookAt(state);
    await c.until(() => c.ending || !isHeld(state) || nextLookAt(state) !== due, due);
    if (c.ending) return;
    if (isHeld(state) && Date.parse(nextLookAt(state)) <= nowMs()) await look(c);
  }
}

function isHeld({ containment: { state, takenOutAt }, device }: CaseState): boolean {
  return device !== undefined && (state === 'contained' || state === 'user released, device held' || !!takenOutAt);
}

/** What can be looked at; revoked sessions and a lock leave nothing behind that could be read. */
const visible: SideMeasure[] = ['device-tag', 'disable-device', 'disable-user', 'isolate'];

async function look(c: CaseFile): Promise<void> {
  const { state } = c;
  const { containment, device, tenant } = state;
  if (device === undefined) return;
  const before = { ...containment.measures };
  const group = isThere(before['lost-group']) && containment.state !== 'user released, device held';
  const measures = visible.filter((measure) => isThere(before[measure]));
  const { userId } = containment;
  const input = { tenant, device, group, measures, ...(userId !== undefined && { userId }) };
  const reading = await c.step(
    'look whether everything is still in place',
    () => act.readLevers({ ...input, now: c.now }),
    { track: 'containment' },
  );
  containment.lookedAt = c.now;
  if (reading === undefined) return;
  if (reading.keys.length > 0) state.keys = reading.keys;
  tellUnreadable(c, reading.unreadable);
  if (reading.renamedTo !== undefined) userRenamed(c, reading.renamedTo);
  // What this case itself changed while it looked says nothing.
  if (containment.measures['lost-group'] === before['lost-group']) takeMembership(c, reading.membership);
  for (const { measure, evidence } of reading.gone)
    if (containment.measures[measure] === before[measure]) takeUndone(c, measure, evidence);
}

const isThere = (measure: Measure | undefined) =>
  measure?.state === 'in place' || measure?.state === 'was there before';

function tellUnreadable(c: CaseFile, unreadable: string[]): void {
  const { containment } = c.state;
  const said = containment.unreadable?.join() ?? '';
  if (unreadable.length > 0) containment.unreadable = unreadable;
  else delete containment.unreadable;
  if (unreadable.length > 0 && unreadable.join() !== said)
    c.say('containment', 'Not everything that contains the device could be read.', { evidence: unreadable.join('; ') });
}

function takeMembership(c: CaseFile, membership: LeversReading['membership']): void {
  const { state } = c;
  const { containment } = state;
  if (membership === undefined) return;
  if (membership.userId !== undefined) containment.userId = membership.userId;
  if (membership.isMember && containment.takenOutAt !== undefined) return isBackByItself(c);
  if (membership.isMember || containment.state !== 'contained') return;
  const says = takenOutSays(state, membership, c.now);
  containment.via = membership.groupOwner === 'directory' ? 'directory' : 'secure access';
  containment.state = 'none';
  containment.takenOutAt = c.now;
  ladderTakenDown(state, says);
  begin(c, { kind: 'taken out of the group', says });
  askWhenTooOften(c, 'lost-group', 'The user was taken out of the lost group');
}

/** Somebody else put the user back. A step that is at it, or waits for its next try, finds that itself. */
function isBackByItself(c: CaseFile): void {
  const { state } = c;
  const { containment } = state;
  if (mustPutBack(c, 'lost-group')) return void c.retry(putBackStep('lost-group'));
  const evidence = `${state.device?.user ?? 'The user'} is in the lost group again, by somebody else's doing.`;
  delete containment.takenOutAt;
  containment.state = 'contained';
  containment.times += 1;
  endTampering(state, c.now, ['taken out of the group']);
  c.withdraw(putBackStep('lost-group'));
  moveSeen(state, c.now, evidence);
  c.say('containment', 'Contained again.', { evidence, note: true });
}

function takeUndone(c: CaseFile, measure: MeasureName, evidence: string): void {
  const says = `Somebody undid what contains the device: ${measure}. ${evidence}`;
  begin(c, { kind: 'undone', subject: measure, says });
  askWhenTooOften(c, measure, `Somebody undid ${measure}`);
}

// --- putting back ------------------------------------------------------------------------------------------------

/** Somebody took it away, and nobody said that it is to stay so. */
export function mustPutBack(c: CaseFile, lever: MeasureName): boolean {
  const { state } = c;
  if (!wasTakenAway(state, lever) || state.steps[putBackStep(lever)]?.state === 'skipped') return false;
  return c.answered(putBackStep(lever)) === 'again' || !tooOften(state, lever);
}

function wasTakenAway(state: CaseState, lever: MeasureName): boolean {
  if (lever === 'lost-group') return state.containment.takenOutAt !== undefined;
  const undone = ({ kind, subject, over }: CaseState['tampering'][number]) =>
    kind === 'undone' && subject === lever && over === undefined;
  return isThere(state.containment.measures[lever]) && state.tampering.some(undone);
}

const tooOften = (state: CaseState, lever: MeasureName) =>
  putBackLately(state, lever, nowMs()) >= state.rules.levers.putBackPerDay;

function askWhenTooOften(c: CaseFile, lever: MeasureName, what: string): void {
  const { state } = c;
  const times = putBackLately(state, lever, nowMs());
  if (!tooOften(state, lever)) return;
  c.ask({
    id: putBackStep(lever),
    text: `${what} again, ${times} time${times === 1 ? '' : 's'} put back within a day. Something works against this case: find it and stop it there. Put it back once more?`,
    options: [
      { value: 'again', text: 'Put it back, and count anew' },
      { value: 'leave', text: 'Leave it as it is' },
    ],
  });
}

/** It is in place again. False when nobody had taken it away. */
export function wasPutBack(c: CaseFile, lever: MeasureName, evidence: string): boolean {
  const { state } = c;
  const { containment, decided } = state;
  const ended =
    lever === 'lost-group'
      ? endTampering(state, c.now, ['taken out of the group'])
      : endTampering(state, c.now, ['undone'], lever);
  if (ended.length === 0) return false;
  if (decided[putBackStep(lever)]?.value === 'again') {
    delete decided[putBackStep(lever)];
    containment.putBack = containment.putBack.filter((one) => one.lever !== lever);
  }
  containment.putBack = [...containment.putBack, { lever, at: c.now }].slice(-20);
  c.withdraw(putBackStep(lever));
  c.say('containment', `Put back: ${lever}.`, { evidence, note: true });
  return true;
}
