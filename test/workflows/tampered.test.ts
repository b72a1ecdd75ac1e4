/**
 * Tampering: each thing that somebody does to the device or to its containment is recognised for what it is, said to
 * people, and put back so often and no oftener.
 */
import type { CaseState } from '../../playbook/case';
import type { TamperKind } from '../../playbook/tamper';
import { troublesOf } from '../../playbook/troubles';
import { answer, falseAlarm, isolate, recovered } from '../../workflows/messages';
import { startTestHouse, type Laptop, type TestHouse } from '../setup/test-house';
import { fastForward } from '../setup/time-skipping';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

let house: TestHouse;
afterEach(() => house.clearFaults());

/** Changes of tags are paced at five a minute, so only those tests have tags that are about them. */
function inHouse(tag: boolean): void {
  beforeAll(async () => {
    house = await startTestHouse({
      with: { entra: true, servicenow: false, tag, crowdstrike: true },
      wipe: { dryRun: false },
      pollEveryMs: 100,
      rules: { levers: { lookEveryMs: hourMs, lookWhenHeardMs: 20 * minuteMs, putBackPerDay: 2 } },
    });
  });
  afterAll(() => house.close());
}

const group = 'Lost-Stolen Devices';
const added = (user: string) => `netskope: ${user} added to group ${group}`;

async function lose(kind: 'lost' | 'stolen' = 'lost', laptop = house.laptop()): Promise<Laptop> {
  await house.report({ ticket: `LOST-${laptop.serial}`, device: { serial: laptop.serial }, answers: { kind } });
  await house.untilContained(laptop.workflowId);
  return laptop;
}

const standing = ({ tampering }: CaseState) =>
  tampering.filter(({ over }) => over === undefined).map(({ kind }) => kind);
const find = ({ tampering }: CaseState, kind: TamperKind) => tampering.find((one) => one.kind === kind);
const tell = ({ serial }: Laptop, what: Record<string, unknown>) => house.move(serial, what);

/** The next look is due now. */
const look = ({ workflowId }: Laptop) => fastForward(house.handle(workflowId), 'the next look', hourMs + minuteMs);

/** Time passes for the laptop, in steps, as the watch sees it. */
async function passTime(ms: number): Promise<void> {
  for (let leftMs = ms; leftMs > 0; leftMs -= 5 * minuteMs) await house.advance(Math.min(leftMs, 5 * minuteMs));
}

describe('people, clients and clocks', () => {
  inHouse(false);

  test('taken out of the group by somebody else: put back, said, and after the limit a person is asked', async () => {
    const laptop = await lose();
    const { user, workflowId, serial } = laptop;
    for (const times of [1, 2]) {
      await tell(laptop, { do: 'tamper', how: 'removed-from-group' });
      expect(await house.lostGroup()).not.toContain(user);
      await look(laptop);
      const back = await house.untilCase(
        workflowId,
        `put back ${times} times`,
        ({ containment }) => containment.state === 'contained' && containment.putBack.length === times,
      );
      expect(standing(back)).toEqual([]);
      expect(back.containment.takenOutAt).toBeUndefined();
      expect(back.configuration.state).toBe('member');
      expect(await house.lostGroup()).toContain(user);
    }
    await house.untilMail('Tampered with: taken out of the group', serial);

    await tell(laptop, { do: 'tamper', how: 'removed-from-group' });
    await look(laptop);
    const asked = await house.untilCase(workflowId, 'a person asked', ({ questions }) => questions.length === 1);
    expect(asked.containment.state).toBe('none');
    expect(asked.questions[0]).toMatchObject({ id: 'put back: lost-group', text: expect.stringContaining('2 times') });
    expect(await house.lostGroup()).not.toContain(user);
    await house.decide(workflowId, answer, { value: 'again' });
    const again = await house.untilCase(
      workflowId,
      'contained',
      ({ containment }) => containment.state === 'contained',
    );
    // Counted anew.
    expect(again.containment.putBack.map(({ lever }) => lever)).toEqual(['lost-group']);
    expect(await house.lostGroup()).toContain(user);

    await house.decide(workflowId, recovered, {});
    const closed = await house.untilClosed(workflowId);
    expect(closed.containment.measures['lost-group']?.state).toBe('undone');
    expect(await house.lostGroup()).not.toContain(user);
    expect((await house.changes(user)).filter((change) => change.startsWith(added(user)))).toHaveLength(4);
  });

  test('somebody puts the user out and a person says to leave it: left, until that person ends the case', async () => {
    const laptop = await lose();
    const { user, workflowId } = laptop;
    for (const times of [1, 2, 3]) {
      await tell(laptop, { do: 'tamper', how: 'removed-from-group' });
      await look(laptop);
      await house.untilCase(workflowId, `seen ${times} times`, ({ containment, questions }) =>
        times < 3 ? containment.putBack.length === times && containment.state === 'contained' : questions.length === 1,
      );
    }
    await house.decide(workflowId, answer, { value: 'leave' });
    await look(laptop);
    const left = await house.untilCase(workflowId, 'left', ({ questions }) => questions.length === 0);
    expect(left.containment.state).toBe('none');
    // It is somebody's now: nobody is called for it any more.
    expect(troublesOf(left, new Date().toISOString()).map(({ kind }) => kind)).not.toContain('not contained');
    // Put back by hand, it is found.
    await house.putIntoLostGroup(user);
    await look(laptop);
    const back = await house.untilCase(workflowId, 'back', ({ containment }) => containment.state === 'contained');
    expect(back.containment.takenOutAt).toBeUndefined();
    expect(standing(back)).toEqual([]);
    await house.decide(workflowId, falseAlarm, {});
    await house.untilClosed(workflowId);
    expect(await house.lostGroup()).not.toContain(user);
    // The fourth is the one by hand.
    expect((await house.changes(user)).filter((change) => change.startsWith(added(user)))).toHaveLength(4);
  });

  test('the client is disabled, uninstalled or fail-closed: each is said, the proof says so, and it ends', async () => {
    const laptop = await lose();
    const { serial, workflowId } = laptop;
    await tell(laptop, { do: 'online', place: 'cafe' });
    await house.untilCase(workflowId, 'seen', ({ presence }) => presence.state === 'seen');
    const stories = [
      ['user-disabled', 'client disabled', 'by its user'],
      ['admin-disabled', 'client disabled', 'by an administrator'],
      ['fail-closed', 'fail closed', 'only what is excepted'],
      ['uninstalled', 'client uninstalled', 'uninstalled'],
    ] as const;
    for (const [how, kind, words] of stories) {
      await house.advance(minuteMs);
      await tell(laptop, { do: 'tamper', how });
      const tampered = await house.untilCase(workflowId, how, (state) => standing(state).includes(kind));
      const says = tampered.tampering.findLast((one) => one.kind === kind)?.says;
      expect(says).toContain(words);
      expect(tampered.configuration.says).toContain(says);
      await house.untilMail(`Tampered with: ${kind}`, serial);
      await house.advance(minuteMs);
      await tell(laptop, { do: 'tamper', how: 'user-enabled' });
      const well = await house.untilCase(workflowId, `${how} is over`, (state) => standing(state).length === 0);
      expect(well.configuration.says).not.toContain(words);
    }
  });

  test('another machine with the same hostname: said, and its signs are not taken for the lost one', async () => {
    const laptop = await lose();
    const { hostname, serial, workflowId } = laptop;
    const twin = `TW-${serial}`;
    const before = await house.untilCase(workflowId, 'first look taken', ({ presence }) => !!presence.firstLookAt);
    await tell(laptop, { do: 'second-device', newSerial: twin, newHostname: hostname });
    await house.move(twin, { do: 'online', place: 'office' });
    const told = await house.untilCase(workflowId, 'told', (state) => find(state, 'same hostname') !== undefined);
    expect(find(told, 'same hostname')?.says).toContain(twin);
    await passTime(hourMs);
    await house.untilPolled();
    const after = await house.untilCase(workflowId, 'there', () => true);
    expect(after.presence.state).toBe('silent');
    expect(after.presence.unheardSince).toBe(before.presence.unheardSince);
    expect(after.tampering.filter(({ kind }) => kind === 'same hostname')).toHaveLength(1);
    expect(Object.keys(after.configuration.rungs)).toEqual(['member']);
  });

  test('a clock that runs ahead: said, and the signs keep their place', async () => {
    const laptop = await lose();
    const { workflowId } = laptop;
    await tell(laptop, { do: 'clock', offMs: 400 * 24 * hourMs });
    await tell(laptop, { do: 'online', place: 'cafe' });
    await passTime(20 * minuteMs);
    const told = await house.untilCase(workflowId, 'told', (state) => find(state, 'clock wrong') !== undefined);
    expect(find(told, 'clock wrong')?.says).toMatch(/399 d|400 d/);
    const { now } = await house.control<{ now: string }>('GET', 'clock');
    expect(Date.parse(told.presence.last!.at)).toBeLessThanOrEqual(Date.parse(now));
    await passTime(2 * hourMs);
    await house.untilCase(workflowId, 'proven all the same', ({ configuration: { rungs } }) => Boolean(rungs.applied));
  });

  test('the user is renamed: the case and the hold follow, and the user is released by the new name', async () => {
    const laptop = await lose();
    const { user, workflowId } = laptop;
    const newUser = `married-${user}`;
    await tell(laptop, { do: 'rename-user', newUser });
    await look(laptop);
    const followed = await house.untilCase(
      workflowId,
      'held by the new name',
      ({ device, containment }) =>
        device?.user === newUser && containment.renamedFrom === undefined && containment.claimed === containment.times,
    );
    expect(followed.containment.state).toBe('contained');
    expect(find(followed, 'user renamed')?.says).toContain(newUser);
    expect(Object.keys((await house.hold(newUser)).holders)).toEqual([followed.chain]);
    expect(await house.lostGroup()).toContain(newUser);
    await house.decide(workflowId, recovered, {});
    const closed = await house.untilClosed(workflowId);
    expect(closed.containment.measures['lost-group']?.state).toBe('undone');
    expect(await house.lostGroup()).not.toContain(newUser);
  });
});

describe('what has a tag', () => {
  inHouse(true);

  test('the tag and the directory object are put back too, and the isolation', async () => {
    const laptop = await lose('stolen');
    const { serial, workflowId } = laptop;
    await tell(laptop, { do: 'online', place: 'home' });
    await house.decide(workflowId, isolate, {});
    await house.untilCase(
      workflowId,
      'isolated',
      ({ containment }) => containment.measures.isolate?.state === 'in place',
    );
    for (const what of ['tag-removed', 'device-enabled-again', 'isolation-lifted']) await tell(laptop, { do: what });
    await passTime(5 * minuteMs);
    await look(laptop);
    const back = await house.untilCase(
      workflowId,
      'all put back',
      ({ containment: { measures, putBack } }) =>
        putBack.length === 3 &&
        (['device-tag', 'disable-device', 'isolate'] as const).every((name) => measures[name]?.state === 'in place'),
      150_000,
    );
    expect(back.containment.putBack.map(({ lever }) => lever).sort()).toEqual([
      'device-tag',
      'disable-device',
      'isolate',
    ]);
    expect(standing(back)).toEqual([]);
    await house.untilMail('Tampered with: undone', serial);
    await house.decide(workflowId, recovered, {});
    const { containment } = await house.untilClosed(workflowId);
    for (const name of ['device-tag', 'disable-device', 'isolate'] as const)
      expect(containment.measures[name]?.state).toBe('undone');
  });

  test('re-imaged: the case follows the machine, tags it anew and proves anew', async () => {
    const laptop = await lose();
    const { serial, workflowId } = laptop;
    await house.advance(hourMs);
    await tell(laptop, { do: 'online', place: 'home' });
    await passTime(2 * hourMs);
    const proven = await house.untilCase(workflowId, 'proven', ({ configuration }) => configuration.state === 'biting');
    const former = proven.device!.nsdeviceuid;

    await tell(laptop, { do: 're-image' });
    await house.advance(10 * minuteMs);
    await tell(laptop, { do: 'online', place: 'home' });
    const followed = await house.untilCase(
      workflowId,
      'followed, and tagged anew',
      (state) =>
        find(state, 're-imaged') !== undefined && state.containment.measures['device-tag']?.state === 'in place',
      150_000,
    );
    expect(followed.device).toMatchObject({ serial, previousNsdeviceuid: former });
    expect(followed.device!.nsdeviceuid).not.toBe(former);
    expect(followed.configuration.rungs.applied).toBeUndefined();
    await house.untilMail('Tampered with: re-imaged', serial);
    // Feeds find it by its new id.
    expect(followed.containment.state).toBe('contained');
    await passTime(2 * hourMs);
    const again = await house.untilCase(workflowId, 'proven anew', ({ configuration: { rungs } }) =>
      Boolean(rungs.applied && rungs.biting),
    );
    expect(again.keys).not.toEqual(proven.keys);
    expect(again.tampering.filter(({ kind }) => kind === 're-imaged')).toHaveLength(1);
  });
});
