/**
 * Looks at Entra that change nothing: for the connection test and for the prerequisites.
 * @module
 */
import { z } from 'zod';
import { identified, itemsOf } from '../graph';
import type { VendorClient } from '../http';
import type { Call } from '../roles';
import { deviceSchema, groupSchema, operations } from './graph';
import type { EntraSettings } from './settings';

/** A sentence for people, or what is wrong with its remedy. */
type Reading = { detail: string } | { remedy: string };

/** @throws PlaybookError, as all of these. */
export async function readAnyDevice(graph: VendorClient, call: Call): Promise<Reading> {
  const devices = itemsOf(graph, operations.findDevices, deviceSchema, { call, query: { $top: 1, $select: 'id' } });
  await devices.next();
  return { detail: 'We are let in, and may read devices.' };
}

/** Groups whose members Graph does not let anybody write (facts: group-post-members.md). */
export async function readLostGroup(graph: VendorClient, groupId: string, call: Call): Promise<Reading> {
  const { body } = await graph.request(operations.readGroup, {
    call,
    params: { groupId },
    query: { $select: 'id,displayName,groupTypes,onPremisesSyncEnabled,isAssignableToRole' },
    schema: groupSchema,
  });
  const name = body.displayName ?? groupId;
  if (body.groupTypes?.includes('DynamicMembership')) {
    return { remedy: `${name} fills itself by a rule and takes no members: use an assigned group.` };
  }
  if (body.onPremisesSyncEnabled) {
    return { remedy: `${name} is synchronised from the local directory: use a group that lives in the cloud.` };
  }
  if (body.isAssignableToRole) {
    return { remedy: `${name} can carry roles, which needs RoleManagement.ReadWrite.Directory: use a plain group.` };
  }
  return { detail: `${name} is there, and its members can be written.` };
}

/** An application without a job pushes nothing. */
export async function readJobs(graph: VendorClient, servicePrincipalId: string, call: Call): Promise<Reading> {
  const ids: string[] = [];
  const jobs = itemsOf(graph, operations.listJobs, identified, { call, params: { servicePrincipalId } });
  for await (const { id } of jobs) ids.push(id);
  if (ids.length === 0) return { remedy: 'The application has no provisioning job: set provisioning up in Entra.' };
  return { detail: `The application pushes by ${ids.join(', ')}.` };
}

/** The sign-in log needs a licence beside its permissions. */
export async function readAnySignIn(graph: VendorClient, call: Call): Promise<Reading> {
  await itemsOf(graph, operations.listSignIns, identified, { call, query: { $top: 1 } }).next();
  return { detail: 'The sign-in log can be read.' };
}

const applications = z.object({
  value: z.array(
    z.object({
      passwordCredentials: z
        .array(z.object({ endDateTime: z.string().nullish(), hint: z.string().nullish() }))
        .nullish(),
    }),
  ),
});

/**
 * When our own client secret ends. Graph tells its first three letters (`hint`), so that ours is found among several. Being told
 * needs a permission that nothing else needs: without it nobody is warned, and that is said.
 */
export async function readSecretEnd(
  graph: VendorClient,
  { clientId, clientSecret, secretEndsSoonMs }: Pick<EntraSettings, 'clientId' | 'clientSecret' | 'secretEndsSoonMs'>,
  call: Call,
): Promise<Reading & { isUnknown?: true }> {
  const unknown = (because: string) => ({
    detail: `When our client secret ends is not known: ${because}. Write it into a calendar.`,
    isUnknown: true as const,
  });
  const { status, body } = await graph.request(operations.readApplication, {
    call,
    query: { $filter: `appId eq '${clientId}'`, $select: 'passwordCredentials' },
    schema: applications,
    accept: [403],
  });
  if (status === 403) return unknown('Application.Read.All is not granted');
  const all = body.value.flatMap(({ passwordCredentials }) => passwordCredentials ?? []);
  const ours = all.filter(({ hint }) => typeof hint === 'string' && clientSecret.startsWith(hint));
  const ends = (ours.length > 0 ? ours : all).flatMap(({ endDateTime }) => Date.parse(endDateTime ?? '') || []);
  if (ends.length === 0) return unknown('Graph does not tell it');
  const endMs = Math.max(...ends);
  const day = new Date(endMs).toISOString().slice(0, 10);
  // A credential ends by real time, whatever the time of the story.
  return endMs - Date.now() < secretEndsSoonMs
    ? { remedy: `Our client secret ends on ${day}: make a new one, and put it into the settings.` }
    : { detail: `Our client secret is good until ${day}.` };
}
