/**
 * What must be so at Intune. Nothing is changed.
 * @module
 */
import { identified, itemsOf } from '../graph';
import { anyAnswer, clockOf, letIn, mayCall, probed, readable, well } from '../prerequisites';
import type { ProductPrerequisite } from '../roles';
import { approvalPolicySchema, createGraph, operations } from './graph';
import type { IntuneSettings } from './settings';

const permissions = 'Entra admin centre > App registrations > the app > API permissions';
/** No device has this id. */
const nowhere = '00000000-0000-0000-0000-000000000000';

export function intunePrerequisites(settings: IntuneSettings): ProductPrerequisite[] {
  const graph = createGraph(settings);
  const after = 'intune-sign-in';
  return [
    readable(
      {
        id: after,
        title: 'Graph takes our app for Intune',
        neededFor: 'Without it no device is found in Intune, locked or wiped.',
        setAt: 'Entra admin centre > App registrations > the app > Certificates & secrets',
      },
      (call) => letIn(() => graph.request(operations.listDevices, { call, query: { $top: 1 } })),
    ),
    readable(
      {
        id: 'intune-clock',
        title: 'Its clock and ours agree',
        neededFor: 'A command is found again by when it began.',
        setAt: 'The clock of this machine (NTP)',
        after,
      },
      async (call) =>
        clockOf(await graph.request(operations.listDevices, { call, query: { $top: 1 }, accept: anyAnswer })),
    ),
    readable(
      {
        id: 'intune-devices-read',
        title: 'We may read devices',
        neededFor: 'A device that is not found is not wiped.',
        setAt: `${permissions}: ${operations.listDevices.permission}`,
        after,
      },
      async (call) => {
        await graph.request(operations.listDevices, { call, query: { $top: 1 } });
        return well('We may.');
      },
    ),
    probed(
      {
        id: 'intune-commands',
        title: 'We may send commands to devices',
        neededFor: 'Without it no wipe and no lock leaves.',
        setAt: `${permissions}: ${operations.lock.permission}`,
        after,
      },
      // The lock has the permission of the wipe, and would do no harm should there be such a device one day.
      (call) => mayCall(() => graph.request(operations.lock, { call, params: { deviceId: nowhere } })),
    ),
    readable(
      {
        id: 'intune-approvals',
        title: 'We may follow the approvals of a second administrator',
        neededFor: 'A wipe that waits for one would wait for ever.',
        setAt: `${permissions}: ${operations.listApprovals.permission}`,
        after,
      },
      async (call) => {
        await itemsOf(graph, operations.listApprovals, identified, { call, query: { $top: 1 } }).next();
        return well('We may.');
      },
    ),
    readable(
      {
        id: 'intune-second-administrator',
        title: 'Whether Intune asks for a second administrator is known',
        neededFor: 'With such a policy a wipe leaves only when an administrator agrees in Intune, within 3 days.',
        setAt: 'Intune admin centre > Tenant administration > Multi Admin Approval > Access policies',
        after,
      },
      async (call) => {
        const found: string[] = [];
        for await (const policy of itemsOf(graph, operations.listApprovalPolicies, approvalPolicySchema, { call }))
          if (['deviceWipe', 'deviceAction'].includes(policy.policyType ?? ''))
            found.push(policy.displayName ?? 'unnamed');
        if (found.length === 0) return well('It does not: our two persons are enough.');
        const says = `It does, by ${found.join(', ')}: tell its approvers, who must agree in Intune as well.`;
        return { is: 'lacking', says, serious: 'warns' };
      },
    ),
  ];
}
