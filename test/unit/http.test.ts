/**
 * The vendor client against a real server on loopback: what each thing that can happen to a request is called, and
 * that nothing secret comes out of it.
 * @module
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import { OutcomeUnknown, VendorRefused, VendorUnavailable, type PlaybookError } from '../../plugins/errors';
import { inVendorTime } from '../../plugins/feed-reading';
import { createVendorClient, type VendorClientOptions } from '../../plugins/http';
import type { Call, Operation } from '../../plugins/roles';

const read: Operation = { name: 'thing.get', method: 'GET', path: '/things/{id}', changes: false, permission: 'read' };
const change: Operation = {
  name: 'thing.add',
  method: 'POST',
  path: '/things/{id}',
  changes: true,
  permission: 'write',
};

type Reply = (response: ServerResponse, request: IncomingMessage, body: string) => void;
let reply: Reply;
let seen: { method: string; url: string; headers: IncomingMessage['headers']; body: string; socket: unknown }[];
let server: Server;
let url: string;

beforeAll(async () => {
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (part: Buffer) => (body += part.toString()));
    request.on('end', () => {
      const { method = '', url: path = '', headers, socket } = request;
      seen.push({ method, url: path, headers, body, socket });
      reply(response, request, body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
beforeEach(() => {
  seen = [];
  reply = answer(200, { ok: true });
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

function answer(status: number, body?: unknown, headers: Record<string, string> = {}): Reply {
  return (response) =>
    response
      .writeHead(status, { 'content-type': 'application/json', ...headers })
      .end(typeof body === 'string' ? body : body === undefined ? '' : JSON.stringify(body));
}
const reset: Reply = (response) => response.socket?.destroy();
const hang: Reply = () => undefined;
const truncate: Reply = (response) => {
  response.writeHead(200, { 'content-length': '100' }).write('{"ok":');
  setTimeout(() => response.socket?.destroy(), 5);
};

const call = (signal = new AbortController().signal): Call => ({ signal, now: '2026-01-01T00:00:00Z' });
const client = (options: Partial<VendorClientOptions> = {}) =>
  createVendorClient({ vendor: 'acme', baseUrl: url, auth: { kind: 'none' }, ...options });
const schema = z.object({ ok: z.boolean() });

async function failureOf(work: Promise<unknown>): Promise<PlaybookError> {
  return work.then(
    () => {
      throw new Error('it succeeded');
    },
    (error: unknown) => error as PlaybookError,
  );
}

test('a request carries path, query, body and credentials, and connections are used again', async () => {
  const acme = client({ auth: { kind: 'basic', user: 'u', password: 'pässword' } });
  const { body } = await acme.request(change, {
    call: call(),
    params: { id: 'a/b c' },
    query: { q: "x eq 'y'", none: undefined, n: 2 },
    json: { a: 1 },
    schema,
  });
  await acme.request(change, { call: call(), params: { id: '1' }, form: { a: 'b c' } });
  expect(body).toEqual({ ok: true });
  expect(seen[0]).toMatchObject({ method: 'POST', url: '/things/a%2Fb%20c?q=x+eq+%27y%27&n=2', body: '{"a":1}' });
  expect(seen[0]?.headers).toMatchObject({
    authorization: `Basic ${Buffer.from('u:pässword').toString('base64')}`,
    'content-type': 'application/json',
  });
  expect(seen[1]?.body).toBe('a=b+c');
  for (const id of ['2', '3', '4']) await acme.request(read, { call: call(), params: { id } });
  // undici frees a connection one turn after its answer, so calls in a row share two.
  expect(new Set(seen.map((request) => request.socket)).size).toBeLessThanOrEqual(2);
});

test('calls go in parallel', async () => {
  const waiting: ServerResponse[] = [];
  // Nobody is answered before all four have asked.
  reply = (response, request, body) => {
    if (waiting.push(response) === 4) for (const each of waiting) answer(200, { ok: true })(each, request, body);
  };
  const acme = client();
  await Promise.all(['1', '2', '3', '4'].map((id) => acme.request(read, { call: call(), params: { id } })));
  expect(seen).toHaveLength(4);
});

test.each(['', '.', '..'])('a path value of %j is refused before anything is sent', async (id) => {
  expect(await failureOf(client().request(read, { call: call(), params: { id } }))).toMatchObject({
    code: 'LDP_BAD_INPUT',
    details: { field: 'id' },
  });
  expect(seen).toHaveLength(0);
});

describe('what a failure is called', () => {
  const unavailable = (code: string) => [VendorUnavailable, code] as const;
  const refused = (code: string) => [VendorRefused, code] as const;
  const unknown = [OutcomeUnknown, 'LDP_OUTCOME_UNKNOWN'] as const;
  test.each([
    ['500', answer(500, { message: 'oops' }), unavailable('LDP_SERVER_ERROR'), unknown],
    ['503', answer(503, '<html>away</html>'), unavailable('LDP_SERVER_ERROR'), unknown],
    ['408', answer(408), unavailable('LDP_SERVER_ERROR'), unknown],
    ['429', answer(429), unavailable('LDP_RATE_LIMITED'), unavailable('LDP_RATE_LIMITED')],
    ['400', answer(400), refused('LDP_REFUSED'), refused('LDP_REFUSED')],
    ['401', answer(401), refused('LDP_NOT_AUTHENTICATED'), refused('LDP_NOT_AUTHENTICATED')],
    ['403', answer(403), refused('LDP_NOT_PERMITTED'), refused('LDP_NOT_PERMITTED')],
    ['404', answer(404, { detail: 'no such group' }), refused('LDP_NOT_FOUND'), refused('LDP_NOT_FOUND')],
    [
      '404 of the gateway',
      answer(404, { message: 'no Route matched with those values' }),
      refused('LDP_NOT_OFFERED'),
      refused('LDP_NOT_OFFERED'),
    ],
    ['409', answer(409), refused('LDP_CONFLICT'), refused('LDP_CONFLICT')],
    ['412', answer(412), refused('LDP_CONFLICT'), refused('LDP_CONFLICT')],
    ['a reset', reset, unavailable('LDP_UNREACHABLE'), unknown],
    ['silence', hang, unavailable('LDP_UNREACHABLE'), unknown],
    ['half a body', truncate, unavailable('LDP_UNREACHABLE'), unknown],
    ['no JSON', answer(200, '<html>portal</html>'), unavailable('LDP_UNEXPECTED_ANSWER'), unknown],
    ['a wrong form', answer(200, { ok: 'yes' }), unavailable('LDP_UNEXPECTED_ANSWER'), unknown],
    ['nothing', answer(200), unavailable('LDP_UNEXPECTED_ANSWER'), unknown],
    ['too much', answer(200, { ok: true, more: 'x'.repeat(3000) }), unavailable('LDP_UNEXPECTED_ANSWER'), unknown],
    [
      'a redirect elsewhere',
      answer(302, undefined, { location: 'https://evil.example/things?token=abc' }),
      refused('LDP_HOST_NOT_ALLOWED'),
      refused('LDP_HOST_NOT_ALLOWED'),
    ],
  ])('%s', async (_, given, [readClass, readCode], [changeClass, changeCode]) => {
    reply = given;
    const acme = client({ maxBodyBytes: 2000, ...(given === hang && { timeoutMs: 150 }) });
    for (const [operation, kind, code] of [
      [read, readClass, readCode],
      [change, changeClass, changeCode],
    ] as const) {
      seen = [];
      const failure = await failureOf(acme.request(operation, { call: call(), params: { id: '1' }, schema }));
      expect(failure).toBeInstanceOf(kind);
      expect(failure.code).toBe(code);
      expect(failure.details.operation).toBe(`acme ${operation.name}`);
      expect(failure.message).toContain(`acme ${operation.name}: `);
      // Sent once: nobody but Temporal retries.
      expect(seen).toHaveLength(1);
    }
  });

  test('a change that was never sent is not unknown', async () => {
    const gone = createServer();
    await new Promise<void>((resolve) => gone.listen(0, '127.0.0.1', resolve));
    const { port } = gone.address() as AddressInfo;
    await new Promise((resolve) => gone.close(resolve));
    const acme = client({ baseUrl: `http://127.0.0.1:${port}` });
    const failure = await failureOf(acme.request(change, { call: call(), params: { id: '1' } }));
    expect(failure).toBeInstanceOf(VendorUnavailable);
    expect(failure).toMatchObject({
      code: 'LDP_UNREACHABLE',
      message: expect.stringContaining('ECONNREFUSED') as string,
    });
  });

  test('call and field of a wrong answer are named, with the id for the vendor’s support', async () => {
    reply = answer(200, { result: [{ host_info: { os: ['?'] } }] }, { 'x-request-id': 'req-1' });
    const schema = z.object({ result: z.array(z.object({ host_info: z.object({ os: z.string() }) })) });
    const failure = await failureOf(client().request(read, { call: call(), params: { id: '1' }, schema }));
    expect(failure.message).toBe('acme thing.get: result[0].host_info.os: expected string, received array');
    expect(failure.details).toMatchObject({ field: 'result[0].host_info.os', requestId: 'req-1', status: 200 });
  });

  test('a failure inside a 200 is found by the plugin; an accepted status is an answer', async () => {
    const acme = client({
      describeError: ({ body }) =>
        (body as { status?: string } | undefined)?.status === 'error' ? { code: 'LDP_NOT_FOUND' } : undefined,
    });
    reply = answer(200, { status: 'error', message: 'policy does not exist' });
    expect(await failureOf(acme.request(change, { call: call(), params: { id: '1' } }))).toMatchObject({
      code: 'LDP_NOT_FOUND',
      message: 'acme thing.add: answered 200: policy does not exist',
    });
    reply = answer(404, { message: 'none' });
    await expect(
      acme.request(read, { call: call(), params: { id: '1' }, accept: [404], schema }),
    ).resolves.toMatchObject({
      status: 404,
    });
  });
});

describe('how long the vendor asks us to wait', () => {
  const date = 'Thu, 01 Jan 2026 00:00:00 GMT';
  const epoch = Date.parse(date) / 1000;
  test.each([
    ['seconds', { 'retry-after': '7' }, 7_000],
    ['a date', { 'retry-after': 'Thu, 01 Jan 2026 00:00:30 GMT' }, 30_000],
    ['Netskope', { 'ratelimit-reset': '3' }, 3_000],
    ['ServiceNow', { 'x-ratelimit-reset': String(epoch + 90) }, 90_000],
    ['Jira', { 'x-ratelimit-reset': '2026-01-01T00:00:05Z' }, 5_000],
    ['Okta', { 'x-rate-limit-reset': String(epoch + 2) }, 2_000],
    ['CrowdStrike', { 'x-ratelimit-retryafter': String(epoch + 4) }, 4_000],
    ['a moment that has passed', { 'x-ratelimit-reset': String(epoch - 90) }, 0],
    ['much too long', { 'retry-after': '999999999' }, 3_600_000],
    ['nonsense', { 'retry-after': 'soon' }, undefined],
  ])('%s', async (_, headers, retryAfterMs) => {
    reply = answer(429, undefined, { ...(headers as Record<string, string>), date });
    const failure = await failureOf(client().request(change, { call: call(), params: { id: '1' } }));
    expect(failure.details.retryAfterMs).toBe(retryAfterMs);
  });
});

test('cancellation comes out as the very reason it was given, also while an answer is awaited', async () => {
  const reason = new Error('the case was closed');
  const controller = new AbortController();
  reply = () => controller.abort(reason);
  const work = client().request(change, { call: call(controller.signal), params: { id: '1' } });
  expect(await failureOf(work)).toBe(reason);
  expect(await failureOf(client().request(change, { call: call(controller.signal), params: { id: '1' } }))).toBe(
    reason,
  );
  expect(seen).toHaveLength(1);
});

test('only hosts of the settings are called, over the same protocol', async () => {
  const acme = client();
  for (const other of ['http://127.0.0.1:1/next', url.replace('http:', 'https:'), 'http://metadata.example/']) {
    expect(await failureOf(acme.request(read, { call: call(), params: { id: '1' }, url: other }))).toMatchObject({
      code: 'LDP_HOST_NOT_ALLOWED',
    });
  }
  expect(seen).toHaveLength(0);
  await acme.request(read, { call: call(), params: { id: '1' }, url: `${url}/next?page=2` });
  expect(seen[0]?.url).toBe('/next?page=2');
});

test('secrets, control characters and long texts of the vendor do not come out', async () => {
  const acme = client({
    auth: { kind: 'header', name: 'Acme-Token', value: 'top+secret/value' },
    secrets: ['body-token'],
  });
  const leak = `bad top+secret/value ${encodeURIComponent('top+secret/value')} body-token Bearer abcdefghij token=xyz\u001b[31m\n`;
  reply = answer(403, { message: leak + 'x'.repeat(5000) }, { 'x-request-id': 'r-body-token' });
  const failure = await failureOf(acme.request(read, { call: call(), params: { id: '1' } }));
  const shown = JSON.stringify([failure.message, failure.details, failure.stack, failure.cause]);
  for (const secret of ['top+secret', 'top%2Bsecret', 'body-token', 'abcdefghij', 'xyz', '\\u001b']) {
    expect(shown).not.toContain(secret);
  }
  expect(failure.message).toContain('bad [secret] [secret] [secret]');
  expect(failure.message.length).toBeLessThan(400);
});

test('a pace holds requests back, and leaves a long wait to the caller', async () => {
  const acme = client({ limit: { requests: 2, perMs: 120 } });
  const startedAt = performance.now();
  await Promise.all(['1', '2', '3'].map((id) => acme.request(read, { call: call(), params: { id } })));
  expect(performance.now() - startedAt).toBeGreaterThan(115);

  const slow = client({ limit: { requests: 1, perMs: 120_000 } });
  await slow.request(read, { call: call(), params: { id: '1' } });
  const failure = await failureOf(slow.request(read, { call: call(), params: { id: '2' } }));
  expect(failure.code).toBe('LDP_RATE_LIMITED');
  expect(failure.details.retryAfterMs).toBeGreaterThan(60_000);
  expect(seen).toHaveLength(4);
});

describe('client credentials', () => {
  let tokens: number;
  let lifetime: number;
  const valid = () => `granted-token-${tokens}`;
  const acme = () =>
    client({
      auth: {
        kind: 'client-credentials',
        tokenUrl: `${url}/oauth/token`,
        clientId: 'id',
        clientSecret: 'client-secret-1',
        scope: 'all',
      },
    });
  beforeEach(() => {
    tokens = 0;
    lifetime = 3600;
    reply = (response, request, body) => {
      if (request.url !== '/oauth/token') {
        const known = request.headers.authorization === `Bearer ${valid()}`;
        return answer(known ? 200 : 401, known ? { ok: true } : { message: 'expired' })(response, request, body);
      }
      tokens += 1;
      setTimeout(
        () =>
          answer(200, { access_token: valid(), expires_in: lifetime, token_type: 'Bearer' })(response, request, body),
        20,
      );
    };
  });

  test('one token request serves all who wait', async () => {
    const vendor = acme();
    await Promise.all(['1', '2', '3'].map((id) => vendor.request(read, { call: call(), params: { id } })));
    await vendor.request(change, { call: call(), params: { id: '4' } });
    expect(tokens).toBe(1);
    expect(seen.find((request) => request.url === '/oauth/token')?.body).toBe(
      'grant_type=client_credentials&client_id=id&client_secret=client-secret-1&scope=all',
    );
  });

  test('a token that was taken back is renewed once, for all who were refused, and then the request is sent again', async () => {
    const vendor = acme();
    await vendor.request(read, { call: call(), params: { id: '1' } });
    tokens = 7;
    await Promise.all([
      vendor.request(read, { call: call(), params: { id: '2' } }),
      vendor.request(change, { call: call(), params: { id: '3' } }),
    ]);
    expect(tokens).toBe(8);
  });

  test('a 401 that a new token does not mend is refused after one resend', async () => {
    const vendor = acme();
    const grant = reply;
    reply = (response, request, body) =>
      request.url === '/oauth/token' ? grant(response, request, body) : answer(401)(response, request, body);
    expect(await failureOf(vendor.request(change, { call: call(), params: { id: '1' } }))).toMatchObject({
      code: 'LDP_NOT_AUTHENTICATED',
    });
    expect(seen.filter((request) => request.url !== '/oauth/token')).toHaveLength(2);
  });

  test('a token near its end is renewed while it still serves', async () => {
    lifetime = 0.05;
    const vendor = acme();
    await vendor.request(read, { call: call(), params: { id: '1' } });
    await new Promise((resolve) => setTimeout(resolve, 60));
    await vendor.request(read, { call: call(), params: { id: '2' } });
    expect(tokens).toBe(2);
  });

  test('a refused client is told without its secret; nothing was sent to the vendor', async () => {
    reply = answer(401, { error: 'invalid_client', error_description: 'Invalid client secret client-secret-1.' });
    const failure = await failureOf(acme().request(change, { call: call(), params: { id: '1' } }));
    expect(failure).toBeInstanceOf(VendorRefused);
    expect(failure.code).toBe('LDP_NOT_AUTHENTICATED');
    expect(failure.message).toBe('acme token: no token was granted: Invalid client secret [secret].');
    reply = reset;
    expect(await failureOf(acme().request(change, { call: call(), params: { id: '1' } }))).toMatchObject({
      code: 'LDP_UNREACHABLE',
    });
  });
});

describe("the vendor's clock", () => {
  const dated = (aheadMs: number) => answer(200, { ok: true }, { date: new Date(Date.now() + aheadMs).toUTCString() });
  const hourMs = 60 * 60_000;
  const nearly = (aheadMs: number, wantedMs: number) => Math.abs(aheadMs - wantedMs) < 30_000;

  test('is known by its answers, also by a failed one; a difference of seconds is none', async () => {
    const vendor = client();
    expect(vendor.clockAheadMs()).toBe(0);
    reply = dated(-2 * hourMs);
    await vendor.request(read, { call: call(), params: { id: '1' } });
    expect(nearly(vendor.clockAheadMs(), -2 * hourMs)).toBe(true);
    reply = answer(500, {}, { date: new Date(Date.now() + hourMs).toUTCString() });
    await failureOf(vendor.request(read, { call: call(), params: { id: '1' } }));
    expect(nearly(vendor.clockAheadMs(), hourMs)).toBe(true);
    reply = dated(20_000);
    await vendor.request(read, { call: call(), params: { id: '1' } });
    expect(vendor.clockAheadMs()).toBe(0);
  });

  test('decides where a feed begins: the reading that finds a difference out is made again, and only that one', async () => {
    const vendor = client();
    const nows: string[] = [];
    const feed = inVendorTime(vendor, {
      name: 'test',
      pollEveryMs: 1_000,
      lateDataMs: 0,
      regular: true,
      sees: () => true,
      async read(_watermark, _watched, asked) {
        nows.push(asked.now);
        await vendor.request(read, { call: asked, params: { id: '1' } });
        return { records: [], watermark: '', putAside: 0 };
      },
    });
    reply = dated(-2 * hourMs);
    await feed.read(undefined, [], call());
    await feed.read(undefined, [], call());
    const behindMs = nows.map((now) => Date.parse(call().now) - Date.parse(now));
    expect(behindMs.map((ms) => (ms === 0 ? 0 : nearly(ms, 2 * hourMs)))).toEqual([0, true, true]);
  });
});
