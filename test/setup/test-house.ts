/**
 * The whole house for one test file, but its listeners: simulated vendors, a mail box, a Temporal server of its own and
 * the worker, all in this process. Tests hand reports in, decide, and look at what changed at the vendors.
 * @module
 */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WorkflowHandle } from '@temporalio/client';
import type { UpdateDefinition } from '@temporalio/common';
import { NativeConnection } from '@temporalio/worker';
import { SMTPServer } from 'smtp-server';
import { findClosing, type House } from '../../activities/house';
import { closeHouse, openHouse } from '../../open-house';
import { archiveKeys } from '../../playbook/archive-keys';
import type { CaseState, ClosingRecord, JournalEntry } from '../../playbook/case';
import { nothingKnown, type Answers, type DeviceHint, type Report } from '../../playbook/report';
import type { Settings } from '../../playbook/settings';
import { loadSettings } from '../../settings/load';
import type { CallRecord } from '../../simulator/calls';
import { startSimulator } from '../../simulator/server';
import { writeSimulatorSettings, type SimulatorSettings } from '../../simulator/settings';
import { prepareNamespace } from '../../temporal/namespace';
import { openClient } from '../../temporal/open-client';
import { startTemporalServer } from '../../temporal/server';
import { startWorker, type RunningWorker } from '../../worker';
import { taskQueues, workflowIds } from '../../workflows/ids';
import type { Decided, Decision, TriageState, UserHoldState } from '../../workflows/messages';
import type { reconciliation } from '../../workflows/reconciliation';
import { eventually } from './eventually';
import './time-skipping'; // It sets the SDK's log level, once per process.

/** The one tenant of every test. */
export const tenant = 'acme';

export interface TestHouseOptions {
  /** Which vendors stand beside Netskope. The mail box is always there. */
  with?: Omit<SimulatorSettings['with'], 'mailPort'>;
  rules?: Record<string, unknown>;
  guard?: { containmentsPerHour?: number; protectedUsers?: string[] };
  /** As the settings file has them. */
  people?: Record<string, unknown>;
  rotas?: Record<string, unknown>;
  sites?: { name: string; addresses: string[] }[];
  pattern?: { losses?: number; within?: string };
  /** Without it every wipe is a dry run. */
  wipe?: { dryRun?: boolean; perHour?: number; perDay?: number; approvers?: string[] };
  /** Given to the simulator before the worker's first call. */
  traps?: Record<string, unknown>;
  /** Given to the Temporal server. */
  dynamicConfig?: Record<string, string | number | boolean>;
  /** Runs the workflows and activities. Default: the product's own worker. */
  work?: (settings: Settings, house: House, connection: NativeConnection) => Promise<RunningWorker>;
  /** How often feeds are asked (milliseconds). */
  pollEveryMs?: number;
  /** How far the simulated world's clock is behind ours (milliseconds). */
  simulatorBehindMs?: number;
  /** How long Netskope may be silent (milliseconds). */
  netskopeTimeoutMs?: number;
  /** How long Intune may be silent (milliseconds). */
  intuneTimeoutMs?: number;
}

/** A laptop that no other test of the file has. */
export interface Laptop {
  serial: string;
  hostname: string;
  user: string;
  workflowId: string;
}

export interface GivenReport {
  ticket: string;
  source?: string;
  device?: DeviceHint;
  user?: string;
  answers?: Partial<Answers>;
  verified?: boolean;
  deliveryId?: string;
}

export interface Fault {
  match: { method?: string; path?: string };
  times?: number | 'always';
  when?: 'before' | 'after';
  effect: Record<string, unknown>;
}

const spareLaptops = 40;
/** Short, explicit waits; how often a failing step is tried stays as it is where a test needs it. */
const shortWaits = { retryFirstMs: 300, moveLookEveryMs: 300, noteGatherMs: 150, journalGatherMs: 150 };

export type TestHouse = Awaited<ReturnType<typeof startTestHouse>>;

export async function startTestHouse(options: TestHouseOptions = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'lost-device-test-'));
  const [simulator, mail, temporal] = await Promise.all([
    startSimulator({
      port: 0,
      seed: 1,
      devices: spareLaptops,
      now: new Date(Date.now() - (options.simulatorBehindMs ?? 0)).toISOString(),
    }),
    startMailBox(),
    startTemporalServer({
      port: 0,
      namespace: 'default',
      timeSkipping: true,
      ...(options.dynamicConfig && { dynamicConfig: options.dynamicConfig }),
    }),
  ]);
  const control = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const answer = await fetch(`${simulator.url}/control/${path}`, {
      method,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as T;
  };
  if (options.traps) await control('POST', 'traps', options.traps);

  const { waits, ...rules } = (options.rules ?? {}) as { waits?: Record<string, number> };
  const { file } = writeSimulatorSettings({
    folder,
    simulator: simulator.url,
    tenant,
    with: { entra: true, servicenow: true, ...options.with, mailPort: mail.port },
    pollEveryMs: options.pollEveryMs ?? 300,
    indexEvery: '300ms',
    reconcileEvery: '1d',
    rules: { ...rules, waits: { ...shortWaits, ...waits } },
    guard: { containmentsPerHour: 1_000, ...options.guard },
    people: options.people,
    rotas: options.rotas,
    sites: options.sites,
    pattern: options.pattern,
    wipe: options.wipe,
    temporal: temporal.address,
  });
  const settings = await loadSettings(file);
  // The simulated vendor shows a change at once; waiting for a real one's settle time would only cost time.
  Object.assign(settings.tenants[tenant]?.plugins.netskope?.settings as object, {
    settleMs: 200,
    ...(options.netskopeTimeoutMs !== undefined && { timeoutMs: options.netskopeTimeoutMs }),
  });
  if (options.intuneTimeoutMs !== undefined)
    Object.assign(settings.tenants[tenant]?.plugins.intune?.settings as object, { timeoutMs: options.intuneTimeoutMs });
  const connection = await NativeConnection.connect({ address: temporal.address });
  await prepareNamespace(connection, 'default');
  const client = openClient(settings, connection);
  const house = openHouse(settings, client, true);
  const work = options.work ?? ((...given) => startWorker(...given, process.env.LOST_DEVICE_WORKFLOW_BUNDLE));
  let worker = await work(settings, house, connection);
  let taken = 0;

  const patchTicket = async (sysId: string, fields: Record<string, string>) => {
    const authorization = `Basic ${Buffer.from('sim-servicenow:sim-servicenow-password').toString('base64')}`;
    const answer = await fetch(`${simulator.url}/api/now/table/incident/${sysId}`, {
      method: 'PATCH',
      headers: { authorization, 'content-type': 'application/json' },
      body: JSON.stringify(fields),
    });
    if (!answer.ok) throw new Error(`the ticket was not changed: ${answer.status} ${await answer.text()}`);
  };

  const patchNamed = async (number: string, fields: Record<string, string>) => {
    const { tickets } = (await control<VendorState>('GET', 'state')).servicenow;
    await patchTicket(tickets.find((ticket) => ticket.number === number)?.sysId ?? '', fields);
  };

  const show = (workflowId: string) => house.cases.show(workflowId);

  /** Wait until the case (or triage, or hold) is so. */
  const until = <State>(workflowId: string, what: string, ready: (state: State) => boolean, withinMs?: number) =>
    eventually(async () => {
      const state = (await show(workflowId)) as State;
      if (ready(state)) return state;
      throw new Error(`Waited for: ${what}. It is: ${JSON.stringify(state).slice(0, 5_000)}`);
    }, withinMs);

  return {
    settings,
    house,
    client,
    control,
    url: simulator.url,
    folder,
    temporalPid: temporal.pid,
    mails: mail.mails,

    /** A laptop, and its user, that no other test of this file uses. */
    laptop(): Laptop {
      taken += 1;
      if (taken > spareLaptops) throw new Error('the house has no more laptops');
      const serial = `SN${1000 + taken}`;
      return {
        serial,
        hostname: `LT-${1000 + taken}`,
        user: `user${String(taken).padStart(4, '0')}@example.test`,
        workflowId: workflowIds.lostDevice(tenant, serial),
      };
    },

    /** Hand a report in, as the intake does. */
    async report({ ticket, source = 'generic', device = {}, user, answers, verified = true, deliveryId }: GivenReport) {
      const report: Report = {
        tenant,
        ticket: { source, id: ticket },
        deliveryId: deliveryId ?? randomUUID(),
        receivedAt: new Date().toISOString(),
        verified,
        device,
        ...(user !== undefined && { user }),
        answers: { ...nothingKnown, kind: 'lost', ...answers },
        actor: { person: 'rita (reporter)', authenticated: true, how: 'test' },
      };
      return house.cases.handIn(report, house.tenant(tenant).settings.rules);
    },

    untilCase: (workflowId: string, what: string, ready: (state: CaseState) => boolean, withinMs?: number) =>
      until(workflowId, what, ready, withinMs),
    untilTriage: (workflowId: string, what: string, ready: (state: TriageState) => boolean) =>
      until(workflowId, what, ready),

    /** The case is contained and every measure of its rules is settled. */
    untilContained: (workflowId: string) => until(workflowId, 'contained, side measures settled', settled),

    /** Every feed has been read to the end, from now on. */
    async untilPolled(): Promise<void> {
      const paths = ['clientstatus', 'alert', 'page', 'network'].map((kind) => `/api/v2/events/datasearch/${kind}?`);
      const reads = async () => {
        const all = await control<CallRecord[]>('GET', 'calls');
        return paths.map((path) => all.filter((call) => call.path.startsWith(path) && call.status === 200).length);
      };
      const before = await reads();
      await eventually(async () => {
        // The third read begins after the second has been told to the cases.
        if ((await reads()).some((count, index) => count < (before[index] ?? 0) + 3))
          throw new Error('The feeds are not read');
      });
    },

    /** Wait for the end of the workflow's chain and answer its last state. */
    async untilClosed(workflowId: string): Promise<CaseState> {
      await until<CaseState>(workflowId, 'closed', (state) => state.closedAt !== undefined);
      await client.workflow.getHandle(workflowId).result();
      return (await show(workflowId)) as CaseState;
    },

    decide<D extends Decision>(
      workflowId: string,
      update: UpdateDefinition<Decided, [D]>,
      more: Omit<D, keyof Decision> & Partial<Decision>,
    ): Promise<Decided> {
      const decision = { id: randomUUID(), actor: analyst, reason: 'because of the test', ...more };
      return house.cases.decide(workflowId, update, decision as unknown as D);
    },

    /** Wait for a mail with this subject that names `about`. */
    untilMail: (subject: string, about = ''): Promise<Mail> =>
      eventually(() => {
        const found = mail.mails.find((one) => one.subject === subject && one.text.includes(about));
        if (found) return found;
        throw new Error(`No mail "${subject}" about ${about}: ${JSON.stringify(mail.mails)}`);
      }),

    /** Look for tickets without a case now, as the schedule does. */
    reconcile: () =>
      client.workflow.execute<typeof reconciliation>('reconciliation', {
        workflowId: workflowIds.reconciliation(tenant),
        taskQueue: taskQueues.main,
        args: [{ tenant }],
      }),

    handle: (workflowId: string): WorkflowHandle => client.workflow.getHandle(workflowId),
    hold: (user: string) =>
      client.workflow.getHandle(workflowIds.userHold(tenant, user)).query<UserHoldState>('describe'),
    closing: (source: string, id: string): Promise<ClosingRecord | undefined> =>
      findClosing(house.tenant(tenant), { source, id }),

    fault: (fault: Fault) => control<{ id: number }>('POST', 'faults', fault),
    clearFaults: () => control('DELETE', 'faults'),
    advance: (advanceMs: number) => control('POST', 'clock', { advanceMs }),
    move: (serial: string, what: Record<string, unknown>) => control('POST', 'laptop', { serial, ...what }),
    ticket: (ticket: Record<string, unknown>) => control<{ number: string; sys_id: string }>('POST', 'tickets', ticket),
    /** The whole journal of a case, from the archive. */
    async journal(chain: string): Promise<JournalEntry[]> {
      const { archive } = house.tenant(tenant);
      const call = { signal: new AbortController().signal, now: new Date().toISOString() };
      const batches = await archive.list(archiveKeys.journal(chain, 0, 0).replace(/[^/]*$/, ''), call);
      const texts = await Promise.all(batches.map((key) => archive.get(key, call)));
      return texts.flatMap((text) => JSON.parse(Buffer.from(text!).toString('utf8')) as JournalEntry[]);
    },

    /** What the desk's own people do. */
    closeTicket: (sysId: string) =>
      patchTicket(sysId, { state: '7', close_code: 'No resolution provided', close_notes: 'Closed.' }),
    reopenTicket: (number: string) => patchNamed(number, { state: '2' }),
    holdTicket: (number: string) => patchNamed(number, { state: '3' }),
    ticketState: async (number: string) =>
      (await control<VendorState>('GET', 'state')).servicenow.tickets.find((ticket) => ticket.number === number),
    lostGroup: async () => (await control<VendorState>('GET', 'state')).netskope.groups['Lost-Stolen Devices'] ?? [],
    calls: () => control<CallRecord[]>('GET', 'calls'),

    /** What changed at the vendors about any of these names, in order, without vendors' ids and without ticket notes. */
    async changes(...names: string[]): Promise<string[]> {
      return effects(await control<CallRecord[]>('GET', 'calls'))
        .filter((effect) => names.some((name) => effect.includes(name)) && !/^servicenow: note /.test(effect))
        .map((effect) => effect.replace(/ \([-0-9a-f]{36}\)/, ''));
    },

    /** Effects that happened twice, and those that must never happen. Empty when all is well. */
    async wrongs(): Promise<string[]> {
      const all = effects(await control<CallRecord[]>('GET', 'calls'));
      return all.filter(
        (effect, index) => all.indexOf(effect) !== index || /COMMENT THAT THE CALLER SEES|DELETED/.test(effect),
      );
    },

    /** Put a user into the lost group by hand, as an administrator would. */
    async putIntoLostGroup(user: string): Promise<void> {
      const headers = { 'Netskope-Api-Token': 'sim-netskope-v2-token', 'content-type': 'application/scim+json' };
      const find = async (what: string, filter: string) => {
        const answer = await fetch(`${simulator.url}/api/v2/scim/${what}?filter=${encodeURIComponent(filter)}`, {
          headers,
        });
        return ((await answer.json()) as { Resources: [{ id: string }] }).Resources[0].id;
      };
      const group = await find('Groups', 'displayName eq "Lost-Stolen Devices"');
      const value = await find('Users', `userName eq "${user}"`);
      await fetch(`${simulator.url}/api/v2/scim/Groups/${group}`, {
        method: 'PATCH',
        headers,
        body: JSON.stringify({
          schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
          Operations: [{ op: 'add', path: 'members', value: [{ value }] }],
        }),
      });
    },

    stopWorker: () => worker.stop(),
    async startWorkerAgain() {
      worker = await work(settings, house, connection);
    },
    async close() {
      await worker.stop();
      await closeHouse(house);
      await connection.close();
      await temporal.stop();
      await mail.close();
      await simulator.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export const analyst = { person: 'ana (analyst)', authenticated: false, how: 'test' };

interface VendorState {
  netskope: { groups: Record<string, string[]>; tags: Record<string, string[]> };
  servicenow: { tickets: { number: string; sysId: string; state: string; workNotes: string[]; comments: string[] }[] };
}

/** Contained, and nothing of the rules is still to be done. */
function settled(state: CaseState): boolean {
  const { containment, rules, answers, steps } = state;
  if (containment.state !== 'contained' || steps['tell the hold on the user']?.state !== 'done') return false;
  const wanted = [
    'lost-group' as const,
    'device-tag' as const,
    ...(answers.kind === 'stolen' ? rules.directorySteps.stolen : rules.directorySteps.lost),
  ];
  return wanted.every((name) => !['asked', undefined].includes(containment.measures[name]?.state));
}

function effects(calls: CallRecord[]): string[] {
  return calls.flatMap(({ changed }) => changed?.split('; ') ?? []);
}

export interface Mail {
  subject: string;
  text: string;
}

async function startMailBox() {
  const mails: Mail[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    onData(stream, _session, done) {
      let text = '';
      stream.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')));
      stream.on('end', () => {
        mails.push({ subject: /^Subject: (.*)$/m.exec(text)?.[1]?.trim() ?? '', text });
        done();
      });
    },
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.server.address() as AddressInfo).port,
    mails,
    close: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}
