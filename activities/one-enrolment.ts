/**
 * The one enrolment of a device, over all device managements.
 * @module
 */
import type { DeviceNames } from '../playbook/device';
import { VendorRefused } from '../plugins/errors';
import type { Call, DeviceManagement, ManagedRecord } from '../plugins/roles';
import type { Tenant } from './house';

/** One enrolment, and who has it. */
export interface Enrolment {
  /** Plugin instance. */
  plugin: string;
  management: DeviceManagement;
  record: ManagedRecord;
}

/**
 * Exactly one enrolment over all consoles: never the wrong one of two.
 * @throws VendorRefused LDP_NOT_OFFERED, LDP_NOT_FOUND or LDP_CONFLICT where there is not exactly one.
 */
export async function findOneEnrolment(tenant: Tenant, { serial }: DeviceNames, call: Call): Promise<Enrolment> {
  if (serial === undefined)
    throw new VendorRefused('LDP_NOT_FOUND', 'A device without a serial is never locked and never wiped.');
  if (tenant.managements.size === 0)
    throw new VendorRefused(
      'LDP_NOT_OFFERED',
      'The settings name no device management: nothing here can lock or wipe.',
    );
  const found: Enrolment[] = [];
  for (const [plugin, management] of tenant.managements)
    for (const record of await management.findRecords({ serial }, call)) found.push({ plugin, management, record });
  const [only] = found;
  if (only && found.length === 1) return only;
  const names = found.map(({ plugin, record }) => `${plugin} ${record.id}`).join(', ');
  throw new VendorRefused(
    only ? 'LDP_CONFLICT' : 'LDP_NOT_FOUND',
    `Serial ${serial} has ${found.length} enrolments${names && ` (${names})`}; exactly one is needed. Remove the stale ones in the console.`,
  );
}
