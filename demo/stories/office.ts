/**
 * The story *office*: three laptops are reported lost within the hour, and all three answer from behind the company's own
 * addresses. That is more than bad luck, and people are told once. Somebody looks into the drawers.
 * @module
 */
import type { CaseState } from '../../playbook/case';
import { answer, closeTask, falseAlarm, recovered } from '../../workflows/messages';
import type { Narrator } from '../narrator';
import type { Expect, Story } from '../story';
import { lookAtVendors } from '../vendors';
import type { World } from '../world';

const site = 'Head office';
const serial = 'SN0042';
const others = [
  { serial: 'SN0060', user: 'kim@example.test' },
  { serial: 'SN0070', user: 'lee@example.test' },
];
const serials = [serial, ...others.map((other) => other.serial)];
const users = ['pat@example.test', ...others.map(({ user }) => user)];
const hourMs = 60 * 60_000;

const caseOf = (serial: string) => `lost-device:acme:${serial}`;

export const officeStory: Story = {
  profile: {
    sites: [{ name: site, addresses: ['198.51.100.0/24'] }],
    pattern: { losses: 3, within: '1h' },
    // The vendor takes five changes of tags in a minute: three on and three off would last longer than the story.
    tag: false,
    // The story asks for each look, when there is something to see.
    reconcileEvery: '1d',
  },
  play,
};

async function play(world: World, tell: Narrator, expect: Expect): Promise<void> {
  await tell.scene('One morning kim and lee report their laptops lost, and then pat. All three users are contained.');
  for (const { serial, user } of others) {
    const report = { ticket: `DESK-${serial}`, device: { serial }, user, report: { kind: 'lost' } };
    await world.webhook('generic', report);
  }
  const ticket = await world.openTicket({
    short_description: 'Laptop not found this morning',
    u_serial: serial,
    caller: 'pat@example.test',
    description: 'kind: lost\nlast held: at my desk\npowered: off\nlocked: yes',
  });
  tell.follow(caseOf(serial));
  for (const each of serials)
    await world.until(caseOf(each), `the user of ${each} contained, and the first look taken`, isReady);

  await tell.scene("All three come online, behind the company's own address. Lost in the office?");
  for (const each of serials)
    await world.control('POST', '/control/laptop', { serial: each, do: 'online', place: 'office' });
  const asked = await world.untilFound('the question about the office', async () =>
    (await world.describe(caseOf(serial))).questions.find(({ id }) => id === `office: ${site}`),
  );

  const pattern = `Several losses together: site ${site}`;
  await tell.scene(`Three losses in one site within the hour: people get one mail more, "${pattern}".`);
  await world.untilFound('three cases seen, in the list of cases', async () => {
    const seen = (await world.cases.list()).filter(({ presence }) => presence === 'seen');
    return seen.length === serials.length || undefined;
  });
  const told = () => world.mails().flatMap((mail) => (mail.subject.startsWith('Several losses') ? mail.subject : []));
  await world.reconcile();
  expect(told().join() === pattern, `Of the pattern, people were told: ${told().join() || 'nothing'}.`);
  await world.reconcile();
  expect(told().length <= 1, `The pattern was told ${told().length} times.`);

  await tell.scene('Ana has it looked for. Somebody has four hours for that.');
  await world.cases.decide(caseOf(serial), answer, {
    ...world.decision('The cleaners were in last night'),
    questionId: asked.id,
    value: 'search',
  });
  const search = await world.untilFound('the task to look for it', async () =>
    (await world.describe(caseOf(serial))).tasks.find(({ id }) => id === 'search-head-office'),
  );
  const withinMs = Date.parse(search.dueAt ?? '') - Date.parse(search.beganAt ?? '');
  expect(withinMs === 4 * hourMs, `The search is due after ${withinMs} ms.`);

  await tell.scene("It lay in a drawer, with kim's and lee's. All three cases are closed, and their users free.");
  const found = world.decision('In the drawer of the meeting room');
  await world.cases.decide(caseOf(serial), closeTask, { ...found, task: search.id, as: 'done' });
  await world.cases.decide(caseOf(serial), recovered, world.decision('Found in the drawer of the meeting room'));
  for (const other of others)
    await world.cases.decide(caseOf(other.serial), falseAlarm, world.decision('It lay in a drawer all the time'));
  const closed = await world.until(caseOf(serial), 'closed as recovered', isClosedAs('recovered'));
  for (const other of others)
    await world.until(caseOf(other.serial), 'closed as false alarm', isClosedAs('false alarm'));
  const kept = closed.tasks.find(({ id }) => id === search.id)?.state;
  expect(kept === 'done', `The search was kept as ${kept ?? 'nothing'}.`);

  const moved = users.flatMap((user) =>
    ['added to', 'removed from'].map((how) => `netskope: ${user} ${how} group Lost-Stolen Devices`),
  );
  await lookAtVendors(world, expect, [...moved, `servicenow: ${ticket} is Resolved`]);
}

const isReady = ({ containment, presence }: CaseState) =>
  containment.state === 'contained' && presence.firstLookAt !== undefined;

const isClosedAs = (outcome: CaseState['outcome']) => (state: CaseState) =>
  state.closedAt !== undefined && state.outcome === outcome;
