/**
 * Sign-ins as a sighting feed: somebody typed at the lost device, wherever its own client is silent.
 * @module
 */
import { z } from 'zod';
import type { Place } from '../../playbook/sighting';
import { feedAnswer, inVendorTime, startOf, epoch, type FeedTimes } from '../feed-reading';
import { itemsOf, odataMoment, odataText } from '../graph';
import { vendorName, vendorWords } from '../../playbook/plain-text';
import type { FeedRecord, SightingFeed, WatchedDevice } from '../roles';
import { createGraph, operations } from './graph';
import type { EntraSettings } from './settings';

/**
 * Reports take five requests in ten seconds from one app (learn.microsoft.com/graph/throttling-limits). Evenly, so that no
 * page of a long reading has to wait for longer than the client would.
 */
const reportsPace = { requests: 1, perMs: 2_000 };
/** Users in one question: the filter travels in the address. */
const usersPerRequest = 15;

export function createSignInFeed(settings: EntraSettings, times: FeedTimes): SightingFeed {
  const graph = createGraph(settings, reportsPace);
  return inVendorTime(graph, {
    name: 'sign-ins',
    ...times,
    // It depends on what the user does.
    regular: false,
    // A sign-in names the device by its display name, so the user must agree as well.
    sees: ({ user, hostname }) => user !== undefined && hostname !== undefined,

    async read(watermark, watched, call) {
      const from = startOf(watermark, times, call.now);
      const records: FeedRecord[] = [];
      let putAside = 0;
      for (const users of usersOf(watched)) {
        const query = { $filter: filterOf(users, from) };
        for await (const row of itemsOf(graph, operations.listSignIns, z.unknown(), { call, query })) {
          const parsed = signInSchema.safeParse(row);
          if (!parsed.success) putAside += 1;
          // Graph has been seen to leave a filter out of account and to answer with anybody's sign-ins.
          else if (epoch(parsed.data.createdDateTime) >= from) records.push(...sightingOf(parsed.data));
        }
      }
      return feedAnswer(watermark, call.now, records, putAside);
    },
  });
}

/** The log keeps user names in small letters, and compares them exactly (microsoft-graph-docs issues 13684, 9049). */
function usersOf(watched: WatchedDevice[]): string[][] {
  const named = watched.filter(({ user, hostname }) => user !== undefined && hostname !== undefined);
  // What is no name of anybody must not keep the others from being asked for.
  const users = [...new Set(named.flatMap(({ user }) => vendorName(user?.toLowerCase()) ?? []))];
  return Array.from({ length: Math.ceil(users.length / usersPerRequest) }, (_, batch) =>
    users.slice(batch * usersPerRequest, (batch + 1) * usersPerRequest),
  );
}

function filterOf(users: string[], fromSeconds: number): string {
  const anyOfThem = users.map((user) => `userPrincipalName eq ${odataText(user)}`).join(' or ');
  return `createdDateTime ge ${odataMoment(fromSeconds)} and (${anyOfThem})`;
}

const text = z.string().nullish().transform(vendorWords);
const name = z.string().nullish().transform(vendorName);
const decimal = z
  .number()
  .nullish()
  .transform((value) => value ?? undefined);

/** `signIn` of Graph v1.0, as far as it is read. What is not known is null, empty or missing. */
const signInSchema = z.object({
  id: z.string().min(1),
  createdDateTime: z
    .string()
    .refine((value) => !Number.isNaN(Date.parse(value)))
    .transform((value) => new Date(value).toISOString()),
  userPrincipalName: name,
  appDisplayName: text,
  ipAddress: text,
  status: z.object({ errorCode: z.number().nullish(), failureReason: text }).nullish(),
  deviceDetail: z.object({ displayName: name }).nullish(),
  location: z
    .object({
      city: text,
      state: text,
      countryOrRegion: text,
      geoCoordinates: z.object({ latitude: decimal, longitude: decimal }).nullish(),
    })
    .nullish(),
});
type SignIn = z.infer<typeof signInSchema>;

/**
 * Empty where the sign-in names no device: a browser on any machine has none. A refused one is a sighting too, since the
 * device is online and somebody is typing at it.
 */
function sightingOf(signIn: SignIn): FeedRecord[] {
  const { id, createdDateTime: at, userPrincipalName: user, appDisplayName: app, ipAddress, status } = signIn;
  const hostname = signIn.deviceDetail?.displayName;
  if (hostname === undefined || user === undefined) return [];
  const code = status?.errorCode ?? 0;
  const place = placeOf(signIn.location);
  const to = app === undefined ? '' : ` to ${app}`;
  return [
    {
      id,
      at,
      evidence: 'sign-in',
      device: { hostname, user },
      what:
        code === 0
          ? `Signed in${to}`
          : `Sign-in refused: ${status?.failureReason ?? `error ${code}`}${app === undefined ? '' : ` (${app})`}`,
      ...(ipAddress !== undefined && { publicAddress: ipAddress }),
      ...(place && { place }),
    },
  ];
}

function placeOf(location: SignIn['location']): Place | undefined {
  const { city, state: region, countryOrRegion: country } = location ?? {};
  const { latitude, longitude } = location?.geoCoordinates ?? {};
  const known = Object.entries({ city, region, country, latitude, longitude }).filter(
    ([, value]) => value !== undefined,
  );
  return known.length > 0 ? Object.fromEntries(known) : undefined;
}
