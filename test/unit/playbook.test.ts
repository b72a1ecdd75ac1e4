/**
 * The pure rules of the playbook: who is who, what is proven, what is counted.
 * @module
 */
import fc from 'fast-check';
import { archiveKeys } from '../../playbook/archive-keys';
import type { CaseState } from '../../playbook/case';
import { caseBudgetBytes, openCase, takeReport, takeSighting } from '../../playbook/case';
import { climb, moveSeen } from '../../playbook/configuration';
import type { ManagedDevice } from '../../playbook/device';
import { matchDevice } from '../../playbook/device';
import { identify } from '../../playbook/identify';
import type { Report } from '../../playbook/report';
import { canonicalSerial, mergeAnswers, nothingKnown } from '../../playbook/report';
import { defaultRules } from '../../playbook/rules';
import { shortHash } from '../../playbook/short-hash';
import type { Sighting } from '../../playbook/sighting';
import { headline, waitsFor } from '../../playbook/summary';

const device = (more: Partial<ManagedDevice> = {}): ManagedDevice => ({
  source: 'netskope',
  nsdeviceuid: 'uid-42',
  serial: 'SN0042',
  hostname: 'LT-0042',
  user: 'pat@example.test',
  lastSeenAt: '2026-11-22T02:00:00.000Z',
  steeringConfig: 'Default tenant config',
  hostInfoUpdatedAt: '2026-11-22T01:50:00.000Z',
  client: 'enabled',
  ...more,
});

const report = (more: Partial<Report> = {}): Report => ({
  tenant: 'acme',
  ticket: { source: 'generic', id: 'T-1' },
  deliveryId: 'd-1',
  receivedAt: '2026-11-22T03:00:00.000Z',
  verified: true,
  device: { serial: 'SN0042' },
  answers: { ...nothingKnown, kind: 'lost' },
  actor: { person: 'desk', authenticated: true, how: 'webhook-signature' },
  ...more,
});

const opened = (): CaseState => ({
  ...openCase(report(), defaultRules, {
    workflowId: 'lost-device:acme:SN0042',
    runId: 'run-1',
    now: '2026-11-22T03:00:00.000Z',
  }),
  device: device(),
});

const at = (minutes: number) => new Date(Date.parse('2026-11-22T06:00:00.000Z') + minutes * 60_000).toISOString();
const seen = (minutes: number, more: Partial<Sighting> = {}): Sighting => ({
  id: `s-${minutes}-${more.feed ?? ''}`,
  at: at(minutes),
  source: 'netskope',
  feed: 'client-status',
  evidence: 'client',
  match: 'device',
  device: { serial: 'SN0042' },
  what: 'Tunnel Up',
  steeringConfig: 'Default tenant config',
  hostInfoUpdatedAt: '2026-11-22T01:50:00.000Z',
  ...more,
});

describe('serials', () => {
  test('are trimmed and upper case, and placeholders never name a device', () => {
    expect(canonicalSerial('  sn0042 ')).toBe('SN0042');
    for (const text of [
      undefined,
      '',
      ' ',
      'To be filled by O.E.M.',
      'default string',
      '00000000',
      'XXXX',
      'a b',
      "x' or 'y",
      'n/a',
    ]) {
      expect(canonicalSerial(text)).toBeUndefined();
    }
  });
});

describe('answers', () => {
  test('a later unknown never takes an answer away, and stolen is never taken back', () => {
    const known = mergeAnswers(nothingKnown, { ...nothingKnown, kind: 'stolen', powered: 'off', reportedBy: 'kim' });
    expect(mergeAnswers(known, { ...nothingKnown, kind: 'lost', locked: 'yes' })).toEqual({
      ...known,
      locked: 'yes',
    });
  });
});

describe('a record speaks of the lost device', () => {
  test('only when nothing of the machine contradicts', () => {
    const lost = device();
    expect(matchDevice(lost, { serial: 'sn0042', hostname: 'OTHER' })).toBe('device');
    expect(matchDevice(lost, { nsdeviceuid: 'uid-42' })).toBe('device');
    expect(matchDevice(lost, { hostname: 'lt-0042', user: 'PAT@example.test' })).toBe('likely');
    expect(matchDevice(lost, { hostname: 'LT-0042', user: 'pat@example.test', serial: 'SN9999' })).toBe('none');
    expect(matchDevice(lost, { hostname: 'LT-0042', user: 'pat@example.test', nsdeviceuid: 'uid-43' })).toBe('none');
    expect(matchDevice(lost, { user: 'pat@example.test' })).toBe('none');
    expect(matchDevice(lost, {})).toBe('none');
  });
});

describe('identify', () => {
  test('one serial under two installations is one machine: the newest', () => {
    const old = device({ nsdeviceuid: 'uid-old', lastSeenAt: '2026-11-01T00:00:00.000Z' });
    expect(identify([old, device()], { serial: 'SN0042' })).toMatchObject({
      found: 'one',
      device: { nsdeviceuid: 'uid-42' },
    });
  });
  test('a user who does not fit the machine is a question, never a guess', () => {
    expect(identify([device()], { serial: 'SN0042', user: 'kim@example.test' })).toMatchObject({ found: 'several' });
  });
  test('a hostname that two machines carry, or a user with two laptops, is a question', () => {
    const second = device({ nsdeviceuid: 'uid-43', serial: 'SN0043' });
    expect(identify([device(), second], { hostname: 'LT-0042' })).toMatchObject({ found: 'several' });
    expect(identify([device(), second], { user: 'pat@example.test' })).toMatchObject({ found: 'several' });
  });
  test("the user's other devices do not make a named one ambiguous", () => {
    const second = device({ nsdeviceuid: 'uid-43', serial: 'SN0043', hostname: 'LT-0043' });
    expect(identify([device(), second], { serial: 'SN0042', user: 'pat@example.test' })).toMatchObject({
      found: 'one',
    });
  });
  test('nothing found says what was looked for', () => {
    expect(identify([], { serial: 'SN1' })).toEqual({
      found: 'none',
      why: 'No managed device with serial SN1 was found.',
    });
  });
});

describe('the proof ladder', () => {
  const names = { lostSteeringConfig: 'Lost-Stolen Steering', lostPolicy: 'Block lost' };
  const member = () => {
    const state = opened();
    moveSeen(state, '2026-11-22T03:00:01.000Z', 'read back');
    return state;
  };

  test('a device that is off is not proven, and says when it was last seen', () => {
    expect(member().configuration.says).toBe(
      'Not proven, last seen 2026-11-22 02:00 UTC by netskope, will verify on return.',
    );
  });
  test('three minutes online prove nothing', () => {
    const state = member();
    climb(state, names, seen(0));
    climb(state, names, seen(3));
    expect(state.configuration).toMatchObject({ state: 'member', onlineMs: 180_000 });
  });
  test('the lost name on a newer record is applied; a block by the lost policy after the change is biting', () => {
    const state = member();
    expect(
      climb(state, names, seen(70, { steeringConfig: 'Lost-Stolen Steering', hostInfoUpdatedAt: at(69) })),
    ).toMatch(/Steering proven/);
    expect(state.configuration.state).toBe('applied');
    climb(
      state,
      names,
      seen(72, { feed: 'alerts', evidence: 'policy-block', policy: { name: 'Block lost', action: 'block' } }),
    );
    expect(state.configuration.state).toBe('biting');
  });
  test('the lost name on the very record that was read before the change proves nothing', () => {
    const state = opened();
    state.device = device({ steeringConfig: 'Lost-Stolen Steering' });
    moveSeen(state, '2026-11-22T03:00:01.000Z', 'read back');
    climb(state, names, seen(1, { steeringConfig: 'Lost-Stolen Steering' }));
    expect(state.configuration.state).toBe('member');
  });
  test('a likely match, another policy, or a block before the change never proves', () => {
    const state = member();
    climb(
      state,
      names,
      seen(70, { match: 'likely', steeringConfig: 'Lost-Stolen Steering', hostInfoUpdatedAt: at(69) }),
    );
    climb(state, names, seen(71, { evidence: 'policy-block', policy: { name: 'Other', action: 'block' } }));
    climb(state, names, seen(-400, { evidence: 'policy-block', policy: { name: 'Block lost', action: 'block' } }));
    expect(state.configuration.state).toBe('member');
  });
  test('overdue needs online time of the client itself: gaps and other tools never count', () => {
    const silentMostly = member();
    for (let minutes = 0; minutes <= 300; minutes += 20) climb(silentMostly, names, seen(minutes));
    expect(silentMostly.configuration).toMatchObject({ state: 'member', onlineMs: 0 });
    const byTools = member();
    for (let minutes = 0; minutes <= 300; minutes += 5) climb(byTools, names, seen(minutes, { evidence: 'tool' }));
    expect(byTools.configuration.state).toBe('member');
    const online = member();
    for (let minutes = 0; minutes <= 80; minutes += 5) climb(online, names, seen(minutes));
    expect(online.configuration.state).toBe('overdue');
    expect(online.configuration.says).toMatch(/online for 80 min .* still reports "Default tenant config"/);
  });
});

describe('reports and sightings', () => {
  test('the same delivery twice changes nothing; stolen after all is told', () => {
    const state = opened();
    expect(takeReport(state, report()).repeated).toBe(true);
    const news = takeReport(
      state,
      report({
        deliveryId: 'd-2',
        ticket: { source: 'generic', id: 'T-2' },
        answers: { ...nothingKnown, kind: 'stolen' },
      }),
    );
    expect(news).toMatchObject({ newTicket: true, nowStolen: true });
    expect(state.tickets).toHaveLength(2);
  });
  test('in any order and with any repeats each sighting counts once, and the last one is the newest', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 1, maxLength: 80 }), (minutes) => {
        const state = opened();
        for (const minute of minutes) takeSighting(state, seen(minute));
        expect(state.presence.count).toBe(new Set(minutes).size);
        expect(state.presence.last?.at).toBe(at(Math.max(...minutes)));
        expect(state.presence.recent.length).toBeLessThanOrEqual(12);
      }),
    );
  });
  test('a year of signs every five minutes leaves the state within its budget', () => {
    const state = opened();
    const place = {
      city: 'Exampleville on the Long River',
      region: 'EX',
      country: 'NL',
      latitude: 52.123456,
      longitude: 5.123456,
    };
    for (let n = 0; n < 105_120; n += 1) {
      takeSighting(
        state,
        seen(n * 5, {
          place,
          publicAddress: '203.0.113.177',
          device: { serial: 'SN0042', hostname: 'LT-0042', user: 'pat@example.test' },
        }),
      );
    }
    expect(state.presence.count).toBe(105_120);
    // What the journal keeps beside it, at its longest.
    state.journal.tail = Array.from({ length: 20 }, (_, n) => ({
      n,
      at: at(n),
      track: 'case' as const,
      who: 'playbook',
      text: 'x'.repeat(400),
      evidence: 'x'.repeat(400),
    }));
    expect(JSON.stringify(state).length).toBeLessThan(caseBudgetBytes);
  });
  test('short hashes of ten thousand ids do not meet', () => {
    expect(new Set(Array.from({ length: 10_000 }, (_, n) => shortHash(`netskope/client-status/${n}`))).size).toBe(
      10_000,
    );
  });
});

describe('archive keys', () => {
  test('no two tickets share a key, and none leaves its folder', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        const keys = [a, b].map((id) => archiveKeys.closing({ source: 'generic', id }));
        expect(keys[0] === keys[1]).toBe(a === b);
        for (const key of keys) expect(key.split('/').every((part) => part !== '..' && part !== '.')).toBe(true);
      }),
    );
  });
});

describe('the summary', () => {
  test('says plainly what is not done and what waits', () => {
    const state = opened();
    expect(headline(state)).toBe('Lost laptop LT-0042 (serial SN0042) of pat@example.test: NOT contained.');
    state.steps['move the user'] = {
      state: 'stuck',
      since: at(0),
      attempts: 1,
      error: { code: 'LDP_NOT_PERMITTED', message: 'No right.' },
    };
    expect(waitsFor(state)).toEqual([
      'Stuck since 2026-11-22 06:00 UTC: move the user. No right. Retry it, or skip it with a reason.',
    ]);
  });
});
