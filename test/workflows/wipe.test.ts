/**
 * The wipe against Intune and Falcon: two persons, one permit, one send, followed to the end; what holds it, what ends it,
 * and what comes after it.
 */
import { workflowIds } from '../../workflows/ids';
import {
  answer,
  approveWipe,
  cancelWipe,
  freeze,
  isolate,
  lock,
  recovered,
  refuseWipe,
  releaseIsolation,
  reportSighting,
  requestWipe,
  unfreeze,
  writeOff,
  type GuardState,
  type RequestWipe,
} from '../../workflows/messages';
import type { CaseState } from '../../playbook/case';
import { permitId, type WipeStateName } from '../../playbook/wipe';
import { eventually } from '../setup/eventually';
import {
  analyst,
  startTestHouse,
  tenant,
  type Laptop,
  type TestHouse,
  type TestHouseOptions,
} from '../setup/test-house';
import { fastForward } from '../setup/time-skipping';

const hourMs = 60 * 60_000;
const dayMs = 24 * hourMs;
const ben = { ...analyst, person: 'ben (lead)' };
const waits = {
  settleMs: 300,
  lookFirstMs: 300,
  lookMaxMs: 600,
  stalledAfterMs: 3_000,
  isolateAfterMs: 60_000,
  askEveryMs: 400,
};
const options = (more: TestHouseOptions = {}): TestHouseOptions => ({
  with: { entra: false, servicenow: true, intune: true, crowdstrike: true, secrets: true },
  rules: { wipe: { waits } },
  wipe: { dryRun: false, perHour: 1_000, perDay: 1_000, approvers: [ben.person] },
  sites: [{ name: 'Head office', addresses: ['198.51.100.0/24'] }],
  ...more,
});

let house: TestHouse;
const start = (more?: TestHouseOptions) => {
  beforeAll(async () => {
    house = await startTestHouse(options(more));
  });
  afterAll(() => house.close());
  afterEach(async () => {
    await house.clearFaults();
    expect(await house.wrongs()).toEqual([]);
  });
};

async function contained(
  kind: 'lost' | 'stolen',
  laptop: Laptop = house.laptop(),
): Promise<Laptop & { number: string }> {
  const { serial, user, workflowId } = laptop;
  const { number } = await house.ticket({ u_serial: serial, caller: user });
  await house.report({ source: 'servicenow', ticket: number, device: { serial }, answers: { kind } });
  await house.untilContained(workflowId);
  // Heard from now on only by what happens in the test.
  await house.untilCase(workflowId, 'looked', ({ presence }) => presence.firstLookAt !== undefined);
  return { ...laptop, number };
}
const ask = ({ workflowId }: Laptop, more: Partial<RequestWipe> = {}) =>
  house.decide(workflowId, requestWipe, { reason: 'Taken from the car.', ...more });
const untilPrepared = ({ workflowId }: Laptop) =>
  house.untilCase(workflowId, 'prepared', ({ wipe }) => wipe.state === 'requested' && wipe.plan !== undefined);
const approve = ({ workflowId }: Laptop) => house.decide(workflowId, approveWipe, { actor: ben });
const until = (
  { workflowId }: Laptop,
  state: WipeStateName,
  what = '',
  ready: (state: CaseState) => boolean = () => true,
) => house.untilCase(workflowId, `${state} ${what}`, (now) => now.wipe.state === state && ready(now));
const heldBy = (laptop: Laptop, by: string) => until(laptop, 'held', by, ({ wipe }) => wipe.held?.by === by);

async function approved(kind: 'lost' | 'stolen', more: Partial<RequestWipe> = {}, laptop?: Laptop) {
  const lost = await contained(kind, laptop);
  await ask(lost, { override: 'It is gone.', ...more });
  await untilPrepared(lost);
  await approve(lost);
  return lost;
}

const atIntune = async ({ serial }: Laptop) =>
  (await house.changes(serial)).filter((change) => change.startsWith('intune: '));
const sentOnce = ({ serial }: Laptop) => [`intune: wipe of ${serial} accepted`];
const asked = ({ questions }: CaseState) => questions.map(({ id }) => id);
const mails = (subject: string, { serial }: Laptop) =>
  house.mails.filter((mail) => mail.subject === subject && mail.text.includes(serial)).length;
const show = ({ workflowId }: Laptop) => house.house.cases.show(workflowId) as Promise<CaseState>;
/** As long as several of the case's own looks take. */
const aWhile = () => house.untilPolled();
const quietly = () => ({ signal: new AbortController().signal, now: new Date().toISOString() });
async function isolateByHand({ serial }: Laptop): Promise<void> {
  const { crowdstrike } = await house.control<{ crowdstrike: { hosts: { serial: string; deviceId: string }[] } }>(
    'GET',
    'state',
  );
  const token = await fetch(`${house.url}/oauth2/token`, {
    method: 'POST',
    body: new URLSearchParams({ client_id: 'sim-crowdstrike-client', client_secret: 'sim-crowdstrike-secret' }),
  });
  const { access_token: bearer } = (await token.json()) as { access_token: string };
  const ids = crowdstrike.hosts.filter((host) => host.serial === serial).map(({ deviceId }) => deviceId);
  const { status } = await fetch(`${house.url}/devices/entities/devices-actions/v2?action_name=contain`, {
    method: 'POST',
    headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' },
    body: JSON.stringify({ ids }),
  });
  expect(status).toBe(202);
}

/** As an administrator does it, with a program of their own. */
async function lockByHand(id: string): Promise<void> {
  const token = await fetch(`${house.url}/11111111-1111-4111-8111-111111111111/oauth2/v2.0/token`, {
    method: 'POST',
    body: new URLSearchParams({
      client_id: '22222222-2222-4222-8222-222222222222',
      client_secret: 'sim-entra-secret',
      grant_type: 'client_credentials',
      scope: 'https://graph.microsoft.com/.default',
    }),
  });
  const { access_token: bearer } = (await token.json()) as { access_token: string };
  const { status } = await fetch(`${house.url}/v1.0/deviceManagement/managedDevices/${id}/remoteLock`, {
    method: 'POST',
    headers: { authorization: `Bearer ${bearer}` },
  });
  expect(status).toBe(204);
}
interface Enrolment {
  id: string;
  serial: string;
  actions: { name: string; startedAt: string; asked: object }[];
}
const enrolments = async (laptop: Laptop) =>
  (await house.control<{ devices: Enrolment[] }>('GET', 'intune')).devices.filter(
    ({ serial }) => serial === laptop.serial,
  );

describe.each([
  ['in one run', {}],
  ['in many runs', { dynamicConfig: { 'limit.historyCount.suggestContinueAsNew': 60 } }],
] satisfies [string, TestHouseOptions][])('stolen, %s', (_, more) => {
  start(more);

  test('asked for, approved by another, queued while it is off, delivered in the café, isolated, acknowledged, closed, and back', async () => {
    const stolen = await contained('stolen');
    const { workflowId, serial, hostname, user, number } = stolen;
    expect((await ask(stolen)).text).toMatch(/another person must approve/);
    const { wipe, questions } = await untilPrepared(stolen);
    expect(wipe).toMatchObject({
      request: { who: analyst.person, whenOffline: 'queue-at-vendor' },
      plan: { plugin: 'intune', platform: 'windows', encrypted: 'yes', cancellable: false, pin: 'none', dryRun: false },
    });
    expect(questions).toMatchObject([{ id: 'approve the wipe', whom: [ben.person] }]);
    expect(questions[0]?.text).toMatch(/cannot be taken back/);
    expect((await house.house.tenant(tenant).archive.get(wipe.plan!.evidence, quietly()))?.toString()).toContain(
      serial,
    );
    await expect(
      house.decide(workflowId, approveWipe, { actor: { ...analyst, person: ' ANA (Analyst)' } }),
    ).rejects.toThrow(/another person must approve/);
    expect(await atIntune(stolen)).toEqual([]);

    expect((await approve(stolen)).text).toMatch(/^Approved\. [^.]*\.$/);
    const queued = await until(stolen, 'queued', 'seen there', ({ wipe: { progress } }) => progress !== undefined);
    expect(asked(queued)).toEqual([]);
    await aWhile();
    expect(await atIntune(stolen)).toEqual(sentOnce(stolen));
    expect((await show(stolen)).containment.measures.isolate).toBeUndefined();

    await house.move(serial, { do: 'online', place: 'cafe' });
    await house.advance(22_000);
    await until(stolen, 'delivered');
    await house.advance(35_000);
    const wiped = await until(stolen, 'acknowledged');
    expect(asked(wiped)).toContain('propose: close as wiped');
    expect(await atIntune(stolen)).toEqual([...sentOnce(stolen), `intune: ${serial} wiped`]);
    await house.untilMail('The lost device was wiped', serial);
    await house.untilCase(
      workflowId,
      'isolated',
      ({ containment }) => containment.measures.isolate?.state === 'in place',
    );
    const vendors = (await house.changes(serial, hostname)).filter((change) => /^(intune|crowdstrike): /.test(change));
    expect(vendors).toEqual([...sentOnce(stolen), `intune: ${serial} wiped`, `crowdstrike: ${hostname} contained`]);
    await expect(ask(stolen)).rejects.toThrow(/It was wiped/);

    await house.decide(workflowId, answer, { questionId: 'propose: close as wiped', value: 'yes' });
    const closed = await house.untilCase(
      workflowId,
      'listens, all said',
      ({ listening, notes, pages, journal }) =>
        listening !== undefined && notes.pending.length + pages.length === 0 && journal.archived === journal.next - 1,
    );
    expect(closed).toMatchObject({ outcome: 'wiped', containment: { state: 'user released, device held' } });
    expect(await house.lostGroup()).not.toContain(user);
    expect((await house.ticketState(number))?.state).toBe('Resolved');
    // Silence is success.
    await fastForward(house.handle(workflowId), 'two months', 60 * dayMs);
    expect(await show(stolen)).toMatchObject({ outcome: 'wiped', reopened: 0, questions: [] });

    await house.control('POST', 'clock', { now: new Date(Date.now() + 61 * dayMs).toISOString() });
    await house.move(serial, { do: 'enrol-again', place: 'home' });
    const back = await house.untilCase(
      workflowId,
      'contained again',
      ({ reopened, containment }) => reopened === 1 && containment.state === 'contained',
    );
    expect(back.outcome).toBe('open');
    expect(await house.lostGroup()).toContain(user);
    expect(await atIntune(stolen)).toEqual([...sentOnce(stolen), `intune: ${serial} wiped`]);
    // A new installation is not the one that was wiped: its silence means something, and it can be wiped.
    await ask(stolen, { override: 'It is somebody else’s now.' });
    expect((await show(stolen)).wipe).toMatchObject({ state: 'requested', number: 2 });
  });
});

describe('what holds it, and what ends it', () => {
  start({ with: { ...options().with, netskopeV1: true } });

  // First: it needs a vendor whose clock is not ahead of ours.
  test('online and still pending: an alarm; taken later, it is over', async () => {
    await house.control('POST', 'traps', { intuneStuck: true });
    const stolen = await approved('stolen');
    const { workflowId, serial } = stolen;
    try {
      await until(stolen, 'queued');
      await house.move(serial, { do: 'online', place: 'cafe' });
      const stalled = await until(stolen, 'queued', 'stalled', ({ wipe }) => wipe.stalledSince !== undefined);
      expect(stalled.wipe.progress?.says).toMatch(/pending/);
      await house.untilMail('The wipe is stalled', serial);
    } finally {
      await house.control('POST', 'traps', { intuneStuck: false });
    }
    await house.move(serial, { do: 'offline' });
    await house.move(serial, { do: 'online', place: 'cafe' });
    await house.advance(60_000);
    const over = await until(stolen, 'acknowledged');
    expect(over.wipe.stalledSince).toBeUndefined();
    await house.untilCase(workflowId, 'no alarm', ({ escalation }) =>
      Object.values(escalation.rungs).every(({ rung, over: ended }) => rung !== 'wipe-stalled' || ended !== undefined),
    );
    expect(mails('The wipe is stalled', stolen)).toBe(1);
  });

  test('lost: it is held until the device is heard, and then leaves', async () => {
    const lost = await approved('lost');
    await heldBy(lost, 'until seen');
    await aWhile();
    expect(await atIntune(lost)).toEqual([]);
    await house.move(lost.serial, { do: 'online', place: 'cafe' });
    await until(lost, 'queued');
    expect(await atIntune(lost)).toEqual(sentOnce(lost));
  });

  test('cancelled while it is held: it never leaves; sent, nobody can take it back', async () => {
    const lost = await approved('lost');
    await heldBy(lost, 'until seen');
    await expect(house.decide(lost.workflowId, cancelWipe, { reason: ' ' })).rejects.toThrow(/needs a reason/);
    expect(await house.decide(lost.workflowId, cancelWipe, { reason: 'It was found.' })).toEqual({
      text: 'The wipe is cancelled.',
    });
    await house.move(lost.serial, { do: 'online', place: 'cafe' });
    await house.untilCase(lost.workflowId, 'seen', ({ presence }) => presence.state === 'seen');
    await aWhile();
    expect((await show(lost)).wipe.state).toBe('cancelled');
    expect(await atIntune(lost)).toEqual([]);

    const stolen = await approved('stolen');
    await until(stolen, 'queued');
    expect((await house.decide(stolen.workflowId, cancelWipe, { reason: 'It was found.' })).text).toMatch(
      /cannot be cancelled/,
    );
    expect((await show(stolen)).wipe.state).toBe('queued');
  });

  test('cancelled while a send is on its way: that is said, and afterwards that it never left', async () => {
    const stolen = await contained('stolen');
    await ask(stolen);
    const { wipe } = await untilPrepared(stolen);
    const record = `deviceManagement/managedDevices/${wipe.plan?.recordId ?? ''}`;
    await house.fault({ match: { method: 'GET', path: `/v1.0/${record}` }, effect: { delayMs: 10_000 } });
    await house.fault({ match: { method: 'POST', path: `/beta/${record}` }, effect: { status: 403, body: {} } });
    await approve(stolen);
    await house.untilCase(stolen.workflowId, 'leaving', (state) => state.wipe.leaving !== undefined);
    const { text } = await house.decide(stolen.workflowId, cancelWipe, { reason: 'It was found.' });
    expect(text).toMatch(/on its way, and may arrive all the same/);
    const neverLeft = 'The wipe never left: it was cancelled in time.';
    const said = ({ journal }: CaseState) => journal.tail.some((entry) => entry.text === neverLeft);
    await until(stolen, 'cancelled', 'and said', said);
    expect((await show(stolen)).wipe.leaving).toBeUndefined();
    expect(await atIntune(stolen)).toEqual([]);
  });

  test('who may ask, approve and refuse', async () => {
    const { workflowId: unknown } = await house.report({ ticket: 'WHO-1', device: { serial: 'SN7799' } });
    await house.untilCase(unknown, 'asked', ({ questions }) => questions.length === 1);
    await expect(house.decide(unknown, requestWipe, {})).rejects.toThrow(/Only an identified device/);

    const lost = await contained('lost');
    const { workflowId } = lost;
    await expect(ask(lost, { reason: '' })).rejects.toThrow(/needs a reason/);
    await expect(ask(lost, { legalHold: 'yes' })).rejects.toThrow(/legal hold/);
    await expect(approve(lost)).rejects.toThrow(/No wipe waits/);
    await ask(lost, { legalHold: 'yes', override: 'The court agreed.' });
    await expect(ask(lost)).rejects.toThrow(/is requested already/);
    await untilPrepared(lost);
    await expect(house.decide(workflowId, refuseWipe, { actor: ben, reason: '' })).rejects.toThrow(/needs a reason/);
    await house.decide(workflowId, refuseWipe, { actor: ben, reason: 'It is encrypted.' });
    const refused = await show(lost);
    expect(refused.wipe).toMatchObject({ state: 'refused', endedBecause: `${ben.person}: It is encrypted.` });
    expect(asked(refused)).toEqual([]);
    await expect(approve(lost)).rejects.toThrow(/No wipe waits/);
    // Refused is not for ever.
    await ask(lost, { override: 'It is gone after all.' });
    expect((await untilPrepared(lost)).wipe.number).toBe(2);

    const journal = async () => (await house.journal(refused.chain)).map(({ evidence = '' }) => evidence).join('\n');
    await eventually(async () => expect(await journal()).toContain('The court agreed.'));
    expect(await atIntune(lost)).toEqual([]);
  });

  test('nobody approves for three days: it is over, and too late to approve', async () => {
    const lost = await contained('lost');
    await ask(lost, { override: 'It is gone.' });
    await untilPrepared(lost);
    await fastForward(house.handle(lost.workflowId), 'nearly three days', 2.9 * dayMs);
    expect((await show(lost)).wipe.state).toBe('requested');
    await fastForward(house.handle(lost.workflowId), 'three days', 0.2 * dayMs);
    const over = await until(lost, 'cancelled');
    expect(asked(over)).not.toContain('approve the wipe');
    await expect(approve(lost)).rejects.toThrow(/No wipe waits/);
    expect(await atIntune(lost)).toEqual([]);
  });

  test('an isolated device gets no wipe without a reason; released, it does', async () => {
    const lost = await contained('lost');
    await house.decide(lost.workflowId, isolate, { reason: 'Somebody copies data.' });
    await house.untilCase(
      lost.workflowId,
      'isolated',
      ({ containment }) => containment.measures.isolate?.state === 'in place',
    );
    await expect(ask(lost, {})).rejects.toThrow(/isolated/);
    await house.decide(lost.workflowId, releaseIsolation, { reason: 'For the wipe.' });
    await house.untilCase(lost.workflowId, 'released', ({ containment }) => containment.measures.isolate === undefined);
    await ask(lost, { whenOffline: 'queue-at-vendor', override: 'It is gone.' });
    await untilPrepared(lost);
    await expect(house.decide(lost.workflowId, isolate, { reason: 'Now.' })).rejects.toThrow(/A wipe is under way/);
    await approve(lost);
    await until(lost, 'queued');
    expect((await house.changes(lost.hostname)).filter((change) => change.startsWith('crowdstrike'))).toEqual([
      `crowdstrike: ${lost.hostname} contained`,
      `crowdstrike: ${lost.hostname} released`,
    ]);
  });

  test('selective: an EDR that would cut everything off isolates nobody by itself; a person may ask for it', async () => {
    const { wipe } = house.settings.tenants[tenant]!.rules;
    const usual = wipe.isolate;
    wipe.isolate = 'selective';
    const lost = await contained('stolen').finally(() => (wipe.isolate = usual));
    const left = await house.untilCase(
      lost.workflowId,
      'looked',
      ({ containment }) => containment.measures.isolate !== undefined,
    );
    expect(left.containment.measures.isolate).toMatchObject({ state: 'not offered' });
    expect(left.containment.measures.isolate?.evidence).toContain('cannot isolate selectively');
    expect((await house.changes(lost.hostname)).filter((change) => change.startsWith('crowdstrike'))).toEqual([]);
    await house.decide(lost.workflowId, isolate, { reason: 'Somebody copies data.' });
    await house.untilCase(
      lost.workflowId,
      'isolated',
      ({ containment }) => containment.measures.isolate?.state === 'in place',
    );
  });

  test('isolated by somebody else, it gets no wipe either, and is not ours to release', async () => {
    const lost = await contained('lost');
    await isolateByHand(lost);
    await house.decide(lost.workflowId, isolate, { reason: 'Somebody copies data.' });
    await house.untilCase(
      lost.workflowId,
      'known',
      ({ containment }) => containment.measures.isolate?.state === 'was there before',
    );
    await expect(ask(lost)).rejects.toThrow(/isolated/);
    await expect(house.decide(lost.workflowId, releaseIsolation, {})).rejects.toThrow(/has not isolated/);
    // A person who knows better has the last word, and the approver reads of it.
    await ask(lost, { override: 'Intune is allowed through.' });
    expect((await untilPrepared(lost)).wipe.plan?.warnings.join(' ')).toMatch(/It is isolated by crowdstrike/);
  });

  test('what keeps it away by steering comes first; where nothing does, or nobody can tell, that is said', async () => {
    const lost = await contained('lost');
    const { settings } = house.house.tenant(tenant);
    const warned = async () => {
      await ask(lost, { whenOffline: 'hold-until-seen', override: 'It is gone.' });
      const { warnings } = (await untilPrepared(lost)).wipe.plan!;
      await house.decide(lost.workflowId, cancelWipe, { reason: 'Not now.' });
      return warnings;
    };
    const set = (lostSteering: object) => house.control('POST', 'tenant', { lostSteering });
    expect((await warned()).at(-1)).toMatch(
      /^The steering configuration "Lost-Stolen Steering" lets all \d+ hosts through/,
    );
    try {
      settings.wipe.behindPrivateAccess = true;
      await set({ without: ['manage.microsoft.com', '*.apple.com'] });
      const [hosts, privateAccess] = await warned();
      expect(hosts).toMatch(/does NOT let through: \*\.push\.apple\.com, .*manage\.microsoft\.com.* may never arrive/);
      expect(privateAccess).toMatch(/has private access off/);
      await set({ privateApps: true });
      expect((await warned()).join(' ')).not.toMatch(/private access|NOT/);
      await house.fault({
        match: { method: 'POST', path: '/api/v1/steeringconfig' },
        times: 'always',
        effect: { status: 500, body: {} },
      });
      expect((await warned()).slice(-2)).toEqual([
        expect.stringMatching(/were not read back/) as string,
        expect.stringMatching(/private access: check that/) as string,
      ]);
    } finally {
      settings.wipe.behindPrivateAccess = false;
      await set({});
    }
  });

  test('frozen, nothing leaves; let go, it leaves; so it is with an isolation', async () => {
    const decide = (update: typeof freeze) =>
      house.client.workflow.getHandle(workflowIds.guard(tenant)).executeUpdate(update, {
        args: [{ id: `${update.name} ${Date.now()}`, actor: analyst, reason: 'An account was taken over.' }],
      });
    await decide(freeze);
    const stolen = await approved('stolen');
    const held = await heldBy(stolen, 'the guard');
    expect(held.wipe.held?.says).toMatch(/^Frozen by ana/);
    const other = await contained('stolen');
    await house.decide(other.workflowId, isolate, { reason: 'Somebody copies data.' });
    await house.untilCase(other.workflowId, 'stuck', ({ steps }) => steps['isolate the device']?.state === 'stuck');
    await aWhile();
    expect(await atIntune(stolen)).toEqual([]);
    expect((await house.changes(other.hostname)).filter((change) => change.startsWith('crowdstrike'))).toEqual([]);
    await decide(unfreeze);
    await until(stolen, 'queued');
    expect(await atIntune(stolen)).toEqual(sentOnce(stolen));
  });

  test('over the cap, a second one is held until the hour is over', async () => {
    const { wipe } = house.house.tenant(tenant).settings;
    const { permits } = await house.handle(workflowIds.guard(tenant)).query<GuardState>('describe');
    wipe.perHour = (permits?.wipes.length ?? 0) + 1;
    try {
      const first = await approved('stolen');
      await until(first, 'queued');
      const second = await approved('stolen');
      const held = await heldBy(second, 'the guard');
      expect(held.wipe.held?.says).toMatch(/the cap is/);
      await aWhile();
      expect(await atIntune(second)).toEqual([]);
      await fastForward(house.handle(second.workflowId), 'an hour later', hourMs);
      await until(second, 'queued');
      expect(await atIntune(second)).toEqual(sentOnce(second));
    } finally {
      wipe.perHour = 1_000;
    }
  });

  test('a dry run never leaves, and says so; switched off before a simulated vendor, it does', async () => {
    const { wipe } = house.house.tenant(tenant).settings;
    wipe.dryRun = true;
    try {
      const stolen = await approved('stolen');
      const held = await heldBy(stolen, 'the guard');
      expect(held.wipe).toMatchObject({ plan: { dryRun: true }, held: { says: expect.stringMatching(/^Dry run/) } });
      await aWhile();
      expect(await atIntune(stolen)).toEqual([]);
      wipe.dryRun = false;
      await until(stolen, 'queued');
      expect(await atIntune(stolen)).toEqual(sentOnce(stolen));
    } finally {
      wipe.dryRun = false;
    }
  });

  test('found while the wipe waits at the vendor: whether to release, a person says; the case stays open until it is over', async () => {
    const stolen = await approved('stolen');
    await until(stolen, 'queued');
    const { workflowId, user, serial } = stolen;
    await house.decide(workflowId, recovered, { reason: 'The police brought it.' });
    const found = await house.untilCase(workflowId, 'asked', ({ questions }) => questions.length === 1);
    expect(asked(found)).toEqual(['release before the wipe is over']);
    await aWhile();
    expect(await house.lostGroup()).toContain(user);
    await house.decide(workflowId, answer, { value: 'release' });
    await house.untilCase(workflowId, 'released', ({ containment }) => containment.state === 'released');
    expect(await house.lostGroup()).not.toContain(user);
    await aWhile();
    expect(await show(stolen)).toMatchObject({ outcome: 'open', wipe: { state: 'queued' } });
    await house.move(serial, { do: 'online', place: 'office' });
    await house.advance(60_000);
    const closed = await house.untilClosed(workflowId);
    expect(closed).toMatchObject({ outcome: 'recovered', wipe: { state: 'acknowledged' } });
    expect(await atIntune(stolen)).toEqual([...sentOnce(stolen), `intune: ${serial} wiped`]);
  });

  test('found before it left: it never leaves, and the case closes', async () => {
    const lost = await approved('lost');
    await heldBy(lost, 'until seen');
    await house.decide(lost.workflowId, recovered, { reason: 'Under the sofa.' });
    const closed = await house.untilClosed(lost.workflowId);
    expect(closed).toMatchObject({ outcome: 'recovered', wipe: { state: 'cancelled' } });
    await house.move(lost.serial, { do: 'online', place: 'home' });
    await aWhile();
    expect(await atIntune(lost)).toEqual([]);
  });

  test('written off before it left: the old consents wipe nothing when it is heard', async () => {
    const lost = await approved('lost');
    await heldBy(lost, 'until seen');
    await house.decide(lost.workflowId, writeOff, { reason: 'Nobody will find it.' });
    await house.untilCase(lost.workflowId, 'listens', ({ listening }) => listening !== undefined);
    await house.decide(lost.workflowId, reportSighting, { at: new Date().toISOString(), what: 'Seen in a pawn shop' });
    await house.untilCase(
      lost.workflowId,
      'contained again',
      ({ reopened, containment }) => reopened === 1 && containment.state === 'contained',
    );
    await aWhile();
    expect((await show(lost)).wipe.state).toBe('cancelled');
    expect(await atIntune(lost)).toEqual([]);
  });

  test('behind an address of the company the tree says no, and it is held until somebody says that it is lost all the same', async () => {
    const stolen = await contained('stolen');
    const { workflowId, serial } = stolen;
    // Where it was before the loss says nothing.
    await house.move(serial, { do: 'online', place: 'office' });
    await house.untilCase(workflowId, 'asked', (state) => asked(state).includes('office: Head office'));
    await expect(ask(stolen)).rejects.toThrow(/behind an address of the company/);
    await ask(stolen, { override: 'Seen on camera.' });
    await untilPrepared(stolen);
    await approve(stolen);
    const held = await heldBy(stolen, 'the office');
    expect(asked(held)).toEqual(['office: Head office']);
    await aWhile();
    expect(await atIntune(stolen)).toEqual([]);
    await house.decide(workflowId, answer, { value: 'no' });
    await until(stolen, 'queued');
    expect(await atIntune(stolen)).toEqual(sentOnce(stolen));
  });

  test('a Mac: its PIN for the wipe is kept before it leaves, that of a lock before it is forgotten', async () => {
    const mac: Laptop = {
      serial: 'SN0070',
      hostname: 'LT-0070',
      user: 'lee@example.test',
      workflowId: workflowIds.lostDevice(tenant, 'SN0070'),
    };
    const { serial } = await contained('stolen', mac);
    const store = house.house.tenant(tenant).secretStore!;
    await expect(house.decide(mac.workflowId, lock, { reason: ' ' })).rejects.toThrow(/needs a reason/);
    await house.decide(mac.workflowId, lock, { reason: 'Until we know more.' });
    await house.untilCase(
      mac.workflowId,
      'locked',
      ({ containment }) => containment.measures.lock?.state === 'in place',
    );
    expect(await atIntune(mac)).toEqual([`intune: lock of ${serial} accepted`]);
    const [device] = await enrolments(mac);
    const lockKey = `lock-pin/intune/${device?.id}/${device?.actions.at(-1)?.startedAt}`;
    expect(await store.get(lockKey, quietly())).toMatch(/^\d{6}$/);

    await ask(mac);
    expect((await untilPrepared(mac)).wipe.plan?.pin).toBe('ours');
    // Somebody else locks it in the console: the vendor forgets that PIN with the wipe.
    await house.control('POST', 'clock', { advanceMs: 1_000 });
    await lockByHand(device!.id);
    const byHand = (await enrolments(mac))[0]?.actions.at(-1)?.startedAt;
    await approve(mac);
    const { chain, wipe } = await until(mac, 'queued');
    const pin = await store.get(`wipe-pin/${permitId(chain, wipe).replace(/[^A-Za-z0-9.:_-]/g, '-')}`, quietly());
    expect(pin).toMatch(/^\d{6}$/);
    expect(byHand).not.toBe(device?.actions.at(-1)?.startedAt);
    expect(await store.get(`lock-pin/intune/${device?.id}/${byHand}`, quietly())).toMatch(/^\d{6}$/);
    const [wiped] = await enrolments(mac);
    expect(wiped?.actions.at(-1)).toMatchObject({ name: 'wipe', asked: { macOsUnlockCode: pin } });
  });
});
