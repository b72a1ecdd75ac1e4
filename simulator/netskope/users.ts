/**
 * The user management API: richer reads than SCIM, with each user's groups and who provisions them.
 * @module
 */
import { z } from 'zod';
import type { Person, World } from '../world';
import { type Answer, jsonOf } from '../vendor';

const filterOperation = z.partialRecord(z.enum(['eq', 'in', 'sw', 'co']), z.unknown());
type Filter = { and?: Filter[]; or?: Filter[] } & Record<string, unknown>;
const requestSchema = z.object({
  query: z.object({
    filter: z.custom<Filter>((value) => typeof value === 'object' && value !== null).optional(),
    paging: z.object({ offset: z.int().nonnegative(), limit: z.int().min(0).max(1000) }),
  }),
});

class FilterError extends Error {}

type Values<T> = Record<string, (item: T) => unknown[]>;

function fits<T>(filter: Filter, values: Values<T>, item: T): boolean {
  return Object.entries(filter).every(([field, wanted]) => {
    if (field === 'and') return (wanted as Filter[]).every((part) => fits(part, values, item));
    if (field === 'or') return (wanted as Filter[]).some((part) => fits(part, values, item));
    const read = values[field];
    const operation = filterOperation.safeParse(wanted);
    if (!read || !operation.success) throw new FilterError(`Invalid filter ${field}`);
    const found = read(item).map((value) => String(value).toLowerCase());
    return Object.entries(operation.data).every(([operator, operand]) => {
      const texts = (Array.isArray(operand) ? operand : [operand]).map((text) => String(text).toLowerCase());
      return texts.some((text) =>
        found.some((value) =>
          operator === 'sw' ? value.startsWith(text) : operator === 'co' ? value.includes(text) : value === text,
        ),
      );
    });
  });
}

/** The one user whom the filter can mean, found without a scan: `[]` for nobody, undefined for "look at all". */
function named(world: World, filter: Filter): Person[] | undefined {
  for (const [field, wanted] of Object.entries(filter)) {
    if (field === 'and') {
      for (const part of wanted as Filter[]) {
        const found = named(world, part);
        if (found) return found;
      }
    }
    const equal = (wanted as { eq?: unknown }).eq;
    if ((field === 'emails' || field === 'accounts.userName') && typeof equal === 'string') {
      const person = world.people.get(equal.toLowerCase());
      return person ? [person] : [];
    }
  }
  return undefined;
}

function paged<T>(body: string, choose: (filter: Filter) => T[], show: (item: T) => unknown): Answer {
  const asked = requestSchema.safeParse(jsonOf(body));
  if (!asked.success) return { status: 400, body: { message: z.prettifyError(asked.error) } };
  const { filter, paging } = asked.data.query;
  try {
    const found = choose(filter ?? {});
    const data = found.slice(paging.offset, paging.offset + paging.limit).map(show);
    return { status: 200, body: { counts: { totalResults: found.length }, data } };
  } catch (error) {
    if (error instanceof FilterError) return { status: 400, body: { message: error.message } };
    throw error;
  }
}

/** `POST /api/v2/users/getusers`. */
export function getUsers(world: World, body: string): Answer {
  const parentGroups = (person: Person) => world.netskope.groups.groupsSeenOf(person).map((g) => g.displayName);
  const values: Values<Person> = {
    emails: (person) => [person.user],
    displayName: (person) => [`${person.givenName} ${person.familyName}`],
    'accounts.userName': (person) => [person.user],
    'accounts.parentGroups': parentGroups,
    'accounts.deleted': (person) => [person.deleted],
    'accounts.active': (person) => [!person.deleted],
    'accounts.scimId': (person) => [person.scimId],
  };
  return paged(
    body,
    (filter) => (named(world, filter) ?? [...world.people.values()]).filter((p) => fits(filter, values, p)),
    (person) => ({
      id: person.scimId.slice(0, 8),
      givenName: person.givenName,
      familyName: person.familyName,
      emails: [person.user],
      accounts: [
        {
          scimId: person.scimId,
          userName: person.user,
          active: !person.deleted,
          deleted: person.deleted,
          parentGroups: parentGroups(person),
          ou: 'example.test/Staff',
          provisioner: 'SCIM',
        },
      ],
    }),
  );
}

/** `POST /api/v2/users/getgroups`. */
export function getGroups(world: World, body: string): Answer {
  const { groups } = world.netskope;
  return paged(
    body,
    (filter) =>
      [...groups.all.values()].filter((group) =>
        fits(filter, { displayName: (g) => [g.displayName], scimId: (g) => [g.id], deleted: () => [false] }, group),
      ),
    (group) => ({
      id: group.id.slice(0, 8),
      scimId: group.id,
      displayName: group.displayName,
      userCount: [...groups.seenMembers(group)].length,
      provisioner: group.provisioner,
      deleted: false,
    }),
  );
}
