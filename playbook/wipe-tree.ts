/**
 * The decision tree: what the rules propose for this loss. A person decides; a written reason goes against it.
 * @module
 */
import { isNews, type CaseState } from './case';
import type { YesNoUnknown } from './report';
import type { WipeLine } from './rules';

export interface WipeFacts {
  uniqueData?: YesNoUnknown;
  legalHold?: YesNoUnknown;
}

/** The first line that fits; a tree without one proposes a wipe to nobody. */
export function proposeWipe(state: CaseState, given: WipeFacts): Pick<WipeLine, 'propose' | 'because'> {
  const { answers, encryption, presence, rules } = state;
  // Other sources say that it is online, and not where.
  const placed = presence.recent.find(({ publicAddress }) => publicAddress !== undefined);
  const facts = {
    kind: answers.kind === 'stolen' ? 'stolen' : 'lost',
    encrypted: encryption?.answer ?? 'unknown',
    powered: answers.powered,
    uniqueData: given.uniqueData ?? 'unknown',
    legalHold: given.legalHold ?? 'unknown',
    inTheOffice: placed?.site !== undefined && isNews(state, placed),
  };
  const fits = (line: WipeLine) =>
    (Object.keys(facts) as (keyof typeof facts)[]).every((key) => line[key] === undefined || line[key] === facts[key]);
  return rules.wipe.tree.find(fits) ?? { propose: 'do not wipe', because: 'No line of the decision tree fits.' };
}
