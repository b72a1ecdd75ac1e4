/**
 * The answer to a wipe was lost, and the vendor shows none: only a person who looked can say what happened.
 * @module
 */
import { endWipe, sendAgain, takeAsSent } from '../playbook/wipe';
import type { CaseFile } from './case-file';

export const lostAnswerQuestion = 'was the wipe sent';

/** A second send is a person's decision, under a permit of its own. */
export function takeLostAnswer(c: CaseFile, value: string): void {
  const { state } = c;
  const { wipe } = state;
  if (value === 'send again') sendAgain(state);
  else if (value === 'there') takeAsSent(state);
  else if (value === 'wiped') {
    takeAsSent(state);
    wipe.state = 'acknowledged';
    wipe.acknowledgedAt = c.now;
    delete wipe.lookAt;
  } else endWipe(state, 'cancelled', 'A person looked: it never left.');
}
