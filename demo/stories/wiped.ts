/**
 * The story *wiped*: stolen, and off. Two persons want it wiped; a freeze holds the command for a while; then it waits at
 * the vendor. In a café the laptop takes it. From then on its silence is success, until somebody sets the laptop up again.
 * @module
 */
import type { CaseState } from '../../playbook/case';
import { defaultRules } from '../../playbook/rules';
import { answer, approveWipe, recovered, requestWipe } from '../../workflows/messages';
import type { Narrator } from '../narrator';
import type { Profile } from '../stage';
import { tenant } from '../stage';
import type { Expect, Story } from '../story';
import { lookAtVendors } from '../vendors';
import type { VendorCall, World } from '../world';

const serial = 'SN0042';
const hostname = 'LT-0042';
const user = 'pat@example.test';
const secondMs = 1_000;
const dayMs = 24 * 60 * 60 * secondMs;

/** A day of silence: on this stage it is as long as this. */
const lostModeAfterMs = 12 * secondMs;

const profile: Profile = {
  pollEveryMs: 500,
  remoteHands: true,
  people: {
    ana: { timeZone: 'UTC', notify: { mail: 'ana@example.test' } },
    bob: { timeZone: 'UTC', notify: { mail: 'bob@example.test' } },
  },
  // Their names are proven to nobody here; that is enough because the vendor is this machine.
  wipe: { dryRun: false, perHour: 2, approvers: ['bob'] },
  rules: {
    wipe: {
      whenOffline: { stolen: 'queue-at-vendor' },
      waits: { settleMs: secondMs, lookFirstMs: secondMs, lookMaxMs: secondMs, askEveryMs: secondMs },
    },
    escalation: {
      ladder: defaultRules.escalation.ladder.map((rung) =>
        rung.name === 'lost-mode' ? { ...rung, afterMs: lostModeAfterMs } : rung,
      ),
    },
  },
};

export const wipedStory: Story = { profile, play };

async function play(world: World, tell: Narrator, expect: Expect): Promise<void> {
  const { cases, guards } = world;
  await tell.scene('A ticket: pat’s laptop was stolen from a car. Its user is contained; the laptop is off.');
  const ticket = await world.openTicket({
    short_description: 'Laptop stolen from a car',
    u_serial: serial,
    caller: user,
    description: 'kind: stolen\nlast held: in the car park\npowered: off\nlocked: yes',
  });
  const workflowId = `lost-device:${tenant}:${serial}`;
  const until = (what: string, ready: (state: CaseState) => boolean) => world.until(workflowId, what, ready);
  const asked = (id: string) =>
    world.untilFound(`the question: ${id}`, async () =>
      (await world.describe(workflowId)).questions.find((question) => question.id === id),
    );
  tell.follow(workflowId);
  await until('contained', ({ containment }) => containment.measures['disable-device']?.state === 'in place');

  await tell.scene('Ana asks for a wipe. Evidence is kept first; then the case asks for another person.');
  await cases.decide(workflowId, requestWipe, world.decision('Stolen, and the customer list is on it.', 'ana'));
  const { text: approverSees } = await asked('approve the wipe');
  for (const words of [
    'asked for by ana',
    'intune record',
    'encrypted: yes',
    'waits at the vendor',
    'cannot be taken back',
  ])
    expect(approverSees.includes(words), `The approver does not read "${words}": ${approverSees}`);
  const { plan } = (await world.describe(workflowId)).wipe;
  const evidence = await world.archived(plan?.evidence ?? '(none)');
  expect(evidence.includes(plan?.recordId ?? '(none)'), `The evidence does not name the enrolment: ${evidence}`);

  const refused = await cases.decide(workflowId, approveWipe, world.decision('It is urgent.', 'ana')).then(
    () => undefined,
    (error: Error) => error.message,
  );
  expect(refused?.includes('another person must approve') === true, `Ana approved her own request: ${refused}`);
  await tell.scene(`Ana tries to approve it herself. ${refused}`);

  await tell.scene('Dave freezes everything destructive. Bob approves all the same; the wipe is held.');
  await guards.freeze(tenant, world.decision('Somebody wipes the wrong laptops.', 'dave'));
  await cases.decide(workflowId, approveWipe, world.decision('Checked with its owner by phone.', 'bob'));
  await until('held by the guard', ({ wipe }) => wipe.held?.by === 'the guard');
  expect((await happened(world, accepted)) === 0, 'A wipe left although everything was frozen.');

  await tell.scene('It was a rumour. Unfrozen, the wipe leaves. The laptop is off: it waits at Intune.');
  await guards.unfreeze(tenant, world.decision('A rumour.', 'dave'));
  await until('queued, and read back', ({ wipe }) => wipe.state === 'queued' && wipe.progress !== undefined);
  expect((await falconOf(world)) === 'normal', 'The laptop was isolated before it had heard of its wipe.');

  await tell.scene('In a café somebody opens the lid. The laptop fetches its wipe.');
  await world.control('POST', '/control/laptop', { serial, do: 'online', place: 'cafe' });
  await world.advance(20 * secondMs);
  await until('delivered', ({ wipe }) => wipe.state === 'delivered');
  await tell.pause(2 * secondMs);
  expect((await falconOf(world)) === 'normal', 'The laptop was isolated before it could say that it took its wipe.');

  await tell.scene(
    'Half a minute later it says that it is done, and is gone. Only now does Falcon isolate what may be left.',
  );
  await world.advance(30 * secondMs);
  const wiped = await until(
    'acknowledged, and isolated',
    ({ wipe, containment }) => wipe.state === 'acknowledged' && containment.measures.isolate?.state === 'in place',
  );
  await world.untilFound('a mail: wiped', () =>
    world.mails().find(({ subject }) => subject === 'The lost device was wiped'),
  );

  await tell.scene(
    'Its silence is success: nobody is called, however long it lasts (here 12 s). Ana closes the case as wiped.',
  );
  const silentMs = Date.parse(wiped.presence.unheardSince) + lostModeAfterMs + secondMs;
  const silent = await until('silent for as long as people are called otherwise', () => Date.now() > silentMs);
  const known = wiped.questions.map(({ id }) => id);
  const since = silent.questions.filter(({ id, proposes }) => !known.includes(id) && proposes !== 'close as wiped');
  expect(since.length === 0, `Once it was wiped, the case asked: ${since.map(({ text }) => text).join(' ')}`);
  const close = await asked('propose: close as wiped');
  await cases.decide(workflowId, answer, {
    ...world.decision('Intune says done.', 'ana'),
    questionId: close.id,
    value: 'yes',
  });
  await until(
    'closed as wiped, and listening',
    ({ outcome, listening }) => outcome === 'wiped' && listening !== undefined,
  );

  await tell.scene('A month later somebody sets it up again. The case is open again, and people are called.');
  await world.advance(30 * dayMs);
  await world.control('POST', '/control/laptop', { serial, do: 'enrol-again', place: 'home' });
  await until(
    'reopened, and contained again',
    ({ outcome, containment }) => outcome === 'open' && containment.state === 'contained',
  );
  const back = 'A wiped laptop is back';
  await world.untilFound(`a mail: ${back}`, () => world.mails().find(({ subject }) => subject === back));

  await tell.scene('It was a dealer, in good faith. The police bring it back. Ana tells the case: recovered.');
  await cases.decide(workflowId, recovered, world.decision('Brought back by the police.', 'ana'));
  await until('closed as recovered', ({ closedAt, outcome }) => closedAt !== undefined && outcome === 'recovered');
  expect((await happened(world, accepted)) === 1, 'Intune took not exactly one wipe.');
  await lookAtVendors(world, expect, [
    accepted,
    `intune: ${serial} wiped`,
    `crowdstrike: ${hostname} contained`,
    `crowdstrike: ${hostname} released`,
    `servicenow: ${ticket} is Resolved`,
    `servicenow: ${ticket} is Resolved (#2)`,
  ]);
}

const accepted = `intune: wipe of ${serial} accepted`;

/** How often the vendors saw it, as a repeat too. */
async function happened(world: World, effect: string): Promise<number> {
  const calls = await world.control<VendorCall[]>('GET', '/control/calls');
  return calls.filter(({ changed }) => changed?.includes(effect)).length;
}

/** What Falcon says of the laptop's first installation. */
async function falconOf(world: World): Promise<string | undefined> {
  const { crowdstrike } = await world.control<VendorState>('GET', '/control/state');
  return crowdstrike.hosts.find((host) => host.serial === serial)?.status;
}

interface VendorState {
  crowdstrike: { hosts: { serial: string; status: string }[] };
}
