/**
 * Looks after those who look after the cases: Temporal that does not answer, a main queue without a worker, and a
 * reconciliation that stands still. It runs in the process that takes the webhooks, because none of them could say so itself.
 * @module
 */
import { setTimeout } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { findFrozen, pageThrough } from './activities/alarms';
import type { House } from './activities/house';
import { clockTime } from './playbook/clock-time';
import type { Call, Notifier } from './plugins/roles';

/** A worker that is started anew is no outage: only what two looks in a row find is told. */
const looksUntilTold = 2;
const tellWithinMs = 30_000;
const awayAfterMs = 5_000;

interface Trouble {
  /** At a pager; the same for every process that finds it. */
  incident: string;
  subject: string;
  says: string;
}

const temporalAway: Trouble = {
  incident: 'alarm:temporal-away',
  subject: 'Temporal does not answer: every case stands still',
  says:
    'Temporal does not answer. Nothing is done in any case, and reports are refused with 503: most desks send them again, ' +
    'and reconciliation finds the others once Temporal is back. Nothing that was taken is lost. Look at its server, its ' +
    'database and the network before it.',
};

interface Outage extends Trouble {
  /** When it was found first. ISO 8601. */
  since: string;
  looks: number;
  /** Notifiers that have it, and have not been told that it is over, as `tenant/name`. */
  told: Set<string>;
}

/**
 * Look every `everyMs`; page everybody once per outage, and say when it is over. What it knows ends with the process:
 * another one pages again, under the same incident.
 * @returns a function that ends it.
 */
export function monitorWorkers(house: House, everyMs: number, log: (line: string) => void): () => Promise<void> {
  const outages = new Map<string, Outage>();
  const stopping = new AbortController();

  async function look(): Promise<void> {
    const found = await findTroubles(house).catch((error: unknown) => {
      log(`Workers could not be looked for: ${messageOf(error)}`);
      return undefined;
    });
    const troubles = found ?? ((await isAway(house.client)) ? [temporalAway] : []);
    if (stopping.signal.aborted) return;
    for (const trouble of troubles) {
      const since = new Date().toISOString();
      const outage = outages.get(trouble.incident) ?? { ...trouble, since, looks: 0, told: new Set() };
      outages.set(outage.incident, outage);
      outage.looks += 1;
      if (outage.looks >= looksUntilTold) await tell(outage);
    }
    // While Temporal is away nobody knows of the others: what was found stays as it is.
    if (found === undefined) return;
    for (const outage of outages.values()) {
      if (troubles.some(({ incident }) => incident === outage.incident)) continue;
      await tellItIsOver(outage);
      if (outage.told.size === 0) outages.delete(outage.incident);
    }
  }

  /** A notifier that fails is asked again at the next look. */
  const tell = ({ incident, subject, says, since, told }: Outage) =>
    forEachNotifier(async (name, notifier, call) => {
      if (told.has(name)) return;
      const text = `${says}\n\nFound ${clockTime(since)}.`;
      await pageThrough(notifier, { key: `${incident}:${since}`, incident, subject, text, severity: 'critical' }, call);
      told.add(name);
    });

  const tellItIsOver = ({ incident, subject, since, told }: Outage) =>
    forEachNotifier(async (name, notifier, call) => {
      if (!told.has(name)) return;
      if (notifier.resolve) await notifier.resolve(incident, call);
      else {
        const text = `It was found ${clockTime(since)}, and is over.`;
        const key = `${incident}:${since}:over`;
        await pageThrough(notifier, { key, incident, subject: `Over: ${subject}`, text, severity: 'info' }, call);
      }
      told.delete(name);
    });

  async function forEachNotifier(run: (name: string, notifier: Notifier, call: Call) => Promise<void>): Promise<void> {
    for (const tenant of house.tenants.values()) {
      for (const [instance, notifier] of tenant.notifiers) {
        const name = `${tenant.name}/${instance}`;
        const signal = AbortSignal.any([stopping.signal, AbortSignal.timeout(tellWithinMs)]);
        await run(name, notifier, { signal, now: new Date().toISOString() }).catch((error: unknown) =>
          log(`${name} could not be told about the workers: ${messageOf(error)}`),
        );
      }
    }
  }

  const rounds = (async () => {
    for (;;) {
      await setTimeout(everyMs, undefined, { signal: stopping.signal });
      await look();
    }
  })().catch(() => undefined);

  return async () => {
    stopping.abort();
    await rounds;
  };
}

/** Whoever is only slow is not away. */
async function isAway({ connection, workflowService }: Client): Promise<boolean> {
  const answer = connection.withDeadline(Date.now() + awayAfterMs, () => workflowService.getSystemInfo({}));
  return answer.then(
    () => false,
    () => true,
  );
}

async function findTroubles(house: House): Promise<Trouble[]> {
  if ((await house.missingWorkers()).includes('main')) {
    return [
      {
        incident: 'alarm:no-worker:main',
        subject: 'No worker: every case stands still',
        says:
          'No worker runs the playbook. Reports are taken and kept, and nothing is done with them: nobody is contained. ' +
          'Start a worker, and read what the last one said when it ended.',
      },
    ];
  }
  const [frozen] = await findFrozen(house.client, "WorkflowType = 'reconciliation'");
  if (frozen === undefined) return [];
  return [
    {
      incident: 'alarm:frozen:reconciliation',
      subject: 'Frozen: reconciliation',
      says:
        `${frozen.says} Until it goes on, nobody looks for frozen cases and lost tickets. Put the last good release ` +
        'back, or mend the program.',
    },
  ];
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown error';
}
