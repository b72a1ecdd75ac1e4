/**
 * Devices and their sightings, as published forms.
 * @module
 */
import { z } from 'zod';
import type { DeviceNames, ManagedDevice } from '../device';
import type { Sighting } from '../sighting';
import { time } from './report';

const clientState = z.enum(['enabled', 'disabled', 'uninstalled', 'fail closed', 'dormant', 'unknown']);

export const deviceNamesSchema = z.object({
  nsdeviceuid: z.string().exactOptional(),
  previousNsdeviceuid: z.string().exactOptional(),
  serial: z.string().exactOptional(),
  hostname: z.string().exactOptional(),
  user: z.string().exactOptional(),
}) satisfies z.ZodType<DeviceNames>;

export const managedDeviceSchema = deviceNamesSchema.extend({
  source: z.string(),
  userKey: z.string().exactOptional(),
  os: z.string().exactOptional(),
  model: z.string().exactOptional(),
  team: z.string().exactOptional(),
  macAddresses: z.array(z.string()).exactOptional(),
  lastSeenAt: time.exactOptional(),
  steeringConfig: z.string().exactOptional(),
  hostInfoUpdatedAt: time.exactOptional(),
  client: clientState,
}) satisfies z.ZodType<ManagedDevice>;

export const sightingSchema = z.object({
  id: z.string(),
  at: time,
  source: z.string(),
  feed: z.string(),
  evidence: z
    .enum(['client', 'cloud-traffic', 'policy-block', 'tool', 'network', 'sign-in', 'person'])
    .describe('Only `client` counts as online time.'),
  match: z.enum(['device', 'likely']),
  device: deviceNamesSchema,
  what: z.string(),
  publicAddress: z.string().exactOptional(),
  privateAddress: z.string().exactOptional(),
  place: z
    .object({
      city: z.string().exactOptional(),
      region: z.string().exactOptional(),
      country: z.string().exactOptional(),
      latitude: z.number().exactOptional(),
      longitude: z.number().exactOptional(),
    })
    .exactOptional(),
  site: z.string().exactOptional().describe("The company's own site whose addresses it came from."),
  client: clientState.exactOptional(),
  disabledBy: z.enum(['its user', 'an administrator']).exactOptional(),
  userKey: z.string().exactOptional(),
  clockSays: time.exactOptional().describe("The device's own time, where its clock runs far ahead."),
  steeringConfig: z.string().exactOptional(),
  hostInfoUpdatedAt: time.exactOptional(),
  policy: z.object({ name: z.string(), action: z.string() }).exactOptional(),
}) satisfies z.ZodType<Sighting>;
