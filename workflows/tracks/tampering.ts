/**
 * Tampering as signs of the device tell it: what was done to the client, a fresh image, another user, a wrong clock, a
 * namesake. Each is said for what it is, and the case follows the device.
 * @module
 */
import { moveSeen } from '../../playbook/configuration';
import type { DeviceNames } from '../../playbook/device';
import type { Sighting } from '../../playbook/sighting';
import type { Tampering, TamperSigns } from '../../playbook/tamper';
import { beginTampering, clockIsWrong, endTampering, namesakeSays } from '../../playbook/tamper';
import { explain } from '../../playbook/configuration';
import { wipeUnderWay } from '../../playbook/wipe';
import type { CaseFile } from '../case-file';

export function takeTamperSigns(c: CaseFile, sighting: Sighting, signs: TamperSigns): void {
  const { state } = c;
  if (signs.image) followImage(c, signs.image);
  if (signs.other?.renamed) userRenamed(c, signs.other.user);
  else if (signs.other) anotherUser(c, signs.other.user);
  if (signs.clock !== undefined) begin(c, { kind: 'clock wrong', says: clockIsWrong(sighting.at, signs.clock) });
  if (signs.client === 'over') clientIsWell(c);
  else if (signs.client) {
    begin(c, signs.client.begins);
    explain(state);
  }
}

/** Write it down, and tell it when it is new. */
export function begin(c: CaseFile, found: Omit<Tampering, 'since' | 'over'>): void {
  const begun = beginTampering(c.state, { ...found, since: c.now });
  if (begun) tell(c, begun);
}

/** Other machines that carry the lost one's hostname. */
export function takeNamesakes(c: CaseFile, namesakes: DeviceNames[]): void {
  const { state } = c;
  for (const other of namesakes) {
    const subject = other.serial ?? other.nsdeviceuid;
    if (subject === undefined || state.device === undefined) continue;
    const says = namesakeSays(state, other);
    begin(c, { kind: 'same hostname', subject, says });
    const known = state.otherDevices.some(({ serial, nsdeviceuid }) => (serial ?? nsdeviceuid) === subject);
    const ofUser = other.user?.toLowerCase() === state.device.user?.toLowerCase();
    if (ofUser && !known && state.otherDevices.length < 20) state.otherDevices.push(other);
  }
}

/** Said in the tickets, and to people: by the ladder where it has a rung for it, as news otherwise. */
function tell(c: CaseFile, { kind, subject, since, says, over }: Tampering): void {
  c.say('containment', `Tampered with: ${kind}.`, { evidence: says, note: true });
  const ofClient = kind === 'client disabled' || kind === 'client uninstalled' || kind === 'fail closed';
  const called = c.state.rules.escalation.ladder.some(({ when }) => when === 'tampered');
  if (ofClient && over === undefined && called) return;
  c.page(`tampered:${kind}:${subject ?? ''}:${since}`, `Tampered with: ${kind}`, says);
}

/** The same person by another name: the case holds the user by that one. */
export function userRenamed(c: CaseFile, to: string): void {
  const { state } = c;
  const { containment, device } = state;
  const former = device?.user;
  if (device === undefined || former === undefined || former.toLowerCase() === to.toLowerCase()) return;
  device.user = to;
  if (state.reportedUser?.toLowerCase() === former.toLowerCase()) state.reportedUser = to;
  containment.renamedFrom ??= former;
  // The names by which feeds find the device are keyed anew.
  delete containment.lookedAt;
  const says = `${former} is called ${to} now: the same user, held by the new name.`;
  begin(c, { kind: 'user renamed', subject: to, says });
}

function anotherUser(c: CaseFile, user: string): void {
  const says = `${user} uses the lost device, and is not in the lost group: the configuration of the last user applies. Is it a finder, a thief, or has it been handed on?`;
  begin(c, { kind: 'another user', subject: user, says });
}

function clientIsWell(c: CaseFile): void {
  const { state } = c;
  const ended = endTampering(state, c.now, ['client disabled', 'client uninstalled', 'fail closed']);
  if (ended.length === 0) return;
  explain(state);
  c.say('containment', 'The Netskope client is enabled again.', {
    evidence: `Over: ${ended.map(({ kind }) => kind).join(', ')}.`,
    note: true,
  });
}

/** The case follows the machine: the tag is set anew, and what was proven of the installation before proves nothing now. */
function followImage(c: CaseFile, image: DeviceNames): void {
  const { state } = c;
  const { containment, device, presence, wipe } = state;
  if (device === undefined) return;
  const { nsdeviceuid: former, hostname: formerName } = device;
  const heardAt = presence.heard.client ?? device.lastSeenAt;
  Object.assign(device, {
    ...(image.nsdeviceuid !== undefined && { nsdeviceuid: image.nsdeviceuid }),
    ...(former !== undefined && { previousNsdeviceuid: former }),
    ...(image.hostname !== undefined && { hostname: image.hostname }),
  });
  delete containment.lookedAt;
  if (containment.measures['device-tag']?.state !== 'not offered') delete containment.measures['device-tag'];
  endTampering(state, c.now, ['client disabled', 'client uninstalled', 'fail closed']);
  endTampering(state, c.now, ['undone'], 'device-tag');
  const group = containment.measures['lost-group'];
  if (containment.state === 'contained' && group !== undefined) {
    moveSeen(state, c.now, group.evidence);
    state.configuration.before = { ...(heardAt !== undefined && { newestAt: heardAt }) };
  }
  const name =
    image.hostname === undefined || image.hostname === formerName ? '' : `, and is called ${image.hostname} now`;
  const aboutWipe = wipeUnderWay(wipe) ? ' A wipe that waits was meant for the installation before: look at it.' : '';
  const says = `The same machine (serial ${device.serial ?? 'unknown'}) has a fresh image: its client has another id${name}. The case follows it; what was proven is proven anew.${aboutWipe}`;
  const subject = image.nsdeviceuid;
  begin(c, { kind: 're-imaged', says, ...(subject !== undefined && { subject }) });
}
