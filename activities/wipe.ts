/**
 * Steps of the wipe: look at what would be wiped, take evidence, send once, follow. The most dangerous button in the
 * company: exactly one enrolment, pinned; one permit, one send.
 * @module
 */
import { log } from '@temporalio/activity';
import { archiveKeys } from '../playbook/archive-keys';
import type { ManagedDevice } from '../playbook/device';
import type { Permit } from '../playbook/permits';
import { missingHosts } from '../playbook/wipe-hosts';
import type { SeenCommand, SendOutcome, VendorAnswer, WipePlan } from '../playbook/wipe';
import { OutcomeUnknown, PlaybookError, VendorRefused } from '../plugins/errors';
import type { Call, CommandProgress, DeviceManagement, ManagedRecord } from '../plugins/roles';
import { createPermits } from './admission';
import { callAt } from './call';
import type { House, Tenant } from './house';
import { findOneEnrolment, type Enrolment } from './one-enrolment';
import { keepLockPin, keepWipePin } from './unlock-pins';

export interface PrepareWipeInput {
  tenant: string;
  now: string;
  chain: string;
  number: number;
  device: ManagedDevice;
}

export interface SendWipeInput {
  tenant: string;
  now: string;
  chain: string;
  /** Id of the permit: this very send, and no other. */
  permit: string;
  plugin: string;
  recordId: string;
  serial: string;
  /** The consents were given to something that could not be real. */
  rehearsal: boolean;
  /** Wipes that ended and are not newer than this are none of ours. ISO 8601, vendor time. */
  earlierWipe?: string;
  protected: boolean;
  justification: string;
  approvalCode?: string;
}

export interface ReadWipeInput {
  tenant: string;
  now: string;
  plugin: string;
  recordId: string;
  earlierWipe?: string;
}

export function createWipeActivities(house: House) {
  const permits = createPermits(house.client);

  /**
   * Find exactly one enrolment, take evidence, and say what the approver should know. Reads only, but for the archive, where
   * the first evidence of a request stays.
   * @throws VendorRefused LDP_NOT_OFFERED, LDP_NOT_FOUND or LDP_CONFLICT where there is not exactly one that can be wiped.
   */
  async function prepareWipe(input: PrepareWipeInput): Promise<WipePlan> {
    const tenant = house.tenant(input.tenant);
    const call = callAt(input.now);
    const found = await findOneEnrolment(tenant, input.device, call);
    const { plugin, management, record } = found;
    const offer = management.offers(record).find(({ command }) => command === 'wipe');
    if (!offer?.offered)
      throw new VendorRefused('LDP_NOT_OFFERED', `${plugin} cannot wipe it: ${offer?.because ?? 'no such command'}`);
    const { wipe } = tenant.settings;
    if (offer.pin === 'ours' && tenant.secretStore === undefined)
      throw new VendorRefused(
        'LDP_NOT_OFFERED',
        'Its PIN must be kept before the command leaves: the settings name no secret store.',
      );
    const cleanUp = await management.readCleanUp?.(call).catch(() => 'not readable' as const);
    const earlierWipe = newestEnded(await management.readCommands(record.id, call));
    const hosts = agentHostsOf(tenant);
    const steering = await steeringWarnings(tenant, hosts, call);
    return {
      at: input.now,
      plugin,
      recordId: record.id,
      platform: record.platform,
      ...(record.lastSyncAt !== undefined && { lastSyncAt: record.lastSyncAt }),
      ...(earlierWipe !== undefined && { earlierWipe }),
      encrypted: record.encrypted,
      cancellable: offer.cancellable,
      pin: offer.pin,
      simulated: tenant.simulated.has(plugin),
      dryRun: wipe.dryRun,
      approvers: wipe.approvers,
      evidence: await takeEvidence(tenant, input, found, call),
      ...(typeof cleanUp === 'object' && { cleanUpAfterMs: cleanUp.afterMs }),
      hosts,
      warnings: [
        ...steering.inItsWay,
        offer.because,
        ...(await isolationWarning(tenant, input.device, call)),
        ...cleanUpWarning(plugin, cleanUp),
        ...steering.otherwise,
      ],
    };
  }

  /**
   * Ask the guard and send, at once one after the other. Idempotency: an intent under the permit's id goes into the archive
   * (create-if-absent) before the command leaves, so that no repeat of this activity, on whatever worker, ever sends again: it
   * answers `unknown`, and the vendor is read back. A wipe that waits at the vendor already is taken for ours and followed; so is
   * one that the device acknowledged since this one was prepared.
   */
  async function sendWipe(input: SendWipeInput): Promise<SendOutcome> {
    const tenant = house.tenant(input.tenant);
    const { perHour, perDay, dryRun } = tenant.settings.wipe;
    const call = callAt(input.now);
    const management = managementOf(tenant, input.plugin);
    const intent = archiveKeys.wipeIntent(input.chain, `${input.permit}${input.approvalCode ?? ''}`);
    // Before anything else: a device that is gone by now may have been wiped by this very send.
    if ((await tenant.archive.get(intent, call)) !== undefined) return { sent: 'unknown' };
    const refused = (says: string) => ({ sent: 'no', because: 'refused', says }) as const;
    if (input.rehearsal && !dryRun && !tenant.simulated.has(input.plugin))
      return refused(
        'It was approved when nothing real could happen, and would be real now: it must be asked for anew.',
      );
    const record = await management.readRecord(input.recordId, call);
    if (record?.names.serial?.toUpperCase() !== input.serial.toUpperCase())
      return refused(`${input.plugin} record ${input.recordId} is gone, or another device.`);
    const commands = await management.readCommands(record.id, call);
    const known = wipesOf(commands, record, input.earlierWipe);
    if (known.some(({ state }) => ['queued', 'delivered', 'acknowledged'].includes(state))) return { sent: 'accepted' };
    const offer = management.offers(record).find(({ command }) => command === 'wipe');
    await keepLockPin(tenant, [input.plugin, management], record.id, commands, call);
    const pin = offer?.pin === 'ours' ? await keepWipePin(tenant, input.permit, call) : undefined;

    const permit: Permit = await permits(tenant.name, {
      id: input.permit,
      what: 'wipe',
      at: input.now,
      perHour,
      perDay,
      dryRun,
    });
    if (!permit.granted) return { sent: 'no', because: 'not permitted', permit };
    const words = JSON.stringify({ permit: input.permit, record: record.id, at: input.now });
    if ((await tenant.archive.putOnce(intent, Buffer.from(`${words}\n`), call)) === 'already there')
      return { sent: 'unknown' };
    try {
      await management.wipe(
        record,
        {
          protected: input.protected,
          justification: input.justification,
          ...(pin !== undefined && { pin }),
          ...(input.approvalCode !== undefined && { approvalCode: input.approvalCode }),
        },
        call,
      );
      return { sent: 'accepted' };
    } catch (error) {
      if (error instanceof VendorRefused && error.code === 'LDP_APPROVAL_REQUIRED' && error.details.approvalCode)
        return { sent: 'no', because: 'the vendor wants a second administrator', code: error.details.approvalCode };
      if (error instanceof VendorRefused) return refused(error.message);
      // Nothing of it may be sent again: whatever else went wrong, it may have left.
      log.warn('the outcome of a wipe is not known', {
        reason: error instanceof OutcomeUnknown ? error.code : 'failure',
      });
      return { sent: 'unknown' };
    }
  }

  /** What the vendor shows of the wipe; undefined when it shows none. */
  async function readWipe(input: ReadWipeInput): Promise<SeenCommand | undefined> {
    const management = managementOf(house.tenant(input.tenant), input.plugin);
    const call = callAt(input.now);
    const record = await management.readRecord(input.recordId, call);
    if (record === undefined) return undefined;
    const wipes = wipesOf(await management.readCommands(record.id, call), record, input.earlierWipe);
    // Another one that failed says nothing of the one that waits.
    const found = wipes.find(({ state }) => state === 'acknowledged') ?? wipes.find(isUnderWay) ?? wipes[0];
    if (found === undefined) return undefined;
    return {
      state: found.state,
      startedAt: found.startedAt,
      ...(found.updatedAt !== undefined && { updatedAt: found.updatedAt }),
      says: found.says,
      ...(record.lastSyncAt !== undefined && { syncedAt: record.lastSyncAt }),
    };
  }

  /** Has the vendor's own second administrator agreed? */
  async function readWipeApproval(input: {
    tenant: string;
    now: string;
    plugin: string;
    code: string;
  }): Promise<VendorAnswer> {
    const management = managementOf(house.tenant(input.tenant), input.plugin);
    return (await management.readApproval?.(input.code, callAt(input.now))) ?? 'needs approval';
  }

  /** Take the command back where the vendor can. */
  async function cancelWipe(input: ReadWipeInput): Promise<'cancelled' | 'too late' | 'cannot be cancelled'> {
    const management = managementOf(house.tenant(input.tenant), input.plugin);
    const call = callAt(input.now);
    const record = await management.readRecord(input.recordId, call);
    if (record === undefined || management.cancel === undefined) return 'cannot be cancelled';
    return management.cancel(record, 'wipe', call);
  }

  return { prepareWipe, sendWipe, readWipe, readWipeApproval, cancelWipe };
}

function managementOf(tenant: Tenant, plugin: string): DeviceManagement {
  const found = tenant.managements.get(plugin);
  if (found) return found;
  throw new VendorRefused(
    'LDP_NOT_OFFERED',
    `The settings of ${tenant.name} have no device management ${plugin} any more.`,
  );
}

const isUnderWay = ({ state }: CommandProgress) => state === 'queued' || state === 'delivered';

/** Wipes of this enrolment: those under way, and of those that ended only what began after the `earlier` one. Newest first. */
function wipesOf(commands: CommandProgress[], { enrolledAt }: ManagedRecord, earlier: string | undefined) {
  const isAfter = (at: string, before: string | undefined) =>
    before === undefined || Date.parse(at) > Date.parse(before);
  return commands.filter(
    (found) =>
      found.command === 'wipe' &&
      isAfter(found.startedAt, enrolledAt) &&
      (isUnderWay(found) || isAfter(found.startedAt, earlier)),
  );
}

function newestEnded(commands: CommandProgress[]): string | undefined {
  return commands.find((found) => found.command === 'wipe' && !isUnderWay(found))?.startedAt;
}

/** Best effort: a console that is away leaves a gap that is said, and holds nothing up. */
async function takeEvidence(
  tenant: Tenant,
  { chain, number, device, now }: PrepareWipeInput,
  { management, record }: Enrolment,
  call: Call,
): Promise<string> {
  const key = archiveKeys.evidence(chain, number);
  const attempt = async (read: () => Promise<unknown>) =>
    read().catch((error: unknown) => ({ notRead: error instanceof PlaybookError ? error.message : 'unknown failure' }));
  const evidence = {
    takenAt: now,
    device,
    enrolment: record,
    commands: await attempt(() => management.readCommands(record.id, call)),
    secureAccess: await attempt(() =>
      tenant.secureAccess.findDevices({ ...(device.serial && { serial: device.serial }) }, call),
    ),
    agents: await attempt(() =>
      Promise.all([...tenant.detections.values()].map((agent) => agent.findAgents(device, call))),
    ),
  };
  await tenant.archive.putOnce(key, Buffer.from(`${JSON.stringify(evidence, undefined, 2)}\n`), call);
  return key;
}

/** An isolated device never hears of its wipe. */
async function isolationWarning(tenant: Tenant, device: ManagedDevice, call: Call): Promise<string[]> {
  const warnings: string[] = [];
  for (const [plugin, detection] of tenant.detections) {
    const agents = await detection.findAgents(device, call).catch(() => undefined);
    if (agents === undefined)
      warnings.push(`${plugin} could not be asked whether it is isolated: then it never hears of its wipe.`);
    else if (agents.some(({ isolation }) => isolation === 'isolated' || isolation === 'being isolated'))
      warnings.push(`It is isolated by ${plugin}: ${detection.whileIsolated}`);
  }
  return warnings;
}

function cleanUpWarning(plugin: string, cleanUp: { afterMs: number } | 'not readable' | undefined): string[] {
  if (cleanUp === undefined) return [];
  if (cleanUp === 'not readable')
    return [`Whether ${plugin} forgets devices that are silent, and commands with them, could not be read.`];
  const days = Math.round(cleanUp.afterMs / 86_400_000);
  return [`${plugin} forgets devices that are silent for ${days} days, and commands with them.`];
}

/** Best effort: does the steering configuration let the command reach the device? */
async function steeringWarnings({ secureAccess, settings }: Tenant, hosts: string[], call: Call) {
  const { behindPrivateAccess } = settings.wipe;
  const read = await secureAccess.readSteering?.(call).catch(() => undefined);
  const inItsWay: string[] = [];
  const otherwise: string[] = [];
  if (!read) otherwise.push('The hosts above were not read back from the steering configuration: compare them there.');
  else {
    const missing = missingHosts(hosts, read.letThrough);
    if (missing.length > 0)
      inItsWay.push(
        `The steering configuration "${read.config}" does NOT let through: ${missing.join(', ')}. The wipe may never arrive.`,
      );
    else otherwise.push(`The steering configuration "${read.config}" lets all ${hosts.length} hosts through.`);
  }
  if (behindPrivateAccess && read?.privateAccess === false)
    inItsWay.push(
      `The steering configuration "${read.config}" has private access off, and the device management is reached through it. The wipe may never arrive.`,
    );
  if (behindPrivateAccess && read?.privateAccess === undefined)
    otherwise.push(
      'The device management is reached through private access: check that the steering configuration keeps it, it could not be read.',
    );
  return { inItsWay, otherwise };
}

const agentHostsOf = (tenant: Tenant) => [...new Set([...tenant.agentHosts.values()].flat())].sort();
