/**
 * Presence: silent, seen, or blind. Every new sighting also climbs the proof ladder and, when armed, contains again.
 * @module
 */
import type { CaseState } from '../../playbook/case';
import { isNews, namesOf, takeSighting } from '../../playbook/case';
import { clockTime } from '../../playbook/clock-time';
import { ranFor } from '../../playbook/ladder';
import type { Sighting } from '../../playbook/sighting';
import { describePlace, isRoutine } from '../../playbook/sighting';
import { factsOf } from '../../playbook/troubles';
import { mayBeNamesake, tamperSigns } from '../../playbook/tamper';
import { speaksAfterWipe } from '../../playbook/wipe';
import type { CaseFile } from '../case-file';
import { act } from '../case-file';
import type { SightingBatch } from '../messages';
import { configuration } from './configuration';
import { containAgain } from './containment';
import { askAboutOffice } from './escalation';
import { takeNamesakes, takeTamperSigns } from './tampering';
import { reopen, setUpAgain } from '../written-off';

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
  // Answers of before the ladder name no feeds.
  for (const { name, regular } of (looked as { feeds?: { name: string; regular: boolean }[] }).feeds ?? [])
    listensFor(c, name, regular);
  for (const line of looked.unreadable)
    c.say('presence', 'A feed could not be read at the first look.', { evidence: line });
  takeNews(c, { feed: 'first look', sightings: looked.sightings });
}

/** News from one feed: count each sighting once, in the order of its time. */
export function takeNews(c: CaseFile, batch: SightingBatch): void {
  const { state } = c;
  if (batch.regular !== undefined) listensFor(c, batch.feed, batch.regular);
  if (batch.blindSince !== undefined) takeHealth(c, batch.feed, batch.blindSince);
  if (c.heedsTampering && !c.ending) takeNamesakes(c, batch.namesakes ?? []);
  const inOrder = [...batch.sightings].sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
  for (const sighting of inOrder) {
    const routine = isRoutine(sighting, state.presence.recent);
    if (!takeSighting(state, sighting)) continue;
    const unsure = c.heedsTampering && mayBeNamesake(state, sighting);
    const news = isNews(state, sighting) && !unsure;
    const signs = news && c.heedsTampering && !c.ending ? tamperSigns(state, sighting) : undefined;
    const firstSince = news && state.presence.state !== 'seen';
    const silence = state.presence.unheardSince;
    if (news) hear(c, sighting);
    const how = news ? 'Seen' : unsure ? 'Seen, or another machine of that name' : 'Known from before';
    c.say('presence', `${how}: ${sighting.what}.`, {
      at: sighting.at,
      evidence: evidenceOf(sighting),
      note: firstSince,
      routine: routine && !firstSince,
    });
    const told = `${sighting.what} at ${clockTime(sighting.at)}. ${evidenceOf(sighting)}`;
    if (firstSince)
      c.page(c.hasLadder ? `seen:${silence}` : `seen:${state.containment.times}`, 'The lost device was seen', told);
    if (!c.ending && speaksAfterWipe(state, sighting.at)) setUpAgain(c, told);
    if (news && isBack(state, sighting)) {
      if (state.listening !== undefined) reopen(c, told);
      if (!c.ending) containAgain(c);
    }
    if (news && c.hasLadder && !c.ending) askAboutOffice(c, sighting);
    if (signs) takeTamperSigns(c, sighting, signs);
    if (!unsure) configuration(c, sighting);
  }
}

/** It was heard: silence begins anew. What is told late does not make it older, and no clock runs ahead of ours. */
function hear({ state: { presence }, now }: CaseFile, { at, evidence, source }: Sighting): void {
  presence.state = 'seen';
  const heardAt = at < now ? at : now;
  if (heardAt > presence.unheardSince) presence.unheardSince = heardAt;
  const { heard } = presence;
  if (evidence === 'client' || evidence === 'cloud-traffic' || evidence === 'policy-block') {
    if (heard.client === undefined || heard.client < at) heard.client = at;
  } else if (heard.other === undefined || heard.other.at < at) heard.other = { at, source };
}

/** A feed that would speak whenever the device is online. */
function listensFor({ state: { presence } }: CaseFile, feed: string, regular: boolean): void {
  if (regular && !presence.regular.includes(feed)) presence.regular.push(feed);
}

/** Seen after its user was released for a replacement. */
function isBack({ containment: { armed, armedSince } }: CaseState, sighting: Sighting): boolean {
  return armed && (armedSince === undefined || Date.parse(sighting.at) > Date.parse(armedSince));
}

/** Blind is a case that no feed is left to hear it by: silence would mean something to none of them. */
function takeHealth(c: CaseFile, feed: string, since: string | null): void {
  const { presence } = c.state;
  const { blindFeeds, regular } = presence;
  if (since === null ? blindFeeds[feed] === undefined : blindFeeds[feed] !== undefined) return;
  if (since === null) delete blindFeeds[feed];
  else blindFeeds[feed] = since;
  const blind =
    regular.length > 0 ? regular.every((name) => blindFeeds[name] !== undefined) : Object.keys(blindFeeds).length > 0;
  const was = presence.state === 'blind';
  if (blind) presence.state = 'blind';
  else if (was) presence.state = wasHeardLately(c) ? 'seen' : 'silent';
  if (since === null) c.say('presence', `Feed ${feed} can be read again.`, { note: true });
  else if (blind)
    c.say('presence', `Blind: feed ${feed} cannot be read since ${clockTime(since)}. Silence means nothing now.`, {
      note: true,
    });
  else c.say('presence', `Feed ${feed} cannot be read since ${clockTime(since)}. Others still hear the device.`);
}

/** As it was before nothing could be heard: blindness makes nothing silent, and nothing heard. */
function wasHeardLately({ state, now }: CaseFile): boolean {
  const { escalation, rules } = state;
  const clock = escalation.clocks['silent'];
  return factsOf(state).has('seen') && (clock === undefined || ranFor(clock, now) < rules.escalation.silentAfterMs);
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
