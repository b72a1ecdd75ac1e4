/**
 * When Falcon last saw each sensor, as a sighting feed. The sensor speaks whenever the device is on, also when somebody has
 * switched the Netskope client off, and while the device is isolated.
 * @module
 */
import { feedAnswer, inVendorTime, startOf, type FeedTimes } from '../feed-reading';
import type { FeedRecord, SightingFeed } from '../roles';
import { createFalcon, hostSchema, namesOf, search, seenSince, type Host } from './hosts';
import { isolationOf } from './endpoint-detection';
import type { CrowdStrikeSettings } from './settings';

export function createLastSeenFeed(settings: CrowdStrikeSettings, times: FeedTimes): SightingFeed {
  const falcon = createFalcon(settings);
  return inVendorTime(falcon, {
    name: 'last-seen',
    ...times,
    regular: true,
    // A hostname alone names nobody: it would need the user as well, and Falcon knows the session's name only.
    sees: ({ serial }) => serial !== undefined,

    /** The whole company: the watch picks what it knows. Falcon keeps only the last moment of each host, and each is told. */
    async read(watermark, _watched, call) {
      const records: FeedRecord[] = [];
      let putAside = 0;
      for await (const row of search(falcon, seenSince(startOf(watermark, times, call.now)), call)) {
        const host = hostSchema.safeParse(row).data;
        const record = host && sightingOf(host);
        if (record) records.push(record);
        else putAside += 1;
      }
      return feedAnswer(watermark, call.now, records, putAside);
    },
  });
}

function sightingOf(host: Host): FeedRecord | undefined {
  const { device_id: id, last_seen: at, external_ip: publicAddress, local_ip: privateAddress } = host;
  const device = namesOf(host);
  if (at === undefined || Object.keys(device).length === 0) return undefined;
  const isolation = isolationOf(host.status);
  return {
    id: `${id}@${at}`,
    at,
    evidence: 'tool',
    device,
    what: isolation === 'none' ? 'Falcon sensor seen' : `Falcon sensor seen, ${isolation}`,
    ...(publicAddress !== undefined && { publicAddress }),
    ...(privateAddress !== undefined && { privateAddress }),
  };
}
