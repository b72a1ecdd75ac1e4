/**
 * Device tags (beta at the vendor) and the classification that they feed.
 * @module
 */
import { z } from 'zod';
import type { Laptop } from '../laptop';
import type { World } from '../world';
import { type Answer, jsonOf, type VendorRequest } from '../vendor';

const deviceSchema = z.object({
  nsdeviceuid: z.string().min(1),
  userkey: z.string().min(1),
  hostname: z.string().min(1),
});
const devicesSchema = z.array(deviceSchema).max(1000);
const bulkSchema = z.object({ tags: z.array(z.int()).min(1), devices: devicesSchema.min(1) });
const newTagSchema = z.object({
  name: z.string().regex(/^[A-Za-z0-9 -]{1,80}$/),
  description: z.string().optional(),
});
const queryTagsSchema = z.object({
  devices: devicesSchema.optional(),
  offset: z.int().nonnegative().default(0),
  limit: z.int().min(1).max(100).default(20),
  name: z.string().optional(),
  id: z.int().optional(),
});

interface Tag {
  id: number;
  name: string;
  description: string;
  /** Tagged installations: `nsdeviceuid|userkey`, with the hostname for people. */
  devices: Map<string, string>;
}

const tagsPerDevice = 5;
const refused = (status: number, error: string): Answer => ({ status, body: { success: false, error } });

/** The tenant's tags and the rules that turn them into a classification. */
export class DeviceTags {
  readonly all: Tag[] = [];
  readonly #rules: { id: number; [key: string]: unknown }[] = [];

  constructor(readonly world: World) {}

  create(name: string, description: string): Tag {
    const tag = { id: 7 + this.all.length, name, description, devices: new Map<string, string>() };
    this.all.push(tag);
    return tag;
  }

  /** Somebody takes every tag off an installation. False when it has none. */
  takeOff({ nsdeviceuid, person, hostname }: Laptop): boolean {
    const device = { nsdeviceuid, userkey: person.userkey, hostname };
    return this.all.filter((tag) => this.#mark(tag, device, false) !== null).length > 0;
  }

  /** Add a rule that classifies devices with the tag. */
  classify(tag: Tag, label: string): void {
    const check = { $and: [{ $and: [{ $and: [{ device_tag_check: { tag_id: tag.id } }] }] }] };
    this.#rules.push({ id: this.#rules.length + 1, name: `${tag.name} rule`, label, os: 'windows', conditions: check });
  }

  /** Answers under `/api/v2/devices/device/tags`. */
  answer(request: VendorRequest): Answer | undefined {
    const rest = request.path.slice('/api/v2/devices/device/tags'.length);
    if (request.method !== 'POST') return undefined;
    if (rest === '') return this.#create(request.body);
    if (rest === '/gettags') return this.#list(request.body);
    if (rest === '/bulkadd') return this.#bulk(request.body, true);
    if (rest === '/bulkremove') return this.#bulk(request.body, false);
    return undefined;
  }

  /** Answers under `/api/v2/deviceclassification/`: bare arrays, and empty bodies for writes. */
  answerClassification(request: VendorRequest): Answer | undefined {
    const what = request.path.slice('/api/v2/deviceclassification/'.length);
    if (request.method !== 'GET') return undefined;
    if (what === 'tags') return { status: 200, body: this.all.map(({ id, name }) => ({ id, name })) };
    return what === 'rules' ? { status: 200, body: this.#rules } : undefined;
  }

  #create(body: string): Answer {
    const asked = newTagSchema.safeParse(jsonOf(body));
    if (!asked.success) return refused(400, z.prettifyError(asked.error));
    const { name, description = '' } = asked.data;
    if (this.all.some((tag) => tag.name.toLowerCase() === name.toLowerCase())) {
      return refused(409, `Tag ${name} already exists`);
    }
    const { id } = this.create(name, description);
    const changed = this.world.effects.name(`netskope tag ${id}`, `netskope: tag ${name} created`);
    return { status: 201, body: { success: true, data: { id, name, description } }, changed };
  }

  #list(body: string): Answer {
    const asked = queryTagsSchema.safeParse(jsonOf(body));
    if (!asked.success) return refused(400, z.prettifyError(asked.error));
    const { devices, offset, limit, name, id } = asked.data;
    const keys = devices?.map((device) => `${device.nsdeviceuid}|${device.userkey}`);
    const found = this.all.filter(
      (tag) =>
        (name === undefined || tag.name.toLowerCase() === name.toLowerCase()) &&
        (id === undefined || tag.id === id) &&
        (keys === undefined || keys.some((key) => tag.devices.has(key))),
    );
    const data = found.slice(offset, offset + limit).map((tag) => ({
      id: tag.id,
      name: tag.name,
      description: tag.description,
      device_count: tag.devices.size,
      device_classification_count: this.#rules.length,
    }));
    return { status: 200, body: { success: true, data: { data, total_count: found.length, offset, limit } } };
  }

  #bulk(body: string, add: boolean): Answer {
    const asked = bulkSchema.safeParse(jsonOf(body));
    if (!asked.success) return refused(400, z.prettifyError(asked.error));
    const tags = asked.data.tags.map((id) => this.all.find((tag) => tag.id === id));
    if (tags.includes(undefined)) return refused(404, 'Tag not found');
    const { devices } = asked.data;
    if (add) {
      const full = devices.find((device) => {
        const key = `${device.nsdeviceuid}|${device.userkey}`;
        const after = this.all.filter((tag) => tag.devices.has(key) || tags.includes(tag));
        return after.length > tagsPerDevice;
      });
      if (full) return refused(400, `Device ${full.hostname} has ${tagsPerDevice} tags already`);
    }
    const changes = (tags as Tag[]).flatMap((tag) => devices.flatMap((device) => this.#mark(tag, device, add) ?? []));
    return { status: 200, body: { success: true, data: {} }, changed: changes.join('; ') || null };
  }

  /** The name of the effect, or null when it was so already. */
  #mark(tag: Tag, device: z.infer<typeof deviceSchema>, add: boolean): string | null {
    const { nsdeviceuid, userkey, hostname } = device;
    const key = `${nsdeviceuid}|${userkey}`;
    if (tag.devices.has(key) === add) return null;
    if (add) tag.devices.set(key, hostname);
    else tag.devices.delete(key);
    const text = `netskope: tag ${tag.name} ${add ? 'added to' : 'removed from'} ${hostname} (${nsdeviceuid})`;
    return this.world.effects.name(`netskope tag ${tag.id} ${key}`, text);
  }
}
