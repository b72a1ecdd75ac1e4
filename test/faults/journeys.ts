/**
 * The runbook as journeys: each a sequence of the playbook's own steps, as a case takes them. Together they reach every
 * operation of every plugin.
 * @module
 */
import { createHmac } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { defaultPayloadConverter } from '@temporalio/common';
import type { FirstResponse, Moved } from '../../activities/containment';
import { lookUntil, sendOnce } from '../../activities/send-once';
import type { MeasureReading, SideMeasure } from '../../activities/measures';
import type { ManagedDevice } from '../../playbook/device';
import { nothingKnown, type Report } from '../../playbook/report';
import type { WipePlan } from '../../playbook/wipe';
import { VendorUnavailable } from '../../plugins/errors';
import { workflowIds } from '../../workflows/ids';
import type { SightingBatch } from '../../workflows/messages';
import { caseAttributes } from '../../workflows/search-attributes';
import type { Trial } from './trial';

export interface Journey {
  name: string;
  /** How long before now its world begins (milliseconds). */
  startsBeforeMs?: number;
  traps?: Record<string, unknown>;
  /** Name of the device tag. Default: one that nobody has created yet. */
  tag?: string;
  /** The name of its tenant, where it matters. */
  tenant?: (run: number) => string;
  /** Changes that another way may take the place of, or that a repeat makes without harm; with the reason. */
  mayDiffer?: { changes: RegExp; because: string };
  run(trial: Trial): Promise<void>;
}

const minuteMs = 60_000;
const pat = { user: 'pat@example.test', serial: 'SN0042', hostname: 'LT-0042' };
const chain = 'lost-device:matrix:SN0042~00000000-0000-4000-8000-000000000001';
const owner = { person: 'ana', authenticated: true, how: 'test' };

const pagedAgain = { changes: /triggered again/, because: 'a repeat under the same key calls nobody anew' };

export const journeys: Journey[] = [
  {
    name: 'contain and release',
    run: (trial) => containAndRelease(trial),
  },
  {
    name: 'contain where user management is closed to us',
    async run(trial) {
      await trial.control('POST', 'tenant', { scopes: { '/api/v2/users/': 'none' } });
      await containAndRelease(trial);
    },
  },
  {
    name: 'contain where the directory owns the group',
    traps: { directoryOwnsGroup: true },
    mayDiffer: {
      changes: /exported (into|out of)/,
      because: 'the regular cycle carries what provisioning on demand did not, or carried already',
    },
    run: (trial) => containAndRelease(trial),
  },
  { name: 'contain in single steps', run: containInSteps },
  {
    name: 'identify where only the old inventory is offered',
    async run(trial) {
      await trial.control('POST', 'tenant', { switchedOff: ['/api/v2/events/datasearch/clientstatus'] });
      const report: Report = { ...reportOf('INC0000001'), tenant: trial.tenant.name };
      const found = await trial.step('find candidates', () =>
        trial.activities.findCandidates({ ...trial.about, report }),
      );
      trial.find('candidates', found.found === 'one' ? found.device.serial : found.found);
    },
  },
  ...(['device-tag', 'disable-user', 'disable-device', 'isolate'] as const).map((measure) => ({
    name: measure,
    run: (trial: Trial) => takeAndUndo(trial, measure, 'and undo'),
  })),
  { name: 'revoke-sessions', run: (trial) => takeAndUndo(trial, 'revoke-sessions', 'for good') },
  { name: 'lock', run: lockTheMac },
  {
    name: 'wipe a stolen laptop',
    run: (trial) => wipe(trial, { isProtected: true }),
  },
  {
    name: 'wipe a lost laptop, with a second administrator',
    traps: { intuneSecondAdmin: true },
    mayDiffer: {
      changes: /approval of the wipe/,
      because: 'it asks a person and sends nothing; one whose answer was lost is cancelled by a person',
    },
    run: (trial) => wipe(trial, { isProtected: false }),
  },
  { name: 'prepare the wipe of an isolated laptop', run: prepareIsolated },
  { name: 'lost mode', run: lostMode },
  { name: 'look at the levers', run: lookAtLevers },
  { name: 'tickets', run: tickets },
  { name: 'reconcile tickets', tenant: (run) => `matrix-${run}`, run: reconcile },
  { name: 'call people', mayDiffer: pagedAgain, run: callPeople },
  ...['netskope', 'entra', 'intune', 'crowdstrike', 'servicenow', 'pager'].map((instance) => ({
    name: `test the connection of ${instance}`,
    tag: 'lost-stolen',
    run: (trial: Trial) => testConnection(trial, instance),
  })),
  // One tenant for all runs: the page is named by it.
  { name: 'tell of several losses', tenant: () => 'matrix-losses', mayDiffer: pagedAgain, run: tellOfLosses },
  { name: 'first look at every feed', startsBeforeMs: 110 * minuteMs, run: firstLook },
  ...[
    ['netskope', 'client-status'],
    ['netskope', 'alerts'],
    ['netskope', 'events'],
    ['crowdstrike', 'last-seen'],
    ['intune', 'last-seen'],
    ['entra', 'sign-ins'],
  ].map(([plugin = '', feed = '']) => ({
    name: `watch ${plugin}/${feed}`,
    startsBeforeMs: 110 * minuteMs,
    tenant: (run: number) => `matrix-${run}`,
    run: (trial: Trial) => watchFeed(trial, plugin, feed),
  })),
];

// --- containment ---------------------------------------------------------------------------------------------------

async function containAndRelease(trial: Trial): Promise<void> {
  const { activities, step, find } = trial;
  const found: FirstResponse = await step('first response', () =>
    activities.firstResponse({
      ...trial.about,
      chain,
      hint: { serial: pat.serial },
      user: pat.user,
      verified: true,
      askWhenOtherDevices: false,
    }),
  );
  find('identified', found.identified.found);
  find('in the group before', found.before?.memberBefore);
  const via = found.before?.via ?? 'secure access';
  const known = !found.asked && found.before;
  const moved =
    found.moved ??
    (await step('move the user', () =>
      activities.moveUser({ ...trial.about, user: pat.user, via, ...(known && { known }) }),
    ));
  await untilSeen(trial, moved, { user: pat.user, via, wanted: true });
  const released = await step('release the user', () =>
    activities.releaseUser({ ...trial.about, user: pat.user, via }),
  );
  await untilSeen(trial, released, { user: pat.user, via, wanted: false });
}

async function containInSteps(trial: Trial): Promise<void> {
  const { activities, step, find } = trial;
  const found = await step('identify the device', () =>
    activities.identifyDevice({ ...trial.about, chain, hint: { hostname: pat.hostname }, verified: true }),
  );
  find('identified', found.identified.found);
  find('admitted', found.admission.admitted);
  const about = { user: pat.user, via: found.before?.via ?? ('secure access' as const) };
  await step('move the user', () =>
    activities.moveUser({ ...trial.about, ...about, ...(found.before && { known: found.before }) }),
  );
  const looked = await step('see the move', () => activities.lookForMove({ ...trial.about, ...about, wanted: true }));
  await untilSeen(trial, looked, { ...about, wanted: true });
  await step('move the user again', () => activities.moveUser({ ...trial.about, ...about }));
}

/** Look until it is so, while the vendors' clock goes on: a directory carries its changes in cycles. */
async function untilSeen(
  trial: Trial,
  moved: Moved,
  asked: { user: string; via: 'secure access' | 'directory'; wanted: boolean },
): Promise<void> {
  let seen = false;
  // Once in any case: whether a directory was quick is a matter of the machine.
  for (let looks = 0; !seen && looks < 10; looks += 1) {
    if (!moved.seen) await trial.advance(15 * minuteMs);
    const looked = await trial.step(`see the user ${asked.wanted ? 'in' : 'out'}`, () =>
      trial.activities.lookForMove({ ...trial.about, ...asked }),
    );
    seen = looked.seen;
  }
  trial.find(asked.wanted ? 'contained' : 'released', seen);
}

// --- measures beside the group -------------------------------------------------------------------------------------

/** Is everything that contains it still there? Its user has another name by now. */
async function lookAtLevers(trial: Trial): Promise<void> {
  const { secureAccess } = trial.tenant;
  const call = { signal: new AbortController().signal, now: trial.about.now };
  const membership = await secureAccess.readMembership(pat.user, call);
  await secureAccess.addToLostGroup(membership, call);
  await trial.laptop(pat.serial, { do: 'rename-user', newUser: 'pat.new@example.test' });
  const device = await managed(trial, pat.serial);
  const reading = await trial.step('look at the levers', async () => {
    const { unreadable, ...read } = await trial.activities.readLevers({
      ...trial.about,
      device: { ...device, user: pat.user },
      ...(membership.userId !== undefined && { userId: membership.userId }),
      group: true,
      measures: ['device-tag', 'isolate'],
    });
    // The next look is not far.
    if (unreadable.length > 0) throw new VendorUnavailable('LDP_UNREACHABLE', unreadable.join('; '));
    return read;
  });
  trial.find('renamed to', reading.renamedTo);
  trial.find('in the group', reading.membership?.isMember);
  trial.find('gone', reading.gone.map(({ measure }) => measure).sort());
}

async function takeAndUndo(trial: Trial, measure: SideMeasure, then: 'and undo' | 'for good'): Promise<void> {
  const { activities, step, find } = trial;
  const device = await managed(trial, pat.serial);
  const before = await step(`${measure}: look`, () => activities.readMeasure({ ...trial.about, measure, device }));
  find('offered', before.offered);
  if (!before.offered) return;
  const taken: MeasureReading = await step(`${measure}: take`, () =>
    activities.takeMeasure({ ...trial.about, measure, device, before }),
  );
  find('in place', measure === 'revoke-sessions' ? taken.since !== before.since : taken.present);
  if (then === 'for good') return;
  const undone = await step(`${measure}: undo`, () =>
    activities.undoMeasure({ ...trial.about, measure, device, ...(before.target && { target: before.target }) }),
  );
  find('undone', !undone.present);
}

/** Only a Mac can be locked, behind a PIN that must be kept. */
async function lockTheMac(trial: Trial): Promise<void> {
  const { activities, step, find } = trial;
  const device = await managed(trial, 'SN0070');
  const input = { measure: 'lock' as const, device };
  const before = await step('lock: look', () => activities.readMeasure({ ...trial.about, ...input }));
  find('offered', before.offered);
  const taken = await step('lock: take', () => activities.takeMeasure({ ...trial.about, ...input, before }));
  find('in place', taken.present);
  const { record, commands } = await managementOf(trial, 'SN0070');
  const lock = commands.find(({ command }) => command === 'lock');
  const call = { signal: new AbortController().signal, now: trial.about.now };
  const pin = await trial.tenant.secretStore?.get(`lock-pin/intune/${record?.id}/${lock?.startedAt}`, call);
  find('its PIN is kept', /^\d{6}$/.test(pin ?? ''));
}

async function managed(trial: Trial, serial: string): Promise<ManagedDevice> {
  type Laptop = Record<'serial' | 'hostname' | 'user' | 'userkey' | 'nsdeviceuid', string>;
  const laptops = await trial.control<Laptop[]>('GET', 'laptops');
  const found = laptops.find((laptop) => laptop.serial === serial);
  if (found === undefined) throw new Error(`There is no laptop ${serial}`);
  const { hostname, user, userkey, nsdeviceuid } = found;
  return { source: 'netskope', serial, hostname, user, userKey: userkey, nsdeviceuid, client: 'enabled' };
}

// --- device management ---------------------------------------------------------------------------------------------

/** As `workflows/tracks/wipe.ts` takes it: prepared, sent once under a permit, read back, followed to its end. */
async function wipe(trial: Trial, { isProtected }: { isProtected: boolean }): Promise<void> {
  const { activities, step, find } = trial;
  const device = await managed(trial, pat.serial);
  for (let number = 1; ; number += 1) {
    const plan = await step('prepare the wipe', () =>
      activities.prepareWipe({ ...trial.about, chain, number, device }),
    );
    if (number === 1) find('will be wiped by', [plan.plugin, plan.platform, plan.encrypted, plan.pin, plan.simulated]);
    const about = () => ({
      ...trial.about,
      plugin: plan.plugin,
      recordId: plan.recordId,
      ...(plan.earlierWipe !== undefined && { earlierWipe: plan.earlierWipe }),
    });
    if (!(await send(trial, { plan, number, isProtected, about }))) continue;
    find('taken back', await step('take it back', () => activities.cancelWipe(about())));
    // It comes online, takes the wipe and says so.
    await trial.laptop(pat.serial, { do: 'online', place: 'cafe' });
    await trial.advance(2 * minuteMs);
    let state: string | undefined;
    for (let looks = 0; looks < 5 && state !== 'acknowledged'; looks += 1)
      state = (await step('follow the wipe', () => activities.readWipe(about())))?.state;
    return find('the wipe is', state);
  }
}

/**
 * Isolated, it would never hear of its wipe; its console forgets it some day; the steering may keep the wipe away. The approver is
 * told each fact, or that it is not known: one that is missing hides something.
 */
async function prepareIsolated(trial: Trial): Promise<void> {
  const { activities, step, find } = trial;
  await trial.control('POST', 'tenant', { intuneCleanUp: [{ platform: 'windows', days: 90 }] });
  const device = await managed(trial, pat.serial);
  const input = { measure: 'isolate' as const, device };
  const before = await step('isolate: look', () => activities.readMeasure({ ...trial.about, ...input }));
  await step('isolate: take', () => activities.takeMeasure({ ...trial.about, ...input, before }));
  const plan = await step('prepare the wipe of an isolated laptop', () =>
    activities.prepareWipe({ ...trial.about, chain, number: 1, device }),
  );
  for (const fact of [/steering configuration/, /isolated/, /forgets devices/])
    find(
      `told of ${fact.source}`,
      plan.warnings.some((warning) => fact.test(warning)),
    );
}

/** False: it was refused, and must be asked for anew. */
async function send(
  trial: Trial,
  asked: {
    plan: WipePlan;
    number: number;
    isProtected: boolean;
    about(): Parameters<Trial['activities']['readWipe']>[0];
  },
): Promise<boolean> {
  const { activities, step, ask } = trial;
  const { plan, number, isProtected, about } = asked;
  let approvalCode: string | undefined;
  for (let attempt = 1; ;) {
    const outcome = await step(
      approvalCode === undefined ? 'send the wipe' : 'send the wipe with its approval',
      () =>
        activities.sendWipe({
          ...about(),
          chain,
          permit: `${chain}#wipe-${number}.${attempt}`,
          serial: pat.serial,
          rehearsal: false,
          protected: isProtected,
          justification: 'lost',
          ...(approvalCode !== undefined && { approvalCode }),
        }),
      { once: true },
    );
    if (outcome.sent === 'no') {
      if (outcome.because === 'the vendor wants a second administrator') {
        approvalCode = outcome.code;
        await approved(trial, plan, approvalCode);
        continue;
      }
      await ask(outcome.because === 'refused' ? outcome.says : outcome.permit.says);
      await endApprovals(trial);
      return false;
    }
    for (let looks = 0; looks < 3; looks += 1)
      if ((await step('read the wipe back', () => activities.readWipe(about()))) !== undefined) return true;
    await ask('Is the wipe there?');
    const { commands } = await managementOf(trial, pat.serial);
    if (commands.some(({ command }) => command === 'wipe')) return true;
    attempt += 1;
    // Nobody here knows the code of one whose answer was lost.
    if (approvalCode === undefined) await endApprovals(trial);
  }
}

/** The vendor takes no second request beside one that is open: a person takes it back, or it runs out. */
async function endApprovals(trial: Trial): Promise<void> {
  try {
    await trial.control('POST', 'intune', { serial: pat.serial, do: 'cancel-request' });
  } catch {
    await trial.advance(3 * 24 * 60 * minuteMs);
  }
}

async function approved(trial: Trial, plan: WipePlan, code: string): Promise<void> {
  const look = () =>
    trial.step("ask for the vendor's approval", () =>
      trial.activities.readWipeApproval({ ...trial.about, plugin: plan.plugin, code }),
    );
  for (let answer = await look(); answer !== 'approved'; answer = await look())
    if (answer === 'needs approval')
      await trial.control('POST', 'intune', { serial: pat.serial, do: 'approve' }).catch(() => undefined);
    else throw new Error(`The approval is ${answer}`);
}

/** No activity sends it yet: sent as the role's contract asks for, looked at before and after. */
async function lostMode(trial: Trial): Promise<void> {
  await trial.control('POST', 'intune', {
    serial: pat.serial,
    do: 'change',
    operatingSystem: 'iOS',
    supervised: true,
  });
  const management = trial.tenant.managements.get('intune');
  await trial.step('lost mode', async () => {
    const call = { signal: new AbortController().signal, now: trial.about.now };
    const [record] = (await management?.findRecords({ serial: pat.serial }, call)) ?? [];
    if (!management?.enableLostMode || !record) throw new Error('Intune lost the device, or lost mode');
    const isOn = async () =>
      (await management.readCommands(record.id, call)).some(({ command }) => command === 'lost mode');
    if (await isOn()) return;
    const options = { justification: 'lost', message: 'Lost', phone: '+1' };
    await sendOnce(async () => management.enableLostMode?.(record, options, call));
    if (!(await lookUntil(management.settleMs, isOn)))
      throw new VendorUnavailable('LDP_NOT_SEEN_YET', 'Lost mode is not seen');
  });
}

/** What the console shows, without a fault in between. */
async function managementOf(trial: Trial, serial: string) {
  type Shown = {
    devices: { id: string; serial: string; actions: { name: string; startedAt: string }[] }[];
  };
  const { devices } = await trial.control<Shown>('GET', 'intune');
  const record = devices.findLast((device) => device.serial === serial);
  const names: Record<string, string> = { wipe: 'wipe', remoteLock: 'lock' };
  return {
    record,
    commands: (record?.actions ?? []).map(({ name, startedAt }) => ({ command: names[name] ?? name, startedAt })),
  };
}

// --- tickets and people ----------------------------------------------------------------------------------------------

const reportOf = (ticket: string): Omit<Report, 'tenant'> => ({
  ticket: { source: 'servicenow', id: ticket },
  deliveryId: 'delivery-1',
  receivedAt: new Date().toISOString(),
  verified: true,
  device: { serial: pat.serial },
  user: pat.user,
  answers: { ...nothingKnown, kind: 'lost' },
  actor: owner,
});

async function tickets(trial: Trial): Promise<void> {
  const { activities, step, find } = trial;
  const { number } = await trial.control<{ number: string }>('POST', 'tickets', {
    u_serial: pat.serial,
    caller: 'pat',
    description: 'kind: stolen',
  });
  const ticket = { source: 'servicenow', id: number };
  const read = await step('read the ticket', () => activities.readTicket({ ...trial.about, ticket }));
  find('the ticket says', typeof read === 'string' ? read : [read.open, read.aboutLostDevice, read.report.device]);
  const note = (n: number) =>
    step(`note ${n}`, () =>
      activities.addNote({
        ...trial.about,
        ticket,
        marker: `[ldp:matrix:${n}-${n}]`,
        text: `A note. [ldp:matrix:${n}-${n}]`,
      }),
    );
  const state = (name: 'in progress' | 'resolved' | 'in progress again') =>
    step(name, () => activities.setTicketState({ ...trial.about, ticket, state: name, closeNotes: 'done' }));
  await note(1);
  await state('in progress');
  await note(2);
  await state('resolved');
  await state('in progress again');
  const { now } = trial.about;
  const entries = [{ n: 1, at: now, track: 'case' as const, who: 'playbook', text: 'Closed.' }];
  await step('archive the journal', () => activities.archiveJournal({ ...trial.about, chain, entries }));
  const record = {
    workflowId: 'lost-device:matrix:SN0042',
    chain,
    tenant: trial.tenant.name,
    outcome: 'recovered' as const,
    closedAt: now,
    tickets: [ticket],
    deliveries: [],
    reason: 'found',
  };
  await step('archive the closing record', () => activities.archiveClosing({ ...trial.about, record, report: {} }));
}

async function reconcile(trial: Trial): Promise<void> {
  const { activities, step, find } = trial;
  // A number is never used twice: all runs share one Temporal.
  const [known, unknown] = [1, 2].map((n) => `INC${n}${trial.tenant.name.replace(/\D/g, '')}`);
  await trial.control('POST', 'tickets', { number: known, u_serial: pat.serial, caller: 'pat' });
  await trial.control('POST', 'tickets', { number: unknown, caller: 'pat' });
  const opened = await step('reconcile', async () => {
    const found = await activities.reconcileTickets(trial.about);
    // The schedule comes again, and its page tells people.
    if (found.unreadable.length > 0) throw new VendorUnavailable('LDP_UNREACHABLE', found.unreadable.join('; '));
    return found.opened.map((id) => id.split(':')[0]);
  });
  find('opened', opened);
}

async function callPeople(trial: Trial): Promise<void> {
  const { activities, step, find } = trial;
  const incident = `${chain}:rung:first/silent`;
  const page = {
    key: `${incident}#1`,
    subject: 'LT-0042 is silent',
    text: 'Not seen for 24 hours.',
    incident,
    to: { whom: [], by: [], inQuietHours: 'page' as const, severity: 'critical' as const },
  };
  const told = await step('page people', async () => {
    const answer = await activities.callPeople({ ...trial.about, page });
    const [missing] = answer.missing;
    // `workflows/pages.ts` keeps the page and sends it again.
    if (missing?.again) throw new VendorUnavailable('LDP_UNREACHABLE', missing.message);
    return answer;
  });
  find('told', [told.told, told.missing, told.atPager]);

  type Incident = { id: string; dedupKey: string };
  const opened = (await trial.control<Incident[]>('GET', 'pagerduty')).find(({ dedupKey }) => dedupKey === incident);
  const webhook = acknowledgementOf(opened?.id ?? 'none');
  // PagerDuty sends it again until it is answered with 2xx.
  const heard = await step('hear an acknowledgement', async () =>
    trial.tenant.notifiers.get('pager')?.receive?.(webhook, Date.now()),
  );
  find(
    'acknowledged',
    heard?.map((one) => [one.incident, one.who]),
  );
  await step('acknowledge at the pager', () => activities.acknowledgeIncident({ ...trial.about, incident }));
  await step('resolve at the pager', () => activities.resolveIncident({ ...trial.about, incident }));
  const old = { key: `${chain}:question`, subject: 'A question', text: 'Which one?' };
  find('everybody', await step('page everybody', () => activities.pagePeople({ ...trial.about, page: old })));
}

function acknowledgementOf(id: string) {
  const body = JSON.stringify({
    event: {
      id: '01MATRIX',
      event_type: 'incident.acknowledged',
      occurred_at: new Date().toISOString(),
      agent: { id: 'PANA', type: 'user_reference', summary: 'Ana' },
      data: { id, incident_key: null },
    },
  });
  const signature = createHmac('sha256', 'sim-pagerduty-webhook-secret').update(body).digest('hex');
  return { headers: { 'x-pagerduty-signature': `v1=${signature}` }, body: Buffer.from(body) };
}

// --- feeds, and the connection itself --------------------------------------------------------------------------------

/** A person reads its lines: one that is not well says what to do. */
async function testConnection(trial: Trial, name: string): Promise<void> {
  if (name === 'servicenow') await trial.control('POST', 'tickets', { u_serial: pat.serial, caller: 'pat' });
  const instance = trial.tenant.instances.get(name);
  const test = () =>
    trial.step(`test ${name}`, async () =>
      instance?.test({ signal: new AbortController().signal, now: trial.about.now }),
    );
  for (let lines = await test(); ; lines = await test()) {
    const wrong = lines?.find(({ ok }) => !ok);
    if (wrong === undefined) return trial.find('well', lines);
    await trial.ask(wrong.detail);
  }
}

/** On for so long that the lost configuration bites, off and on again, and signed in at. */
async function seenEverywhere(trial: Trial): Promise<void> {
  const { secureAccess } = trial.tenant;
  const call = { signal: new AbortController().signal, now: trial.about.now };
  await secureAccess.addToLostGroup(await secureAccess.readMembership(pat.user, call), call);
  await trial.laptop(pat.serial, { do: 'online', place: 'cafe' });
  await trial.ageBy(95 * minuteMs);
  await trial.laptop(pat.serial, { do: 'offline' });
  await trial.laptop(pat.serial, { do: 'online', place: 'home' });
  await trial.ageBy(15 * minuteMs);
  await trial.laptop(pat.serial, { do: 'sign-in' });
}

async function firstLook(trial: Trial): Promise<void> {
  await seenEverywhere(trial);
  const { client: _, source: __, ...device } = await managed(trial, pat.serial);
  const looked = await trial.step('first look', async () => {
    const workflowId = 'lost-device:matrix:SN0042';
    const { unreadable, ...seen } = await trial.activities.firstLook({ ...trial.about, workflowId, device });
    // The case says so, and the watch reads that feed again.
    if (unreadable.length > 0) throw new VendorUnavailable('LDP_UNREACHABLE', unreadable.join('; '));
    return seen;
  });
  trial.find('feeds', looked.feeds.map(({ name }) => name).sort());
  trial.find(
    'seen by',
    [...new Set(looked.sightings.map(({ source, feed, evidence }) => `${source}/${feed}: ${evidence}`))].sort(),
  );
}

/** The standing watch: what it has seen is signalled to the case, once. */
async function watchFeed(trial: Trial, plugin: string, feed: string): Promise<void> {
  await seenEverywhere(trial);
  const { client: _, source: __, ...names } = await managed(trial, pat.serial);
  const opened = await openCase(trial, pat.serial, { names });
  const heard = async () => (await signalsOf(trial, opened)).flatMap(({ sightings }) => sightings);
  await trial.watch(
    `watch ${feed}`,
    () => trial.activities.watchFeed({ tenant: trial.tenant.name, plugin, feed }),
    async () => (await heard()).length > 0,
  );
  const sightings = await heard();
  trial.find('heard', [...new Set(sightings.map(({ evidence }) => evidence))]);
  trial.find('heard twice', sightings.length - new Set(sightings.map(({ id }) => id)).size);
}

async function tellOfLosses(trial: Trial): Promise<void> {
  for (const serial of ['SN0042', 'SN0050']) await openCase(trial, serial, { names: { serial }, site: 'Office' });
  const alarms = await trial.step('tell of several losses', async () => {
    const raised = await trial.activities.alarmPatterns(trial.about);
    // Reconciliation comes again.
    if (raised.untold.length > 0) throw new VendorUnavailable('LDP_UNREACHABLE', raised.untold.join('; '));
    return raised.alarms;
  });
  trial.find('alarms', alarms.length > 0);
}

/** A case that no worker runs: visibility knows it, and its history keeps what it is told. */
async function openCase(trial: Trial, serial: string, memo: Record<string, unknown>): Promise<string> {
  const { client, name: tenant } = { client: trial.house.client, name: trial.tenant.name };
  const workflowId = workflowIds.lostDevice(tenant, serial);
  await client.workflow.start('lostDevice', {
    workflowId,
    taskQueue: 'nobody',
    workflowIdConflictPolicy: 'USE_EXISTING',
    memo,
    typedSearchAttributes: [{ key: caseAttributes.tenant, value: tenant }],
  });
  for (const endMs = Date.now() + 30_000; ; await setTimeout(50)) {
    const { count } = await client.workflow.count(`WorkflowId = '${workflowId}' AND ExecutionStatus = 'Running'`);
    if (count > 0) return workflowId;
    if (Date.now() > endMs) throw new Error(`Visibility does not show ${workflowId}`);
  }
}

async function signalsOf(trial: Trial, workflowId: string): Promise<SightingBatch[]> {
  const { events } = await trial.house.client.workflow.getHandle(workflowId).fetchHistory();
  return (events ?? []).flatMap(({ workflowExecutionSignaledEventAttributes: signal }) =>
    (signal?.input?.payloads ?? []).map((payload) => defaultPayloadConverter.fromPayload<SightingBatch>(payload)),
  );
}
