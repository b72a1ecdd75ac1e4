/**
 * Steps of the containment track: identify the device, move the user, see the move, tag, directory steps, and the undoing
 * of each. Every step can be repeated whole: it reads, sends once, reads back.
 * @module
 */
import { activityInfo, cancellationSignal } from '@temporalio/activity';
import { archiveKeys } from '../playbook/archive-keys';
import type { DeviceNames, ManagedDevice } from '../playbook/device';
import { matchDevice } from '../playbook/device';
import type { Identified } from '../playbook/identify';
import { identify } from '../playbook/identify';
import type { DeviceHint } from '../playbook/report';
import { OutcomeUnknown, VendorRefused, VendorUnavailable } from '../plugins/errors';
import type { Call, Directory, Membership } from '../plugins/roles';
import { taskQueues } from '../workflows/ids';
import type { Admission, HoldClaim, UserHoldState } from '../workflows/messages';
import { forgetUser as forgetUserSignal, holdUser, letGoOfUser } from '../workflows/messages';
import { createAdmissions } from './admission';
import { callAt } from './call';
import type { House, Tenant } from './house';
import { lookUntil, sendOnce } from './send-once';

/** Which lever moves the user. */
export type Via = 'secure access' | 'directory';

export interface IdentifyInput {
  tenant: string;
  chain: string;
  now: string;
  hint: DeviceHint;
  user?: string;
  verified: boolean;
  /** A person picked this candidate: `nsdeviceuid|user`. */
  picked?: string;
}

export interface Identification {
  identified: Identified;
  otherDevices: DeviceNames[];
  /** What was there before anything was changed; the baseline of the undoing. Absent when no user is known. */
  before?: { membership: Membership; memberBefore: boolean; via: Via; readAt: string };
  admission: Admission;
  /** Keyed hashes for search attributes. */
  keys: string[];
  names: { lostSteeringConfig: string; lostPolicy: string; secureAccess: string };
}

export interface FirstResponseInput extends IdentifyInput {
  /** The rules want a person when the user has other devices. */
  askWhenOtherDevices: boolean;
}

export interface FirstResponse extends Identification {
  /** The move was, or may have been, sent. */
  asked?: true;
  moved?: Moved;
}

/** What was there before the first change of a case. */
export interface Baseline {
  device: ManagedDevice;
  memberBefore: boolean;
  via: Via;
}

export interface MoveInput {
  tenant: string;
  now: string;
  user: string;
  via: Via;
  /** Read by `identify`; used instead of reading again when it is fresh and this is the first try. */
  known?: { membership: Membership; readAt: string };
}

export interface Moved {
  /** Secure access shows the user in (or, when releasing, out of) the lost group. */
  seen: boolean;
  /** This step sent the change. */
  sent: boolean;
  at: string;
  evidence: string;
}

/**
 * What `identify` read may serve as the reading before the change for this long (milliseconds). No setting: it is what makes
 * an undoing right.
 */
const freshForMs = 60_000;

export function createContainmentActivities(house: House) {
  const askGuard = createAdmissions(house.client);

  /** Candidates, the decision which one it is, the user's other devices, the state before, and the guard's word. Reads only. */
  async function identifyDevice(input: IdentifyInput): Promise<Identification> {
    const tenant = house.tenant(input.tenant);
    const { secureAccess } = tenant;
    const call = callAt(input.now);
    const query = { ...input.hint, ...(input.user !== undefined && { user: input.user }) };
    const names = {
      lostSteeringConfig: secureAccess.lostSteeringConfig,
      lostPolicy: secureAccess.lostPolicy,
      secureAccess: tenant.secureAccessName,
    };
    const nobody = { admitted: false, reason: 'The device is not identified yet.' };
    if (Object.keys(query).length === 0) {
      return { identified: identify([], {}), otherDevices: [], admission: nobody, keys: [], names };
    }

    const [found, ofReportedUser] = await Promise.all([
      secureAccess.findDevices(query, call),
      input.user === undefined ? undefined : readBefore(tenant, input.user, call),
    ]);
    const pickedOne =
      input.picked === undefined ? undefined : found.find((device) => isPicked(device, input.picked as string));
    const identified: Identified = pickedOne ? { found: 'one', device: pickedOne } : identify(found, query);
    if (identified.found !== 'one') return { identified, otherDevices: [], admission: nobody, keys: [], names };

    const { device } = identified;
    const user = device.user;
    const keys = keysOf(house, device);
    if (user === undefined) {
      return { identified, otherDevices: [], admission: { admitted: true, reason: 'No user to move.' }, keys, names };
    }
    const asReported = user.toLowerCase() === input.user?.toLowerCase();
    const [before, ofUser, admission] = await Promise.all([
      asReported && ofReportedUser ? ofReportedUser : readBefore(tenant, user, call),
      asReported ? found : secureAccess.findDevices({ user }, call),
      admit(tenant, input, user),
    ]);
    return { identified, otherDevices: others(device, ofUser), before, admission, keys, names };
  }

  /**
   * The first response in one step, because round trips decide how long a thief is free: identify, and when it is exactly
   * one device and nobody must be asked, move its user. Idempotency: what was there before is put into the archive,
   * create-if-absent, before the change is sent; a repeat finds it there and never takes its own work for somebody
   * else's. Where the archive is away nothing is sent: the workflow then goes the longer way, with history as its paper.
   */
  async function firstResponse(input: FirstResponseInput): Promise<FirstResponse> {
    const found = await identifyDevice(input);
    const { identified, before, admission, otherDevices } = found;
    const askFirst = input.askWhenOtherDevices && otherDevices.length > 0;
    if (identified.found !== 'one' || before === undefined || !admission.admitted || askFirst) return found;
    const user = identified.device.user;
    if (user === undefined) return found;
    const kept = await keepBaseline(input, {
      device: identified.device,
      memberBefore: before.memberBefore,
      via: before.via,
    });
    if (kept === undefined) return found;
    const asked: FirstResponse = { ...found, before: { ...before, memberBefore: kept.memberBefore }, asked: true };
    try {
      return {
        ...asked,
        moved: await moveUser({ tenant: input.tenant, now: input.now, user, via: before.via, known: before }),
      };
    } catch {
      cancellationSignal().throwIfAborted();
      return asked; // The step of its own tries again, and says what is wrong.
    }
  }

  async function keepBaseline(input: IdentifyInput, baseline: Baseline): Promise<Baseline | undefined> {
    const { archive } = house.tenant(input.tenant);
    const key = archiveKeys.baseline(input.chain);
    const call = callAt(input.now);
    try {
      const put = await archive.putOnce(key, Buffer.from(JSON.stringify(baseline), 'utf8'), call);
      return put === 'created' ? baseline : await readBaseline(input);
    } catch {
      cancellationSignal().throwIfAborted();
      return undefined;
    }
  }

  /** What a first response wrote down before it changed anything; undefined when it never came so far. */
  async function readBaseline(input: { tenant: string; chain: string; now: string }): Promise<Baseline | undefined> {
    const bytes = await house.tenant(input.tenant).archive.get(archiveKeys.baseline(input.chain), callAt(input.now));
    return bytes && (JSON.parse(Buffer.from(bytes).toString('utf8')) as Baseline);
  }

  /** May this containment go ahead by itself? Protected persons, unverified reports and bursts ask a person first. */
  async function admit(tenant: Tenant, input: IdentifyInput, user: string): Promise<Admission> {
    const { protectedUsers, containmentsPerHour } = tenant.settings.guard;
    if (protectedUsers.some((name) => name.toLowerCase() === user.toLowerCase())) {
      return {
        admitted: false,
        reason: `${user} is a protected person: a person must agree before the account is moved.`,
      };
    }
    if (!input.verified) {
      return { admitted: false, reason: 'The report could not be verified: its sender is not proven.' };
    }
    return askGuard(tenant.name, { chain: input.chain, at: input.now, perHour: containmentsPerHour });
  }

  /**
   * Move the user into the lost group. Idempotency: what was there before is in history (from `identifyDevice`) before
   * this step starts; a repeat reads first; adding a present member changes nothing; a lost answer is read back, and
   * never answered with a second send in the same try. Throws LDP_NOT_SEEN_YET when the answer was lost and reading back
   * shows nothing: then nobody accepted the change, and the repeat sends it.
   */
  async function moveUser(input: MoveInput): Promise<Moved> {
    const tenant = house.tenant(input.tenant);
    const call = callAt(input.now);
    const fresh =
      activityInfo().attempt === 1 &&
      input.known !== undefined &&
      Date.parse(input.now) - Date.parse(input.known.readAt) < freshForMs;
    const membership =
      fresh && input.known ? input.known.membership : await tenant.secureAccess.readMembership(input.user, call);
    requireMovable(tenant, membership);
    if (membership.isMember) return moved(tenant, input, true, false);

    let accepted: boolean;
    if (input.via === 'directory') {
      const directory = requireDirectory(tenant);
      // Whatever the directory reads: it may lag behind an earlier change, and to add a member again is harmless.
      accepted = await sendOnce(() => directory.addToLostGroup(input.user, call));
      await directory.provisionNow(input.user, call).catch(ignoreUnlessRefused);
    } else {
      accepted = await sendOnce(() => tenant.secureAccess.addToLostGroup(membership, call));
    }
    const seen = await readBackMembership(tenant, input.user, true, call);
    if (!seen && !accepted) throw lostOnTheWay(input);
    return moved(tenant, input, seen, true);
  }

  /** Does secure access show the user where we want them? One look. */
  async function lookForMove(input: MoveInput & { wanted: boolean }): Promise<Moved> {
    const tenant = house.tenant(input.tenant);
    const membership = await tenant.secureAccess.readMembership(input.user, callAt(input.now));
    return moved(tenant, input, membership.isMember === input.wanted, false, input.wanted);
  }

  /** Take the user out of the lost group. Same story as `moveUser`, in reverse. */
  async function releaseUser(input: MoveInput): Promise<Moved> {
    const tenant = house.tenant(input.tenant);
    const call = callAt(input.now);
    let accepted: boolean;
    if (input.via === 'directory') {
      const directory = requireDirectory(tenant);
      // As above: a reading of before the move would leave the user in the group for ever.
      accepted = await sendOnce(() => directory.removeFromLostGroup(input.user, call));
      await directory.provisionNow(input.user, call).catch(ignoreUnlessRefused);
    } else {
      const membership = await tenant.secureAccess.readMembership(input.user, call);
      if (!membership.isMember) return moved(tenant, input, true, false, false);
      accepted = await sendOnce(() => tenant.secureAccess.removeFromLostGroup(membership, call));
    }
    const seen = await readBackMembership(tenant, input.user, false, call);
    if (!seen && !accepted) throw lostOnTheWay(input);
    return moved(tenant, input, seen, true, false);
  }

  /** Tell the user's hold that this case needs the user in the lost group. Repeats carry the same chain. */
  async function claimUser(input: { tenant: string; user: string; claim: HoldClaim }): Promise<void> {
    await signalHold(input.tenant, input.user, holdUser, input.claim);
  }

  /** Tell the user's hold that this case lets go. The hold answers the case with `userReleased`. */
  async function letGo(input: { tenant: string; user: string; claim: HoldClaim }): Promise<void> {
    await signalHold(input.tenant, input.user, letGoOfUser, input.claim);
  }

  /** The user has another name now: the hold by the former one forgets this case, and undoes nothing. */
  async function forgetUser(input: { tenant: string; user: string; chain: string }): Promise<void> {
    const hold = house.client.workflow.getHandle(house.cases.ids.userHold(input.tenant, input.user));
    try {
      await hold.signal(forgetUserSignal, { chain: input.chain });
    } catch (error) {
      if ((error as Error).name !== 'WorkflowNotFoundError') throw error;
    }
  }

  async function signalHold(tenant: string, user: string, signal: typeof holdUser, claim: HoldClaim): Promise<void> {
    const state: UserHoldState = { user, holders: {}, leaving: [] };
    await house.client.workflow.signalWithStart('userHold', {
      workflowId: house.cases.ids.userHold(tenant, user),
      taskQueue: taskQueues.main,
      args: [{ tenant, rules: house.tenant(tenant).settings.rules, state }],
      signal,
      signalArgs: [claim],
      staticSummary: `Hold of ${user}`,
    });
  }

  return {
    firstResponse,
    readBaseline,
    identifyDevice,
    moveUser,
    lookForMove,
    releaseUser,
    claimUser,
    forgetUser,
    letGo,
  };
}

/** Keyed hashes of a device's names, for search attributes. */
export function keysOf(house: House, names: DeviceNames): string[] {
  return (['serial', 'nsdeviceuid', 'hostname', 'user'] as const).flatMap((kind) =>
    names[kind] ? [house.cases.keyOf(kind, names[kind])] : [],
  );
}

/** The user's membership where the change will be made, before it is made. */
async function readBefore(tenant: Tenant, user: string, call: Call): Promise<NonNullable<Identification['before']>> {
  const membership = await tenant.secureAccess.readMembership(user, call);
  const inDirectory =
    membership.groupOwner === 'directory' ? await tenant.directory?.readMembership(user, call) : undefined;
  return {
    membership,
    memberBefore: membership.isMember || inDirectory?.isMember === true,
    via: membership.groupOwner === 'directory' ? 'directory' : 'secure access',
    readAt: call.now,
  };
}

function isPicked(device: ManagedDevice, picked: string): boolean {
  return picked === `${device.nsdeviceuid ?? device.serial ?? device.hostname ?? ''}|${device.user ?? ''}`;
}

function others(device: ManagedDevice, found: ManagedDevice[]): DeviceNames[] {
  return found
    .filter(
      (other) => matchDevice(device, other) === 'none' && other.user?.toLowerCase() === device.user?.toLowerCase(),
    )
    .slice(0, 20)
    .map(({ serial, nsdeviceuid, hostname, user }) => ({
      ...(serial && { serial }),
      ...(nsdeviceuid && { nsdeviceuid }),
      ...(hostname && { hostname }),
      ...(user && { user }),
    }));
}

function requireMovable(tenant: Tenant, membership: Membership): void {
  if (membership.userId === undefined) {
    throw new VendorRefused('LDP_NOT_FOUND', `${tenant.secureAccessName} does not know the user ${membership.user}.`);
  }
  if (membership.groupId === undefined) {
    throw new VendorRefused(
      'LDP_NOT_FOUND',
      `${tenant.secureAccessName} has no group "${membership.groupName}". Create it, or correct lostGroup in the settings.`,
    );
  }
}

function requireDirectory(tenant: Tenant): Directory {
  if (tenant.directory) return tenant.directory;
  throw new VendorRefused(
    'LDP_NOT_PERMITTED',
    'A directory owns the lost group, and the settings name no directory plugin. Add one, or make the group in secure access.',
  );
}

/** On-demand provisioning is a short cut: when it is away the regular cycle carries the change. */
function ignoreUnlessRefused(error: unknown): void {
  if (error instanceof VendorUnavailable || error instanceof OutcomeUnknown) return;
  throw error;
}

function lostOnTheWay({ via, user }: MoveInput): VendorUnavailable {
  return new VendorUnavailable(
    'LDP_NOT_SEEN_YET',
    `The answer of the ${via} to the change of ${user} was lost, and reading back does not show the change.`,
  );
}

function readBackMembership(tenant: Tenant, user: string, wanted: boolean, call: Call): Promise<boolean> {
  return lookUntil(
    tenant.secureAccess.settleMs,
    async () => (await tenant.secureAccess.readMembership(user, call)).isMember === wanted,
  );
}

function moved(tenant: Tenant, input: MoveInput, seen: boolean, sent: boolean, wanted = true): Moved {
  const group = tenant.secureAccessName;
  const where = wanted ? 'in the lost group' : 'out of the lost group';
  return {
    seen,
    sent,
    at: input.now,
    evidence: seen
      ? `${group} shows ${input.user} ${where}.`
      : `${input.via} accepted the change; ${group} does not show ${input.user} ${where} yet.`,
  };
}
