/**
 * Calling people: who is meant is read from the settings at the moment of the call, because a case lasts a year and who
 * is on duty does not.
 * @module
 */
import type { PageAudience } from '../playbook/ladder';
import { quietUntil, whoIsCalled } from '../playbook/people';
import { OutcomeUnknown, PlaybookError } from '../plugins/errors';
import type { Page } from '../plugins/roles';
import { callAt } from './call';
import type { House } from './house';

export interface CallPeopleInput {
  tenant: string;
  now: string;
  page: Pick<Page, 'key' | 'subject' | 'text' | 'incident'> & {
    to: PageAudience;
    /** Who has it already, as an earlier answer said: they are not called again. */
    told?: string[];
  };
}

export interface CallPeopleAnswer {
  /** Who has it now, those of before included: `ana by mail`, `everybody by mail`. */
  told: string[];
  /** Who has it not, and why: a person by a notifier (worth trying again), or a name that left the settings. */
  missing: { who: string; message: string; again?: true }[];
  /** A pager holds an incident of it, to be resolved when the trouble is over. */
  atPager?: true;
  /** Everybody has quiet hours until then (ISO 8601): nobody was called. */
  heldUntil?: string;
}

export interface TellPagerInput {
  tenant: string;
  now: string;
  incident: string;
}

/** One person, or everybody, by one notifier. */
interface Way {
  who: string;
  name: string;
  notifier: string;
  /** Absent: the notifier's own address. */
  to?: string;
}

const everybody = 'everybody';

export function createPeopleActivities(house: House) {
  /**
   * Call people. Trouble with one notifier keeps nobody else from being called, so it is answered and not thrown; only
   * cancellation is. Where all names have left the settings, everybody is called: a page never goes to nobody.
   *
   * Idempotency: a repeat names who has it already. Where a worker died between two calls nobody knows, and the key,
   * which is the same for the same person, lets the receiver drop the repeat.
   */
  async function callPeople({ tenant, now, page }: CallPeopleInput): Promise<CallPeopleAnswer> {
    const { notifiers, settings } = house.tenant(tenant);
    const { key, subject, text, incident, to } = page;
    const call = callAt(now);
    const told = [...(page.told ?? [])];
    const whom = to.whom.length > 0 ? to.whom : settings.onCall;
    const missing: CallPeopleAnswer['missing'] = whom
      .filter((name) => whoIsCalled(settings.people, [name], false, now).length === 0)
      .map((who) => ({ who, message: 'is not in the settings any more' }));

    const people = whoIsCalled(settings.people, whom, to.deputies === true, now).map(({ name, person }) => ({
      ways: waysTo(name, Object.entries(person.notify), to.by),
      heldUntil: to.inQuietHours === 'wait' ? quietUntil(person, now) : undefined,
    }));
    const awake = people.filter(({ heldUntil }) => heldUntil === undefined);
    const [heldUntil] = people.flatMap((person) => person.heldUntil ?? []).sort();
    if (awake.length === 0 && heldUntil !== undefined) return { told, missing, heldUntil };

    const own = [...notifiers.keys()].map((notifier): [string, true] => [notifier, true]);
    const ways = people.length > 0 ? awake.flatMap((person) => person.ways) : waysTo(everybody, own, to.by);
    const due = ways.filter(({ who }) => !told.includes(who));

    async function send(way: Way): Promise<{ who: string; message?: string; again?: true }> {
      const { who, name, notifier } = way;
      const sent: Page = {
        key: `${key}:${name}`,
        subject,
        text,
        ...(incident !== undefined && { incident }),
        severity: to.severity,
        ...(way.to !== undefined && { to: way.to }),
      };
      try {
        const found = notifiers.get(notifier);
        if (found === undefined) return { who, message: `there is no ${notifier} in the settings` };
        await found.page(sent, call);
        return { who };
      } catch (error) {
        if (call.signal.aborted) throw error;
        // A page that may have gone out is not sent again at once, unless the receiver drops repeats: two at night cost
        // more trust than one lost, and a rung that nobody acknowledges calls again.
        if (error instanceof OutcomeUnknown && !notifiers.get(notifier)?.dropsRepeats) return { who };
        // Words that are not ours may hold anything.
        const message = error instanceof PlaybookError ? error.message : 'an error that we did not expect';
        return { who, message, again: true };
      }
    }

    // All at once: a slow mail server must not keep the pager waiting.
    for (const { who, message, again } of await Promise.all(due.map(send))) {
      if (message === undefined) told.push(who);
      else missing.push({ who, message, ...(again && { again }) });
    }
    const atPager = ways.some(({ who, notifier }) => told.includes(who) && notifiers.get(notifier)?.resolve);
    return { told, missing, ...(atPager && { atPager }) };
  }

  /** The trouble is over. Idempotency: a notifier takes the same incident back as often as it is told. */
  const resolveIncident = (input: TellPagerInput) => tellPagers('resolve', input);

  /** Somebody acknowledged it here. Idempotency: as for a resolve. */
  const acknowledgeIncident = (input: TellPagerInput) => tellPagers('acknowledge', input);

  async function tellPagers(what: 'resolve' | 'acknowledge', { tenant, now, incident }: TellPagerInput): Promise<void> {
    const call = callAt(now);
    const notifiers = [...house.tenant(tenant).notifiers.values()];
    const answers = await Promise.allSettled(notifiers.map(async (notifier) => notifier[what]?.(incident, call)));
    // Each is told before the first trouble is thrown.
    const failed = answers.find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
  }

  return { callPeople, resolveIncident, acknowledgeIncident };
}

/** By the notifiers of `by`, or by all where none of those reaches them. */
function waysTo(name: string, addresses: [notifier: string, address: string | true][], by: string[]): Way[] {
  const chosen = addresses.filter(([notifier]) => by.length === 0 || by.includes(notifier));
  return (chosen.length > 0 ? chosen : addresses).map(([notifier, address]) => ({
    who: `${name} by ${notifier}`,
    name,
    notifier,
    ...(address !== true && { to: address }),
  }));
}
