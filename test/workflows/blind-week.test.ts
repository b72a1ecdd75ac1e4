/**
 * A feed that cannot be read for a week: the case is blind, not silent, and its ladder goes on from where it was.
 */
import type { CaseState } from '../../playbook/case';
import { deviceSeen, reportSighting } from '../../workflows/messages';
import { startTestHouse, type Laptop, type TestHouse } from '../setup/test-house';
import { fastForward } from '../setup/time-skipping';

const hourMs = 60 * 60_000;
const dayMs = 24 * hourMs;

/** How far the house's clock is ahead of the machine's: as far as the case's. In production there is one clock. */
let aheadMs = 0;
const machineNow = Date.now;

const ladder = [
  { name: 'blind', when: 'blind', afterMs: hourMs },
  { name: 'silent', when: 'silent', afterMs: dayMs },
  { name: 'lost-mode', when: 'silent', afterMs: dayMs, propose: 'lost mode' },
  { name: 'proposal', when: 'proposal', afterMs: 0 },
];

describe.each([
  ['in one run', {}],
  ['in many runs', { dynamicConfig: { 'limit.historyCount.suggestContinueAsNew': 60 } }],
])('%s', (_, options) => {
  let house: TestHouse;
  beforeAll(async () => {
    aheadMs = 0;
    jest.spyOn(Date, 'now').mockImplementation(() => machineNow() + aheadMs);
    house = await startTestHouse({
      with: { entra: false, servicenow: true },
      pollEveryMs: 100,
      rules: { escalation: { ladder, tasks: [] } },
      ...options,
    });
  });
  afterAll(async () => {
    await house.close();
    jest.restoreAllMocks();
  });
  // The feeds are watched on, by a clock that is set back.
  beforeEach(() => void (aheadMs = 0));
  afterEach(async () => expect(await house.wrongs()).toEqual([]));

  type Lost = Laptop & { number: string };
  async function lose(): Promise<Lost> {
    const laptop = house.laptop();
    const { number } = await house.ticket({ u_serial: laptop.serial, caller: laptop.user });
    await house.report({ source: 'servicenow', ticket: number, device: { serial: laptop.serial } });
    await house.untilContained(laptop.workflowId);
    await house.untilPolled();
    return { ...laptop, number };
  }
  const there = (workflowId: string) => house.untilCase(workflowId, 'there', () => true);
  /** Time passes, for the case and for whoever watches. */
  async function pass({ workflowId }: Laptop, ms: number, point: string): Promise<void> {
    const caseNowMs = await fastForward(house.handle(workflowId), point, ms);
    aheadMs = Math.max(aheadMs, caseNowMs - machineNow());
  }
  const mails = (subject: string, { serial }: Laptop) =>
    house.mails.filter((mail) => mail.subject === subject && mail.text.includes(serial)).length;
  /** All that people read of it, once everything is said. */
  async function words({ workflowId, number }: Lost): Promise<string> {
    const said = await house.untilCase(
      workflowId,
      'all said',
      ({ notes, journal, pages }) => notes.pending.length + pages.length === 0 && journal.archived === journal.next - 1,
    );
    const journal = (await house.journal(said.chain)).map(({ text, evidence }) => `${text} ${evidence ?? ''}`);
    return [...journal, ...(await house.ticketState(number))!.workNotes].join('\n');
  }
  const token = (tokensValid: boolean) => house.control('POST', 'tenant', { tokensValid });
  const isBlind = ({ presence }: CaseState) => presence.state === 'blind';

  test('its token is revoked for a week: blind is paged once, nothing calls it silent, and silence counts on afterwards', async () => {
    const lost = await lose();
    const { workflowId, serial } = lost;
    await pass(lost, 10 * hourMs, 'ten hours of silence');
    await house.untilPolled();
    await token(false);
    const blind = await house.untilCase(workflowId, 'blind', isBlind);
    expect(Object.keys(blind.presence.blindFeeds)).toContain('netskope/client-status');
    expect(blind.escalation.clocks['silent']).toMatchObject({ since: blind.openedAt });

    await pass(lost, 0.9 * hourMs, 'not yet an hour blind');
    expect(mails('Blind: nothing can hear the lost device', lost)).toBe(0);
    await pass(lost, 0.2 * hourMs, 'an hour blind');
    expect(mails('Blind: nothing can hear the lost device', lost)).toBe(1);
    await pass(lost, 7 * dayMs, 'a week blind');
    const week = await there(workflowId);
    expect(week).toMatchObject({ presence: { state: 'blind' }, questions: [] });
    expect(week.escalation.rungs['silent/silent']).toMatchObject({ called: 0 });
    expect(mails('Blind: nothing can hear the lost device', lost)).toBe(1);
    expect(house.mails.filter(({ text }) => text.includes(serial))).toHaveLength(1);
    const said = await words(lost);
    expect(said).toMatch(/Blind: feed netskope\/client-status cannot be read since/);
    expect(said).not.toMatch(/silent|not heard/i);

    await token(true);
    await house.untilCase(workflowId, 'sees again', (state) => !isBlind(state));
    await house.untilPolled();
    expect(await there(workflowId)).toMatchObject({ presence: { state: 'silent', blindFeeds: {} } });
    await pass(lost, 13.5 * hourMs, 'not yet a day of silence that was listened to');
    expect(mails('The lost device is silent', lost)).toBe(0);
    expect((await there(workflowId)).questions).toEqual([]);
    await pass(lost, 1 * hourMs, 'a day of it');
    expect(mails('The lost device is silent', lost)).toBe(1);
    expect((await there(workflowId)).questions).toMatchObject([{ id: 'propose: lost mode' }]);
    expect(mails('Blind: nothing can hear the lost device', lost)).toBe(1);
  });

  test('seen before it was blind: seen after it, and silent when a day has passed that was listened to', async () => {
    const lost = await lose();
    const { workflowId } = lost;
    const handle = house.handle(workflowId);
    const feed = 'netskope/client-status';
    await house.decide(workflowId, reportSighting, { at: new Date(Date.now()).toISOString(), what: 'Seen on a train' });
    const seen = await house.untilCase(workflowId, 'seen', ({ presence }) => presence.state === 'seen');
    expect(seen.presence.unheardSince).not.toBe(seen.openedAt);
    const seenMs = Date.parse(seen.presence.unheardSince);
    await pass(lost, 20 * hourMs, 'twenty hours later');
    // As the watch tells it, late: it was blind for an hour already.
    const since = new Date(seenMs + 19 * hourMs).toISOString();
    await handle.signal(deviceSeen, { feed, sightings: [], blindSince: since });
    await house.untilCase(workflowId, 'blind', isBlind);
    // Not to the hour: nothing else is due with the end of its day, so no timer falls due while another is worked on.
    await pass(lost, 3 * dayMs + 2 * hourMs, 'three days blind');
    await handle.signal(deviceSeen, { feed, sightings: [], blindSince: null });
    const back = await house.untilCase(workflowId, 'sees again', (state) => !isBlind(state));
    expect(back.presence.state).toBe('seen');
    await pass(lost, 4.8 * hourMs, 'not yet a day that was listened to');
    expect((await there(workflowId)).presence.state).toBe('seen');
    expect(mails('The lost device is silent', lost)).toBe(0);
    await pass(lost, 0.4 * hourMs, 'a day');
    expect((await there(workflowId)).presence.state).toBe('silent');
    expect(mails('The lost device is silent', lost)).toBe(1);
    expect((await words(lost)).match(/Silent: not heard since/g)).toHaveLength(2); // Journal and ticket.

    // Blind once more: it is as silent afterwards as it was before, and that is not said again.
    await handle.signal(deviceSeen, { feed, sightings: [], blindSince: new Date(Date.now()).toISOString() });
    await house.untilCase(workflowId, 'blind', isBlind);
    await handle.signal(deviceSeen, { feed, sightings: [], blindSince: null });
    expect((await house.untilCase(workflowId, 'sees again', (state) => !isBlind(state))).presence.state).toBe('silent');
    await pass(lost, 2 * dayMs, 'two days later');
    expect((await words(lost)).match(/Silent: not heard since/g)).toHaveLength(2);
    expect(mails('The lost device is silent', lost)).toBe(1);
  });
});
