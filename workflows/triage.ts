/**
 * A report that does not name a device: keyed by ticket. It reads the ticket again, finds the device or asks, and hands
 * over to the device's own case.
 * @module
 */
import {
  ActivityFailure,
  ApplicationFailure,
  condition,
  setCurrentDetails,
  setHandler,
  upsertMemo,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import { workflowInfo } from '@temporalio/workflow';
import type { ManagedDevice } from '../playbook/device';
import { describeDevice } from '../playbook/device';
import type { Identified } from '../playbook/identify';
import { candidateOption } from '../playbook/identify';
import { asMarkdown } from '../playbook/plain-text';
import type { Report } from '../playbook/report';
import { canonicalSerial, mergeAnswers, nameTicket } from '../playbook/report';
import { act } from './case-file';
import { now, nowMs } from './last-news';
import type { Answer, Decision, TriageInput, TriageState } from './messages';
import { answer, describeTriage, falseAlarm, knock, reportReceived, retryStep } from './messages';
import { caseAttributes } from './search-attributes';

/** May be decided at any time; without a validator, `interceptors.ts` is not asked. */
const always = { validator: (_: Decision) => undefined };

export async function triage({ report, rules }: TriageInput): Promise<TriageState> {
  const { workflowId, runId } = workflowInfo();
  const state: TriageState = {
    kind: 'triage',
    workflowId,
    tenant: report.tenant,
    ticket: report.ticket,
    openedAt: now(),
    outcome: 'open',
    says: 'Reading the ticket.',
    hint: report.device,
    ...(report.user !== undefined && { user: report.user }),
    report,
    candidates: [],
    deliveries: [report.deliveryId],
  };
  let news = false;
  let wake = false;
  let decided: { value: string; who: string } | undefined;

  setHandler(describeTriage, () => state);
  setHandler(knock, () => undefined);
  setHandler(reportReceived, (later) => {
    if (state.deliveries.includes(later.deliveryId)) return;
    state.deliveries = [...state.deliveries, later.deliveryId].slice(-200);
    takeLater(state, later);
    news = true;
  });
  setHandler(
    answer,
    (decision) => {
      decided = { value: valueOf(state, decision), who: decision.actor.person };
      return { text: `Answered: ${decided.value}.` };
    },
    { validator: (decision: Answer) => void valueOf(state, decision) },
  );
  setHandler(
    retryStep,
    () => {
      wake = true;
      return { text: 'Trying again.' };
    },
    always,
  );
  setHandler(
    falseAlarm,
    (decision) => {
      decided = { value: 'none', who: decision.actor.person };
      return { text: 'Closing: not a managed device.' };
    },
    always,
  );

  show();
  for (;;) {
    news = false;
    const open = await readAgain();
    if (!open) return finish('ticket closed', 'The ticket is closed or gone: nothing to do.');

    const found = await tried('find the device', () =>
      act.findCandidates({ tenant: state.tenant, now: now(), report: state.report }),
    );
    if (found.found === 'one') return handOver(found.device);
    await ask(found);
    await condition(() => decided !== undefined || news);
    if (decided === undefined) continue;
    delete state.question;
    if (decided.value === 'none')
      return finish('not a managed device', `${decided.who} decided: not a managed device of ours.`);
    const { value } = decided;
    const picked = state.candidates.find((candidate) => candidateOption(candidate).value === value);
    return handOver(picked, picked ? undefined : value);
  }

  /** The first step: a forged or old webhook cannot say more than the ticket itself does. */
  async function readAgain(): Promise<boolean> {
    const ticket = await tried('read the ticket', () =>
      act.readTicket({ tenant: state.tenant, now: now(), ticket: state.ticket }),
    );
    if (ticket === 'unreadable') return true;
    if (ticket === 'not there' || !ticket.open) return false;
    // A desk may be told by one id and know the ticket by another: its own number is the one that stays.
    state.report = { ...state.report, ticket: { ...ticket.ref, source: state.ticket.source } };
    takeLater(state, { ...state.report, ...ticket.report, verified: true });
    return true;
  }

  async function ask(found: Exclude<Identified, { found: 'one' }>): Promise<void> {
    state.candidates = found.found === 'several' ? found.candidates.slice(0, 10) : [];
    const text = `Which device is it? ${found.why}`;
    state.question = {
      id: 'which-device',
      askedAt: now(),
      text,
      options: [
        ...state.candidates.map(candidateOption),
        { value: 'none', text: 'It is not a managed device of ours' },
      ],
    };
    say(`Waits for a person: ${text}`);
    const key = `${workflowId}~${runId}:which-device:${state.deliveries.length}`;
    const lines = state.question.options.map(({ text: option }, index) => `${index + 1}. ${option}`);
    await tried('page people', () =>
      act.pagePeople({
        tenant: state.tenant,
        now: now(),
        page: { key, subject: 'A lost device must be identified', text: [text, ...lines].join('\n') },
      }),
    );
    await note(`Asked: ${text}`, state.deliveries.length);
  }

  async function handOver(device: ManagedDevice | undefined, serial?: string): Promise<TriageState> {
    const taken = await tried('hand over to the case', () =>
      act.handOver({ report: state.report, ...(device && { device }), ...(serial !== undefined && { serial }) }),
    );
    state.handedOverTo = taken.workflowId;
    const name = device ? describeDevice(device) : (serial ?? '');
    if (taken.outcome === 'already closed')
      return finish('already closed', `The case of ${name} closed with this ticket: nothing starts again.`, false);
    return finish('handed over', `Handed over to ${taken.workflowId}.`, false);
  }

  async function finish(outcome: TriageState['outcome'], says: string, leaveRecord = true): Promise<TriageState> {
    state.outcome = outcome;
    say(says);
    if (leaveRecord) {
      await note(says, 0);
      const record = {
        workflowId,
        chain: `${workflowId}~${runId}`,
        tenant: state.tenant,
        outcome: 'false alarm' as const,
        closedAt: now(),
        tickets: [state.ticket],
        deliveries: state.deliveries,
        reason: says,
      };
      await tried('archive the closing record', () =>
        act.archiveClosing({ tenant: state.tenant, now: now(), record, report: state }),
      );
    }
    return state;
  }

  async function note(text: string, n: number): Promise<void> {
    const marker = `[ldp:${workflowId}~${runId}:${n}]`;
    await tried('note in the ticket', () =>
      act.addNote({ tenant: state.tenant, now: now(), ticket: state.ticket, marker, text: `${text}\n${marker}` }),
    );
  }

  /** Like a case's step: it never fails, it is tried again, and a person's `retry` cuts the wait. */
  async function tried<T>(what: string, run: () => Promise<T>): Promise<T> {
    for (let waitMs = rules.waits.retryFirstMs; ; waitMs = Math.min(rules.waits.retryMaxMs, waitMs * 2)) {
      try {
        const result = await run();
        delete state.error;
        return result;
      } catch (error) {
        const cause = error instanceof ActivityFailure ? error.cause : error;
        const refused = cause instanceof ApplicationFailure && cause.nonRetryable === true;
        const message = cause instanceof Error ? cause.message : 'unknown failure';
        state.error = {
          code: cause instanceof ApplicationFailure ? (cause.type ?? 'LDP_UNEXPECTED') : 'LDP_UNREACHABLE',
          message,
          since: state.error?.since ?? now(),
          stuck: refused,
          ...(!refused && { nextTryAt: new Date(nowMs() + waitMs).toISOString() }),
        };
        say(`${refused ? 'Stuck' : 'Failing'}: ${what}. ${message}`);
        wake = false;
        if (refused) await condition(() => wake || news);
        else await condition(() => wake, waitMs);
      }
    }
  }

  function say(text: string): void {
    state.says = text;
    show();
  }

  function show(): void {
    upsertSearchAttributes([
      { key: caseAttributes.outcome, value: state.outcome },
      {
        key: caseAttributes.needs,
        value: state.question || state.error?.stuck ? 'person' : state.error ? 'vendor' : 'nothing',
      },
    ]);
    upsertMemo({
      names: { ...state.hint, ...(state.user !== undefined && { user: state.user }) },
      tickets: [nameTicket(state.ticket)],
    });
    setCurrentDetails(asMarkdown(`**Triage of ticket ${state.ticket.source} ${state.ticket.id}**\n\n${state.says}`));
  }
}

function takeLater(state: TriageState, later: Report): void {
  const known = state.report;
  state.report = {
    ...known,
    verified: known.verified || later.verified,
    deliveryId: later.deliveryId,
    device: { ...known.device, ...later.device },
    ...((later.user ?? known.user) !== undefined && { user: (later.user ?? known.user) as string }),
    answers: mergeAnswers(known.answers, later.answers),
  };
  state.hint = state.report.device;
  if (state.report.user !== undefined) state.user = state.report.user;
}

function valueOf(state: TriageState, decision: Answer): string {
  const refuse = (text: string): never => {
    throw ApplicationFailure.nonRetryable(text, 'RefusedByRule');
  };
  const { question } = state;
  if (question === undefined) return refuse('Nothing is asked in this triage now.');
  const text = decision.value.trim();
  const option =
    question.options.find(({ value }) => value.toLowerCase() === text.toLowerCase()) ??
    question.options[Number(text) - 1];
  return (
    option?.value ??
    canonicalSerial(text) ??
    refuse(`"${text}" is no answer: give the number of a candidate, a serial, or none.`)
  );
}
