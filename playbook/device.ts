/**
 * Devices and the rule that decides whether a record speaks of the lost one.
 * @module
 */

/** One device as secure access knows it: one installation and one user. */
export interface ManagedDevice {
  /** Plugin instance that reported it. */
  source: string;
  nsdeviceuid?: string;
  /** The id before a re-image, where the vendor keeps it. */
  previousNsdeviceuid?: string;
  serial?: string;
  hostname?: string;
  user?: string;
  userKey?: string;
  os?: string;
  model?: string;
  /** Where its user belongs in the organisation, as secure access knows it. */
  team?: string;
  /** Hardware addresses, lower case with colons. */
  macAddresses?: string[];
  /** Last sign of the client itself. ISO 8601, vendor time. */
  lastSeenAt?: string;
  /** Name of the steering configuration applied on the device. */
  steeringConfig?: string;
  /** When the device last reported its own data. ISO 8601, vendor time. */
  hostInfoUpdatedAt?: string;
  client: ClientState;
}

/** What the client on the device last said of itself. */
export type ClientState = 'enabled' | 'disabled' | 'uninstalled' | 'fail closed' | 'dormant' | 'unknown';

/** The names by which a feed's record can be tied to a device. */
export interface DeviceNames {
  nsdeviceuid?: string;
  /** The id before a re-image, where the record has it. */
  previousNsdeviceuid?: string;
  serial?: string;
  hostname?: string;
  user?: string;
}

/**
 * How surely a record speaks of this device.
 * `device`: an identifier of the machine itself agrees. `likely`: hostname and user agree and nothing contradicts.
 * `none`: anything else, so another device of the same user is never taken for the lost one.
 */
export type MatchStrength = 'device' | 'likely' | 'none';

const same = (a?: string, b?: string) => a !== undefined && b !== undefined && a.toLowerCase() === b.toLowerCase();
const differ = (a?: string, b?: string) => a !== undefined && b !== undefined && a.toLowerCase() !== b.toLowerCase();

/** Compare names of a record with the lost device's. Case never matters; a contradicting serial or id decides. */
export function matchDevice(lost: DeviceNames, record: DeviceNames): MatchStrength {
  if (same(lost.serial, record.serial)) return 'device';
  if (differ(lost.serial, record.serial)) return 'none';
  if (same(lost.nsdeviceuid, record.nsdeviceuid) || same(lost.nsdeviceuid, record.previousNsdeviceuid)) return 'device';
  if (differ(lost.nsdeviceuid, record.nsdeviceuid)) return 'none';
  return same(lost.hostname, record.hostname) && same(lost.user, record.user) ? 'likely' : 'none';
}

/** Another machine with the lost one's hostname: what names only a hostname may speak of either. */
export function isNamesake(lost: DeviceNames, record: DeviceNames): boolean {
  // By its serial only: another installation id may be the same machine with a fresh image.
  return same(lost.hostname, record.hostname) && differ(lost.serial, record.serial);
}

/** One line for people: hostname, serial and user as far as known. */
export function describeDevice(device: DeviceNames): string {
  const name = device.hostname ?? device.serial ?? device.nsdeviceuid ?? 'an unnamed device';
  const serial = device.serial && device.serial !== name ? ` (serial ${device.serial})` : '';
  return `${name}${serial}${device.user ? ` of ${device.user}` : ''}`;
}
