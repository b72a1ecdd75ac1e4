/**
 * Microsoft Intune as device management: find an enrolment, send a command once, and follow what became of it.
 *
 * A command has no id at Intune: 204 means that it waits. What becomes of it stands in `deviceActionResults` of the one
 * device (lists leave it empty: powershell-intune-samples issue 252) and in its `managementState`.
 * @module
 */
import { BadInput, VendorRefused, VendorUnavailable } from '../errors';
import { itemsOf, noContent, odataText, type GraphOperation } from '../graph';
import type { RequestOptions } from '../http';
import type { CommandProgress, DeviceManagement, ManagedRecord, RemoteCommand, SendOptions } from '../roles';
import {
  approvalSchema,
  cleanUpRuleSchema,
  commandsSchema,
  createGraph,
  deviceFields,
  deviceSchema,
  operations,
  pinsSchema,
  recordOf,
  type Commands,
} from './graph';
import { offersFor } from './offers';
import type { IntuneSettings } from './settings';

const dayMs = 24 * 60 * 60_000;
/** `requestJustification` takes so many characters (operationApprovalRequest.md). */
const longestJustification = 1024;

export function createDeviceManagement(settings: IntuneSettings): DeviceManagement {
  const graph = createGraph(settings);

  /** Nothing leaves for a device that {@link offersFor} refuses. */
  async function send(
    command: RemoteCommand,
    operation: GraphOperation,
    record: ManagedRecord,
    options: SendOptions,
    asked: Pick<RequestOptions<unknown>, 'call' | 'json' | 'secrets'>,
  ): Promise<void> {
    const offer = offersFor(record).find((one) => one.command === command);
    if (!offer?.offered) {
      throw new VendorRefused('LDP_NOT_OFFERED', `intune ${operation.name}: ${offer?.because ?? 'is not known'}`, {
        operation: `intune ${operation.name}`,
      });
    }
    await graph.request(operation, {
      ...asked,
      params: { deviceId: record.id },
      headers: approvalHeaders(options),
      schema: noContent,
    });
  }

  return {
    settleMs: settings.settleMs,
    offers: offersFor,

    /**
     * By serial, and by hostname where none is known. Graph answers with every device of the tenant when it does not take
     * a filter (microsoft-graph-docs issue 19909), so each row is compared again.
     */
    async findRecords({ serial, hostname }, call) {
      const wanted = serial || hostname;
      if (!wanted) return [];
      const field = serial ? 'serialNumber' : 'deviceName';
      const found: ManagedRecord[] = [];
      const query = { $filter: `${field} eq ${odataText(wanted)}`, $select: deviceFields };
      for await (const device of itemsOf(graph, operations.listDevices, deviceSchema, { call, query })) {
        if (device[field]?.toLowerCase() === wanted.toLowerCase()) found.push(recordOf(device));
      }
      return found;
    },

    async readRecord(id, call) {
      const { status, body } = await graph.request(operations.readDevice, {
        call,
        params: { deviceId: id },
        query: { $select: deviceFields },
        schema: deviceSchema,
        accept: [404],
      });
      return status === 404 ? undefined : recordOf(body);
    },

    async readCommands(id, call) {
      const { status, body } = await graph.request(operations.readDevice, {
        call,
        params: { deviceId: id },
        query: { $select: 'id,managementState,deviceActionResults' },
        schema: commandsSchema,
        accept: [404],
      });
      return status === 404 ? [] : progressOf(body, call.now);
    },

    /** Nothing is kept: neither data nor enrolment. The protected form is Windows' own, and left out elsewhere. */
    async wipe(record, options, call) {
      const onWindows = record.platform === 'windows' && options.protected;
      const pin = record.platform === 'macos' ? options.pin : undefined;
      if (record.platform === 'macos' && !/^\d{6}$/.test(pin ?? '')) {
        throw new BadInput('LDP_BAD_INPUT', 'intune managedDevices.wipe: pin: six digits are needed for a Mac', {
          field: 'pin',
        });
      }
      await send('wipe', onWindows ? operations.wipeProtected : operations.wipe, record, options, {
        call,
        json: {
          keepEnrollmentData: false,
          keepUserData: false,
          ...(onWindows && { useProtectedWipe: true }),
          // For any other platform it makes Graph refuse the call (Intune-PowerShell-SDK issue 51).
          ...(pin !== undefined && { macOsUnlockCode: pin }),
        },
        ...(pin !== undefined && { secrets: [pin] }),
      });
    },

    async lock(record, options, call) {
      await send('lock', operations.lock, record, options, { call });
    },

    async enableLostMode(record, options, call) {
      const { message, phone: phoneNumber } = options;
      await send('lost mode', operations.enableLostMode, record, options, {
        call,
        json: { message, phoneNumber, footer: '' },
      });
    },

    async readLockPin(id, call) {
      const { status, body } = await graph.request(operations.readDevice, {
        call,
        params: { deviceId: id },
        query: { $select: 'id,deviceActionResults' },
        schema: pinsSchema,
        accept: [404],
      });
      if (status === 404) return undefined;
      const locks = (body.deviceActionResults ?? []).filter((one) => commandOf(one.actionName) === 'lock');
      const newestFirst = locks.sort((a, b) => (b.startDateTime ?? '').localeCompare(a.startDateTime ?? ''));
      return newestFirst.find(({ unlockPin }) => unlockPin !== undefined)?.unlockPin;
    },

    async readApproval(code, call) {
      const query = { $filter: `requestId eq ${odataText(code)}` };
      for await (const request of itemsOf(graph, operations.listApprovals, approvalSchema, { call, query })) {
        const ids = [request.requestId, request.id].map((id) => id?.toLowerCase());
        if (ids.includes(code.toLowerCase())) return approvals[request.status ?? ''] ?? 'needs approval';
      }
      const operation = `intune ${operations.listApprovals.name}`;
      throw new VendorUnavailable('LDP_NOT_SEEN_YET', `${operation}: the approval is not in the list`, { operation });
    },

    /** The shortest of all rules: each is for a platform, and a device may be under several. */
    async readCleanUp(call) {
      const days: number[] = [];
      for await (const rule of itemsOf(graph, operations.listCleanUpRules, cleanUpRuleSchema, { call })) {
        const after = rule.deviceInactivityBeforeRetirementInDays ?? 0;
        if (after > 0) days.push(after);
      }
      return days.length === 0 ? undefined : { afterMs: Math.min(...days) * dayMs };
    },
  };
}

/** A policy that asks for a second administrator wants to know why; once they agreed, their code stands instead. */
function approvalHeaders({ approvalCode, justification }: SendOptions): Record<string, string> {
  if (approvalCode !== undefined) return { 'x-msft-approval-code': approvalCode };
  const why = Buffer.from(justification.slice(0, longestJustification));
  return { 'x-msft-approval-justification': why.toString('base64') };
}

/** Names of `deviceActionResults`, in small letters. Graph's own list of actions says factoryReset, its examples wipe. */
const commands: Readonly<Record<string, RemoteCommand>> = {
  wipe: 'wipe',
  factoryreset: 'wipe',
  remotelock: 'lock',
  enablelostmode: 'lost mode',
};
const commandOf = (actionName = '') => commands[actionName.toLowerCase()];

const actionStates: Readonly<Record<string, CommandProgress['state']>> = {
  none: 'queued',
  pending: 'queued',
  active: 'delivered',
  done: 'acknowledged',
  failed: 'failed',
  canceled: 'cancelled',
  notSupported: 'not supported',
};

const wipeStates: Readonly<Record<string, CommandProgress['state']>> = {
  wipePending: 'queued',
  wipeIssued: 'delivered',
  wipeFailed: 'failed',
  wipeCanceled: 'cancelled',
};

const approvals: Readonly<Record<string, Awaited<ReturnType<NonNullable<DeviceManagement['readApproval']>>>>> = {
  needsApproval: 'needs approval',
  approved: 'approved',
  rejected: 'rejected',
  cancelled: 'cancelled',
  expired: 'expired',
  completed: 'completed',
};

/** Newest first. */
function progressOf({ deviceActionResults, managementState = '' }: Commands, now: string): CommandProgress[] {
  const found = (deviceActionResults ?? []).flatMap((action): CommandProgress[] => {
    const command = commandOf(action.actionName);
    if (command === undefined) return [];
    const { startDateTime, lastUpdatedDateTime, actionState = 'none' } = action;
    return [
      {
        command,
        // A word that Graph has not had so far: it is shown, and decides nothing.
        state: actionStates[actionState] ?? 'queued',
        startedAt: startDateTime ?? lastUpdatedDateTime ?? now,
        ...(lastUpdatedDateTime !== undefined && { updatedAt: lastUpdatedDateTime }),
        says: `${action.actionName} ${actionState}`,
      },
    ];
  });
  found.sort((a, b) => b.startedAt.localeCompare(a.startedAt));

  const ofDevice = wipeStates[managementState];
  if (ofDevice === undefined) return found;
  const wipe = found.find(({ command }) => command === 'wipe');
  if (wipe === undefined) {
    // Seen at real tenants: the device says that a wipe is on, and lists none (powershell-intune-samples issue 161).
    return [{ command: 'wipe', state: ofDevice, startedAt: now, says: managementState }, ...found];
  }
  wipe.says += `, ${managementState}`;
  if (wipe.state === 'queued' || (wipe.state === 'delivered' && ofDevice !== 'queued')) wipe.state = ofDevice;
  return found;
}
