/**
 * The company's own addresses: a device that is seen behind them may be lost in the office.
 * @module
 */
import { BlockList, isIP } from 'node:net';
import type { TenantSettings } from '../playbook/settings';

/**
 * Makes the question "whose site is this public address?". The first site that has it, in the order of the settings;
 * undefined for any other address, and for a text that is none. Private addresses are never asked: every home has them.
 */
export function siteFinder(sites: TenantSettings['sites']): (publicAddress: string | undefined) => string | undefined {
  const ranges = sites.map(({ name, addresses }) => ({ name, list: rangesOf(addresses) }));
  return (publicAddress) => {
    // A vendor may write an IPv4 address as IPv6.
    const address = publicAddress?.trim().replace(/^::ffff:(?=\d+\.)/i, '') ?? '';
    const family = isIP(address);
    if (family === 0) return undefined;
    return ranges.find(({ list }) => list.check(address, family === 6 ? 'ipv6' : 'ipv4'))?.name;
  };
}

/** `address/length`, as the settings were checked to be. */
function rangesOf(addresses: string[]): BlockList {
  const list = new BlockList();
  for (const range of addresses) {
    const [address = '', length] = range.split('/');
    list.addSubnet(address, Number(length), isIP(address) === 6 ? 'ipv6' : 'ipv4');
  }
  return list;
}
