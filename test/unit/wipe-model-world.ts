/**
 * Random worlds for the wipe: what persons do, what befalls workers, and a vendor that loses answers before and after the
 * effect, wants a second administrator, forgets devices, or never moves.
 * @module
 */
import fc from 'fast-check';
import { OutcomeUnknown, VendorRefused, VendorUnavailable } from '../../plugins/errors';
import type {
  Archive,
  CommandProgress,
  DeviceManagement,
  ManagedRecord,
  SecretStore,
  WipeOptions,
} from '../../plugins/roles';
import type { Fate, Simulation } from './wipe-model-temporal';

const second = 1_000;
const minute = 60 * second;
export const hour = 60 * minute;
const day = 24 * hour;

// --- persons -----------------------------------------------------------------------------------------------------

/** Whoever may type a command, with names that are tricks. Only ana and bob may approve. */
export const actors = [
  { person: 'ana', authenticated: true, how: 'oidc' },
  { person: 'bob', authenticated: true, how: 'oidc' },
  { person: 'dee', authenticated: true, how: 'oidc' },
  { person: ' Ana ', authenticated: true, how: 'oidc' },
  { person: 'BOB', authenticated: true, how: 'oidc' },
  { person: 'ana', authenticated: false, how: '--as' },
  { person: 'bob', authenticated: false, how: '--as' },
  { person: 'mallory', authenticated: false, how: '--as' },
];
export const approvers = ['ana', 'bob'];

export type What =
  | 'request'
  | 'approve'
  | 'refuse'
  | 'cancel'
  | 'recovered'
  | 'false alarm'
  | 'write off'
  | 'sighting'
  | 'seen in the office'
  | 'answer'
  | 'retry'
  | 'skip'
  | 'freeze'
  | 'unfreeze'
  | 'switch dry run'
  | 'point at another console'
  | 'online'
  | 'wiped in the console'
  | 'second administrator'
  | 'forgotten'
  | 'new runs';

export interface Happening {
  /** Since the one before (milliseconds). */
  waitMs: number;
  what: What;
  which: number;
  by: number;
  n: number;
}

export interface World {
  cases: number;
  perHour: number;
  perDay: number;
  consentMs: number;
  dryRun: boolean;
  /** The console's address is this machine. */
  simulated: boolean;
  secondAdministrator: boolean;
  cancellable: boolean;
  pin: 'none' | 'ours';
  whenOffline: 'queue-at-vendor' | 'hold-until-seen';
  /** A wipe of before the loss that the console still shows. */
  before: 'none' | 'failed' | 'cancelled' | 'acknowledged';
  happenings: Happening[];
  /** What befalls whoever waits, one after the other; the rest of a world is healthy. */
  fates: number[];
}

const waits = [0, 60, 400, 2 * second, 9 * second, 30 * second, 70 * second, 10 * minute, hour, 5 * hour, day];

const often: [What, number][] = [
  ['request', 6],
  ['approve', 7],
  ['refuse', 1],
  ['cancel', 3],
  ['recovered', 1],
  ['false alarm', 1],
  ['write off', 1],
  ['sighting', 3],
  ['seen in the office', 1],
  ['answer', 8],
  ['retry', 2],
  ['skip', 3],
  ['freeze', 1],
  ['unfreeze', 2],
  ['switch dry run', 1],
  ['point at another console', 1],
  ['online', 9],
  ['wiped in the console', 1],
  ['second administrator', 3],
  ['forgotten', 1],
  ['new runs', 1],
];

const happening: fc.Arbitrary<Happening> = fc.record({
  waitMs: fc.constantFrom(...waits),
  what: fc.oneof(...often.map(([what, weight]) => ({ arbitrary: fc.constant(what), weight }))),
  which: fc.nat(99),
  by: fc.oneof(fc.nat(1), fc.nat(1), fc.nat(actors.length - 1)),
  n: fc.nat(99),
});
/** What crosses a send that is just leaving. */
const crossing = fc.record({
  waitMs: fc.constantFrom(0, 60, 120, 200, 400, 12 * second),
  what: fc.constantFrom<What[]>(
    'cancel',
    'cancel',
    'request',
    'request',
    'recovered',
    'false alarm',
    'freeze',
    'new runs',
  ),
  by: fc.constant(0),
  n: fc.nat(99),
});
/** Most cases begin like this: somebody asks, and somebody else agrees. */
const beginning = fc
  .record({
    asked: fc.constantFrom(...waits.slice(0, 8)),
    agreed: fc.constantFrom(...waits.slice(3, 8)),
    crossings: fc.oneof(fc.constant([]), fc.array(crossing, { maxLength: 3, size: 'max' })),
  })
  .map(({ asked, agreed, crossings }): Omit<Happening, 'which'>[] => [
    { waitMs: asked, what: 'request', by: 0, n: 0 },
    { waitMs: agreed, what: 'approve', by: 1, n: 0 },
    ...crossings,
  ]);
const rarely = fc.oneof({ arbitrary: fc.constant(false), weight: 7 }, { arbitrary: fc.constant(true), weight: 1 });

/** Most goes well, or everything would die at its first step. */
const fate = fc.oneof(
  { arbitrary: fc.constant(0), weight: 9 },
  { arbitrary: fc.nat(99), weight: 6 },
  { arbitrary: fc.integer({ min: 85, max: 99 }), weight: 2 },
);

/** @param cases How many cases ask the same guard. */
export const worldsOf = (cases: fc.Arbitrary<number>): fc.Arbitrary<World> =>
  fc
    .record({
      cases,
      perHour: fc.integer({ min: 1, max: 3 }),
      more: fc.nat(3),
      consentMs: fc.constantFrom(8 * hour, 3 * day),
      dryRun: rarely,
      simulated: rarely,
      secondAdministrator: fc.oneof(fc.constant(false), fc.constant(false), fc.constant(true)),
      cancellable: fc.boolean(),
      pin: fc.constantFrom<World['pin'][]>('none', 'none', 'ours'),
      whenOffline: fc.constantFrom<World['whenOffline'][]>('queue-at-vendor', 'queue-at-vendor', 'hold-until-seen'),
      before: fc.constantFrom<World['before'][]>('none', 'none', 'failed', 'cancelled', 'acknowledged'),
      beginnings: fc.array(fc.oneof({ arbitrary: beginning, weight: 5 }, { arbitrary: fc.constant([]), weight: 1 }), {
        minLength: 50,
        maxLength: 50,
      }),
      middle: fc.array(happening, { maxLength: 16, size: 'max' }),
      fates: fc.array(fate, { maxLength: 100, size: 'max' }),
    })
    .map(({ more, beginnings, middle, ...world }) => ({
      ...world,
      perDay: world.perHour + more,
      happenings: [
        ...beginnings.slice(0, world.cases).flatMap((some, which) => some.map((one) => ({ ...one, which }))),
        ...middle,
      ],
    }));

/** One of the world's fates at a time. */
export function fatesOf({ fates }: World): () => number {
  let next = 0;
  return () => fates[next++] ?? 0;
}

/** What befalls whoever waits for an answer. */
export function fateOf(n: number): Fate {
  if (n < 75) return { ms: 20 + n };
  if (n < 85) return { ms: 3 * second };
  if (n < 94) return { ms: 100, then: 'dies' };
  // Given up by the server, and alive: the worker's own clock ends it in seconds.
  return { ms: (n - 93) * 3 * second, then: 'is given up' };
}

// --- the vendor --------------------------------------------------------------------------------------------------

interface Command {
  state: CommandProgress['state'];
  startedAtMs: number;
  /** Not shown before (ms). */
  shownAtMs: number;
  /** Sent by us, not by somebody in the console. */
  ours: boolean;
  acknowledgedAtMs?: number;
}

interface Device {
  commands: Command[];
  forgotten: boolean;
  syncedAtMs: number;
  enrolledAtMs: number;
  /** When a plan was made for the last time: what had ended by then is none of its business. */
  preparedAtMs: number;
}

const isUnderWay = ({ state }: Pick<Command, 'state'>) => state === 'queued' || state === 'delivered';

/** One call of the wipe as it reached the vendor. */
export interface Arrival {
  atMs: number;
  serial: string;
  permit: string;
  code: string | undefined;
  /** What the vendor made of it. */
  as: 'effect' | 'approval asked for' | 'refused' | 'lost on the way';
  real: boolean;
  /** One waited, or the device had acknowledged one, when this try began. */
  needless: boolean;
  /** When the case began this try. */
  scheduledAtMs: number;
  pinKept: boolean;
}

/** How long a command may stay unseen after it was taken (milliseconds): well under the settle time of the track. */
const longestLagMs = 25 * second;

export class Vendor {
  readonly arrivals: Arrival[] = [];
  /** Looks for a wipe that the vendor could not show yet. */
  readonly lookedTooEarly: string[] = [];
  private readonly devices = new Map<string, Device>();
  private readonly codes: {
    code: string;
    answer: 'needs approval' | 'approved' | 'rejected' | 'expired' | 'completed';
  }[] = [];

  constructor(
    private readonly world: World,
    private readonly simulation: () => Simulation,
    private readonly fate: () => number,
    /** Its address is not this machine. */
    private readonly isReal: () => boolean,
    private readonly secrets: Map<string, string>,
    private readonly startMs: number,
  ) {
    for (let n = 0; n < world.cases; n += 1) {
      const commands: Command[] = [];
      const startedAtMs = startMs - 30 * day;
      if (world.before !== 'none')
        commands.push({ state: world.before, startedAtMs, shownAtMs: startedAtMs, ours: false });
      this.devices.set(serialOf(n), {
        commands,
        forgotten: false,
        syncedAtMs: startMs - day,
        enrolledAtMs: startMs - 300 * day,
        preparedAtMs: startMs,
      });
    }
  }

  private device(serial: string) {
    const found = this.devices.get(serial);
    if (found === undefined) throw new Error(`no device ${serial}`);
    return found;
  }

  /** Nobody can say that the device is safe from what we sent. */
  mayDeliver = (serial: string) => this.device(serial).commands.some((command) => command.ours && isUnderWay(command));

  /** Of the commands of this enrolment and this loss. */
  private since = ({ enrolledAtMs }: Device) => Math.max(enrolledAtMs, this.startMs);

  wasWiped(serial: string): boolean {
    const device = this.device(serial);
    return device.commands.some(
      ({ state, startedAtMs }) => state === 'acknowledged' && startedAtMs >= this.since(device),
    );
  }

  /** Whoever looked before sending must have seen it. */
  private waitedOrWiped(serial: string, fromMs: number): boolean {
    const device = this.device(serial);
    return device.commands.some(
      ({ state, shownAtMs, acknowledgedAtMs = Infinity, startedAtMs }) =>
        startedAtMs >= this.since(device) &&
        shownAtMs <= fromMs &&
        (isUnderWay({ state }) || (acknowledgedAtMs <= fromMs && acknowledgedAtMs > device.preparedAtMs)),
    );
  }

  /** The device is online for a moment, and something of it comes to pass. */
  online(serial: string, n: number): void {
    const device = this.device(serial);
    const waiting = device.commands.filter(isUnderWay);
    const command = waiting[n % waiting.length];
    if (device.forgotten) return;
    device.syncedAtMs = this.simulation().nowMs;
    if (command === undefined || n < 10) return;
    if (n < 35) command.state = 'delivered';
    else if (n < 80) {
      // What else waits finds nobody.
      for (const other of device.commands.filter(isUnderWay)) other.state = 'failed';
      Object.assign(command, { state: 'acknowledged', acknowledgedAtMs: device.syncedAtMs });
    } else if (n < 88) command.state = 'failed';
    else if (n < 93) command.state = 'cancelled';
    // Wiped before it could tell: it stays as it is for ever.
  }

  /** It speaks: what was wiped must have been set up again. */
  speaks(serial: string): void {
    if (this.wasWiped(serial)) this.device(serial).enrolledAtMs = this.simulation().nowMs;
  }

  isForgotten = (serial: string) => this.device(serial).forgotten;

  /** Somebody does not wait for us. */
  wipeInConsole(serial: string): void {
    const { nowMs } = this.simulation();
    this.device(serial).commands.push({ state: 'queued', startedAtMs: nowMs, shownAtMs: nowMs, ours: false });
  }

  forget(serial: string): void {
    this.device(serial).forgotten = true;
  }

  decide(n: number): void {
    const waiting = this.codes.filter(({ answer }) => answer === 'needs approval');
    // Some go through the list, others agree to all of it.
    for (const one of n % 2 === 0 ? waiting : waiting.slice(0, 1))
      one.answer = n < 70 ? 'approved' : n < 85 ? 'rejected' : 'expired';
  }

  private async reached(): Promise<void> {
    await this.simulation().hop();
    const n = this.fate();
    if (n === 99) throw new VendorUnavailable('LDP_UNREACHABLE', 'The console is away.');
    if (n === 98) throw new VendorRefused('LDP_NOT_PERMITTED', 'The console says no.');
  }

  private record(serial: string): ManagedRecord {
    return {
      id: `record-${serial}`,
      names: { serial },
      platform: 'windows',
      supervised: false,
      companyOwned: true,
      encrypted: 'unknown',
      enrolledAt: iso(this.device(serial).enrolledAtMs),
      lastSyncAt: iso(this.device(serial).syncedAtMs),
      state: 'managed',
    };
  }

  /** What the plugin offers. */
  management(): DeviceManagement {
    const { world } = this;
    const known = (id: string) => {
      const serial = id.replace('record-', '');
      return this.device(serial).forgotten ? undefined : serial;
    };
    return {
      settleMs: longestLagMs,
      offers: () => [
        { command: 'wipe', offered: true, because: 'It is wiped.', cancellable: world.cancellable, pin: world.pin },
      ],
      findRecords: async ({ serial = '' }) => {
        await this.reached();
        return known(serial) === undefined ? [] : [this.record(serial)];
      },
      readRecord: async (id) => {
        await this.reached();
        const serial = known(id);
        return serial === undefined ? undefined : this.record(serial);
      },
      readCommands: async (id) => {
        await this.reached();
        const { nowMs, asking } = this.simulation();
        const { commands } = this.device(id.replace('record-', ''));
        if (asking.name === 'prepareWipe') this.device(id.replace('record-', '')).preparedAtMs = nowMs;
        if (asking.name === 'readWipe' && commands.some(({ shownAtMs }) => shownAtMs > nowMs))
          this.lookedTooEarly.push(id);
        return (known(id) === undefined ? [] : this.device(id.replace('record-', '')).commands)
          .filter(({ shownAtMs }) => shownAtMs <= nowMs)
          .map(({ state, startedAtMs }) => ({
            command: 'wipe' as const,
            state,
            startedAt: iso(startedAtMs),
            says: `wipe ${state}`,
          }))
          .sort((a, b) => (a.startedAt < b.startedAt ? 1 : -1));
      },
      wipe: ({ names: { serial = '' } }, options) => this.wipe(serial, options),
      lock: () => Promise.reject(new Error('not played')),
      readApproval: async (code) => {
        await this.reached();
        return this.codes.find((one) => one.code === code)?.answer ?? 'expired';
      },
      ...(world.cancellable && {
        cancel: async ({ names: { serial = '' } }) => {
          await this.reached();
          const under = this.device(serial).commands.filter(isUnderWay);
          const waiting = under.every(({ state }) => state === 'queued') ? under : [];
          for (const command of waiting) command.state = 'cancelled';
          await this.simulation().hop();
          return waiting.length > 0 ? 'cancelled' : 'too late';
        },
      }),
    };
  }

  private async wipe(serial: string, { approvalCode, pin }: WipeOptions): Promise<void> {
    const simulation = this.simulation();
    const { input, scheduledAtMs, startedAtMs } = simulation.asking;
    const permit = String(input['permit']);
    await simulation.hop();
    const n = this.fate();
    const arrive = (as: Arrival['as']) =>
      this.arrivals.push({
        atMs: simulation.nowMs,
        serial,
        permit,
        code: approvalCode,
        as,
        real: this.isReal(),
        needless: this.waitedOrWiped(serial, startedAtMs),
        scheduledAtMs,
        pinKept: this.world.pin === 'none' || [...this.secrets.values()].includes(pin ?? ''),
      });
    if (n >= 30 && n < 45) {
      arrive('lost on the way');
      throw new OutcomeUnknown('LDP_OUTCOME_UNKNOWN', 'The answer was lost.');
    }
    if ((n >= 45 && n < 50) || this.device(serial).forgotten) {
      arrive('refused');
      throw new VendorRefused('LDP_REFUSED', 'The console says no.');
    }
    const agreed = this.codes.find(({ code, answer }) => code === approvalCode && answer === 'approved');
    if (this.world.secondAdministrator && agreed === undefined) {
      arrive('approval asked for');
      const code = `code-${this.codes.length + 1}`;
      this.codes.push({ code, answer: 'needs approval' });
      if (n >= 50 && n < 60) throw new OutcomeUnknown('LDP_OUTCOME_UNKNOWN', 'The answer was lost.');
      throw new VendorRefused('LDP_APPROVAL_REQUIRED', 'A second administrator must agree.', { approvalCode: code });
    }
    if (agreed) agreed.answer = 'completed';
    arrive('effect');
    const lagMs = Math.min(longestLagMs, n * 500);
    const { nowMs } = simulation;
    this.device(serial).commands.push({ state: 'queued', startedAtMs: nowMs, shownAtMs: nowMs + lagMs, ours: true });
    await simulation.hop();
    if (n >= 50 && n < 70) throw new OutcomeUnknown('LDP_OUTCOME_UNKNOWN', 'A 5xx after the effect.');
    if (n >= 70 && n < 80) throw new Error('gone wrong after the effect');
  }
}

export const serialOf = (n: number) => `SERIAL${n}`;
export const iso = (ms: number) => new Date(ms).toISOString();

// --- what keeps things -------------------------------------------------------------------------------------------

/** Create if absent, durable; the answer may be lost on the way back. */
export function archiveOf(simulation: () => Simulation, fate: () => number): Archive {
  const kept = new Map<string, Uint8Array>();
  const reached = async () => {
    await simulation().hop();
    if (fate() === 99) throw new VendorUnavailable('LDP_UNREACHABLE', 'The archive is away.');
  };
  return {
    putOnce: async (key, bytes) => {
      await reached();
      const there = kept.has(key);
      if (!there) kept.set(key, bytes);
      await simulation().hop();
      return there ? 'already there' : 'created';
    },
    get: async (key) => {
      await reached();
      return kept.get(key);
    },
    list: async (prefix) => [...kept.keys()].filter((key) => key.startsWith(prefix)).sort(),
  };
}

export function secretStoreOf(simulation: () => Simulation, kept: Map<string, string>): SecretStore {
  return {
    putOnce: async (key, secret) => {
      await simulation().hop();
      if (kept.has(key)) return 'already there';
      kept.set(key, secret);
      return 'created';
    },
    get: async (key) => {
      await simulation().hop();
      return kept.get(key);
    },
  };
}
