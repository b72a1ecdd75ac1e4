/**
 * What must be so at the vendors, and how it looks when it is not: a missing scope is refused with the vendor's own words, a clock is
 * wrong in every answer, a setting is another one.
 * @module
 */
import { entraIds } from './entra/directory';
import { graphMessage } from './entra/odata';
import { fitsTemplate } from './faults';
import { lostExceptions } from './netskope/legacy';
import type { Answer, Vendor, VendorName, VendorRequest } from './vendor';
import type { World } from './world';

/** A broken one changes the answers of a vendor, or its state. */
interface Break {
  vendor: VendorName;
  /** What the vendor answers instead; undefined: what it always does. */
  answer?(request: VendorRequest): Answer | undefined;
  /** Added to every answer of the vendor. */
  clockOffMs?: number;
  /** Runs when it is broken and when it is mended. */
  switch?(world: World, broken: boolean): void;
}

const wrongByMs = 10 * 60_000;

const matches = ({ method, path }: VendorRequest, methods: string, templates: string[]) =>
  methods.split(' ').includes(method) &&
  templates.some((template) => path === template || fitsTemplate(template, path));

/** An operation that the credential may not make. */
const refusing =
  (vendor: VendorName, methods: string, templates: string[], answer: Answer): (() => Break) =>
  () => ({ vendor, answer: (request) => (matches(request, methods, templates) ? answer : undefined) });

const noScope: Answer = { status: 403, body: { message: 'You cannot consume this service' } };
const netskope = (methods: string, ...templates: string[]) => refusing('netskope', methods, templates, noScope);

const noPrivileges = graphMessage(
  403,
  'Authorization_RequestDenied',
  'Insufficient privileges to complete the operation.',
);
const entra = (methods: string, ...templates: string[]) => refusing('entra', methods, templates, noPrivileges);

const noIntunePermission = graphMessage(
  403,
  'Forbidden',
  'Application is not authorized to perform this operation. Application must have one of the scopes that the operation needs.',
);
const intune = (methods: string, ...templates: string[]) => refusing('intune', methods, templates, noIntunePermission);

const falconSays = (code: number, message: string): Answer => ({
  status: code,
  body: { meta: { query_time: 0.01, powered_by: 'crowdstrike-api-gateway' }, errors: [{ code, message }] },
});
const falcon = (methods: string, ...templates: string[]) =>
  refusing('crowdstrike', methods, templates, falconSays(403, 'access denied, authorization failed'));

const serviceNowSays = (status: number, message: string, detail: string): Answer => ({
  status,
  body: { error: { message, detail }, status: 'failure' },
});
const serviceNow = (methods: string, ...templates: string[]) =>
  refusing(
    'servicenow',
    methods,
    templates,
    serviceNowSays(403, 'User Not Authorized', 'Failed API level ACL Validation'),
  );

/** One app signs in for both products behind Graph. */
const noSignIn = refusing('entra', 'POST', [`/${entraIds.tenant}/oauth2/v2.0/token`], {
  status: 401,
  body: { error: 'invalid_client', error_description: 'AADSTS7000222: The provided client secret keys are expired.' },
});

const wrongClock = (vendor: VendorName) => (): Break => ({ vendor, clockOffMs: wrongByMs });

const steering = (lostSteering: Partial<World['tenant']['lostSteering']>) => (): Break => ({
  vendor: 'netskope',
  switch(world, broken) {
    const before = { privateApps: false, without: [], byLocation: false, place: 1 };
    world.tenant = { ...world.tenant, lostSteering: { ...before, ...(broken && lostSteering) } };
  },
});

/** Falcon's and PagerDuty's own paths. */
const falconDevices = '/devices/combined/devices/v1';
const v1 = '/beta/deviceManagement';
const devices = '/v1.0/deviceManagement/managedDevices';
const tags = '/api/v2/devices/device/tags';

const breaks: Record<string, () => Break> = {
  'netskope-token': () => ({
    vendor: 'netskope',
    answer: ({ path }) =>
      path.startsWith('/api/v2/') ? { status: 401, body: { message: 'Unauthorized' } } : undefined,
  }),
  'netskope-clock': wrongClock('netskope'),
  'netskope-client-status': netskope('GET', '/api/v2/events/datasearch/clientstatus'),
  'netskope-alerts': netskope('GET', '/api/v2/events/datasearch/alert'),
  'netskope-page-events': netskope('GET', '/api/v2/events/datasearch/page'),
  'netskope-network-events': netskope('GET', '/api/v2/events/datasearch/network'),
  'netskope-users': netskope('GET', '/api/v2/scim/Users'),
  'netskope-group-write': netskope('PATCH', '/api/v2/scim/Groups/{id}'),
  'netskope-lost-group': () => ({
    vendor: 'netskope',
    switch(world, broken) {
      world.netskope.lostGroup.displayName = broken ? 'Renamed by somebody' : 'Lost-Stolen Devices';
    },
  }),
  // The beta is not switched on for this tenant.
  'netskope-device-tag': netskope('POST', tags, `${tags}/gettags`, `${tags}/bulkadd`, `${tags}/bulkremove`),
  'netskope-classification-rule': refusing('netskope', 'GET', ['/api/v2/deviceclassification/rules'], {
    status: 200,
    body: [],
  }),
  'netskope-v1-token': () => ({
    vendor: 'netskope',
    answer: ({ path }) =>
      path.startsWith('/api/v1/')
        ? { status: 200, body: { status: 'error', errorCode: 'Authorization Error', errors: ['Invalid token'] } }
        : undefined,
  }),
  'netskope-steering': refusing('netskope', 'GET POST', ['/api/v1/steeringconfig'], {
    status: 200,
    body: { status: 'Not Found', errorCode: 'Not Found', errors: ['No such configuration'] },
  }),
  'netskope-steering-place': steering({ place: 2 }),
  'netskope-private-apps': steering({ privateApps: true }),
  'netskope-exceptions': steering({ without: lostExceptions }),

  'entra-sign-in': noSignIn,
  'entra-clock': wrongClock('entra'),
  'entra-secret-end': () => ({
    vendor: 'entra',
    switch(world, broken) {
      world.tenant = { ...world.tenant, entraSecretDays: broken ? 2 : 180 };
    },
  }),
  'entra-users-read': entra('GET', '/v1.0/users/{id}'),
  'entra-devices-read': entra('GET', '/v1.0/devices'),
  'entra-sessions': entra('POST', '/v1.0/users/{id}/revokeSignInSessions'),
  'entra-users-write': entra('PATCH', '/v1.0/users/{id}'),
  'entra-devices-write': entra('PATCH', '/v1.0/devices/{id}'),
  'entra-lost-group': () => ({
    vendor: 'entra',
    answer(request) {
      if (!matches(request, 'GET', ['/v1.0/groups/{id}'])) return undefined;
      const body = { id: entraIds.group, displayName: 'Lost-Stolen Devices', groupTypes: ['DynamicMembership'] };
      return { status: 200, body };
    },
  }),
  'entra-group-write': entra('POST DELETE', '/v1.0/groups/{id}/members/$ref', '/v1.0/groups/{id}/members/{user}/$ref'),
  'entra-provisioning': refusing('entra', 'GET', ['/v1.0/servicePrincipals/{id}/synchronization/jobs'], {
    status: 200,
    body: { value: [] },
  }),
  'entra-sign-ins': entra('GET', '/v1.0/auditLogs/signIns'),

  'intune-sign-in': noSignIn,
  'intune-clock': wrongClock('intune'),
  'intune-devices-read': intune('GET', devices, `${devices}/{id}`),
  'intune-commands': intune('POST', `${devices}/{id}/remoteLock`, `${devices}/{id}/wipe`),
  'intune-approvals': intune('GET', `${v1}/operationApprovalRequests`),
  'intune-second-administrator': intune('GET', `${v1}/operationApprovalPolicies`),

  'crowdstrike-client': refusing(
    'crowdstrike',
    'POST',
    ['/oauth2/token'],
    falconSays(403, 'access denied, authorization failed'),
  ),
  'crowdstrike-clock': wrongClock('crowdstrike'),
  'crowdstrike-hosts-read': falcon('GET', falconDevices),
  'crowdstrike-hosts-write': falcon('POST', '/devices/entities/devices-actions/v2'),

  'servicenow-account': () => ({
    vendor: 'servicenow',
    answer: () => serviceNowSays(401, 'User Not Authenticated', 'Required to provide Auth information'),
  }),
  'servicenow-clock': wrongClock('servicenow'),
  'servicenow-tickets-read': serviceNow('GET', '/api/now/table/incident'),
  'servicenow-tickets-write': serviceNow('PATCH', '/api/now/table/incident/{id}'),
  'servicenow-notes-read': serviceNow('GET', '/api/now/table/sys_journal_field'),
  'servicenow-resolution-code': () => ({
    vendor: 'servicenow',
    answer(request) {
      if (!matches(request, 'GET', ['/api/now/table/sys_choice'])) return undefined;
      return { status: 200, body: { result: [{ value: 'No resolution provided', label: 'None', inactive: 'false' }] } };
    },
  }),

  'pagerduty-events': refusing('pagerduty', 'POST', ['/v2/enqueue'], {
    status: 400,
    body: { status: 'invalid event', message: 'Event object is invalid', errors: ['Invalid routing key'] },
  }),
  'pagerduty-rest-key': refusing('pagerduty', 'GET', ['/abilities'], {
    status: 401,
    body: { error: { message: 'Unauthorized', code: 2006 } },
  }),
};

/** The prerequisites at the vendors, and which of them are broken. */
export class Prerequisites {
  readonly #broken = new Map<string, Break>();

  constructor(readonly world: World) {}

  all(): { id: string; broken: boolean }[] {
    return Object.keys(breaks).map((id) => ({ id, broken: this.#broken.has(id) }));
  }

  /** False when there is none of this id. */
  set(id: string, broken: boolean): boolean {
    const make = Object.hasOwn(breaks, id) ? breaks[id] : undefined;
    if (!make) return false;
    const one = this.#broken.get(id) ?? make();
    one.switch?.(this.world, broken);
    if (broken) this.#broken.set(id, one);
    else this.#broken.delete(id);
    return true;
  }

  /** What the vendor answers, with everything that is broken there. */
  answer(vendor: Vendor, request: VendorRequest): Answer {
    let instead: Answer | undefined;
    let clockOffMs = 0;
    for (const broken of this.#broken.values()) {
      if (broken.vendor !== vendor.name) continue;
      instead ??= broken.answer?.(request);
      clockOffMs += broken.clockOffMs ?? 0;
    }
    const answer = instead ?? vendor.answer(request);
    if (clockOffMs === 0) return answer;
    return { ...answer, headers: { ...answer.headers, date: new Date(Date.now() + clockOffMs).toUTCString() } };
  }
}
