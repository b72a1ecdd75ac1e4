/**
 * `npm run histories -- 3-name`: plays a few short stories and writes what Temporal recorded to `recorded/3-name`. Later
 * versions of the playbook must be able to replay these: cases run for a year, and code does not. So a folder that has
 * landed is never recorded anew; a change of the workflows gets the next number.
 * @module
 */
import { randomUUID } from 'node:crypto';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { historyToJSON } from '@temporalio/common/lib/proto-utils';
import { workflowIds } from '../../workflows/ids';
import {
  acknowledge,
  answer,
  approveWipe,
  closeTask,
  falseAlarm,
  recovered,
  replaceDevice,
  reportSighting,
  requestWipe,
  retryStep,
  snooze,
  startClock,
  stateEncryption,
  writeOff,
} from '../../workflows/messages';
import { analyst, startTestHouse, tenant, type TestHouse } from '../setup/test-house';
import { fastForward } from '../setup/time-skipping';

const state = process.argv[2] ?? '';
if (!/^\d+-[a-z-]+$/.test(state)) throw new Error('Name the state, with the next number: npm run histories -- 3-wipe');
const recorded = join(__dirname, 'recorded', state);
/** Beside the old ones until every story was played: a recording that fails halfway must not take them away. */
const folder = join(__dirname, '.recording');
const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;

async function main(): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  const house = await startTestHouse({ guard: { protectedUsers: ['user0002@example.test'] } });
  try {
    await recoveredStory(house);
    await askedStory(house);
    await movedStory(house);
    await failingStory(house);
    await triageStory(house);
    await writtenOffStory(house);
    await house.reconcile();
    await keep(house, 'reconciliation', workflowIds.reconciliation(tenant));
    await keep(house, 'guard', workflowIds.guard(tenant));
    await keep(house, 'fleet-watch', workflowIds.fleetWatch(tenant, 'netskope', 'client-status'));
  } finally {
    await house.close();
  }
  const restless = await startTestHouse({
    with: { tag: true },
    dynamicConfig: { 'limit.historyCount.suggestContinueAsNew': 40 },
  });
  try {
    await restlessStory(restless);
  } finally {
    await restless.close();
  }
  const armed = await startTestHouse({
    with: { intune: true, crowdstrike: true, secrets: true },
    rules: { wipe: { waits: { settleMs: 300, lookFirstMs: 300, lookMaxMs: 600, askEveryMs: 400 } } },
    wipe: { dryRun: false, approvers: ['ben'] },
  });
  try {
    await wipedStory(armed);
  } finally {
    await armed.close();
  }
  rmSync(recorded, { recursive: true, force: true });
  renameSync(folder, recorded);
}

/** Stolen, proven, handed out a replacement, back again, recovered. */
async function recoveredStory(house: TestHouse): Promise<void> {
  const { serial, user, workflowId } = house.laptop();
  const { number } = await house.ticket({ u_serial: serial, caller: user });
  await house.report({
    source: 'servicenow',
    ticket: number,
    device: { serial },
    answers: { kind: 'stolen', vip: 'yes' },
  });
  await house.untilContained(workflowId);
  await house.move(serial, { do: 'online', place: 'home' });
  for (let passedMs = 0; passedMs < 100 * minuteMs; passedMs += 20 * minuteMs) await house.advance(20 * minuteMs);
  await house.untilCase(workflowId, 'biting', ({ configuration }) => configuration.state === 'biting');
  await house.move(serial, { do: 'offline' });
  await house.decide(workflowId, replaceDevice, {});
  await house.untilCase(workflowId, 'released', ({ containment }) => containment.armed);
  await house.advance(20 * minuteMs);
  await house.move(serial, { do: 'online' });
  await house.untilCase(workflowId, 'contained again', ({ containment }) => containment.times === 2);
  await house.decide(workflowId, recovered, {});
  await house.untilClosed(workflowId);
  await keep(house, 'case-recovered', workflowId);
  await keep(house, 'user-hold', workflowIds.userHold(tenant, user));
}

/** A protected person: asked, answered, a false alarm in the end. */
async function askedStory(house: TestHouse): Promise<void> {
  const { serial, workflowId } = house.laptop();
  await house.report({ ticket: 'ASKED-1', device: { serial } });
  await house.untilCase(workflowId, 'a question', ({ questions }) => questions.length > 0);
  await house.report({ ticket: 'ASKED-2', device: { serial }, answers: { powered: 'off' } });
  await house.decide(workflowId, answer, { value: 'yes' });
  await house.untilContained(workflowId);
  await house.decide(workflowId, falseAlarm, {});
  await house.untilClosed(workflowId);
  await keep(house, 'case-asked', workflowId);
}

/** A wrong serial: the case moves to the right device's, which goes on. */
async function movedStory(house: TestHouse): Promise<void> {
  const { serial, workflowId } = house.laptop();
  const wrong = workflowIds.lostDevice(tenant, 'SN7001');
  await house.report({ ticket: 'MOVED-1', device: { serial: 'SN7001' } });
  await house.untilCase(wrong, 'a question', ({ questions }) => questions.length > 0);
  await house.decide(wrong, answer, { value: serial });
  await house.untilClosed(wrong);
  await house.untilContained(workflowId);
  await keep(house, 'case-moved', wrong);
  await keep(house, 'case-open', workflowId);
}

/** Vendors that are away, and one that says no until a person retries. */
async function failingStory(house: TestHouse): Promise<void> {
  const { serial, workflowId } = house.laptop();
  await house.fault({ match: { path: '/api/v2/' }, times: 12, effect: { status: 503 } });
  await house.fault({ match: { method: 'PATCH', path: '/api/v2/scim/' }, times: 2, effect: { status: 403 } });
  await house.report({ ticket: 'FAILING-1', device: { serial } });
  const theMove = 'move the user into the lost group';
  await house.untilCase(workflowId, 'stuck', ({ steps }) => steps[theMove]?.state === 'stuck');
  await house.decide(workflowId, retryStep, {});
  await house.untilContained(workflowId);
  await house.decide(workflowId, recovered, {});
  await house.untilClosed(workflowId);
  await keep(house, 'case-failing', workflowId);
}

/** A ticket that names nobody: asked, and handed over. */
async function triageStory(house: TestHouse): Promise<void> {
  const { serial, workflowId } = house.laptop();
  const { number } = await house.ticket({});
  const { workflowId: triage } = await house.report({ source: 'servicenow', ticket: number });
  await house.untilTriage(triage, 'a question', ({ question }) => question !== undefined);
  await house.decide(triage, answer, { value: serial });
  await house.untilContained(workflowId);
  await keep(house, 'triage', triage);
}

/** Silent for a month: people are called, tasks and a clock of the law, written off, back again, recovered. */
async function writtenOffStory(house: TestHouse): Promise<void> {
  const { serial, workflowId } = house.laptop();
  const { number } = await house.ticket({ u_serial: serial });
  await house.report({ source: 'servicenow', ticket: number, device: { serial }, answers: { kind: 'stolen' } });
  await house.untilContained(workflowId);
  await house.decide(workflowId, startClock, { clock: 'nis2', awareAt: new Date().toISOString() });
  await house.decide(workflowId, stateEncryption, { answer: 'yes' });
  await house.decide(workflowId, closeTask, { task: 'nis2-warning', as: 'done' });
  await house.decide(workflowId, closeTask, { task: 'nis2-notification', as: 'not needed' });
  await fastForward(house.handle(workflowId), 'lost mode proposed, tasks late', 2 * dayMs);
  await house.untilCase(workflowId, 'asked', ({ questions }) => questions.length > 0);
  await house.decide(workflowId, answer, { value: 'done', questionId: 'propose: lost mode' });
  await house.decide(workflowId, snooze, { rung: 'task-late/task late: legal', until: soon(3) });
  await house.untilCase(workflowId, 'called', ({ escalation: { rungs } }) =>
    Object.values(rungs).some(({ rung, called }) => rung === 'task-late' && called > 0),
  );
  await house.decide(workflowId, acknowledge, { rung: 'task-late/task late: carrier' });
  await house.decide(workflowId, writeOff, {});
  await house.untilCase(workflowId, 'listening', ({ listening }) => listening !== undefined);
  const { runId } = await house.handle(workflowId).describe();
  await house.decide(workflowId, reportSighting, { at: new Date().toISOString(), what: 'Handed in at the desk' });
  await house.untilContained(workflowId);
  await house.decide(workflowId, recovered, {});
  await house.untilClosed(workflowId);
  await keep(house, 'case-written-off', workflowId, runId);
  await keep(house, 'case-reopened', workflowId);
}

/** Asked for by one, approved by another, held by a freeze, sent while offline, wiped, isolated, closed; and enrolled anew. */
async function wipedStory(house: TestHouse): Promise<void> {
  const { serial, workflowId } = house.laptop();
  const { number } = await house.ticket({ u_serial: serial });
  await house.report({ source: 'servicenow', ticket: number, device: { serial }, answers: { kind: 'stolen' } });
  await house.untilContained(workflowId);
  await house.house.guards.freeze(tenant, decision('a drill'));
  await house.decide(workflowId, requestWipe, {});
  await house.untilCase(workflowId, 'prepared', ({ wipe }) => wipe.plan !== undefined);
  await house.decide(workflowId, approveWipe, { actor: { ...analyst, person: 'ben' } });
  await house.untilCase(workflowId, 'held', ({ wipe }) => wipe.held?.by === 'the guard');
  await house.house.guards.unfreeze(tenant, decision('the drill is over'));
  await house.untilCase(workflowId, 'queued', ({ wipe }) => wipe.state === 'queued');
  await house.move(serial, { do: 'online', place: 'cafe' });
  for (let passedMs = 0; passedMs < 3 * minuteMs; passedMs += minuteMs / 2) await house.advance(minuteMs / 2);
  await house.untilCase(workflowId, 'asked to close', ({ questions }) =>
    questions.some(({ id }) => id === 'propose: close as wiped'),
  );
  await house.decide(workflowId, answer, { questionId: 'propose: close as wiped', value: 'yes' });
  await house.untilCase(workflowId, 'listening', ({ listening }) => listening !== undefined);
  const { runId } = await house.handle(workflowId).describe();
  await house.advance(minuteMs);
  await house.move(serial, { do: 'enrol-again', place: 'home' });
  await house.untilCase(workflowId, 'open again', ({ reopened }) => reopened === 1);
  await house.untilContained(workflowId);
  await house.decide(workflowId, recovered, {});
  await house.untilClosed(workflowId);
  await keep(house, 'case-wiped', workflowId, runId);
  await keep(house, 'case-enrolled-anew', workflowId);
  await keep(house, 'guard-frozen', workflowIds.guard(tenant));
}

const decision = (reason: string) => ({ id: randomUUID(), actor: analyst, reason });

const soon = (days: number) => new Date(Date.now() + days * dayMs).toISOString();

/** A case that went on as a new run: the last run. */
async function restlessStory(house: TestHouse): Promise<void> {
  const { serial, workflowId } = house.laptop();
  await house.report({ ticket: 'RESTLESS-1', device: { serial } });
  await house.untilContained(workflowId);
  await house.decide(workflowId, recovered, {});
  await house.untilClosed(workflowId);
  await keep(house, 'case-continued', workflowId);
}

/** Without what replay does not need and nobody else should have: names of the machine, and paths in stack traces. */
async function keep(house: TestHouse, name: string, workflowId: string, runId?: string): Promise<void> {
  const history = await house.client.workflow.getHandle(workflowId, runId).fetchHistory();
  const bare = JSON.parse(historyToJSON(history), (key, value: unknown) => {
    if (key === 'identity' || key === 'stackTrace') return undefined;
    return key === 'taskQueue' && (value as { normalName?: string }).normalName ? { name: 'sticky' } : value;
  }) as { events: unknown[] };
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify({ workflowId, history: bare })}\n`);
  process.stderr.write(`${name}: ${bare.events.length} events\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = 1;
});
