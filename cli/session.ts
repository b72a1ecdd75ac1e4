/**
 * What every command shares: the global options, who is acting, the way to the cases, and how an answer is printed.
 * @module
 */
import { hostname, userInfo } from 'node:os';
import type { Command } from 'commander';
import type { CaseClient } from '../client/cases';
import { connect, type Connected } from './connect';
import type { Actor } from '../playbook/report';
import type { Settings, TenantSettings } from '../playbook/settings';
import { BadInput } from '../plugins/errors';
import { loadSettings } from '../settings/load';

/** How long Temporal, or a worker behind it, may take for one question (milliseconds). */
const answerWithinMs = 30_000;

/** Options that every command takes. */
export interface GlobalOptions {
  settings?: string;
  json?: boolean;
  as?: string;
  reason?: string;
}

/** The cases, for as long as one command runs. */
export interface Session {
  settings: Settings;
  house: Connected['house'];
  cases: CaseClient;
  /** Ask something that must be answered within 30 s. Only a watch asks more than once. */
  ask<T>(question: () => Promise<T>): Promise<T>;
}

/** Read the settings, connect, act, and let go of everything. */
export async function withCases<T>(command: Command, act: (session: Session) => Promise<T>): Promise<T> {
  const settings = await settingsFor(command);
  const { house, close } = await connect(settings);
  try {
    return await act({
      settings,
      house,
      cases: house.cases,
      ask: (question) => house.client.withDeadline(Date.now() + answerWithinMs, question),
    });
  } finally {
    await close();
  }
}

export function settingsFor(command: Command): Promise<Settings> {
  return loadSettings(command.optsWithGlobals<GlobalOptions>().settings);
}

/** Who is acting. A person at the machine is named, not proven: such an actor never approves a wipe. */
export function actorFor(command: Command): Actor {
  const { as } = command.optsWithGlobals<GlobalOptions>();
  return as === undefined
    ? { person: userInfo().username, authenticated: false, how: 'os-user', from: hostname() }
    : { person: as, authenticated: false, how: 'as', from: hostname() };
}

/** The tenant that was named, or the only one there is. @throws BadInput when it is neither. */
export function tenantOf({ tenants }: Settings, wanted: string | undefined): [string, TenantSettings] {
  const names = Object.keys(tenants);
  const name = wanted ?? (names.length === 1 ? names[0] : undefined);
  const found = name !== undefined && Object.hasOwn(tenants, name) ? tenants[name] : undefined;
  if (name !== undefined && found !== undefined) return [name, found];
  throw new BadInput('LDP_BAD_INPUT', `--tenant: name one of ${names.join(', ')}`);
}

/** Print an answer: the value on one line with `--json`, else the text for people. */
export function tell(command: Command, value: unknown, text: () => string): void {
  const { json } = command.optsWithGlobals<GlobalOptions>();
  process.stdout.write(`${json ? JSON.stringify(value) : text()}\n`);
}
