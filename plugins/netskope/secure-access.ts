/**
 * Netskope as secure access: devices, and the membership that decides what configuration they get.
 * @module
 */
import { z } from 'zod';
import { BadInput, VendorRefused, VendorUnavailable } from '../errors';
import type { Call, DeviceTag, LostSteering, Membership, SecureAccess } from '../roles';
import { canBeAskedFor, operations, type NetskopeClients } from './client';
import type { Inventory } from './inventory';
import { managedGroups, managedUsers, scimGroup, scimGroups, scimUser, scimUsers, v1SteeringConfig } from './schemas';
import type { NetskopeSettings } from './settings';
import { byInstallation, deviceOf, known } from './status';

interface LostGroup {
  id: string;
  owner: Membership['groupOwner'];
}

/** What the connection test looks at beside the role itself. */
export interface LostGroupAccess extends SecureAccess {
  /** Undefined when there is no group of that name. */
  readLostGroup(call: Call): Promise<LostGroup | undefined>;
}

/** The lost group is looked up again after this time (milliseconds of our own clock): it may get another owner. */
const groupGoodForMs = 10 * 60_000;
/** The window of a search without one is not documented, so a device that was not found is looked for this far back. */
const lookBackMs = 365 * 24 * 60 * 60_000;

export function createSecureAccess(
  source: string,
  settings: NetskopeSettings,
  { v2, v1 }: NetskopeClients,
  inventory: Inventory,
  deviceTag: DeviceTag | undefined,
): LostGroupAccess {
  const { lostGroup, lostSteeringConfig, lostPolicy, groupOwner, settleMs } = settings;
  let group: { found: LostGroup; readAtMs: number } | undefined;

  async function readLostGroup(call: Call): Promise<LostGroup | undefined> {
    if (group && performance.now() - group.readAtMs < groupGoodForMs) return group.found;
    const [listed, provisioner] = await Promise.all([
      v2.request(operations.listGroups, {
        call,
        query: { filter: `displayName eq ${scimQuoted(lostGroup, 'lostGroup')}`, startIndex: 1, count: 10 },
        headers: scimAccept,
        schema: scimGroups,
      }),
      groupOwner === 'auto' ? readProvisioner(call) : undefined,
    ]);
    const found = listed.body.Resources.find(({ displayName }) => sameText(displayName, lostGroup));
    if (!found) return undefined;
    const owner = groupOwner === 'auto' ? ownerOf(found.externalId, provisioner) : groupOwner;
    group = { found: { id: found.id, owner }, readAtMs: performance.now() };
    return group.found;
  }

  /** A hint only: where the call is not allowed or not offered, the external id has to do. */
  async function readProvisioner(call: Call): Promise<string | undefined> {
    try {
      const filter = { and: [{ displayName: { eq: lostGroup } }] };
      const json = { query: { filter, paging: { offset: 0, limit: 10 } } };
      const { body } = await v2.request(operations.getGroups, { call, json, schema: managedGroups });
      return body.data.find(({ displayName }) => sameText(displayName, lostGroup))?.provisioner;
    } catch (error) {
      if (error instanceof VendorRefused && error.code !== 'LDP_NOT_AUTHENTICATED') return undefined;
      throw error;
    }
  }

  /** The user's id and groups in one call. Undefined: this way does not know the user, or is closed. */
  async function readManagedUser(user: string, call: Call): Promise<{ id: string; groups: string[] } | undefined> {
    try {
      const filter = { and: [{ emails: { eq: user } }] };
      const json = { query: { filter, paging: { offset: 0, limit: 10 } } };
      const { body } = await v2.request(operations.getUsers, { call, json, schema: managedUsers });
      const accounts = body.data.flatMap((person) => person.accounts).filter((account) => account.deleted !== true);
      const account =
        accounts.find(({ userName }) => sameText(userName, user)) ?? (accounts.length === 1 ? accounts[0] : undefined);
      return account?.scimId === undefined ? undefined : { id: account.scimId, groups: account.parentGroups };
    } catch (error) {
      if (error instanceof VendorRefused && error.code !== 'LDP_NOT_AUTHENTICATED') return undefined;
      throw error;
    }
  }

  async function readScimUser(user: string, call: Call): Promise<string | undefined> {
    const { body } = await v2.request(operations.listUsers, {
      call,
      query: { filter: `userName eq ${scimQuoted(user, 'user')}`, startIndex: 1, count: 10 },
      headers: scimAccept,
      schema: scimUsers,
    });
    return body.Resources.find(({ userName }) => sameText(userName, user))?.id;
  }

  /** Members come only when they are asked for: without `attributes` every group looks empty (SDK test_spec_identity). */
  async function isListed(userId: string, groupId: string, call: Call): Promise<boolean> {
    const { body } = await v2.request(operations.readGroup, {
      call,
      params: { id: groupId },
      query: { attributes: 'members' },
      headers: scimAccept,
      schema: scimGroup,
    });
    return body.members.some(({ value }) => value === userId);
  }

  /** One PATCH that adds or removes one member. Never `replace`: it would put everybody else out. */
  async function patchMember(op: 'add' | 'remove', membership: Membership, call: Call): Promise<void> {
    const { userId, groupId } = membership;
    if (userId === undefined || groupId === undefined) {
      const missing = userId === undefined ? `the user ${membership.user}` : `the group ${membership.groupName}`;
      throw new VendorRefused('LDP_NOT_FOUND', `netskope scim.patchGroup: Netskope does not know ${missing}`);
    }
    try {
      await v2.request(operations.patchGroup, {
        call,
        params: { id: groupId },
        json: {
          schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
          Operations: [{ op, path: 'members', value: [{ value: userId }] }],
        },
        headers: { ...scimAccept, 'content-type': 'application/scim+json' },
        // Success has no body; something that is not even JSON did not come from Netskope.
        schema: z.unknown(),
      });
    } catch (error) {
      // The group may have been made anew under another id.
      if (error instanceof VendorRefused && error.code === 'LDP_NOT_FOUND') group = undefined;
      throw error;
    }
  }

  return {
    lostSteeringConfig,
    lostPolicy,
    settleMs,
    ...(deviceTag && { deviceTag }),
    ...(v1 && { readSteering: (call: Call) => readSteering(v1, lostSteeringConfig, call) }),
    readLostGroup,

    async findDevices(query, call) {
      const given = (['serial', 'hostname', 'nsdeviceuid', 'user'] as const).filter((name) => query[name]?.trim());
      if (!given.some((name) => canBeAskedFor((query[name] ?? '').trim()))) {
        const why = given.length > 0 ? `${given.join(', ')}: cannot be looked for at Netskope; ` : '';
        throw new BadInput('LDP_BAD_INPUT', `findDevices: ${why}name a serial, hostname, nsdeviceuid or user`);
      }
      let found = await inventory.named([query], call);
      if (found.statuses.length === 0) {
        found = await inventory.named([query], call, Math.floor((Date.parse(call.now) - lookBackMs) / 1000));
      }
      if (found.statuses.length === 0 && found.problem !== undefined) {
        throw new VendorUnavailable('LDP_UNEXPECTED_ANSWER', found.problem);
      }
      const devices = byInstallation(found.statuses).map((records) => deviceOf(source, records));
      // The lost group is where a case put its user, and nobody's team.
      for (const device of devices) if (device.team === settings.lostGroup) delete device.team;
      return devices;
    },

    async readMembership(user, call) {
      const [managed, found] = await Promise.all([readManagedUser(user, call), readLostGroup(call)]);
      const userId = managed?.id ?? (await readScimUser(user, call));
      let groups = managed?.groups ?? [];
      if (!managed && userId !== undefined && found && (await isListed(userId, found.id, call))) groups = [lostGroup];
      return known<Membership>({
        user,
        userId,
        groupName: lostGroup,
        groupId: found?.id,
        isMember: groups.some((name) => sameText(name, lostGroup)),
        groups,
        groupOwner: found?.owner ?? 'api',
      });
    },

    async nameOfUser(userId, call) {
      try {
        const { body } = await v2.request(operations.readUser, {
          call,
          params: { id: userId },
          headers: scimAccept,
          schema: scimUser,
        });
        return body.userName;
      } catch (error) {
        if (error instanceof VendorRefused && error.code === 'LDP_NOT_FOUND') return undefined;
        throw error;
      }
    },

    addToLostGroup: (membership, call) => patchMember('add', membership, call),
    removeFromLostGroup: (membership, call) => patchMember('remove', membership, call),
  };
}

/** By location, only what passes both on and off the premises passes for sure: nobody knows where the device will be. */
async function readSteering(
  { client, token }: NonNullable<NetskopeClients['v1']>,
  name: string,
  call: Call,
): Promise<LostSteering | undefined> {
  const json = { token, config: name };
  const { body } = await client.request(operations.v1SteeringConfig, { call, json, schema: v1SteeringConfig });
  const config = body.data.find(({ steering_config: found }) => found === name);
  if (!config) return undefined;
  const [first, ...others] = [config, config.on_prem, config.off_prem].flatMap((block) =>
    block?.exceptions ? [block.exceptions.domains?.data ?? []] : [],
  );
  if (!first) return undefined;
  const place = Number(config.priority ?? NaN);
  return {
    config: name,
    privateAccess: config.private_apps_enabled ?? undefined,
    letThrough: first.filter((host) => others.every((block) => block.includes(host))),
    ...(Number.isInteger(place) && { place }),
  };
}

/** Success comes as `application/scim+json`, errors as `application/json` (SDK). */
const scimAccept = { accept: 'application/scim+json, application/json' };

/**
 * Who writes the group, from hints (facts/netskope.md 3.2, 3.3): a group made in the console is `Local`, and no API may
 * change its members; a directory is named as provisioner, or leaves its external id on a group that came by SCIM.
 */
function ownerOf(externalId: string | undefined, provisioner: string | undefined): Membership['groupOwner'] {
  if (provisioner === undefined || /^scim$/i.test(provisioner)) return externalId === undefined ? 'api' : 'directory';
  if (/^local$/i.test(provisioner)) return 'local';
  return /api/i.test(provisioner) ? 'api' : 'directory';
}

/** A text in a SCIM filter, quoted as JSON is (RFC 7644 section 3.4.2.2). */
function scimQuoted(value: string, field: string): string {
  // eslint-disable-next-line no-control-regex
  if (/[\u0000-\u001f\u007f]/.test(value))
    throw new BadInput('LDP_BAD_INPUT', `${field}: holds control characters`, { field });
  return JSON.stringify(value);
}

function sameText(a: string | undefined, b: string): boolean {
  return a?.toLowerCase() === b.toLowerCase();
}
