/**
 * Microsoft Entra as HTTP: the token endpoint and Graph v1.0.
 * @module
 */
import { z } from 'zod';
import { type Answer, jsonOf, RateLimit, type Vendor, type VendorRequest } from '../vendor';
import type { World } from '../world';
import { type EntraDevice, entraIds, type EntraUser, groupName, type SignIn } from './directory';
import { noSuch, notLetIn, paged, selected, throttled, wrong } from './odata';

const accountSchema = z.object({ accountEnabled: z.boolean() });
const refSchema = z.object({ '@odata.id': z.string() });
const groupIdsSchema = z.object({ groupIds: z.array(z.string()).min(1).max(20) });
const provisionSchema = z.object({
  parameters: z
    .array(
      z.object({
        ruleId: z.string(),
        subjects: z.array(
          z.object({
            objectId: z.string(),
            objectTypeName: z.string(),
            links: z.object({ members: z.array(z.object({ objectId: z.string() })).max(5) }).optional(),
          }),
        ),
      }),
    )
    .min(1),
});

/** What the plugin asks for, and nothing else. */
const signInFilter =
  /^createdDateTime ge ([-\d]+T[:\d]+Z)(?: and \((userPrincipalName eq '(?:[^']|'')*'(?: or userPrincipalName eq '(?:[^']|'')*')*)\))?$/;

/** Graph and the token endpoint as HTTP. */
export function createEntra(world: World): Vendor {
  const limits = new RateLimit();

  function graph(request: VendorRequest): Answer {
    const parts = request.path.slice('/v1.0/'.length).split('/').map(decodeURIComponent);
    const [kind, id = '', ...rest] = parts;
    if (kind === 'users') return id ? user(request, id, rest) : users(request);
    if (kind === 'groups') return group(request, id, rest);
    if (kind === 'devices') return id ? device(request, id) : devices(request);
    if (kind === 'servicePrincipals') return synchronization(request, id, rest);
    if (kind === 'applications') return applications(request);
    if (kind === 'auditLogs' && id === 'signIns') return signIns(request);
    return wrong(`Resource not found for the segment '${kind}'.`);
  }

  /** Our own app only: its secret ends in real time, as tokens do. */
  function applications(request: VendorRequest): Answer {
    if (request.query.get('$filter') !== `appId eq '${entraIds.clientId}'`) return wrong('Invalid filter clause');
    const endMs = Date.now() + world.tenant.entraSecretDays * 24 * 3600_000;
    const credential = {
      displayName: 'lost-device',
      hint: entraIds.clientSecret.slice(0, 3),
      endDateTime: new Date(endMs).toISOString(),
    };
    const app = { id: world.seed.uuid('application'), appId: entraIds.clientId, passwordCredentials: [credential] };
    return paged(request, [app]);
  }

  /** Names are kept in small letters and compared exactly: another spelling finds nothing, as at the vendor. */
  function signIns(request: VendorRequest): Answer {
    const filter = request.query.get('$filter');
    const [, since = '1970-01-01', names] = filter === null ? [] : (signInFilter.exec(filter) ?? [undefined, '']);
    if (since === '') return wrong('Invalid filter clause');
    const users = [...(names ?? '').matchAll(/'((?:[^']|'')*)'/g)].map(([, name]) => name!.replaceAll("''", "'"));
    const found = world.entra
      .signIns()
      .filter(({ atMs, user }) => atMs >= Date.parse(since) && (names === undefined || users.includes(user)));
    return paged(request, found.map(signInResource));
  }

  function users(request: VendorRequest): Answer {
    const filter = request.query.get('$filter');
    if (filter !== null) {
      const name = /^(?:userPrincipalName|mail) eq '((?:[^']|'')*)'$/.exec(filter)?.[1]?.replaceAll("''", "'");
      if (name === undefined) return wrong('Invalid filter clause');
      const found = world.entra.user(name);
      return paged(request, found ? [userResource(found)] : []);
    }
    return paged(request, [...world.entra.users.values()].filter((u) => !u.deleted).map(userResource));
  }

  function user(request: VendorRequest, id: string, rest: string[]): Answer {
    const found = world.entra.user(id);
    if (!found) return noSuch(id);
    const { person } = found;
    const [what] = rest;
    const { method } = request;
    if (what === undefined && method === 'GET') return { status: 200, body: selected(request, userResource(found)) };
    if (what === undefined && method === 'PATCH') {
      const asked = accountSchema.safeParse(jsonOf(request.body));
      if (!asked.success) return wrong('Invalid property');
      return { status: 204, changed: world.entra.setUserEnabled(found, asked.data.accountEnabled) };
    }
    const groups = () => (world.entra.isSeenAsMember(person) ? [entraIds.group] : []);
    if (what === 'memberOf' && method === 'GET') return paged(request, groups().map(groupResource));
    if (what === 'checkMemberGroups' && method === 'POST') {
      const asked = groupIdsSchema.safeParse(jsonOf(request.body));
      if (!asked.success) return wrong('groupIds: 1 to 20 are expected');
      return { status: 200, body: { value: groups().filter((one) => asked.data.groupIds.includes(one)) } };
    }
    if (what === 'getMemberObjects' && method === 'POST') return { status: 200, body: { value: groups() } };
    if (what === 'revokeSignInSessions' && method === 'POST') {
      found.sessionsValidFrom = new Date(world.clock.now()).toISOString();
      const changed = world.effects.name(`entra sessions ${person.user}`, `entra: sessions of ${person.user} revoked`);
      return {
        status: 200,
        body: { '@odata.context': 'https://graph.microsoft.com/v1.0/$metadata#Edm.Boolean', value: true },
        changed,
      };
    }
    return wrong(`Resource not found for the segment '${what}'.`);
  }

  function group(request: VendorRequest, id: string, rest: string[]): Answer {
    if (id !== entraIds.group) return noSuch(id);
    const { method } = request;
    const [what, member, ref] = rest;
    if (what === undefined && method === 'GET') return { status: 200, body: selected(request, groupResource(id)) };
    if (what !== 'members') return wrong(`Resource not found for the segment '${what}'.`);
    if (member === undefined && method === 'GET') {
      const found = world.entra.members().flatMap((person) => world.entra.user(person.entraId) ?? []);
      return paged(request, found.map(userResource));
    }
    if (member === '$ref' && method === 'POST') {
      const asked = refSchema.safeParse(jsonOf(request.body));
      const userId = asked.success ? asked.data['@odata.id'].split('/').at(-1)! : undefined;
      if (userId === undefined) return wrong('A value for @odata.id is expected');
      const found = world.entra.user(userId);
      if (!found) return noSuch(userId);
      if (world.entra.isMember(found.person)) {
        return wrong(
          "One or more added object references already exist for the following modified properties: 'members'.",
        );
      }
      return { status: 204, changed: world.entra.setMember(found.person, true) };
    }
    if (member === undefined || method !== 'DELETE') return wrong('Unsupported request');
    const found = world.entra.user(member);
    if (ref === undefined) {
      // Faithful and terrible: without /$ref this is the user, not the reference.
      if (!found) return noSuch(member);
      found.deleted = true;
      const text = `entra: USER ${found.person.user} DELETED`;
      return { status: 204, changed: world.effects.name(`entra user ${found.person.user}`, text) };
    }
    if (ref !== '$ref') return wrong(`Resource not found for the segment '${ref}'.`);
    if (!found || !world.entra.isMember(found.person)) return noSuch(member);
    return { status: 204, changed: world.entra.setMember(found.person, false) };
  }

  function devices(request: VendorRequest): Answer {
    const filter = request.query.get('$filter');
    if (filter === null) return paged(request, [...world.entra.devices.values()].map(deviceResource));
    const name = /^displayName eq '((?:[^']|'')*)'$/.exec(filter)?.[1]?.replaceAll("''", "'");
    if (name === undefined) return wrong('Invalid filter clause');
    return paged(request, world.entra.devicesNamed(name).map(deviceResource));
  }

  function device(request: VendorRequest, id: string): Answer {
    const found = world.entra.devices.get(id);
    if (!found) return noSuch(id);
    if (request.method === 'GET') return { status: 200, body: selected(request, deviceResource(found)) };
    if (request.method !== 'PATCH') return wrong('Unsupported request');
    const asked = accountSchema.safeParse(jsonOf(request.body));
    if (!asked.success) return wrong('Invalid property');
    return { status: 204, changed: world.entra.setDeviceEnabled(found, asked.data.accountEnabled) };
  }

  function synchronization(request: VendorRequest, id: string, rest: string[]): Answer {
    const [part, jobs, job, what] = rest;
    if (id !== entraIds.servicePrincipal || part !== 'synchronization' || jobs !== 'jobs') return noSuch(id);
    if (job === undefined && request.method === 'GET') {
      return paged(request, [{ id: entraIds.job, templateId: 'Netskope', status: { code: 'Active' } }]);
    }
    if (job !== entraIds.job) return noSuch(job ?? '');
    if (what === 'schema' && request.method === 'GET') {
      const rule = {
        id: entraIds.rule,
        name: 'Provision',
        sourceDirectoryName: 'Azure Active Directory',
        targetDirectoryName: 'Netskope',
      };
      return { status: 200, body: { id: job, synchronizationRules: [rule] } };
    }
    if (what !== 'provisionOnDemand' || request.method !== 'POST') return wrong('Unsupported request');
    const { remaining, resetMs } = limits.count('demand', world.tenant.limits.provisionOnDemandPerTenSeconds, 10_000);
    if (remaining < 0) return throttled(resetMs);
    const asked = provisionSchema.safeParse(jsonOf(request.body));
    if (!asked.success) return wrong(z.prettifyError(asked.error));
    const [parameters] = asked.data.parameters;
    const subject = parameters!.subjects[0];
    if (parameters!.ruleId !== entraIds.rule || subject?.objectId !== entraIds.group) return noSuch(parameters!.ruleId);
    const people = (subject.links?.members ?? []).map(({ objectId }) => world.entra.user(objectId)?.person);
    if (people.length === 0 || people.includes(undefined))
      return wrong('The members to provision are expected in links');
    const outcomes = people.map((person) => world.entra.provision(person!));
    const done = outcomes.find((outcome) => outcome.result === 'Success') ?? outcomes[0]!;
    const key = { result: done.result, details: { errorCode: done.errorCode ?? '' }, errorCode: done.errorCode };
    const changed = outcomes.flatMap((outcome) => outcome.changed ?? []).join('; ') || null;
    // Both are JSON inside a text, at the vendor too.
    const body = { key: JSON.stringify(key), value: JSON.stringify({ groupId: subject.objectId }) };
    return { status: 200, body, changed };
  }

  return {
    name: 'entra',
    answers: (path) => path.startsWith('/v1.0/') || path.endsWith('/oauth2/v2.0/token'),
    answer(request) {
      if (request.path.endsWith('/oauth2/v2.0/token')) return world.entra.tokens.issue(request);
      if (!world.entra.tokens.letsIn(request)) return notLetIn;
      const { remaining, resetMs } = limits.count('graph', world.tenant.limits.graphPerTenSeconds, 10_000);
      return remaining < 0 ? throttled(resetMs) : graph(request);
    },
  };
}

function userResource(user: EntraUser): object {
  const { person, enabled, sessionsValidFrom } = user;
  return {
    '@odata.type': '#microsoft.graph.user',
    id: person.entraId,
    userPrincipalName: person.user,
    mail: person.user,
    displayName: `${person.givenName} ${person.familyName}`,
    accountEnabled: enabled,
    signInSessionsValidFromDateTime: sessionsValidFrom,
  };
}

function groupResource(id: string): object {
  return {
    '@odata.type': '#microsoft.graph.group',
    id,
    displayName: groupName,
    securityEnabled: true,
    groupTypes: [],
    onPremisesSyncEnabled: null,
    isAssignableToRole: false,
  };
}

function deviceResource(device: EntraDevice): object {
  const { id, deviceId, displayName, enabled } = device;
  return { id, deviceId, displayName, accountEnabled: enabled, operatingSystem: 'Windows', physicalIds: [] };
}

function signInResource({ id, atMs, person, user, device, place, os, refused }: SignIn): object {
  return {
    id,
    createdDateTime: new Date(atMs).toISOString(),
    userDisplayName: `${person.givenName} ${person.familyName}`,
    userPrincipalName: user,
    userId: person.entraId,
    appDisplayName: 'Office 365 Exchange Online',
    ipAddress: place.ip,
    clientAppUsed: 'Mobile Apps and Desktop clients',
    isInteractive: true,
    status: refused
      ? { errorCode: 50126, failureReason: 'Invalid username or password.', additionalDetails: null }
      : { errorCode: 0, failureReason: 'Other.', additionalDetails: null },
    deviceDetail: {
      deviceId: device?.deviceId ?? '',
      displayName: device?.displayName ?? '',
      operatingSystem: os,
      browser: '',
      isCompliant: null,
      isManaged: device ? true : null,
      trustType: device ? 'Azure AD joined' : null,
    },
    location: {
      city: place.city,
      state: place.region,
      countryOrRegion: place.country,
      geoCoordinates: { altitude: null, latitude: place.latitude, longitude: place.longitude },
    },
  };
}
