/**
 * Synchronisations with Intune as a sighting feed: the device is on and online, whatever its Netskope client does.
 * @module
 */
import { z } from 'zod';
import { epoch, feedAnswer, inVendorTime, startOf, type FeedTimes } from '../feed-reading';
import { itemsOf, odataMoment } from '../graph';
import type { FeedRecord, SightingFeed } from '../roles';
import { createGraph, deviceSchema, namesOf, operations, type Device } from './graph';
import type { IntuneSettings } from './settings';

const fields = 'id,deviceName,serialNumber,userPrincipalName,enrolledDateTime,lastSyncDateTime';

export function createLastSeenFeed(settings: IntuneSettings, times: FeedTimes): SightingFeed {
  const graph = createGraph(settings);
  return inVendorTime(graph, {
    name: 'last-seen',
    ...times,
    // A device that is on may say nothing for hours.
    regular: false,
    // By its hostname alone it could be anybody's.
    sees: ({ serial, hostname, user }) => serial !== undefined || (hostname !== undefined && user !== undefined),

    async read(watermark, _watched, call) {
      const from = startOf(watermark, times, call.now);
      const query = { $filter: `lastSyncDateTime ge ${odataMoment(from)}`, $select: fields };
      const records: FeedRecord[] = [];
      let putAside = 0;
      for await (const row of itemsOf(graph, operations.listDevices, z.unknown(), { call, query })) {
        const parsed = deviceSchema.safeParse(row);
        if (parsed.success) records.push(...sightingsOf(parsed.data, from));
        else putAside += 1;
      }
      return feedAnswer(watermark, call.now, records, putAside);
    },
  });
}

/**
 * One of the synchronisation, and one of an enrolment that is as new: somebody has set the device up again. Graph may
 * leave the filter out of account, so older ones are dropped here.
 */
function sightingsOf(device: Device, from: number): FeedRecord[] {
  const seen = (what: string, at: string | undefined): FeedRecord[] =>
    at === undefined || epoch(at) < from
      ? []
      : [{ id: `${device.id}|${what}|${at}`, at, evidence: 'tool', device: namesOf(device), what }];
  return [
    ...seen('Enrolled anew', device.enrolledDateTime),
    ...seen('Synchronised with Intune', device.lastSyncDateTime),
  ];
}
