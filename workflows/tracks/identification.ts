/**
 * Identify: exactly one device, or a person answers with the candidates in hand.
 * @module
 */
import type { FirstResponse } from '../../activities/containment';
import { clockTime } from '../../playbook/clock-time';
import { candidateOption } from '../../playbook/identify';
import { canonicalSerial } from '../../playbook/report';
import { describeDevice } from '../../playbook/device';
import type { CaseFile } from '../case-file';
import { act } from '../case-file';
import { workflowIds } from '../ids';

const whichDevice = 'which-device';

/**
 * The device, with what was there before anything is changed. Undefined when the case ends first: a person said that it
 * is another device (the case moves), or none of ours.
 */
export async function identification(c: CaseFile, respond: 'and contain' | 'only'): Promise<FirstResponse | undefined> {
  const { state } = c;
  for (;;) {
    const picked = c.answered(whichDevice);
    const found = await c.step<FirstResponse>(
      'identify the device',
      () => {
        const input = {
          tenant: state.tenant,
          chain: state.chain,
          now: c.now,
          hint: state.hint,
          ...(state.reportedUser !== undefined && { user: state.reportedUser }),
          verified: state.verified,
          ...(picked !== undefined && { picked }),
        };
        const askWhenOtherDevices = state.rules.whenUserHasOtherDevices !== 'contain-and-tell';
        return respond === 'only' ? act.identifyDevice(input) : act.firstResponse({ ...input, askWhenOtherDevices });
      },
      { track: 'containment' },
    );
    if (found === undefined) {
      // Skipped, or ending. Without a device there is nothing to do but to wait for the end.
      await c.until(() => c.ending);
      return undefined;
    }
    if (found.identified.found === 'one') {
      note(c, found, found.identified.device);
      return found;
    }
    await askWhich(c, found);
    if (c.ending) return undefined;
  }
}

function note(
  c: CaseFile,
  found: FirstResponse,
  device: Extract<FirstResponse['identified'], { found: 'one' }>['device'],
): void {
  const { state } = c;
  c.withdraw(whichDevice);
  state.device = device;
  state.candidates = [];
  state.otherDevices = found.otherDevices;
  state.names = found.names;
  state.keys = found.keys;
  // Once the move was asked for, what is read now may be our own work: the baseline is the first reading.
  if (found.before && state.containment.measures['lost-group'] === undefined) {
    state.containment.via = found.before.via;
    state.containment.memberBefore = found.before.memberBefore;
    const { userId } = found.before.membership;
    if (userId !== undefined) state.containment.userId = userId;
  }
  c.say('containment', `Identified ${describeDevice(device)}.`, {
    evidence: `Serial ${device.serial ?? 'unknown'}, ${device.lastSeenAt ? `last seen ${clockTime(device.lastSeenAt)}` : 'never seen'}, steering "${device.steeringConfig ?? 'unknown'}".`,
    note: true,
  });
}

/** Ask, and wait for an answer or for a report that says more. */
async function askWhich(c: CaseFile, found: FirstResponse): Promise<void> {
  const { state } = c;
  const { identified } = found;
  if (identified.found === 'one') return;
  state.candidates = identified.found === 'several' ? identified.candidates.slice(0, 10) : [];
  c.ask({
    id: whichDevice,
    text: `Which device is it? ${identified.why}`,
    options: [
      ...state.candidates.map(candidateOption),
      { value: 'none', text: 'None of these: it is not a managed device of ours' },
    ],
    freeText: 'serial',
  });
  const deliveries = state.deliveries.length;
  await c.until(() => c.answered(whichDevice) !== undefined || c.ending || state.deliveries.length !== deliveries);
  const answer = c.answered(whichDevice);
  if (answer === undefined) {
    c.withdraw(whichDevice);
    return;
  }
  if (answer === 'none') {
    end(c, 'false alarm', 'Not a managed device of ours.');
    return;
  }
  const serial = state.candidates.some((candidate) => candidateOption(candidate).value === answer)
    ? undefined
    : canonicalSerial(answer);
  if (serial !== undefined) await moveTo(c, serial);
}

/** The serial was wrong: the right device gets its own case, and this one closes with a link. */
async function moveTo(c: CaseFile, serial: string): Promise<void> {
  const { state } = c;
  if (workflowIds.lostDevice(state.tenant, serial) === state.workflowId) return;
  const reports = state.tickets.map((ticket) => ({
    tenant: state.tenant,
    ticket,
    deliveryId: `moved:${state.chain}:${ticket.source}:${ticket.id}`,
    receivedAt: c.now,
    verified: true,
    device: { serial },
    ...(state.reportedUser !== undefined && { user: state.reportedUser }),
    answers: state.answers,
    actor: { person: state.decided[whichDevice]?.who ?? 'unknown', authenticated: false, how: 'answer in the case' },
  }));
  const movedTo = await c.step(
    'hand over to the right device',
    async () => {
      let to = '';
      for (const report of reports) to = (await act.handOver({ report, serial })).workflowId;
      return to;
    },
    { track: 'case' },
  );
  // Where ids hide the serial, only the hand-over knows that it was this very case.
  if (movedTo === undefined || movedTo === state.workflowId) return;
  end(c, 'moved', `The device is ${serial}; its case is ${movedTo}.`, movedTo);
}

function end(c: CaseFile, outcome: 'false alarm' | 'moved', reason: string, movedTo?: string): void {
  const who = c.state.decided[whichDevice]?.who ?? 'playbook';
  c.state.ending = { outcome, at: c.now, who, reason, ...(movedTo !== undefined && { movedTo }) };
  c.say('case', reason, { who, note: true });
}
