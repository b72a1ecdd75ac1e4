/**
 * The one HTTP client that all plugins share: an undici `Agent` with an interceptor for each thing that must hold for
 * every call (only configured hosts, the vendor's pace, credentials, a size cap), and one translation of whatever
 * happens into the four error classes.
 *
 * It sends each request once. Temporal owns retries, so there is none here, with one exception: a request that was
 * answered 401 was not carried out, and is sent again once after the OAuth token was renewed.
 * @module
 */
import { setMaxListeners } from 'node:events';
import { Agent, type Dispatcher } from 'undici';
import type { ZodType } from 'zod';
import {
  BadInput,
  OutcomeUnknown,
  VendorRefused,
  VendorUnavailable,
  errorCatalogue,
  type ErrorCode,
  type ErrorDetails,
} from './errors';
import type { Call, Operation } from './roles';

/** How a vendor wants to be convinced. `none`: the plugin puts its token in the body, and names it in `secrets`. */
export type Auth =
  | { kind: 'none' }
  | { kind: 'header'; name: string; value: string }
  | { kind: 'basic'; user: string; password: string }
  | { kind: 'bearer'; token: string }
  | { kind: 'client-credentials'; tokenUrl: string; clientId: string; clientSecret: string; scope?: string };

export interface VendorClientOptions {
  /** The plugin's name: the first word of every message. */
  vendor: string;
  /** Scheme, host and an optional path that every operation is under. */
  baseUrl: string;
  auth: Auth;
  /** `host[:port]` of other hosts that the credentials may be sent to. The one of `baseUrl` always may. */
  allowedHosts?: string[];
  /** Longest wait for the first byte of an answer, and between two parts of it. Default 30 000. */
  timeoutMs?: number;
  /** Larger answers are dropped. Default 32 MiB. */
  maxBodyBytes?: number;
  /** The vendor's pace: at most so many requests in any window of this length. */
  limit?: { requests: number; perMs: number };
  /** Further secrets that must never be shown, for instance a token that is sent in bodies. */
  secrets?: string[];
  /** Asked about every answer, so that a failure inside a 200 is one too. Undefined: judge by the HTTP status. */
  describeError?: (
    answer: VendorAnswer<unknown>,
  ) => { code?: ErrorCode; text?: string; details?: ErrorDetails } | undefined;
}

export interface RequestOptions<T> {
  call: Call;
  /** Values for the `{names}` in the operation's path. Encoded here. */
  params?: Record<string, string>;
  /** Undefined values are left out; a list is its name again for each value. */
  query?: Record<string, string | number | boolean | string[] | undefined>;
  json?: unknown;
  form?: Record<string, string>;
  headers?: Record<string, string>;
  /** A link that the vendor gave to its next page: used instead of path and query, on allowed hosts only. */
  url?: string;
  /** What the body of a 2xx must be. Without one the body is returned unread, as `unknown`. */
  schema?: ZodType<T>;
  /** What must never be shown of this request, for instance a PIN in its body. */
  secrets?: string[];
  /** Statuses beside 2xx that are an answer and no failure, for instance 404. Their body is not checked. */
  accept?: number[];
}

export interface VendorAnswer<T> {
  status: number;
  /** Names in lower case. */
  headers: Record<string, string | string[] | undefined>;
  /** Parsed JSON; text where it is none; undefined where there is none. Not checked when the status is in `accept`. */
  body: T;
}

export interface VendorClient {
  /**
   * Send one request.
   * @throws VendorUnavailable LDP_UNREACHABLE, LDP_SERVER_ERROR, LDP_RATE_LIMITED or LDP_UNEXPECTED_ANSWER
   * @throws VendorRefused for the other 4xx, a failure inside a 2xx, a redirect, or a host that is not allowed
   * @throws OutcomeUnknown when a request that changes something was sent and no usable answer came back
   * @throws whatever the reason of `call.signal` is, untouched
   */
  request<T = unknown>(operation: Operation, options: RequestOptions<T>): Promise<VendorAnswer<T>>;
  /**
   * How far the vendor's clock is ahead of ours, by the `Date` of its last answer (milliseconds; negative when it is behind). 0
   * before the first answer, and where the two agree.
   */
  clockAheadMs(): number;
}

/** Longest time to a connected socket (milliseconds). It belongs to the agent, so all vendors share it. */
const connectTimeoutMs = 10_000;
/** A pace that asks for a longer wait than this (milliseconds) is left to the workflow's own, durable timer. */
const longestPauseMs = 2_000;
/** No vendor is believed when it asks for a longer wait than this (milliseconds). */
const longestRetryAfterMs = 60 * 60_000;
/** Clocks that differ by less agree (milliseconds): `Date` has whole seconds, and an answer travels. */
const clocksAgreeMs = 60_000;
/** How much of a vendor's own words goes into a message (characters). */
const vendorTextLength = 300;

const agent = new Agent({ connect: { timeout: connectTimeoutMs } });

/** @throws TypeError when `baseUrl` is not an address: the settings are checked before. */
export function createVendorClient(options: VendorClientOptions): VendorClient {
  const { vendor, timeoutMs = 30_000, maxBodyBytes = 32 * 1024 * 1024 } = options;
  const base = new URL(options.baseUrl);
  const credentials = createCredentials(options.auth, vendor, timeoutMs);
  const secrets = () => [...credentials.secrets(), ...(options.secrets ?? [])];
  // The last interceptor is the first to see a request.
  const dispatcher = agent.compose([
    cappedAt(maxBodyBytes),
    authorised(credentials),
    ...(options.limit ? [paced(options.limit, vendor)] : []),
    onlyTo(base.protocol, [base.host, ...(options.allowedHosts ?? [])], vendor),
  ]);

  let clockAheadMs = 0;

  return {
    clockAheadMs: () => clockAheadMs,

    async request<T>(operation: Operation, asked: RequestOptions<T>): Promise<VendorAnswer<T>> {
      const { signal } = asked.call;
      const words = (text: string) => clean(text, [...secrets(), ...(asked.secrets ?? [])]);
      const request = buildRequest(base, operation, asked, timeoutMs);
      const startedAt = performance.now();
      let exchange = await send(dispatcher, request, signal);
      if (exchange.answer?.status === 401 && credentials.renew) {
        await unlessAborted(credentials.renew(startedAt), signal);
        exchange = await send(dispatcher, request, signal);
      }

      const details: ErrorDetails = { operation: `${vendor} ${operation.name}` };
      const { answer } = exchange;
      if (!answer) throw lossOf(exchange, operation.changes, details);

      const { status, headers } = answer;
      const aheadMs = Date.parse(header(headers, 'date') ?? '') - Date.now();
      if (!Number.isNaN(aheadMs)) clockAheadMs = Math.abs(aheadMs) < clocksAgreeMs ? 0 : aheadMs;
      details.status = status;
      const requestId = header(headers, 'x-request-id') ?? header(headers, 'request-id');
      if (requestId !== undefined) details.requestId = words(requestId);
      const { value, isJson } = parseBody(answer.body);
      if (asked.accept?.includes(status)) return { status, headers, body: value as T };

      const failure = options.describeError?.({ status, headers, body: value });
      if (failure || status < 200 || status > 299) {
        Object.assign(details, failure?.details);
        const text = words(failure?.text ?? vendorText(value));
        throw refusalOf(answer, { text, code: failure?.code, changes: operation.changes, base, details });
      }
      if (!asked.schema) return { status, headers, body: value as T };

      const checked = isJson ? asked.schema.safeParse(value) : undefined;
      if (checked?.success) return { status, headers, body: checked.data };
      const issue = checked?.error.issues[0];
      if (issue) details.field = fieldPath(issue.path);
      const wrong = issue
        ? `${details.field || 'the answer'}: ${words(issue.message.replace('Invalid input: ', ''))}`
        : 'the answer is not JSON';
      throw operation.changes
        ? new OutcomeUnknown('LDP_OUTCOME_UNKNOWN', `${details.operation}: ${wrong}`, details)
        : new VendorUnavailable('LDP_UNEXPECTED_ANSWER', `${details.operation}: ${wrong}`, details);
    },
  };
}

// --- one exchange ------------------------------------------------------------------------------------------------

type Interceptor = Dispatcher.DispatcherComposeInterceptor;
type Headers = Record<string, string | string[] | undefined>;

interface Answer {
  status: number;
  headers: Headers;
  body: Buffer;
}

/** What became of one request. `sent`: its first byte may have left this machine. */
type Exchange =
  { sent: boolean; answer: Answer; error?: undefined } | { sent: boolean; answer?: undefined; error: unknown };

function buildRequest<T>(
  base: URL,
  operation: Operation,
  asked: RequestOptions<T>,
  timeoutMs: number,
): Dispatcher.DispatchOptions {
  const path = operation.path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = asked.params?.[name] ?? '';
    // These would climb or vanish in the path, and reach another operation than the one that was meant; or cannot be written.
    if (['', '.', '..'].includes(value) || /\p{Cs}/u.test(value)) {
      throw new BadInput('LDP_BAD_INPUT', `${operation.name}: ${name} is empty, a path or half a character`, {
        field: name,
      });
    }
    return encodeURIComponent(value);
  });
  const url = asked.url ? new URL(asked.url, base) : new URL(base.origin + base.pathname.replace(/\/+$/, '') + path);
  for (const [key, value] of Object.entries(asked.query ?? {})) {
    if (Array.isArray(value)) for (const one of value) url.searchParams.append(key, one);
    else if (value !== undefined) url.searchParams.set(key, String(value));
  }
  const headers: Record<string, string> = { accept: 'application/json', ...asked.headers };
  let body: string | null = null;
  if (asked.json !== undefined) {
    headers['content-type'] ??= 'application/json';
    body = JSON.stringify(asked.json);
  } else if (asked.form) {
    headers['content-type'] = 'application/x-www-form-urlencoded';
    body = new URLSearchParams(asked.form).toString();
  }
  const { method } = operation;
  const timeouts = { headersTimeout: timeoutMs, bodyTimeout: timeoutMs };
  return { origin: url.origin, path: url.pathname + url.search, method, headers, body, ...timeouts };
}

/** Dispatch and collect. It rejects only with the reason of the signal. */
function send(dispatcher: Dispatcher, request: Dispatcher.DispatchOptions, signal: AbortSignal): Promise<Exchange> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason as Error);
    let sent = false;
    let controller: Dispatcher.DispatchController | undefined;
    let status = 0;
    let headers: Headers = {};
    const parts: Buffer[] = [];
    const onAbort = () => {
      reject(signal.reason as Error);
      controller?.abort(signal.reason as Error);
    };
    const settle = (exchange: Exchange) => {
      signal.removeEventListener('abort', onAbort);
      resolve(exchange);
    };
    // One signal serves many calls at once; more than ten listeners are no leak here.
    setMaxListeners(0, signal);
    signal.addEventListener('abort', onAbort, { once: true });
    const handler: Dispatcher.DispatchHandler = {
      // The socket stands and the request is about to be written: from here on it may arrive.
      onRequestStart(started) {
        if (signal.aborted) return started.abort(signal.reason as Error);
        controller = started;
        sent = true;
      },
      onResponseStart(_, code, received) {
        status = code;
        headers = received;
      },
      onResponseData(_, part) {
        parts.push(part);
      },
      onResponseEnd() {
        const [only = Buffer.alloc(0)] = parts;
        settle({ sent, answer: { status, headers, body: parts.length > 1 ? Buffer.concat(parts) : only } });
      },
      onResponseError(_, error) {
        settle({ sent, error });
      },
    };
    try {
      dispatcher.dispatch(request, handler);
    } catch (error) {
      settle({ sent, error });
    }
  });
}

function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

// --- interceptors ------------------------------------------------------------------------------------------------

/** Refuse every origin that the settings do not name, before anything is looked up or connected. */
function onlyTo(protocol: string, hosts: string[], vendor: string): Interceptor {
  return (dispatch) => (options, handler) => {
    const { protocol: asked, host } = new URL(String(options.origin));
    if (asked === protocol && hosts.includes(host)) return dispatch(options, handler);
    throw new VendorRefused('LDP_HOST_NOT_ALLOWED', `${vendor}: the settings do not name ${asked}//${host}`);
  };
}

/** Hold requests back so that no window sees more of them than the vendor allows, first come first served. */
function paced(limit: { requests: number; perMs: number }, vendor: string): Interceptor {
  const slots: number[] = [];
  return (dispatch) => (options, handler) => {
    const now = performance.now();
    const oldest = slots.length < limit.requests ? -Infinity : (slots[0] ?? -Infinity);
    const waitMs = Math.max(0, oldest + limit.perMs - now);
    if (waitMs > longestPauseMs) {
      const pace = `${limit.requests} requests in ${limit.perMs / 1000} s`;
      throw new VendorUnavailable('LDP_RATE_LIMITED', `${vendor}: the pace of ${pace} is used up`, {
        retryAfterMs: Math.ceil(waitMs),
      });
    }
    slots.push(now + waitMs);
    if (slots.length > limit.requests) slots.shift();
    if (waitMs === 0) return dispatch(options, handler);
    return after(new Promise((resolve) => setTimeout(resolve, waitMs)), () => dispatch(options, handler), handler);
  };
}

function authorised(credentials: Credentials): Interceptor {
  return (dispatch) => (options, handler) => {
    const dispatchWith = (added: Record<string, string>) =>
      dispatch({ ...options, headers: { ...(options.headers as Record<string, string>), ...added } }, handler);
    const known = credentials.headers();
    return known instanceof Promise ? after(known, dispatchWith, handler) : dispatchWith(known);
  };
}

function cappedAt(maxBytes: number): Interceptor {
  return (dispatch) => (options, handler) => {
    let bytes = 0;
    return dispatch(options, {
      onRequestStart: (controller, context) => handler.onRequestStart?.(controller, context),
      onResponseStart: (controller, status, headers) => handler.onResponseStart?.(controller, status, headers),
      onResponseData(controller, part) {
        bytes += part.length;
        if (bytes > maxBytes) controller.abort(new BodyTooLarge(maxBytes));
        else handler.onResponseData?.(controller, part);
      },
      onResponseEnd: (controller, trailers) => handler.onResponseEnd?.(controller, trailers),
      onResponseError: (controller, error) => handler.onResponseError?.(controller, error),
    });
  };
}

class BodyTooLarge extends Error {
  constructor(maxBytes: number) {
    super(`the answer is larger than ${maxBytes} bytes`);
  }
}

/** Dispatch when the promise is done; its failure is the failure of the request. */
function after<T>(wait: Promise<T>, dispatch: (value: T) => boolean, handler: Dispatcher.DispatchHandler): boolean {
  // undici's own dns interceptor reports in the same way that it never got as far as a controller.
  const nothingStarted = null as unknown as Dispatcher.DispatchController;
  wait.then(dispatch).catch((error: Error) => handler.onResponseError?.(nothingStarted, error));
  return true;
}

// --- credentials -------------------------------------------------------------------------------------------------

interface Credentials {
  headers(): Record<string, string> | Promise<Record<string, string>>;
  /** Everything that must not be shown. */
  secrets(): string[];
  /** Make sure of a token that is newer than this moment of `performance.now()`. Absent where nothing can be renewed. */
  renew?(newerThan: number): Promise<void>;
}

function createCredentials(auth: Auth, vendor: string, timeoutMs: number): Credentials {
  switch (auth.kind) {
    case 'none':
      return { headers: () => ({}), secrets: () => [] };
    case 'header':
      return { headers: () => ({ [auth.name.toLowerCase()]: auth.value }), secrets: () => [auth.value] };
    case 'bearer':
      return { headers: () => ({ authorization: `Bearer ${auth.token}` }), secrets: () => [auth.token] };
    case 'basic': {
      const encoded = Buffer.from(`${auth.user}:${auth.password}`).toString('base64');
      return { headers: () => ({ authorization: `Basic ${encoded}` }), secrets: () => [auth.password, encoded] };
    }
    case 'client-credentials':
      return clientCredentials(auth, vendor, timeoutMs);
  }
}

/** OAuth 2.0 client credentials (RFC 6749 section 4.4): one request for all who wait, renewed before it runs out. */
function clientCredentials(
  auth: Extract<Auth, { kind: 'client-credentials' }>,
  vendor: string,
  timeoutMs: number,
): Credentials {
  const tokenUrl = new URL(auth.tokenUrl);
  const issuer = createVendorClient({
    vendor,
    baseUrl: tokenUrl.origin,
    auth: { kind: 'none' },
    timeoutMs,
    secrets: [auth.clientSecret],
  });
  const operation: Operation = {
    name: 'token',
    method: 'POST',
    path: tokenUrl.pathname,
    changes: false,
    permission: '',
  };
  let token: { value: string; since: number; renewAt: number; until: number } | undefined;
  let renewal: Promise<string> | undefined;

  async function fetchToken(): Promise<string> {
    const since = performance.now();
    const { clientId: client_id, clientSecret: client_secret, scope } = auth;
    const { status, body } = await issuer.request(operation, {
      // Shared by all who wait, so nobody's cancellation ends it.
      call: { signal: new AbortController().signal, now: '' },
      form: { grant_type: 'client_credentials', client_id, client_secret, ...(scope !== undefined && { scope }) },
      // RFC 6749 knows the first two; CrowdStrike says 403.
      accept: [400, 401, 403],
    });
    const granted = body as { access_token?: unknown; expires_in?: unknown; error?: unknown } | undefined;
    // 200, or 201 from CrowdStrike.
    if (status > 299 || typeof granted?.access_token !== 'string') {
      const why = clean(vendorText(body), [auth.clientSecret]);
      throw new VendorRefused('LDP_NOT_AUTHENTICATED', `${vendor} token: no token was granted: ${why}`, { status });
    }
    const lifetimeMs = (Number(granted.expires_in) || 300) * 1000;
    token = {
      value: granted.access_token,
      since,
      renewAt: since + lifetimeMs - Math.min(5 * 60_000, lifetimeMs / 5),
      until: since + lifetimeMs - Math.min(10_000, lifetimeMs / 10),
    };
    return token.value;
  }
  const renewed = () => (renewal ??= fetchToken().finally(() => (renewal = undefined)));
  const asHeaders = (value: string) => ({ authorization: `Bearer ${value}` });

  return {
    headers() {
      const now = performance.now();
      if (!token || now >= token.until) return renewed().then(asHeaders);
      // Still good for a while: nobody waits for the new one, and its failure matters only when this one has run out.
      if (now >= token.renewAt) renewed().catch(() => undefined);
      return asHeaders(token.value);
    },
    secrets: () => [auth.clientSecret, ...(token ? [token.value] : [])],
    async renew(newerThan) {
      if (!token || token.since <= newerThan) await renewed();
    },
  };
}

// --- translation into errors -------------------------------------------------------------------------------------

/** No answer came, or only a part of one. */
function lossOf(exchange: { sent: boolean; error?: unknown }, changes: boolean, details: ErrorDetails): Error {
  const { error, sent } = exchange;
  if (error instanceof VendorUnavailable || error instanceof VendorRefused) return error;
  const tooLarge = error instanceof BodyTooLarge;
  // Only the code: undici's errors can carry what was received.
  const code = (error as { code?: unknown } | undefined)?.code;
  const what = tooLarge ? error.message : (lossInWords[String(code)] ?? 'the connection failed');
  const message = `${details.operation}: ${what}${typeof code === 'string' ? ` (${code})` : ''}`;
  if (changes && sent) return new OutcomeUnknown('LDP_OUTCOME_UNKNOWN', message, details);
  return new VendorUnavailable(tooLarge ? 'LDP_UNEXPECTED_ANSWER' : 'LDP_UNREACHABLE', message, details);
}

const lossInWords: Record<string, string> = {
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was reset',
  EAI_AGAIN: 'the host name could not be looked up',
  ENOTFOUND: 'the host name is not known',
  UND_ERR_CONNECT_TIMEOUT: 'no connection in time',
  UND_ERR_HEADERS_TIMEOUT: 'no answer in time',
  UND_ERR_BODY_TIMEOUT: 'the answer stopped half way',
  UND_ERR_SOCKET: 'the connection was closed before the answer was complete',
};

interface Refusal {
  /** The vendor's words, cleaned. */
  text: string;
  code: ErrorCode | undefined;
  changes: boolean;
  base: URL;
  details: ErrorDetails;
}

/** An answer came, and it is not the one that was asked for. */
function refusalOf(answer: Answer, { text, code, changes, base, details }: Refusal): Error {
  const { status, headers } = answer;
  const saying = text ? `: ${text}` : '';
  if (status >= 300 && status < 400) {
    const location = header(headers, 'location') ?? '';
    const host = URL.canParse(location, base.href) ? new URL(location, base).host : 'nowhere';
    const message = `${details.operation}: answered with a redirect to ${host}, which is not followed`;
    return new VendorRefused('LDP_HOST_NOT_ALLOWED', message, details);
  }
  const message = `${details.operation}: answered ${status}${saying}`;
  if (status === 429) {
    return new VendorUnavailable('LDP_RATE_LIMITED', message, { ...details, ...readRetryAfter(headers) });
  }
  // 408: the vendor gave up waiting for the request, and does not say how much of it had arrived.
  if (status >= 500 || status === 408) {
    const unavailable = { ...details, ...readRetryAfter(headers) };
    if (changes) return new OutcomeUnknown('LDP_OUTCOME_UNKNOWN', message, unavailable);
    return new VendorUnavailable('LDP_SERVER_ERROR', message, unavailable);
  }
  const found = code ?? codeOf(status, text);
  // A fault of the vendor's own inside a 2xx leaves as much open as a 5xx.
  if (found === 'LDP_SERVER_ERROR' && changes) return new OutcomeUnknown('LDP_OUTCOME_UNKNOWN', message, details);
  return errorCatalogue[found].class === 'VendorUnavailable'
    ? new VendorUnavailable(found, message, details)
    : new VendorRefused(found, message, details);
}

function codeOf(status: number, text: string): ErrorCode {
  if (status === 401) return 'LDP_NOT_AUTHENTICATED';
  if (status === 403) return 'LDP_NOT_PERMITTED';
  // The words of the Kong gateway in front of Netskope's v2 API (facts: CLI core/client.py).
  if (status === 404) return /no route matched/i.test(text) ? 'LDP_NOT_OFFERED' : 'LDP_NOT_FOUND';
  if (status === 405) return 'LDP_NOT_OFFERED';
  if (status === 409 || status === 412) return 'LDP_CONFLICT';
  return 'LDP_REFUSED';
}

/**
 * How long the vendor asks us to wait. Known forms: `Retry-After` in seconds or as a date, `RateLimit-Reset` in
 * seconds (Netskope), `X-RateLimit-Reset` as an epoch (ServiceNow) or ISO 8601 (Jira), `X-Rate-Limit-Reset` (Okta),
 * `X-RateLimit-RetryAfter` as an epoch in spite of its name (CrowdStrike).
 * Moments are compared with the vendor's own clock, where it tells it.
 */
function readRetryAfter(headers: Headers): { retryAfterMs?: number } {
  const names = ['retry-after', 'ratelimit-reset', 'x-ratelimit-reset', 'x-rate-limit-reset', 'x-ratelimit-retryafter'];
  const text = names.map((name) => header(headers, name)).find((value) => value !== undefined && value.trim() !== '');
  if (text === undefined) return {};
  const vendorNow = Date.parse(header(headers, 'date') ?? '') || Date.now();
  const number = Number(text);
  let waitMs = number * 1000;
  if (Number.isNaN(number)) waitMs = Date.parse(text) - vendorNow;
  else if (number > 1e12) waitMs = number - vendorNow;
  else if (number > 1e9) waitMs = number * 1000 - vendorNow;
  return Number.isFinite(waitMs) ? { retryAfterMs: Math.min(Math.max(0, Math.ceil(waitMs)), longestRetryAfterMs) } : {};
}

function header(headers: Headers, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}

function parseBody(body: Buffer): { value: unknown; isJson: boolean } {
  if (body.length === 0) return { value: undefined, isJson: true };
  const text = body.toString('utf8');
  try {
    return { value: JSON.parse(text) as unknown, isJson: true };
  } catch {
    return { value: text, isJson: false };
  }
}

/** `result[0].host_info.os` */
function fieldPath(path: PropertyKey[]): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`;
    return text ? `${text}.${String(key)}` : String(key);
  }, '');
}

/** The vendor's explanation, wherever it put it: the places that Netskope, Graph, ServiceNow and OAuth use. */
function vendorText(body: unknown, depth = 3): string {
  if (typeof body === 'string') return body;
  if (typeof body !== 'object' || body === null || depth === 0) return '';
  const fields = body as Record<string, unknown>;
  for (const name of ['error_description', 'message', 'detail', 'error_message', 'errorMsg', 'msg', 'result']) {
    if (typeof fields[name] === 'string' && fields[name] !== '') return fields[name];
  }
  for (const name of ['error', 'errors', 'status', 'data', '0']) {
    const value = fields[name];
    const text = typeof value === 'string' && name !== 'status' ? value : vendorText(value, depth - 1);
    if (text) return text;
  }
  return '';
}

/** Make a vendor's text fit to be shown: known secrets and anything like a token replaced, one line, cut. */
function clean(text: string, secrets: string[]): string {
  let shown = text.slice(0, 20 * vendorTextLength);
  for (const secret of secrets) {
    for (const form of [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)]) {
      if (form.length > 3) shown = shown.replaceAll(form, '[secret]');
    }
  }
  shown = shown
    .replace(/\b(Bearer|Basic)\s+[\w.~+/=-]{8,}/gi, '$1 [secret]')
    .replace(
      /\b((?:access_|refresh_|id_)?token|client_secret|password|secret)(["']?\s*[=:]\s*["']?)[^\s"'&,;]+/gi,
      '$1$2[secret]',
    )
    // eslint-disable-next-line no-control-regex
    .replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g, ' ')
    .trim();
  return shown.length > vendorTextLength ? `${shown.slice(0, vendorTextLength - 1)}…` : shown;
}
