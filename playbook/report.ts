/**
 * What a person or a ticket says about a loss. Every answer may be `unknown`, and may come later.
 * @module
 */

/** How the laptop was lost. A theft makes the response stricter. */
export type LossKind = 'lost' | 'stolen' | 'unknown';

/** An answer that a frightened person may not have. */
export type YesNoUnknown = 'yes' | 'no' | 'unknown';

/** A ticket in a desk. `source` is the plugin instance that owns it. */
export interface TicketRef {
  source: string;
  id: string;
  url?: string;
  /** Keyed hash of source and id, for search attributes. The client that hands the report in adds it. */
  key?: string;
}

/** `servicenow INC0010001`: how people and lists name a ticket. */
export function nameTicket(ticket: TicketRef): string {
  return `${ticket.source} ${ticket.id}`;
}

/** What is known to point at one device. */
export interface DeviceHint {
  serial?: string;
  hostname?: string;
  /** Netskope's identifier of one installation; it changes when the device is re-imaged. */
  nsdeviceuid?: string;
}

/** The questions that a desk asks the reporter. */
export interface Answers {
  kind: LossKind;
  reportedBy?: string;
  reporterIsOwner: YesNoUnknown;
  /** When it was last held. ISO 8601. */
  lastHeldAt?: string;
  lastHeldWhere?: string;
  powered: 'on' | 'off' | 'sleeping' | 'unknown';
  locked: YesNoUnknown;
  /** What data is on it, in the reporter's words. */
  data?: string;
  vip: YesNoUnknown;
}

/** Who did or said something, how that was established, and from where. */
export interface Actor {
  person: string;
  /** False for the CLI on loopback and `--as NAME`: such an actor never approves a wipe. */
  authenticated: boolean;
  /** For instance `os-user`, `webhook-signature`, `oidc`. */
  how: string;
  from?: string;
}

/** One report of a loss, as the intake hands it to a workflow. */
export interface Report {
  tenant: string;
  ticket: TicketRef;
  /** The sender's id of this delivery: the same on every resend. */
  deliveryId: string;
  /** ISO 8601. */
  receivedAt: string;
  /** The sender was proven: by signature, by re-reading the ticket, or it is a person at the CLI. */
  verified: boolean;
  device: DeviceHint;
  /** User principal name of the person who had the device. */
  user?: string;
  answers: Answers;
  actor: Actor;
}

export const nothingKnown: Answers = {
  kind: 'unknown',
  reporterIsOwner: 'unknown',
  powered: 'unknown',
  locked: 'unknown',
  vip: 'unknown',
};

/** Later answers win; `unknown` never overwrites an answer; stolen is never taken back to lost by a report. */
export function mergeAnswers(before: Answers, later: Answers): Answers {
  const known = Object.fromEntries(
    Object.entries(later).filter(([, value]) => value !== undefined && value !== 'unknown' && value !== ''),
  ) as Partial<Answers>;
  const merged = { ...before, ...known };
  if (before.kind === 'stolen') merged.kind = 'stolen';
  return merged;
}

/** Serials that vendors leave in firmware when nobody wrote one: they name thousands of devices at once. */
const placeholderSerials = new Set([
  '',
  '0',
  '00000000',
  '0123456789',
  '123456789',
  'DEFAULT STRING',
  'EMPTY',
  'INVALID',
  'N/A',
  'NA',
  'NONE',
  'NOT APPLICABLE',
  'NOT AVAILABLE',
  'NOT SPECIFIED',
  'NULL',
  'SERIAL NUMBER',
  'SYSTEM SERIAL NUMBER',
  'TO BE FILLED BY O.E.M.',
  'UNKNOWN',
  'XXXXXXX',
]);

/**
 * The canonical serial: trimmed, upper case. Undefined where the text cannot name one device
 * (a placeholder, one repeated character, or something no vendor prints), so that it goes to triage.
 */
export function canonicalSerial(text: string | undefined): string | undefined {
  const serial = (text ?? '').trim().toUpperCase();
  if (placeholderSerials.has(serial)) return undefined;
  if (/^(.)\1*$/.test(serial)) return undefined;
  if (!/^[A-Z0-9][A-Z0-9._/+-]{2,63}$/.test(serial)) return undefined;
  return serial;
}
