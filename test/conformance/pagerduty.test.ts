/** PagerDuty as a notifier that hears back, against the simulator; what its webhooks say, by bodies signed here. */
import { createHmac } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { pagerduty } from '../../plugins/pagerduty';
import { dedupKey } from '../../plugins/pagerduty/events';
import type { Notifier, PluginInstance, RawWebhook } from '../../plugins/roles';
import type { Incident } from '../../simulator/pagerduty/incidents';
import { call, everyFault, startVendorWorld, type Exercise, type VendorWorld } from './vendor-world';

const secret = 'sim-pagerduty-webhook-secret';
const incident = 'lost-device:acme:SN0042~00000000-0000-4000-8000-000000000001:rung:first/silent@2026-11-22T21:00:00Z';
const page = { key: `${incident}#1:ana`, incident, subject: 'LT-0042 is silent', text: 'Not seen for 24 hours.' };

let world: VendorWorld;
let instance: PluginInstance;
let notifier: Required<Notifier>;

function create(more: Record<string, unknown> = {}): PluginInstance {
  const settings = {
    url: world.url,
    routingKey: 'sim-pagerduty-key'.padEnd(32, '0'),
    webhookSecrets: [secret],
    apiToken: 'sim-pagerduty-api-token',
    apiUrl: world.url,
    timeoutMs: 300,
    ...more,
  };
  return pagerduty.create('pager', pagerduty.settings.parse(settings));
}

async function control<T>(path: string, body?: unknown): Promise<T> {
  const answer = await fetch(`${world.url}/control/pagerduty${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`the simulator answered ${answer.status}: ${await answer.text()}`);
  return (await answer.json()) as T;
}
const incidents = () => control<Incident[]>('');

beforeEach(async () => {
  world = await startVendorWorld();
  instance = create();
  notifier = instance.notifier as Required<Notifier>;
});
afterEach(() => world.close());

describe('paging', () => {
  test('a page is an incident; a repeat is a line in its log; a resolve ends it, and can be repeated', async () => {
    await notifier.page({ ...page, severity: 'critical', subject: 'LT-0042\r\nis silent' }, call);
    expect(await incidents()).toMatchObject([
      {
        dedupKey: incident,
        status: 'triggered',
        summary: 'LT-0042 is silent',
        severity: 'critical',
        source: 'lost-device-playbook',
        details: { text: 'Not seen for 24 hours.' },
      },
    ]);
    await notifier.page({ ...page, key: `${incident}#2:bob` }, call);
    await notifier.acknowledge(incident, call);
    await notifier.acknowledge(incident, call);
    expect(await incidents()).toMatchObject([{ status: 'acknowledged' }]);
    await notifier.resolve(incident, call);
    await notifier.resolve(incident, call);
    expect(await incidents()).toMatchObject([{ status: 'resolved', triggers: 2 }]);
    await notifier.page(page, call);
    expect(await world.changes()).toEqual([
      `pagerduty: incident ${incident} triggered`,
      `pagerduty: incident ${incident} triggered again`,
      `pagerduty: incident ${incident} acknowledged`,
      `pagerduty: incident ${incident} resolved`,
      `pagerduty: incident ${incident} triggered (#2)`,
    ]);
  });

  test('a page that is about no trouble is an incident of its own, an error if nothing is said', async () => {
    await notifier.page({ key: 'chain:question-1', subject: 'A question', text: 'Which one?' }, call);
    expect(await incidents()).toMatchObject([{ dedupKey: 'chain:question-1', severity: 'error' }]);
  });

  test('what is too long is cut, and a cut key stays stable, distinct, and names its case', async () => {
    const long = (end: string) => `${incident}${'x'.repeat(300)}${end}`;
    await notifier.page({ ...page, incident: long('a'), subject: '😀'.repeat(1500) }, call);
    await notifier.page({ ...page, incident: long('b') }, call);
    await notifier.resolve(long('a'), call);
    const [first, second] = await incidents();
    expect(first).toMatchObject({ dedupKey: dedupKey(long('a')), status: 'resolved' });
    expect(second).toMatchObject({ status: 'triggered' });
    expect(first?.dedupKey).toHaveLength(255);
    expect(first?.dedupKey.startsWith(incident)).toBe(true);
    // Counted as JSON and JavaScript count, and no half character at the cut.
    expect(first?.summary).toBe(`${'😀'.repeat(511)}…`);
  });

  test('a wrong integration key is told as such, and is in no message', async () => {
    const wrong = 'k'.repeat(32);
    const paged = create({ routingKey: wrong }).notifier?.page(page, call);
    await expect(paged).rejects.toMatchObject({ name: 'VendorRefused', code: 'LDP_NOT_AUTHENTICATED' });
    await expect(paged).rejects.not.toThrow(wrong);
  });

  test('an event that PagerDuty cannot take is refused in its words', async () => {
    await expect(notifier.page({ ...page, subject: ' ' }, call)).rejects.toMatchObject({
      code: 'LDP_REFUSED',
      message: expect.stringContaining("'payload.summary' is missing or blank") as string,
    });
  });

  test('an answer that was lost is unknown, and sending again makes no second incident', async () => {
    await world.fault({ match: { method: 'POST', path: '/v2/enqueue' }, when: 'after', effect: { reset: true } });
    await expect(notifier.page(page, call)).rejects.toMatchObject({ name: 'OutcomeUnknown' });
    await notifier.page(page, call);
    expect(await incidents()).toHaveLength(1);
  });
});

const person = { id: 'PANA001', type: 'user_reference', summary: 'Ana' };
const webhookOf = (event: Record<string, unknown>, data: Record<string, unknown> = {}) =>
  JSON.stringify({
    event: {
      id: '01FKZSRAQJLP9S3OPM2VALGUPJ',
      event_type: 'incident.acknowledged',
      resource_type: 'incident',
      occurred_at: '2026-11-22T22:01:00.169+01:00',
      agent: person,
      client: null,
      data: { id: 'Q1', type: 'incident', status: 'acknowledged', incident_key: incident, ...data },
      ...event,
    },
  });
const signature = (body: string, by = secret) => `v1=${createHmac('sha256', by).update(body).digest('hex')}`;
const signed = (body: string, header = signature(body)): RawWebhook => ({
  headers: { 'x-pagerduty-signature': header },
  body: Buffer.from(body),
});
const receive = (body: string, header?: string) => notifier.receive(signed(body, header), Date.parse(call.now));

describe('acknowledgements', () => {
  test.each(['incident.acknowledged', 'incident.resolved'])('%s by a person is one', async (type) => {
    const body = webhookOf({ event_type: type });
    const [first, ...more] = await receive(body);
    expect(first).toEqual({ id: expect.any(String) as string, incident, who: 'Ana', at: '2026-11-22T21:01:00.169Z' });
    expect(more).toEqual([]);
    expect(await receive(body)).toEqual([first]);
  });

  test.each([
    [
      'a resolve by our own integration',
      { event_type: 'incident.resolved', agent: { ...person, type: 'inbound_integration_reference' } },
      {},
    ],
    ['a resolve by an automation', { event_type: 'incident.resolved', agent: null }, {}],
    ['a merge', { event_type: 'incident.resolved' }, { resolve_reason: { type: 'merge_resolve_reason' } }],
    ['a reassignment', { event_type: 'incident.reassigned' }, {}],
    ['a ping', { event_type: 'pagey.ping', resource_type: 'pagey', data: { message: 'Hello!', type: 'ping' } }, {}],
    ['news of a service', { event_type: 'service.updated', data: { type: 'service' }, agent: null }, {}],
  ])('%s is none', async (_, event, data) => {
    expect(await receive(webhookOf(event, data))).toEqual([]);
  });

  test('two secrets while one is changed, and two signatures', async () => {
    const both = create({ webhookSecrets: ['a secret that was here before', secret] }).notifier;
    const body = webhookOf({});
    const header = `${signature(body, 'one that we do not know')},${signature(body)}`;
    for (const each of [signature(body, 'a secret that was here before'), signature(body), header]) {
      expect(await both?.receive?.(signed(body, each), 0)).toHaveLength(1);
    }
  });

  test.each([
    ['another secret', (body: string) => signature(body, 'not our secret at all')],
    ['other bytes', (body: string) => signature(`${body} `)],
    ['no signature', () => ''],
    ['half a signature', (body: string) => signature(body).slice(0, 20)],
    ['another version', (body: string) => signature(body).replace('v1', 'v0')],
  ])('%s is refused', async (_, header) => {
    const body = webhookOf({});
    await expect(receive(body, header(body))).rejects.toMatchObject({ code: 'LDP_BAD_SIGNATURE' });
  });

  test('signed, and no JSON or no event: the field is named, and nothing is quoted', async () => {
    await expect(receive('no json')).rejects.toMatchObject({ code: 'LDP_BAD_INPUT' });
    await expect(receive(webhookOf({ occurred_at: 'yesterday' }))).rejects.toMatchObject({
      code: 'LDP_BAD_INPUT',
      message: expect.stringMatching(/^event\.occurred_at(?!.*yesterday)/) as string,
    });
  });

  test('without a secret nothing is received', () => {
    expect(create({ webhookSecrets: undefined, apiToken: undefined }).notifier?.receive).toBeUndefined();
  });

  describe('through the subscription', () => {
    let listener: Server;
    let came: RawWebhook[];
    beforeEach(async () => {
      came = [];
      listener = createServer((request, response) => {
        void buffer(request).then((body) => {
          came.push({ headers: request.headers as RawWebhook['headers'], body });
          response.writeHead(202).end();
        });
      });
      await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
      await control('/subscription', { url: `http://127.0.0.1:${(listener.address() as AddressInfo).port}/`, secret });
    });
    afterEach(() => new Promise((resolve) => listener.close(resolve)));

    test('a person acknowledges; the page is found by its alert, because the webhook does not name it', async () => {
      await notifier.page(page, call);
      const done = await control('/incident', { dedupKey: incident, do: 'acknowledge', by: 'ana' });
      expect(done).toMatchObject({ delivered: 202, incident: { status: 'acknowledged' } });
      await notifier.resolve(incident, call);
      await control('/incident', { dedupKey: incident, do: 'acknowledge', by: 'ana' });
      const heard = await Promise.all(came.map((each) => notifier.receive(each, 0)));
      // Triggered, acknowledged by ana, resolved by us, and ana's once more.
      const anas = expect.objectContaining({ incident, who: 'ana' }) as unknown;
      expect(heard).toEqual([[], [anas], [], [anas]]);
      expect(heard[3]).toEqual(heard[1]);
    });

    test('PagerDuty away: it is told, so that the webhook is sent again', async () => {
      await notifier.page(page, call);
      await control('/incident', { dedupKey: incident, do: 'acknowledge', by: 'ana' });
      await world.fault({ match: { method: 'GET', path: '/incidents/' }, effect: { hang: true } });
      await expect(notifier.receive(came[1] as RawWebhook, 0)).rejects.toMatchObject({ code: 'LDP_UNREACHABLE' });
      expect(await notifier.receive(came[1] as RawWebhook, 0)).toHaveLength(1);
    });
  });
});

describe('faults', () => {
  const exercises: Record<string, Exercise> = {
    'events.enqueue': { path: '/v2/enqueue', run: () => notifier.page(page, call) },
    'alerts.list': {
      path: '/incidents/',
      run: () => receive(webhookOf({}, { incident_key: null })),
      answers: { '404': [] },
    },
    'abilities.list': { path: '/abilities', run: async () => failedLine(await instance.test(call)) },
  };
  /** An operation that only the connection test makes: its failure is a line. */
  function failedLine(lines: { ok: boolean; detail: string }[]): void {
    for (const { ok, detail } of lines) if (!ok) throw new Error(`line: ${detail}`);
  }

  test.each(everyFault(pagerduty.operations, exercises))('$title', async ({ operation, fault, exercise }) => {
    if (!exercise) throw new Error(`no exercise for ${operation.name}`);
    const { effect, when = 'before', times = 1, name } = fault;
    await world.fault({ match: { method: operation.method, path: exercise.path }, effect, when, times });
    if (exercise.answers && name in exercise.answers) {
      expect(await exercise.run()).toEqual(exercise.answers[name]);
      return;
    }
    const failed = await exercise.run().then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failed).toBeInstanceOf(Error);
    expect(String(failed)).not.toContain('sim-pagerduty');
    if (!String(failed).includes('line: ')) {
      expect(failed).toMatchObject({ code: operation.changes ? fault.changes : fault.reads });
    }
  });
});

describe('the connection test', () => {
  test('all is well, and nobody was called', async () => {
    expect((await instance.test(call)).map(({ what, ok }) => [what, ok])).toEqual([
      ['events', true],
      ['acknowledgements', true],
    ]);
    expect(await world.changes()).toEqual([]);
    expect(await incidents()).toEqual([]);
  });

  test('wrong credentials are told apart', async () => {
    const wrong = create({ routingKey: 'k'.repeat(32), apiToken: 'wrong' });
    expect(await wrong.test(call)).toEqual([
      { what: 'events', ok: false, detail: expect.stringContaining('Invalid routing key') as string },
      { what: 'acknowledgements', ok: false, detail: expect.stringContaining('401') as string },
    ]);
  });
});

test.each([
  [{ routingKey: 'short' }, 'routingKey'],
  [{ apiToken: undefined }, 'apiToken'],
  [{ webhookSecrets: ['short'] }, 'webhookSecrets'],
  [{ url: 'http://events.example.test' }, 'url'],
])('settings %j are refused', (wrong, field) => {
  expect(() => create(wrong)).toThrow(new RegExp(`"${field}"`));
});
