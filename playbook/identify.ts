/**
 * From candidates to exactly one device, or to a question that a person can answer.
 * @module
 */
import { clockTime } from './clock-time';
import type { ManagedDevice } from './device';
import { describeDevice } from './device';
import type { DeviceHint } from './report';
import { canonicalSerial } from './report';

export type Identified =
  | { found: 'one'; device: ManagedDevice }
  | { found: 'none'; why: string }
  | { found: 'several'; why: string; candidates: ManagedDevice[] };

/**
 * Join the records on serial, installation id and hostname, and decide. The same serial under two installation ids is
 * one machine that was re-imaged. A user who does not fit the machine is a question, never a guess: containing the
 * wrong person is an attack of its own.
 */
export function identify(candidates: ManagedDevice[], hint: DeviceHint & { user?: string }): Identified {
  const pointed = candidates.filter((device) => pointsAt(device, hint));
  if (pointed.length === 0) return { found: 'none', why: nothingFound(hint) };

  const machines = new Map<string, ManagedDevice[]>();
  for (const device of pointed) {
    const key = canonicalSerial(device.serial) ?? device.nsdeviceuid ?? device.hostname ?? '?';
    machines.set(key, [...(machines.get(key) ?? []), device]);
  }
  if (machines.size > 1) {
    return { found: 'several', why: `${machines.size} devices fit the report.`, candidates: newestFirst(pointed) };
  }

  const records = newestFirst(pointed);
  const [newest] = records as [ManagedDevice];
  const users = [...new Set(records.flatMap((device) => (device.user ? [device.user.toLowerCase()] : [])))];
  if (hint.user !== undefined) {
    const ofUser = records.find((device) => device.user?.toLowerCase() === hint.user?.toLowerCase());
    if (ofUser) return { found: 'one', device: ofUser };
    if (users.length === 0) return { found: 'one', device: { ...newest, user: hint.user } };
    return {
      found: 'several',
      why: `The report names ${hint.user}, but this device belongs to ${users.join(', ')}.`,
      candidates: records,
    };
  }
  if (users.length > 1) {
    return { found: 'several', why: `Several people use this device: ${users.join(', ')}.`, candidates: records };
  }
  return { found: 'one', device: newest };
}

/** Without a serial, id or hostname every device of the user is a candidate. */
function pointsAt(device: ManagedDevice, hint: DeviceHint & { user?: string }): boolean {
  const same = (a?: string, b?: string) => a !== undefined && b !== undefined && a.toLowerCase() === b.toLowerCase();
  const serial = canonicalSerial(hint.serial);
  if (serial !== undefined) return canonicalSerial(device.serial) === serial;
  if (hint.nsdeviceuid !== undefined) return same(device.nsdeviceuid, hint.nsdeviceuid);
  if (hint.hostname !== undefined) return same(device.hostname, hint.hostname);
  return same(device.user, hint.user);
}

function nothingFound(hint: DeviceHint & { user?: string }): string {
  const named = [
    hint.serial && `serial ${hint.serial}`,
    hint.nsdeviceuid && `id ${hint.nsdeviceuid}`,
    hint.hostname && `hostname ${hint.hostname}`,
    hint.user && `user ${hint.user}`,
  ].filter(Boolean);
  return named.length === 0
    ? 'The report names no device and no user.'
    : `No managed device with ${named.join(', ')} was found.`;
}

function newestFirst(devices: ManagedDevice[]): ManagedDevice[] {
  return [...devices].sort(
    (a, b) => Date.parse(b.lastSeenAt ?? '1970-01-01') - Date.parse(a.lastSeenAt ?? '1970-01-01'),
  );
}

/** A candidate as an option of a question. The value names one installation and user. */
export function candidateOption(device: ManagedDevice): { value: string; text: string } {
  return {
    value: `${device.nsdeviceuid ?? device.serial ?? device.hostname ?? ''}|${device.user ?? ''}`,
    text: `${describeDevice(device)}, ${device.lastSeenAt ? `last seen ${clockTime(device.lastSeenAt)}` : 'never seen'}`,
  };
}
