/**
 * The wipe call goes wrong in every way: each ends in a right state or with a question to a person, and nothing is sent twice
 * under one permit. The PIN of a Mac lies in the secret store and nowhere else.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { lostAnswerQuestion } from '../../workflows/lost-answer';
import { answer, approveWipe, cancelWipe, recovered, requestWipe } from '../../workflows/messages';
import type { CaseState } from '../../playbook/case';
import { permitId, type WipeStateName } from '../../playbook/wipe';
import { workflowIds } from '../../workflows/ids';
import { eventually } from '../setup/eventually';
import { analyst, startTestHouse, tenant, type Laptop, type TestHouse } from '../setup/test-house';

const hourMs = 60 * 60_000;
const dayMs = 24 * hourMs;
const ben = { ...analyst, person: 'ben (lead)' };
const waits = { settleMs: 300, lookFirstMs: 300, lookMaxMs: 600, askEveryMs: 400 };
const wipeCall = { method: 'POST', path: '/beta/deviceManagement/managedDevices/' };

/** Everything that this process said. */
let said = '';
const spies: jest.SpyInstance[] = [];
let house: TestHouse;
beforeAll(async () => {
  for (const stream of [process.stdout, process.stderr]) {
    const write = stream.write.bind(stream) as (text: unknown) => boolean;
    spies.push(
      jest.spyOn(stream, 'write').mockImplementation((text) => {
        said += String(text);
        return write(text);
      }),
    );
  }
  house = await startTestHouse({
    with: { entra: false, servicenow: true, intune: true, secrets: true },
    // The vendor's second administrator may be slower than people are.
    rules: { wipe: { waits, consentMs: 30 * dayMs } },
    wipe: { dryRun: false, perHour: 1_000, perDay: 1_000 },
    intuneTimeoutMs: 1_000,
    dynamicConfig: { 'limit.historyCount.suggestContinueAsNew': 100 },
  });
});
afterAll(async () => {
  await house.close();
  for (const spy of spies) spy.mockRestore();
});
afterEach(async () => {
  await house.clearFaults();
  await house.control('POST', 'traps', { intuneSecondAdmin: false });
  expect(await house.wrongs()).toEqual([]);
});

async function requested(laptop: Laptop = house.laptop()): Promise<Laptop> {
  const { serial, user, workflowId } = laptop;
  const { number } = await house.ticket({ u_serial: serial, caller: user });
  await house.report({ source: 'servicenow', ticket: number, device: { serial }, answers: { kind: 'stolen' } });
  await house.untilContained(workflowId);
  await house.decide(workflowId, requestWipe, { reason: 'Taken from the car.' });
  await house.untilCase(workflowId, 'prepared', ({ wipe }) => wipe.plan !== undefined);
  return laptop;
}
async function approved(laptop?: Laptop): Promise<Laptop> {
  const given = await requested(laptop);
  await house.decide(given.workflowId, approveWipe, { actor: ben });
  return given;
}
const until = ({ workflowId }: Laptop, state: WipeStateName, ready: (state: CaseState) => boolean = () => true) =>
  house.untilCase(workflowId, state, (now) => now.wipe.state === state && ready(now));
/** The vendor shows it: nobody needs to look. */
const untilFollowed = (laptop: Laptop) => until(laptop, 'queued', ({ wipe }) => wipe.progress !== undefined);
const untilAsked = ({ workflowId }: Laptop) =>
  house.untilCase(workflowId, 'asked', ({ questions }) => questions.some(({ id }) => id === lostAnswerQuestion));
const say = ({ workflowId }: Laptop, value: string) =>
  house.decide(workflowId, answer, { questionId: lostAnswerQuestion, value });
const atIntune = async ({ serial }: Laptop) =>
  (await house.changes(serial)).filter((change) => change.startsWith('intune: '));
const once = ({ serial }: Laptop) => [`intune: wipe of ${serial} accepted`];
const show = ({ workflowId }: Laptop) => house.house.cases.show(workflowId) as Promise<CaseState>;
const aWhile = () => house.untilPolled();
const portal = (laptop: Laptop, what: 'approve' | 'reject' | 'delete') =>
  house.control('POST', 'intune', { serial: laptop.serial, do: what });

describe.each([
  ['a time-out', { hang: true }],
  ['a 503', { status: 503, body: 'Service Unavailable' }],
  ['a broken connection', { reset: true }],
])('%s', (_, effect) => {
  test('after the effect: it is read back and followed to the end; one effect', async () => {
    await house.fault({ match: wipeCall, when: 'after', effect });
    const laptop = await approved();
    const queued = await untilFollowed(laptop);
    expect(queued.wipe.sent?.known).toBe(true);
    expect(queued.questions).toEqual([]);
    await house.move(laptop.serial, { do: 'online', place: 'cafe' });
    await house.advance(60_000);
    await until(laptop, 'acknowledged');
    expect(await atIntune(laptop)).toEqual([...once(laptop), `intune: ${laptop.serial} wiped`]);
  });

  test('before the effect: nothing is sent again until a person looked, and then under a permit of its own', async () => {
    await house.fault({ match: wipeCall, when: 'before', effect });
    const laptop = await approved();
    const unknown = await untilAsked(laptop);
    expect(unknown.wipe).toMatchObject({ sent: { known: false }, held: { by: 'a person' }, attempt: 1 });
    await aWhile();
    expect(await atIntune(laptop)).toEqual([]);
    await say(laptop, 'send again');
    expect((await untilFollowed(laptop)).wipe.attempt).toBe(2);
    expect(await atIntune(laptop)).toEqual(once(laptop));
  });
});

test('a person looked, and wants nothing sent: cancelled, and it can be asked for anew', async () => {
  await house.fault({ match: wipeCall, when: 'before', effect: { hang: true } });
  const laptop = await approved();
  await untilAsked(laptop);
  await say(laptop, 'give up');
  await until(laptop, 'cancelled');
  await house.decide(laptop.workflowId, requestWipe, { reason: 'After all.' });
  await house.untilCase(laptop.workflowId, 'prepared', ({ wipe }) => wipe.number === 2 && wipe.plan !== undefined);
  await house.decide(laptop.workflowId, approveWipe, { actor: ben });
  await untilFollowed(laptop);
  expect(await atIntune(laptop)).toEqual(once(laptop));
});

test('recovered, or cancelled, while the call hangs: it is followed, too late is said, and a recovered case stays open', async () => {
  const hangs = { match: wipeCall, when: 'after' as const, effect: { hang: true } };
  await house.fault(hangs);
  const cancelled = await approved();
  await untilSent(cancelled);
  await house.decide(cancelled.workflowId, cancelWipe, { reason: 'It was found.' });
  await untilFollowed(cancelled);
  expect(await atIntune(cancelled)).toEqual(once(cancelled));

  await house.fault(hangs);
  const found = await approved();
  await untilSent(found);
  await house.decide(found.workflowId, recovered, { reason: 'Under the sofa.' });
  const open = await house.untilCase(found.workflowId, 'asked', ({ questions }) => questions.length > 0);
  expect(open.questions.map(({ id }) => id)).toEqual(['release before the wipe is over']);
  await untilFollowed(found);
  expect((await show(found)).outcome).toBe('open');
  expect(await house.lostGroup()).toContain(found.user);
  await house.move(found.serial, { do: 'online', place: 'home' });
  await house.advance(60_000);
  expect((await house.untilClosed(found.workflowId)).outcome).toBe('recovered');
  expect(await atIntune(found)).toEqual([...once(found), `intune: ${found.serial} wiped`]);
});

test('a lost answer that nobody has looked at is asked about again when the laptop is said to be back', async () => {
  await house.fault({ match: wipeCall, when: 'before', effect: { hang: true } });
  const laptop = await approved();
  await untilAsked(laptop);
  await house.decide(laptop.workflowId, recovered, { reason: 'Under the sofa.' });
  const asked = await untilAsked(laptop);
  expect(asked.ending?.outcome).toBe('recovered');
  await say(laptop, 'give up');
  expect((await house.untilClosed(laptop.workflowId)).wipe.state).toBe('cancelled');
  expect(await atIntune(laptop)).toEqual([]);
});

const untilSent = (laptop: Laptop) => eventually(async () => expect(await atIntune(laptop)).not.toEqual([]));

describe('the vendor wants a second administrator', () => {
  beforeEach(() => house.control('POST', 'traps', { intuneSecondAdmin: true }));
  const untilWaits = async () => {
    const laptop = await approved();
    const { wipe } = await until(laptop, 'held', (state) => state.wipe.held?.by === 'the vendor');
    expect(wipe.vendorApproval).toMatchObject({ agreed: false });
    await house.untilMail('The wipe waits for a second administrator', wipe.vendorApproval?.code);
    return laptop;
  };
  const askedFor = ({ serial }: Laptop) => `intune: approval of the wipe of ${serial} asked for`;

  test('who agrees: it is sent with the code', async () => {
    const laptop = await untilWaits();
    await aWhile();
    expect(await atIntune(laptop)).toEqual([askedFor(laptop)]);
    await portal(laptop, 'approve');
    await untilFollowed(laptop);
    expect(await atIntune(laptop)).toEqual([askedFor(laptop), ...once(laptop)]);
  });

  test('who agrees, and the answer is lost: it is read back, and never sent with the same code again', async () => {
    const laptop = await untilWaits();
    await house.fault({ match: wipeCall, when: 'after', effect: { hang: true } });
    await portal(laptop, 'approve');
    await untilFollowed(laptop);
    expect(await atIntune(laptop)).toEqual([askedFor(laptop), ...once(laptop)]);
  });

  test('who says no: it failed, and people hear of it', async () => {
    const laptop = await untilWaits();
    await portal(laptop, 'reject');
    const { wipe } = await until(laptop, 'failed');
    expect(wipe.endedBecause).toMatch(/did not agree: rejected/);
    await house.untilMail('The wipe failed', laptop.serial);
    expect(await atIntune(laptop)).toEqual([askedFor(laptop)]);
  });

  test('cancelled here while they think about it: their yes sends nothing', async () => {
    const laptop = await untilWaits();
    await house.decide(laptop.workflowId, cancelWipe, { reason: 'It was found.' });
    await portal(laptop, 'approve');
    await aWhile();
    expect((await show(laptop)).wipe.state).toBe('cancelled');
    expect(await atIntune(laptop)).toEqual([askedFor(laptop)]);
  });
});

test('the record is deleted: before the wipe leaves it fails, afterwards a person says what happened', async () => {
  const before = await requested();
  await portal(before, 'delete');
  await house.decide(before.workflowId, approveWipe, { actor: ben });
  expect((await until(before, 'failed')).wipe.endedBecause).toMatch(/is gone, or another device/);

  const after = await approved();
  await untilFollowed(after);
  await portal(after, 'delete');
  const asked = await untilAsked(after);
  expect(asked.wipe.held?.says).toMatch(/does not know this device any more/);
  await say(after, 'wiped');
  await until(after, 'acknowledged', ({ questions }) => questions.some(({ id }) => id === 'propose: close as wiped'));
  await house.untilMail('The lost device was wiped', after.serial);
  expect(await atIntune(after)).toEqual(once(after));
});

test.each([
  ['after', 'it is read back'],
  ['before', 'a person is asked'],
] as const)('the worker stops in the middle of the send, %s the effect: %s, nothing is sent twice', async (when, _) => {
  await house.fault({ match: wipeCall, when, effect: { hang: true } });
  const calls = async () => (await house.calls()).filter(({ path }) => path.endsWith('/wipe')).length;
  const laptop = await requested();
  const before = await calls();
  await house.decide(laptop.workflowId, approveWipe, { actor: ben });
  await eventually(async () => expect(await calls()).toBe(before + 1));
  await house.stopWorker();
  await house.startWorkerAgain();
  if (when === 'after') await untilFollowed(laptop);
  else await untilAsked(laptop);
  await aWhile();
  expect(await calls()).toBe(before + 1);
  expect(await atIntune(laptop)).toEqual(when === 'after' ? once(laptop) : []);
});

test('the PIN of a Mac lies in the secret store, and in no history, log, archive, journal, mail or ticket', async () => {
  const mac: Laptop = {
    serial: 'SN0070',
    hostname: 'LT-0070',
    user: 'lee@example.test',
    workflowId: workflowIds.lostDevice(tenant, 'SN0070'),
  };
  // The ways of an error, too: refused, then lost, then sent.
  const macCall = { method: 'POST', path: '/v1.0/deviceManagement/managedDevices/' };
  await house.fault({ match: macCall, when: 'before', effect: { hang: true } });
  await approved(mac);
  const { chain, wipe: first } = await untilAsked(mac);
  await say(mac, 'send again');
  const { wipe: second } = await untilFollowed(mac);
  await house.decide(mac.workflowId, recovered, { reason: 'The police brought it.' });
  await house.move(mac.serial, { do: 'online', place: 'home' });
  await house.advance(60_000);
  await house.untilClosed(mac.workflowId);

  const store = house.house.tenant(tenant).secretStore!;
  const call = { signal: new AbortController().signal, now: new Date().toISOString() };
  const pins = await Promise.all(
    [first, second].map((wipe) =>
      store.get(`wipe-pin/${permitId(chain, wipe).replace(/[^A-Za-z0-9.:_-]/g, '-')}`, call),
    ),
  );
  expect(pins).toEqual([expect.stringMatching(/^\d{6}$/), expect.stringMatching(/^\d{6}$/)]);

  const files = readdirSync(house.folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'));
  const { tickets } = (await house.control<{ servicenow: { tickets: unknown } }>('GET', 'state')).servicenow;
  const places = {
    histories: await historiesOf(mac.workflowId, workflowIds.guard(tenant)),
    files: files.join('\n'),
    mails: JSON.stringify(house.mails),
    tickets: JSON.stringify(tickets),
  };
  // What is looked through is what was written about this wipe.
  for (const text of Object.values(places)) expect(text).toContain(mac.serial);
  for (const [place, text] of Object.entries({ ...places, said }))
    for (const pin of pins)
      expect([place, new RegExp(`(?<![0-9A-Za-z])${pin}(?![0-9A-Za-z])`).exec(text)]).toEqual([place, null]);
});

/** Every run of these workflows, with what the payloads say. */
async function historiesOf(...ids: string[]): Promise<string> {
  let text = '';
  for (const id of ids)
    for await (const { runId } of house.client.workflow.list({ query: `WorkflowId = "${id}"` })) {
      const history = await house.client.workflow.getHandle(id, runId).fetchHistory();
      text += JSON.stringify(history, (_, value: unknown) =>
        value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : value,
      );
    }
  return text;
}

// Last: the vendor's clock runs days ahead of ours from then on.
test('the second administrator does not answer for three days: it failed, and the question can be put again', async () => {
  await house.control('POST', 'traps', { intuneSecondAdmin: true });
  const laptop = await approved();
  await until(laptop, 'held', ({ wipe }) => wipe.held?.by === 'the vendor');
  await house.advance(3 * dayMs + hourMs);
  const { wipe } = await until(laptop, 'failed');
  expect(wipe.endedBecause).toMatch(/did not agree: expired/);
  await house.decide(laptop.workflowId, requestWipe, { reason: 'Once more.' });
  expect(await atIntune(laptop)).toEqual([`intune: approval of the wipe of ${laptop.serial} asked for`]);
});
