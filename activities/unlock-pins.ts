/**
 * PINs of locked and wiped devices: kept in the secret store, and nowhere else.
 * @module
 */
import { VendorRefused } from '../plugins/errors';
import type { Call, CommandProgress, DeviceManagement } from '../plugins/roles';
import type { Tenant } from './house';

/**
 * Six digits for a wipe, kept before the command leaves; a repeat under the same permit finds those of the first try.
 * @throws VendorRefused LDP_NOT_OFFERED without a secret store, LDP_NOT_FOUND when it does not give back what it took.
 */
export async function keepWipePin({ secretStore }: Tenant, permit: string, call: Call): Promise<string> {
  if (secretStore === undefined)
    throw new VendorRefused('LDP_NOT_OFFERED', 'The settings name no secret store for its PIN.');
  // Stores take few characters in a name.
  const key = `wipe-pin/${permit.replace(/[^A-Za-z0-9.:_-]/g, '-')}`;
  const digits = String(crypto.getRandomValues(new Uint32Array(1))[0] ?? 0)
    .padStart(10, '0')
    .slice(-6);
  await secretStore.putOnce(key, digits, call);
  const kept = await secretStore.get(key, call);
  if (kept === undefined)
    throw new VendorRefused('LDP_NOT_FOUND', 'The secret store does not give back the PIN that it took.');
  return kept;
}

/** The vendor forgets the PIN of a lock with the next command (memdocs remote-lock.md): whoever locked it, it is kept before. */
export async function keepLockPin(
  { secretStore }: Tenant,
  [plugin, management]: readonly [string, DeviceManagement],
  recordId: string,
  commands: CommandProgress[],
  call: Call,
): Promise<void> {
  const lock = commands.find(({ command }) => command === 'lock');
  if (lock === undefined) return;
  const pin = await management.readLockPin?.(recordId, call);
  if (pin !== undefined) await secretStore?.putOnce(`lock-pin/${plugin}/${recordId}/${lock.startedAt}`, pin, call);
}
