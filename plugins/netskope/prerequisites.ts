/**
 * What must be so at Netskope. Nothing is changed.
 * @module
 */
import { missingHosts } from '../../playbook/wipe-hosts';
import { VendorRefused } from '../errors';
import { anyAnswer, attested, clockOf, lacking, letIn, mayCall, probed, readable, well } from '../prerequisites';
import type { Call, LostSteering, ProductPrerequisite, Surroundings } from '../roles';
import { attestedPrerequisites } from './attested';
import { operations, type NetskopeClients } from './client';
import type { TagLever } from './device-tag';
import { classificationRules } from './schemas';
import type { LostGroupAccess } from './secure-access';
import type { NetskopeSettings } from './settings';

interface LookedAt {
  settings: NetskopeSettings;
  clients: NetskopeClients;
  secureAccess: LostGroupAccess;
  tag: TagLever | undefined;
}

const tokenPage = 'Settings > Tools > REST API v2 > the token';
const steeringPage = 'Settings > Security Cloud Platform > Steering Configuration';
/** No group of any tenant has this id. */
const nowhere = '00000000-0000-4000-8000-000000000000';

export function netskopePrerequisites(
  { settings, clients, secureAccess, tag }: LookedAt,
  around: Surroundings,
): ProductPrerequisite[] {
  const { v2 } = clients;
  const { lostGroup, lostPolicy } = settings;
  const after = 'netskope-token';
  const aRecord = { limit: 1, timeout: 25 };
  const may = (id: string, operation: keyof typeof operations, what: string, neededFor: string) =>
    readable(
      {
        id,
        title: `We may read ${what}`,
        neededFor,
        setAt: `${tokenPage}: ${operations[operation].path}, Read`,
        after,
      },
      async (call) => {
        await v2.request(operations[operation], { call, query: aRecord });
        return well('We may.');
      },
    );
  return [
    readable(
      {
        id: 'netskope-token',
        title: 'Netskope takes our token',
        neededFor: 'Without it nothing is found and nobody is contained.',
        setAt: tokenPage,
      },
      (call) => letIn(() => v2.request(operations.clientStatus, { call, query: { limit: 1 } })),
    ),
    readable(
      {
        id: 'netskope-clock',
        title: 'Its clock and ours agree',
        neededFor: 'What was seen before and after a change is told apart by time.',
        setAt: 'The clock of this machine (NTP)',
        after,
      },
      async (call) =>
        clockOf(await v2.request(operations.clientStatus, { call, query: { limit: 1 }, accept: anyAnswer })),
    ),
    readable(
      {
        id: 'netskope-client-status',
        title: 'We may read the status of clients',
        neededFor: 'Without it no device is found, none is seen, and no configuration is proven.',
        setAt: `${tokenPage}: ${operations.clientStatus.path}, Read`,
        after,
      },
      async (call) => {
        await v2.request(operations.clientStatus, { call, query: { limit: 1 } });
        return well('We may.');
      },
    ),
    may(
      'netskope-alerts',
      'alerts',
      `alerts (of "${lostPolicy}")`,
      'Without them it is never proven that the block bites.',
    ),
    may(
      'netskope-page-events',
      'pages',
      'page events',
      'Without them a device is seen later, and its place less often.',
    ),
    may(
      'netskope-network-events',
      'network',
      'network events',
      'Without them a device that browses nothing is not seen.',
    ),
    readable(
      {
        id: 'netskope-users',
        title: 'We may read users',
        neededFor: 'A user who is not found is not moved.',
        setAt: `${tokenPage}: ${operations.listUsers.path}, Read`,
        after,
      },
      async (call) => {
        const query = { filter: 'userName eq "lost-device-check@example.invalid"', startIndex: 1, count: 1 };
        const accept = 'application/scim+json, application/json';
        await v2.request(operations.listUsers, { call, query, headers: { accept } });
        return well('We may.');
      },
    ),
    readable(
      {
        id: 'netskope-lost-group',
        title: `The group "${lostGroup}" is there, and somebody can write it`,
        neededFor: 'The group is what contains a device.',
        setAt: 'Settings > Security Cloud Platform > Users and Groups; made by SCIM or by your directory',
        after,
      },
      async (call) => {
        const group = await secureAccess.readLostGroup(call);
        if (!group)
          return lacking('There is no such group. Create it by SCIM or in the directory, or correct lostGroup.');
        if (group.owner === 'api') return well('It is there, and written by API (SCIM).');
        if (group.owner === 'local')
          return lacking('It is local: made in the console, where no API may change its members. Create it by SCIM.');
        return around.directoryHasLostGroup
          ? well('It is there, and the directory of the settings writes it.')
          : lacking('A directory writes it, and the settings name none that does: add one with its lost group.');
      },
    ),
    probed(
      {
        id: 'netskope-group-write',
        title: 'We may change the members of groups',
        neededFor: 'Without it nobody is moved into the lost group, and nobody comes out again.',
        setAt: `${tokenPage}: /api/v2/scim/Groups, Read + Write`,
        after,
      },
      async (call) => {
        const group = await secureAccess.readLostGroup(call);
        if (group?.owner === 'directory') return well('Not needed: the directory writes the group.');
        return mayCall(() =>
          v2.request(operations.patchGroup, {
            call,
            params: { id: nowhere },
            json: {
              schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
              Operations: [{ op: 'remove', path: 'members', value: [{ value: nowhere }] }],
            },
            headers: { accept: 'application/scim+json, application/json', 'content-type': 'application/scim+json' },
          }),
        );
      },
    ),
    ...(tag ? ofTag(tag, clients, after) : []),
    ...ofSteering(secureAccess, clients, settings, around),
    ...attestedPrerequisites,
  ];
}

function ofTag(tag: TagLever, { v2 }: NetskopeClients, after: string): ProductPrerequisite[] {
  return [
    readable(
      {
        id: 'netskope-device-tag',
        title: 'Device tags are offered, and we may set them',
        neededFor: 'Without them one device cannot be held while its user goes on with another.',
        setAt: `Netskope (device tags are a beta), and ${tokenPage}: ${operations.getTags.path}, Read + Write`,
        after,
      },
      async (call) => {
        const id = await tag.find(call);
        return well(id === undefined ? `"${tag.name}" is created at first use.` : `"${tag.name}" is there.`);
      },
    ),
    readable(
      {
        id: 'netskope-classification-rule',
        title: `A classification rule reads the tag "${tag.name}"`,
        neededFor: 'A tag does nothing by itself: policies see the classification.',
        setAt: 'Settings > Manage > Device Classification',
        after: 'netskope-device-tag',
      },
      async (call) => {
        const id = await tag.find(call);
        if (id === undefined) return { is: 'not readable', says: 'The tag is not there yet, so no rule can read it.' };
        const { body } = await v2.request(operations.classificationRules, { call, schema: classificationRules });
        // The conditions are a tree of undocumented depth; the check of a tag looks the same everywhere in it.
        const check = `"device_tag_check":${JSON.stringify({ tag_id: id })}`;
        const rule = body.find(({ conditions }) => JSON.stringify(conditions ?? null).includes(check));
        return rule
          ? well(`It classifies a device as "${rule.label ?? rule.name ?? 'unnamed'}".`)
          : lacking('No rule reads it, so no policy will see it: add a rule.');
      },
    ),
  ];
}

/** Read by v1, where the settings have its token; attested elsewhere (facts/netskope.md 4.1). */
function ofSteering(
  { readSteering }: LostGroupAccess,
  { v1 }: NetskopeClients,
  { lostSteeringConfig }: NetskopeSettings,
  { agentHosts, behindPrivateAccess }: Surroundings,
): ProductPrerequisite[] {
  const there = {
    id: 'netskope-steering',
    title: `The steering configuration "${lostSteeringConfig}" is there`,
    neededFor: 'It steers everything of a lost device to where it is blocked, and its name is the proof of that.',
    setAt: steeringPage,
  };
  const place = {
    id: 'netskope-steering-place',
    title: 'It stands above all other steering configurations',
    neededFor: 'The first configuration that fits a user counts: below another one it never arrives.',
    setAt: `${steeringPage} > order`,
  };
  const apps = {
    id: 'netskope-private-apps',
    title: behindPrivateAccess ? 'It steers private apps' : 'It does not steer private apps',
    neededFor: behindPrivateAccess
      ? 'The wipe arrives through private access (wipe.behindPrivateAccess).'
      : 'A thief would reach private apps through it.',
    setAt: `${steeringPage} > "${lostSteeringConfig}" > Steer private apps`,
  };
  const hosts = {
    id: 'netskope-exceptions',
    title: 'Its exceptions let the agents of device management, detection and sign-in through',
    neededFor: 'A wipe never arrives, and an isolation never ends, at an agent whose hosts are blocked.',
    setAt: `${steeringPage} > "${lostSteeringConfig}" > Exceptions (\`lost-device exceptions\` prints them)`,
  };
  if (!v1 || !readSteering) return [there, place, apps, hosts].map(attested);
  const token = 'netskope-v1-token';
  // One answer for all that stands in it: v1 is slow, and has a tight pace.
  let asked: ReturnType<typeof readSteering> | undefined;
  const readOnce = (call: Call) => (asked ??= readSteering(call));
  const steering = (look: (read: LostSteering) => ReturnType<typeof well>) => async (call: Call) => {
    const read = await readOnce(call);
    return read ? look(read) : { is: 'not readable' as const, says: 'It does not tell its exceptions.' };
  };
  return [
    readable(
      {
        id: token,
        title: 'Netskope takes our v1 token',
        neededFor: 'Without it the steering configuration cannot be read, and old clients are not found.',
        setAt: 'Settings > Tools > REST API v1',
      },
      (call) => letIn(() => v1.client.request(operations.v1Clients, { call, json: { token: v1.token, limit: 1 } })),
    ),
    readable({ ...there, after: token }, async (call) => {
      const missing = lacking('There is no such configuration. Create it, or correct lostSteeringConfig.');
      try {
        return (await readOnce(call)) ? well('It is there.') : missing;
      } catch (error) {
        if (error instanceof VendorRefused && error.code === 'LDP_NOT_FOUND') return missing;
        throw error;
      }
    }),
    readable(
      { ...place, after: there.id },
      steering(({ place: at }) => {
        if (at === undefined) return { is: 'not readable', says: 'It does not tell its place.' };
        return at <= 1 ? well('It is the first.') : lacking(`It is number ${at}: move it to the top.`);
      }),
    ),
    readable(
      { ...apps, after: there.id },
      steering(({ privateAccess }) => {
        if (privateAccess === undefined) return { is: 'not readable', says: 'It does not tell whether it does.' };
        const says = `Private apps are ${privateAccess ? 'on' : 'off'}`;
        return privateAccess === behindPrivateAccess
          ? well(`${says}.`)
          : lacking(`${says}: switch them ${behindPrivateAccess ? 'on' : 'off'}.`);
      }),
    ),
    readable(
      { ...hosts, after: there.id },
      steering(({ letThrough }) => {
        const missing = missingHosts(agentHosts, letThrough);
        return missing.length === 0
          ? well(`All ${agentHosts.length} hosts are let through.`)
          : lacking(`Not let through: ${missing.join(', ')}. Add them.`);
      }),
    ),
  ];
}
