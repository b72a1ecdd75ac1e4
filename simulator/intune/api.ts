/**
 * Intune as HTTP: `deviceManagement` of Microsoft Graph, v1.0 and beta.
 * @module
 */
import { z } from 'zod';
import { graphMessage, notLetIn, paged, selected, throttled } from '../entra/odata';
import { type Answer, jsonOf, RateLimit, type Vendor, type VendorRequest } from '../vendor';
import type { World } from '../world';
import type { Action, ApprovalRequest, CommandName, ManagedDevice } from './devices';

const pageSize = 1000;

const wipeSchema = z.strictObject({
  keepEnrollmentData: z.boolean().optional(),
  keepUserData: z.boolean().optional(),
  persistEsimDataPlan: z.boolean().optional(),
  macOsUnlockCode: z
    .string()
    .regex(/^\d{6}$/)
    .optional(),
});
const betaWipeSchema = wipeSchema.extend({
  useProtectedWipe: z.boolean().optional(),
  obliterationBehavior: z.enum(['default', 'doNotObliterate', 'obliterateWithWarning', 'always']).optional(),
});
const lostModeSchema = z.strictObject({ message: z.string(), phoneNumber: z.string(), footer: z.string() });

const resultTypes: Record<CommandName, string> = {
  wipe: 'deviceActionResult',
  remoteLock: 'remoteLockActionResult',
  enableLostMode: 'deviceActionResult',
};

const isoOf = (ms: number) => new Date(ms).toISOString();
const bad = (message: string) => graphMessage(400, 'BadRequest', message);
const notFound = graphMessage(404, 'ResourceNotFound', 'The device was not found.');

/** As little as Graph says of what is wrong with a command. */
function opaque(name: string): Answer {
  return bad(
    JSON.stringify({
      _version: 3,
      Message: `An error has occurred - Operation ID (for customer support): 00000000-0000-0000-0000-000000000000 - Url: https://fef.example.test/DeviceFE/deviceManagement/managedDevices/microsoft.management.services.api.${name}`,
    }),
  );
}

/** `deviceManagement` as HTTP. */
export function createIntune(world: World): Vendor {
  const limits = new RateLimit();
  const { intune } = world;

  function route(request: VendorRequest): Answer {
    const [version, , kind, id, action] = request.path.slice(1).split('/').map(decodeURIComponent);
    const { method } = request;
    const beta = version === 'beta';
    if (kind === 'managedDevices') {
      if (id === undefined) return method === 'GET' ? listDevices(request) : bad('Unsupported request');
      const device = intune.devices.get(id);
      if (!device) return notFound;
      if (action !== undefined) return method === 'POST' ? command(request, device, action, beta) : bad('Unsupported');
      if (method === 'GET') return projected(request, resourceOf(device, true));
      if (method !== 'DELETE') return bad('Unsupported request');
      // Faithful and terrible: the record is gone, and with it everything that waits.
      intune.delete(device);
      return { status: 204, changed: `intune: DEVICE ${device.laptop.serial} DELETED` };
    }
    if (kind === 'operationApprovalRequests' && beta && method === 'GET') return listApprovals(request);
    if (kind === 'operationApprovalPolicies' && beta && method === 'GET') {
      const policy = { id: world.seed.uuid('approval policy'), displayName: 'Wipes', policyType: 'deviceWipe' };
      return paged(request, world.traps.intuneSecondAdmin ? [policy] : []);
    }
    if (kind === 'managedDeviceCleanupRules' && beta && method === 'GET') {
      const rules = world.tenant.intuneCleanUp.map(({ platform, days }) => ({
        id: world.seed.uuid(`clean-up ${platform}`),
        displayName: `Clean up ${platform}`,
        deviceCleanupRulePlatformType: platform,
        deviceInactivityBeforeRetirementInDays: days,
      }));
      return paged(request, rules);
    }
    return bad(`Resource not found for the segment '${kind}'.`);
  }

  function listDevices(request: VendorRequest): Answer {
    const filter = request.query.get('$filter');
    let wanted: ((device: ManagedDevice) => boolean) | undefined = () => true;
    if (filter !== null && !world.traps.intuneIgnoresFilters) wanted = filterOf(filter);
    if (!wanted) return bad('Invalid filter clause');
    // Lists leave out what became of commands, at the vendor too.
    const found = [...intune.devices.values()].filter(wanted).map((device) => resourceOf(device, false));
    const unknown = unknownField(request, found[0]);
    return unknown ?? paged(request, found, pageSize);
  }

  function listApprovals(request: VendorRequest): Answer {
    const filter = request.query.get('$filter');
    const id = filter === null ? undefined : /^requestId eq '([^']*)'$/.exec(filter)?.[1];
    if (filter !== null && id === undefined) return bad('Invalid filter clause');
    const found = intune.approvals.filter((one) => id === undefined || one.id === id.toLowerCase());
    return paged(request, found.map(approvalOf));
  }

  function command(request: VendorRequest, device: ManagedDevice, action: string, beta: boolean): Answer {
    if (action === 'wipe') return wipe(request, device, beta);
    if (action === 'remoteLock') {
      // Windows cannot be locked, and Graph says nothing of it (microsoft-graph-docs-contrib issue 4523).
      if (device.operatingSystem === 'Windows') return opaque(action);
      return { status: 204, changed: intune.send(device, action, {}) };
    }
    if (action === 'enableLostMode' && beta) {
      const asked = lostModeSchema.safeParse(jsonOf(request.body));
      const hasIt = /^(iOS|iPadOS)$/.test(device.operatingSystem) && device.supervised;
      if (!asked.success || !hasIt) return opaque(action);
      return { status: 204, changed: intune.send(device, action, asked.data) };
    }
    return bad(`Resource not found for the segment '${action}'.`);
  }

  function wipe(request: VendorRequest, device: ManagedDevice, beta: boolean): Answer {
    const asked = (beta ? betaWipeSchema : wipeSchema).safeParse(jsonOf(request.body));
    if (!asked.success) return opaque('wipe');
    if (asked.data.macOsUnlockCode !== undefined && device.operatingSystem !== 'macOS') return opaque('wipe');
    const refusal = world.traps.intuneSecondAdmin ? approvalOr403(request, device) : undefined;
    return refusal ?? { status: 204, changed: intune.send(device, 'wipe', asked.data) };
  }

  /** Nothing when a second administrator agreed to this wipe; that counts once. */
  function approvalOr403({ headers }: VendorRequest, device: ManagedDevice): Answer | undefined {
    const code = headers['x-msft-approval-code'];
    if (typeof code === 'string') {
      const agreed = intune.approvals.find((one) => one.id === code && one.device === device);
      if (agreed?.status === 'needsApproval') return approvalRequired(agreed);
      if (agreed?.status !== 'approved') return graphMessage(403, 'Forbidden', 'The approval request cannot be used.');
      agreed.status = 'completed';
      return undefined;
    }
    const why = headers['x-msft-approval-justification'];
    if (typeof why !== 'string') return bad('The header x-msft-approval-justification is required.');
    const waiting = intune.approvals.some(
      (one) => one.device === device && (one.status === 'needsApproval' || one.status === 'approved'),
    );
    if (waiting) return graphMessage(409, 'Conflict', 'An active Approval Request already exists.');
    const made = intune.requestApproval(device, Buffer.from(why, 'base64').toString('utf8'));
    const subject = `intune approval ${made.id}`;
    return {
      ...approvalRequired(made),
      changed: world.effects.name(subject, `intune: approval of the wipe of ${device.laptop.serial} asked for`),
    };
  }

  function projected(request: VendorRequest, resource: object): Answer {
    return unknownField(request, resource) ?? { status: 200, body: selected(request, resource) };
  }

  function resourceOf(device: ManagedDevice, alone: boolean): object {
    const { laptop, operatingSystem } = device;
    const { person } = laptop;
    const results = device.actions.map((action) => resultOf(device, action)).reverse();
    return {
      id: device.id,
      userId: person.entraId,
      deviceName: laptop.hostname,
      managedDeviceOwnerType: device.owner,
      deviceActionResults: alone && !world.traps.intuneListsNoActions ? results : [],
      enrolledDateTime: isoOf(device.enrolledMs),
      lastSyncDateTime: isoOf(device.lastSyncMs),
      operatingSystem,
      osVersion: operatingSystem === 'Windows' ? '10.0.22631.4460' : '15.1',
      complianceState: 'compliant',
      managementAgent: 'mdm',
      managementState: device.managementState,
      azureADDeviceId: world.entra.devicesNamed(laptop.hostname)[0]?.deviceId ?? null,
      userPrincipalName: person.user,
      serialNumber: laptop.serial,
      isSupervised: device.supervised,
      isEncrypted: device.encrypted,
      activationLockBypassCode: null,
      managementCertificateExpirationDate: isoOf(device.enrolledMs + 365 * 24 * 3600_000),
    };
  }

  function resultOf(device: ManagedDevice, action: Action): object {
    const isLock = action.name === 'remoteLock';
    return {
      '@odata.type': `#microsoft.graph.${resultTypes[action.name]}`,
      actionName: action.name,
      actionState: action.state,
      startDateTime: isoOf(action.startedMs),
      lastUpdatedDateTime: isoOf(action.updatedMs),
      ...(isLock && { unlockPin: intune.shownPin(device, action) ?? null }),
    };
  }

  function approvalOf(request: ApprovalRequest): object {
    return {
      id: request.id,
      requestDateTime: isoOf(request.requestedMs),
      expirationDateTime: isoOf(intune.expiresMs(request)),
      status: request.status,
      requestJustification: request.justification,
      requiredOperationApprovalPolicyTypes: ['deviceWipe'],
    };
  }

  return {
    name: 'intune',
    answers: (path) => /^\/(v1\.0|beta)\/deviceManagement\//.test(path),
    answer(request) {
      if (!world.entra.tokens.letsIn(request)) return notLetIn;
      const { remaining, resetMs } = limits.count('intune', world.tenant.limits.graphPerTenSeconds, 10_000);
      return remaining < 0 ? throttled(resetMs) : route(request);
    },
  };
}

function approvalRequired({ id }: ApprovalRequest): Answer {
  const message = `Approval Required. Request Approval using the request ID returned as part of the x-msft-approval-code response header. x-msft-approval-code: ${id}`;
  return { ...graphMessage(403, 'ApprovalRequired', message), headers: { 'x-msft-approval-code': id } };
}

/** Graph knows its properties: an unknown one in `$select` is refused. */
function unknownField(request: VendorRequest, resource: object | undefined): Answer | undefined {
  const names = request.query.get('$select')?.split(',') ?? [];
  const unknown = resource && names.find((name) => !Object.hasOwn(resource, name));
  return unknown === undefined
    ? undefined
    : bad(`Could not find a property named '${unknown}' on type 'microsoft.graph.managedDevice'.`);
}

const texts: Record<string, (device: ManagedDevice) => string> = {
  serialNumber: ({ laptop }) => laptop.serial,
  deviceName: ({ laptop }) => laptop.hostname,
  userPrincipalName: ({ laptop }) => laptop.person.user,
};
const comparisons: Record<string, (one: number, other: number) => boolean> = {
  ge: (one, other) => one >= other,
  gt: (one, other) => one > other,
  le: (one, other) => one <= other,
  lt: (one, other) => one < other,
};

/** Nothing for what cannot be read. A property that cannot be filtered is left out of account, at the vendor too. */
function filterOf(filter: string): ((device: ManagedDevice) => boolean) | undefined {
  const [, field = '', operator = '', quoted, plain] =
    /^(\w+) (eq|ge|gt|le|lt) (?:'((?:[^']|'')*)'|([^\s']+))$/.exec(filter) ?? [];
  if (field === '') return undefined;
  const textOf = texts[field];
  if (textOf && operator === 'eq') {
    if (quoted === undefined) return undefined;
    const wanted = quoted.replaceAll("''", "'").toLowerCase();
    return (device) => textOf(device).toLowerCase() === wanted;
  }
  const compare = comparisons[operator];
  if (field === 'lastSyncDateTime' && compare) {
    const moment = Date.parse(plain ?? '');
    return Number.isNaN(moment) ? undefined : ({ lastSyncMs }) => compare(lastSyncMs, moment);
  }
  return () => true;
}
