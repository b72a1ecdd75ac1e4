/**
 * The queue of pages: sent one after the other, tried again for whoever was not reached, taken back while they wait.
 * @module
 */
import type { PendingPage } from '../playbook/case';
import type { RungProgress } from '../playbook/ladder';
import { called, held, incidentOf } from '../playbook/ladder';
import { summarise } from '../playbook/summary';
import type { CaseFile } from './case-file';
import { act } from './case-file';
import { nowMs } from './last-news';

/** Pages, one after the other; those that wait for an hour or for the next try let others go first. */
export async function keepPages(c: CaseFile): Promise<never> {
  const { state } = c;
  for (;;) {
    const ready = () =>
      state.pages.find(({ notBefore }) => notBefore === undefined || Date.parse(notBefore) <= nowMs());
    const next = () => state.pages.flatMap(({ notBefore }) => notBefore ?? []).sort()[0];
    const waited = next();
    await c.until(() => ready() !== undefined || next() !== waited, waited);
    const page = ready();
    if (page) await send(c, page);
  }
}

async function send(c: CaseFile, page: PendingPage): Promise<void> {
  const { state } = c;
  const { tenant } = state;
  const { key, subject, to, incident, told } = page;
  const done = () => (state.pages = state.pages.filter((other) => other !== page));
  const text = `${page.text}\n\n${summarise(state)}`;
  const step = { track: 'case', partOfEnding: true } as const;
  const tells = page.acknowledge ? 'acknowledge' : page.resolve && 'resolve';
  if (tells && incident !== undefined) {
    await c.step(`${tells} at the pager`, () => act[`${tells}Incident`]({ tenant, now: c.now, incident }), step);
    done();
    return;
  }
  if (to === undefined) {
    const old = { key, subject, text };
    await c.step('page people', () => act.pagePeople({ tenant, now: c.now, page: old }), step);
    done();
    return;
  }
  c.sending = page;
  const given = { key, subject, text, to, ...(incident !== undefined && { incident }), ...(told && { told }) };
  const answer = await c.step('page people', () => act.callPeople({ tenant, now: c.now, page: given }), step);
  c.sending = undefined;
  if (answer?.heldUntil !== undefined) {
    const progress = rungOf(c, page);
    if (progress?.calling) held(progress, answer.heldUntil);
    if (page.rung === undefined) page.notBefore = answer.heldUntil;
    else done();
    return;
  }
  tellCalled(c, page, answer?.told ?? [], answer?.missing ?? [], answer?.atPager === true);
  const reached = (answer?.told.length ?? 0) > 0;
  const dropped = !state.pages.includes(page);
  if (
    !dropped &&
    answer?.missing.some(({ again }) => again) &&
    (!reached || (page.tries ?? 0) < state.rules.escalation.pageTries)
  ) {
    page.told = answer.told;
    page.tries = (page.tries ?? 0) + 1;
    page.notBefore = c.after(Math.min(state.rules.waits.retryMaxMs, 60_000 * 2 ** Math.min(page.tries, 10)));
    return;
  }
  done();
}

/** Written down, and counted by the rung, when the first of them has it. */
function tellCalled(
  c: CaseFile,
  page: PendingPage,
  told: string[],
  missing: { who: string; message: string }[],
  atPager: boolean,
): void {
  const anew = told.filter((who) => !page.told?.includes(who));
  const names = anew.length > 0 ? anew.join(', ') : 'nobody';
  // The journal is closed before the last pages go out.
  if (!c.closing && (anew.length > 0 || page.tries === undefined))
    c.say('escalation', `Called ${names}: ${page.subject}.`, {
      ...(missing.length > 0 && {
        evidence: `Not reached: ${missing.map(({ who, message }) => `${who} (${message})`).join('; ')}`,
      }),
    });
  const progress = rungOf(c, page);
  if (atPager && progress) progress.atPager = true;
  // It was over before the pager had it.
  else if (atPager && page.incident !== undefined) tellPager(c, 'resolve', page.incident);
  if (progress?.calling === undefined || (told.length === 0 && missing.length > 0)) return;
  called(progress, c.now);
}

/** `acknowledge`: somebody has it in hand, the pager need not go on calling. `resolve`: the trouble is over. */
export function tellPager({ state }: CaseFile, what: 'acknowledge' | 'resolve', incident: string): void {
  state.pages.push({ key: `${incident}:${what}`, subject: '', text: '', incident, [what]: true });
}

/** Undefined when its trouble is over meanwhile, or began anew. */
function rungOf({ state }: CaseFile, { rung, incident }: PendingPage): RungProgress | undefined {
  const { chain, escalation } = state;
  const progress = rung === undefined ? undefined : escalation.rungs[rung];
  return progress && incidentOf(chain, progress) === incident ? progress : undefined;
}

/** What waits to be said by a rung is not said any more. A page on its way cannot be called back, but is not tried again. */
export function dropPages(c: CaseFile, rung: string): void {
  const { state } = c;
  state.pages = state.pages.filter((page) => page.rung !== rung);
  const progress = state.escalation.rungs[rung];
  if (progress && c.sending?.rung !== rung) delete progress.calling;
}
