/**
 * The workflows of the playbook, for a worker's bundle.
 * @module
 */
export { lostDevice } from './lost-device';
export { triage } from './triage';
export { userHold } from './user-hold';
export { guard } from './guard';
export { fleetWatch } from './fleet-watch';
export { reconciliation } from './reconciliation';
