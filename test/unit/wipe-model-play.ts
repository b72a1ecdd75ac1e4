/**
 * Plays a world of wipes: the real track with the real decisions in every case, the real guard between them, the real
 * activities before the vendor. Only what is around the wipe (containment, tickets, the closing of a case) is told in short.
 * @module
 */
import type { House } from '../../activities/house';
import { createWipeActivities } from '../../activities/wipe';
import type { CaseState } from '../../playbook/case';
import { mayStillLand, wipeLooksAt, wipeUnderWay } from '../../playbook/wipe';
import type { Permit, PermitRequest } from '../../playbook/permits';
import { defaultRules } from '../../playbook/rules';
import { CaseFile } from '../../workflows/case-file';
import { takeDecisions } from '../../workflows/decisions';
import { guard } from '../../workflows/guard';
import { lostAnswerQuestion } from '../../workflows/lost-answer';
import type { CaseInput, GuardState } from '../../workflows/messages';
import { deviceSeen } from '../../workflows/messages';
import { takeNews } from '../../workflows/tracks/presence';
import { wipe } from '../../workflows/tracks/wipe';
import { takeWipeDecisions } from '../../workflows/wipe-decisions';
import { Simulation, type Run } from './wipe-model-temporal';
import {
  actors,
  approvers,
  archiveOf,
  fateOf,
  fatesOf,
  hour,
  iso,
  secretStoreOf,
  serialOf,
  Vendor,
  type Happening,
  type World,
} from './wipe-model-world';

const startMs = Date.parse('2026-11-22T06:00:00.000Z');

/** A decision that was taken in, and what it was about. */
export interface Taken {
  atMs: number;
  serial: string;
  what: string;
  actor: (typeof actors)[number];
  value?: string;
}

export interface Grant {
  atMs: number;
  request: PermitRequest;
  permit: Permit;
  frozen: boolean;
  dryRun: boolean;
}

interface Lost {
  serial: string;
  chain: string;
  run: Run;
  state: CaseState;
  /** A person said that it is not there, or that it is over, and was wrong. */
  misled: boolean;
}

/** All that happened, as others saw it. */
export interface Played {
  vendor: Vendor;
  taken: Taken[];
  grants: Grant[];
  /** Moments at which the vendor might deliver and the case said that nothing may land. */
  denied: string[];
  /** Cases that stand still with nothing to wait for; those that did not end when everything was well again. */
  hanging: string[];
  endless: string[];
  /** When consents were over by themselves. */
  expired: { serial: string; number: number; atMs: number }[];
  faults: string[];
  seen: Set<string>;
}

export async function play(world: World, setClock: (nowMs: number) => void): Promise<Played> {
  const fate = fatesOf(world);
  let healthy = false;
  const nextFate = () => (healthy ? 0 : fate());
  const secrets = new Map<string, string>();
  let simulation!: Simulation;
  const theSimulation = () => simulation;
  const vendor = new Vendor(world, theSimulation, nextFate, secrets, startMs);
  vendor.opens(startMs);
  const settings = { dryRun: world.dryRun, perHour: world.perHour, perDay: world.perDay, approvers };
  const grants: Grant[] = [];
  let guardRun!: Run;
  const guardState: () => GuardState = () =>
    guardRun.handlers.get('describe')?.take(undefined) as GuardState;

  const tenant = {
    name: 'acme',
    settings: { wipe: settings },
    managements: new Map([['intune', vendor.management()]]),
    detections: new Map(),
    secureAccess: { findDevices: () => Promise.resolve([]) },
    archive: archiveOf(theSimulation, nextFate),
    secretStore: secretStoreOf(theSimulation, secrets),
    simulated: new Set(world.simulated ? ['intune'] : []),
    agentHosts: new Map(),
  };
  const client = {
    withDeadline: (_at: number, ask: () => Promise<unknown>) => ask(),
    workflow: {
      executeUpdateWithStart: async ({ name }: { name: string }, { args: [request] }: { args: [PermitRequest] }) => {
        await simulation.hop();
        if (nextFate() === 99) throw new Error('the guard is away');
        const frozen = guardState().permits?.frozen !== undefined;
        const permit = simulation.update(guardRun, name, request) as Permit;
        grants.push({ atMs: simulation.nowMs, request, permit, frozen, dryRun: settings.dryRun });
        await simulation.hop();
        if (nextFate() === 99) throw new Error('the answer of the guard was lost');
        return permit;
      },
    },
  };
  const house = { tenant: () => tenant, client } as unknown as House;
  const queueMs = () => {
    const n = nextFate();
    return n < 88 ? 5 : n < 96 ? 4_000 : n < 99 ? 10 * 60_000 : 5 * hour;
  };
  simulation = new Simulation(
    startMs,
    createWipeActivities(house) as unknown as Record<string, (input: never) => Promise<unknown>>,
    queueMs,
    () => fateOf(nextFate()),
    setClock,
  );

  // --- the guard and the cases ---------------------------------------------------------------------------------
  let runs = 0;
  const startGuard = (state: GuardState) => {
    guardRun = simulation.start('guard', `run-${(runs += 1)}`, () => guard(state));
  };
  startGuard({ tenant: 'acme', admitted: [] });

  const cases: Lost[] = [];
  const startCase = (lost: Lost, input: CaseInput) => {
    lost.run = simulation.start(`case-${lost.serial}`, `run-${(runs += 1)}`, async () => {
      const c = new CaseFile(input);
      const { state } = c;
      lost.state = state;
      lost.chain = state.chain;
      state.device ??= { source: 'netskope', serial: lost.serial, client: 'enabled' };
      takeDecisions(c);
      takeWipeDecisions(c);
      simulation.later(0, () => undefined, lost.run);
      void keepHearing(c, lost);
      void wipe(c).catch((error: unknown) => simulation.faults.push(`the track failed: ${String(error)}`));
      void ending(c);
      await c.untilDrained();
      seen.add('went on as a new run');
      lost.run.over = true;
      startCase(lost, { ...input, state: structuredClone(state) });
    });
  };
  const seen = new Set<string>();
  const keepHearing = async (c: CaseFile, { run }: Lost) =>
    void run.handlers.set(deviceSeen.name, { take: (batch) => takeNews(c, batch as never) });

  // `start` plays the beginning at once, and that needs the run.
  for (let n = 0; n < world.cases; n += 1) {
    const serial = serialOf(n);
    const lost = { serial, misled: false } as Lost;
    cases.push(lost);
    startCase(lost, { report: reportOf(serial), rules: structuredClone(defaultRules) });
  }
  return finish();
  async function finish(): Promise<Played> {
    throw new Error('todo');
  }
}
