/**
 * The courses that a loss can take, as the stories of the demo tell them: what people and the laptop do, how the case ends,
 * and what must have happened at the vendors then, each of it once. A new course is one more entry.
 * @module
 */
import type { Outcome } from '../../playbook/case';
import { answer, approveWipe, closeTask, falseAlarm, recovered, requestWipe } from '../../workflows/messages';
import { site } from './crash-house';
import type { CrashWorld, Laptop } from './crash-world';

const minuteMs = 60_000;

export interface Course {
  name: string;
  kind: 'lost' | 'stolen';
  /** From the report to the end. Rejects when something does not come. */
  play(world: CrashWorld, laptop: Laptop): Promise<void>;
  ends: { outcome: Outcome; listening?: true };
  /** All that changes at the vendors, but notes and pages. */
  changes(laptop: Laptop): string[];
}

const added = ({ user }: Laptop) => `netskope: ${user} added to group Lost-Stolen Devices`;
const contained = (laptop: Laptop) => [added(laptop), `entra: sessions of ${laptop.user} revoked`];
const free = ({ user }: Laptop) => `netskope: ${user} removed from group Lost-Stolen Devices`;
/** The same once more, after it was undone. */
const again = (change: string) => `${change} (#2)`;
const disabled = ({ hostname }: Laptop) => `entra: device ${hostname} disabled`;
const enabled = ({ hostname }: Laptop) => `entra: device ${hostname} enabled`;

export const courses: Course[] = [
  {
    name: 'recovered',
    kind: 'stolen',
    ends: { outcome: 'recovered' },
    async play(world, laptop) {
      const { workflowId, serial } = laptop;
      await held(world, laptop);
      await world.move(serial, { do: 'online', place: 'cafe' });
      await world.pass(3 * minuteMs);
      await world.move(serial, { do: 'offline' });
      await world.untilListed(workflowId, 'seen', ({ presence }) => presence === 'seen');
      await world.pass(5 * minuteMs);
      await world.move(serial, { do: 'online', place: 'home' });
      await world.pass(25 * minuteMs);
      await world.untilListed(workflowId, 'biting', ({ configuration }) => configuration === 'biting');
      await world.move(serial, { do: 'offline' });
      await world.decide(workflowId, recovered, {});
    },
    changes: (laptop) => [...contained(laptop), disabled(laptop), free(laptop), enabled(laptop)],
  },
  {
    name: 'never reappears',
    kind: 'lost',
    ends: { outcome: 'written off', listening: true },
    play: writtenOff,
    changes: (laptop) => [...contained(laptop), disabled(laptop), free(laptop)],
  },
  {
    name: 'reappears after it was written off',
    kind: 'lost',
    ends: { outcome: 'recovered' },
    async play(world, laptop) {
      const { workflowId, serial } = laptop;
      await writtenOff(world, laptop);
      await world.move(serial, { do: 'online', place: 'cafe' });
      await isBack(world, laptop);
      await world.decide(workflowId, recovered, {});
    },
    changes: (laptop) => [
      ...contained(laptop),
      disabled(laptop),
      free(laptop),
      again(added(laptop)),
      again(free(laptop)),
      enabled(laptop),
    ],
  },
  {
    name: 'office',
    kind: 'lost',
    ends: { outcome: 'false alarm' },
    async play(world, laptop) {
      const { workflowId, serial } = laptop;
      await held(world, laptop);
      await world.move(serial, { do: 'online', place: 'office' });
      await asked(world, workflowId);
      await world.decide(workflowId, answer, { questionId: `office: ${site}`, value: 'search' });
      await world.move(serial, { do: 'offline' });
      await world.decide(workflowId, closeTask, { task: 'search-head-office', as: 'done' });
      await world.decide(workflowId, falseAlarm, {});
    },
    changes: (laptop) => [...contained(laptop), disabled(laptop), free(laptop), enabled(laptop)],
  },
  {
    name: 'wiped',
    kind: 'stolen',
    ends: { outcome: 'wiped', listening: true },
    play: wiped,
    changes: wipedChanges,
  },
  {
    name: 'set up again after the wipe',
    kind: 'stolen',
    ends: { outcome: 'recovered' },
    async play(world, laptop) {
      const { workflowId, serial } = laptop;
      await wiped(world, laptop);
      await world.pass(30 * minuteMs);
      await world.move(serial, { do: 'enrol-again', place: 'home' });
      await isBack(world, laptop);
      await world.decide(workflowId, recovered, {});
    },
    changes: (laptop) => [
      ...wipedChanges(laptop),
      again(added(laptop)),
      again(free(laptop)),
      enabled(laptop),
      `crowdstrike: ${laptop.hostname} released`,
    ],
  },
  {
    name: 'tampered',
    kind: 'stolen',
    ends: { outcome: 'recovered' },
    async play(world, laptop) {
      const { workflowId, serial, user } = laptop;
      await held(world, laptop);
      await world.move(serial, { do: 'tamper', how: 'removed-from-group' });
      await world.move(serial, { do: 'online', place: 'cafe' });
      // By the case, or by the user's hold where that had not begun yet.
      await world.untilInLostGroup(user);
      await world.move(serial, { do: 'tamper', how: 'user-disabled' });
      await world.everythingIsHeard();
      await world.move(serial, { do: 'offline' });
      await world.decide(workflowId, recovered, {});
    },
    changes: (laptop) => [
      ...contained(laptop),
      disabled(laptop),
      again(added(laptop)),
      // The first removal was somebody else's.
      again(free(laptop)),
      enabled(laptop),
    ],
  },
];

/** Open and contained again. */
async function isBack(world: CrashWorld, laptop: Laptop): Promise<void> {
  await world.untilChanged(again(added(laptop)));
  await world.untilListed(
    laptop.workflowId,
    'reopened',
    ({ outcome, containment }) => outcome === 'open' && containment === 'contained',
  );
}

/** Contained with all that belongs to it, as the vendors have it. */
async function held(world: CrashWorld, laptop: Laptop): Promise<void> {
  await world.untilListed(laptop.workflowId, 'contained', ({ containment }) => containment === 'contained');
  await world.untilChanged(disabled(laptop));
}

/** Something is asked: the list shows it. */
const asked = (world: CrashWorld, workflowId: string) =>
  world.untilListed(workflowId, 'a question', ({ needs }) => needs === 'person');

async function writtenOff(world: CrashWorld, laptop: Laptop): Promise<void> {
  const { workflowId } = laptop;
  await held(world, laptop);
  await asked(world, workflowId);
  await world.decide(workflowId, answer, { questionId: 'propose: lost mode', value: 'done' });
  await world.decide(workflowId, answer, { questionId: 'propose: wipe', value: 'later' });
  await world.decide(workflowId, answer, { questionId: 'propose: write-off', value: 'yes' });
  await world.untilListed(workflowId, 'written off', ({ outcome }) => outcome === 'written off');
}

/** Killed between its intent and its call, a worker leaves the wipe to a person who looks: it is not there, so once more. */
async function sentOnce(world: CrashWorld, { workflowId, serial }: Laptop): Promise<void> {
  const isAccepted = () =>
    world.untilChanged(`intune: wipe of ${serial} accepted`, 30_000).then(
      () => true,
      () => false,
    );
  const again = { questionId: 'was the wipe sent', value: 'send again' };
  for (let looks = 0; looks < 10 && !(await isAccepted()); looks += 1)
    await world.decide(workflowId, answer, again, 1_000).catch(() => undefined);
}

async function wiped(world: CrashWorld, laptop: Laptop): Promise<void> {
  const { workflowId, serial, hostname } = laptop;
  await held(world, laptop);
  await world.decide(workflowId, requestWipe, {});
  await world.decide(workflowId, approveWipe, { person: 'bob' });
  await sentOnce(world, laptop);
  await world.move(serial, { do: 'online', place: 'cafe' });
  await world.pass(2 * minuteMs);
  await world.untilChanged(`crowdstrike: ${hostname} contained`);
  // The laptops' clock is ahead of ours: what they said in the café would look like a return.
  await world.everythingIsHeard();
  await world.decide(workflowId, answer, { questionId: 'propose: close as wiped', value: 'yes' });
  await world.untilListed(workflowId, 'wiped', ({ outcome }) => outcome === 'wiped');
}

function wipedChanges(laptop: Laptop): string[] {
  const { serial, hostname } = laptop;
  return [
    ...contained(laptop),
    disabled(laptop),
    `intune: wipe of ${serial} accepted`,
    `intune: ${serial} wiped`,
    `crowdstrike: ${hostname} contained`,
    free(laptop),
  ];
}
