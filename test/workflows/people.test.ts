/** Calling people: as activities, against a real mail server and a simulated pager. */
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CancelledFailure } from '@temporalio/activity';
import { Client, Connection } from '@temporalio/client';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { SMTPServer } from 'smtp-server';
import { createPeopleActivities, type CallPeopleAnswer, type CallPeopleInput } from '../../activities/people';
import { closeHouse, openHouse } from '../../open-house';
import type { PageAudience } from '../../playbook/ladder';
import { loadSettings } from '../../settings/load';
import type { Incident } from '../../simulator/pagerduty/incidents';
import { startSimulator } from '../../simulator/server';
import { writeSimulatorSettings } from '../../simulator/settings';

/** Saturday, 00:30 in Amsterdam, 18:30 on Friday in New York, 05:15 in Kathmandu. */
const night = '2026-11-20T23:30:00Z';
const morning = '2026-11-21T08:00:00Z';
const atNight = { from: '22:00', to: '07:00' };
const people = {
  ana: {
    timeZone: 'Europe/Amsterdam',
    notify: { mail: 'ana@example.test', pager: true },
    quietHours: atNight,
    deputies: ['dee', 'desk'],
  },
  bob: { timeZone: 'America/New_York', notify: { mail: 'bob@example.test' }, quietHours: atNight },
  cem: { timeZone: 'Asia/Kathmandu', notify: { mail: 'cem@example.test' }, quietHours: atNight },
  dee: { timeZone: 'UTC', notify: { mail: 'refused@example.test', pager: true } },
  eva: { timeZone: 'UTC', notify: { mail: 'silent@example.test' } },
};
const rotas = { desk: { members: ['cem', 'bob'], turn: 'day', since: '2026-11-20', at: '00:00', timeZone: 'UTC' } };

interface Mail {
  to: string;
  id: string;
  subject: string;
}
const mails: Mail[] = [];

/** Takes mail, but refuses one reader, and never answers about the mail of another. */
const server = new SMTPServer({
  authOptional: true,
  disabledCommands: ['STARTTLS', 'AUTH'],
  onRcptTo({ address }, _session, done) {
    const refusal = Object.assign(new Error('no such reader'), { responseCode: 550 });
    done(address.startsWith('refused@') ? refusal : undefined);
  },
  onData(stream, session, done) {
    let text = '';
    stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
    stream.on('end', () => {
      const to = session.envelope.rcptTo.map(({ address }) => address).join(', ');
      const header = (name: string) => new RegExp(`^${name}: (.*)$`, 'mi').exec(text)?.[1]?.trim() ?? '';
      mails.push({ to, id: header('Message-ID'), subject: header('Subject') });
      if (!to.startsWith('silent@')) done();
    });
  },
});
server.on('error', () => {});

const folder = mkdtempSync(join(tmpdir(), 'people-test-'));
let simulator: Awaited<ReturnType<typeof startSimulator>>;
let house: ReturnType<typeof openHouse>;

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.server.address() as AddressInfo;
  simulator = await startSimulator({ port: 0, seed: 1, devices: 1, now: night });
  const { file } = writeSimulatorSettings({
    folder,
    simulator: simulator.url,
    tenant: 'acme',
    with: { mailPort: port, pagerDuty: true },
    people,
    rotas,
  });
  const settings = await loadSettings(file);
  Object.assign(settings.tenants.acme?.plugins.mail?.settings as object, { timeoutMs: 400 });
  // Nothing here reaches a case.
  house = openHouse(settings, new Client({ connection: Connection.lazy({ address: '127.0.0.1:9' }) }), false);
});
afterAll(async () => {
  await closeHouse(house);
  await simulator.close();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  rmSync(folder, { recursive: true });
});
beforeEach(() => mails.splice(0));

const control = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
  const answer = await fetch(`${simulator.url}/control/${path}`, {
    method,
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return (await answer.json()) as T;
};
const incident = async (key: string) =>
  (await control<Incident[]>('GET', 'pagerduty')).find(({ dedupKey }) => dedupKey === key);
/** The pager refuses the next call. */
const refuseEvent = () =>
  control('POST', 'faults', { match: { path: '/v2/enqueue' }, times: 1, effect: { status: 403, body: {} } });

let pages = 0;
/** A page of its own for each test. */
function pageTo(to: Partial<PageAudience>, more: Partial<CallPeopleInput['page']> = {}): CallPeopleInput['page'] {
  pages += 1;
  const audience: PageAudience = { whom: [], by: [], inQuietHours: 'page', severity: 'critical', ...to };
  return { key: `page-${pages}`, subject: `Page ${pages}`, text: 'Not contained for 15 min.', to: audience, ...more };
}
/** Failures that a test expects are not its output. */
const quietly = () => new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
const call = (page: CallPeopleInput['page'], now = night, environment = quietly()) =>
  environment.run<[CallPeopleInput], CallPeopleAnswer, (input: CallPeopleInput) => Promise<CallPeopleAnswer>>(
    createPeopleActivities(house).callPeople,
    { tenant: 'acme', now, page },
  );
const readers = () => mails.map(({ to }) => to).sort();

test('without names everybody is called, by what the notifiers know', async () => {
  const page = pageTo({});
  const { told, missing, ...more } = await call(page);
  expect(told.sort()).toEqual(['everybody by mail', 'everybody by pager']);
  expect({ missing, more }).toEqual({ missing: [], more: { atPager: true } });
  expect(mails).toEqual([expect.objectContaining({ to: 'soc@example.test', subject: page.subject })]);
  expect(await incident(`${page.key}:everybody`)).toMatchObject({ severity: 'critical', summary: page.subject });
  expect((await call(pageTo({ by: ['mail'] }))).told).toEqual(['everybody by mail']);
});

test('persons and whoever is on duty are called, each by all they have, under one incident', async () => {
  const answer = await call(pageTo({ whom: ['ana', 'desk'] }, { incident: 'trouble-1' }));
  expect(answer).toEqual({ told: ['ana by mail', 'ana by pager', 'cem by mail'], missing: [], atPager: true });
  expect(readers()).toEqual(['ana@example.test', 'cem@example.test']);
  expect(await incident('trouble-1')).toMatchObject({ status: 'triggered', triggers: 1 });
  expect((await call(pageTo({ whom: ['desk'] }), morning)).told).toEqual(['bob by mail']);
});

test('by a chosen notifier, or by all where somebody does not have it', async () => {
  expect((await call(pageTo({ whom: ['ana', 'bob'], by: ['pager'] }))).told).toEqual(['ana by pager', 'bob by mail']);
  expect(readers()).toEqual(['bob@example.test']);
});

test('a page that waits calls nobody in quiet hours, and says when they end', async () => {
  expect(await call(pageTo({ whom: ['ana', 'bob'], inQuietHours: 'wait' }))).toEqual({
    told: ['bob by mail'],
    missing: [],
  });
  // Kathmandu wakes up five hours before Amsterdam.
  expect(await call(pageTo({ whom: ['ana', 'cem'], inQuietHours: 'wait' }))).toEqual({
    told: [],
    missing: [],
    heldUntil: '2026-11-21T01:15:00.000Z',
  });
  expect(readers()).toEqual(['bob@example.test']);
  const held = pageTo({ whom: ['ana', 'cem'], inQuietHours: 'wait' });
  expect((await call(held, '2026-11-21T01:15:00.000Z')).told).toEqual(['cem by mail']);
});

test('deputies are called as well, and are awake when the others are not', async () => {
  const whom = ['ana'];
  expect(await call(pageTo({ whom, deputies: true, inQuietHours: 'wait' }))).toEqual({
    told: ['dee by pager'],
    missing: [{ who: 'dee by mail', message: expect.stringContaining('the mail server answered 550'), again: true }],
    atPager: true,
  });
  const day = await call(pageTo({ whom, deputies: true }), morning);
  expect(day.told).toEqual(['ana by mail', 'ana by pager', 'dee by pager', 'bob by mail']);
});

test('who could not be reached is said, and only they are called again', async () => {
  const page = pageTo({ whom: ['dee', 'bob'] }, { incident: 'trouble-2' });
  const first = await call(page);
  expect(first.told).toEqual(['dee by pager', 'bob by mail']);
  expect(first.missing).toEqual([{ who: 'dee by mail', message: expect.stringMatching(/550/), again: true }]);
  expect(await call({ ...page, told: first.told })).toEqual(first);
  expect(readers()).toEqual(['bob@example.test']);
  expect(await incident('trouble-2')).toMatchObject({ triggers: 1 });
});

test('the same page has the same key for the same person, so that receivers drop a repeat', async () => {
  const page = pageTo({ whom: ['ana', 'bob'] });
  await call(page);
  await call(page);
  expect(mails).toHaveLength(4);
  expect(new Set(mails.map(({ id }) => id)).size).toBe(2);
  expect(await incident(`${page.key}:ana`)).toMatchObject({ triggers: 2 });
});

test('a pager that is away keeps no mail from leaving', async () => {
  await refuseEvent();
  const answer = await call(pageTo({ whom: ['ana'] }));
  expect(answer.told).toEqual(['ana by mail']);
  expect(answer.missing).toEqual([{ who: 'ana by pager', message: expect.stringMatching(/pagerduty/), again: true }]);
});

test('a page whose answer was lost is sent again where the receiver drops repeats', async () => {
  await control('POST', 'faults', { match: { path: '/v2/enqueue' }, times: 1, when: 'after', effect: { reset: true } });
  const page = pageTo({ whom: ['ana'] }, { incident: 'trouble-4' });
  const lost = await call(page);
  expect(lost.missing).toEqual([{ who: 'ana by pager', message: expect.any(String), again: true }]);
  expect((await call({ ...page, told: lost.told })).told).toEqual(['ana by mail', 'ana by pager']);
  expect(await incident('trouble-4')).toMatchObject({ status: 'triggered', triggers: 2 });
});

test('a page whose answer was lost counts as told', async () => {
  expect(await call(pageTo({ whom: ['eva'] }))).toEqual({ told: ['eva by mail'], missing: [] });
  expect(readers()).toEqual(['silent@example.test']);
});

test('where a rung names nobody, whoever is on call is called', async () => {
  const { settings } = house.tenant('acme');
  settings.onCall = ['desk'];
  try {
    expect((await call(pageTo({}))).told).toEqual(['cem by mail']);
    expect(await call(pageTo({ inQuietHours: 'wait' }))).toMatchObject({ told: [], heldUntil: expect.any(String) });
  } finally {
    settings.onCall = [];
  }
});

test('where nobody is left who was named, everybody is called; else those who are', async () => {
  const gone = { who: 'zoe', message: 'is not in the settings any more' };
  const all = await call(pageTo({ whom: ['zoe'], inQuietHours: 'wait' }));
  expect(all.told.sort()).toEqual(['everybody by mail', 'everybody by pager']);
  expect(all.missing).toEqual([gone]);
  expect(await call(pageTo({ whom: ['zoe', 'bob'] }))).toEqual({ told: ['bob by mail'], missing: [gone] });
});

test('a cancelled call ends as cancelled, and not as an answer', async () => {
  const environment = quietly();
  const answer = call(pageTo({ whom: ['eva'] }), night, environment);
  setTimeout(() => environment.cancel(), 100);
  await expect(answer).rejects.toThrow(CancelledFailure);
});

test('an incident is resolved where it can be, as often as it is told', async () => {
  await call(pageTo({ whom: ['ana'] }, { incident: 'trouble-3' }));
  const { resolveIncident } = createPeopleActivities(house);
  const resolve = () => quietly().run(resolveIncident, { tenant: 'acme', now: morning, incident: 'trouble-3' });
  await resolve();
  expect(await incident('trouble-3')).toMatchObject({ status: 'resolved' });
  await expect(resolve()).resolves.toBeUndefined();

  await refuseEvent();
  await expect(resolve()).rejects.toMatchObject({ name: 'VendorRefused' });
});

test('of two pagers both are told, also when one of them refuses, and that is said', async () => {
  const { acknowledgeIncident, resolveIncident } = createPeopleActivities(house);
  const { notifiers } = house.tenant('acme');
  notifiers.set('second pager', notifiers.get('pager')!);
  try {
    const page = pageTo({ whom: ['ana'] }, { incident: 'trouble-5' });
    await call(page);
    for (const [tell, status] of [
      [acknowledgeIncident, 'acknowledged'],
      [resolveIncident, 'resolved'],
    ] as const) {
      await refuseEvent();
      const told = quietly().run(tell, { tenant: 'acme', now: morning, incident: 'trouble-5' });
      await expect(told).rejects.toMatchObject({ name: 'VendorRefused' });
      expect(await incident('trouble-5')).toMatchObject({ status });
    }
  } finally {
    notifiers.delete('second pager');
  }
});
