/**
 * Cases, lists and tests as plain text for people. Everything is a list of lines, and no line can hold a line break or a
 * control character: names and notes come from outside, and must neither forge a line nor steer the terminal.
 * @module
 */
import type { z } from 'zod';
import type { CaseSummary } from '../client/cases';
import type { EvidenceRow } from '../client/evidence';
import type { FeedRow } from '../client/feeds';
import type { GuardRow } from '../client/guard';
import type { CaseState, JournalEntry, MeasureName, Question } from '../playbook/case';
import { troubledSteps } from '../playbook/case';
import { clockTime, duration } from '../playbook/clock-time';
import { comingCalls, describeCall } from '../playbook/coming-calls';
import { describeDevice } from '../playbook/device';
import type { Digest } from '../playbook/digest';
import type { RungProgress } from '../playbook/ladder';
import type { pluginListSchema } from '../playbook/schemas/answers';
import { describePlace, type Sighting } from '../playbook/sighting';
import { withoutSteering } from '../playbook/plain-text';
import { comesNext, describeTrouble, describeWipe, headline } from '../playbook/summary';
import type { Tampering } from '../playbook/tamper';
import { byDueTime, isLate, type Task } from '../playbook/tasks';
import { describePlan, mayStillLand, wipeUnderWay } from '../playbook/wipe';
import type { ConnectionTest } from '../plugins/roles';
import type { UpgradeRow } from '../upgrade-check';
import type { TriageState } from '../workflows/messages';

const sightingsShown = 5;
const entriesShown = 12;
const callsShown = 5;
const digestTasksShown = 5;
const hostsInALine = 4;

/** The whole case. `nowMs` decides how old things are. */
export function printCase(state: CaseState, nowMs: number): string {
  const { containment, configuration, presence, journal, encryption, listening } = state;
  const stuck = troubledSteps(state).filter(([, step]) => step.state === 'stuck');
  const failing = troubledSteps(state).filter(([, step]) => step.state === 'failing');
  return text([
    headline(state),
    `${state.workflowId}, opened ${when(state.openedAt, nowMs)}${state.closedAt ? `, closed ${when(state.closedAt, nowMs)}` : ''}`,
    ...(state.ending ? [`Decided by ${state.ending.who}: ${state.ending.outcome}. ${state.ending.reason}`] : []),
    ...(state.ending?.movedTo ? [`Goes on as ${state.ending.movedTo}`] : []),
    ...section('Waits for a person', [
      ...state.questions.flatMap(questionLines),
      ...stuck.map(([name, step]) => describeTrouble(name, step)),
    ]),
    ...section(
      'Waits for a vendor',
      failing.map(([name, step]) => describeTrouble(name, step)),
    ),
    ...section('Next', [comesNext(state)]),
    ...section(`Containment: ${containment.state}`, table(measureRows(state))),
    ...section('Tampered with', table(state.tampering.map((one) => tamperingRow(one, nowMs)))),
    ...section(`Proof: ${configuration.state}`, [...table(rungRows(state)), configuration.says]),
    ...section(`Presence: ${presence.state}, ${presence.count} ${presence.count === 1 ? 'sighting' : 'sightings'}`, [
      ...(presence.last ? [] : ['Not seen since the case was opened.']),
      ...table(presence.recent.slice(0, sightingsShown).map((sighting) => sightingRow(sighting, nowMs))),
      ...heardLines(state, nowMs),
      ...Object.entries(presence.blindFeeds).map(([feed, since]) => `Blind: ${feed} since ${clockTime(since)}`),
    ]),
    ...section(`Wipe: ${state.wipe.state}`, wipeLines(state, nowMs)),
    ...section('Tasks', table(taskRows(state.tasks, nowMs))),
    ...section('Ladder', ladderLines(state, nowMs)),
    ...section(
      'Encryption proof',
      encryption
        ? [
            `Encrypted: ${encryption.answer}, by ${encryption.who} ${when(encryption.at, nowMs)}: ${encryption.evidence}`,
          ]
        : [],
    ),
    ...section(
      state.outcome === 'wiped' ? 'Closed as wiped' : 'Written off',
      listening ? [`Since ${when(listening.since, nowMs)}, listening until ${due(listening.until, nowMs)}.`] : [],
    ),
    ...section('Other devices of the user', state.otherDevices.map(describeDevice)),
    ...section('Tickets', table(state.tickets.map(({ source, id, url }) => [source, id, url ?? '']))),
    ...section('Journal', journalLines(journal.tail).slice(-entriesShown)),
  ]);
}

/** A triage: what is not known yet, and who must say it. */
export function printTriage(state: TriageState, nowMs: number): string {
  const { error, question } = state;
  return text([
    `Triage of ticket ${state.ticket.source} ${state.ticket.id}: ${state.outcome}.`,
    `${state.workflowId}, opened ${when(state.openedAt, nowMs)}`,
    state.says,
    ...(state.handedOverTo ? [`Goes on as ${state.handedOverTo}`] : []),
    ...section('Waits for a person', [
      ...(question ? questionLines(question) : []),
      ...(error?.stuck ? [`${error.code}: ${error.message}`] : []),
    ]),
    ...section('Waits for a vendor', error && !error.stuck ? [`${error.code}: ${error.message}`] : []),
  ]);
}

/** One row for each case and triage, newest first. */
export function printList(rows: CaseSummary[], nowMs: number): string {
  if (rows.length === 0) return 'No open case. `--all` shows closed ones too.';
  const head = ['DEVICE', 'USER', 'OUTCOME', 'CONTAINMENT', 'PROOF', 'PRESENCE', 'NEEDS', 'OPENED', 'CASE'];
  return text(
    table([
      head,
      ...rows.map((row) => [
        row.device ?? '-',
        row.user ?? '-',
        outcomeOf(row),
        row.containment ?? '-',
        row.configuration ?? '-',
        row.presence ?? '-',
        row.needs ?? '-',
        ago(row.openedAt, nowMs),
        row.workflowId,
      ]),
    ]),
  );
}

function outcomeOf({ kind, outcome, running }: CaseSummary): string {
  if (kind === 'triage') return `triage ${outcome}`;
  return running && (outcome === 'written off' || outcome === 'wiped') ? `${outcome}, listening` : outcome;
}

/** What people have to do: open tasks first, the soonest first. */
export function printTasks(tasks: Task[], nowMs: number): string {
  if (tasks.length === 0) return 'No tasks.';
  return text(table([['STATE', 'TASK', 'WHAT', 'OWNER', 'WHEN'], ...taskRows(tasks, nowMs)]));
}

/** What the approver reads before the approval is sent: what would be wiped, and what cannot be taken back. */
export function printPlan(state: CaseState): string {
  const { request, plan } = state.wipe;
  if (request === undefined || plan === undefined) return '';
  return text([
    headline(state),
    `Asked for by ${request.who} ${clockTime(request.at)}: ${request.reason}`,
    ...describePlan(state).map((line) => `  ${line}`),
    `  Once it has left, ${plan.cancellable ? `${plan.plugin} can take it back until the device has it` : `${plan.plugin} cannot take it back`}. What is only on the device is gone for good.`,
    '',
    '',
  ]);
}

/** What is frozen and what was permitted, one paragraph for each tenant. */
export function printGuards(rows: GuardRow[], nowMs: number): string {
  const caps = (wipes: NonNullable<GuardRow['wipes']>) =>
    `${wipes.lastHour} of ${wipes.perHour} within the last hour, ${wipes.lastDay} of ${wipes.perDay} within the last day`;
  return text(
    rows.flatMap(({ tenant, state, says, dryRun, approvers, wipes, containments, permits }, index) => [
      ...(index > 0 ? [''] : []),
      `${tenant}: ${state === 'frozen' ? 'FROZEN' : state}. ${says}`,
      ...labelled([
        ['dry run', [dryRun ? 'on: nothing destructive leaves' : 'off: what is permitted is real']],
        ['wipes', wipes ? [caps(wipes)] : []],
        ['contained', containments ? [`${containments.lastHour} of ${containments.perHour} within the last hour`] : []],
        ['approvers', [approvers.join(', ') || 'none: no real wipe can be approved']],
        ['permitted', permits.map(({ workflowId, at }) => `${when(at, nowMs)}  ${workflowId}`)],
      ]),
    ]),
  );
}

export function printFrozen(answers: { tenant: string; text: string }[]): string {
  return text(answers.map((answer) => `${answer.tenant}: ${answer.text}`));
}

/** What the archive holds. Of the journal only how much: `show` tells it. */
export function printEvidence(rows: EvidenceRow[]): string {
  if (rows.length === 0) return 'The archive holds nothing of this laptop.';
  const journals = rows.filter(({ kind }) => kind === 'journal').length;
  return text([
    ...table(rows.filter(({ kind }) => kind !== 'journal').map(({ kind, key }) => [kind, key])),
    ...(journals > 0 ? [`and ${journals} ${journals === 1 ? 'file' : 'files'} of its journal`] : []),
  ]);
}

/** A document of the archive. What it quotes comes from outside, as names do. */
export function printDocument(document: unknown): string {
  return text(JSON.stringify(document, undefined, 2).split('\n'));
}

/** What a shift hands to the next: one paragraph for each case, the ones that ask somebody first. */
export function printDigest(digest: Digest, nowMs: number): string {
  const { since, cases, triages, closed, unanswered } = digest;
  return text([
    digest.says,
    `Since ${when(since, nowMs)}.`,
    ...cases.flatMap(({ workflowId, headline: line, asks, wipe, tasks, happened, next }) => [
      ...['', line],
      ...labelled([
        ['case', [workflowId]],
        ['asks', asks],
        ['wipe', wipe === undefined ? [] : [wipe]],
        ['tasks', [...tasks.slice(0, digestTasksShown), ...more(tasks.length - digestTasksShown)]],
        ['happened', happened],
        ['next', [next]],
      ]),
    ]),
    ...triages.flatMap(({ workflowId, says, asks }) => [
      ...['', says],
      ...labelled([
        ['triage', [workflowId]],
        ['asks', asks],
      ]),
    ]),
    ...section(
      'Closed since',
      closed.map(({ workflowId, headline: line, because }) => `${line} ${because} (${workflowId})`),
    ),
    ...section(
      'Could not be read',
      unanswered.map(({ workflowId, device, why }) => `${device ?? workflowId}: ${why} (${workflowId})`),
    ),
  ]);
}

/** The journal as it grows: one line for each entry that people read. */
export function journalLines(entries: JournalEntry[]): string[] {
  return entries
    .filter(({ routine }) => !routine)
    .map(({ at, who, text: said, evidence }) =>
      withoutSteering(
        `${clockTime(at)}  ${who === 'playbook' ? '' : `${who}: `}${said}${evidence ? ` (${evidence})` : ''}`,
      ),
    );
}

/** One row for each feed; what is not well says below why. */
export function printFeeds(feeds: FeedRow[], nowMs: number): string {
  if (feeds.length === 0) return 'The settings have no feed.';
  const head = ['TENANT', 'FEED', 'STATE', 'LAST READ', 'LAG', 'PUT ASIDE', 'CASES', 'BLIND SINCE'];
  const notWell = feeds.filter(({ state }) => state !== 'ok' && state !== 'idle');
  return text([
    ...table([
      head,
      ...feeds.map(({ tenant, plugin, feed, state, lastSuccessAt, lagMs, putAside, watched, blindSince }) => [
        tenant,
        `${plugin}/${feed}`,
        state,
        lastSuccessAt === undefined ? '-' : ago(lastSuccessAt, nowMs),
        lagMs === undefined ? '-' : duration(lagMs),
        String(putAside),
        String(watched),
        blindSince === undefined ? '-' : clockTime(blindSince),
      ]),
    ]),
    ...section(
      'Not well',
      notWell.map(
        ({ tenant, plugin, feed, says, error }) =>
          `${tenant} ${plugin}/${feed}: ${says}${error ? ` ${error.code ? `${error.code}: ` : ''}${error.message}` : ''}`,
      ),
    ),
  ]);
}

export function printPlugins(plugins: z.infer<typeof pluginListSchema>): string {
  return text(
    plugins.flatMap(({ tenant, name, title, roles, hosts, permissions }) => [
      `${tenant}/${name}: ${title}, for ${roles.join(', ')}`,
      ...(hosts.length > 0 ? [`  its agent needs ${hosts.join(', ')}`] : []),
      ...(permissions.length > 0 ? ['  must be allowed:', ...permissions.map((one) => `    ${one}`)] : []),
    ]),
  );
}

export function printTests(tests: ConnectionTest[]): string {
  return text(table(tests.map(({ what, ok, detail }) => [ok ? 'ok' : 'FAILED', what, detail])));
}

/** One row for each open workflow; why some would not go on, and what to do, stands below. */
export function printUpgradeCheck(rows: UpgradeRow[]): string {
  if (rows.length === 0) return 'Nothing is open: this version may run.';
  const stopping = rows.filter(({ goesOn }) => !goesOn);
  const todos = [...new Set(stopping.flatMap(({ todo }) => todo ?? []))];
  return text([
    ...table([
      ['WITH THIS VERSION', 'KIND', 'WORKFLOW', 'EVENTS'],
      ...rows.map(({ goesOn, kind, workflowId, events }) => [
        goesOn ? 'goes on' : 'STANDS STILL',
        kind,
        workflowId,
        String(events),
      ]),
    ]),
    ...section(
      'Would stand still',
      stopping.map(({ workflowId, because = '' }) => `${workflowId}: ${because}`),
    ),
    ...section('What to do', todos),
    '',
    stopping.length === 0
      ? `All ${rows.length} open workflows go on with this version.`
      : `${stopping.length} of ${rows.length} open workflows would stand still: do not start this version.`,
  ]);
}

// --- parts -------------------------------------------------------------------------------------------------------

const measureNames: Record<MeasureName, string> = {
  'lost-group': 'lost group',
  'device-tag': 'device tag',
  'revoke-sessions': 'sessions revoked',
  'disable-device': 'device disabled',
  'disable-user': 'user disabled',
  isolate: 'isolated',
  lock: 'locked',
};

function tamperingRow({ kind, since, says, over }: Tampering, nowMs: number): string[] {
  return [when(since, nowMs), over === undefined ? 'NOW' : over === since ? '' : 'over', kind, says];
}

function measureRows({ containment }: CaseState): string[][] {
  return (Object.keys(measureNames) as MeasureName[]).flatMap((name) => {
    const measure = containment.measures[name];
    return measure ? [[measureNames[name], measure.state, clockTime(measure.at), measure.evidence]] : [];
  });
}

/** In sentences how it stands, then what is behind it. Of a request that is over, only the first and why. */
function wipeLines(state: CaseState, nowMs: number): string[] {
  const says = describeWipe(state);
  if (says === undefined) return [];
  const { wipe } = state;
  const { request, plan, approval, held, sent, vendorApproval, progress } = wipe;
  const waits = wipeUnderWay(wipe);
  const hosts = plan && waits ? plan.hosts : [];
  return [
    says,
    ...labelled([
      [
        'asked',
        request
          ? [
              `${when(request.at, nowMs)} by ${request.who}: ${request.reason}`,
              request.whenOffline === 'hold-until-seen'
                ? 'held here until the device is seen (hold-until-seen)'
                : 'left with the vendor while it is offline (queue-at-vendor)',
            ]
          : [],
      ],
      [
        'approved',
        approval
          ? [`${when(approval.at, nowMs)} by ${approval.who}`]
          : waits
            ? [
                `not yet; it may be approved by ${plan?.approvers.join(', ') || 'nobody: the settings name no approver'}`,
              ]
            : [],
      ],
      ['consents', waits && wipe.expiresAt && !sent ? [`hold until ${due(wipe.expiresAt, nowMs)}`] : []],
      ['held', held ? [`since ${when(held.since, nowMs)} by ${held.by}: ${held.says}`] : []],
      [
        'vendor asks',
        vendorApproval
          ? [
              `a second administrator of its own since ${when(vendorApproval.since, nowMs)}, request ${vendorApproval.code}: ${vendorApproval.agreed ? 'agreed' : 'not agreed yet'}`,
            ]
          : [],
      ],
      ['sent', sent ? [`${when(sent.at, nowMs)}${sent.known ? '' : ', perhaps: the answer was lost'}`] : []],
      ['vendor says', progress ? [`${progress.says}, read ${when(progress.readAt, nowMs)}`] : []],
      ['stalled', wipe.stalledSince && mayStillLand(wipe) ? [`since ${when(wipe.stalledSince, nowMs)}`] : []],
      ['next look', waits && wipe.lookAt ? [due(wipe.lookAt, nowMs)] : []],
      [
        'device',
        plan
          ? [
              `${plan.plugin} record ${plan.recordId} (${plan.platform}), encrypted: ${plan.encrypted}${plan.dryRun ? '; DRY RUN when it was prepared' : ''}`,
            ]
          : [],
      ],
      ['mind', plan && waits ? plan.warnings : []],
      ['evidence', plan ? [plan.evidence] : []],
      [
        'let through',
        hosts.flatMap((_, index) =>
          index % hostsInALine === 0 ? [hosts.slice(index, index + hostsInALine).join(', ')] : [],
        ),
      ],
    ]),
  ];
}

function rungRows({ configuration }: CaseState): string[][] {
  const { rungs, expectedBy } = configuration;
  const missing = (rung: 'member' | 'applied' | 'biting') =>
    rung === 'applied' && rungs.member && expectedBy ? `not yet; expected by ${clockTime(expectedBy)}` : 'not yet';
  return (['member', 'applied', 'biting'] as const).map((rung) => {
    const proof = rungs[rung];
    return proof ? ['[x]', rung, clockTime(proof.at), proof.evidence] : ['[ ]', rung, missing(rung)];
  });
}

function taskRows(tasks: Task[], nowMs: number): string[][] {
  const open = byDueTime(tasks.filter(({ state }) => state === 'open'));
  return [...open, ...tasks.filter(({ state }) => state !== 'open')].map((task) => [
    isLate(task, new Date(nowMs).toISOString()) ? 'LATE' : task.state,
    task.id,
    task.clock ? `${task.title} (${task.clock.law})` : task.title,
    task.owner.join(', ') || 'anybody',
    taskTime(task, nowMs),
  ]);
}

function taskTime({ closed, dueAt, clock, reference }: Task, nowMs: number): string {
  if (closed) {
    const encryption = closed.encryption ? `; disk encrypted: ${closed.encryption.answer}` : '';
    const number = closed.reference === undefined ? '' : `, ${reference ?? 'reference'} ${closed.reference}`;
    return `${clockTime(closed.at)} by ${closed.who}${number}${closed.reason ? `: ${closed.reason}` : ''}${encryption}`;
  }
  if (dueAt === undefined) return 'begins when the stage before it is done';
  const aware = clock ? `, aware since ${clockTime(clock.awareAt)}` : '';
  return `due ${due(dueAt, nowMs)}${aware}${reference === undefined ? '' : `, asks for the ${reference}`}`;
}

/** What calls whom next, then what has called already and who answered. */
function ladderLines(state: CaseState, nowMs: number): string[] {
  const coming = comingCalls(state, new Date(nowMs).toISOString()).map((call) => [
    Date.parse(call.at) > nowMs ? due(call.at, nowMs) : 'now',
    call.rung.name,
    describeCall(call),
  ]);
  return [
    ...table(coming.slice(0, callsShown)),
    ...more(coming.length - callsShown),
    ...table(
      Object.values(state.escalation.rungs)
        .filter((progress) => progress.called > 0 || progress.snoozed || progress.acknowledged || progress.heldUntil)
        .map((progress) => [[progress.rung, ...subjectsOf(progress)].join(', '), progressText(progress)]),
    ),
  ];
}

/** What it is about, where there can be several: `tag the device` of `stuck: tag the device`. */
const subjectsOf = ({ trouble }: RungProgress) => trouble.split(': ').slice(1);

function progressText(progress: RungProgress): string {
  const { called, lastAt, deputiesAt, calling, heldUntil, snoozed, acknowledged, over } = progress;
  return [
    lastAt === undefined
      ? 'nobody called yet'
      : `called ${called === 1 ? 'once' : `${called} times, last`} ${clockTime(lastAt)}`,
    deputiesAt !== undefined && `deputies since ${clockTime(deputiesAt)}`,
    calling !== undefined && 'calling now',
    heldUntil !== undefined && `quiet hours until ${clockTime(heldUntil)}`,
    snoozed && `snoozed until ${clockTime(snoozed.until)} by ${snoozed.who}: ${snoozed.reason}`,
    acknowledged && `acknowledged by ${acknowledged.who} ${clockTime(acknowledged.at)}`,
    over !== undefined && `over: ${over}`,
    called > 0 && !acknowledged && !snoozed && over === undefined && 'nobody acknowledged',
  ]
    .filter(Boolean)
    .join('; ');
}

/** The client and everything else apart: one of them silent while the other speaks is a sign of its own. */
function heardLines({ presence: { heard } }: CaseState, nowMs: number): string[] {
  return [
    ...(heard.client === undefined ? [] : [`Netskope client last heard ${when(heard.client, nowMs)}`]),
    ...(heard.other === undefined ? [] : [`Last heard by ${heard.other.source} ${when(heard.other.at, nowMs)}`]),
  ];
}

function sightingRow(sighting: Sighting, nowMs: number): string[] {
  return [
    when(sighting.at, nowMs),
    `${sighting.source}/${sighting.feed}`,
    sighting.match === 'likely' ? `${sighting.what} (likely this device)` : sighting.what,
    [describePlace(sighting), sighting.site && `our own site ${sighting.site}`].filter(Boolean).join(', '),
  ];
}

function questionLines({ id, text: asked, options, freeText }: Pick<Question, 'id' | 'text' | 'options' | 'freeText'>) {
  return [
    `${asked} (question ${id})`,
    ...options.map(({ value, text: option }, index) => `  ${index + 1} = ${value}: ${option}`),
    ...(freeText ? [`  or a ${freeText}`] : []),
  ];
}

// --- form --------------------------------------------------------------------------------------------------------

const ago = (iso: string, nowMs: number) => `${duration(nowMs - Date.parse(iso))} ago`;
const when = (iso: string, nowMs: number) => `${clockTime(iso)} (${ago(iso, nowMs)})`;

/** `2026-11-23 08:00 UTC (in 40 min)`. */
function due(iso: string, nowMs: number): string {
  const leftMs = Date.parse(iso) - nowMs;
  return `${clockTime(iso)} (${leftMs > 0 ? `in ${duration(leftMs)}` : `${duration(-leftMs)} late`})`;
}

const more = (count: number) => (count > 0 ? [`and ${count} more`] : []);

/** A label before the first line of each part. */
const labelled = (parts: [label: string, lines: string[]][]) =>
  table(parts.flatMap(([label, lines]) => lines.map((line, index) => [index === 0 ? `  ${label}` : '', line])));

/** A title with its lines below it; nothing where there are none. */
export const section = (title: string, lines: string[]) =>
  lines.length > 0 ? ['', `${title}`, ...lines.map((line) => `  ${line}`)] : [];

/** Columns as wide as their widest cell; the last one as it comes. */
export function table(rows: string[][]): string[] {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, index) => (widths[index] = Math.max(widths[index] ?? 0, cell.length)));
  return rows.map((row) =>
    row
      .map((cell, index) => (index === row.length - 1 ? cell : cell.padEnd(widths[index] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}

/** Lines as they are printed: none of them can hold a break, or steer the terminal. */
export const text = (lines: string[]) => lines.map(withoutSteering).join('\n');
