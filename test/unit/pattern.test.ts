/**
 * When several losses are a pattern.
 */
import { findPatterns, type Opening } from '../../playbook/pattern';

const dayMs = 24 * 60 * 60_000;
const rule = { losses: 3, withinMs: dayMs };

/** Openings, one per given minute of a day; each device has a name of its own. */
function opened(minutes: number[], more: Partial<Opening> = {}, first = 1): Opening[] {
  return minutes.map((minute, index) => ({
    workflowId: `lost-device:acme:SN${first + index}`,
    device: `LT-${first + index}`,
    at: new Date(Date.UTC(2026, 10, 22, 0, minute)).toISOString(),
    ...more,
  }));
}

test('three of one site are an alarm that names them, two are none', () => {
  const three = opened([0, 300, 600], { site: 'Utrecht' });
  expect(findPatterns(three, rule)).toEqual([
    {
      name: 'site:utrecht',
      about: 'site Utrecht',
      says: '3 laptops were reported lost in site Utrecht within 24 h: LT-1, LT-2, LT-3.',
    },
  ]);
  expect(findPatterns(three.slice(1), rule)).toEqual([]);
  expect(findPatterns(three.slice(1), { ...rule, losses: 2 })).toHaveLength(1);
});

test('a site written in other capitals is the same site; other sites and no site are not', () => {
  const written = [
    ...opened([0], { site: 'Utrecht' }),
    ...opened([200], { site: ' utrecht ' }, 2),
    ...opened([400], { site: 'UTRECHT' }, 3),
  ];
  expect(findPatterns(written, rule).map(({ name }) => name)).toEqual(['site:utrecht']);
  const apart = [...opened([0, 200], { site: 'Utrecht' }), ...opened([400], { site: 'Gent' }, 3)];
  expect(findPatterns(apart, rule)).toEqual([]);
  expect(findPatterns(opened([0, 200, 400], { site: '' }), rule)).toEqual([]);
});

test('a team is an alarm of its own only when it tells of other cases than the site does', () => {
  const both = opened([0, 200, 400], { site: 'Utrecht', team: 'Sales' });
  expect(findPatterns(both, rule).map(({ name }) => name)).toEqual(['site:utrecht']);
  const onTheRoad = opened([600], { team: 'Sales' }, 4);
  const [site, team] = findPatterns([...both, ...onTheRoad], rule);
  expect(site!.says).toContain(': LT-1, LT-2, LT-3.');
  expect(team).toEqual({
    name: 'team:sales',
    about: 'team Sales',
    says: '4 laptops were reported lost in team Sales within 24 h: LT-1, LT-2, LT-3, LT-4.',
  });
});

test('an hour is 60 minutes from any moment, over the whole tenant', () => {
  expect(findPatterns(opened([50, 80, 110]), rule)).toEqual([
    { name: 'hour', about: 'within 60 min', says: '3 laptops were reported lost within 60 min: LT-1, LT-2, LT-3.' },
  ]);
  expect(findPatterns(opened([50, 80, 111]), rule)).toEqual([]);
  expect(findPatterns(opened([0, 20, 25]), { losses: 3, withinMs: 20 * 60_000 })).toEqual([]);
});

test('a device that was lost twice counts once, and a long list is cut', () => {
  const twice = opened([0, 10, 20]).map((opening) => ({ ...opening, workflowId: 'lost-device:acme:SN1' }));
  expect(findPatterns(twice, rule)).toEqual([]);
  const [many] = findPatterns(opened(Array.from({ length: 13 }, (_, index) => index)), rule);
  expect(many!.says).toMatch(/^13 laptops .* LT-9, LT-10 and 3 more\.$/);
});
