/**
 * SCIM 2.0 as Netskope offers it: users to read, groups to read and change.
 * @module
 */
import { z } from 'zod';
import type { Person, World } from '../world';
import { type Answer, jsonOf, type VendorRequest } from '../vendor';
import type { Group } from './groups';

const scimType = { 'content-type': 'application/scim+json;charset=utf-8' };
const groupSchema = 'urn:ietf:params:scim:schemas:core:2.0:Group';
const userSchema = 'urn:ietf:params:scim:schemas:core:2.0:User';

const memberValues = z.array(z.object({ value: z.string() }));
const patchSchema = z.object({
  Operations: z.array(
    z.object({
      op: z.string().transform((op) => op.toLowerCase()),
      path: z.string().optional(),
      value: z.unknown().optional(),
    }),
  ),
});
const newGroupSchema = z.object({
  displayName: z.string().min(1),
  externalId: z.string().optional(),
  members: memberValues.optional(),
});

function refused(status: number, detail: string, scimErrorType?: string): Answer {
  const schemas = ['urn:ietf:params:scim:api:messages:2.0:Error'];
  const body = { schemas, status: String(status), detail, ...(scimErrorType && { scimType: scimErrorType }) };
  return { status, headers: { 'content-type': 'application/json' }, body };
}

/** Answers under `/api/v2/scim/`. Undefined: the gateway has no such route. */
export function answerScim(world: World, request: VendorRequest): Answer | undefined {
  const [kind, id, ...rest] = request.path.slice('/api/v2/scim/'.length).split('/');
  if (rest.length) return undefined;
  if (kind === 'Users' && request.method === 'GET') {
    return id ? oneUser(world, decodeURIComponent(id)) : listUsers(world, request.query);
  }
  if (kind !== 'Groups') return undefined;
  if (!id) {
    if (request.method === 'GET') return listGroups(world, request.query);
    return request.method === 'POST' ? createGroup(world, request.body) : undefined;
  }
  const group = world.netskope.groups.all.get(decodeURIComponent(id));
  if (!group) return refused(404, `Group ${id} not found`);
  if (request.method === 'GET') {
    return { status: 200, headers: scimType, body: groupResource(world, group, request.query) };
  }
  return request.method === 'PATCH' ? patchGroup(world, group, request.body) : undefined;
}

function list<T>(query: URLSearchParams, found: T[], show: (item: T) => unknown): Answer {
  const startIndex = Math.max(1, Number(query.get('startIndex') ?? 1) || 1);
  const count = Math.min(1000, Number(query.get('count') ?? 100));
  const page = found.slice(startIndex - 1, startIndex - 1 + count);
  const body = {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:ListResponse'],
    totalResults: found.length,
    itemsPerPage: page.length,
    startIndex,
    // As at the vendor, the list is missing when there is nothing in it.
    ...(page.length && { Resources: page.map(show) }),
  };
  return { status: 200, headers: scimType, body };
}

/** `attribute eq "value"`: all that the vendor is known to take. */
function readFilter(query: URLSearchParams): { attribute: string; value: string } | undefined | 'wrong' {
  const text = query.get('filter');
  if (text === null) return undefined;
  const match = /^\s*([\w.]+)\s+eq\s+"((?:[^"\\]|\\.)*)"\s*$/i.exec(text);
  if (!match) return 'wrong';
  return { attribute: match[1]!.toLowerCase(), value: match[2]!.replace(/\\(.)/g, '$1') };
}

function listUsers(world: World, query: URLSearchParams): Answer {
  const filter = readFilter(query);
  let found: Person[];
  if (filter === undefined) found = [...world.people.values()].filter((person) => !person.deleted);
  else if (filter === 'wrong') return refused(400, 'Invalid filter', 'invalidFilter');
  else if (['username', 'emails.value', 'emails'].includes(filter.attribute)) {
    const person = world.people.get(filter.value.toLowerCase());
    found = person && !person.deleted ? [person] : [];
  } else if (['id', 'externalid'].includes(filter.attribute)) {
    const person = world.personById(filter.value);
    found = person ? [person] : [];
  } else return refused(400, `Invalid filter attribute ${filter.attribute}`, 'invalidFilter');
  return list(query, found, userResource);
}

function oneUser(world: World, id: string): Answer {
  const person = world.personById(id);
  return person ? { status: 200, headers: scimType, body: userResource(person) } : refused(404, `User ${id} not found`);
}

function userResource(person: Person): unknown {
  return {
    schemas: [userSchema],
    id: person.scimId,
    externalId: person.entraId,
    userName: person.user,
    active: true,
    name: { givenName: person.givenName, familyName: person.familyName },
    emails: [{ type: 'work', value: person.user, primary: true }],
    meta: { resourceType: 'User' },
  };
}

function listGroups(world: World, query: URLSearchParams): Answer {
  const filter = readFilter(query);
  let found = [...world.netskope.groups.all.values()];
  if (filter === 'wrong') return refused(400, 'Invalid filter', 'invalidFilter');
  if (filter) {
    const same = (text: string | undefined) => text?.toLowerCase() === filter.value.toLowerCase();
    if (filter.attribute === 'displayname') found = found.filter((group) => same(group.displayName));
    else if (filter.attribute === 'externalid') found = found.filter((group) => same(group.externalId));
    else if (filter.attribute === 'id') found = found.filter((group) => same(group.id));
    else return refused(400, `Invalid filter attribute ${filter.attribute}`, 'invalidFilter');
  }
  return list(query, found, (group) => groupResource(world, group, query));
}

function groupResource(world: World, group: Group, query: URLSearchParams): unknown {
  const names = (name: string) => (query.get(name) ?? '').toLowerCase().split(',');
  const asked = names('attributes').includes('members');
  const shown = (asked || !world.traps.hiddenMembers) && !names('excludedAttributes').includes('members');
  return {
    schemas: [groupSchema],
    id: group.id,
    displayName: group.displayName,
    ...(group.externalId && { externalId: group.externalId }),
    meta: { resourceType: 'Group' },
    ...(shown && {
      members: [...world.netskope.groups.seenMembers(group)].map((p) => ({ value: p.scimId, display: p.user })),
    }),
  };
}

function createGroup(world: World, body: string): Answer {
  const asked = newGroupSchema.safeParse(jsonOf(body));
  if (!asked.success) return refused(400, z.prettifyError(asked.error), 'invalidValue');
  const { displayName, externalId, members = [] } = asked.data;
  const { groups } = world.netskope;
  if (groups.named(displayName)) return refused(409, `Group ${displayName} already exists`, 'uniqueness');
  const people = members.map(({ value }) => world.personById(value));
  if (people.includes(undefined)) return refused(404, 'Member not found');
  const group = groups.create(displayName, 'SCIM-API', externalId);
  for (const person of people) groups.setMember(group, person!, true);
  const changed = world.effects.name(`netskope group ${group.id}`, `netskope: group ${displayName} created`);
  return { status: 201, headers: scimType, body: groupResource(world, group, new URLSearchParams()), changed };
}

function patchGroup(world: World, group: Group, body: string): Answer {
  const asked = patchSchema.safeParse(jsonOf(body));
  if (!asked.success) return refused(400, z.prettifyError(asked.error), 'invalidSyntax');
  const { groups } = world.netskope;
  // A PATCH is atomic: everything is understood before anything is done.
  const plans: (() => string | null)[] = [];
  for (const { op, path = '', value } of asked.data.Operations) {
    const one = /^members\[value eq "([^"]+)"\]$/i.exec(path);
    const values = memberValues.safeParse(one ? [{ value: one[1] }] : value);
    if (!one && path.toLowerCase() !== 'members') return refused(400, `Invalid path ${path}`, 'invalidPath');
    if (!values.success) return refused(400, 'Invalid members', 'invalidValue');
    const people = values.data.map((member) => world.personById(member.value));
    if (people.includes(undefined)) return refused(404, 'Member not found');
    if (op === 'add' || op === 'remove') {
      plans.push(...people.map((person) => () => groups.setMember(group, person!, op === 'add')));
    } else if (op === 'replace') {
      const others = [...group.members.keys()].filter((person) => !people.includes(person));
      plans.push(...others.map((person) => () => groups.setMember(group, person, false)));
      plans.push(...people.map((person) => () => groups.setMember(group, person!, true)));
    } else return refused(400, `Invalid op ${op}`, 'invalidSyntax');
  }
  const changes = plans.map((carryOut) => carryOut()).filter((change) => change !== null);
  return { status: 204, changed: changes.join('; ') || null };
}
