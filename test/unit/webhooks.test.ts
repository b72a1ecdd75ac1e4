/** The webhook listener over real HTTP with real signatures: what is stored, what is refused, and what is never forgotten. */
import { createHmac } from 'node:crypto';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { Webhook } from 'standardwebhooks';
import type { Tenant } from '../../activities/house';
import { createCaseClient, type Taken } from '../../client/cases';
import { createWebhookServer } from '../../http/webhooks';
import type { Report } from '../../playbook/report';
import { defaultRules } from '../../playbook/rules';
import { createPlugins } from '../../plugins';
import type { PageAcknowledged } from '../../workflows/messages';

const secret = `whsec_${Buffer.from('a secret of thirty-two letters').toString('base64')}`;
const rules = { ...defaultRules, whenUserHasOtherDevices: 'ask' as const };

/** Cases in memory: one for each device, as Temporal keeps them. */
function keepCases() {
  const stored: Report[] = [];
  let away: Error | undefined;
  return {
    stored,
    goAway: (error: Error | undefined) => (away = error),
    async handIn(report: Report, given: typeof rules): Promise<Taken> {
      expect(given).toBe(rules);
      await new Promise((resolve) => setTimeout(resolve, 20));
      if (away) throw away;
      const known = stored.some(({ device }) => device.serial === report.device.serial);
      stored.push(report);
      return { outcome: known ? 'joined' : 'opened', workflowId: `lost-device:acme:${report.device.serial}` };
    },
  };
}

/** Temporal as far as signals go: what each workflow was told, and which are closed. */
function keepSignals() {
  const told: { workflowId: string; news: PageAcknowledged }[] = [];
  const closed = new Set<string>();
  let away: Error | undefined;
  const signal = async (workflowId: string, news: PageAcknowledged) => {
    if (away) throw away;
    if (closed.has(workflowId)) throw new WorkflowNotFoundError('closed', workflowId, undefined);
    told.push({ workflowId, news });
  };
  return {
    told,
    closed,
    goAway: (error: Error | undefined) => (away = error),
    client: {
      workflow: {
        getHandle: (workflowId: string) => ({
          signal: (_definition: unknown, news: PageAcknowledged) => signal(workflowId, news),
        }),
      },
    } as unknown as Client,
  };
}

const cases = keepCases();
const signals = keepSignals();
const lines: string[] = [];
const pagerSecrets = ['the secret that is being replaced', 'the secret that replaces it'];
const { generic, pager, mail } = Object.fromEntries(
  createPlugins({
    generic: { plugin: 'webhook', settings: { secrets: [secret] } },
    pager: {
      plugin: 'pagerduty',
      settings: {
        routingKey: 'k'.repeat(32),
        webhookSecrets: pagerSecrets,
        apiToken: 'token',
        apiUrl: 'http://127.0.0.1:9', // Nobody is there.
      },
    },
    mail: { plugin: 'smtp', settings: { host: '127.0.0.1', from: 'a@example.test', to: ['b@example.test'] } },
  }),
);
const { acknowledged } = createCaseClient({
  client: signals.client,
  indexKey: '',
  eager: false,
  findClosing: async () => undefined,
});
const app = createWebhookServer({
  tenants: new Map([
    [
      'acme',
      {
        name: 'acme',
        settings: { rules },
        desks: new Map([['generic', generic?.ticketDesk]]),
        notifiers: new Map([
          ['pager', pager?.notifier],
          ['mail', mail?.notifier],
        ]),
      } as Tenant,
    ],
  ]),
  cases: { handIn: cases.handIn as never, acknowledged },
  log: (line) => lines.push(line),
});
let url: string;
beforeAll(async () => {
  url = await app.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(() => app.close());
beforeEach(() => {
  cases.stored.length = 0;
  cases.goAway(undefined);
  signals.told.length = 0;
  signals.goAway(undefined);
  lines.length = 0;
});

let deliveries = 0;
const newId = () => `msg_${(deliveries += 1)}`;

function post(body: string, options: { id?: string; sentAt?: Date; by?: string; to?: string; type?: string } = {}) {
  const { id = newId(), sentAt = new Date(), by = secret, to = 'generic', type = 'application/json' } = options;
  return fetch(`${url}/webhooks/tickets/${to}`, {
    method: 'POST',
    body,
    headers: {
      'content-type': type,
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(sentAt.getTime() / 1000)),
      'webhook-signature': new Webhook(by).sign(id, sentAt, body),
    },
  });
}

const lost = (serial: string, ticket = 'INC1') =>
  JSON.stringify({ ticket, device: { serial }, user: 'pat@example.test', report: { kind: 'stolen' } });

const refusal = async (answer: Promise<Response>) => {
  const { status, headers, json } = await answer.then(async (got) => ({
    status: got.status,
    headers: got.headers,
    json: (await got.json()) as { error: { code: string; message: string } },
  }));
  return { status, code: json.error.code, retryAfter: headers.get('retry-after'), message: json.error.message };
};

test('a proven report is stored under its tenant, and the answer names its case', async () => {
  const answer = await post(lost('SN1'));
  expect(answer.status).toBe(202);
  expect(await answer.json()).toEqual({ outcome: 'opened', case: 'lost-device:acme:SN1' });
  expect(cases.stored).toEqual([
    expect.objectContaining({
      tenant: 'acme',
      ticket: { source: 'generic', id: 'INC1' },
      verified: true,
      receivedAt: expect.stringMatching(/^\d{4}-.*Z$/) as unknown,
      actor: expect.objectContaining({ how: 'webhook-signature', from: '127.0.0.1' }) as unknown,
    }),
  ]);
  expect(await (await post(lost('SN1', 'INC2'))).json()).toMatchObject({ outcome: 'joined' });
});

test('the same delivery fifty times at once is stored once, and each sender gets a 2xx', async () => {
  const id = newId();
  const answers = await Promise.all(Array.from({ length: 50 }, () => post(lost('SN2'), { id })));
  expect(answers.map(({ status }) => status).sort()).toEqual([...Array<number>(49).fill(200), 202]);
  for (const answer of answers)
    expect(await answer.json()).toEqual({ outcome: 'opened', case: 'lost-device:acme:SN2' });
  expect((await post(lost('SN2'), { id })).status).toBe(200);
  expect(cases.stored).toHaveLength(1);
});

test('one id for two different reports loses neither', async () => {
  const id = newId();
  await Promise.all([post(lost('SN3'), { id }), post(lost('SN4'), { id })]);
  expect(cases.stored.map(({ device }) => device.serial).sort()).toEqual(['SN3', 'SN4']);
});

test('what cannot be stored is no 2xx, is to come again, and is stored when it does', async () => {
  const id = newId();
  cases.goAway(new Error('14 UNAVAILABLE'));
  expect(await refusal(post(lost('SN5'), { id }))).toMatchObject({
    status: 503,
    code: 'LDP_UNREACHABLE',
    retryAfter: '30',
    message: 'A report could not be stored. Send it again.',
  });
  expect(lines).toEqual(['A report from generic could not be stored: 14 UNAVAILABLE']);
  cases.goAway(undefined);
  expect((await post(lost('SN5'), { id })).status).toBe(202);
  expect(cases.stored).toHaveLength(1);
});

test.each(['application/json', 'text/plain; charset=utf-16', 'garbage', 'application/x-www-form-urlencoded'])(
  'the bytes are taken as they are, also when they are called %s',
  async (type) => {
    expect((await post(lost('SN6'), { type })).status).toBe(202);
  },
);

describe('is refused, and stores nothing:', () => {
  const old = new Date(Date.now() - 6 * 60_000);
  const stranger = `whsec_${Buffer.from('a secret of someone else').toString('base64')}`;
  test.each([
    ['a bad signature', () => post(lost('SN7'), { by: stranger }), 401, 'LDP_BAD_SIGNATURE'],
    ['a bad signature under no JSON', () => post('no json', { by: stranger }), 401, 'LDP_BAD_SIGNATURE'],
    ['an old timestamp', () => post(lost('SN7'), { sentAt: old }), 401, 'LDP_BAD_SIGNATURE'],
    [
      'no signature',
      () => fetch(`${url}/webhooks/tickets/generic`, { method: 'POST', body: lost('SN7') }),
      401,
      'LDP_BAD_SIGNATURE',
    ],
    ['no body', () => fetch(`${url}/webhooks/tickets/generic`, { method: 'POST' }), 401, 'LDP_BAD_SIGNATURE'],
    ['a signed body that is no JSON', () => post('no json'), 400, 'LDP_BAD_INPUT'],
    ['a signed body without a ticket', () => post('{"device":{}}'), 400, 'LDP_BAD_INPUT'],
    ['a body of 2 MB', () => post(JSON.stringify({ ticket: 'x'.repeat(2_000_000) })), 413, 'LDP_TOO_LARGE'],
    ['an unknown source', () => post(lost('SN7'), { to: 'other' }), 404, 'LDP_NOT_FOUND'],
    ['another method', () => fetch(`${url}/webhooks/tickets/generic`), 404, 'LDP_NOT_FOUND'],
    ['an analyst', () => fetch(`${url}/api/cases`), 404, 'LDP_NOT_FOUND'],
  ])('%s', async (_, send, status, code) => {
    expect(await refusal(send())).toMatchObject({ status, code });
    expect(cases.stored).toEqual([]);
  });

  test('a body of unknown length, and its sender is not cut off while it still writes', async () => {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    socket.write(`POST /webhooks/tickets/generic HTTP/1.1\r\nHost: ${hostname}\r\nTransfer-Encoding: chunked\r\n\r\n`);
    const chunk = `${(100_000).toString(16)}\r\n${'x'.repeat(100_000)}\r\n`;
    for (let n = 0; n < 20; n += 1) {
      await new Promise<void>((resolve, reject) => socket.write(chunk, (error) => (error ? reject(error) : resolve())));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    socket.write('0\r\n\r\n');
    expect(await text(socket)).toMatch(/^HTTP\/1.1 413 .*LDP_TOO_LARGE/s);
  });
});

describe('acknowledgements', () => {
  const runId = '6f1c2b7e-9d1f-4a3c-8f52-0c1d2e3f4a5b';
  const incident = (workflowId: string) =>
    `${workflowId}~${runId}:rung:first/task late: call ~5 people@2026-11-22T21:00Z`;
  const ours = 'lost-device:acme:SN~1';

  function tell(options: { key?: string | null; by?: string; to?: string; agent?: string; id?: string } = {}) {
    const {
      key = incident(ours),
      by = pagerSecrets[0] ?? '',
      to = 'pager',
      agent = 'user_reference',
      id = 'e1',
    } = options;
    const body = JSON.stringify({
      event: {
        id,
        event_type: 'incident.resolved',
        occurred_at: '2026-11-22T22:00:00Z',
        agent: { type: agent, summary: 'Ana' },
        data: { id: 'Q1', incident_key: key },
      },
    });
    return fetch(`${url}/webhooks/notifiers/${to}`, {
      method: 'POST',
      body,
      headers: {
        'content-type': 'application/json',
        'x-pagerduty-signature': `v1=${createHmac('sha256', by).update(body).digest('hex')}`,
      },
    });
  }

  test.each(pagerSecrets)('one that is proven by %s reaches the case of its incident', async (by) => {
    const answer = await tell({ by });
    expect(answer.status).toBe(202);
    expect(await answer.json()).toEqual({ outcome: ['told'] });
    expect(signals.told).toEqual([
      {
        workflowId: ours,
        news: {
          id: expect.stringMatching(/^e1/) as string,
          incident: incident(ours),
          who: 'Ana',
          at: '2026-11-22T22:00:00.000Z',
        },
      },
    ]);
  });

  test('sent again it is the same news, which the case knows', async () => {
    await tell();
    await tell();
    const [first, again] = signals.told;
    expect(again).toEqual(first);
    await tell({ id: 'e2' });
    expect(signals.told[2]?.news.id).not.toBe(first?.news.id);
  });

  test.each([
    ['what is not about a case', { key: 'disk full on db1' }, ['not ours']],
    ["another tenant's case", { key: incident('lost-device:globex:SN1') }, ['not ours']],
    ['a workflow that is no case', { key: incident('lost-device-guard:acme') }, ['not ours']],
    ['a resolve by our own integration', { agent: 'inbound_integration_reference' }, []],
  ])('%s is taken and reaches nobody', async (_, options, outcome) => {
    const answer = await tell(options);
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({ outcome });
    expect(signals.told).toEqual([]);
  });

  test('for a closed case it is taken: nothing is left to do', async () => {
    signals.closed.add('lost-device:acme:SN2');
    const answer = await tell({ key: incident('lost-device:acme:SN2') });
    expect([answer.status, await answer.json()]).toEqual([200, { outcome: ['closed'] }]);
  });

  test('what cannot be stored is to come again, and is stored when it does', async () => {
    signals.goAway(new Error('14 UNAVAILABLE'));
    expect(await refusal(tell())).toMatchObject({ status: 503, code: 'LDP_UNREACHABLE', retryAfter: '30' });
    expect(lines).toEqual(['An acknowledgement from pager could not be stored: 14 UNAVAILABLE']);
    signals.goAway(undefined);
    expect((await tell()).status).toBe(202);
  });

  test('where PagerDuty cannot be asked which page it was, it is to come again', async () => {
    expect(await refusal(tell({ key: null }))).toMatchObject({ status: 503, retryAfter: '30' });
    expect(lines).toEqual([expect.stringMatching(/could not be stored: pagerduty alerts.list/)]);
  });

  test.each([
    ['a bad signature', () => tell({ by: 'a secret of someone else' }), 401, 'LDP_BAD_SIGNATURE'],
    [
      'no signature',
      () => fetch(`${url}/webhooks/notifiers/pager`, { method: 'POST', body: '{}' }),
      401,
      'LDP_BAD_SIGNATURE',
    ],
    ['a notifier that hears nothing', () => tell({ to: 'mail' }), 404, 'LDP_NOT_FOUND'],
    ['an unknown notifier', () => tell({ to: 'other' }), 404, 'LDP_NOT_FOUND'],
    ['a ticket desk', () => tell({ to: 'generic' }), 404, 'LDP_NOT_FOUND'],
  ])('%s is refused', async (_, send, status, code) => {
    expect(await refusal(send())).toMatchObject({ status, code });
    expect(signals.told).toEqual([]);
  });
});

test('health answers', async () => {
  expect((await fetch(`${url}/health`)).status).toBe(200);
});
