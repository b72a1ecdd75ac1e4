/** The analysts' API over real HTTP, and the schemas that it publishes against real values. */
import { request } from 'undici';
import type { z } from 'zod';
import { RefusedByRule, type CaseSummary, type Taken } from '../../client/cases';
import type { QueueName } from '../../client/workers';
import type { FeedRow } from '../../client/feeds';
import type { GuardRow } from '../../client/guard';
import { createApiServer } from '../../http/api';
import { publishedSchemas } from '../../http/schemas';
import { openCase, takeSighting, type CaseState } from '../../playbook/case';
import type { Digest } from '../../playbook/digest';
import { keepClocks } from '../../playbook/ladder';
import { nothingKnown, type Report } from '../../playbook/report';
import { defaultRules } from '../../playbook/rules';
import {
  caseListSchema,
  digestSchema,
  feedListSchema,
  guardListSchema,
  type connectionTestsSchema,
  type decidedSchema,
  type taskListSchema,
  type takenSchema,
} from '../../playbook/schemas/answers';
import { caseStateSchema } from '../../playbook/schemas/case-state';
import { triageStateSchema } from '../../playbook/schemas/triage-state';
import { beginTasks, closeTask, startClock, type Task } from '../../playbook/tasks';
import { troublesOf } from '../../playbook/troubles';
import type { ConnectionTest } from '../../plugins/roles';
import type { Decided, TriageState } from '../../workflows/messages';

const at = '2026-11-22T22:14:00.000Z';
const report: Report = {
  tenant: 'acme',
  ticket: { source: 'generic', id: 'INC1', key: 'hash' },
  deliveryId: 'msg_1',
  receivedAt: at,
  verified: true,
  device: { serial: 'SN1' },
  user: 'pat@example.test',
  answers: { ...nothingKnown, kind: 'stolen', lastHeldAt: at, data: 'payroll' },
  actor: { person: 'webhook:generic', authenticated: true, how: 'webhook-signature', from: '127.0.0.1' },
};

/** A case in the middle of everything. */
function busyCase(): CaseState {
  const state = openCase(report, defaultRules, { workflowId: 'lost-device:acme:SN1', runId: 'run', now: at });
  state.device = {
    source: 'netskope',
    serial: 'SN1',
    hostname: 'LAPTOP-1',
    nsdeviceuid: 'UID1',
    user: 'pat@example.test',
    macAddresses: ['00:00:5e:00:53:01'],
    lastSeenAt: at,
    client: 'enabled',
  };
  takeSighting(state, {
    id: 's1',
    at,
    source: 'netskope',
    feed: 'client-status',
    evidence: 'client',
    match: 'device',
    device: { serial: 'SN1' },
    what: 'Tunnel Up',
    publicAddress: '203.0.113.77',
    place: { city: 'Exampleville', country: 'NL', latitude: 52.1 },
    client: 'enabled',
    policy: { name: 'Block', action: 'block' },
  });
  state.containment.measures['lost-group'] = {
    state: 'in place',
    at,
    evidence: 'read back',
    before: { present: false },
  };
  state.configuration.rungs.member = { at, evidence: 'read back' };
  state.presence.blindFeeds['netskope/alerts'] = at;
  state.steps['move the user'] = {
    state: 'failing',
    since: at,
    attempts: 2,
    error: { code: 'LDP_UNREACHABLE', message: 'away' },
    nextTryAt: at,
  };
  state.questions.push({
    id: 'guard',
    askedAt: at,
    text: 'Contain?',
    options: [{ value: 'yes', text: 'Yes' }],
    freeText: 'serial',
  });
  state.decided.guard = { value: 'yes', who: 'ana', at };
  state.journal.tail.push({ n: 1, at, track: 'case', who: 'playbook', text: 'Opened.', evidence: 'INC1' });
  state.notes.sending = { last: 1, told: ['generic INC1'] };
  state.presence.heard = { client: at, other: { at, source: 'entra' } };
  state.encryption = { answer: 'yes', at, who: 'ana', evidence: 'the recovery key is in the directory' };
  beginTasks(state, 'opened', at);
  startClock(state, 'nis2', at, 'ana');
  const warning = state.tasks.find(({ id }) => id === 'nis2-warning') as Task;
  closeTask(state, warning, 'not needed', { at, who: 'ana', reason: 'the disk was encrypted', reference: 'L-7' });
  keepClocks(state.escalation, state.rules.escalation.ladder, troublesOf(state, at), at);
  for (const progress of Object.values(state.escalation.rungs)) {
    Object.assign(progress, { called: 2, firstAt: at, lastAt: at, deputiesAt: at, calling: 'deputies', heldUntil: at });
    progress.acknowledged = { who: 'ana', at };
    progress.snoozed = { until: at, who: 'ana', reason: 'later' };
    Object.assign(progress, { proposed: true, over: 'seen' });
  }
  state.listening = { since: at, until: at };
  state.ending = { outcome: 'recovered', at, who: 'ana', reason: 'found' };
  state.afterwards.push(report);
  return state;
}

const triage: TriageState = {
  kind: 'triage',
  workflowId: 'lost-device-triage:acme:generic:INC1',
  tenant: 'acme',
  ticket: report.ticket,
  openedAt: at,
  outcome: 'open',
  says: 'Waits for a person.',
  hint: {},
  report,
  question: { id: 'which-device', askedAt: at, text: 'Which?', options: [{ value: 'none', text: 'None' }] },
  candidates: [{ source: 'netskope', serial: 'SN1', client: 'unknown' }],
  error: { code: 'LDP_UNREACHABLE', message: 'away', since: at, stuck: false, nextTryAt: at },
  deliveries: ['msg_1'],
};

const rows: CaseSummary[] = [
  {
    workflowId: 'lost-device:acme:SN1',
    runId: 'run-1',
    kind: 'case',
    tenant: 'acme',
    running: true,
    outcome: 'open',
    device: 'SN1',
    openedAt: at,
  },
  {
    workflowId: 'lost-device:acme:SN0',
    runId: 'run-0',
    kind: 'case',
    tenant: 'acme',
    running: false,
    outcome: 'recovered',
    openedAt: at,
    closedAt: at,
  },
];

const guards: GuardRow[] = [
  {
    tenant: 'acme',
    state: 'frozen',
    says: 'Frozen by ana.',
    frozen: { who: 'ana', at, reason: 'a drill went wrong' },
    dryRun: false,
    approvers: ['ben'],
    wipes: { lastHour: 1, perHour: 3, lastDay: 1, perDay: 10 },
    containments: { lastHour: 0, perHour: 5 },
    permits: [{ id: 'lost-device:acme:SN1~run#wipe-1.1', workflowId: 'lost-device:acme:SN1', at }],
  },
];

const feeds: FeedRow[] = [
  {
    tenant: 'acme',
    plugin: 'netskope',
    feed: 'alerts',
    state: 'blind',
    says: 'It saw nothing since then.',
    lastSuccessAt: at,
    newestRecordAt: at,
    lagMs: 1,
    failingSince: at,
    blindSince: at,
    error: { code: 'LDP_NOT_AUTHENTICATED', message: 'answered 401' },
    putAside: 0,
    watched: 1,
  },
];

/** The same fields of the same types: the compiler refuses a field that only one of the two has. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

describe('the published schemas', () => {
  test('are the types of the code', () => {
    const same: [
      Same<z.infer<typeof caseStateSchema>, CaseState>,
      Same<z.infer<typeof triageStateSchema>, TriageState>,
      Same<z.infer<typeof caseListSchema>, CaseSummary[]>,
      Same<z.infer<typeof takenSchema>, Taken>,
      Same<z.infer<typeof digestSchema>, Digest>,
      Same<z.infer<typeof taskListSchema>, Task[]>,
      Same<z.infer<typeof decidedSchema>, Decided>,
      Same<z.infer<typeof connectionTestsSchema>, ConnectionTest[]>,
    ] = [true, true, true, true, true, true, true, true];
    expect(same).not.toContain(false);
  });

  test('know every field of a real case, triage and list', () => {
    for (const state of [busyCase(), openCase(report, defaultRules, { workflowId: 'w', runId: 'r', now: at })]) {
      expect(caseStateSchema.parse(state)).toEqual(state);
    }
    expect(triageStateSchema.parse(triage)).toEqual(triage);
    expect(caseListSchema.parse(rows)).toEqual(rows);
    expect(feedListSchema.parse(feeds)).toEqual(feeds);
    expect(guardListSchema.parse(guards)).toEqual(guards);
  });

  test('refuse what is no case', () => {
    const { chain: _, ...broken } = busyCase();
    expect(caseStateSchema.safeParse(broken).success).toBe(false);
    expect(caseStateSchema.safeParse({ ...busyCase(), outcome: 'lost' }).success).toBe(false);
  });
});

describe('over HTTP', () => {
  const app = createApiServer({
    cases: {
      list: async ({ all } = {}) => rows.filter(({ running }) => all || running),
      resolve: async (text) => {
        if (!text.includes('SN1')) throw new RefusedByRule(`No case fits "${text}".`);
        return 'lost-device:acme:SN1';
      },
      show: async () => busyCase(),
    },
    missingWorkers: async () => missing(),
    readFeeds: async () => feeds,
    guards: { read: async () => guards },
  });
  let missing: () => QueueName[] = () => [];
  let url: string;
  beforeAll(async () => {
    url = await app.listen({ host: '127.0.0.1', port: 0 });
  });
  afterAll(() => app.close());

  const get = async (path: string, headers: Record<string, string> = {}) => {
    const { statusCode, body } = await request(`${url}${path}`, { headers });
    return { status: statusCode, body: await body.json() };
  };

  test('feeds are told as they fare', async () => {
    expect(await get('/api/feeds')).toEqual({ status: 200, body: feeds });
  });

  test('the guard tells what is frozen, and what was permitted', async () => {
    expect(await get('/api/guard')).toEqual({ status: 200, body: guards });
  });

  test('health tells which queues have no worker', async () => {
    expect(await get('/health')).toEqual({ status: 200, body: { status: 'ok', workers: 'ok' } });
    missing = () => ['main', 'watch'];
    expect((await get('/health')).body).toMatchObject({ workers: 'missing main, watch' });
    missing = () => {
      throw new Error('14 UNAVAILABLE');
    };
    expect((await get('/health')).body).toEqual({ status: 'ok', workers: 'not known: Temporal does not answer' });
  });

  test('cases are listed, and shown by any name', async () => {
    expect(await get('/api/cases')).toEqual({ status: 200, body: [rows[0]] });
    expect(await get('/api/cases?all=true')).toEqual({ status: 200, body: rows });
    const shown = { status: 200, body: busyCase() };
    expect(await get('/api/cases/SN1')).toEqual(shown);
    expect(await get(`/api/cases/${encodeURIComponent('lost-device:acme:SN1')}`)).toEqual(shown);
    expect(await get('/api/cases/SN9')).toEqual({
      status: 404,
      body: { error: { code: 'LDP_NOT_FOUND', message: 'No case fits "SN9".' } },
    });
  });

  test('the digest tells what happened since a moment, eight hours ago when none is named', async () => {
    const { status, body } = await get('/api/digest?since=2026-11-22T22:00:00Z');
    expect(status).toBe(200);
    expect(digestSchema.parse(body)).toMatchObject({
      since: '2026-11-22T22:00:00.000Z',
      cases: [{ workflowId: 'lost-device:acme:SN1' }],
    });
    const agoMs = async (query: string) => {
      const digest = digestSchema.parse((await get(`/api/digest${query}`)).body);
      return Date.parse(digest.at) - Date.parse(digest.since);
    };
    expect(await agoMs('')).toBeCloseTo(8 * 3_600_000, -4);
    expect(await agoMs('?since=2d')).toBeCloseTo(48 * 3_600_000, -4);
    expect(await get('/api/digest?since=noon')).toEqual({
      status: 400,
      body: { error: { code: 'LDP_BAD_INPUT', message: 'since: write it like 8h, 2d or 2026-11-22T14:00:00Z.' } },
    });
  });

  test('schemas are there by name', async () => {
    expect(await get('/api/schemas')).toEqual({ status: 200, body: Object.keys(publishedSchemas) });
    expect(await get('/api/schemas/report-webhook')).toMatchObject({ status: 200, body: { required: ['ticket'] } });
    expect(await get('/api/schemas/toString')).toMatchObject({ status: 404 });
  });

  test("another page's name for this machine is refused, so that no browser reads cases for it", async () => {
    expect(await get('/api/cases', { host: 'evil.example' })).toMatchObject({ status: 403 });
    expect(await get('/api/cases', { host: 'localhost:1' })).toMatchObject({ status: 200 });
  });
});
