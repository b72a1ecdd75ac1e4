/**
 * Three feeds: what clients say of themselves, what the lost policy blocked, and what passed through the cloud.
 * @module
 */
import type { DeviceNames } from '../../playbook/device';
import { epoch, feedAnswer, inVendorTime, startOf, type FeedTimes } from '../feed-reading';
import type { FeedRecord, SightingFeed, WatchedDevice } from '../roles';
import { canBeAskedFor, oneOf, operations, quoted, searchAll, type NetskopeClients } from './client';
import type { Found, Inventory } from './inventory';
import { alertFieldNames, eventFieldNames, eventRecord, type EventRecord } from './schemas';
import type { NetskopeSettings } from './settings';
import {
  aboutInternetSecurity,
  byInstallation,
  deviceOf,
  known,
  placeOfEvent,
  readableUser,
  type ClientStatus,
} from './status';

export function createFeeds(
  settings: NetskopeSettings,
  clients: NetskopeClients,
  inventory: Inventory,
): SightingFeed[] {
  const { clientStatus, alerts, events } = settings.feeds;
  return [
    clientStatusFeed(clientStatus, inventory),
    alertFeed(alerts, settings.lostPolicy, clients),
    eventFeed(events, clients),
  ].map((feed) => inVendorTime(clients.v2, feed));
}

/** Up to this many devices are asked for by name: a new case's first look must not read the whole tenant. */
const askedByName = 10;
/**
 * A device that goes on doing the same thing at the same address is one sighting in this time (milliseconds). No setting: ids
 * of sightings are made of it, and by another one a case would count what it knows again.
 */
const sameThingMs = 5 * 60_000;

function clientStatusFeed(times: FeedTimes, inventory: Inventory): SightingFeed {
  return {
    name: 'client-status',
    ...times,
    regular: true,
    sees: (device) => Object.keys(machineNames(device)).length > 0,
    async read(watermark, watched, call) {
      const from = startOf(watermark, times, call.now);
      const found: Found =
        watched.length <= askedByName
          ? await inventory.named(watched.map(machineNames), call, from)
          : await inventory.since(from, call);
      const fresh = found.statuses.filter((status) => status.at !== undefined && epoch(status.at) >= from);
      const unreadable = found.statuses.filter((status) => status.at === undefined).length;
      const records = byInstallation(fresh).map(statusSighting);
      const nameless = fresh.length - byInstallation(fresh).flat().length;
      return feedAnswer(watermark, call.now, records, found.putAside + unreadable + nameless);
    },
  };
}

/** The user is asked for only where nothing names the machine: it would bring the user's other devices. */
function machineNames({ serial, nsdeviceuid, hostname, user }: DeviceNames): DeviceNames {
  const names = known<DeviceNames>({ serial, nsdeviceuid, hostname });
  return Object.keys(names).length > 0 ? names : known<DeviceNames>({ user });
}

/** One installation's newest sign. A Private Access record places the device, and does not decide on its client. */
function statusSighting(statuses: ClientStatus[]): FeedRecord {
  const newest = statuses[0] as ClientStatus;
  const decisive = statuses.find(({ service }) => aboutInternetSecurity(service)) ?? newest;
  const device = deviceOf('', statuses);
  const at = newest.at as string;
  const { nsdeviceuid, previousNsdeviceuid, serial, hostname, user } = device;
  const idle = newest.eventAt === undefined || Math.abs(epoch(at) - epoch(newest.eventAt)) > 60;
  const event = [aboutInternetSecurity(newest.service) ? undefined : newest.service, newest.event]
    .filter(Boolean)
    .join(': ');
  return known<FeedRecord>({
    id: [
      nsdeviceuid ?? serial ?? hostname,
      newest.service ?? 'Internet Security',
      slot(at),
      newest.eventAt ?? '',
      newest.event ?? '',
      device.client,
      device.steeringConfig ?? '',
      device.hostInfoUpdatedAt ?? '',
      newest.publicAddress ?? '',
    ].join('|'),
    at,
    evidence: 'client',
    device: known<DeviceNames>({ nsdeviceuid, previousNsdeviceuid, serial, hostname, user }),
    userKey: device.userKey,
    clockSays: newest.clockSays,
    what: !event ? 'Heartbeat' : idle ? `Heartbeat, last event ${event}` : event,
    publicAddress: newest.publicAddress,
    privateAddress: newest.privateAddress,
    place: newest.place,
    client: aboutInternetSecurity(decisive.service) ? decisive.client : undefined,
    disabledBy: decisive.disabledBy,
    steeringConfig: device.steeringConfig,
    hostInfoUpdatedAt: device.hostInfoUpdatedAt,
  });
}

function alertFeed(times: FeedTimes, lostPolicy: string, { v2 }: NetskopeClients): SightingFeed {
  const query = `alert_type eq 'policy' and policy eq ${quoted(lostPolicy, 'lostPolicy')}`;
  return {
    name: 'alerts',
    ...times,
    regular: false,
    sees: ({ nsdeviceuid, hostname }) => nsdeviceuid !== undefined || hostname !== undefined,
    async read(watermark, _watched, call) {
      const from = startOf(watermark, times, call.now);
      const rows = await searchAll(v2, operations.alerts, { query, fields: alertFieldNames, from }, call);
      const { records, putAside } = readEvents(rows, (event) => {
        const action = event.action ?? 'unknown';
        return {
          id: [
            event.nsdeviceuid ?? event.hostname,
            'alert',
            event.policy,
            action,
            event.srcip,
            slot(event.timestamp as string),
          ].join('|'),
          evidence: 'policy-block',
          what: `${action} by policy ${event.policy ?? lostPolicy}`,
          policy: { name: event.policy ?? lostPolicy, action },
        };
      });
      return feedAnswer(watermark, call.now, records, putAside);
    },
  };
}

function eventFeed(times: FeedTimes & { userBatch: number }, { v2 }: NetskopeClients): SightingFeed {
  const { userBatch, ...polls } = times;
  const kinds = [
    ['page', operations.pages],
    ['network', operations.network],
  ] as const;
  return {
    name: 'events',
    ...polls,
    // It depends on what the user does, and comes late.
    regular: false,
    sees: ({ user, hostname }) => user !== undefined && hostname !== undefined,
    async read(watermark, watched, call) {
      const from = startOf(watermark, times, call.now);
      const perKind = await Promise.all(
        kinds.map(async ([kind, operation]) => {
          const read = { records: [] as FeedRecord[], putAside: 0 };
          for (const query of eventQueries(watched, userBatch)) {
            const rows = await searchAll(v2, operation, { query, fields: eventFieldNames, from }, call);
            const { records, putAside } = readEvents(rows, (event) => {
              const target = event.app ?? event.domain;
              return {
                id: [event.hostname, event.user, kind, event.srcip, slot(event.timestamp as string)].join('|'),
                evidence: 'cloud-traffic',
                what: `${kind === 'page' ? 'Web' : 'Network'} traffic${target === undefined ? '' : ` to ${target}`}`,
              };
            });
            read.records.push(...records);
            read.putAside += putAside;
          }
          return read;
        }),
      );
      const putAside = perKind.reduce((sum, read) => sum + read.putAside, 0);
      return feedAnswer(
        watermark,
        call.now,
        perKind.flatMap((read) => read.records),
        putAside,
      );
    },
  };
}

/**
 * Events name a device by hostname and user only, so both must be known, and both must fit: hostnames are used again,
 * and one user has several devices. Names that no query can hold are left out: one device must not blind the others.
 */
function eventQueries(watched: WatchedDevice[], userBatch: number): string[] {
  const hostsOf = new Map<string, string[]>();
  for (const { user, hostname } of watched) {
    if (user === undefined || hostname === undefined || ![user, hostname].every(canBeAskedFor)) continue;
    hostsOf.set(user, [...(hostsOf.get(user) ?? []), hostname]);
  }
  const users = [...hostsOf.keys()];
  const queries: string[] = [];
  for (let first = 0; first < users.length; first += userBatch) {
    const batch = users.slice(first, first + userBatch);
    const hosts = batch.flatMap((user) => hostsOf.get(user) ?? []);
    queries.push(`${oneOf('user', batch, 'user')} and ${oneOf('hostname', hosts, 'hostname')}`);
  }
  return queries;
}

/** Alerts and events in the words of a feed. Those without a time or a name are put aside. */
function readEvents(
  rows: unknown[],
  describe: (event: EventRecord) => Pick<FeedRecord, 'id' | 'evidence' | 'what' | 'policy'>,
): { records: FeedRecord[]; putAside: number } {
  const records: FeedRecord[] = [];
  for (const row of rows) {
    const parsed = eventRecord.safeParse(row);
    if (!parsed.success) continue;
    const event = parsed.data;
    const { timestamp: at, hostname, nsdeviceuid, srcip, userip } = event;
    if (at === undefined || (hostname === undefined && nsdeviceuid === undefined)) continue;
    records.push(
      known<FeedRecord>({
        ...describe(event),
        at,
        device: known<DeviceNames>({ nsdeviceuid, hostname, user: readableUser(event.user) }),
        userKey: event.userkey,
        publicAddress: srcip,
        privateAddress: userip,
        place: placeOfEvent(event),
      }),
    );
  }
  return { records, putAside: rows.length - records.length };
}

function slot(iso: string): number {
  return Math.floor(Date.parse(iso) / sameThingMs);
}
