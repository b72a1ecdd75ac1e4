/**
 * A person's decision as it is let in: it stands in the case, in tickets and in mails from then on.
 * @module
 */
import { hasSteering, longestName, onOneLine } from '../playbook/plain-text';
import { BadInput } from '../plugins/errors';
import type { Decision } from '../workflows/messages';

/** Longest text of a decision (characters). */
const longestText = 1_000;

/**
 * Every text on one line.
 * @throws BadInput LDP_BAD_INPUT naming a text that is too long, and what to do with it.
 */
export function readDecision<D extends Decision>(decision: D): D {
  const texts = Object.entries(decision).flatMap(([field, value]) => {
    if (typeof value !== 'string') return [];
    if (value.length > longestText) {
      const message = `${field}: is longer than ${longestText} characters: say it shorter, and put the rest into the ticket`;
      throw new BadInput('LDP_BAD_INPUT', message, { field });
    }
    // What holds nothing of the kind stays as it is: an answer is compared with its options.
    return [[field, hasSteering(value) ? onOneLine(value, longestText) : value] as const];
  });
  const { person } = decision.actor;
  if (person.length > longestName || hasSteering(person)) {
    const message = `actor: is longer than ${longestName} characters, or holds control characters: give the name alone`;
    throw new BadInput('LDP_BAD_INPUT', message, { field: 'actor' });
  }
  return { ...decision, ...Object.fromEntries(texts) };
}
