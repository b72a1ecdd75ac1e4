/**
 * A sighting: one sign of the device, with time, place, address and its class of evidence.
 * @module
 */
import type { ClientState, DeviceNames, MatchStrength } from './device';

/**
 * What kind of sign it is. Only `client` is the Netskope client itself speaking: it alone counts as online time.
 */
export type EvidenceClass = 'client' | 'cloud-traffic' | 'policy-block' | 'tool' | 'network' | 'sign-in' | 'person';

export interface Place {
  city?: string;
  region?: string;
  country?: string;
  latitude?: number;
  longitude?: number;
}

/** A client does not disable itself: somebody did. */
export type DisabledBy = 'its user' | 'an administrator';

export interface Sighting {
  /** Stable over repeated reads: made by the feed from the vendor's own identifiers. */
  id: string;
  /** When it happened, in the vendor's time. ISO 8601. */
  at: string;
  /** Plugin instance. */
  source: string;
  /** Feed of that instance, for instance `client-status`. */
  feed: string;
  evidence: EvidenceClass;
  match: Exclude<MatchStrength, 'none'>;
  device: DeviceNames;
  /** One short line for people, for instance `Tunnel Up`. */
  what: string;
  publicAddress?: string;
  privateAddress?: string;
  place?: Place;
  /** Name of the company's own site whose addresses it came from. */
  site?: string;
  client?: ClientState;
  /** Who disabled the client, where the record says so. */
  disabledBy?: DisabledBy;
  /** The vendor's own key of the user: it stays when the user is renamed. */
  userKey?: string;
  /** The time that the device itself gives, where its clock runs far ahead: `at` is the vendor's own. ISO 8601. */
  clockSays?: string;
  /** What the record says is applied on the device. */
  steeringConfig?: string;
  /** When the device last reported its own data. ISO 8601, vendor time. */
  hostInfoUpdatedAt?: string;
  /** Set when a policy decided: its name and what it did. */
  policy?: { name: string; action: string };
}

/** Online time that one more client sighting adds: the gap since the last one, when it is no longer than `onlineGapMs`. */
export function onlineTimeAddedMs(
  previousClientSightingAt: string | undefined,
  at: string,
  onlineGapMs: number,
): number {
  if (previousClientSightingAt === undefined) return 0;
  const gap = Date.parse(at) - Date.parse(previousClientSightingAt);
  return gap > 0 && gap <= onlineGapMs ? gap : 0;
}

/** `Exampleville NL (203.0.113.77)`, or undefined when nothing is known. */
export function describePlace(sighting: Pick<Sighting, 'place' | 'publicAddress'>): string | undefined {
  const place = [sighting.place?.city, sighting.place?.country].filter(Boolean).join(' ');
  if (place && sighting.publicAddress) return `${place} (${sighting.publicAddress})`;
  return place || sighting.publicAddress;
}

/** More of the same as the last one of this feed: same address, same configuration, same class of evidence. */
export function isRoutine(sighting: Sighting, known: Sighting[]): boolean {
  const last = known.find(({ source, feed }) => source === sighting.source && feed === sighting.feed);
  return (
    last !== undefined &&
    last.evidence === sighting.evidence &&
    last.publicAddress === sighting.publicAddress &&
    last.steeringConfig === sighting.steeringConfig &&
    last.client === sighting.client &&
    last.policy?.name === sighting.policy?.name
  );
}
