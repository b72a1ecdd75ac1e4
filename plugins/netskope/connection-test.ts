/**
 * Does it all work, and is the tenant prepared? Reads only. What no API can read stands in the README's checklist.
 * @module
 */
import { errorCatalogue, PlaybookError } from '../errors';
import type { Call, ConnectionTest, SightingFeed } from '../roles';
import { isNotOffered, operations, type NetskopeClients } from './client';
import type { TagLever } from './device-tag';
import type { Inventory } from './inventory';
import { classificationRules, npaRules } from './schemas';
import type { LostGroupAccess } from './secure-access';
import type { NetskopeSettings } from './settings';

interface Tested {
  settings: NetskopeSettings;
  clients: NetskopeClients;
  inventory: Inventory;
  secureAccess: LostGroupAccess;
  feeds: SightingFeed[];
  tag: TagLever | undefined;
}

/** A name that no device and no user has. */
const nobody = 'lost-device-connection-test';

/** One line per thing tried; all are tried at once. */
export function testConnection(
  { settings, clients, inventory, secureAccess, feeds, tag }: Tested,
  call: Call,
): Promise<ConnectionTest[]> {
  const { lostGroup, lostPolicy, lostSteeringConfig } = settings;
  const lines = [
    tried('client status', async () => {
      await inventory.named([{ serial: nobody, hostname: nobody, nsdeviceuid: nobody, user: nobody }], call);
      return 'It can be searched by serial, hostname, nsdeviceuid and user.';
    }),
    tried(`group "${lostGroup}"`, async () => {
      const group = await secureAccess.readLostGroup(call);
      if (!group) return { problem: 'It does not exist. Create it by SCIM or in the directory, or correct lostGroup.' };
      if (group.owner === 'api') return 'It is there, and written by API.';
      if (group.owner === 'directory') return 'It is there, and a directory writes it: set up a directory plugin.';
      return { problem: 'It was made in the console, where no API may change its members. Create it by SCIM.' };
    }),
    tried('users', async () => {
      await secureAccess.readMembership(`${nobody}@example.invalid`, call);
      return 'Users and their groups can be read.';
    }),
    tried('alerts and events', async () => {
      const device = { user: nobody, hostname: nobody, workflowId: '' };
      await Promise.all(feeds.map((feed) => feed.read(undefined, [device], call)));
      return `Alerts of "${lostPolicy}", page and network events can be read.`;
    }),
    tried('Private Access', () => lookForNpaRule(lostGroup, clients, call)),
  ];
  if (tag) lines.push(tried(`device tag "${tag.name}"`, () => lookForTag(tag, clients, call)));
  if (secureAccess.readSteering) {
    const { readSteering } = secureAccess;
    lines.push(
      tried(`steering configuration "${lostSteeringConfig}"`, async () => {
        const steering = await readSteering(call);
        if (!steering)
          return { problem: 'It does not exist or tells no exceptions. Create it, or correct lostSteeringConfig.' };
        const apps = steering.privateAccess === true ? 'on' : 'off';
        return `It is there. Private apps are ${apps}. Domains not steered: ${steering.letThrough.join(', ') || 'none'}.`;
      }),
    );
  }
  return Promise.all(lines);
}

/** A tag does nothing by itself: a classification rule must read it, and policies the classification. */
async function lookForTag(tag: TagLever, { v2 }: NetskopeClients, call: Call): Promise<Outcome> {
  const id = await tag.find(call);
  if (id === undefined) return 'Tags are offered. It is created at first use; a classification rule must then read it.';
  const { body } = await v2.request(operations.classificationRules, { call, schema: classificationRules });
  // The conditions are a tree of undocumented depth; the check of a tag looks the same everywhere in it.
  const check = `"device_tag_check":${JSON.stringify({ tag_id: id })}`;
  const rule = body.find(({ conditions }) => JSON.stringify(conditions ?? null).includes(check));
  if (!rule) return { problem: 'It is there, and no classification rule reads it: no policy will see it. Add a rule.' };
  return `It is there, and classifies a device as "${rule.label ?? rule.name ?? 'unnamed'}".`;
}

async function lookForNpaRule(lostGroup: string, { v2 }: NetskopeClients, call: Call): Promise<Outcome> {
  const { body } = await v2.request(operations.npaRules, { call, schema: npaRules });
  const rule = body.data.find(
    ({ enabled, rule_data: data }) =>
      enabled === '1' &&
      data?.match_criteria_action?.action_name === 'block' &&
      data.user_groups.some((name) => name.toLowerCase() === lostGroup.toLowerCase()),
  );
  if (!rule)
    return `No rule blocks "${lostGroup}": private apps stay reachable unless its steering configuration has them off.`;
  return `Rule "${rule.rule_name ?? 'unnamed'}" blocks "${lostGroup}". Mind that the wipe must not need Private Access.`;
}

type Outcome = string | { problem: string };

async function tried(what: string, look: () => Promise<Outcome>): Promise<ConnectionTest> {
  try {
    const seen = await look();
    return typeof seen === 'string' ? { what, ok: true, detail: seen } : { what, ok: false, detail: seen.problem };
  } catch (error) {
    if (!(error instanceof PlaybookError)) throw error;
    if (what === 'Private Access' && isNotOffered(error))
      return { what, ok: true, detail: 'This tenant does not have it.' };
    return { what, ok: false, detail: `${error.message}. ${errorCatalogue[error.code].remedy}` };
  }
}
