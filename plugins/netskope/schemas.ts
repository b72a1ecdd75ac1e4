/**
 * What Netskope answers, read tolerantly: keys may be missing or null, words may be numbers, numbers may be text, and a
 * field may stand nested, under a dotted name or flat (facts/netskope.md 2.1, 2.2, 2.5).
 * @module
 */
import { z } from 'zod';
import { vendorName, vendorWords } from '../../playbook/plain-text';

const scalar = z
  .union([z.string(), z.number(), z.boolean()])
  .nullish()
  .transform((value) => (value === null || value === undefined ? undefined : String(value)));
/** Words; empty, null and missing are all undefined. */
const text = scalar.transform(vendorWords);
/** A name that is compared; one that is none is undefined too. */
const name = scalar.transform(vendorName);

/** A word, or the number that some tenants send for it. */
const word = (words: Record<number, string>) =>
  text.transform((value) => (value !== undefined && /^\d+$/.test(value) ? (words[Number(value)] ?? value) : value));

const decimal = z
  .union([z.number(), z.string()])
  .nullish()
  .transform((value) => {
    const number = value === null || value === undefined || value === '' ? NaN : Number(value);
    return Number.isFinite(number) ? number : undefined;
  });

/** Epoch seconds, or milliseconds where a tenant sends those. Nonsense is undefined. Out: ISO 8601. */
const moment = decimal.transform((value) => {
  const ms = value === undefined ? NaN : value > 1e11 ? value : value * 1000;
  return ms > Date.UTC(2005) && ms < Date.UTC(2200) ? new Date(ms).toISOString() : undefined;
});

const texts = z
  .union([z.array(z.string().nullable()), z.string()])
  .nullish()
  .transform((value) => [value ?? []].flat().filter((one): one is string => one !== null && one !== ''));

/** A device has a few network cards (addresses). */
const mostAddresses = 20;

/** Codes of the client's events (DOC22 get-client-data). */
const eventWords = {
  0: 'Installed',
  1: 'Tunnel Up',
  2: 'Tunnel Down',
  3: 'Tunnel down due to secure forwarder',
  4: 'Tunnel down due to config error',
  5: 'Tunnel down due to error',
  6: 'User Disabled',
  7: 'User Enabled',
  8: 'Admin Disabled',
  9: 'Admin Enabled',
  10: 'Uninstalled',
  11: 'Installation Failure',
};
const statusWords = { 0: 'Disabled', 1: 'Enabled', 2: 'Uninstalled', 3: 'Fail Closed', 4: 'Managed' };
const statusV2Words = { 0: 'Uninstalled', 1: 'Dormant', 2: 'Enabled', 3: 'Disabled' };
const osWords = { 0: 'Windows', 1: 'Mac', 3: 'Android', 4: 'Windows Server' };

/** Every field of client status that is asked for, by its name in queries: the projection and the parser in one. */
const statusFields = {
  _id: z.unknown(),
  hostname: name,
  timestamp: moment,
  ts: moment,
  last_event_timestamp: moment,
  'host_info.hostname': name,
  'host_info.os': word(osWords),
  'host_info.device_model': text,
  'host_info.serial_number': name,
  'host_info.mac_addresses': texts.transform((list) => list.filter(vendorName).slice(0, mostAddresses)),
  'host_info.nsdeviceuid': name,
  'host_info.old_nsdeviceuid': name,
  'host_info.steering_config': name,
  'host_info.last_update_timestamp': moment,
  'last_seen_device_event.event': word(eventWords),
  'last_seen_device_event.status': word(statusWords),
  'last_seen_device_event.status_v2': word(statusV2Words),
  'last_seen_device_event.service_name': text,
  'last_seen_device_event.timestamp': moment,
  'user_info.username': name,
  'user_info.userkey': name,
  organization_unit: text,
  usergroup: text,
  last_connected_from_public_ip: text,
  last_connected_from_private_ip: text,
  city: text,
  region: text,
  country: text,
  latitude: decimal,
  longitude: decimal,
};

/** One record of client status, keyed by dotted names whatever its form was. */
export const statusRecord = flattened(statusFields);
export type StatusRecord = z.infer<typeof statusRecord>;
export const statusFieldNames = Object.keys(statusFields);

const eventFields = {
  _id: z.unknown(),
  timestamp: moment,
  user: name,
  userkey: name,
  hostname: name,
  srcip: text,
  userip: text,
  src_location: text,
  src_region: text,
  src_country: text,
  src_latitude: decimal,
  src_longitude: decimal,
  app: text,
  domain: text,
  policy: text,
  action: text,
};
/** Page and network events carry no installation id (SCHEMA: only alerts and application events do). */
export const eventFieldNames = Object.keys(eventFields);
export const alertFieldNames = [...eventFieldNames, 'nsdeviceuid'];
/** One alert, page event or network event. */
export const eventRecord = flattened({ ...eventFields, nsdeviceuid: name });
export type EventRecord = z.infer<typeof eventRecord>;

/** A page of datasearch. Records are read one by one, so that a bad one can be put aside. */
export const searchPage = z.object({
  result: z
    .array(z.unknown())
    .nullish()
    .transform((list) => list ?? []),
});

const scimResource = z.object({ id: z.string().min(1) });
const scimList = <T extends z.ZodType>(resource: T) =>
  // Missing when the list is empty (COMM 6142).
  z.object({
    Resources: z
      .array(resource)
      .nullish()
      .transform((list) => list ?? []),
  });
export const scimUser = scimResource.extend({ userName: name });
export const scimUsers = scimList(scimUser);
export const scimGroups = scimList(scimResource.extend({ displayName: name, externalId: name }));
/** One group with its members, which come only when asked for. */
export const scimGroup = scimResource.extend({
  members: z
    .array(z.object({ value: z.string() }))
    .nullish()
    .transform((list) => list ?? []),
});

/** `POST /users/getusers` (SDK, AS4PUR). */
export const managedUsers = z.object({
  data: z
    .array(
      z.object({
        accounts: z
          .array(z.object({ scimId: name, userName: name, deleted: z.boolean().nullish(), parentGroups: texts }))
          .nullish()
          .transform((list) => list ?? []),
      }),
    )
    .nullish()
    .transform((list) => list ?? []),
});
/** `POST /users/getgroups`. */
export const managedGroups = z.object({
  data: z
    .array(z.object({ scimId: name, displayName: name, provisioner: text }))
    .nullish()
    .transform((list) => list ?? []),
});

/** `POST /devices/device/tags/gettags` (CE netskope_ztre). */
export const tagPage = z.object({
  data: z.object({
    data: z
      .array(z.object({ id: z.number(), name: z.string() }))
      .nullish()
      .transform((list) => list ?? []),
  }),
});
export const done = z.object({ success: z.literal(true) });
export const newTag = z.object({ data: z.object({ id: z.number() }) });

const loose = z.record(z.string(), z.unknown());
/** One client of v1: one device with its users (HAR: nearly every key is optional). */
export const v1Clients = z.object({
  data: z
    .array(
      z.object({
        attributes: z.object({
          _id: z.unknown(),
          host_info: loose.nullish(),
          last_event: loose.nullish(),
          users: z.array(loose).nullish(),
        }),
      }),
    )
    .nullish()
    .transform((list) => list ?? []),
});
const steeringExceptions = z.object({
  exceptions: z.object({ domains: z.object({ data: z.array(z.string()).nullish() }).nullish() }).nullish(),
});
/** One steering configuration of v1 (DOC22), as far as it is looked at. By location its exceptions stand in two blocks. */
export const v1SteeringConfig = z.object({
  data: z.array(
    steeringExceptions.extend({
      steering_config: name,
      private_apps_enabled: z.boolean().nullish(),
      // A text, "1" for the first (DOC22).
      priority: z.union([z.string(), z.number()]).nullish(),
      on_prem: steeringExceptions.nullish(),
      off_prem: steeringExceptions.nullish(),
    }),
  ),
});

/** `GET /deviceclassification/rules`: a bare array (CE, AS4PUR). */
export const classificationRules = z.array(z.object({ name: text, label: text, conditions: z.unknown() }));
/** `GET /policy/npa/rules` (Terraform docs/resources/npa_rules.md). */
export const npaRules = z.object({
  data: z
    .array(
      z.object({
        rule_name: text,
        enabled: text,
        rule_data: z
          .object({
            match_criteria_action: z.object({ action_name: text }).nullish(),
            user_groups: texts,
          })
          .nullish(),
      }),
    )
    .nullish()
    .transform((list) => list ?? []),
});

/** An object schema over dotted names, for records whose fields stand nested, dotted or flat. */
function flattened<T extends z.ZodRawShape>(fields: T) {
  const paths = Object.keys(fields).map((name) => [name, ...name.split('.')] as [string, string, string?]);
  return z.preprocess((value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
    const record = value as Record<string, unknown>;
    const flat: Record<string, unknown> = {};
    for (const [name, outer, inner] of paths) {
      if (inner === undefined) flat[name] = record[outer];
      else
        flat[name] =
          (record[outer] as Record<string, unknown> | null | undefined)?.[inner] ?? record[name] ?? record[inner];
    }
    return flat;
  }, z.object(fields));
}
