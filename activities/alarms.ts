/**
 * Steps of reconciliation that look at the house itself, and page people for what nobody else would tell: a case that
 * stands still cannot say so.
 *
 * Idempotency: the archive remembers what each notifier has told, and is written after the page. A worker that dies in
 * between pages again, under the same key, which receivers drop; the other order could lose the one page that matters.
 * @module
 */
import { setTimeout } from 'node:timers/promises';
import type { Client, WorkflowExecutionInfo } from '@temporalio/client';
import { defineSearchAttributeKey } from '@temporalio/common';
import { tsToMs } from '@temporalio/common/lib/time';
import { archiveKeys } from '../playbook/archive-keys';
import { clockTime } from '../playbook/clock-time';
import type { DeviceNames } from '../playbook/device';
import type { Severity } from '../playbook/ladder';
import { nextRecord, type CheckRecord } from '../playbook/prerequisites';
import { findPatterns, type Opening } from '../playbook/pattern';
import { shortHash } from '../playbook/short-hash';
import { OutcomeUnknown } from '../plugins/errors';
import type { Archive, Call, Notifier, Page } from '../plugins/roles';
import { workflowIds } from '../workflows/ids';
import { caseAttributes } from '../workflows/search-attributes';
import { callAt } from './call';
import type { House, Tenant } from './house';

/** One thing that is wrong. */
interface Alarm {
  /** It is told once a day under this name. */
  name: string;
  /** A few words for a subject. */
  about: string;
  /** One sentence for people. */
  says: string;
}

interface AlarmKind {
  kind: 'frozen' | 'no-worker' | 'pattern' | 'drift';
  severity: Severity;
  title: string;
  /** What people can do. */
  remedy: string;
}

/** What was found, whether it is told now or was before. */
export interface Raised {
  alarms: string[];
  /** Notifiers that failed, with the reason. The next reconciliation asks them again. */
  untold: string[];
}

/** Most workflows that one look reads. */
const readAtMost = 500;
const toldAtMost = 20;
const nothing: Raised = { alarms: [], untold: [] };

/** A queue is empty only when it still is after this long (milliseconds): the house may just have started. */
const lookAgainAfterMs = 10_000;

export function createAlarmActivities(house: House) {
  /** Cases, triages and standing workflows of the tenant whose program cannot go on. People are paged. */
  async function alarmFrozen(input: { tenant: string; now: string }): Promise<Raised> {
    const tenant = house.tenant(input.tenant);
    const standing = [
      workflowIds.guard(tenant.name),
      ...tenant.feeds.map(({ plugin, feed }) => workflowIds.fleetWatch(tenant.name, plugin, feed.name)),
    ];
    const alarms = await findFrozen(
      house.client,
      `(LostDeviceTenant = ${quoted(tenant.name)} OR WorkflowId IN (${standing.map(quoted).join(', ')}) ` +
        `OR WorkflowId STARTS_WITH ${quoted(workflowIds.userHold(tenant.name, ''))})`,
    );
    return raise(tenant, frozenKind, alarms, callAt(input.now));
  }

  /**
   * The watch queue without a worker. (This runs on the main queue, which has one therefore; whoever takes the webhooks
   * looks at that.)
   */
  async function alarmMissingWorkers(input: { tenant: string; now: string }): Promise<Raised> {
    const call = callAt(input.now);
    const watchIsMissing = async () => (await house.missingWorkers()).includes('watch');
    if (!(await watchIsMissing())) return nothing;
    await setTimeout(lookAgainAfterMs, undefined, { signal: call.signal });
    if (!(await watchIsMissing())) return nothing;
    const says = 'No worker takes the watches of the feeds: no case hears of its device.';
    return raise(house.tenant(input.tenant), workerKind, [{ name: 'no-worker:watch', about: 'watches', says }], call);
  }

  /** Several losses in one site, team or hour. False alarms and moved cases do not count. */
  async function alarmPatterns(input: { tenant: string; now: string }): Promise<Raised> {
    const tenant = house.tenant(input.tenant);
    const { pattern } = tenant.settings;
    const openings = await openedSince(house.client, tenant.name, Date.parse(input.now) - pattern.withinMs);
    const alarms = findPatterns(openings, pattern).map((found) => ({ ...found, name: `pattern:${found.name}` }));
    return raise(tenant, patternKind, alarms, callAt(input.now));
  }

  /**
   * What was ready for a lost laptop and is not any more. Looked at now and then; the record of that look is told again until
   * everybody was told. Where nobody looked before, nothing has drifted.
   */
  async function alarmDrift(input: { tenant: string; now: string }): Promise<Raised> {
    const tenant = house.tenant(input.tenant);
    const call = callAt(input.now);
    const last = await lastCheck(tenant.archive, call);
    let record = last;
    if (!last || Date.parse(input.now) - Date.parse(last.at) >= tenant.settings.reconciliation.checkEveryMs) {
      record = nextRecord(last, await house.checkPrerequisites(tenant, call), input.now);
      const paper = Buffer.from(`${JSON.stringify(record)}\n`, 'utf8');
      await tenant.archive.putOnce(archiveKeys.check(input.now), paper, call);
    }
    const alarms = (record?.drifted ?? []).map(({ key, title, says }) => ({
      name: `drift:${key}`,
      about: title,
      says,
    }));
    return raise(tenant, driftKind, alarms, call);
  }

  return { alarmFrozen, alarmMissingWorkers, alarmPatterns, alarmDrift };
}

// --- telling people ------------------------------------------------------------------------------------------------

const frozenKind: AlarmKind = {
  kind: 'frozen',
  severity: 'critical',
  title: 'Frozen',
  remedy:
    'Nothing happens there until this is mended: no page, no proof, no decision is taken. What was done stays done. ' +
    'Put the last good release back, or mend the program: it then goes on by itself. Its last failed task says more: ' +
    'on the page of Temporal, or by `temporal workflow show --workflow-id ID`.',
};

const workerKind: AlarmKind = {
  kind: 'no-worker',
  severity: 'critical',
  title: 'No worker',
  remedy: 'Start a worker, and read what the last one said when it ended.',
};

const driftKind: AlarmKind = {
  kind: 'drift',
  severity: 'error',
  title: 'Not ready any more',
  remedy: 'It was well before. Mend it where it is set, then look again: `lost-device check`.',
};

const patternKind: AlarmKind = {
  kind: 'pattern',
  severity: 'error',
  title: 'Several losses together',
  remedy: 'Look at these cases together: it may be one thief, one break-in, or one mistake.',
};

/** In one page, what a notifier has not told within a day. One that fails keeps nobody from the others. */
async function raise(tenant: Tenant, kind: AlarmKind, alarms: Alarm[], call: Call): Promise<Raised> {
  const untold: string[] = [];
  for (const [name, notifier] of alarms.length === 0 ? [] : tenant.notifiers) {
    try {
      await tellOnce(tenant, { name, notifier }, kind, alarms, call);
    } catch (error) {
      call.signal.throwIfAborted();
      untold.push(`${name} did not tell it: ${error instanceof Error ? error.message : 'unknown error'}`);
    }
  }
  return { alarms: alarms.map(({ says }) => says), untold };
}

async function tellOnce(
  { name: tenant, archive, settings }: Tenant,
  { name, notifier }: { name: string; notifier: Notifier },
  kind: AlarmKind,
  alarms: Alarm[],
  call: Call,
): Promise<void> {
  const untold: (Alarm & { lastAt: string | undefined })[] = [];
  for (const alarm of alarms) {
    const lastAt = await lastTold(archive, alarm.name, name, call);
    const isRecent =
      lastAt !== undefined && Date.parse(call.now) - Date.parse(lastAt) < settings.reconciliation.sayAgainAfterMs;
    if (!isRecent) untold.push({ ...alarm, lastAt });
  }
  if (untold.length === 0) return;
  const more = untold.length - toldAtMost;
  const lines = untold.slice(0, toldAtMost).map(({ says }) => `- ${says}`);
  await pageThrough(
    notifier,
    {
      // The same until it is written down that it was told.
      key: `alarm:${kind.kind}:${tenant}:${shortHash(untold.map((alarm) => `${alarm.name} ${alarm.lastAt}`).join('\n'))}`,
      subject: `${kind.title}: ${untold.length === 1 ? untold[0]?.about : untold.length}`,
      text: [...lines, ...(more > 0 ? [`- and ${more} more.`] : []), '', kind.remedy].join('\n'),
      severity: kind.severity,
    },
    call,
  );
  for (const { name: alarm, says } of untold) {
    const paper = Buffer.from(`${JSON.stringify({ at: call.now, says })}\n`, 'utf8');
    await archive.putOnce(archiveKeys.alarm(alarm, name, call.now), paper, call);
  }
}

async function lastCheck(archive: Archive, call: Call): Promise<CheckRecord | undefined> {
  const newest = (await archive.list(archiveKeys.checks, call)).at(-1);
  const paper = newest === undefined ? undefined : await archive.get(newest, call);
  return paper && (JSON.parse(Buffer.from(paper).toString('utf8')) as CheckRecord);
}

async function lastTold(archive: Archive, alarm: string, notifier: string, call: Call): Promise<string | undefined> {
  const newest = (await archive.list(archiveKeys.alarms(alarm, notifier), call)).at(-1);
  const paper = newest === undefined ? undefined : await archive.get(newest, call);
  return paper && (JSON.parse(Buffer.from(paper).toString('utf8')) as { at: string }).at;
}

/**
 * A page that may have gone out is not sent again, unless the receiver drops repeats: two at night cost more trust than one
 * lost.
 */
export async function pageThrough(notifier: Notifier, page: Page, call: Call): Promise<void> {
  try {
    await notifier.page(page, call);
  } catch (error) {
    if (!(error instanceof OutcomeUnknown) || notifier.dropsRepeats) throw error;
  }
}

// --- looking -------------------------------------------------------------------------------------------------------

const problemsAttribute = defineSearchAttributeKey('TemporalReportedProblems', 'KEYWORD_LIST');

/** What Temporal calls it, in an analyst's words. Causes: temporal.api.enums.v1.WorkflowTaskFailedCause. */
const plainWords: [problem: string, words: string][] = [
  ['NonDeterministicError', 'the running program takes other steps than were taken before'],
  ['UnhandledFailure', 'the running program fails with a fault of its own'],
  ['WorkflowTaskTimedOut', 'the running program does not come to an end in time'],
];

/**
 * Running workflows whose task failed several times in a row (five, unless the server is told otherwise), as the server
 * reports it in the search attribute `TemporalReportedProblems` (Server 1.30 or newer).
 * @param which A visibility query.
 */
export async function findFrozen(client: Client, which: string): Promise<Alarm[]> {
  const query = `ExecutionStatus = 'Running' AND TemporalReportedProblems IS NOT NULL AND ${which}`;
  const alarms: Alarm[] = [];
  for (const found of await atMost(client, query)) {
    const { workflowId, runId } = found;
    // A task is due since; without one it has gone on meanwhile.
    const { raw } = await client.workflow.getHandle(workflowId, runId).describe();
    if (!raw.pendingWorkflowTask) continue;
    const since = new Date(tsToMs(raw.pendingWorkflowTask.originalScheduledTime)).toISOString();
    const problems = (found.typedSearchAttributes.get(problemsAttribute) ?? []).join(', ');
    const words = plainWords.find(([problem]) => problems.includes(problem))?.[1] ?? 'its task fails';
    const about = nameOf(memoOf([found]).names) ?? workflowId;
    alarms.push({
      name: `frozen:${workflowId}:${problems}`,
      about,
      says: `${about} stands still since ${clockTime(since)}: ${words} (${workflowId}; ${problems}).`,
    });
  }
  return alarms;
}

/**
 * Cases that were opened since then. One that went on as a new run is one opening, at its first run: the run before it
 * ended as continued in that moment.
 */
async function openedSince(client: Client, tenant: string, sinceMs: number): Promise<Opening[]> {
  const since = quoted(new Date(sinceMs).toISOString());
  const runs = await atMost(
    client,
    `WorkflowType = 'lostDevice' AND LostDeviceTenant = ${quoted(tenant)} AND ` +
      `(StartTime >= ${since} OR (ExecutionStatus = 'ContinuedAsNew' AND CloseTime >= ${since}))`,
  );
  const chains = new Map<string, [WorkflowExecutionInfo, ...WorkflowExecutionInfo[]]>();
  for (const run of runs.sort((a, b) => a.startTime.getTime() - b.startTime.getTime())) {
    const before = chains.get(run.workflowId);
    const goesOn = before?.at(-1)?.status.name === 'CONTINUED_AS_NEW';
    chains.set(run.workflowId, goesOn && before ? [...before, run] : [run]);
  }
  return [...chains].flatMap(([workflowId, chain]) => {
    const openedAt = chain[0].startTime;
    const outcome = chain.at(-1)?.typedSearchAttributes.get(caseAttributes.outcome);
    if (openedAt.getTime() < sinceMs || outcome === 'false alarm' || outcome === 'moved') return [];
    const { names, site, team } = memoOf(chain);
    return [
      {
        workflowId,
        device: nameOf(names) ?? workflowId,
        at: openedAt.toISOString(),
        ...(site !== undefined && { site }),
        ...(team !== undefined && { team }),
      },
    ];
  });
}

interface CaseMemo {
  names?: DeviceNames;
  site?: string;
  team?: string;
}

/** A new run begins with the memo of the opening, and says the rest a moment later: the runs before it know. */
function memoOf(runs: WorkflowExecutionInfo[]): CaseMemo {
  return runs
    .map(({ memo }) => (memo ?? {}) as CaseMemo)
    .reduce((known, memo) => ({ ...known, ...memo, names: { ...known.names, ...memo.names } }), {});
}

async function atMost(client: Client, query: string): Promise<WorkflowExecutionInfo[]> {
  const found: WorkflowExecutionInfo[] = [];
  for await (const each of client.workflow.list({ query })) {
    found.push(each);
    if (found.length === readAtMost) break;
  }
  return found;
}

function nameOf({ hostname, serial, nsdeviceuid }: DeviceNames = {}): string | undefined {
  return hostname ?? serial ?? nsdeviceuid;
}

const quoted = (text: string) => `'${text.replaceAll("'", '')}'`;
