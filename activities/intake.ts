/**
 * Steps of triage and reconciliation: hand a report over to the device's case, find open tickets that have none.
 * @module
 */
import type { Taken } from '../client/cases';
import type { ManagedDevice } from '../playbook/device';
import type { Report } from '../playbook/report';
import { canonicalSerial } from '../playbook/report';
import { callAt } from './call';
import type { House } from './house';
import { findClosing } from './house';
import { identify } from '../playbook/identify';
import type { Identified } from '../playbook/identify';

export function createIntakeActivities(house: House) {
  /** Candidates for a report that names no serial. Reads only. */
  async function findCandidates(input: { tenant: string; now: string; report: Report }): Promise<Identified> {
    const { device, user } = input.report;
    const serial = canonicalSerial(device.serial);
    const hint = {
      ...(serial !== undefined && { serial }),
      ...(device.hostname && { hostname: device.hostname }),
      ...(device.nsdeviceuid && { nsdeviceuid: device.nsdeviceuid }),
      ...(user && { user }),
    };
    if (Object.keys(hint).length === 0) return identify([], {});
    return identify(await house.tenant(input.tenant).secureAccess.findDevices(hint, callAt(input.now)), hint);
  }

  /** Open or join the case of this device. Safe to repeat: same workflow id, same delivery id. */
  async function handOver(input: { report: Report; device?: ManagedDevice; serial?: string }): Promise<Taken> {
    const { report, device } = input;
    const names = device
      ? {
          ...(device.serial && { serial: device.serial }),
          ...(device.hostname && { hostname: device.hostname }),
          ...(device.nsdeviceuid && { nsdeviceuid: device.nsdeviceuid }),
        }
      : { serial: input.serial ?? '' };
    const user = device?.user ?? (input.serial === undefined ? report.user : undefined);
    const { user: _, ...rest } = report;
    return house.cases.handIn(
      { ...rest, device: names, ...(user !== undefined && { user }) },
      house.tenant(report.tenant).settings.rules,
      'case',
    );
  }

  /**
   * Every open lost-device ticket without a case and without a closing record gets a triage. A webhook that was lost, or
   * came while Temporal was away, is made good here.
   */
  async function reconcileTickets(input: {
    tenant: string;
    now: string;
  }): Promise<{ looked: number; opened: string[]; unreadable: string[] }> {
    const tenant = house.tenant(input.tenant);
    const opened: string[] = [];
    const unreadable: string[] = [];
    let looked = 0;
    for (const [source, desk] of tenant.desks) {
      if (desk.listOpenLostDeviceTickets === undefined) continue;
      const tickets = await desk.listOpenLostDeviceTickets(callAt(input.now)).catch((error: unknown) => {
        unreadable.push(`${source}: ${error instanceof Error ? error.message : 'unknown error'}`);
        return [];
      });
      for (const ticket of tickets) {
        looked += 1;
        const ref = { ...ticket.ref, source };
        const key = house.cases.keyOf('ticket', `${source}:${ref.id}`);
        const { count } = await house.client.workflow.count(
          `LostDeviceTickets = '${key}' AND ExecutionStatus = 'Running'`,
        );
        if (count > 0 || (await findClosing(tenant, ref)) !== undefined) continue;
        const taken = await house.cases.handIn(
          {
            ...ticket.report,
            tenant: tenant.name,
            ticket: ref,
            deliveryId: `reconciliation:${source}:${ref.id}`,
            receivedAt: input.now,
            verified: true,
            actor: { person: 'reconciliation', authenticated: true, how: 'ticket read through its API' },
          },
          tenant.settings.rules,
        );
        if (taken.outcome !== 'already closed') opened.push(taken.workflowId);
      }
    }
    return { looked, opened, unreadable };
  }

  return { findCandidates, handOver, reconcileTickets };
}
