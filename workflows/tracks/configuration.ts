/**
 * Configuration: unverified → member → applied → biting; or overdue. It has no timer: only sightings move it, so a device
 * that is off costs nothing and is verified on return.
 * @module
 */
import { climb } from '../../playbook/configuration';
import type { Sighting } from '../../playbook/sighting';
import type { CaseFile } from '../case-file';

/** Take one new sighting up the proof ladder. */
export function configuration(c: CaseFile, sighting: Sighting): void {
  const { state } = c;
  if (state.names === undefined) return;
  const said = climb(state, state.names, sighting);
  if (said === undefined) return;
  c.say('configuration', said, { at: sighting.at, note: true });
  if (state.configuration.state === 'overdue')
    c.page(`overdue:${state.containment.times}`, 'The lost configuration is overdue', said);
}
