/** What was ready for a lost laptop and is not any more is found within a day, and told once. */
import { MockActivityEnvironment } from '@temporalio/testing';
import { createAlarmActivities, type Raised } from '../../activities/alarms';
import type { Reconciled } from '../../workflows/reconciliation';
import { caseAttributes } from '../../workflows/search-attributes';
import { eventually } from '../setup/eventually';
import { startTestHouse, tenant, type TestHouse } from '../setup/test-house';

let house: TestHouse | undefined;
afterEach(() => house?.close());

test('a group that somebody renamed is drift at the next daily look, and paged once; mended, it is over', async () => {
  house = await startTestHouse();
  const at = house;
  // What the schedule's day would bring, without waiting for it: the activity is asked with a later now.
  const { alarmDrift } = createAlarmActivities(at.house);
  const dayMs = 24 * 60 * 60_000;
  const look = (days: number): Promise<Raised> =>
    new MockActivityEnvironment().run(alarmDrift, {
      tenant,
      now: new Date(Date.now() + days * dayMs).toISOString(),
    });
  const pages = () => at.mails.filter(({ subject }) => subject.startsWith('Not ready any more'));

  // The workflow looks too, the first time; nobody is called for what never was well.
  const first: Reconciled = await at.reconcile();
  expect(first).toMatchObject({ drifted: [], unreadable: [] });

  await at.control('POST', 'prerequisites', { id: 'entra-sessions' });
  // The same day: nobody looks again.
  expect((await look(0.5)).alarms).toEqual([]);
  const { alarms, untold } = await look(1.1);
  expect(untold).toEqual([]);
  expect(alarms).toEqual([expect.stringMatching(/^entra: We may end sessions\. .*403.*API permissions/)]);
  await at.untilMail('Not ready any more: We may end sessions', 'It was well before');
  expect((await look(1.2)).alarms).toEqual(alarms);
  expect(pages()).toHaveLength(1);

  await at.control('POST', 'prerequisites', { id: 'entra-sessions', broken: false });
  expect((await look(2.2)).alarms).toEqual([]);
  expect(pages()).toHaveLength(1);
}, 120_000);

test('clocks, a secret that ends soon, and search attributes that somebody removed are looked at every day', async () => {
  house = await startTestHouse();
  const at = house;
  const { alarmDrift } = createAlarmActivities(at.house);
  const look = (days: number): Promise<Raised> =>
    new MockActivityEnvironment().run(alarmDrift, {
      tenant,
      now: new Date(Date.now() + days * 24 * 60 * 60_000).toISOString(),
    });
  expect(await look(0)).toEqual({ alarms: [], untold: [] });

  await at.control('POST', 'prerequisites', { id: 'netskope-clock' });
  await at.control('POST', 'prerequisites', { id: 'entra-secret-end' });
  const { operatorService } = at.house.client.connection;
  const name = caseAttributes.tenant.name;
  await operatorService.removeSearchAttributes({ namespace: 'default', searchAttributes: [name] });
  // The server remembers its attributes for a while.
  await eventually(async () => {
    const { customAttributes } = await operatorService.listSearchAttributes({ namespace: 'default' });
    expect(customAttributes).not.toHaveProperty(name);
  });

  const { alarms, untold } = await look(1.1);
  expect(untold).toEqual([]);
  expect(alarms).toEqual([
    expect.stringMatching(/^netskope: Its clock and ours agree\. Our clock is \d+ s behind theirs\. .*NTP/),
    expect.stringMatching(/^entra: Our client secret outlasts the next days\. .* ends on .*: make a new one/),
    expect.stringMatching(
      /^settings: Temporal has our search attributes\. Namespace default lacks LostDeviceTenant .*`lost-device setup`/,
    ),
  ]);
  await at.untilMail('Not ready any more: 3', 'LostDeviceTenant');
}, 120_000);
