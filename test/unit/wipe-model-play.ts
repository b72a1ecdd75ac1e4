/**
 * Plays a world of wipes: the real track with the real decisions in every case, the real guard between them, the real
 * activities before the vendor. Only what is around the wipe (containment, tickets, the closing of a case) is told in short.
 * @module
 */
import { setHandler } from '@temporalio/workflow';
import type { House } from '../../activities/house';
import { createWipeActivities } from '../../activities/wipe';
import type { CaseState } from '../../playbook/case';
import { troubledSteps } from '../../playbook/case';
import type { Permit, PermitRequest } from '../../playbook/permits';
import { nothingKnown } from '../../playbook/report';
import { defaultRules } from '../../playbook/rules';
import type { Sighting } from '../../playbook/sighting';
import type { WipeStateName } from '../../playbook/wipe';
import { mayStillLand, wipeLooksAt, wipeUnderWay } from '../../playbook/wipe';
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
import type { Happening, What, World } from './wipe-model-world';
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
} from './wipe-model-world';

const ended: WipeStateName[] = ['refused', 'cancelled', 'failed', 'acknowledged'];
const startMs = Date.parse('2026-11-22T06:00:00.000Z');

/** A decision that was taken in. */
export interface Taken {
  /** Of all decisions, in their order. */
  n: number;
  atMs: number;
  serial: string;
  what: What;
  actor: (typeof actors)[number];
  /** Of an answer. */
  value?: string;
}

/** What the guard was asked, and what it said. */
interface Word {
  atMs: number;
  request: PermitRequest;
  permit: Permit;
  frozen: boolean;
  dryRun: boolean;
}

interface Lost {
  serial: string;
  run: Run;
  state: CaseState;
  /** A person was wrong about what the vendor has. */
  misled: boolean;
  /** The state of its wipe when it was looked at last. */
  was: { state: WipeStateName; number: number };
}

/** While something was so of a case. */
interface Span {
  serial: string;
  fromMs: number;
  toMs: number;
}

function keepSpan(spans: Span[], isSo: boolean, serial: string, nowMs: number): void {
  const last = spans.findLast((span) => span.serial === serial);
  const open = last?.toMs === Infinity;
  if (isSo && !open) spans.push({ serial, fromMs: nowMs, toMs: Infinity });
  if (!isSo && open) last.toMs = nowMs;
}

/** All that happened, as others than the case saw it. */
export class Play {
  readonly taken: Taken[] = [];
  readonly words: Word[] = [];
  /** While somebody had said how a case ended (ms). */
  readonly endings: Span[] = [];
  /** While a person is asked whether it is lost in the office (ms). */
  readonly searches: Span[] = [];
  readonly sightings: { serial: string; atMs: number }[] = [];
  /** What never may be: the vendor may deliver and the case says that nothing lands, or that it is closed. */
  readonly broken: string[] = [];
  /** What came up, so that a model that meets nothing is noticed. */
  readonly seen = new Set<string>();
  readonly cases: Lost[] = [];
  readonly vendor: Vendor;
  private readonly simulation: Simulation;
  private readonly settings;
  private readonly simulated: Set<string>;
  /** Of the settings, from when on. An activity goes by what it read at its start. */
  private readonly read: { fromMs: number; dryRun: boolean; simulated: boolean }[];
  private guardRun!: Run;
  private runs = 0;
  private decisions = 0;
  private well = false;

  constructor(
    readonly world: World,
    setClock: (nowMs: number) => void,
  ) {
    const fates = fatesOf(world);
    const fate = () => (this.well ? 0 : fates());
    const secrets = new Map<string, string>();
    const theSimulation = () => this.simulation;
    this.settings = { dryRun: world.dryRun, perHour: world.perHour, perDay: world.perDay, approvers };
    this.simulated = new Set(world.simulated ? ['intune'] : []);
    this.read = [{ fromMs: startMs, dryRun: world.dryRun, simulated: world.simulated }];
    this.vendor = new Vendor(world, theSimulation, fate, () => !this.settingsRead.simulated, secrets, startMs);
    const tenant = {
      name: 'acme',
      settings: { wipe: this.settings },
      managements: new Map([['intune', this.vendor.management()]]),
      detections: new Map(),
      secureAccess: { findDevices: () => Promise.resolve([]) },
      archive: archiveOf(theSimulation, fate),
      secretStore: secretStoreOf(theSimulation, secrets),
      simulated: this.simulated,
      agentHosts: new Map(),
    };
    const client = {
      withDeadline: (_atMs: number, ask: () => Promise<unknown>) => ask(),
      workflow: {
        executeUpdateWithStart: ({ name }: { name: string }, { args: [request] }: { args: [PermitRequest] }) =>
          this.askGuard(name, request, fate),
      },
    };
    const activities = createWipeActivities({ tenant: () => tenant, client } as unknown as House);
    const queueMs = () => {
      const n = fate();
      return n < 90 ? 5 : n < 96 ? 4_000 : n < 99 ? 5 * 60_000 : 5 * hour;
    };
    this.simulation = new Simulation(startMs, { ...activities }, queueMs, () => fateOf(fate()), setClock);
    this.startGuard({ tenant: 'acme', admitted: [] });
    for (let n = 0; n < world.cases; n += 1) {
      const lost = { serial: serialOf(n), misled: false, was: { state: 'none', number: 0 } } as Lost;
      this.cases.push(lost);
      this.startCase(lost, { report: reportOf(lost.serial), rules: rules(world) });
    }
  }

  // --- workflows ---------------------------------------------------------------------------------------------------

  private startGuard(state: GuardState): void {
    const goesOn = (given: unknown) => this.startGuard(structuredClone(given) as GuardState);
    this.guardRun = this.simulation.start('guard', `run-${(this.runs += 1)}`, () => guard(state), goesOn);
  }

  private async askGuard(name: string, request: PermitRequest, fate: () => number): Promise<unknown> {
    await this.simulation.hop();
    if (fate() === 99) throw new Error('the guard is away');
    const { permits } = this.simulation.update(this.guardRun, 'describe', undefined) as GuardState;
    const frozen = permits?.frozen !== undefined;
    const permit = this.simulation.update(this.guardRun, name, request) as Permit;
    this.words.push({ atMs: this.simulation.nowMs, request, permit, frozen, dryRun: this.settingsRead.dryRun });
    this.seen.add(permit.granted ? 'granted' : permit.because);
    await this.simulation.hop();
    if (fate() === 99) throw new Error('the answer of the guard was lost');
    return permit;
  }

  private startCase(lost: Lost, input: CaseInput): void {
    lost.run = this.simulation.start(`case-${lost.serial}`, `run-${(this.runs += 1)}`, async () => {
      const c = new CaseFile(input);
      const { state } = c;
      lost.state = state;
      state.device ??= { source: 'netskope', serial: lost.serial, client: 'enabled' };
      setHandler(deviceSeen, (batch) => takeNews(c, batch));
      takeDecisions(c);
      takeWipeDecisions(c);
      void this.close(c);
      await Promise.race([wipe(c), c.untilDrained()]);
      if (state.closedAt !== undefined) return;
      this.seen.add('a new run');
      lost.run.over = true;
      this.startCase(lost, { ...input, state: structuredClone(state) });
    });
  }

  /** The end of a case, in short: nothing closes while a wipe may land; written off, it listens. */
  private async close(c: CaseFile): Promise<void> {
    const { state } = c;
    for (;;) {
      await c.until(() => c.ending);
      const { ending } = state;
      if (ending === undefined) continue;
      if (ending.outcome === 'written off' || ending.outcome === 'wiped') {
        state.outcome = ending.outcome;
        state.listening ??= { since: c.now, until: c.after(365 * 24 * hour) };
        Object.assign(state.containment, { armed: true, armedSince: c.now });
        await c.until(() => state.listening === undefined);
        continue;
      }
      for (const undoingMs of [5_000, 0]) {
        await c.until(() => !mayStillLand(state.wipe));
        await c.until(() => false, c.after(undoingMs));
      }
      state.closedAt = c.now;
      return;
    }
  }

  // --- what happens ------------------------------------------------------------------------------------------------

  async play(): Promise<void> {
    const look = () => this.look();
    for (const happening of this.world.happenings) {
      await this.simulation.playFor(happening.waitMs, look);
      this.happen(happening);
      await this.simulation.playFor(0, look);
    }
    // Not at a moment at which something is just about to happen.
    await this.simulation.playFor(3 * hour + 777, look);
    for (const lost of this.cases) this.mustNotHang(lost);
    await this.getWell();
    this.broken.push(...this.simulation.faults);
  }

  private happen({ what, which, by, n }: Happening): void {
    const lost = this.cases[which % this.cases.length];
    const actor = actors[by];
    if (lost === undefined || actor === undefined) return;
    const { serial, state, run } = lost;
    const decide = (update: string, more: object = {}, to = run) => this.decide(lost, what, update, actor, more, to);
    switch (what) {
      case 'request':
        return decide('requestWipe', { whenOffline: this.world.whenOffline, override: 'It is gone.' });
      case 'approve':
        return decide('approveWipe');
      case 'refuse':
        return decide('refuseWipe');
      case 'cancel':
        return decide('cancelWipe');
      case 'recovered':
        return decide('recovered');
      case 'false alarm':
        return decide('falseAlarm');
      case 'write off':
        return decide('writeOff');
      case 'sighting':
      case 'seen in the office':
        return this.sight(lost, what === 'sighting' ? undefined : 'Dock 4');
      case 'answer':
        return this.answer(lost, actor, n);
      case 'retry':
        return decide('retry');
      case 'skip':
        return decide('skip', { step: troubledSteps(state)[n % 2]?.[0] ?? 'send the wipe' });
      case 'freeze':
      case 'unfreeze':
        return decide(what, {}, this.guardRun);
      case 'switch dry run':
        this.settings.dryRun = !this.settings.dryRun;
        return this.settingsChanged();
      case 'point at another console':
        if (!this.simulated.delete('intune')) this.simulated.add('intune');
        return this.settingsChanged();
      case 'online':
        return this.vendor.online(serial, n);
      case 'wiped in the console':
        return this.vendor.wipeInConsole(serial);
      case 'second administrator':
        return this.vendor.decide(n);
      case 'forgotten':
        return this.vendor.forget(serial);
      case 'new runs':
        for (const one of [this.guardRun, run]) this.simulation.suggestNewRun(one);
    }
  }

  private settingsChanged(): void {
    const { dryRun } = this.settings;
    this.read.push({ fromMs: this.simulation.nowMs, dryRun, simulated: this.simulated.has('intune') });
  }

  private get settingsRead() {
    const { startedAtMs } = this.simulation.asking;
    const found = this.read.findLast(({ fromMs }) => fromMs <= startedAtMs);
    if (found === undefined) throw new Error('an activity before the world');
    return found;
  }

  /** Every decision comes twice with the same id: the sender never heard the first answer. */
  private decide({ serial }: Lost, what: What, update: string, actor: Taken['actor'], more: object, to: Run): void {
    const decision = { id: `decision-${(this.decisions += 1)}`, actor, reason: 'It is gone.', ...more };
    const value = 'value' in more ? { value: String(more.value) } : {};
    try {
      this.simulation.update(to, update, decision);
      this.taken.push({ n: this.taken.length, atMs: this.simulation.nowMs, serial, what, actor, ...value });
      this.seen.add(what);
      this.simulation.update(to, update, decision);
    } catch (error) {
      if (!(error instanceof Error && 'type' in error && error.type === 'RefusedByRule')) throw error;
    }
  }

  private sight({ run, serial }: Lost, site: string | undefined): void {
    const at = iso(this.simulation.nowMs);
    this.vendor.speaks(serial);
    this.sightings.push({ serial, atMs: this.simulation.nowMs });
    const sighting: Sighting = {
      id: at,
      at,
      source: 'netskope',
      feed: 'status',
      evidence: 'client',
      match: 'device',
      device: { serial },
      what: 'online',
      publicAddress: '192.0.2.1',
      ...(site !== undefined && { site }),
    };
    if (!run.over) this.simulation.update(run, deviceSeen.name, { feed: 'status', sightings: [sighting] });
  }

  /** People look before they answer; now and then they are wrong. */
  private answer(lost: Lost, actor: Taken['actor'], n: number): void {
    const { serial, state, run } = lost;
    const question = state.questions.find(({ id }) => id === lostAnswerQuestion) ?? state.questions[n % 3];
    if (question === undefined) return;
    let value = question.options[n % 2]?.value;
    if (question.id === lostAnswerQuestion) {
      const waits = this.vendor.mayDeliver(serial);
      const truths = waits ? ['there'] : this.vendor.wasWiped(serial) ? ['wiped'] : ['send again', 'give up'];
      value = truths[n % truths.length];
      if (n > 92) value = question.options[n % question.options.length]?.value;
      if (!truths.includes(String(value))) this.seen.add('a person was wrong');
      if (waits ? value !== 'there' : value === 'wiped' && !this.vendor.wasWiped(serial)) lost.misled = true;
      this.seen.add(`answered ${String(value)}`);
    }
    if (value === undefined) return;
    const { attempt } = state.wipe;
    this.decide(lost, 'answer', 'answer', actor, { questionId: question.id, value }, run);
    if (value === 'send again' && state.wipe.attempt !== attempt + 1)
      this.broken.push(`${serial}: to be sent once more, under the permit of before`);
  }

  // --- what is looked at -------------------------------------------------------------------------------------------

  /** After everything that happens. */
  private look(): void {
    const { nowMs } = this.simulation;
    if (this.broken.length > 0) return;
    for (const lost of this.cases) {
      const { serial, state, misled, was } = lost;
      const { state: is, number, approval } = state.wipe;
      lost.was = { state: is, number };
      this.seen.add(state.wipe.state);
      if (state.wipe.held) this.seen.add(`held by ${state.wipe.held.by}`);
      const when = () => `${serial} at ${iso(nowMs)}: ${JSON.stringify(state.wipe)}`;
      if (!misled && this.vendor.mayDeliver(serial)) {
        if (!mayStillLand(state.wipe)) this.broken.push(`it may land, and the case denies it: ${when()}`);
        if (state.closedAt !== undefined) this.broken.push(`it may land, and the case is closed: ${when()}`);
      }
      if (is === 'acknowledged' && was.state !== is && !misled && !this.vendor.wasWiped(serial))
        this.broken.push(`no device was wiped: ${when()}`);
      if (['queued', 'delivered'].includes(is) && approval === undefined)
        this.broken.push(`it left, and nobody approved: ${when()}`);
      // Set up again, it begins anew.
      const back = ended.includes(was.state) && ![...ended, 'none'].includes(is) && number === was.number;
      if (back && (is !== 'queued' || was.state === 'acknowledged' || was.state === 'refused'))
        this.broken.push(`over, and not over: ${was.state}, then ${when()}`);
      keepSpan(this.endings, state.ending !== undefined, serial, nowMs);
      const searched = state.questions.some(({ id }) => id.startsWith('office: '));
      keepSpan(this.searches, searched, serial, nowMs);
    }
  }

  /** Under way, it waits for a time that comes, for an answer that is on its way, or for a person who is asked. */
  private mustNotHang({ serial, state }: Lost): void {
    const { wipe: track, questions, steps, closedAt } = state;
    if (closedAt !== undefined || !wipeUnderWay(track)) return;
    const looksAt = wipeLooksAt(state);
    const waits =
      (looksAt !== undefined && looksAt > iso(this.simulation.nowMs)) ||
      questions.some(({ id }) => id === lostAnswerQuestion) ||
      Object.values(steps).some((step) => step.state !== 'done' && step.state !== 'skipped');
    if (!waits) this.broken.push(`${serial} stands still: ${JSON.stringify({ track, steps, ending: state.ending })}`);
  }

  /** Vendors, workers and people do what they should: every wipe comes to its end. */
  private async getWell(): Promise<void> {
    this.well = true;
    const [ana, bob] = actors;
    for (let half = 0; half < 12; half += 1) {
      for (const lost of this.cases) {
        if (lost.run.over || lost.state.closedAt !== undefined || ana === undefined || bob === undefined) continue;
        const stuck = troubledSteps(lost.state).length > 0;
        if (stuck) this.decide(lost, 'retry', 'retry', ana, {}, lost.run);
        const forgotten = this.vendor.isForgotten(lost.serial);
        if (lost.state.questions.some(({ id }) => id === lostAnswerQuestion)) {
          if (forgotten && this.vendor.mayDeliver(lost.serial)) lost.misled = true;
          const value = this.vendor.mayDeliver(lost.serial) && !forgotten ? 'there' : 'give up';
          this.decide(lost, 'answer', 'answer', bob, { questionId: lostAnswerQuestion, value }, lost.run);
        }
        this.vendor.online(lost.serial, 60);
      }
      await this.simulation.playFor(12 * hour, () => this.look());
    }
    for (const { serial, state } of this.cases)
      if (state.closedAt === undefined && wipeUnderWay(state.wipe))
        this.broken.push(`${serial} never ends: ${JSON.stringify({ wipe: state.wipe, steps: state.steps })}`);
  }
}

/** As they are by default; what waits for a guard or an administrator asks less often, which changes nothing but the time it takes. */
function rules({ consentMs }: World): CaseInput['rules'] {
  const given = structuredClone(defaultRules);
  given.wipe.waits.askEveryMs = hour;
  given.wipe.consentMs = consentMs;
  return given;
}

const reportOf = (serial: string): CaseInput['report'] => ({
  tenant: 'acme',
  ticket: { source: 'desk', id: serial },
  deliveryId: serial,
  receivedAt: iso(startMs),
  verified: true,
  device: { serial },
  answers: nothingKnown,
  actor: { person: 'desk', authenticated: true, how: 'webhook-signature' },
});
