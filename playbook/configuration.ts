/**
 * The proof ladder: member → applied → biting. Each rung needs evidence of its own; being online is not being configured.
 * @module
 */
import type { CaseState, ConfigurationTrack } from './case';
import type { Sighting } from './sighting';
import { onlineTimeAddedMs } from './sighting';
import { clockTime, duration } from './clock-time';
import { clientTampering } from './tamper';

/** What the ladder needs to know of the tenant. */
export interface LadderNames {
  lostSteeringConfig: string;
  lostPolicy: string;
}

/** The move was read back in secure access: the first rung. */
export function moveSeen(state: CaseState, at: string, evidence: string): void {
  const track = state.configuration;
  track.rungs = { member: { at, evidence } };
  track.state = 'member';
  track.changedAt = at;
  const newestAt = [state.device?.lastSeenAt, state.presence.last?.at].reduce(later, undefined);
  track.before = {
    ...(state.device?.steeringConfig !== undefined && { steeringConfig: state.device.steeringConfig }),
    ...(state.device?.hostInfoUpdatedAt !== undefined && { hostInfoUpdatedAt: state.device.hostInfoUpdatedAt }),
    ...(newestAt !== undefined && { newestAt }),
  };
  track.onlineMs = 0;
  delete track.lastClientSightingAt;
  delete track.expectedBy;
  delete track.overdueBecause;
  delete track.overdueSince;
  explain(state);
}

/** Containment ended: nothing is to be proven any more. */
export function ladderTakenDown(state: CaseState, says: string): void {
  state.configuration = { state: 'unverified', rungs: {}, onlineMs: 0, says };
}

/**
 * Take one new sighting up the ladder. Returns the sentence to journal when the state changed.
 * *Applied* is the lost steering configuration's name on a record that differs from the one read before the change.
 */
export function climb(state: CaseState, names: LadderNames, sighting: Sighting): string | undefined {
  const track = state.configuration;
  if (track.rungs.member === undefined || !isNewer(track, sighting)) return undefined;
  const before = track.state;
  const rungs = Object.keys(track.rungs).length;
  countOnlineTime(state, sighting);
  if (track.rungs.applied === undefined && provesApplied(track, names, sighting)) {
    track.rungs.applied = {
      at: sighting.at,
      evidence: `The device reports steering configuration "${names.lostSteeringConfig}" (${sighting.source} ${sighting.feed} ${sighting.id})`,
    };
    if (track.rungs.biting === undefined) track.state = 'applied';
  }
  if (track.rungs.biting === undefined && provesBiting(names, sighting)) {
    track.rungs.biting = {
      at: sighting.at,
      evidence: `Policy "${names.lostPolicy}" blocked the device (${sighting.source} ${sighting.feed} ${sighting.id})`,
    };
    track.state = 'biting';
  }
  const { syncEveryMs, downloadMs, graceMs } = state.rules.configuration;
  if (track.state === 'member' && track.onlineMs > syncEveryMs + downloadMs + graceMs) {
    track.state = 'overdue';
    track.overdueSince = sighting.at;
    track.overdueBecause =
      `the client was online for ${duration(track.onlineMs)} since the move and still reports ` +
      (sighting.steeringConfig ? `"${sighting.steeringConfig}"` : 'no lost configuration') +
      `; a client asks every ${duration(syncEveryMs)} and downloads within ${duration(downloadMs)}. ` +
      'Check that the lost configurations stand first in both lists';
  }
  if (track.state === 'applied' || track.state === 'biting') {
    delete track.overdueBecause;
    delete track.overdueSince;
  }
  explain(state);
  return track.state === before && Object.keys(track.rungs).length === rungs ? undefined : track.says;
}

function countOnlineTime(state: CaseState, sighting: Sighting): void {
  const track = state.configuration;
  if (sighting.evidence !== 'client') return;
  const last = track.lastClientSightingAt;
  if (last !== undefined && Date.parse(sighting.at) <= Date.parse(last)) return;
  const { syncEveryMs, downloadMs, onlineGapMs } = state.rules.configuration;
  track.onlineMs += onlineTimeAddedMs(last, sighting.at, onlineGapMs);
  track.lastClientSightingAt = sighting.at;
  const leftMs = Math.max(0, syncEveryMs + downloadMs - track.onlineMs);
  track.expectedBy = new Date(Date.parse(sighting.at) + leftMs).toISOString();
}

function provesApplied(track: ConfigurationTrack, names: LadderNames, sighting: Sighting): boolean {
  if (sighting.evidence !== 'client' || sighting.steeringConfig !== names.lostSteeringConfig) return false;
  // The record itself must be newer than the one read before the change: an old one may carry the name from last time.
  const before = track.before;
  const differs =
    before?.steeringConfig !== sighting.steeringConfig || before.hostInfoUpdatedAt !== sighting.hostInfoUpdatedAt;
  return differs && sighting.match === 'device';
}

function provesBiting(names: LadderNames, sighting: Sighting): boolean {
  if (sighting.evidence !== 'policy-block' || sighting.policy?.name !== names.lostPolicy) return false;
  return /block/i.test(sighting.policy.action) && sighting.match === 'device';
}

/** Vendor time is compared with vendor time: our clock may be another one. */
function isNewer(track: ConfigurationTrack, sighting: Sighting): boolean {
  const newestAt = track.before?.newestAt;
  return newestAt === undefined || Date.parse(sighting.at) > Date.parse(newestAt);
}

function later(a: string | undefined, b: string | undefined): string | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return Date.parse(a) >= Date.parse(b) ? a : b;
}

/** Keep the one sentence for people in step with the state. */
export function explain(state: CaseState): void {
  const track = state.configuration;
  const last = state.presence.last;
  if (track.state === 'unverified') return;
  const tampered = clientTampering(state);
  if (track.state === 'biting') {
    track.says = track.rungs.applied
      ? 'Proven: the lost policy blocks this device, and it reports the lost steering configuration. The client configuration can only be read on the device.'
      : 'The lost policy blocks this device, but it does not report the lost steering configuration yet.';
  } else if (track.state === 'applied') {
    track.says =
      'Steering proven, client configuration not proven: the device reports the lost steering configuration. No blocked traffic seen yet.';
  } else if (track.state === 'overdue') {
    track.says = `Overdue: ${track.overdueBecause ?? 'the reason is not known'}.`;
  } else if (track.lastClientSightingAt === undefined) {
    const seen = last
      ? `last seen ${clockTime(last.at)} by ${last.source}`
      : state.device?.lastSeenAt
        ? `last seen ${clockTime(state.device.lastSeenAt)} by ${state.device.source}`
        : 'never seen';
    track.says = `Not proven, ${seen}, will verify on return.`;
  } else {
    track.says =
      `Not proven: online for ${duration(track.onlineMs)} since the move, last seen ${clockTime(track.lastClientSightingAt)}; ` +
      `expected by ${track.expectedBy ? clockTime(track.expectedBy) : 'an unknown time'} if it stays online, otherwise it will verify on return.`;
  }
  if (tampered !== undefined) track.says = `${tampered.says} Before that: ${track.says}`;
}
