/**
 * What a story can do to the simulated world, and how it looks at cases: over HTTP, as anybody could.
 * @module
 */
import { randomUUID } from 'node:crypto';
import { Client } from '@temporalio/client';
import { Connection } from '@temporalio/client';
import { request } from 'undici';
import type { CaseClient } from '../client/cases';
import { createCaseClient } from '../client/cases';
import type { CaseState } from '../playbook/case';
import type { Decision } from '../workflows/messages';
import { signedHeaders } from '../simulator/sign';
import type { Stage } from './stage';

export interface VendorCall {
  at: string;
  vendor: string;
  method: string;
  path: string;
  status: number;
  changed: string | null;
}

export interface World {
  cases: CaseClient;
  /** Call a control route of the simulator. */
  control<T>(method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown): Promise<T>;
  /** Send a signed webhook to the house, as a ticket desk does. */
  webhook(
    source: string,
    body: unknown,
    deliveryId?: string,
  ): Promise<{ status: number; body: { case?: string; outcome?: string } }>;
  describe(workflowId: string): Promise<CaseState>;
  /** Wait until the case is so; throws with the reason when it takes too long (milliseconds). */
  until(workflowId: string, what: string, ready: (state: CaseState) => boolean, withinMs?: number): Promise<CaseState>;
  decision(reason: string): Decision;
  close(): Promise<void>;
}

export async function openWorld(stage: Stage): Promise<World> {
  const connection = await Connection.connect({ address: stage.house.addresses.temporal });
  const cases = createCaseClient({
    client: new Client({ connection, namespace: stage.settings.temporal.namespace }),
    indexKey: '',
    eager: false,
    findClosing: () => Promise.resolve(undefined),
  });
  const describe = async (workflowId: string) => (await cases.show(workflowId)) as CaseState;
  return {
    cases,
    describe,
    async control(method, path, body) {
      const answer = await request(`${stage.simulator}${path}`, {
        method,
        ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      });
      const text = await answer.body.text();
      if (answer.statusCode >= 300) throw new Error(`${method} ${path}: ${answer.statusCode} ${text}`);
      return (text ? JSON.parse(text) : undefined) as never;
    },
    async webhook(source, body, deliveryId = `msg_${randomUUID()}`) {
      const text = JSON.stringify(body);
      const answer = await request(`${stage.house.addresses.webhooks}/webhooks/tickets/${source}`, {
        method: 'POST',
        body: text,
        headers: signedHeaders(stage.webhookSecret, text, deliveryId),
      });
      return { status: answer.statusCode, body: (await answer.body.json()) as { case?: string; outcome?: string } };
    },
    async until(workflowId, what, ready, withinMs = 30_000) {
      const endMs = Date.now() + withinMs;
      let state: CaseState | undefined;
      for (;;) {
        state = await describe(workflowId).catch(() => undefined);
        if (state && 'containment' in state && ready(state)) return state;
        if (Date.now() > endMs) {
          const is =
            state && 'containment' in state
              ? `${state.containment.state}, ${state.configuration.state}, ${state.presence.state}, ${state.outcome}`
              : 'not there';
          throw new Error(`Waited ${withinMs / 1000} s for: ${what}. The case is: ${is}.`);
        }
        await new Promise((resolve) => setTimeout(resolve, 150));
      }
    },
    decision: (reason) => ({
      id: randomUUID(),
      actor: { person: 'ana (demo analyst)', authenticated: false, how: 'demo' },
      reason,
    }),
    close: () => connection.close(),
  };
}
