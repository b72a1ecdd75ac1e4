/**
 * Measures beside the group: the device tag and the directory's steps. What was there before is read by a step of its own,
 * so that it is in history before anything is changed: a repeat after a lost answer never takes its own work for
 * somebody else's, and undoing never touches what the case did not do.
 * @module
 */
import type { MeasureName } from '../playbook/case';
import type { DeviceNames, ManagedDevice } from '../playbook/device';
import { VendorRefused } from '../plugins/errors';
import type { Call, Directory } from '../plugins/roles';
import { createPermits } from './admission';
import { callAt } from './call';
import type { House, Tenant } from './house';
import { findOneEnrolment } from './one-enrolment';
import { readBack, sendOnce } from './send-once';
import { keepLockPin } from './unlock-pins';

export type SideMeasure = Exclude<MeasureName, 'lost-group'>;

export interface MeasureInput {
  tenant: string;
  now: string;
  measure: SideMeasure;
  device: ManagedDevice;
  /** `isolate` only where the device still hears of its wipe. */
  selective?: true;
}

/** What a look at one measure shows. */
export interface MeasureReading {
  offered: boolean;
  present: boolean;
  evidence: string;
  /** When sessions were last revoked, for `revoke-sessions`. Vendor time. */
  since?: string;
  /** The vendor's id of what it concerns, where there may be another one later: the agent, for `isolate`. */
  target?: string;
}

export function createMeasureActivities(house: House) {
  const permits = createPermits(house.client);
  const leverFor = (name: string, measure: SideMeasure) => {
    const tenant = house.tenant(name);
    const { perHour, perDay, dryRun } = tenant.settings.wipe;
    return leverOf(tenant, measure, async (what, id, call) => {
      const permit = await permits(name, { id: `${what} ${id}`, what, at: call.now, perHour, perDay, dryRun });
      if (!permit.granted) throw new VendorRefused('LDP_NOT_PERMITTED', permit.says);
    });
  };

  /** Look at one measure; changes nothing. */
  async function readMeasure(input: MeasureInput): Promise<MeasureReading> {
    const [edr] = house.tenant(input.tenant).detections;
    if (input.selective && edr && !edr[1].selective)
      return {
        offered: false,
        present: false,
        evidence: `${edr[0]} cannot isolate selectively: ${edr[1].whileIsolated}`,
      };
    const lever = leverFor(input.tenant, input.measure);
    if (lever === undefined) return { offered: false, present: false, evidence: notOffered[input.measure] };
    try {
      return await lever.read(input.device, callAt(input.now));
    } catch (error) {
      if (error instanceof VendorRefused && error.code === 'LDP_NOT_OFFERED') {
        return { offered: false, present: false, evidence: error.message };
      }
      throw error;
    }
  }

  /** Put a measure in place and read it back. `before` is what `readMeasure` found before the first try. */
  async function takeMeasure(input: MeasureInput & { before: MeasureReading }): Promise<MeasureReading> {
    const { lever, call } = open(input);
    const done = (reading: MeasureReading) =>
      input.measure === 'revoke-sessions'
        ? reading.since !== undefined && reading.since !== input.before.since
        : reading.present;
    const { device, before } = input;
    const now = await lever.read(device, call, before.target);
    if (done(now)) return now;
    await sendOnce(() => lever.put(device, call, before.target));
    let after = now;
    await readBack(
      lever.settleMs,
      async () => {
        after = await lever.read(device, call, before.target);
        return done(after);
      },
      `${input.measure} in place`,
    );
    return after;
  }

  /** Take a measure back and read it back. Never called for `revoke-sessions`, which cannot be undone. */
  async function undoMeasure(input: MeasureInput & { target?: string }): Promise<MeasureReading> {
    const { lever, call } = open(input);
    const { device, target } = input;
    let reading = await lever.read(device, call, target);
    if (!reading.present) return reading;
    await sendOnce(() => lever.undo(device, call, target));
    await readBack(
      lever.settleMs,
      async () => {
        reading = await lever.read(device, call, target);
        return !reading.present;
      },
      `${input.measure} undone`,
    );
    return reading;
  }

  function open(input: MeasureInput): { lever: Lever; call: Call } {
    const lever = leverFor(input.tenant, input.measure);
    if (lever === undefined) throw new VendorRefused('LDP_NOT_OFFERED', notOffered[input.measure]);
    return { lever, call: callAt(input.now) };
  }

  return { readMeasure, takeMeasure, undoMeasure };
}

const notOffered: Record<SideMeasure, string> = {
  'device-tag': 'The settings name no device tag.',
  'revoke-sessions': 'The settings name no directory.',
  'disable-user': 'The settings name no directory.',
  'disable-device': 'The settings name no directory.',
  isolate: 'The settings name no endpoint detection.',
  lock: 'The settings name no device management.',
};

/** One thing that can be read, put in place and taken back. */
interface Lever {
  settleMs: number;
  read(device: ManagedDevice, call: Call, target?: string): Promise<MeasureReading>;
  put(device: ManagedDevice, call: Call, target?: string): Promise<void>;
  undo(device: ManagedDevice, call: Call, target?: string): Promise<void>;
}

function leverOf(tenant: Tenant, measure: SideMeasure, permit: AskPermit): Lever | undefined {
  const { directory, secureAccess } = tenant;
  if (measure === 'device-tag') {
    const tag = secureAccess.deviceTag;
    return (
      tag && {
        settleMs: secureAccess.settleMs,
        read: async (device, call) => {
          const present = await tag.isTagged(device, call);
          return { offered: true, present, evidence: `Tag "${tag.name}" is ${present ? '' : 'not '}on the device.` };
        },
        put: (device, call) => tag.add(device, call),
        undo: (device, call) => tag.remove(device, call),
      }
    );
  }
  if (measure === 'isolate') return isolation(tenant, permit);
  if (measure === 'lock') return locking(tenant, permit);
  if (directory === undefined) return undefined;
  switch (measure) {
    case 'revoke-sessions':
      return {
        settleMs: directory.settleMs,
        read: async (device, call) => {
          const { sessionsValidFrom: since } = await requireAccount(directory, device.user, call);
          return {
            offered: true,
            present: false,
            evidence: `Sessions are revoked since ${since ?? 'never'}.`,
            ...(since && { since }),
          };
        },
        put: async (device, call) => directory.revokeSessions(await requireAccount(directory, device.user, call), call),
        undo: () => Promise.reject(new VendorRefused('LDP_REFUSED', 'Revoked sessions stay revoked.')),
      };
    case 'disable-user':
      return {
        settleMs: directory.settleMs,
        read: async (device, call) => {
          const { enabled } = await requireAccount(directory, device.user, call);
          return { offered: true, present: !enabled, evidence: `The account is ${enabled ? 'enabled' : 'disabled'}.` };
        },
        put: async (device, call) =>
          directory.setUserEnabled(await requireAccount(directory, device.user, call), false, call),
        undo: async (device, call) =>
          directory.setUserEnabled(await requireAccount(directory, device.user, call), true, call),
      };
    case 'disable-device':
      return {
        settleMs: directory.settleMs,
        read: async (device, call) => {
          const { enabled } = await requireDevice(directory, device, call);
          return {
            offered: true,
            present: !enabled,
            evidence: `The device object is ${enabled ? 'enabled' : 'disabled'}.`,
          };
        },
        put: async (device, call) =>
          directory.setDeviceEnabled(await requireDevice(directory, device, call), false, call),
        undo: async (device, call) =>
          directory.setDeviceEnabled(await requireDevice(directory, device, call), true, call),
      };
  }
}

/**
 * By the one EDR that has exactly one agent on it. That agent is pinned: set up again, the device has another one, and what was
 * isolated must still be found and released.
 */
function isolation({ detections }: Tenant, permit: AskPermit): Lever | undefined {
  const [first] = detections;
  if (first === undefined) return undefined;
  const [plugin, detection] = first;
  const findAgent = async ({ serial }: DeviceNames, call: Call, target: string | undefined) => {
    if (target !== undefined) return detection.readAgent(target, call);
    const found = await detection.findAgents({ ...(serial && { serial }) }, call);
    if (found.length === 1) return found[0];
    throw new VendorRefused(
      found.length === 0 ? 'LDP_NOT_FOUND' : 'LDP_CONFLICT',
      `${plugin} has ${found.length} agents of serial ${serial ?? '(none)'}; exactly one is needed.`,
    );
  };
  const requireAgent = async (device: DeviceNames, call: Call, target: string | undefined) => {
    const agent = await findAgent(device, call, target);
    if (agent) return agent;
    throw new VendorRefused('LDP_NOT_FOUND', `${plugin} does not know agent ${target ?? ''} any more.`);
  };
  return {
    settleMs: detection.settleMs,
    read: async (device, call, target) => {
      const agent = await findAgent(device, call, target);
      if (agent === undefined)
        return { offered: true, present: false, evidence: `${plugin} does not know the agent any more.` };
      const present = agent.isolation === 'isolated' || agent.isolation === 'being isolated';
      return { offered: true, present, evidence: `${plugin} says: ${agent.isolation}.`, target: agent.id };
    },
    put: async (device, call, target) => {
      const agent = await requireAgent(device, call, target);
      await permit('isolate', agent.id, call);
      await detection.isolate(agent, 'Lost-device playbook', call);
    },
    undo: async (device, call, target) =>
      detection.release(await requireAgent(device, call, target), 'Lost-device playbook', call),
  };
}

/** By the one console that has its one enrolment. A second lock of a Mac fails, so the first is looked for. */
function locking(tenant: Tenant, permit: AskPermit): Lever | undefined {
  const managements = [...tenant.managements.values()];
  if (managements.length === 0) return undefined;
  return {
    settleMs: Math.max(...managements.map(({ settleMs }) => settleMs)),
    read: async (device, call) => {
      const { plugin, management, record } = await findOneEnrolment(tenant, device, call);
      const offer = management.offers(record).find(({ command }) => command === 'lock');
      if (!offer?.offered) throw new VendorRefused('LDP_NOT_OFFERED', offer?.because ?? `${plugin} has no lock.`);
      if (offer.pin !== 'none' && tenant.secretStore === undefined)
        throw new VendorRefused('LDP_NOT_OFFERED', 'Its PIN must be kept: the settings name no secret store.');
      const commands = await management.readCommands(record.id, call);
      // A lock of an earlier enrolment says nothing of this one.
      const sinceMs = Date.parse(record.enrolledAt ?? '1970-01-01');
      const lock = commands.find(({ command, startedAt }) => command === 'lock' && Date.parse(startedAt) >= sinceMs);
      const present = lock !== undefined && ['queued', 'delivered', 'acknowledged'].includes(lock.state);
      await keepLockPin(tenant, [plugin, management], record.id, commands, call);
      return {
        offered: true,
        present,
        evidence: lock ? `${plugin} says of the lock: ${lock.says}.` : 'No lock is under way.',
      };
    },
    put: async (device, call) => {
      const { management, record } = await findOneEnrolment(tenant, device, call);
      await permit('lock', record.id, call);
      await management.lock(
        record,
        { justification: 'Lost-device playbook', message: 'This laptop is lost. Please call its owner.' },
        call,
      );
    },
    undo: () => Promise.reject(new VendorRefused('LDP_REFUSED', 'A lock is lifted on the device itself.')),
  };
}

/** The guard's word before something leaves that a freeze stops. */
type AskPermit = (what: 'lock' | 'isolate', id: string, call: Call) => Promise<void>;

async function requireAccount(directory: Directory, user: string | undefined, call: Call) {
  const account = user === undefined ? undefined : await directory.readAccount(user, call);
  if (account) return account;
  throw new VendorRefused('LDP_NOT_FOUND', `The directory has no account ${user ?? '(the device has no user)'}.`);
}

/** Two objects may carry one hostname: changing the wrong one would disable a colleague's laptop. */
async function requireDevice(directory: Directory, device: DeviceNames, call: Call) {
  const found = await directory.findDirectoryDevices(device, call);
  if (found.length === 1 && found[0]) return found[0];
  throw new VendorRefused(
    found.length === 0 ? 'LDP_NOT_FOUND' : 'LDP_CONFLICT',
    `The directory has ${found.length} device objects for ${device.hostname ?? device.serial ?? 'this device'}; exactly one is needed.`,
  );
}
