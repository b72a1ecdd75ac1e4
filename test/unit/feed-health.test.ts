/** When a feed is blind, since when, and whose addresses are whose. */
import { siteFinder } from '../../activities/sites';
import { afterFailure, afterSuccess, feedState, idle, type FeedHealth } from '../../playbook/feed-health';

const limits = { blindAfterFailures: 5, blindAfterMs: 15 * 60_000 };
const startMs = Date.parse('2026-11-22T22:00:00.000Z');
const minute = (minutes: number) => new Date(startMs + minutes * 60_000).toISOString();
const success = (health: FeedHealth, minutes: number, newestRecordAt?: string) =>
  afterSuccess(health, {
    at: minute(minutes),
    putAside: 0,
    watched: 1,
    ...(newestRecordAt !== undefined && { newestRecordAt }),
  });
const failure = (health: FeedHealth, minutes: number) =>
  afterFailure(health, { at: minute(minutes), error: { message: 'away' }, watched: 1 }, limits);

describe('a feed', () => {
  test('that nobody needs is idle, and is well after its first reading', () => {
    expect(feedState(idle)).toBe('idle');
    expect(feedState(success(idle, 0))).toBe('ok');
  });

  test('is blind after five failures in a row, since it last saw', () => {
    let health = success(idle, 0);
    const states = [2, 2, 2, 2, 2, 2].map((minutes, index) => {
      health = failure(health, minutes + index);
      return feedState(health);
    });
    expect(states).toEqual(['failing', 'failing', 'failing', 'failing', 'blind', 'blind']);
    expect(health).toMatchObject({ blindSince: minute(0), failingSince: minute(2), failures: 6 });
  });

  test('that never saw is blind since it first failed', () => {
    let health = idle;
    for (let minutes = 1; minutes <= 5; minutes += 1) health = failure(health, minutes);
    expect(health.blindSince).toBe(minute(1));
  });

  test('is blind sooner where the vendor asks for long pauses', () => {
    const first = failure(success(idle, 0), 1);
    expect(feedState(failure(first, 15))).toBe('failing');
    expect(feedState(failure(first, 16))).toBe('blind');
  });

  test('is blind by the settings of its watch', () => {
    const reading = { at: minute(1), error: { message: 'away' }, watched: 1 };
    const first = afterFailure(idle, reading, { ...limits, blindAfterFailures: 2 });
    expect(feedState(first)).toBe('failing');
    expect(feedState(afterFailure(first, reading, { ...limits, blindAfterFailures: 2 }))).toBe('blind');
    expect(feedState(afterFailure(first, { ...reading, at: minute(2) }, { ...limits, blindAfterMs: 60_000 }))).toBe(
      'blind',
    );
  });

  test('sees again after one success, and counts its failures anew', () => {
    let health = success(idle, 0);
    for (let minutes = 1; minutes <= 5; minutes += 1) health = failure(health, minutes);
    const well = success(health, 10);
    expect(well).toEqual({ lastSuccessAt: minute(10), failures: 0, putAside: 0, watched: 1 });
    expect(feedState(failure(well, 11))).toBe('failing');
  });

  test('keeps the newest record, whatever a later reading brings', () => {
    const health = success(success(success(idle, 0, minute(-5)), 1, minute(-9)), 2);
    expect(health.newestRecordAt).toBe(minute(-5));
    expect(failure(health, 3).newestRecordAt).toBe(minute(-5));
  });
});

describe('a site', () => {
  const siteOf = siteFinder([
    { name: 'Head office', addresses: ['198.51.100.0/25', '2001:db8:1::/48'] },
    { name: 'Branch', addresses: ['198.51.100.0/24', '192.0.2.7/32'] },
  ]);

  test.each([
    ['198.51.100.10', 'Head office'],
    ['198.51.100.127', 'Head office'],
    ['198.51.100.128', 'Branch'],
    ['192.0.2.7', 'Branch'],
    ['192.0.2.8', undefined],
    ['2001:db8:1:ffff::1', 'Head office'],
    ['2001:DB8:0001::1', 'Head office'],
    ['2001:db8:2::1', undefined],
    ['::ffff:198.51.100.10', 'Head office'],
    [' 198.51.100.10 ', 'Head office'],
    ['198.51.100', undefined],
    ['not an address', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('of %j is %j', (address, site) => {
    expect(siteOf(address)).toBe(site);
  });

  test('is nobody’s where the settings name none', () => {
    expect(siteFinder([])('198.51.100.10')).toBeUndefined();
  });
});
