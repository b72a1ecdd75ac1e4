/**
 * What a story can do to the simulated world, and how it looks at cases: over HTTP, as anybody could.
 * @module
 */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { request } from 'undici';
import type { CaseClient } from '../client/cases';
import { createCaseClient } from '../client/cases';
import type { Guards } from '../client/guard';
import { createGuards } from '../client/guard';
import type { CaseState } from '../playbook/case';
import { connectTemporal } from '../temporal/connect';
import { taskQueues, workflowIds } from '../workflows/ids';
import type { Decision } from '../workflows/messages';
import type { Reconciled } from '../workflows/reconciliation';
import { signedHeaders } from '../simulator/sign';
import type { Mail, Stage } from './stage';
import { tenant } from './stage';

export interface VendorCall {
  at: string;
  vendor: string;
  method: string;
  path: string;
  status: number;
  changed: string | null;
}

/** An incident at the pager. */
export interface Incident {
  dedupKey: string;
  summary: string;
  status: 'triggered' | 'acknowledged' | 'resolved';
}

export interface World {
  cases: CaseClient;
  guards: Guards;
  /** Call a control route of the simulator. */
  control<T>(method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown): Promise<T>;
  /** Send a signed webhook to the house, as a ticket desk does. Throws when it is not taken. */
  webhook(source: string, body: unknown): Promise<void>;
  /** Somebody opens a ServiceNow ticket, and ServiceNow tells the house. Resolves with its number. */
  openTicket(fields: Record<string, string>): Promise<string>;
  describe(workflowId: string): Promise<CaseState>;
  /** What the archive holds under this key, as text. Rejects when there is nothing. */
  archived(key: string): Promise<string>;
  /** Mails that were sent, oldest first. */
  mails(): Mail[];
  /** Wait until the case is so; throws with the reason when it takes too long (milliseconds). */
  until(workflowId: string, what: string, ready: (state: CaseState) => boolean, withinMs?: number): Promise<CaseState>;
  /** Wait until something is found. A look may fail; throws when it takes too long (milliseconds). */
  untilFound<T>(what: string, look: () => Promise<T | undefined> | T | undefined, withinMs?: number): Promise<T>;
  /** Let the simulator's clock jump; ours runs on as it does. */
  advance(ms: number): Promise<void>;
  /** The look of the house for what nobody tells it, now and not in its time. Resolves when it is done. */
  reconcile(): Promise<Reconciled>;
  decision(reason: string, person?: string): Decision;
  close(): Promise<void>;
}

export async function openWorld(stage: Stage): Promise<World> {
  const connection = await connectTemporal(Connection, stage.settings, stage.house.addresses.temporal);
  const client = new Client({ connection, namespace: stage.settings.temporal.namespace });
  const cases = createCaseClient({
    client,
    indexKey: '',
    eager: false,
    findClosing: () => Promise.resolve(undefined),
  });
  const describe = async (workflowId: string) => (await cases.show(workflowId)) as CaseState;
  const control: World['control'] = async (method, path, body) => {
    const answer = await request(`${stage.simulator}${path}`, {
      method,
      ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    const text = await answer.body.text();
    if (answer.statusCode >= 300) throw new Error(`${method} ${path}: ${answer.statusCode} ${text}`);
    return (text ? JSON.parse(text) : undefined) as never;
  };
  const webhook: World['webhook'] = async (source, body) => {
    const text = JSON.stringify(body);
    const answer = await request(`${stage.house.addresses.webhooks}/webhooks/tickets/${source}`, {
      method: 'POST',
      body: text,
      headers: signedHeaders(stage.webhookSecret, text, `msg_${randomUUID()}`),
    });
    const said = await answer.body.text();
    if (answer.statusCode >= 300) throw new Error(`The webhook was answered ${answer.statusCode} ${said}`);
  };
  return {
    cases,
    guards: createGuards(client, stage.settings.tenants),
    archived: (key) => readFile(join(dirname(stage.settingsFile), 'archive', key), 'utf8'),
    describe,
    control,
    mails: () => [...stage.mails],
    webhook,
    async openTicket(fields) {
      const ticket = await control<{ number: string }>('POST', '/control/tickets', {
        category: 'equipment_loss',
        ...fields,
      });
      await webhook('servicenow', { ticket: ticket.number });
      return ticket.number;
    },
    async until(workflowId, what, ready, withinMs = 30_000) {
      let is = 'not there';
      const find = async () => {
        const state = await describe(workflowId);
        if (!('containment' in state)) return undefined;
        is = `${state.containment.state}, ${state.configuration.state}, ${state.presence.state}, ${state.outcome}`;
        return ready(state) ? state : undefined;
      };
      return untilFound(what, find, withinMs).catch((error: unknown) => {
        throw new Error(`${(error as Error).message} The case is: ${is}.`);
      });
    },
    untilFound,
    async advance(advanceMs) {
      await control('POST', '/control/clock', { advanceMs });
    },
    reconcile: () =>
      client.workflow.execute<(input: { tenant: string }) => Promise<Reconciled>>('reconciliation', {
        workflowId: `${workflowIds.reconciliation(tenant)}:${randomUUID()}`,
        taskQueue: taskQueues.main,
        args: [{ tenant }],
      }),
    decision: (reason, person = 'ana (demo analyst)') => ({
      id: randomUUID(),
      actor: { person, authenticated: false, how: 'demo' },
      reason,
    }),
    close: () => connection.close(),
  };
}

async function untilFound<T>(
  what: string,
  look: () => Promise<T | undefined> | T | undefined,
  withinMs = 30_000,
): Promise<T> {
  let failed = '';
  for (const endMs = Date.now() + withinMs; Date.now() < endMs; await setTimeout(150)) {
    try {
      const found = await look();
      if (found !== undefined) return found;
      failed = '';
    } catch (error) {
      failed = ` The last look failed: ${error instanceof Error ? error.message : String(error)}.`;
    }
  }
  throw new Error(`Waited ${withinMs / 1000} s for: ${what}.${failed}`);
}
