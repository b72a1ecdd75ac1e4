/**
 * Permits: caps that hold in every hour and day, no word that keeps waiting for nothing, and a freeze that stops everything.
 */
import fc from 'fast-check';
import type { Permits } from '../../playbook/permits';
import { askPermit, noPermits } from '../../playbook/permits';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
const startMs = Date.parse('2026-11-22T06:00:00.000Z');
const iso = (ms: number) => new Date(ms).toISOString();
const frozen = { who: 'ana', at: iso(startMs), reason: 'Too many.' };

const ask = (permits: Permits, id: string, atMs: number, more: object = {}) =>
  askPermit(permits, { id, what: 'wipe', at: iso(atMs), perHour: 2, perDay: 4, dryRun: false, ...more });

test('in 1,000 random days no cap is passed, nothing is granted while frozen, and nobody waits for nothing', () => {
  const step = fc.record({
    waitMs: fc.constantFrom(0, 1, minuteMs, 20 * minuteMs, hourMs - 1, hourMs, 7 * hourMs, dayMs - 1, dayMs),
    id: fc.nat(9).map(String),
    freeze: fc.constantFrom('as it is', 'as it is', 'as it is', 'as it is', 'freeze', 'unfreeze'),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
      const permits = noPermits();
      const granted: { id: string; atMs: number }[] = [];
      let nowMs = startMs;
      for (const { waitMs, id, freeze } of steps) {
        nowMs += waitMs;
        if (freeze === 'freeze') permits.frozen = frozen;
        if (freeze === 'unfreeze') delete permits.frozen;
        const others = (spanMs: number) =>
          new Set(granted.filter((one) => one.id !== id && one.atMs > nowMs - spanMs).map((one) => one.id)).size;
        const permit = ask(permits, id, nowMs);
        expect(permit.granted).toBe(permits.frozen === undefined && others(hourMs) < 2 && others(dayMs) < 4);
        if (permit.granted) granted.push({ id, atMs: nowMs });
        else if (permit.because === 'cap') {
          expect(Date.parse(permit.again ?? '')).toBeGreaterThan(nowMs);
          // Nobody else asks: then it is its turn, or the other cap's.
          const later = ask(structuredClone(permits), id, Date.parse(permit.again ?? ''));
          expect(
            later.granted || Date.parse(('again' in later && later.again) || '') > Date.parse(permit.again ?? ''),
          ).toBe(true);
        }
      }
    }),
    { numRuns: 1_000 },
  );
});

test('asked for again it counts once, and from then on', () => {
  const permits = noPermits();
  const both = (atMs: number) => [ask(permits, 'a', atMs).granted, ask(permits, 'b', atMs).granted];
  expect(both(startMs)).toEqual([true, true]);
  expect(both(startMs + minuteMs)).toEqual([true, true]);
  expect(ask(permits, 'c', startMs + hourMs)).toMatchObject({
    because: 'cap',
    again: iso(startMs + hourMs + minuteMs),
  });
  // It was permitted long ago, and leaves only now: in this hour there is no room for it.
  expect(ask(permits, 'c', startMs + 2 * hourMs).granted).toBe(true);
  expect(ask(permits, 'd', startMs + 2 * hourMs).granted).toBe(true);
  expect(ask(permits, 'a', startMs + 2 * hourMs)).toMatchObject({ granted: false, because: 'cap' });
});

test('a freeze stops also what was permitted and what has no cap; a dry run stops everything and uses nothing up', () => {
  const permits = noPermits();
  expect(ask(permits, 'a', startMs).granted).toBe(true);
  expect(ask(permits, 'b', startMs, { dryRun: true })).toMatchObject({ granted: false, because: 'dry run' });
  expect(permits.wipes).toHaveLength(1);
  permits.frozen = frozen;
  for (const [id, what] of [
    ['a', 'wipe'],
    ['c', 'lock'],
    ['d', 'isolate'],
  ] as const)
    expect(ask(permits, id, startMs, { what })).toMatchObject({ granted: false, because: 'frozen' });
  delete permits.frozen;
  for (const id of ['c', 'd', 'e', 'f', 'g']) expect(ask(permits, id, startMs, { what: 'lock' }).granted).toBe(true);
});
