/**
 * The wipe: none → requested → approved → held → queued → delivered → acknowledged; or refused, cancelled, failed. What is to
 * be done next is decided in `playbook/wipe`; here it is done, said and waited for.
 * @module
 */
import { ActivityFailure, ApplicationFailure, patched, TimeoutFailure } from '@temporalio/workflow';
import type { PlaybookActivities } from '../../activities';
import { clockTime } from '../../playbook/clock-time';
import { describeDevice } from '../../playbook/device';
import { proposeLater, rungsThatPropose } from '../../playbook/ladder';
import { proposalId } from '../../playbook/question-ids';
import type { SendOutcome, WipeStep, WipeTrack } from '../../playbook/wipe';
import {
  describePlan,
  endWipe,
  isExpired,
  isRehearsal,
  mayStillLand,
  nextWipeStep,
  permitId,
  tookProgress,
  tookReadBack,
  tookSend,
  tookVendorAnswer,
  wipeHold,
  wipeLooksAt,
  wipeUnderWay,
} from '../../playbook/wipe';
import { activitiesOf } from '../activity-names';
import { Alarm } from '../alarm';
import type { CaseFile } from '../case-file';
import { act } from '../case-file';
import { lostAnswerQuestion } from '../lost-answer';

/** Never repeated by the server, and never begun late: meanwhile somebody may have said no. */
const { sendWipe } = activitiesOf<Pick<PlaybookActivities, 'sendWipe'>>({
  scheduleToStartTimeout: '30 seconds',
  startToCloseTimeout: '2 minutes',
  heartbeatTimeout: '10 seconds',
  retry: { maximumAttempts: 1 },
});

const track = { track: 'wipe' } as const;
const toTheEnd = { track: 'wipe', partOfEnding: true } as const;

export const approvalQuestion = 'approve the wipe';

export async function wipe(c: CaseFile): Promise<void> {
  const { state } = c;
  const alarm = new Alarm();
  while (state.closedAt === undefined) {
    alarm.rang = false;
    expire(c);
    sayHold(c);
    if (mustAskWhetherSent(c)) askWhetherSent(c);
    if (mustSayWiped(c)) sayProgress(c);
    const step = nextWipeStep(state, c.now);
    if (step === 'nothing') {
      alarm.ringBy(wipeLooksAt(state));
      await c.until(
        () =>
          alarm.rang ||
          nextWipeStep(state, c.now) !== 'nothing' ||
          holdChanged(c) ||
          mustAskWhetherSent(c) ||
          mustSayWiped(c) ||
          endsWithCase(c) ||
          isTooOld(c),
      );
    } else await take(c, step);
  }
}

/** A person must say it, also after a decision about the case took every question away. */
const mustAskWhetherSent = ({ state }: CaseFile) =>
  state.wipe.held?.by === 'a person' && !state.questions.some(({ id }) => id === lostAnswerQuestion);

/** It was a person who said it. */
const mustSayWiped = ({ state: { wipe: track } }: CaseFile) =>
  track.state === 'acknowledged' && track.told !== sayable(track);

async function take(c: CaseFile, step: Exclude<WipeStep, 'nothing'>): Promise<void> {
  const { tenant, wipe: track } = c.state;
  const { plan } = track;
  const about = {
    tenant,
    now: c.now,
    plugin: plan?.plugin ?? '',
    recordId: plan?.recordId ?? '',
    ...(plan?.earlierWipe !== undefined && { earlierWipe: plan.earlierWipe }),
  };
  // Cancelled while the vendor was asked: what it showed before is old.
  const isOver = () => c.state.wipe !== track || !wipeUnderWay(track);
  const followed = { ...toTheEnd, unless: isOver };
  switch (step) {
    case 'prepare':
      return prepare(c);
    case 'send':
      return send(c);
    case 'take as lost':
      return takeOutcome(c, { sent: 'unknown' });
    case 'read back': {
      const seen = await c.step('read the wipe back', () => act.readWipe({ ...about, now: c.now }), followed);
      if (isOver()) return;
      tookReadBack(c.state, seen ?? undefined, c.now);
      return sayProgress(c);
    }
    case 'follow': {
      const seen = await c.step('follow the wipe', () => act.readWipe({ ...about, now: c.now }), followed);
      if (isOver()) return;
      tookProgress(c.state, seen ?? undefined, c.now);
      return sayProgress(c);
    }
    case 'ask the vendor': {
      const code = track.vendorApproval?.code ?? '';
      const answer = await c.step(
        "ask for the vendor's approval",
        () => act.readWipeApproval({ tenant, now: c.now, plugin: about.plugin, code }),
        { ...followed, unless: () => c.ending || isOver() },
      );
      if (answer === undefined || isOver()) return;
      tookVendorAnswer(c.state, answer, c.now);
      if (answer === 'approved') c.say('wipe', "The vendor's second administrator agreed.", { note: true });
      else if (c.state.wipe.state === 'failed') sayEnd(c);
    }
  }
}

/** Exactly one enrolment, evidence first; then a second person is asked. */
async function prepare(c: CaseFile): Promise<void> {
  const { state } = c;
  const { tenant, chain, device, wipe: begun } = state;
  if (device === undefined) return endWipe(state, 'failed', 'The device is not identified.');
  const { number } = begun;
  const isOver = () => state.wipe !== begun || begun.state !== 'requested' || isExpired(begun, c.now);
  const name = 'prepare the wipe';
  const plan = await c.step(name, () => act.prepareWipe({ tenant, now: c.now, chain, number, device }), {
    ...track,
    unless: isOver,
  });
  if (isOver() || c.ending) return;
  if (plan === undefined) {
    endWipe(state, 'failed', `Not prepared: ${state.steps[name]?.skippedBecause ?? 'skipped'}.`);
    return;
  }
  state.wipe.plan = plan;
  // What the console says of the disk is a proof that legal clocks ask for.
  if (plan.encrypted !== 'unknown' && state.encryption?.answer !== plan.encrypted)
    state.encryption = {
      answer: plan.encrypted,
      at: c.now,
      who: plan.plugin,
      evidence: `${plan.plugin} record ${plan.recordId}`,
    };
  const says = describePlan(state);
  c.say('wipe', 'Evidence is taken; a second person must approve the wipe.', { evidence: plan.evidence, note: true });
  c.ask({
    id: approvalQuestion,
    text: `Approve the wipe of ${describeDevice(device)}, asked for by ${state.wipe.request?.who ?? 'somebody'}: ${state.wipe.request?.reason ?? ''} ${says.join(' ')} Use approve-wipe or refuse-wipe.`,
    options: [],
    ...(plan.approvers.length > 0 && { whom: plan.approvers }),
  });
}

async function send(c: CaseFile): Promise<void> {
  const { state } = c;
  const { tenant, chain, device, rules, answers, wipe: begun } = state;
  const { plan, request, approval, vendorApproval } = begun;
  if (plan === undefined || request === undefined || approval === undefined) return;
  const permit = permitId(chain, begun);
  const mustNot = () => c.ending || state.wipe !== begun || nextWipeStep(state, c.now) !== 'send';
  const outcome = await c.step(
    'send the wipe',
    async () => {
      const lostBefore = begun.leaving !== undefined;
      begun.leaving ??= c.now;
      try {
        const answer = await sendWipe({
          tenant,
          now: c.now,
          chain,
          permit,
          plugin: plan.plugin,
          recordId: plan.recordId,
          serial: device?.serial ?? '',
          rehearsal: isRehearsal(plan),
          ...(plan.earlierWipe !== undefined && { earlierWipe: plan.earlierWipe }),
          protected: rules.wipe.protected[answers.kind === 'stolen' ? 'stolen' : 'lost'],
          justification: `${request.reason} (asked by ${request.who}, approved by ${approval.who})`,
          ...(vendorApproval?.agreed && { approvalCode: vendorApproval.code }),
        });
        // That this try sent nothing says nothing of the one before.
        return lostBefore && answer.sent === 'no' ? { sent: 'unknown' as const } : answer;
      } catch (error) {
        if (!lostBefore && neverLeft(error)) {
          delete begun.leaving;
          sayNeverLeft(c);
        }
        throw error;
      }
    },
    { ...track, unless: mustNot },
  );
  if (outcome !== undefined) return takeOutcome(c, outcome);
  // Skipped by a person, or somebody said no meanwhile.
  if (state.steps['send the wipe']?.state === 'skipped' && !c.ending && state.wipe === begun)
    endWipe(state, 'failed', `Not sent: ${state.steps['send the wipe'].skippedBecause ?? 'skipped'}.`);
}

/** The activity answers whatever happens once the command is on its way: an error of its own means that none was. */
function neverLeft(error: unknown): boolean {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  return (
    cause instanceof ApplicationFailure ||
    (cause instanceof TimeoutFailure && cause.timeoutType === 'SCHEDULE_TO_START')
  );
}

function takeOutcome(c: CaseFile, outcome: SendOutcome): void {
  const { chain, rules, wipe: track } = c.state;
  const stopped = !['approved', 'held'].includes(track.state) || c.ending;
  const heldBefore = track.held?.says;
  tookSend(c.state, outcome, c.now, rules.wipe.waits.settleMs);
  if (outcome.sent === 'no') {
    if (track.state === 'failed') return sayEnd(c);
    sayNeverLeft(c);
    const { held, number } = track;
    if (held === undefined || held.says === heldBefore) return;
    c.say('wipe', `Held: ${held.says}`, { note: true });
    if (held.by === 'the vendor')
      c.page(`wipe-${number}: ${held.says}`, 'The wipe waits for a second administrator', held.says);
    return;
  }
  const { plan } = track;
  c.say(
    'wipe',
    outcome.sent === 'accepted' ? 'The wipe was sent.' : 'The answer to the wipe was lost: it is read back.',
    {
      evidence: `${plan?.plugin ?? ''} record ${plan?.recordId ?? ''}, permit ${permitId(chain, track)}.${stopped ? ` It was stopped meanwhile: too late${outcome.sent === 'unknown' ? ', if it left' : ''}.` : ''}`,
      note: true,
    },
  );
}

// --- what people hear --------------------------------------------------------------------------------------------

/** It has not left, and never will: somebody said how the case ended. Old consents wipe nothing when the case reopens. */
const endsWithCase = ({ ending, state: { wipe: track } }: CaseFile) => ending && hasNotLeft(track);

/** Also a consent to a second send may come when the first ones are too old. */
const isTooOld = ({ now, state: { wipe: track } }: CaseFile) => hasNotLeft(track) && isExpired(track, now);

const hasNotLeft = ({ state, leaving }: WipeTrack) =>
  leaving === undefined && ['requested', 'approved', 'held'].includes(state);

function expire(c: CaseFile): void {
  const { state } = c;
  const { rules } = state;
  if (endsWithCase(c)) {
    endWipe(state, 'cancelled', `The case ended: ${state.ending?.outcome ?? ''}.`);
    c.withdraw(approvalQuestion);
    c.say('wipe', 'The wipe never left: the case ended.', { note: true });
    return;
  }
  if (!isTooOld(c)) return;
  endWipe(state, 'cancelled', 'Its consents are too old.');
  c.withdraw(approvalQuestion);
  c.say('wipe', 'The wipe did not leave in time: it must be asked for anew.', {
    evidence: `Proposed again at ${clockTime(c.after(rules.wipe.askAgainMs))}, if it is still silent.`,
    note: true,
  });
  const snoozed = { until: c.after(rules.wipe.askAgainMs), who: 'playbook', reason: 'nobody approved in time' };
  for (const progress of rungsThatPropose(state.escalation, rules.escalation.ladder, 'wipe'))
    proposeLater(progress, snoozed);
}

/** What keeps an approved wipe from leaving, said once. */
function sayHold(c: CaseFile): void {
  const { wipe: track } = c.state;
  if (track.sent !== undefined || !['approved', 'held'].includes(track.state)) return;
  const hold = wipeHold(c.state);
  if (hold === undefined) {
    if (track.held?.by === 'until seen' || track.held?.by === 'the office') delete track.held;
    if (track.held === undefined) track.state = 'approved';
    return;
  }
  if (track.held?.by === hold.by) return;
  track.state = 'held';
  track.held = { ...hold, since: c.now };
  c.say('wipe', `Held: ${hold.says}`, { note: true });
}

function holdChanged(c: CaseFile): boolean {
  const { wipe: track } = c.state;
  if (track.sent !== undefined || !['approved', 'held'].includes(track.state)) return false;
  const own = track.held?.by === 'until seen' || track.held?.by === 'the office' ? track.held.by : undefined;
  return wipeHold(c.state)?.by !== own;
}

function askWhetherSent(c: CaseFile): void {
  const { wipe: track } = c.state;
  c.ask({
    id: lostAnswerQuestion,
    text: `${track.held?.says ?? ''} Look in the console of ${track.plan?.plugin ?? 'the device management'}: record ${track.plan?.recordId ?? ''}. Is the wipe there?`,
    options: [
      { value: 'there', text: 'It is there: go on following it' },
      { value: 'wiped', text: 'The device was wiped' },
      { value: 'send again', text: 'It is not there: send it once more, under a new permit' },
      { value: 'give up', text: 'It is not there, and nothing is to be sent' },
    ],
  });
}

const sayable = ({ state, stalledSince = '' }: WipeTrack) => `${state} ${stalledSince}`;

function sayProgress(c: CaseFile): void {
  const { state } = c;
  const { wipe: track } = state;
  if (track.told === sayable(track)) return;
  track.told = sayable(track);
  if (track.state === 'acknowledged') return acknowledged(c);
  if (track.state === 'failed' || track.state === 'cancelled') return sayEnd(c);
  if (track.stalledSince !== undefined)
    c.say('wipe', 'The device spoke to its console after the wipe was queued, and has not taken it.', {
      ...(track.progress && { evidence: track.progress.says }),
      note: true,
    });
  else if (mayStillLand(track))
    c.say('wipe', track.state === 'delivered' ? 'The wipe was delivered.' : 'The wipe waits for the device.', {
      ...(track.progress && { evidence: track.progress.says }),
      note: true,
    });
}

function sayEnd(c: CaseFile): void {
  const { wipe: track } = c.state;
  c.say('wipe', `The wipe ${track.state === 'failed' ? 'failed' : 'was cancelled'}.`, {
    ...(track.endedBecause !== undefined && { evidence: track.endedBecause }),
    note: true,
  });
  c.page(`wipe-${track.number}-${track.state}`, `The wipe ${track.state}`, track.endedBecause ?? '');
}

/** Somebody cancelled it while it was on its way, and was told that it may arrive. */
function sayNeverLeft(c: CaseFile): void {
  if (c.state.wipe.state === 'cancelled' && patched('say that it never left'))
    c.say('wipe', 'The wipe never left: it was cancelled in time.', { note: true });
}

/** From now on silence is success. */
function acknowledged(c: CaseFile): void {
  const { state } = c;
  const { progress, number } = state.wipe;
  const evidence =
    c.answered(lostAnswerQuestion) === 'wiped' ? 'A person looked, and says so.' : (progress?.says ?? 'No word.');
  c.say('wipe', 'Wiped. From now on its silence is success.', { evidence, note: true });
  c.page(`wiped-${number}`, 'The lost device was wiped', evidence);
  if (c.ending) return;
  c.ask({
    id: proposalId('close as wiped'),
    text: `${describeDevice(state.device ?? {})} was wiped. Close the case as wiped? It goes on listening: a re-enrolment or a sign-in reopens it.`,
    options: [
      { value: 'yes', text: 'Close it as wiped' },
      { value: 'no', text: 'No: go on as before' },
    ],
    proposes: 'close as wiped',
  });
}
