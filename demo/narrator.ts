/**
 * Prints the story: for people as a runbook with times, for programs as JSON Lines.
 * @module
 */
import type { CaseState, JournalEntry } from '../playbook/case';
import { headline } from '../playbook/summary';
import type { World } from './world';

export interface Narrator {
  /** Print what happened until now, then the next scene. */
  scene(text: string): Promise<void>;
  /** Print every change of this case from now on. */
  follow(workflowId: string): void;
  pause(ms: number): Promise<void>;
  /** Print what is still unprinted, then stop following. */
  finish(): Promise<void>;
}

const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

export function createNarrator(world: World, json: boolean): Narrator {
  const print = (line: string) => process.stdout.write(`${line}\n`);
  const followed = new Map<string, { chain: string; printed: number }>();
  let stopped = false;

  // One look at a time, or a line would be printed twice.
  let looking: Promise<void> = Promise.resolve();
  const look = (): Promise<void> => (looking = looking.then(lookOnce));
  const lookOnce = async (): Promise<void> => {
    for (const [workflowId, place] of followed) {
      const state = await world.describe(workflowId).catch(() => undefined);
      if (state === undefined || !('containment' in state)) continue;
      if (state.chain !== place.chain) Object.assign(place, { chain: state.chain, printed: 0 });
      for (const entry of state.journal.tail.filter(({ n }) => n > place.printed)) {
        place.printed = entry.n;
        if (json || !entry.routine) print(json ? asJson(state, entry) : asLine(entry));
      }
    }
  };
  const following = (async () => {
    while (!stopped) {
      await look();
      await wait(150);
    }
    await look();
  })();

  return {
    async scene(text) {
      await look();
      if (!json) print(`\n── ${text}`);
    },
    follow: (workflowId) => void followed.set(workflowId, { chain: '', printed: 0 }),
    pause: wait,
    async finish() {
      stopped = true;
      await following;
    },
  };
}

function asLine(entry: JournalEntry): string {
  const when = entry.at.slice(0, 16).replace('T', ' ');
  const evidence = entry.evidence ? `\n${' '.repeat(35)}${entry.evidence}` : '';
  return `  ${when}  ${entry.track.padEnd(14)} ${entry.text}${evidence}`;
}

function asJson(state: CaseState, entry: JournalEntry): string {
  return JSON.stringify({
    case: state.workflowId,
    headline: headline(state),
    outcome: state.outcome,
    containment: state.containment.state,
    configuration: state.configuration.state,
    presence: state.presence.state,
    entry,
  });
}
