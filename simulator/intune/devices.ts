/**
 * What Intune knows of the laptops: their enrolments, the commands that wait or have run, and what second administrators
 * have been asked. A command reaches a laptop that is on within a minute, and one that is off when it comes on.
 * @module
 */
import type { Laptop } from '../laptop';
import type { World } from '../world';

const secondMs = 1000;
const dayMs = 24 * 3600_000;
/** A laptop that stays on synchronises so often. */
const syncEveryMs = 8 * 3600_000;
/** From a command, or from coming on, until the laptop has fetched it. */
const pushMs = 20 * secondMs;
/** From fetching a wipe until the laptop is wiped. */
const wipeMs = 30 * secondMs;
const approvalLivesMs = 3 * dayMs;
const pinLivesMs = 30 * dayMs;

export type CommandName = 'wipe' | 'remoteLock' | 'enableLostMode';

/** One entry of `deviceActionResults`. */
export interface Action {
  name: CommandName;
  state: 'pending' | 'active' | 'done' | 'failed' | 'canceled';
  startedMs: number;
  updatedMs: number;
  /** What the call asked for, and for a wipe of a Mac with it the PIN. */
  asked: unknown;
  /** Made by the vendor for the lock of a Mac. */
  pin?: string;
}

/** One enrolment. */
export interface ManagedDevice {
  id: string;
  laptop: Laptop;
  enrolledMs: number;
  lastSyncMs: number;
  owner: 'company' | 'personal' | 'unknown';
  operatingSystem: string;
  supervised: boolean;
  encrypted: boolean;
  managementState: 'managed' | 'wipePending' | 'wipeIssued' | 'wipeCanceled';
  /** Oldest first. */
  actions: Action[];
}

/** What a second administrator has been asked. */
export interface ApprovalRequest {
  id: string;
  device: ManagedDevice;
  requestedMs: number;
  status: 'needsApproval' | 'approved' | 'rejected' | 'cancelled' | 'completed' | 'expired';
  justification: string;
}

const words = { wipe: 'wipe', remoteLock: 'lock', enableLostMode: 'lost mode' } as const;
const isOpen = ({ state }: Action) => state === 'pending' || state === 'active';

/** All of it. */
export class IntuneTenant {
  readonly devices = new Map<string, ManagedDevice>();
  readonly approvals: ApprovalRequest[] = [];
  /** The enrolment that a laptop has now. */
  readonly #enrolled = new Map<Laptop, ManagedDevice>();

  constructor(readonly world: World) {}

  /** A laptop is enrolled, perhaps anew: an earlier enrolment stays behind and never synchronises again. */
  enrol(laptop: Laptop, enrolledMs = this.world.clock.now()): void {
    const device: ManagedDevice = {
      id: this.world.seed.uuid(`intune ${laptop.serial} ${this.devices.size}`),
      laptop,
      enrolledMs,
      lastSyncMs: this.world.clock.now(),
      owner: 'company',
      operatingSystem: laptop.os === 'Mac' ? 'macOS' : 'Windows',
      supervised: laptop.os === 'Mac',
      encrypted: true,
      managementState: 'managed',
      actions: [],
    };
    this.devices.set(device.id, device);
    this.#enrolled.set(laptop, device);
  }

  /** The laptop can reach Intune: it synchronises at once and every 8 hours, and fetches what waits for it. */
  cameOnline(laptop: Laptop): void {
    const device = this.#enrolled.get(laptop);
    if (!device || !laptop.canReach('intune')) return;
    device.lastSyncMs = this.world.clock.now();
    if (device.actions.some(isOpen)) this.#push(device);
    laptop.whileOn(syncEveryMs, () => this.cameOnline(laptop));
  }

  /** A command was accepted. Two of one kind are two: Intune asks nobody whether they are meant. */
  send(device: ManagedDevice, name: CommandName, asked: unknown): string {
    const { clock, effects, seed } = this.world;
    const now = clock.now();
    const { serial } = device.laptop;
    const pin = String(seed.between(`lock ${device.id} ${device.actions.length}`, 100_000, 999_999));
    const forMac = name === 'remoteLock' && device.operatingSystem === 'macOS';
    device.actions.push({
      name,
      state: 'pending',
      startedMs: now,
      updatedMs: now,
      asked,
      ...(forMac && { pin }),
    });
    if (name === 'wipe') device.managementState = 'wipePending';
    this.#push(device);
    const subject = `intune ${name} ${device.id}`;
    effects.rearm(subject);
    return effects.name(subject, `intune: ${words[name]} of ${serial} accepted`);
  }

  /** The PIN of a lock is shown for 30 days, or until another command was sent. */
  shownPin(device: ManagedDevice, action: Action): string | undefined {
    const young = this.world.clock.now() - action.startedMs < pinLivesMs;
    return action === device.actions.at(-1) && young && action.state !== 'failed' ? action.pin : undefined;
  }

  /** As a person does it in the portal: the record is gone, and the laptop hears of nothing any more. */
  delete(device: ManagedDevice): void {
    this.devices.delete(device.id);
    if (this.#enrolled.get(device.laptop) === device) this.#enrolled.delete(device.laptop);
  }

  /** As support does it: what the laptop has not fetched is taken back. */
  cancel(device: ManagedDevice): boolean {
    const waiting = device.actions.filter(({ name, state }) => name === 'wipe' && state === 'pending');
    for (const action of waiting) this.#move(action, 'canceled');
    if (waiting.length > 0) device.managementState = 'wipeCanceled';
    return waiting.length > 0;
  }

  requestApproval(device: ManagedDevice, justification: string): ApprovalRequest {
    const request: ApprovalRequest = {
      id: this.world.seed.uuid(`intune approval ${this.approvals.length}`),
      device,
      requestedMs: this.world.clock.now(),
      status: 'needsApproval',
      justification,
    };
    this.approvals.push(request);
    this.world.clock.after(approvalLivesMs, () => {
      if (request.status === 'needsApproval' || request.status === 'approved') request.status = 'expired';
    });
    return request;
  }

  expiresMs(request: ApprovalRequest): number {
    return request.requestedMs + approvalLivesMs;
  }

  #push(device: ManagedDevice): void {
    device.laptop.whileOn(pushMs, () => {
      if (this.#enrolled.get(device.laptop) !== device || !device.laptop.canReach('intune')) return;
      device.lastSyncMs = this.world.clock.now();
      if (!this.world.traps.intuneStuck) this.#carryOut(device);
    });
  }

  #carryOut(device: ManagedDevice): void {
    const { laptop, actions } = device;
    for (const action of actions.filter((one) => isOpen(one) && one.name !== 'wipe')) {
      // A Mac that is locked already refuses a second PIN.
      const locked =
        action.pin !== undefined && actions.some(({ pin, state }) => pin !== undefined && state === 'done');
      this.#move(action, locked ? 'failed' : 'done');
      const what = action.name === 'remoteLock' ? 'locked' : 'in lost mode';
      if (!locked) this.#happened(device, `intune: ${laptop.serial} ${what}`);
    }
    const wipes = actions.filter((one) => isOpen(one) && one.name === 'wipe');
    if (wipes.length === 0) return;
    // Devices do not always report before they reset: then the command waits for ever.
    const silent = this.world.traps.intuneSilentWipe;
    if (!silent) {
      for (const action of wipes) this.#move(action, 'active');
      device.managementState = 'wipeIssued';
    }
    laptop.whileOn(wipeMs, () => {
      // The same command may have been fetched twice.
      if (this.#enrolled.get(laptop) !== device) return;
      // Contained in between, it cannot say that it is done.
      if (!silent && laptop.canReach('intune')) for (const action of wipes) this.#move(action, 'done');
      this.#enrolled.delete(laptop);
      laptop.wipe();
      this.#happened(device, `intune: ${laptop.serial} wiped`);
    });
  }

  #move(action: Action, state: Action['state']): void {
    if (action.state !== state) action.updatedMs = this.world.clock.now();
    action.state = state;
  }

  /** It is the laptop's doing, not a call's. */
  #happened(device: ManagedDevice, text: string): void {
    const subject = `${text} by itself`;
    this.world.effects.rearm(subject);
    this.world.onLaptopEvent('intune', device.laptop.serial, this.world.effects.name(subject, text));
  }
}
