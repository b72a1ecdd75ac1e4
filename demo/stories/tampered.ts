/**
 * The story *tampered*: lost, contained and proven; and then somebody works against it. An identity sync takes the user out
 * of the group again and again, until a person finds it. The user of the laptop switches its client off. Somebody gives the
 * laptop a fresh image. Each is seen for what it is, and the case goes on with what is left to prove.
 * @module
 */
import type { CaseState } from '../../playbook/case';
import type { TamperKind } from '../../playbook/tamper';
import { answer, recovered } from '../../workflows/messages';
import type { Narrator } from '../narrator';
import type { Profile } from '../stage';
import { tenant } from '../stage';
import type { Expect, Story } from '../story';
import { lookAtVendors } from '../vendors';
import type { World } from '../world';

const serial = 'SN0042';
const hostname = 'LT-0042';
const user = 'pat@example.test';
const secondMs = 1_000;
const minuteMs = 60 * secondMs;

/** The identity sync undoes a change so soon. */
const syncEveryMs = 10 * minuteMs;
const putBackPerDay = 2;

const profile: Profile = {
  pollEveryMs: 500,
  // On this stage a day is as long as this.
  rules: { levers: { lookEveryMs: secondMs, lookWhenHeardMs: secondMs, putBackPerDay } },
};

export const tamperedStory: Story = { profile, play };

async function play(world: World, tell: Narrator, expect: Expect): Promise<void> {
  const { cases } = world;
  await tell.scene('A ticket: pat lost a laptop. It is contained, comes online at home, and the lost policy bites.');
  const ticket = await world.openTicket({
    short_description: 'Laptop lost on the way home',
    u_serial: serial,
    caller: user,
    description: 'kind: lost\nlast held: on the way home\npowered: on\nlocked: yes',
  });
  const workflowId = `lost-device:${tenant}:${serial}`;
  const until = (what: string, ready: (state: CaseState) => boolean) => world.until(workflowId, what, ready);
  const mail = (subject: string) =>
    world.untilFound(`a mail: ${subject}`, () => world.mails().find((one) => one.subject === subject));
  const laptop = (body: object) => world.control('POST', '/control/laptop', { serial, ...body });
  const proven = (what: string) => proveByTime(world, tell, until, what);
  tell.follow(workflowId);
  await until('contained and tagged', (state) => isHeld(state) && state.presence.firstLookAt !== undefined);
  const first = await installation(world);
  await laptop({ do: 'online', place: 'home' });
  await proven('proven at home');

  await tell.scene(
    'An identity sync that knows nothing of this takes the user out of the group, at every cycle. Each time the look ' +
      'finds it, says so, and the user is put back.',
  );
  await world.control('POST', '/control/identity-sync', { everyMs: syncEveryMs });
  for (let times = 1; times <= putBackPerDay; times++) {
    await world.advance(syncEveryMs);
    await until(
      `put back, time ${times}`,
      ({ containment: { state, putBack, times: moves, claimed } }) =>
        // The user's hold has heard of it too, and will not put the user back by itself.
        state === 'contained' && putBack.length === times && claimed === moves,
    );
    await mail('Tampered with: taken out of the group');
  }

  await tell.scene('Once more, and a person is asked: two systems must not fight for ever.');
  await world.advance(syncEveryMs);
  const asked = await world.untilFound('the question whether to put it back once more', async () =>
    (await world.describe(workflowId)).questions.find(({ id }) => id === 'put back: lost-group'),
  );
  expect(!(await held(world)).user, 'The user was put back although a person was to be asked.');

  await tell.scene('Ana finds the sync and has it stopped. Once more, she says; and the proof begins anew.');
  await world.control('DELETE', '/control/identity-sync');
  await cases.decide(workflowId, answer, {
    ...world.decision('The sync of the joiners list. It leaves this group alone now.', 'ana'),
    questionId: asked.id,
    value: 'again',
  });
  await until('contained again', ({ containment }) => containment.state === 'contained');
  await proven('proven again');

  await tell.scene('At the laptop somebody disables its client. Nothing blocks it now, and people are called.');
  await laptop({ do: 'tamper', how: 'user-disabled' });
  const disabled = await until('the client disabled', (state) => stands(state, 'client disabled'));
  const { says } = disabled.configuration;
  expect(says.includes('disabled by its user'), `The proof does not say that the client is disabled: ${says}`);
  await mail('Tampered with: client disabled');

  await tell.scene('Support talks to them. The client is enabled again.');
  await laptop({ do: 'tamper', how: 'user-enabled' });
  await until('the client enabled', (state) => !stands(state, 'client disabled'));

  await tell.scene(
    'The laptop gets a fresh image: another installation, with nothing of the containment. The case follows it by its ' +
      'serial, tags it anew, and proves anew.',
  );
  await laptop({ do: 're-image' });
  await laptop({ do: 'online', place: 'cafe' });
  const second = await installation(world);
  const followed = await until(
    'the new installation followed and tagged',
    (state) => state.device?.nsdeviceuid === second && isHeld(state),
  );
  const { state: proof } = followed.configuration;
  expect(proof === 'member', `Nothing is proven of the new installation yet, and the case says: ${proof}.`);
  await mail('Tampered with: re-imaged');
  await proven('proven on the new installation');

  await tell.scene('A dealer looks at the sticker and calls. Ana tells the case: recovered. Everything is undone.');
  await cases.decide(workflowId, recovered, world.decision('Brought back by a dealer.', 'ana'));
  await until('closed as recovered', ({ closedAt, outcome }) => closedAt !== undefined && outcome === 'recovered');
  const after = await held(world);
  expect(!after.user && !after.tag, `After the recovery it was: ${JSON.stringify(after)}.`);

  const added = `netskope: ${user} added to group Lost-Stolen Devices`;
  const tag = (how: string, nsdeviceuid: string) => `netskope: tag lost-stolen ${how} ${hostname} (${nsdeviceuid})`;
  await lookAtVendors(
    world,
    expect,
    [
      // What the sync undid is not the playbook's own doing, and only counts.
      ...[added, `${added} (#2)`, `${added} (#3)`, `${added} (#4)`],
      `netskope: ${user} removed from group Lost-Stolen Devices (#4)`,
      ...[tag('added to', first), tag('added to', second), tag('removed from', first), tag('removed from', second)],
      `entra: sessions of ${user} revoked`,
      `servicenow: ${ticket} is In Progress`,
      `servicenow: ${ticket} is Resolved`,
    ],
    /^(?!servicenow: note )/,
  );
}

/** The laptop stays on for as long as its client may take; what it tells meanwhile proves both rungs. */
async function proveByTime(
  world: World,
  tell: Narrator,
  until: (what: string, ready: (state: CaseState) => boolean) => Promise<CaseState>,
  what: string,
): Promise<void> {
  for (let passed = 0; passed < 100; passed += 10) {
    await world.advance(10 * minuteMs);
    if (isBiting(await world.describe(`lost-device:${tenant}:${serial}`))) break;
    await tell.pause(700);
  }
  await until(what, isBiting);
}

const isBiting = ({ configuration: { state, rungs } }: CaseState) => state === 'biting' && rungs.applied !== undefined;

const stands = ({ tampering }: CaseState, kind: TamperKind) =>
  tampering.some((one) => one.kind === kind && one.over === undefined);

const isHeld = ({ containment: { state, measures } }: CaseState) =>
  state === 'contained' && measures['device-tag']?.state === 'in place';

/** Netskope's id of what is installed on the laptop now. */
async function installation(world: World): Promise<string> {
  const laptops = await world.control<{ serial: string; nsdeviceuid: string }[]>('GET', '/control/laptops');
  const found = laptops.find((laptop) => laptop.serial === serial);
  if (found === undefined) throw new Error(`There is no laptop ${serial}.`);
  return found.nsdeviceuid;
}

/** What the vendors hold: the user in the lost group, and a tag on any installation of the laptop. */
async function held(world: World): Promise<{ user: boolean; tag: boolean }> {
  const { netskope } = await world.control<VendorState>('GET', '/control/state');
  return {
    user: netskope.groups['Lost-Stolen Devices']?.includes(user) ?? false,
    tag: netskope.tags['lost-stolen']?.includes(hostname) ?? false,
  };
}

interface VendorState {
  netskope: { groups: Record<string, string[]>; tags: Record<string, string[]> };
}
