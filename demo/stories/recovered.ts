/**
 * The story *recovered*: stolen on a train, contained within a second, three minutes in a café that prove nothing, hours
 * later at home where the configuration arrives and bites, and at last handed in at the lost property office.
 * @module
 */
import type { CaseState } from '../../playbook/case';
import { recovered } from '../../workflows/messages';
import type { Narrator } from '../narrator';
import type { VendorCall, World } from '../world';

const serial = 'SN0042';
const user = 'pat@example.test';
const minuteMs = 60_000;

/** Plays the story; resolves with what was found wrong, nothing when it ended as it should. */
export async function playRecovered(world: World, tell: Narrator): Promise<string[]> {
  await tell.scene(
    'A ticket: pat left a laptop on the train, and it may be stolen. ServiceNow tells us by signed webhook.',
  );
  const ticket = await world.control<{ number: string }>('POST', '/control/tickets', {
    short_description: 'Laptop stolen on the train',
    category: 'equipment_loss',
    u_serial: serial,
    caller: user,
    description: 'kind: stolen\nlast held: on the train to work\npowered: off\nlocked: yes',
  });
  const answer = await world.webhook('servicenow', { ticket: ticket.number });
  if (answer.status >= 300) return [`The webhook was answered ${answer.status}.`];
  const workflowId = `lost-device:acme:${serial}`;
  tell.follow(workflowId);
  await world.until(workflowId, 'the user contained, sessions revoked and the device disabled', (state) =>
    ['in place', 'was there before'].includes(state.containment.measures['disable-device']?.state ?? ''),
  );

  await tell.scene('Three hours later somebody opens the lid in a café, for three minutes.');
  await advance(world, 3 * 60 * minuteMs);
  await world.control('POST', '/control/laptop', { serial, do: 'online', place: 'cafe' });
  await advance(world, 3 * minuteMs);
  await world.control('POST', '/control/laptop', { serial, do: 'offline' });
  const cafe = await world.until(workflowId, 'the device seen in the café', (state) => state.presence.state === 'seen');
  const wrong: string[] = [];
  if (cafe.configuration.state !== 'member') {
    wrong.push(`Three minutes cannot prove a configuration, but it is ${cafe.configuration.state}.`);
  }

  await tell.scene('Five hours later it comes online at home, and stays.');
  await advance(world, 5 * 60 * minuteMs);
  await world.control('POST', '/control/laptop', { serial, do: 'online', place: 'home' });
  for (let passed = 0; passed < 100; passed += 10) {
    await advance(world, 10 * minuteMs);
    if (proven(await world.describe(workflowId))) break;
    await tell.pause(700);
  }
  await world.until(
    workflowId,
    'the lost policy blocking the device',
    (state) => state.configuration.state === 'biting',
  );

  await tell.scene('The police hand the laptop in. Ana tells the case: recovered.');
  await world.cases.decide(
    workflowId,
    recovered,
    world.decision('Handed in at the lost property office, seal intact.'),
  );
  await world.until(
    workflowId,
    'the case closed as recovered',
    (state) => state.closedAt !== undefined && state.outcome === 'recovered',
  );

  return [...wrong, ...(await lookAfterwards(world, ticket.number))];
}

function proven(state: CaseState): boolean {
  return state.configuration.rungs.applied !== undefined && state.configuration.rungs.biting !== undefined;
}

async function advance(world: World, advanceMs: number): Promise<void> {
  await world.control('POST', '/control/clock', { advanceMs });
}

/** Look at the vendors, not at what we say of them. */
async function lookAfterwards(world: World, ticket: string): Promise<string[]> {
  const calls = await world.control<VendorCall[]>('GET', '/control/calls');
  const changes = calls.flatMap(({ changed }) => (changed === null ? [] : [changed]));
  const expected = [
    `netskope: ${user} added to group Lost-Stolen Devices`,
    `netskope: ${user} removed from group Lost-Stolen Devices`,
    `entra: sessions of ${user} revoked`,
    `servicenow: ${ticket} is Resolved`,
  ];
  const happened = (effect: string) => changes.some((change) => change.split('; ').includes(effect));
  return [
    ...expected.filter((effect) => !happened(effect)).map((effect) => `Never happened: ${effect}`),
    ...changes
      .filter((effect, index) => changes.indexOf(effect) !== index)
      .map((effect) => `Happened twice: ${effect}`),
    ...changes
      .filter((effect) => /COMMENT THAT THE CALLER SEES|DELETED/.test(effect))
      .map((effect) => `Must never happen: ${effect}`),
  ];
}
