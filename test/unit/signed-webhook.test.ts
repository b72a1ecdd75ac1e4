/** The generic webhook: what is proven, what is refused and how, and how a body becomes a report. */
import { Webhook } from 'standardwebhooks';
import { BadInput } from '../../plugins/errors';
import { reportBodyJsonSchema } from '../../plugins/report-body';
import type { DeskReport } from '../../plugins/roles';
import { webhook } from '../../plugins/webhook';

const oldSecret = `whsec_${Buffer.from('an old secret of 24 byte').toString('base64')}`;
const newSecret = `whsec_${Buffer.from('a new secret of 24 bytes').toString('base64')}`;
const strangeSecret = `whsec_${Buffer.from('a secret of someone else').toString('base64')}`;
const nowMs = Date.parse('2026-11-22T22:00:00Z');

const desk = webhook.create('generic', webhook.settings.parse({ secrets: [newSecret, oldSecret] })).ticketDesk;

function sign(body: string, secret = newSecret, sentAtMs = nowMs) {
  const at = new Date(sentAtMs);
  return {
    headers: {
      'webhook-id': 'msg_1',
      'webhook-timestamp': String(Math.floor(sentAtMs / 1000)),
      'webhook-signature': new Webhook(secret).sign('msg_1', at, body),
    },
    body: Buffer.from(body),
  };
}

const receive = async (raw: Parameters<NonNullable<NonNullable<typeof desk>['receive']>>[0]): Promise<DeskReport> => {
  if (!desk?.receive) throw new Error('the webhook desk receives');
  return desk.receive(raw, nowMs);
};

const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'accepted',
    (error: unknown) => (error instanceof BadInput ? error.code : String(error)),
  );

describe('proof of the sender', () => {
  test.each([
    ['with the newest secret', sign('{"ticket":"INC1"}')],
    ['with the secret that is being replaced', sign('{"ticket":"INC1"}', oldSecret)],
    ['a little early', sign('{"ticket":"INC1"}', newSecret, nowMs + 299_000)],
    ['a little late', sign('{"ticket":"INC1"}', newSecret, nowMs - 299_000)],
  ])('%s it is accepted', async (_, raw) => {
    expect(await codeOf(receive(raw))).toBe('accepted');
  });

  test('one fitting signature among several is enough', async () => {
    const raw = sign('{"ticket":"INC1"}');
    raw.headers['webhook-signature'] = `v1a,abc v1,${'A'.repeat(43)}= v1 ${raw.headers['webhook-signature']}`;
    expect(await codeOf(receive(raw))).toBe('accepted');
  });

  const good = sign('{"ticket":"INC1"}');
  test.each([
    ['an unknown secret', sign('{"ticket":"INC1"}', strangeSecret)],
    ['an old timestamp', sign('{"ticket":"INC1"}', newSecret, nowMs - 301_000)],
    ['a timestamp from the future', sign('{"ticket":"INC1"}', newSecret, nowMs + 301_000)],
    ['a body changed on the way', { ...good, body: Buffer.from('{"ticket":"INC2"}') }],
    ['another delivery id', { ...good, headers: { ...good.headers, 'webhook-id': 'msg_2' } }],
    ['no signature', { ...good, headers: { ...good.headers, 'webhook-signature': undefined } }],
    ['no headers', { ...good, headers: {} }],
    ['a timestamp with something behind it', { ...good, headers: { ...good.headers, 'webhook-timestamp': '1e9x' } }],
    ['bytes that are not UTF-8', { ...good, body: Buffer.from([0x7b, 0xff, 0xfe, 0x7d]) }],
    ['an unsigned body that is not JSON', { ...good, body: Buffer.from('hello') }],
  ])('%s is LDP_BAD_SIGNATURE', async (_, raw) => {
    expect(await codeOf(receive(raw))).toBe('LDP_BAD_SIGNATURE');
  });

  test('a proven body that is not JSON is LDP_BAD_INPUT and is not quoted', async () => {
    const refused = receive(sign('password=hunter2'));
    expect(await codeOf(refused)).toBe('LDP_BAD_INPUT');
    await expect(refused).rejects.toThrow(expect.objectContaining({ message: expect.not.stringContaining('hunter2') }));
  });
});

describe('the body', () => {
  test('everything given is in the report', async () => {
    const body = {
      ticket: { id: 4711, url: 'https://desk.example.test/4711' },
      device: { serial: ' SN0042 ', hostname: 'LT-0042', nsdeviceuid: 'uid-1' },
      user: 'pat@example.test',
      report: {
        kind: 'stolen',
        reportedBy: 'sam@example.test',
        reporterIsOwner: false,
        lastHeldAt: '2026-11-22T22:10:00+01:00',
        lastHeldWhere: 'café\nat the station\u202e',
        powered: 'sleeping',
        locked: true,
        data: ['customer list', 'board papers'],
        vip: 'yes',
        colour: 'grey',
      },
      extra: { is: 'ignored' },
    };
    expect(await receive(sign(JSON.stringify(body)))).toEqual({
      ticket: { source: 'generic', id: '4711', url: 'https://desk.example.test/4711' },
      deliveryId: 'msg_1',
      verified: true,
      device: { serial: 'SN0042', hostname: 'LT-0042', nsdeviceuid: 'uid-1' },
      user: 'pat@example.test',
      answers: {
        kind: 'stolen',
        reportedBy: 'sam@example.test',
        reporterIsOwner: 'no',
        lastHeldAt: '2026-11-22T21:10:00.000Z',
        lastHeldWhere: 'café at the station',
        powered: 'sleeping',
        locked: 'yes',
        data: 'customer list; board papers',
        vip: 'yes',
      },
      actor: { person: 'webhook:generic', authenticated: true, how: 'webhook-signature' },
    });
  });

  test('a ticket alone is enough; what is null or empty is not known', async () => {
    const body = { ticket: 'INC1', device: { serial: '', hostname: null }, user: '', report: { vip: null } };
    expect(await receive(sign(JSON.stringify(body)))).toMatchObject({
      ticket: { source: 'generic', id: 'INC1' },
      device: {},
      answers: { kind: 'unknown', reporterIsOwner: 'unknown', powered: 'unknown', locked: 'unknown', vip: 'unknown' },
    });
  });

  test.each([
    ['no ticket', {}, 'ticket'],
    ['an empty ticket', { ticket: ' ' }, 'ticket'],
    ['a ticket with control characters', { ticket: 'INC1\u0000' }, 'ticket'],
    ['a script as the address of the ticket', { ticket: { id: 1, url: 'javascript:alert(1)' } }, 'ticket'],
    ['a serial that hides a line', { ticket: 1, device: { serial: 'SN1\nSN2' } }, 'device.serial'],
    ['a user too long', { ticket: 1, user: 'a'.repeat(321) }, 'user'],
    ['a kind we do not know', { ticket: 1, report: { kind: 'eaten' } }, 'report.kind'],
    ['a time without its zone', { ticket: 1, report: { lastHeldAt: '2026-11-22T21:10:00' } }, 'report.lastHeldAt'],
  ])('%s is refused and the field is named', async (_, body, field) => {
    await expect(receive(sign(JSON.stringify(body)))).rejects.toMatchObject({
      code: 'LDP_BAD_INPUT',
      message: expect.stringContaining(field),
    });
  });

  test('the schema can be published', () => {
    expect(reportBodyJsonSchema()).toMatchObject({ type: 'object', required: ['ticket'] });
  });
});

test.each([
  [{}, 'secrets'],
  [{ secrets: [] }, 'is empty'],
  [{ secrets: ['whsec_short'] }, 'secrets.0'],
  [{ secrets: [newSecret], secret: 'x' }, 'secret'],
])('settings %j are refused', (settings, named) => {
  expect(() => webhook.settings.parse(settings)).toThrow(
    expect.objectContaining({ message: expect.stringContaining(named.split('.')[0] ?? '') }),
  );
});
