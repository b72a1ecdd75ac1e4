/**
 * Intune's part of Microsoft Graph: its operations and their answers.
 *
 * The `beta` ones have no v1.0 form: the protected wipe, lost mode, second administrators and clean-up rules.
 * @module
 */
import { z } from 'zod';
import type { DeviceNames } from '../../playbook/device';
import { createGraphClient, type GraphOperation } from '../graph';
import type { VendorClient } from '../http';
import { vendorName, vendorWords } from '../../playbook/plain-text';
import type { ManagedRecord, Platform } from '../roles';
import type { IntuneSettings } from './settings';

const reading = 'DeviceManagementManagedDevices.Read.All';
const commanding = 'DeviceManagementManagedDevices.PrivilegedOperations.All';

/** Permissions are those of Microsoft's Graph documentation (application permissions). */
export const operations = {
  listDevices: {
    name: 'managedDevices.list',
    method: 'GET',
    path: '/v1.0/deviceManagement/managedDevices',
    changes: false,
    permission: reading,
  },
  readDevice: {
    name: 'managedDevices.get',
    method: 'GET',
    path: '/v1.0/deviceManagement/managedDevices/{deviceId}',
    changes: false,
    permission: reading,
  },
  wipe: {
    name: 'managedDevices.wipe',
    method: 'POST',
    path: '/v1.0/deviceManagement/managedDevices/{deviceId}/wipe',
    changes: true,
    permission: commanding,
  },
  wipeProtected: {
    name: 'managedDevices.wipeProtected',
    method: 'POST',
    path: '/beta/deviceManagement/managedDevices/{deviceId}/wipe',
    changes: true,
    permission: commanding,
  },
  lock: {
    name: 'managedDevices.remoteLock',
    method: 'POST',
    path: '/v1.0/deviceManagement/managedDevices/{deviceId}/remoteLock',
    changes: true,
    permission: commanding,
  },
  enableLostMode: {
    name: 'managedDevices.enableLostMode',
    method: 'POST',
    path: '/beta/deviceManagement/managedDevices/{deviceId}/enableLostMode',
    changes: true,
    permission: commanding,
  },
  listApprovals: {
    name: 'operationApprovalRequests.list',
    method: 'GET',
    path: '/beta/deviceManagement/operationApprovalRequests',
    changes: false,
    permission: 'DeviceManagementRBAC.Read.All',
  },
  // DeviceManagementRBAC.Read.All is enough (intune-rbac-operationapprovalpolicy-get).
  listApprovalPolicies: {
    name: 'operationApprovalPolicies.list',
    method: 'GET',
    path: '/beta/deviceManagement/operationApprovalPolicies',
    changes: false,
    permission: 'DeviceManagementRBAC.Read.All',
  },
  listCleanUpRules: {
    name: 'managedDeviceCleanupRules.list',
    method: 'GET',
    path: '/beta/deviceManagement/managedDeviceCleanupRules',
    changes: false,
    permission: reading,
  },
} as const satisfies Record<string, GraphOperation>;

/**
 * A client for Graph that knows the answer of an access policy (multi-admin-approval-graph-api.md, 2026-05-26): 403 with
 * the code of an approval. A 412 with the same header was met by others.
 */
export function createGraph(settings: IntuneSettings): VendorClient {
  return createGraphClient('intune', settings, {
    describeError({ status, headers }) {
      const approvalCode = headers['x-msft-approval-code'];
      if ((status !== 403 && status !== 412) || typeof approvalCode !== 'string') return undefined;
      return {
        code: 'LDP_APPROVAL_REQUIRED',
        text: 'a second administrator must agree in Intune within 3 days (Tenant administration, Multi Admin Approval)',
        details: { approvalCode },
      };
    },
  });
}

// --- answers: what is not known is null, empty, missing, or the year 1 --------------------------------------------

const text = z.string().nullish().transform(vendorWords);
const name = z.string().nullish().transform(vendorName);

/** ISO 8601 with milliseconds. */
const moment = z
  .string()
  .nullish()
  .transform((value) => {
    const ms = Date.parse(value ?? '');
    return ms > 0 ? new Date(ms).toISOString() : undefined;
  });

/** `managedDevice` of Graph v1.0, as far as it is read. */
export const deviceSchema = z.object({
  id: z.string().min(1),
  deviceName: name,
  serialNumber: name,
  userPrincipalName: name,
  operatingSystem: text,
  managedDeviceOwnerType: text,
  isSupervised: z.boolean().nullish(),
  isEncrypted: z.boolean().nullish(),
  managementState: text,
  enrolledDateTime: moment,
  lastSyncDateTime: moment,
});
export type Device = z.infer<typeof deviceSchema>;

/** For `$select`. */
export const deviceFields = Object.keys(deviceSchema.shape).join(',');

/** What became of commands. The PIN of a lock is left out: only {@link pinsSchema} lets it in. */
export const commandsSchema = z.object({
  managementState: text,
  deviceActionResults: z
    .array(z.object({ actionName: text, actionState: text, startDateTime: moment, lastUpdatedDateTime: moment }))
    .nullish(),
});
export type Commands = z.infer<typeof commandsSchema>;

export const pinsSchema = z.object({
  deviceActionResults: z.array(z.object({ actionName: text, startDateTime: moment, unlockPin: name })).nullish(),
});

/** The documentation filters by `requestId`, and names the property `id`. */
export const approvalSchema = z.object({ id: text, requestId: text, status: text });

/** Types that hold a wipe: the one for it, and the one for all actions (intune-rbac-operationapprovalpolicytype). */
export const approvalPolicySchema = z.object({ displayName: text, policyType: text });

export const cleanUpRuleSchema = z.object({ deviceInactivityBeforeRetirementInDays: z.number().nullish() });

/** One enrolment, in the words of the role. */
export function recordOf(device: Device): ManagedRecord {
  return {
    id: device.id,
    names: namesOf(device),
    platform: platformOf(device.operatingSystem),
    supervised: device.isSupervised ?? false,
    companyOwned: device.managedDeviceOwnerType === 'company',
    encrypted: encryptionOf(device.isEncrypted),
    ...(device.enrolledDateTime !== undefined && { enrolledAt: device.enrolledDateTime }),
    ...(device.lastSyncDateTime !== undefined && { lastSyncAt: device.lastSyncDateTime }),
    state: device.managementState ?? 'unknown',
  };
}

function encryptionOf(isEncrypted: Device['isEncrypted']): ManagedRecord['encrypted'] {
  if (typeof isEncrypted !== 'boolean') return 'unknown';
  return isEncrypted ? 'yes' : 'no';
}

export function namesOf({ serialNumber: serial, deviceName: hostname, userPrincipalName: user }: Device): DeviceNames {
  return {
    ...(serial !== undefined && { serial }),
    ...(hostname !== undefined && { hostname }),
    ...(user !== undefined && { user }),
  };
}

const platforms: [RegExp, Platform][] = [
  [/^windows/i, 'windows'],
  [/^mac ?os/i, 'macos'],
  [/^(ios|ipados)/i, 'ios'],
  [/^android/i, 'android'],
  [/^chrome ?os/i, 'chromeos'],
  [/^linux/i, 'linux'],
];

/** `operatingSystem` is free text: `Windows`, `macOS`, `iOS`, `AndroidEnterprise`. */
function platformOf(operatingSystem = ''): Platform {
  return platforms.find(([words]) => words.test(operatingSystem))?.[1] ?? 'unknown';
}
