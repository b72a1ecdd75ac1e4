/**
 * What must be so at Entra. Nothing is changed.
 * @module
 */
import type { Finding } from '../../playbook/prerequisites';
import { anyAnswer, clockOf, lacking, letIn, mayCall, probed, readable, well } from '../prerequisites';
import type { Call, ProductPrerequisite, Surroundings } from '../roles';
import { createGraph, operations } from './graph';
import { readAnyDevice, readAnySignIn, readJobs, readLostGroup, readSecretEnd } from './readings';
import type { EntraSettings } from './settings';

const app = 'Entra admin centre > App registrations > the app';
const permissions = `${app} > API permissions`;
/** Nobody and nothing has this id. */
const nowhere = '00000000-0000-0000-0000-000000000000';

const found = (reading: { detail: string } | { remedy: string }): Finding =>
  'remedy' in reading ? lacking(reading.remedy) : well(reading.detail);

export function entraPrerequisites(settings: EntraSettings, { directorySteps }: Surroundings): ProductPrerequisite[] {
  const graph = createGraph(settings);
  const { lostGroupId, provisioning, feeds } = settings;
  const after = 'entra-sign-in';
  const readAUser = (call: Call, accept = [404]) =>
    graph.request(operations.readUser, { call, params: { user: nowhere }, accept });
  return [
    readable(
      {
        id: after,
        title: 'Graph takes our app for Entra',
        neededFor: 'Without it no session is ended, and nothing is done in the directory.',
        setAt: `${app} > Certificates & secrets`,
      },
      (call) => letIn(() => readAUser(call)),
    ),
    readable(
      {
        id: 'entra-clock',
        title: 'Its clock and ours agree',
        neededFor: 'Whether sessions were ended is told by time.',
        setAt: 'The clock of this machine (NTP)',
        after,
      },
      async (call) => clockOf(await readAUser(call, anyAnswer)),
    ),
    readable(
      {
        id: 'entra-secret-end',
        title: 'Our client secret outlasts the next days',
        neededFor: 'A secret that ends during a case stops everything that Graph is asked for.',
        setAt: `${app} > Certificates & secrets`,
        after,
      },
      async (call) => {
        const reading = await readSecretEnd(graph, settings, call);
        return reading.isUnknown && 'detail' in reading ? { is: 'not readable', says: reading.detail } : found(reading);
      },
    ),
    readable(
      {
        id: 'entra-users-read',
        title: 'We may read users',
        neededFor: 'A user who is not found keeps their sessions.',
        setAt: `${permissions}: ${operations.readUser.permission}`,
        after,
      },
      async (call) => {
        await readAUser(call);
        return well('We may.');
      },
    ),
    readable(
      {
        id: 'entra-devices-read',
        title: 'We may read devices',
        neededFor: 'A device object that is not found is not disabled.',
        setAt: `${permissions}: ${operations.findDevices.permission}`,
        after,
      },
      async (call) => found(await readAnyDevice(graph, call)),
    ),
    ...(directorySteps.includes('revoke-sessions')
      ? [
          probed(
            {
              id: 'entra-sessions',
              title: 'We may end sessions',
              neededFor: 'A thief in an open session stays in it.',
              setAt: `${permissions}: ${operations.revokeSessions.permission}`,
              after,
            },
            (call) => mayCall(() => graph.request(operations.revokeSessions, { call, params: { userId: nowhere } })),
          ),
        ]
      : []),
    ...(directorySteps.includes('disable-user')
      ? [
          probed(
            {
              id: 'entra-users-write',
              title: 'We may disable users',
              neededFor: 'The rules ask for it, and the step would be stuck.',
              setAt: `${permissions}: ${operations.updateUser.permission}`,
              after,
            },
            (call) =>
              mayCall(() =>
                graph.request(operations.updateUser, {
                  call,
                  params: { userId: nowhere },
                  json: { accountEnabled: true },
                }),
              ),
          ),
        ]
      : []),
    ...(directorySteps.includes('disable-device')
      ? [
          probed(
            {
              id: 'entra-devices-write',
              title: 'We may disable device objects',
              neededFor: 'The rules ask for it, and the step would be stuck.',
              setAt: `${permissions}: ${operations.updateDevice.permission}`,
              after,
            },
            (call) =>
              mayCall(() =>
                graph.request(operations.updateDevice, {
                  call,
                  params: { deviceId: nowhere },
                  json: { accountEnabled: true },
                }),
              ),
          ),
        ]
      : []),
    ...(lostGroupId === undefined
      ? []
      : [
          readable(
            {
              id: 'entra-lost-group',
              title: 'The lost group is there, and takes members',
              neededFor: 'The group is what contains a device.',
              setAt: 'Entra admin centre > Groups > the lost group',
              after,
            },
            async (call) => found(await readLostGroup(graph, lostGroupId, call)),
          ),
          probed(
            {
              id: 'entra-group-write',
              title: 'We may change the members of groups',
              neededFor: 'Without it nobody is moved into the lost group, and nobody comes out again.',
              setAt: `${permissions}: ${operations.addMember.permission}`,
              after,
            },
            (call) =>
              mayCall(() =>
                graph.request(operations.removeMember, { call, params: { groupId: nowhere, userId: nowhere } }),
              ),
          ),
        ]),
    ...(provisioning
      ? [
          readable(
            {
              id: 'entra-provisioning',
              title: 'The application pushes the group to secure access',
              neededFor: 'Without it the lost group of the directory never reaches the device.',
              setAt: 'Entra admin centre > Enterprise applications > the application > Provisioning',
              after,
            },
            async (call) => found(await readJobs(graph, provisioning.servicePrincipalId, call)),
          ),
        ]
      : []),
    ...(feeds.signIns
      ? [
          readable(
            {
              id: 'entra-sign-ins',
              title: 'We may read the sign-in log',
              neededFor: 'Without it a sign-in at the lost device is not seen.',
              setAt: `${permissions}: ${operations.listSignIns.permission}`,
              after,
            },
            async (call) => found(await readAnySignIn(graph, call)),
          ),
        ]
      : []),
  ];
}
