/**
 * The device tag: marks one device of one user, for policies that match a classification (facts/netskope.md 3.4, beta).
 * @module
 */
import type { ManagedDevice } from '../../playbook/device';
import { VendorRefused } from '../errors';
import type { Call, DeviceTag } from '../roles';
import { operations, type NetskopeClients } from './client';
import { done, newTag, tagPage } from './schemas';

/** The tag, and whether the tenant has it. */
export interface TagLever extends DeviceTag {
  /** The tag's number at the vendor; undefined until somebody created it. */
  find(call: Call): Promise<number | undefined>;
}

/** Netskope wants all three names of a device (CE netskope_ztre 1.7.0). */
interface TaggedDevice {
  nsdeviceuid: string;
  userkey: string;
  hostname: string;
}

export function createDeviceTag(
  name: string,
  { v2, tagChanges }: NetskopeClients,
): DeviceTag & { find(call: Call): Promise<number | undefined> } {
  let tagId: number | undefined;

  async function find(call: Call, device?: TaggedDevice): Promise<number | undefined> {
    const json = { name, offset: 0, limit: 10, ...(device && { devices: [device] }) };
    const { body } = await v2.request(operations.getTags, { call, json, schema: tagPage }).catch(explain);
    return body.data.data.find((tag) => tag.name.toLowerCase() === name.toLowerCase())?.id;
  }

  async function findOrCreate(call: Call): Promise<number> {
    tagId ??= await find(call);
    if (tagId !== undefined) return tagId;
    const json = { name, description: 'Set by the lost-device playbook' };
    // 409: somebody made it meanwhile.
    const { status, body } = await v2
      .request(operations.createTag, { call, json, schema: newTag, accept: [409] })
      .catch(explain);
    tagId = status === 409 ? await find(call) : body.data.id;
    if (tagId === undefined)
      throw new VendorRefused('LDP_CONFLICT', `netskope tags.create: the tag ${name} exists and is not shown`);
    return tagId;
  }

  async function change(
    operation: typeof operations.addTag,
    id: number,
    device: TaggedDevice,
    call: Call,
  ): Promise<void> {
    await tagChanges
      .request(operation, { call, json: { tags: [id], devices: [device] }, schema: done })
      .catch((error: unknown) => {
        tagId = undefined;
        return explain(error);
      });
  }

  return {
    name,
    find: (call) => find(call),
    isTagged: async (device, call) => (await find(call, threeNames(device))) !== undefined,
    add: async (device, call) => change(operations.addTag, await findOrCreate(call), threeNames(device), call),
    async remove(device, call) {
      tagId ??= await find(call);
      // A tag that does not exist is on no device.
      if (tagId === undefined) return;
      await change(operations.removeTag, tagId, threeNames(device), call);
      // A fresh image leaves its tag behind, on an installation that is no more.
      const before = device.previousNsdeviceuid && threeNames({ ...device, nsdeviceuid: device.previousNsdeviceuid });
      if (before && (await find(call, before)) !== undefined) await change(operations.removeTag, tagId, before, call);
    },
  };
}

/** A 403 or 404 of these routes means that the beta is not switched on, and a fifth tag has no room for a sixth. */
function explain(error: unknown): never {
  if (!(error instanceof VendorRefused)) throw error;
  if (error.code === 'LDP_NOT_PERMITTED' || error.code === 'LDP_NOT_FOUND' || error.code === 'LDP_NOT_OFFERED') {
    const message = `${error.message}. Device tags are a beta: ask Netskope for them, or remove tag from the settings`;
    throw new VendorRefused('LDP_NOT_OFFERED', message, error.details);
  }
  if (
    error.code === 'LDP_REFUSED' &&
    /(5|five|limit|maximum|exceed)/i.test(error.message.replace(/^.*answered \d+/, ''))
  ) {
    const message = `${error.message}. A device can carry five tags: remove one in the console`;
    throw new VendorRefused('LDP_REFUSED', message, error.details);
  }
  throw error;
}

function threeNames({ nsdeviceuid, userKey, hostname }: ManagedDevice): TaggedDevice {
  if (nsdeviceuid && userKey && hostname) return { nsdeviceuid, userkey: userKey, hostname };
  throw new VendorRefused(
    'LDP_REFUSED',
    'netskope tags: a device can be tagged only when its nsdeviceuid, userkey and hostname are all known',
  );
}
