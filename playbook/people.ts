/**
 * Who is called: persons, rotas and quiet hours. Read from the settings at the moment of the call, never pinned in a case:
 * a case lasts a year, and who is on call does not.
 * @module
 */

/** Every day between two times of the person's own clock; `days` are quiet from midnight to midnight. */
export interface QuietHours {
  /** `22:00`. */
  from: string;
  /** `07:00`; earlier than `from` means the next day. */
  to: string;
  days: Weekday[];
}
export type Weekday = 'mon' | 'tue' | 'wed' | 'thu' | 'fri' | 'sat' | 'sun';

export interface Person {
  /** By notifier: an address that it understands, or `true` for its own. */
  notify: Record<string, string | true>;
  /** IANA name, for instance `Europe/Amsterdam`. */
  timeZone: string;
  quietHours?: QuietHours;
  /** Persons or rotas that are called when nobody acknowledges. */
  deputies: string[];
}

/** Persons who take turns. */
export interface Rota {
  members: string[];
  turn: 'day' | 'week';
  /** The first turn of the first member: a date of the rota's clock, `2026-11-02`. */
  since: string;
  /** When turns change, `09:00`. */
  at: string;
  timeZone: string;
  /** As for a person; empty: the deputies of whoever is on duty. */
  deputies: string[];
}

export interface People {
  persons: Record<string, Person>;
  rotas: Record<string, Rota>;
}
