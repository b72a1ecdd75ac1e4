/**
 * Containment: none → contained → released; or *user released, device held*.
 * @module
 */
import type { FirstResponse } from '../../activities/containment';
import type { SideMeasure } from '../../activities/measures';
import { ApplicationFailure } from '@temporalio/workflow';
import type { CaseState, Measure, MeasureName } from '../../playbook/case';
import { moveTheUser } from '../../playbook/case';
import { toleratesIsolation, wipeUnderWay } from '../../playbook/wipe';
import { describeDevice } from '../../playbook/device';
import { clockTime, duration } from '../../playbook/clock-time';
import { ladderTakenDown, moveSeen } from '../../playbook/configuration';
import { mayContain, putBackStep } from '../../playbook/question-ids';
import type { CaseFile } from '../case-file';
import { act } from '../case-file';
import { nowMs } from '../last-news';
import type { UserReleased } from '../messages';
import { identification } from './identification';
import { mustPutBack, wasPutBack } from './levers';

const releaseTheUser = 'release the user';
const track = { track: 'containment' } as const;
const undoing = { track: 'containment', partOfEnding: true } as const;

/** Contain, then keep the levers in step with what becomes known: stolen after all, a replacement handed out, seen again. */
export async function containment(c: CaseFile): Promise<void> {
  const { state } = c;
  if (state.device === undefined) {
    const found = await identification(c, 'and contain');
    if (found === undefined) return;
    await contain(c, found);
  }
  for (;;) {
    if (c.ending) return;
    const { containment: levers } = state;
    if (c.state.asked.releaseIsolation) await liftIsolation(c);
    if (levers.replaceAsked) {
      await giveUserBack(c);
    } else if (mustPutBack(c, 'lost-group')) {
      await putUserBack(c);
    } else if (mustContain(c)) {
      const found = await identification(c, 'only');
      if (found) await contain(c, found);
    }
    await tellHold(c);
    await takeSideMeasures(c);
    const measures = sideMeasures(c).length;
    await c.until(
      () =>
        c.ending ||
        levers.replaceAsked ||
        c.state.asked.releaseIsolation === true ||
        mustContain(c) ||
        mustPutBack(c, 'lost-group') ||
        levers.renamedFrom !== undefined ||
        sideMeasures(c).length !== measures ||
        sideMeasures(c).some((measure) => isToTake(c, measure)),
    );
  }
}

/** Nobody said that it is not to be done. */
function mustContain(c: CaseFile): boolean {
  const { containment: levers, steps } = c.state;
  const left = steps[moveTheUser]?.state === 'skipped' || c.answered(mayContain) === 'no';
  return levers.state === 'none' && levers.takenOutAt === undefined && !left;
}

/** The device is back after its user was released: everything about the group starts anew. */
export function containAgain(c: CaseFile): void {
  const { containment: levers, steps } = c.state;
  levers.armed = false;
  delete levers.armedSince;
  levers.state = 'none';
  levers.backAt = c.now;
  delete levers.measures['lost-group'];
  // The write-off gave the account back.
  if (levers.measures['disable-user']?.state === 'undone') delete levers.measures['disable-user'];
  delete levers.takenOutAt;
  delete steps[moveTheUser];
  c.say('containment', 'The device is back after the user was released: containing again.', { note: true });
}

/** The hold's answer, unless it belongs to an earlier letting go. */
export function takeLetGoAnswer(c: CaseFile, answer: UserReleased): void {
  const { containment: levers } = c.state;
  if (answer.request !== levers.times) return;
  levers.letGoAnswer = answer;
  // The hold came through by itself while the step waits for its next try.
  if (answer.outcome !== 'stuck' && answer.outcome !== 'failing') c.retry(releaseTheUser);
}

/** Move the user into the lost group, unless a person must agree first. */
async function contain(c: CaseFile, found: FirstResponse): Promise<void> {
  const { state } = c;
  const { containment: levers, device } = state;
  if (device?.user === undefined) {
    c.say('containment', 'The device has no user: nobody to move into the lost group.', { note: true });
    levers.state = 'contained';
    return;
  }
  const user = device.user;
  const via = levers.via ?? 'secure access';
  const input = { tenant: state.tenant, user, via };
  if (!found.asked && !(await allowed(c, found))) return;
  // The tag holds this one device at once; the group follows, and locks the others too.
  const tagFirst = state.rules.whenUserHasOtherDevices === 'tag-first' && state.otherDevices.length > 0;
  if (tagFirst && !found.asked) await takeMeasure(c, 'device-tag');
  const firstTime = levers.measures['lost-group'] === undefined;
  levers.measures['lost-group'] = { state: 'asked', at: c.now, evidence: `Asked ${via} to move ${user}.` };
  const known = firstTime && !found.asked && found.before;
  const moved =
    found.moved ??
    (await c.step(moveTheUser, () => act.moveUser({ ...input, now: c.now, ...(known && { known }) }), track));
  if (moved === undefined) return;
  if (moved.sent) levers.memberBefore = false;
  const seen = moved.seen ? moved : await untilSeen(c, { ...input, wanted: true });
  if (c.ending) return;
  levers.state = 'contained';
  levers.times += 1;
  levers.lookedAt = c.now;
  if (seen === undefined) {
    c.say('containment', `Taken as contained, but never seen: ${user} in the lost group.`, { note: true });
    return;
  }
  levers.measures['lost-group'] = {
    state: levers.memberBefore ? 'was there before' : 'in place',
    at: c.now,
    evidence: seen.evidence,
  };
  moveSeen(state, c.now, seen.evidence);
  c.say('containment', `Contained: ${user} is in the lost group.`, { evidence: seen.evidence, note: true });
  c.say('configuration', state.configuration.says, { note: true });
  tellOtherDevices(c, user);
}

/** Somebody took the user out of the group: moved again as at first, without asking who it is. */
async function putUserBack(c: CaseFile): Promise<void> {
  const { state } = c;
  const { containment: levers, device, tenant } = state;
  const group = levers.measures['lost-group'];
  const user = device?.user;
  if (user === undefined || group === undefined) return;
  const input = { tenant, user, via: levers.via ?? 'secure access' };
  const moved = await c.step(putBackStep('lost-group'), () => act.moveUser({ ...input, now: c.now }), track);
  const seen = moved === undefined || moved.seen ? moved : await untilSeen(c, { ...input, wanted: true });
  if (seen === undefined || c.ending) return;
  delete levers.takenOutAt;
  levers.state = 'contained';
  levers.times += 1;
  levers.lookedAt = c.now;
  levers.measures['lost-group'] = { ...group, at: c.now, evidence: seen.evidence };
  wasPutBack(c, 'lost-group', seen.evidence);
  moveSeen(state, c.now, seen.evidence);
}

/** The user's hold hears of every containment once, also when a new run takes over in between. */
async function tellHold(c: CaseFile): Promise<void> {
  const { chain, device, tenant, containment: levers } = c.state;
  const { renamedFrom } = levers;
  if (renamedFrom !== undefined) {
    const former = { tenant, user: renamedFrom, chain };
    await c.step('move the hold to the new name', () => act.forgetUser(former), track);
    delete levers.renamedFrom;
    levers.times += 1;
  }
  const user = device?.user;
  if (levers.state !== 'contained' || user === undefined || levers.claimed === levers.times) return;
  await c.step(
    'tell the hold on the user',
    async () => {
      await act.claimUser({ tenant, user, claim: claim(c, levers.via ?? 'secure access') });
      levers.claimed = levers.times;
    },
    track,
  );
}

/** The guard's word, the rule about other devices, and a person's answer where one of them asks for it. */
async function allowed(c: CaseFile, found: FirstResponse): Promise<boolean> {
  const { state } = c;
  const others = state.otherDevices.length;
  const asksForOthers = others > 0 && state.rules.whenUserHasOtherDevices === 'ask';
  if (state.containment.times > 0 || c.answered(mayContain) === 'yes' || (found.admission.admitted && !asksForOthers))
    return true;
  const why = found.admission.admitted
    ? `${state.device?.user ?? 'The user'} has ${others} other device${others === 1 ? '' : 's'}, which the lost group locks too.`
    : found.admission.reason;
  c.ask({
    id: mayContain,
    text: `Contain ${describeDevice(state.device ?? {})}? ${why}`,
    options: [
      { value: 'yes', text: 'Contain: move the user into the lost group' },
      { value: 'no', text: 'Do not contain; go on watching' },
    ],
  });
  await c.until(() => c.answered(mayContain) !== undefined || c.ending);
  if (c.answered(mayContain) === 'yes') return true;
  if (!c.ending) c.say('containment', 'A person decided not to contain.', { note: true });
  return false;
}

/** A directory's change takes a while to arrive: look again and again, tell people once when it takes too long. */
async function untilSeen(
  c: CaseFile,
  input: { tenant: string; user: string; via: 'secure access' | 'directory'; wanted: boolean },
) {
  const { moveSeenWithinMs, moveLookEveryMs, retryMaxMs } = c.state.rules.waits;
  const askedMs = nowMs();
  c.say('containment', `The move was accepted by the ${input.via}; waiting until it is seen.`, { note: true });
  for (let everyMs = moveLookEveryMs; !c.ending;) {
    await c.until(() => c.ending, c.after(everyMs));
    const looked = await c.step('see the move', () => act.lookForMove({ ...input, now: c.now }), track);
    if (looked === undefined || looked.seen) return looked;
    if (nowMs() - askedMs > moveSeenWithinMs) {
      everyMs = Math.min(retryMaxMs, everyMs * 2);
      const text = `The move of ${input.user} was accepted ${duration(nowMs() - askedMs)} ago and is still not seen. Is the lost group in the scope of the provisioning?`;
      c.page('move not seen', 'Not contained: the move is not seen', text);
    }
  }
  return undefined;
}

function tellOtherDevices(c: CaseFile, user: string): void {
  const { otherDevices } = c.state;
  if (otherDevices.length === 0) return;
  const names = otherDevices.map((other) => other.hostname ?? other.serial ?? 'unnamed').join(', ');
  c.say('containment', `The lost group also locks ${user}'s other devices: ${names}.`, { note: true });
}

function claim(c: CaseFile, via: 'secure access' | 'directory') {
  const { workflowId, chain, containment: levers } = c.state;
  return { workflowId, chain, memberBefore: levers.memberBefore === true, via, request: levers.times };
}

/** The tag and the directory's steps, by the rules for this kind of loss. Only after the move was seen. */
function sideMeasures(c: CaseFile): SideMeasure[] {
  const { rules, answers, asked } = c.state;
  return [
    'device-tag',
    ...(answers.kind === 'stolen' ? rules.directorySteps.stolen : rules.directorySteps.lost),
    ...(asked.lock ? (['lock'] as const) : []),
    ...(mustIsolate(c.state) ? (['isolate'] as const) : []),
  ];
}

/** By the rules or because a person asked; never before a wipe that is to be heard, and answered. */
function mustIsolate(state: CaseState): boolean {
  const { asked, containment, rules, wipe } = state;
  if (asked.isolate !== undefined) return asked.isolate;
  if (rules.wipe.isolate === 'selective') return containment.measures.isolate?.state !== 'not offered';
  if (rules.wipe.isolate === 'immediate') return toleratesIsolation(state) || !wipeUnderWay(wipe);
  return rules.wipe.isolate === 'afterWipeDelivered' && toleratesIsolation(state);
}

/** By this rule an EDR that cuts everything off isolates nobody; a person may still ask for it. */
const onlySelectively = ({ asked, rules }: CaseState, measure: SideMeasure) =>
  measure === 'isolate' && rules.wipe.isolate === 'selective' && asked.isolate === undefined;

/** A person wants the isolation lifted, and the case goes on. */
async function liftIsolation(c: CaseFile): Promise<void> {
  const { asked, containment: levers } = c.state;
  asked.releaseIsolation = false;
  await undoMeasure(c, 'isolate');
  // Asked for again, it is a new one.
  if (levers.measures.isolate?.state === 'undone') delete levers.measures.isolate;
}

/** Not taken yet, or taken away by somebody. */
function isToTake(c: CaseFile, measure: SideMeasure): boolean {
  const { containment: levers, device } = c.state;
  if (levers.state !== 'contained' || device === undefined || isSkipped(c, measure)) return false;
  return levers.measures[measure] === undefined || mustPutBack(c, measure);
}

const isSkipped = ({ state }: CaseFile, measure: SideMeasure) =>
  [`look at ${measure}`, title[measure]].some((name) => state.steps[name]?.state === 'skipped');

async function takeSideMeasures(c: CaseFile): Promise<void> {
  const { state } = c;
  if (state.containment.state !== 'contained' || state.device === undefined) return;
  for (const measure of sideMeasures(c)) {
    if (c.ending) return;
    await takeMeasure(c, measure);
  }
}

async function takeMeasure(c: CaseFile, measure: SideMeasure): Promise<void> {
  const { state } = c;
  const { measures } = state.containment;
  const { device, tenant } = state;
  if (device === undefined || isSkipped(c, measure)) return;
  if (mustPutBack(c, measure)) delete measures[measure];
  const known = measures[measure];
  if (known !== undefined && known.state !== 'asked') return;

  // What was there before is in history before anything is changed: undoing must never touch somebody else's work.
  if (known === undefined) {
    const before = await c.step(
      `look at ${measure}`,
      () =>
        act.readMeasure({
          tenant,
          now: c.now,
          measure,
          device,
          ...(onlySelectively(c.state, measure) && { selective: true }),
        }),
      track,
    );
    if (before === undefined) return;
    if (!before.offered || before.present) {
      measures[measure] = {
        state: before.offered ? 'was there before' : 'not offered',
        at: c.now,
        evidence: before.evidence,
      };
      if (before.offered) c.say('containment', `Was so before: ${title[measure]}.`, { evidence: before.evidence });
      wasPutBack(c, measure, before.evidence);
      return;
    }
    const { present, since, target } = before;
    measures[measure] = {
      state: 'asked',
      at: c.now,
      evidence: before.evidence,
      before: { present, ...(since !== undefined && { since }), ...(target !== undefined && { target }) },
    };
  }
  const before = { offered: true, present: false, evidence: '', ...measures[measure]?.before };
  const taken = await c.step(
    title[measure],
    () => act.takeMeasure({ tenant, now: c.now, measure, device, before }),
    track,
  );
  if (taken === undefined) return;
  measures[measure] = { ...measures[measure], state: 'in place', at: c.now, evidence: taken.evidence };
  if (!wasPutBack(c, measure, taken.evidence))
    c.say('containment', `Done: ${title[measure]}.`, { evidence: taken.evidence, note: true });
}

const title: Record<SideMeasure, string> = {
  'device-tag': 'tag the device',
  'revoke-sessions': "revoke the user's sessions",
  'disable-device': 'disable the device in the directory',
  'disable-user': 'disable the user in the directory',
  isolate: 'isolate the device',
  lock: 'lock the device',
};

/** A replacement is handed out: the user goes free, the device stays held, the next sighting contains again. */
async function giveUserBack(c: CaseFile): Promise<void> {
  const { containment: levers } = c.state;
  await letGoOfUser(c, track);
  levers.replaceAsked = false;
  if (c.ending) return;
  arm(c);
  c.say(
    'containment',
    'The user is released for a replacement; the next sighting of this device contains the user again.',
    { note: true },
  );
}

/** Write-off implies a replacement: the user goes free, the device stays held, and the next sighting reopens the case. */
export async function holdDeviceOnly(c: CaseFile): Promise<void> {
  await letGoOfUser(c, undoing);
  await undoMeasure(c, 'disable-user');
  arm(c);
}

function arm(c: CaseFile): void {
  const { containment: levers } = c.state;
  levers.state = 'user released, device held';
  levers.armed = true;
  levers.armedSince = c.now;
  ladderTakenDown(
    c.state,
    'The user is released; the device itself is held. The next sighting contains the user again.',
  );
}

/** Undo what this case did, in order: the user first, then the device; every undo is read back. */
export async function release(c: CaseFile): Promise<void> {
  const { state } = c;
  await findBegunChange(c);
  await letGoOfUser(c, undoing);
  const order: SideMeasure[] = ['isolate', 'device-tag', 'disable-device', 'disable-user', 'revoke-sessions', 'lock'];
  for (const measure of order) await undoMeasure(c, measure);
  if (state.containment.state !== 'none') state.containment.state = 'released';
  // What was proven stays to be read; there is nothing more to prove.
  state.configuration.says = 'Nothing more to prove: the case is closing.';
  const left = (Object.entries(state.containment.measures) as [MeasureName, Measure][]).filter(
    ([, { state: is }]) => is === 'cannot be undone' || is === 'left in place',
  );
  for (const [name, measure] of left)
    c.say('containment', `Not undone: ${name === 'lost-group' ? moveTheUser : title[name]}.`, {
      evidence: measure.evidence,
      note: true,
    });
}

/** A case that ends before its first response came home may still have changed something: the archive knows. */
async function findBegunChange(c: CaseFile): Promise<void> {
  const { state } = c;
  const { tenant, chain, containment: levers } = state;
  if (state.device !== undefined) return;
  const begun = await c.step(
    'look for a change that was begun',
    () => act.readBaseline({ tenant, chain, now: c.now }),
    undoing,
  );
  if (!begun) return;
  state.device = begun.device;
  levers.via = begun.via;
  levers.memberBefore = begun.memberBefore;
  levers.measures['lost-group'] = {
    state: 'asked',
    at: c.now,
    evidence: 'A first response was begun and never came home.',
  };
}

/** Through the user's hold, because another case may still need the user in the lost group. */
async function letGoOfUser(c: CaseFile, options: typeof track | typeof undoing): Promise<void> {
  const { state } = c;
  const { containment: levers, tenant } = state;
  const group = levers.measures['lost-group'];
  const user = state.device?.user;
  if (group === undefined || user === undefined || group.state === 'undone' || group.state === 'left in place') return;
  const answer = await c.step(
    releaseTheUser,
    async () => {
      delete levers.letGoAnswer;
      await act.letGo({ tenant, user, claim: claim(c, levers.via ?? 'secure access') });
      return holdsAnswer(c);
    },
    options,
  );
  if (answer === undefined) {
    // Given up because the case ends: its ending lets go.
    if (state.steps[releaseTheUser]?.state !== 'skipped') return;
    levers.measures['lost-group'] = {
      state: 'left in place',
      at: c.now,
      evidence: `${user} was not taken out of the lost group: the step was skipped.`,
    };
    return;
  }
  const undone = answer.outcome === 'released';
  levers.measures['lost-group'] = {
    state: undone ? 'undone' : 'left in place',
    at: answer.at,
    evidence: answer.evidence,
  };
  c.say('containment', undone ? `Released: ${user} is out of the lost group.` : `${user} stays in the lost group.`, {
    evidence: answer.evidence,
    note: true,
  });
}

async function holdsAnswer(c: CaseFile): Promise<UserReleased> {
  const answer = () => c.state.containment.letGoAnswer;
  await c.until(() => answer() !== undefined);
  const given = answer() as UserReleased;
  if (given.outcome === 'stuck') throw ApplicationFailure.nonRetryable(given.evidence, 'LDP_REFUSED');
  if (given.outcome === 'failing') throw ApplicationFailure.retryable(given.evidence, 'LDP_UNREACHABLE');
  return given;
}

async function undoMeasure(c: CaseFile, measure: SideMeasure): Promise<void> {
  const { state } = c;
  const { device, tenant } = state;
  const taken = state.containment.measures[measure];
  if (device === undefined || taken === undefined || (taken.state !== 'in place' && taken.state !== 'asked')) return;
  if (measure === 'revoke-sessions' || measure === 'lock') {
    state.containment.measures[measure] = {
      state: 'cannot be undone',
      at: c.now,
      evidence:
        measure === 'lock'
          ? 'It is unlocked by hand: the PIN, where there is one, lies in the secret store.'
          : 'Revoked sessions stay revoked: the user signs in again.',
    };
    return;
  }
  const undone = await c.step(
    `undo: ${title[measure]}`,
    () => {
      const target = taken.before?.target;
      return act.undoMeasure({ tenant, now: c.now, measure, device, ...(target !== undefined && { target }) });
    },
    undoing,
  );
  state.containment.measures[measure] = undone
    ? { state: 'undone', at: c.now, evidence: undone.evidence }
    : { state: 'left in place', at: c.now, evidence: `Skipped at ${clockTime(c.now)}.` };
  if (undone) c.say('containment', `Undone: ${title[measure]}.`, { evidence: undone.evidence, note: true });
}
