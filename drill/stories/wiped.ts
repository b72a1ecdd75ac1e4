/**
 * *Wiped*: stolen; two persons want it wiped; it takes its wipe in a café after 20 days; somebody sets it up again after
 * 50; the police bring it back after 60.
 * @module
 */
import type { CaseState } from '../../playbook/case';
import { wipeUnderWay } from '../../playbook/wipe';
import { proposeWipe } from '../../playbook/wipe-tree';
import { approveWipe, cancelWipe, recovered, releaseIsolation, requestWipe } from '../../workflows/messages';
import { spans, type Stage } from '../story';

const { minuteMs, hourMs, dayMs } = spans;
const preparing = 'prepare the wipe';

export async function wiped(stage: Stage): Promise<void> {
  stage.tell('A laptop is stolen from a car. It is off, and it holds the customer list.');
  await stage.report('stolen', 'the car park');
  await stage.pass(dayMs);
  let approved = (await askForWipe(stage)) && (await approve(stage));

  const before = await stage.passTo(19 * dayMs);
  if (approved && !wipeUnderWay(before.wipe)) {
    stage.tell(
      `The wipe has not left, and will not: ${before.wipe.endedBecause ?? 'it is over.'} It is asked for anew.`,
    );
    approved = (await askForWipe(stage)) && (await approve(stage));
  }

  await stage.passTo(20 * dayMs);
  stage.tell('In a café somebody opens the lid for half an hour.');
  const cafe = await stage.online('a café', 30 * minuteMs);
  stage.expect(cafe.presence.count > 0, 'No feed of the settings heard the laptop in the café.');
  const { wipe } = await stage.pass(2 * dayMs, (state) => state.wipe.state === 'acknowledged');
  const isWiped = wipe.state === 'acknowledged';
  stage.expect(isWiped || !approved, `The laptop took no wipe in the café: it is ${wipe.state}.`);
  if (isWiped) {
    const { listening } = await stage.pass(3 * dayMs, (state) => state.listening !== undefined);
    stage.expect(listening !== undefined, 'The case was not closed as wiped.');
    await stage.passTo(50 * dayMs);
    stage.tell('Somebody sets the laptop up again.');
    stage.setUpAgain();
    const { outcome } = await stage.online('a home', 30 * minuteMs);
    stage.expect(outcome === 'open', `It is back after its wipe, and the case is ${outcome}.`);
  }

  await stage.passTo(60 * dayMs);
  stage.tell('The police bring the laptop back.');
  await stage.decide(stage.analyst, recovered, { reason: 'Brought back by the police.' });
  const end = await stage.pass(dayMs, ({ closedAt }) => closedAt !== undefined);
  stage.expect(end.closedAt !== undefined, 'The case did not close after the laptop was back.');
}

/** An isolated laptop never hears of its wipe; against the decision tree it needs a reason. False: it cannot be wiped. */
async function askForWipe(stage: Stage): Promise<boolean> {
  const before = await stage.state();
  if (isCutOff(before)) {
    stage.tell('It is isolated, and would never hear of a wipe: the isolation is lifted first.');
    await stage.decide(stage.analyst, releaseIsolation, { reason: 'It must hear of its wipe.' });
    await stage.pass(hourMs, (state) => !isCutOff(state));
  }
  const { propose, because } = proposeWipe(before, {});
  stage.tell(`${stage.analyst} asks for a wipe. The decision tree says: ${propose}. ${because}`);
  await stage.decide(stage.analyst, requestWipe, {
    reason: 'Stolen, and the customer list is on it.',
    ...(propose === 'do not wipe' && { override: 'Only to play the drill to its end.' }),
  });
  const { wipe, steps } = await stage.pass(
    hourMs,
    (state) => state.wipe.plan !== undefined || state.steps[preparing]?.state === 'stuck',
  );
  if (wipe.plan !== undefined) return true;
  stage.kept(`The laptop could not have been wiped: ${steps[preparing]?.error?.message ?? 'it was not prepared.'}`);
  return false;
}

function isCutOff({ containment, asked, rules }: CaseState): boolean {
  const selective = rules.wipe.isolate === 'selective' && asked.isolate === undefined;
  return !selective && containment.measures.isolate?.state === 'in place';
}

/** By another person, who is an approver. False: it will not leave, and why is said. */
async function approve(stage: Stage): Promise<boolean> {
  if (stage.secondPerson === undefined) {
    stage.kept('A wipe could not have been approved: the settings name fewer than two approvers.');
    return false;
  }
  stage.tell(`${stage.secondPerson} approves it.`);
  await stage.decide(stage.secondPerson, approveWipe, { reason: 'Checked with its owner by phone.' });
  const { wipe } = await stage.pass(hourMs, (state) => state.wipe.sent !== undefined || state.wipe.held !== undefined);
  if (wipe.held?.by !== 'the guard') return true;
  stage.kept(`The wipe would have been held: ${wipe.held.says}`);
  await stage.decide(stage.analyst, cancelWipe, { reason: 'Nobody waits for a cap that never gives way.' });
  return false;
}
