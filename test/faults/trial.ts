/**
 * One run of a journey in a world of its own: simulated vendors, a house, and the playbook's activities in the SDK's own
 * environment. Each step is repeated as a case repeats it (`workflows/case-file.ts`): what fails is tried again, what is
 * refused waits for a person, who mends it.
 * @module
 */
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { createActivities, type PlaybookActivities } from '../../activities';
import type { House } from '../../activities/house';
import { activityInterceptors } from '../../activities/interceptors';
import { closeHouse, openHouse } from '../../open-house';
import type { Settings } from '../../playbook/settings';
import { loadSettings } from '../../settings/load';
import type { CallRecord } from '../../simulator/calls';
import { startSimulator } from '../../simulator/server';
import { everyVendor, writeSimulatorSettings } from '../../simulator/settings';
import { activityPrefix } from '../../workflows/activity-names';
import type { Effect } from './vendor-faults';

/** Where and how one fault hits. */
export interface Aim extends Effect {
  match: { method: string; template: string };
  /** The step that it hits; absent: all along. */
  step?: string;
  /** It stays until a person was asked. */
  untilMended: boolean;
}

export interface TrialOptions {
  client: Client;
  /** The tenant's name: unique where the journey hands cases in. */
  tenant: string;
  /** How long before now the simulated world begins (milliseconds). */
  startsBeforeMs?: number;
  /** How wrong the vendors' clock is (milliseconds). */
  clockAheadMs?: number;
  traps?: Record<string, unknown>;
  /** Name of the device tag. */
  tag?: string;
  aim?: Aim;
}

/** What can be compared of two runs of a journey. */
export interface Told {
  /** What changed at the vendors. */
  changes: string[];
  /** What the steps found out, in words without times. */
  findings: string[];
}

/** An activity is tried so often by the server before the case hears of it (`act` in `workflows/case-file.ts`). */
const attempts = 3;
/** So many tries of a step that goes on failing call a person. */
const triesUntilCalled = 3;
/** A person mends a step so often. */
const mostMendings = 3;
/** How long a simulated vendor takes to show a change (milliseconds). */
const settleMs = 200;
/** How long it may be silent (milliseconds): short only where it will be, because a loaded machine is slow as well. */
const timeoutMs = { usual: 15_000, whereItHangs: 1_000 };

/** A watch that starts again after failures must have come through by then (milliseconds). */
const watchedWithinMs = 60_000;

const quiet = new DefaultLogger('ERROR');

export type Trial = Awaited<ReturnType<typeof startTrial>>;

/**
 * @param usual The settings of every run, but for addresses and names.
 */
export async function startTrial(usual: Usual, options: TrialOptions) {
  const { client, aim, clockAheadMs = 0, startsBeforeMs = 0 } = options;
  const simulator = await startSimulator({
    port: 0,
    seed: 1,
    now: new Date(Date.now() - startsBeforeMs).toISOString(),
    clockAheadMs,
  });
  const house = openHouse(settingsFor(usual, simulator.url, options), client, false);
  const tenant = house.tenant(options.tenant);
  const activities = namedPlainly(house);

  const control = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const answer = await fetch(`${simulator.url}/control/${path}`, {
      method,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as T;
  };
  const calls = () => control<CallRecord[]>('GET', 'calls');

  await control('POST', 'traps', { readLagMs: 0, lateEvents: false, ...options.traps });
  let aimed = false;
  async function take(aimAt: Aim): Promise<void> {
    aimed = true;
    const { match, effect, when = 'before', untilMended, step } = aimAt;
    const times = untilMended || step === undefined ? 'always' : 1;
    await control('POST', 'faults', { match, effect, when, times });
  }

  /** Counted only where nothing goes wrong: there it tells which step calls what. */
  const callsSoFar = async () => (aim ? 0 : (await calls()).length);
  /** Which calls belong to which step. */
  const steps: { name: string; from: number; to: number }[] = [];
  const findings: string[] = [];
  /** What people were asked, or called for. */
  const asked: string[] = [];
  /** Refused for going too fast, and not told for how long. */
  const unheeded: string[] = [];
  let shift = 0;

  /** People look at it, and what was wrong is mended. */
  async function ask(why: string): Promise<void> {
    asked.push(why);
    if (asked.length > mostMendings) throw new Error(`It never ends: ${why}`);
    await control('DELETE', 'faults');
  }

  async function step<T>(name: string, act: () => Promise<T>, { once = false } = {}): Promise<T> {
    if (aim?.step === name && !aimed) await take(aim);
    const from = await callsSoFar();
    try {
      for (let tries = 1; ; tries += 1) {
        const failure = await oneTry(name, act, once ? 1 : attempts);
        if ('result' in failure) return failure.result;
        if (failure.refused || tries % triesUntilCalled === 0) await ask(`${name}: ${failure.says}`);
        await setTimeout(10);
      }
    } finally {
      steps.push({ name, from, to: await callsSoFar() });
    }
  }

  /** A step that goes on by itself: it is ended when it has come so far. */
  async function watch(name: string, act: () => Promise<unknown>, ready: () => Promise<boolean>): Promise<void> {
    if (aim?.step === name && !aimed) await take(aim);
    const from = await callsSoFar();
    const environment = new MockActivityEnvironment(
      { activityType: name },
      { interceptors: [activityInterceptors], logger: new DefaultLogger('ERROR', () => undefined) },
    );
    const watching = environment.run(act).then(
      () => 'ended by itself',
      (error: unknown) => String(error),
    );
    let ended: string | undefined;
    void watching.then((how) => (ended = how));
    try {
      for (const endMs = Date.now() + watchedWithinMs; !(await ready()); await setTimeout(50)) {
        if (ended !== undefined) throw new Error(`${name} ended: ${ended}`);
        if (Date.now() > endMs) throw new Error(`${name} did not come so far`);
        const met = aim?.untilMended ? (await calls()).filter(({ fault }) => fault !== undefined).length : 0;
        if (asked.length === 0 && met >= triesUntilCalled) await ask(`${name} cannot be read`);
      }
      steps.push({ name, from, to: await callsSoFar() });
    } finally {
      environment.cancel();
      await watching;
    }
  }

  /** One try of the case: several of the server. */
  async function oneTry<T>(
    name: string,
    act: () => Promise<T>,
    most: number,
  ): Promise<{ result: T } | { refused: boolean; says: string }> {
    for (let attempt = 1; ; attempt += 1) {
      const environment = new MockActivityEnvironment(
        { attempt, activityType: name },
        { interceptors: [activityInterceptors], logger: quiet },
      );
      try {
        return { result: (await environment.run(act)) as T };
      } catch (error) {
        if (!(error instanceof ApplicationFailure))
          throw new Error(`${name} failed with an error that is none of the four: ${String(error)}`, { cause: error });
        const [details] = (error.details ?? []) as { retryAfterMs?: number }[];
        if (error.type === 'LDP_RATE_LIMITED' && details?.retryAfterMs === undefined) unheeded.push(error.message);
        const refused = error.nonRetryable === true;
        if (refused || attempt === most) return { refused, says: `${error.type ?? ''} ${error.message}` };
      }
      await setTimeout(5);
    }
  }

  if (aim && aim.step === undefined) await take(aim);

  return {
    tenant,
    house,
    activities,
    control,
    step,
    watch,
    ask,
    asked,
    unheeded,
    /** What every activity is given. */
    get about() {
      return { tenant: tenant.name, now: new Date(Date.now() + shift).toISOString() };
    },
    find(what: string, value: unknown) {
      findings.push(`${what}: ${JSON.stringify(value) ?? 'nothing'}`);
    },
    laptop: (serial: string, what: Record<string, unknown>) => control('POST', 'laptop', { serial, ...what }),
    /** The vendors' clock goes on, and ours with it. */
    async advance(ms: number): Promise<void> {
      shift += ms;
      await control('POST', 'clock', { advanceMs: ms });
    },
    /** The vendors' clock alone: what was planned before the story begins. */
    ageBy: (ms: number) => control('POST', 'clock', { advanceMs: ms }),
    async told(): Promise<Told & { calls: CallRecord[]; steps: typeof steps; hit: boolean }> {
      const all = await calls();
      const changes = all.flatMap(({ changed }) => changed?.split('; ') ?? []);
      return { changes, findings, calls: all, steps, hit: all.some(({ fault }) => fault !== undefined) };
    },
    async end(): Promise<void> {
      await closeHouse(house);
      await simulator.close();
    },
  };
}

/** Settings that every run shares, but for its vendors' address, its tenant's name and its folder. */
interface Usual {
  settings: Settings;
  /** Runs have their folders in it. */
  folder: string;
}
const usualUrl = 'http://127.0.0.1:1';
const usualTenant = 'tenant-of-the-run';
/** Nobody has created it yet. */
const usualTag = 'lost-by-matrix';

/** As a file of a user's has them, with short waits. They are read once: that is most of what a run would cost. */
export async function readUsualSettings(folder: string): Promise<Usual> {
  const { file } = writeSimulatorSettings({
    folder,
    simulator: usualUrl,
    tenant: usualTenant,
    with: everyVendor,
    pollEveryMs: 100,
    indexEvery: '100ms',
    guard: { containmentsPerHour: 100_000 },
    wipe: { dryRun: false, perHour: 100_000, perDay: 100_000 },
    pattern: { losses: 2 },
  });
  const settings = await loadSettings(file);
  for (const { plugin, settings: of } of Object.values(settings.tenants[usualTenant]?.plugins ?? {})) {
    if (['netskope', 'entra', 'intune', 'crowdstrike'].includes(plugin)) Object.assign(of as object, { settleMs });
    if (plugin !== 'folder' && plugin !== 'encrypted-folder' && plugin !== 'webhook')
      Object.assign(of as object, { timeoutMs: timeoutMs.usual });
    if (plugin === 'netskope') Object.assign(of as object, { tag: usualTag });
  }
  return { settings, folder };
}

let runs = 0;

function settingsFor({ settings, folder }: Usual, url: string, { tenant, tag, aim }: TrialOptions): Settings {
  runs += 1;
  const text = JSON.stringify(settings)
    .replaceAll(usualUrl, url)
    .replaceAll(usualTenant, tenant)
    .replaceAll(usualTag, tag ?? usualTag)
    .replaceAll(folder, join(folder, `run-${runs}`));
  const inHaste = (value: unknown) => (value === timeoutMs.usual ? timeoutMs.whereItHangs : value);
  return JSON.parse(text, (_, value: unknown) => (aim && 'hang' in aim.effect ? inHaste(value) : value)) as Settings;
}

/** As workflows name them. */
function namedPlainly(house: House): PlaybookActivities {
  const prefixed = Object.entries(createActivities(house));
  return Object.fromEntries(
    prefixed.map(([name, act]) => [name.slice(activityPrefix.length), act]),
  ) as unknown as PlaybookActivities;
}
