/** What was ready for a lost laptop and is not any more is found within a day, and told once. */
import { MockActivityEnvironment } from '@temporalio/testing';
import { createAlarmActivities, type Raised } from '../../activities/alarms';
import type { Reconciled } from '../../workflows/reconciliation';
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
