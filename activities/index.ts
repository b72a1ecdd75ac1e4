/**
 * All activities of the playbook. Their names carry a prefix, so that they never clash in somebody else's worker.
 * @module
 */
import { activityPrefix } from '../workflows/activity-names';
import { createAlarmActivities } from './alarms';
import { createContainmentActivities } from './containment';
import type { House } from './house';
import { createIntakeActivities } from './intake';
import { createJournalActivities } from './journal';
import { createLeverActivities } from './levers';
import { createMeasureActivities } from './measures';
import { createPeopleActivities } from './people';
import { createTicketActivities } from './tickets';
import { createWatchActivities } from './watch';
import { createWipeActivities } from './wipe';

function plainActivities(house: House) {
  const measures = createMeasureActivities(house);
  return {
    ...createContainmentActivities(house),
    ...measures,
    ...createLeverActivities(house, measures.readMeasure),
    ...createTicketActivities(house),
    ...createPeopleActivities(house),
    ...createJournalActivities(house),
    ...createIntakeActivities(house),
    ...createWatchActivities(house),
    ...createWipeActivities(house),
    ...createAlarmActivities(house),
  };
}

/** The activities as workflows know them, without the prefix. */
export type PlaybookActivities = ReturnType<typeof plainActivities>;

/** The activities as a worker registers them. */
export function createActivities(house: House): Record<string, (...args: never[]) => unknown> {
  return Object.fromEntries(Object.entries(plainActivities(house)).map(([name, act]) => [activityPrefix + name, act]));
}
