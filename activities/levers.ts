/**
 * A look at everything that contains a device: is it still there? One step, which reads and changes nothing.
 * @module
 */
import { cancellationSignal } from '@temporalio/activity';
import type { ManagedDevice } from '../playbook/device';
import type { LeversReading } from '../playbook/tamper';
import type { Call } from '../plugins/roles';
import { callAt } from './call';
import { keysOf } from './containment';
import type { House, Tenant } from './house';
import type { MeasureInput, MeasureReading, SideMeasure } from './measures';

export interface LeversInput {
  tenant: string;
  now: string;
  device: ManagedDevice;
  /** Secure access's id of the user, where it is known. */
  userId?: string;
  /** Is the user's membership of any interest? */
  group: boolean;
  measures: SideMeasure[];
}

export function createLeverActivities(house: House, readMeasure: (input: MeasureInput) => Promise<MeasureReading>) {
  /** A lever that cannot be read hides none of the others, and is no trouble of the case: the next look is not far. */
  async function readLevers(input: LeversInput): Promise<LeversReading> {
    const { device, measures, now } = input;
    const reading: LeversReading = { gone: [], keys: keysOf(house, device), unreadable: [] };
    const read = async (lever: string, run: () => Promise<void>) => {
      try {
        await run();
      } catch (error) {
        cancellationSignal().throwIfAborted();
        reading.unreadable.push(`${lever}: ${error instanceof Error ? error.message : 'unknown error'}`);
      }
    };
    await Promise.all([
      read('lost-group', async () => {
        if (input.group && device.user !== undefined)
          Object.assign(reading, await readGroup(house.tenant(input.tenant), device.user, input.userId, callAt(now)));
      }),
      ...measures.map((measure) =>
        read(measure, async () => {
          const { offered, present, evidence } = await readMeasure({ tenant: input.tenant, now, measure, device });
          if (offered && !present) reading.gone.push({ measure, evidence });
        }),
      ),
    ]);
    const { renamedTo } = reading;
    return renamedTo === undefined ? reading : { ...reading, keys: keysOf(house, { ...device, user: renamedTo }) };
  }

  return { readLevers };
}

/** A user whom secure access does not know by name any more may have another one. */
async function readGroup(
  { secureAccess }: Tenant,
  user: string,
  knownId: string | undefined,
  call: Call,
): Promise<Pick<LeversReading, 'membership' | 'renamedTo'>> {
  const found = await secureAccess.readMembership(user, call);
  const today =
    found.userId === undefined && knownId !== undefined ? await secureAccess.nameOfUser(knownId, call) : undefined;
  const renamedTo = today?.toLowerCase() === user.toLowerCase() ? undefined : today;
  const { isMember, userId, groupOwner } =
    renamedTo === undefined ? found : await secureAccess.readMembership(renamedTo, call);
  return {
    membership: { isMember, groupOwner, ...(userId !== undefined && { userId }) },
    ...(renamedTo !== undefined && { renamedTo }),
  };
}
