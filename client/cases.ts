/**
 * How everybody outside reaches cases: hand a report in, list, describe, decide. Needs a Temporal client and nothing else
 * of the house; the closing records come from the archive, through a function that the caller gives.
 * @module
 */
import { createHmac } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import {
  isGrpcServiceError,
  ServiceError,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
} from '@temporalio/client';
import type { UpdateDefinition } from '@temporalio/common';
import { ApplicationFailure } from '@temporalio/common';
import type { CaseState, ClosingRecord } from '../playbook/case';
import { describeDevice } from '../playbook/device';
import { asMarkdown, onOneLine } from '../playbook/plain-text';
import type { Report, TicketRef } from '../playbook/report';
import { canonicalSerial, nameTicket } from '../playbook/report';
import type { Rules } from '../playbook/rules';
import { taskQueues, workflowIds } from '../workflows/ids';
import type { CaseInput, Decided, Decision, PageAcknowledged, TriageInput, TriageState } from '../workflows/messages';
import { askAgain, describe, knock, pageAcknowledged, reportReceived } from '../workflows/messages';
import { caseAttributes } from '../workflows/search-attributes';
import { ask } from './ask';
import { readDecision } from './decision';

/** A case that a rule refused to change: exit code 3 on the command line, 409 over HTTP. */
export class RefusedByRule extends Error {
  override readonly name = 'RefusedByRule';
}

export interface Taken {
  /** What became of the report. */
  outcome: 'opened' | 'joined' | 'in triage' | 'already closed';
  workflowId: string;
}

export interface CaseClientOptions {
  client: Client;
  /** Key of the hashes in search attributes. */
  indexKey: string;
  /** Workflow ids hold keyed hashes in the place of serials, tickets and users. */
  hideNames?: boolean;
  /** The worker shares this process and this client's native connection, so the first step can start at once. */
  eager: boolean;
  findClosing(tenant: string, ticket: TicketRef): Promise<ClosingRecord | undefined>;
}

/** Temporal takes a summary of 400 bytes (characters: each is three at most). */
const longestSummary = 130;

/** How often a decision is sent that comes at a bad moment; 19 s in all. */
const mostTries = 20;

/**
 * The decision was not taken, and would be a moment later: the case went on as a new run (FAILED_PRECONDITION, gRPC 9), the
 * server holds ten decisions of this case, which is all it does (RESOURCE_EXHAUSTED, 8), or it let go of those that it held
 * (by its words: as UNAVAILABLE it would say that Temporal is away).
 */
function cameAtABadMoment(error: unknown): boolean {
  if (!(error instanceof ServiceError) || !isGrpcServiceError(error.cause)) return false;
  const { code, message } = error.cause;
  return [8, 9].includes(Number(code)) || message.includes('update was aborted');
}

/** It reached a worker together with news (workflows/interceptors.ts), and left nothing behind: it comes again after a knock. */
const cameWithNews = (error: unknown) =>
  error instanceof WorkflowUpdateFailedError && error.cause?.message.includes(askAgain) === true;

/** What a case says of itself beside its search attributes. */
interface Memo {
  openedAt?: string;
  names?: Record<string, string>;
  tickets?: string[];
}

/** A row of the list: what visibility knows, no query of the case needed. */
export interface CaseSummary {
  workflowId: string;
  /** A laptop that was lost twice has two cases of one workflow id. */
  runId: string;
  kind: 'case' | 'triage';
  tenant: string;
  running: boolean;
  outcome: string;
  device?: string;
  user?: string;
  /** Desk and number of each. */
  tickets?: string[];
  containment?: string;
  configuration?: string;
  presence?: string;
  needs?: string;
  openedAt: string;
  closedAt?: string;
}

export type CaseClient = ReturnType<typeof createCaseClient>;

export function createCaseClient({ client, indexKey, hideNames = false, eager, findClosing }: CaseClientOptions) {
  const keyOf = (kind: string, value: string) =>
    createHmac('sha256', indexKey).update(`${kind}:${value.toLowerCase()}`).digest('base64url').slice(0, 22);
  const inId = (kind: string, value: string) => (hideNames ? keyOf(kind, value) : value);
  /** The ids that would tell a name. Two processes that disagree about the key or the hiding make two cases of one device. */
  const ids = {
    lostDevice: (tenant: string, serial: string) => workflowIds.lostDevice(tenant, inId('serial', serial)),
    triage: (tenant: string, ticket: TicketRef) =>
      workflowIds.triage(
        tenant,
        hideNames ? { ...ticket, id: keyOf('ticket', `${ticket.source}:${ticket.id}`) } : ticket,
      ),
    userHold: (tenant: string, user: string) => workflowIds.userHold(tenant, inId('user', user)),
  };

  /**
   * Store a report and say what became of it. When it returns, the report is in Temporal's database, whether a worker
   * runs or not. Safe to repeat: the workflow id is the device's (or the ticket's), and the case drops a delivery id it
   * knows already.
   */
  async function handIn(given: Report, rules: Rules, as: 'case or triage' | 'case' = 'case or triage'): Promise<Taken> {
    const report: Report = {
      ...given,
      ticket: { ...given.ticket, key: keyOf('ticket', `${given.ticket.source}:${given.ticket.id}`) },
    };
    const serial = canonicalSerial(report.device.serial);
    const named =
      serial ??
      (as === 'case' && report.device.nsdeviceuid ? `UID-${report.device.nsdeviceuid.toUpperCase()}` : undefined);
    const direct = named !== undefined && (report.verified || as === 'case');
    const workflowId = direct ? ids.lostDevice(report.tenant, named) : ids.triage(report.tenant, report.ticket);
    const user = report.user ? { user: report.user } : {};
    const kind = report.answers.kind === 'stolen' ? 'Stolen' : 'Lost';
    const started: Taken = { outcome: direct ? 'opened' : 'in triage', workflowId };

    // The first loss takes one call. Only when this device (or ticket) was seen before is there anything to look up.
    let reuse: 'REJECT_DUPLICATE' | 'ALLOW_DUPLICATE' = 'REJECT_DUPLICATE';
    for (;;) {
      try {
        await client.workflow.start<(input: CaseInput | TriageInput) => Promise<unknown>>(
          direct ? 'lostDevice' : 'triage',
          {
            workflowId,
            taskQueue: taskQueues.main,
            args: [{ report, rules }],
            workflowIdReusePolicy: reuse,
            workflowIdConflictPolicy: 'FAIL',
            requestEagerStart: eager,
            staticSummary: asMarkdown(
              onOneLine(`${kind}: ${describeDevice({ ...report.device, ...user })}`, longestSummary),
            ),
            staticDetails: asMarkdown(`Ticket ${nameTicket(report.ticket)}`),
            memo: {
              names: { ...report.device, ...user },
              tickets: [nameTicket(report.ticket)],
            },
            typedSearchAttributes: [
              { key: caseAttributes.tenant, value: report.tenant },
              { key: caseAttributes.outcome, value: 'open' },
              { key: caseAttributes.tickets, value: [report.ticket.key as string] },
            ],
          },
        );
        return started;
      } catch (error) {
        if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      }
      const handle = client.workflow.getHandle(workflowId);
      const { status } = await handle.describe();
      // A ticket that was closed with another loss of this device starts nothing, and joins nothing either. Where its case
      // moved here, it is this case's ticket.
      const closing = await findClosing(report.tenant, report.ticket);
      const ours = status.name === 'RUNNING' && closing?.movedTo === workflowId;
      if (closing !== undefined && !ours) return { outcome: 'already closed', workflowId };
      if (status.name === 'RUNNING') {
        try {
          await handle.signal(reportReceived, report);
          return { outcome: direct ? 'joined' : 'in triage', workflowId };
        } catch (error) {
          if (!(error instanceof WorkflowNotFoundError)) throw error; // It closed in this moment: look again.
        }
        continue;
      }
      reuse = 'ALLOW_DUPLICATE';
    }
  }

  /**
   * Newest first: what is open; with `closedSince` (ISO 8601) what was closed since, and what is written off or wiped and listens, as
   * well; with `all` everything. Visibility lags a moment behind.
   */
  async function list(options: { all?: boolean; closedSince?: string; tenant?: string } = {}): Promise<CaseSummary[]> {
    const conditions = ["WorkflowType IN ('lostDevice', 'triage')"];
    const running = "ExecutionStatus = 'Running'";
    if (options.closedSince) conditions.push(`(${running} OR CloseTime >= '${options.closedSince}')`);
    // Closing cases are shown: something may keep their last words waiting.
    else if (!options.all) conditions.push(`${running} AND LostDeviceOutcome NOT IN ('written off', 'wiped')`);
    if (options.tenant) conditions.push(`LostDeviceTenant = '${options.tenant.replaceAll("'", '')}'`);
    const rows: CaseSummary[] = [];
    for await (const found of client.workflow.list({ query: conditions.join(' AND ') })) {
      if (found.status.name === 'CONTINUED_AS_NEW') continue;
      const { names = {}, tickets, openedAt } = (found.memo ?? {}) as Memo;
      const attribute = (key: { name: string }) => {
        const value = found.typedSearchAttributes.getAll().find((pair) => pair.key.name === key.name)?.value;
        return typeof value === 'string' ? value : undefined;
      };
      const optional = {
        device: names.hostname ?? names.serial ?? names.nsdeviceuid,
        user: names.user,
        tickets,
        containment: attribute(caseAttributes.containment),
        configuration: attribute(caseAttributes.configuration),
        presence: attribute(caseAttributes.presence),
        needs: attribute(caseAttributes.needs),
        closedAt: found.closeTime?.toISOString(),
      };
      rows.push({
        workflowId: found.workflowId,
        runId: found.runId,
        kind: found.type === 'triage' ? 'triage' : 'case',
        tenant: attribute(caseAttributes.tenant) ?? '',
        running: found.status.name === 'RUNNING',
        outcome: attribute(caseAttributes.outcome) ?? 'open',
        // A case goes on in many runs; each of them began later.
        openedAt: openedAt ?? found.startTime.toISOString(),
        ...(Object.fromEntries(
          Object.entries(optional).filter(([, value]) => value !== undefined),
        ) as Partial<CaseSummary>),
      });
    }
    return rows.sort((a, b) => b.openedAt.localeCompare(a.openedAt));
  }

  /**
   * The whole case or triage. Answers for closed ones too, within the server's retention.
   * @param options.runId of an earlier case of the same laptop; left out, the newest.
   * @param options.withinMs how long Temporal and a worker may take (milliseconds).
   */
  const show = (workflowId: string, { runId, withinMs = 30_000 }: { runId?: string; withinMs?: number } = {}) =>
    ask<CaseState | TriageState>(client, workflowId, describe, { runId, withinMs });

  /**
   * Find the workflow that a person means: a full workflow id, a serial, a ticket id, a hostname or a user. An open case
   * goes before one that is written off or wiped and listens, and that before closed ones. Throws `RefusedByRule` when it is not exactly one.
   */
  async function resolve(text: string): Promise<string> {
    if (text.startsWith('lost-device')) return text;
    const wanted = text.toLowerCase();
    const all = await list({ all: true });
    const fits = all.filter(
      (row) =>
        row.workflowId.toLowerCase().split(':').slice(2).join(':') === wanted ||
        row.workflowId.toLowerCase().endsWith(`:${wanted}`) ||
        row.workflowId.endsWith(`:${keyOf('serial', text)}`) ||
        row.device?.toLowerCase() === wanted ||
        row.user?.toLowerCase() === wanted ||
        row.tickets?.some((ticket) => [ticket, ticket.split(' ')[1]].some((name) => name?.toLowerCase() === wanted)),
    );
    const running = fits.filter((row) => row.running);
    const open = running.filter(({ outcome }) => outcome !== 'written off' && outcome !== 'wiped');
    const nearest = [open, running, fits].find((rows) => rows.length > 0) ?? [];
    const ids = [...new Set(nearest.map((row) => row.workflowId))];
    if (ids.length === 1) return ids[0] as string;
    if (ids.length === 0)
      throw new RefusedByRule(`No case fits "${text}". \`lost-device list --all\` shows every case.`);
    throw new RefusedByRule(`"${text}" fits ${ids.length} cases: ${ids.join(', ')}. Give the full id.`);
  }

  /**
   * Send a person's decision. A repeat with the same decision id changes nothing.
   * @throws BadInput LDP_BAD_INPUT for a text that is too long; RefusedByRule when the case says no.
   */
  async function decide<D extends Decision>(
    workflowId: string,
    update: UpdateDefinition<Decided, [D]>,
    given: D,
  ): Promise<Decided> {
    const decision = readDecision(given);
    const handle = client.workflow.getHandle(workflowId);
    let withNews = false;
    for (let tries = 1; ; tries += 1) {
      try {
        if (withNews) await handle.signal(knock);
        return await handle.executeUpdate(update, { args: [decision], updateId: decision.id });
      } catch (error) {
        withNews = cameWithNews(error);
        if (tries < mostTries && (withNews || cameAtABadMoment(error))) {
          await setTimeout(100 * tries);
          continue;
        }
        if (error instanceof WorkflowUpdateFailedError && error.cause instanceof ApplicationFailure)
          throw new RefusedByRule(error.cause.message);
        if (error instanceof WorkflowNotFoundError)
          throw new RefusedByRule(`${workflowId} is closed: nothing can be decided in it any more.`);
        throw error;
      }
    }
  }

  /**
   * Tell a case that somebody acknowledged its page. Safe to repeat: the case knows the ids of recent ones. Whoever can write
   * incidents of one tenant reaches no other tenant's case.
   */
  async function acknowledged(tenant: string, news: PageAcknowledged): Promise<'told' | 'closed' | 'not ours'> {
    // An incident begins with the chain of its case: workflow id, tilde, run id. What follows may hold any text.
    const workflowId = /^(.+)~[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}:/.exec(news.incident)?.[1];
    if (!workflowId?.startsWith(workflowIds.lostDevice(tenant, ''))) return 'not ours';
    try {
      await client.workflow.getHandle(workflowId).signal(pageAcknowledged, news);
      return 'told';
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return 'closed';
      throw error;
    }
  }

  return { handIn, acknowledged, list, show, resolve, decide, keyOf, ids };
}
