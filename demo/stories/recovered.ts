/**
 * The story *recovered*: stolen on a train, contained within a second, three minutes in a café that prove nothing, hours
 * later at home where the configuration arrives and bites, and at last handed in at the lost property office.
 * @module
 */
import type { CaseState } from '../../playbook/case';
import { recovered } from '../../workflows/messages';
import type { Narrator } from '../narrator';
import type { Expect, Story } from '../story';
import { lookAtVendors } from '../vendors';
import type { World } from '../world';

const serial = 'SN0042';
const user = 'pat@example.test';
const minuteMs = 60_000;

export const recoveredStory: Story = { profile: {}, play };

async function play(world: World, tell: Narrator, expect: Expect): Promise<void> {
  await tell.scene(
    'A ticket: pat left a laptop on the train, and it may be stolen. ServiceNow tells us by signed webhook.',
  );
  const ticket = await world.openTicket({
    short_description: 'Laptop stolen on the train',
    u_serial: serial,
    caller: user,
    description: 'kind: stolen\nlast held: on the train to work\npowered: off\nlocked: yes',
  });
  const workflowId = `lost-device:acme:${serial}`;
  tell.follow(workflowId);
  await world.until(workflowId, 'the user contained, sessions revoked and the device disabled', (state) =>
    ['in place', 'was there before'].includes(state.containment.measures['disable-device']?.state ?? ''),
  );

  await tell.scene('Three hours later somebody opens the lid in a café, for three minutes.');
  await world.advance(3 * 60 * minuteMs);
  await world.control('POST', '/control/laptop', { serial, do: 'online', place: 'cafe' });
  await world.advance(3 * minuteMs);
  await world.control('POST', '/control/laptop', { serial, do: 'offline' });
  const cafe = await world.until(workflowId, 'the device seen in the café', (state) => state.presence.state === 'seen');
  const { state: proof } = cafe.configuration;
  expect(proof === 'member', `Three minutes cannot prove a configuration, but it is ${proof}.`);

  await tell.scene('Five hours later it comes online at home, and stays.');
  await world.advance(5 * 60 * minuteMs);
  await world.control('POST', '/control/laptop', { serial, do: 'online', place: 'home' });
  for (let passed = 0; passed < 100; passed += 10) {
    await world.advance(10 * minuteMs);
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

  await lookAtVendors(world, expect, [
    `netskope: ${user} added to group Lost-Stolen Devices`,
    `netskope: ${user} removed from group Lost-Stolen Devices`,
    `entra: sessions of ${user} revoked`,
    `servicenow: ${ticket} is Resolved`,
  ]);
}

function proven(state: CaseState): boolean {
  return state.configuration.rungs.applied !== undefined && state.configuration.rungs.biting !== undefined;
}
