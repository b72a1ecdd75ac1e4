/**
 * Presence: silent, seen, or blind. Every new sighting also climbs the proof ladder and, when armed, contains again.
 * @module
 */
import type { CaseState } from '../../playbook/case';
import { namesOf, takeSighting } from '../../playbook/case';
import { clockTime } from '../../playbook/clock-time';
import type { Sighting } from '../../playbook/sighting';
import { describePlace, isRoutine } from '../../playbook/sighting';
import type { CaseFile } from '../case-file';
import { act } from '../case-file';
import type { SightingBatch } from '../messages';
import { configuration } from './configuration';
import { containAgain } from './containment';

/** The case's own first look; after that the fleet watches signal what is new. */
export async function presence(c: CaseFile): Promise<void> {
  const { state } = c;
  await c.until(() => c.ending || state.device !== undefined);
  if (c.ending || state.presence.firstLookAt !== undefined) return;
  const looked = await c.step(
    'first look at every feed',
    () => act.firstLook({ tenant: state.tenant, now: c.now, workflowId: state.workflowId, device: namesOf(state) }),
    { track: 'presence' },
  );
  if (looked === undefined) return;
  state.presence.firstLookAt = c.now;
  for (const line of looked.unreadable)
    c.say('presence', 'A feed could not be read at the first look.', { evidence: line });
  takeNews(c, { feed: 'first look', sightings: looked.sightings });
}

/** News from one feed: count each sighting once, in the order of its time. */
export function takeNews(c: CaseFile, batch: SightingBatch): void {
  const { state } = c;
  if (batch.blindSince !== undefined) takeHealth(c, batch.feed, batch.blindSince);
  const inOrder = [...batch.sightings].sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
  for (const sighting of inOrder) {
    const routine = isRoutine(sighting, state.presence.recent);
    if (!takeSighting(state, sighting)) continue;
    const news = isNews(state, sighting);
    const firstSince = news && state.presence.state !== 'seen';
    if (news) state.presence.state = 'seen';
    c.say('presence', `${news ? 'Seen' : 'Known from before'}: ${sighting.what}.`, {
      at: sighting.at,
      evidence: evidenceOf(sighting),
      note: firstSince,
      routine: routine && !firstSince,
    });
    if (firstSince)
      c.page(
        `seen:${state.containment.times}`,
        'The lost device was seen',
        `${sighting.what} at ${clockTime(sighting.at)}. ${evidenceOf(sighting)}`,
      );
    if (news && isBack(state, sighting) && !c.ending) containAgain(c);
    configuration(c, sighting);
  }
}

/** Newer than what was known when the case opened: both are the vendor's own times. */
function isNews(state: CaseState, sighting: Sighting): boolean {
  const known = state.device?.lastSeenAt;
  return known === undefined || Date.parse(sighting.at) > Date.parse(known);
}

/** Seen after its user was released for a replacement. */
function isBack({ containment: { armed, armedSince } }: CaseState, sighting: Sighting): boolean {
  return armed && (armedSince === undefined || Date.parse(sighting.at) > Date.parse(armedSince));
}

function takeHealth(c: CaseFile, feed: string, since: string | null): void {
  const { presence } = c.state;
  if (since === null) {
    if (presence.blindFeeds[feed] === undefined) return;
    delete presence.blindFeeds[feed];
    c.say('presence', `Feed ${feed} can be read again.`, { note: true });
    if (presence.state === 'blind' && Object.keys(presence.blindFeeds).length === 0)
      presence.state = presence.last ? 'seen' : 'silent';
    return;
  }
  presence.blindFeeds[feed] = since;
  presence.state = 'blind';
  c.say('presence', `Blind: feed ${feed} cannot be read since ${clockTime(since)}. Silence means nothing now.`, {
    note: true,
  });
}

function evidenceOf(sighting: Sighting): string {
  const place = describePlace(sighting);
  return [
    `${sighting.source} ${sighting.feed}`,
    sighting.match === 'device' ? 'the device itself' : 'hostname and user agree',
    place && `at ${place}`,
    sighting.privateAddress && `own address ${sighting.privateAddress}`,
    sighting.steeringConfig && `steering "${sighting.steeringConfig}"`,
    sighting.policy && `policy "${sighting.policy.name}": ${sighting.policy.action}`,
  ]
    .filter(Boolean)
    .join(', ');
}
