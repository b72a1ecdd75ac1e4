/**
 * The story *never reappears*: lost on a trip, and nobody hears of it. For a while nobody even could, and that is told
 * apart. What no API does is done by people, who are called until somebody has it. At last it is written off, and the case
 * listens on. Months later it comes online.
 * @module
 */
import type { CaseState } from '../../playbook/case';
import type { Proposal, Rung, RungProgress } from '../../playbook/ladder';
import { blindSince } from '../../playbook/troubles';
import { defaultRules } from '../../playbook/rules';
import { answer, closeTask, recovered, startClock, stateEncryption } from '../../workflows/messages';
import type { Narrator } from '../narrator';
import type { Mail, Profile } from '../stage';
import type { Expect, Story } from '../story';
import { lookAtVendors } from '../vendors';
import type { Incident, World } from '../world';

const serial = 'SN0042';
const hostname = 'LT-0042';
const user = 'pat@example.test';
const secondMs = 1_000;
const hourMs = 60 * 60 * secondMs;
const dayMs = 24 * hourMs;

/** A day without a sign, a week, a month: on this stage they are as long as this. */
const lostModeAfterMs = 10 * secondMs;
const short: Record<string, Partial<Rung>> = {
  blind: { afterMs: 0 },
  'lost-mode': { afterMs: lostModeAfterMs, whom: ['soc', 'dave'] },
  wipe: { afterMs: lostModeAfterMs + 2 * secondMs, whom: ['soc', 'dave'] },
  'write-off': { afterMs: lostModeAfterMs + 4 * secondMs, whom: ['soc', 'dave'] },
  'task-late': { repeatEveryMs: 3 * secondMs, deputiesAfterMs: 2 * secondMs },
};

function profile(): Profile {
  const hour = (fromNowMs: number) => new Date(Date.now() + fromNowMs).toISOString().slice(11, 16);
  const mail = (name: string) => ({ mail: `${name}@example.test` });
  return {
    // A feed is blind after five failures in a row, which come slower and slower.
    pollEveryMs: 100,
    pager: true,
    people: {
      ana: { timeZone: 'UTC', notify: { ...mail('ana'), pager: true } },
      eve: { timeZone: 'UTC', notify: mail('eve') },
      bob: { timeZone: 'UTC', notify: { ...mail('bob'), pager: true }, deputies: ['cleo'] },
      cleo: { timeZone: 'UTC', notify: { ...mail('cleo'), pager: true } },
      dave: { timeZone: 'UTC', notify: mail('dave'), quietHours: { from: hour(-hourMs), to: hour(3 * hourMs) } },
    },
    rotas: {
      soc: { members: ['ana', 'eve'], since: new Date().toISOString().slice(0, 10), at: '00:00', timeZone: 'UTC' },
    },
    rules: {
      directorySteps: { lost: ['revoke-sessions', 'disable-device'] },
      escalation: {
        ladder: defaultRules.escalation.ladder.map((rung) => ({ ...rung, ...short[rung.name] })),
        news: { whom: ['soc'] },
        tasks: [
          { id: 'carrier', title: 'Have the carrier block the SIM', owner: ['bob'], dueMs: 3 * secondMs },
          { id: 'asset-write-off', title: 'Take it off the books', dueMs: 14 * dayMs, begins: 'written off' },
        ],
      },
    },
  };
}

export const neverReappearsStory: Story = { profile: profile(), play };

async function play(world: World, tell: Narrator, expect: Expect): Promise<void> {
  await tell.scene('A ticket: pat lost a laptop on a trip. Its user is contained, the device tagged and disabled.');
  const ticket = await world.openTicket({
    short_description: 'Laptop lost on a trip',
    u_serial: serial,
    caller: user,
    description: 'kind: lost\nlast held: at the airport\npowered: off\nlocked: yes',
  });
  const workflowId = `lost-device:acme:${serial}`;
  const until = (what: string, ready: (state: CaseState) => boolean, withinMs?: number) =>
    world.until(workflowId, what, ready, withinMs);
  const asked = async (proposal: Proposal) =>
    world.untilFound(`the proposal: ${proposal}`, async () =>
      (await world.describe(workflowId)).questions.find(({ proposes }) => proposes === proposal),
    );
  const { cases } = world;
  tell.follow(workflowId);
  const opened = await until(
    'user, tag and device held, and the first look taken',
    (state) => isHeld(state) && state.presence.firstLookAt !== undefined,
  );

  await tell.scene("The token of Netskope's API is revoked. Nothing can hear the laptop now, and that is no silence.");
  await world.control('POST', '/control/tenant', { tokensValid: false });
  const blind = await until('blind, and told so', (state) => calledBy(state, 'blind') > 0);
  const blindFromMs = Date.parse(blindSince(blind) ?? '');

  await tell.scene('Meanwhile nobody told the carrier. Bob does not answer; Cleo, his deputy, has it.');
  await until('the deputy called', (state) => rungOf(state, 'task-late')?.deputiesAt !== undefined);
  const late = await world.untilFound('the incident of the late task', async () =>
    (await incidents(world)).find(({ summary }) => summary.includes('Late: carrier')),
  );
  await world.control('POST', '/control/pagerduty/incident', {
    dedupKey: late.dedupKey,
    do: 'acknowledge',
    by: 'cleo',
  });
  const had = await world.untilFound('the acknowledgement of Cleo in the case', async () => {
    const rung = rungOf(await world.describe(workflowId), 'task-late');
    return rung?.acknowledged?.who === 'cleo' && rung.calling === undefined ? rung : undefined;
  });

  await tell.scene('Legal asks whether to notify. The clock runs; the disk was encrypted; no notification is needed.');
  const awareAt = new Date(Date.now() - hourMs).toISOString();
  await cases.decide(workflowId, startClock, {
    ...world.decision('The owner told us an hour ago'),
    clock: 'gdpr',
    awareAt,
  });
  const because = 'The disk is encrypted, and its key is not with it: no risk to persons, Article 33(1)';
  const notNeeded = () =>
    cases.decide(workflowId, closeTask, { ...world.decision(because), task: 'gdpr', as: 'not needed' });
  const tooEarly = await notNeeded().then(
    () => true,
    () => false,
  );
  expect(!tooEarly, 'A clock was stopped although nobody had said whether the disk was encrypted.');
  await cases.decide(workflowId, stateEncryption, {
    ...world.decision('BitLocker was on, and its recovery key is escrowed: read before the trip.'),
    answer: 'yes',
  });
  await notNeeded();

  await tell.scene('Longer than a day of silence would be (here 10 s), and nothing calls it silence.');
  const stillBlind = await until(
    'as long blind as silence may last',
    ({ openedAt }) => Date.now() > Date.parse(openedAt) + lostModeAfterMs + secondMs,
  );
  const { presence, questions } = stillBlind;
  expect(presence.state === 'blind', `Nothing could hear the device, and the case said: ${presence.state}.`);
  expect(questions.length === 0, `While blind, the case asked: ${questions.map(({ text }) => text).join(' ')}`);
  const calls = rungOf(stillBlind, 'task-late')?.called;
  expect(calls === had.called, `Cleo had the late task, and it called on: ${had.called} calls, then ${calls}.`);
  await cases.decide(workflowId, closeTask, {
    ...world.decision('Blocked by phone.', 'cleo'),
    task: 'carrier',
    as: 'done',
  });

  await tell.scene('A new token. The ladder goes on from where it was: lost mode, then a wipe, are proposed by day.');
  const tokenBackMs = Date.now();
  await world.control('POST', '/control/tenant', { tokensValid: true });
  const lostMode = await asked('lost mode');
  const listenedMs = blindFromMs - Date.parse(opened.openedAt) + Date.parse(lostMode.askedAt) - tokenBackMs;
  expect(listenedMs >= lostModeAfterMs, `Lost mode was proposed after ${listenedMs} ms in which anybody could hear.`);
  const toAna = ({ to, subject }: Mail) =>
    to.includes('ana@example.test') && subject.startsWith('A decision is needed');
  await world.untilFound('a mail to ana, who is on duty', () => world.mails().find(toAna));
  await cases.decide(workflowId, answer, {
    ...world.decision('Locked in Intune.'),
    questionId: lostMode.id,
    value: 'done',
  });
  const wipe = await asked('wipe');
  await cases.decide(workflowId, answer, {
    ...world.decision('The insurer has not answered.'),
    questionId: wipe.id,
    value: 'later',
  });

  await tell.scene(
    'A month, and no sign (here 14 s). Write it off? Ana agrees: the user goes free, the device stays held.',
  );
  const writeOff = await asked('write-off');
  await cases.decide(workflowId, answer, {
    ...world.decision('Nobody expects it back.'),
    questionId: writeOff.id,
    value: 'yes',
  });
  await until('written off, and listening', (state) => state.listening !== undefined);
  const writtenOff = await held(world, ticket);
  const soHeld = { user: false, tag: true, device: true, ticket: 'Resolved' };
  expect(isSame(writtenOff, soHeld), `After the write-off it was: ${JSON.stringify(writtenOff)}.`);

  await tell.scene('Three months later somebody in a café switches it on. The case is open again.');
  await world.advance(90 * dayMs);
  await world.control('POST', '/control/laptop', { serial, do: 'online', place: 'cafe' });
  await until(
    'reopened, and contained again',
    ({ outcome, containment }) => outcome === 'open' && containment.state === 'contained',
  );
  const back = 'A written-off laptop is back';
  await world.untilFound(`a mail: ${back}`, () => world.mails().find(({ subject }) => subject === back));
  const heldAgain = { user: true, tag: true, device: true, ticket: 'In Progress' };
  await world.untilFound(`all held again: ${JSON.stringify(heldAgain)}`, async () => {
    const again = await held(world, ticket);
    return isSame(again, heldAgain) || undefined;
  });

  await tell.scene('The café hands it in. Ana tells the case: recovered.');
  await cases.decide(workflowId, recovered, world.decision('Handed in by the café, seal intact.'));
  await until('closed as recovered', ({ closedAt, outcome }) => closedAt !== undefined && outcome === 'recovered');
  const after = await held(world, ticket);
  const free = { user: false, tag: false, device: false, ticket: 'Resolved' };
  expect(isSame(after, free), `After the recovery it was: ${JSON.stringify(after)}.`);
  await lookAtPeople(world, expect);
  await lookAtVendors(world, expect, happened(ticket));
}

function happened(ticket: string): string[] {
  const told = [
    `netskope: ${user} added to group Lost-Stolen Devices`,
    `netskope: ${user} removed from group Lost-Stolen Devices`,
    `servicenow: ${ticket} is In Progress`,
    `servicenow: ${ticket} is Resolved`,
  ];
  // Again, when it came back.
  return [...told, ...told.map((effect) => `${effect} (#2)`)];
}

/** Who was called, as their mailboxes and the pager have it. */
async function lookAtPeople(world: World, expect: Expect): Promise<void> {
  const mails = world.mails();
  const blind = mails.filter(({ subject }) => subject.startsWith('Blind: ')).length;
  expect(blind === 1, `Blindness was told ${blind} times.`);
  for (const { to, subject } of mails)
    expect(!to.includes('dave@example.test'), `Dave has quiet hours, and was called: ${subject}`);
  for (const { dedupKey, status, summary } of await incidents(world))
    expect(status === 'resolved' || !dedupKey.includes(':rung:'), `Nobody took it back from the pager: ${summary}`);
}

/** What the vendors hold: the user in the lost group, the device's tag, its object disabled, and the ticket's state. */
async function held(world: World, ticket: string) {
  const { netskope, entra, servicenow } = await world.control<VendorState>('GET', '/control/state');
  return {
    user: netskope.groups['Lost-Stolen Devices']?.includes(user) ?? false,
    tag: netskope.tags['lost-stolen']?.includes(hostname) ?? false,
    device: entra.devices.some(({ displayName, enabled }) => displayName === hostname && !enabled),
    ticket: servicenow.tickets.find(({ number }) => number === ticket)?.state,
  };
}

interface VendorState {
  netskope: { groups: Record<string, string[]>; tags: Record<string, string[]> };
  entra: { devices: { displayName: string; enabled: boolean }[] };
  servicenow: { tickets: { number: string; state: string }[] };
}

const incidents = (world: World) => world.control<Incident[]>('GET', '/control/pagerduty');

const isSame = (a: object, b: object) => JSON.stringify(a) === JSON.stringify(b);

function isHeld({ containment: { state, measures } }: CaseState): boolean {
  const isInPlace = (name: 'device-tag' | 'disable-device') => measures[name]?.state === 'in place';
  return state === 'contained' && isInPlace('device-tag') && isInPlace('disable-device');
}

const rungOf = ({ escalation }: CaseState, name: string): RungProgress | undefined =>
  Object.values(escalation.rungs).find(({ rung }) => rung === name);

const calledBy = (state: CaseState, rung: string) => rungOf(state, rung)?.called ?? 0;
