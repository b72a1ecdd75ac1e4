/**
 * Rules are pinned when a case starts, so that a running case never changes its mind because a file did.
 * @module
 */

import type { Audience, Rung } from './ladder';
import type { ClockRule, TaskRule } from './tasks';
import type { WhenOffline } from './wipe';

/** What the directory is asked to do once the move is seen. */
export type DirectoryStep = 'revoke-sessions' | 'disable-device' | 'disable-user';

export interface Rules {
  /** Directory steps by kind of loss; `unknown` counts as `lost`. */
  directorySteps: { lost: DirectoryStep[]; stolen: DirectoryStep[] };
  /** The group locks every device of the user: tell people, prefer the tag, or ask first. Only `ask` waits. */
  whenUserHasOtherDevices: 'contain-and-tell' | 'tag-first' | 'ask';
  configuration: {
    /** How often the client asks for a new configuration (milliseconds): 60 min, or 5 with fast sync. */
    syncEveryMs: number;
    /** Longest download after that (milliseconds): 10 min by the vendor's figures. */
    downloadMs: number;
    /** Slack before *overdue* is said (milliseconds). */
    graceMs: number;
    /** Gaps between client sightings up to this long count as online time (milliseconds). */
    onlineGapMs: number;
  };
  waits: {
    /** First wait of the workflow's own retry; it doubles (milliseconds). */
    retryFirstMs: number;
    /** Longest wait of that retry (milliseconds). */
    retryMaxMs: number;
    /** How long a move may take to be seen before a person is told (milliseconds). */
    moveSeenWithinMs: number;
    /** How often a move that is not seen yet is looked for (milliseconds). */
    moveLookEveryMs: number;
    /** How long notes are gathered before one is written to the ticket (milliseconds). */
    noteGatherMs: number;
    /** How long journal entries are gathered before they are archived (milliseconds). */
    journalGatherMs: number;
  };
  levers: LeverRules;
  escalation: EscalationRules;
  wipe: WipeRules;
}

/** How it is found that somebody undid the containment, and how often it is put back. */
export interface LeverRules {
  /** How often the levers of a contained case are read (milliseconds). */
  lookEveryMs: number;
  /** How soon again once the device was heard (milliseconds). */
  lookWhenHeardMs: number;
  /** So often within a day each lever is put back; then a person is asked. */
  putBackPerDay: number;
}

export interface EscalationRules {
  ladder: Rung[];
  /** Who hears of news: seen, stolen after all, a VIP's laptop. */
  news: Audience;
  tasks: TaskRule[];
  clocks: ClockRule[];
  /** Unheard for this long while somebody listened, presence says silent (milliseconds). */
  silentAfterMs: number;
  /** The Netskope client is unheard for this long although another source heard the device (milliseconds). */
  clientSilentAfterMs: number;
  /** A written-off case listens for this long (milliseconds). */
  listenForMs: number;
  /** Consoles that forget a device which is silent for too long. */
  cleanUps: CleanUp[];
  /** People hear this long before that a console forgets a device whose wipe waits there, where it tells by itself (milliseconds). */
  cleanUpWarnMs: number;
  /** A proposal that was answered by "not now" comes again after this time (milliseconds). */
  askAgainMs: number;
  /** How long the search of a site of the company may take (milliseconds). */
  searchWithinMs: number;
  /** A call may be put off for this long at most (milliseconds). */
  snoozeMaxMs: number;
  /** So often a page is tried again for those who could not be reached, while others have it. */
  pageTries: number;
}

/**
 * When an EDR cuts the device off. Isolated first, it would never hear of its wipe: `selective` isolates at once, and only
 * where the EDR leaves device management and the Netskope client reachable.
 */
export type IsolateWhen = 'never' | 'afterWipeDelivered' | 'selective' | 'immediate';

export interface WipeRules {
  whenOffline: { lost: WhenOffline; stolen: WhenOffline };
  /** How long a request and its approval hold (milliseconds). */
  consentMs: number;
  /** Nobody approved: it is proposed again after this time (milliseconds). */
  askAgainMs: number;
  /** The variant that goes on through power-off, where the platform has it. */
  protected: { lost: boolean; stolen: boolean };
  isolate: IsolateWhen;
  waits: {
    /** How long after a send the vendor may not show it yet (milliseconds). */
    settleMs: number;
    /** First wait between two looks at a command that is under way; it doubles (milliseconds). */
    lookFirstMs: number;
    lookMaxMs: number;
    /** Online after the command was queued, and still pending for this long: an alarm (milliseconds). */
    stalledAfterMs: number;
    /** The device has its wipe, and has not said that it is done: it is isolated all the same after this time (milliseconds). */
    isolateAfterMs: number;
    /** How often the guard, or the vendor's second administrator, is asked again (milliseconds). */
    askEveryMs: number;
    /** The session in which it acknowledged ends within this time; what speaks later was set up again (milliseconds). */
    lastWordsMs: number;
  };
  /** First line that fits decides what is proposed. */
  tree: WipeLine[];
}

/** One line of the decision tree. What it leaves out may be anything. */
export interface WipeLine {
  kind?: 'lost' | 'stolen';
  encrypted?: 'yes' | 'no' | 'unknown';
  powered?: 'on' | 'off' | 'sleeping' | 'unknown';
  uniqueData?: 'yes' | 'no' | 'unknown';
  legalHold?: 'yes' | 'no' | 'unknown';
  inTheOffice?: boolean;
  propose: 'wipe' | 'do not wipe';
  because: string;
}

/** The date on which a console removes the record of a silent device, and with it every command that waits for it. */
export interface CleanUp {
  /** For people: `Intune`. */
  where: string;
  /** Silent for this long (milliseconds). */
  afterMs: number;
  /** People hear of it this long before (milliseconds). */
  warnBeforeMs: number;
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

const everybody = { whom: [], by: [] };
const atAnyHour = { ...everybody, inQuietHours: 'page' } as const;
const byDay = { ...everybody, inQuietHours: 'wait' } as const;

const rung = (rung: Omit<Rung, 'unless' | keyof Audience> & Partial<Rung> & Pick<Rung, 'severity'>): Rung => ({
  unless: [],
  ...(rung.inQuietHours === 'wait' ? byDay : atAnyHour),
  ...rung,
});

const defaultLadder: Rung[] = [
  rung({
    name: 'not-contained',
    when: 'not contained',
    afterMs: 15 * minuteMs,
    unless: ['contained'],
    repeatEveryMs: 30 * minuteMs,
    deputiesAfterMs: 30 * minuteMs,
    severity: 'critical',
  }),
  rung({
    name: 'decision',
    when: 'question',
    afterMs: 0,
    repeatEveryMs: 4 * hourMs,
    deputiesAfterMs: hourMs,
    severity: 'error',
  }),
  rung({
    name: 'stuck',
    when: 'stuck',
    afterMs: 0,
    repeatEveryMs: 4 * hourMs,
    deputiesAfterMs: 2 * hourMs,
    severity: 'error',
  }),
  rung({ name: 'failing', when: 'failing', afterMs: hourMs, repeatEveryMs: 12 * hourMs, severity: 'warning' }),
  rung({ name: 'overdue', when: 'overdue', afterMs: 0, unless: ['proven'], repeatEveryMs: dayMs, severity: 'error' }),
  rung({ name: 'blind', when: 'blind', afterMs: hourMs, severity: 'error' }),
  rung({ name: 'wipe-stalled', when: 'wipe stalled', afterMs: 0, repeatEveryMs: dayMs, severity: 'critical' }),
  rung({
    name: 'tampered',
    when: 'tampered',
    afterMs: 0,
    repeatEveryMs: 12 * hourMs,
    deputiesAfterMs: hourMs,
    severity: 'error',
  }),
  rung({ name: 'client-silent', when: 'client silent', afterMs: 0, severity: 'error' }),
  rung({
    name: 'lost-mode',
    when: 'silent',
    afterMs: dayMs,
    propose: 'lost mode',
    inQuietHours: 'wait',
    severity: 'warning',
  }),
  rung({
    name: 'wipe',
    when: 'silent',
    afterMs: 7 * dayMs,
    propose: 'wipe',
    inQuietHours: 'wait',
    severity: 'warning',
  }),
  rung({
    name: 'write-off',
    when: 'silent',
    afterMs: 30 * dayMs,
    propose: 'write-off',
    inQuietHours: 'wait',
    severity: 'warning',
  }),
  rung({
    name: 'proposal',
    when: 'proposal',
    afterMs: 0,
    repeatEveryMs: 3 * dayMs,
    deputiesAfterMs: 2 * dayMs,
    inQuietHours: 'wait',
    severity: 'warning',
  }),
  rung({ name: 'task-near', when: 'task near', afterMs: 0, severity: 'warning' }),
  rung({
    name: 'task-late',
    when: 'task late',
    afterMs: 0,
    repeatEveryMs: 7 * dayMs,
    deputiesAfterMs: dayMs,
    inQuietHours: 'wait',
    severity: 'error',
  }),
  rung({
    name: 'clock-late',
    when: 'clock late',
    afterMs: 0,
    repeatEveryMs: dayMs,
    deputiesAfterMs: hourMs,
    severity: 'critical',
  }),
  rung({
    name: 'clean-up',
    when: 'clean-up near',
    afterMs: 0,
    repeatEveryMs: 7 * dayMs,
    inQuietHours: 'wait',
    severity: 'warning',
  }),
];

const task = (task: Pick<TaskRule, 'id' | 'title' | 'dueMs'> & Partial<TaskRule>): TaskRule => ({
  owner: [],
  kinds: ['lost', 'stolen'],
  begins: 'opened',
  ...task,
});

const defaultTasks: TaskRule[] = [
  task({ id: 'inform-owner', title: 'Tell the owner what happens now, and whom to call', dueMs: 4 * hourMs }),
  task({ id: 'carrier', title: 'Have the carrier block the SIM or eSIM', dueMs: 4 * hourMs }),
  task({ id: 'badge', title: 'Block a badge that went with it', dueMs: 4 * hourMs, kinds: ['stolen'] }),
  task({ id: 'shared-passwords', title: 'Change shared passwords that were on it', dueMs: dayMs }),
  task({
    id: 'police-report',
    title: 'Report the theft to the police',
    dueMs: dayMs,
    kinds: ['stolen'],
    reference: 'report number',
  }),
  task({ id: 'spare-device', title: 'Give the owner a spare device', dueMs: 2 * dayMs }),
  task({ id: 'legal', title: 'Ask legal whether a duty to notify begins; start its clock', dueMs: dayMs }),
  task({ id: 'insurer', title: 'Tell the insurer', dueMs: 7 * dayMs, reference: 'claim number' }),
  task({ id: 'lessons-learned', title: 'Write down what was learned', dueMs: 14 * dayMs }),
  task({
    id: 'asset-write-off',
    title: 'Take it off the books',
    dueMs: 14 * dayMs,
    begins: 'written off',
    reference: 'asset number',
  }),
];

/**
 * Regulation (EU) 2016/679, Article 33: 72 hours after having become aware. Directive (EU) 2022/2555, Article 23(4): early
 * warning within 24 hours and notification within 72 hours of becoming aware, final report within one month after the
 * notification. 45 CFR 164.404 to 164.408: no later than 60 calendar days after discovery.
 */
const defaultClocks: ClockRule[] = [
  {
    id: 'gdpr',
    law: 'GDPR Article 33',
    stages: [
      {
        id: 'gdpr',
        title: 'Notify the supervisory authority',
        owner: [],
        from: 'awareness',
        due: { ms: 72 * hourMs },
        warnBeforeMs: dayMs,
      },
    ],
  },
  {
    id: 'nis2',
    law: 'NIS2 Article 23',
    stages: [
      {
        id: 'nis2-warning',
        title: 'Early warning to the CSIRT',
        owner: [],
        from: 'awareness',
        due: { ms: dayMs },
        warnBeforeMs: 6 * hourMs,
      },
      {
        id: 'nis2-notification',
        title: 'Incident notification to the CSIRT',
        owner: [],
        from: 'awareness',
        due: { ms: 72 * hourMs },
        warnBeforeMs: dayMs,
      },
      {
        id: 'nis2-final',
        title: 'Final report to the CSIRT',
        owner: [],
        from: 'nis2-notification',
        due: { months: 1 },
        warnBeforeMs: 7 * dayMs,
      },
    ],
  },
  {
    id: 'hipaa',
    law: 'HIPAA 45 CFR 164.404',
    stages: [
      {
        id: 'hipaa',
        title: 'Notify the persons concerned and HHS',
        owner: [],
        from: 'awareness',
        due: { ms: 60 * dayMs },
        warnBeforeMs: 14 * dayMs,
      },
    ],
  },
];

export const defaultRules: Rules = {
  directorySteps: { lost: ['revoke-sessions'], stolen: ['revoke-sessions', 'disable-device'] },
  whenUserHasOtherDevices: 'contain-and-tell',
  configuration: {
    syncEveryMs: 60 * minuteMs,
    downloadMs: 10 * minuteMs,
    graceMs: 5 * minuteMs,
    onlineGapMs: 15 * minuteMs,
  },
  waits: {
    retryFirstMs: 5_000,
    retryMaxMs: 15 * minuteMs,
    moveSeenWithinMs: 60 * minuteMs,
    moveLookEveryMs: 15_000,
    noteGatherMs: 3_000,
    journalGatherMs: 5_000,
  },
  levers: { lookEveryMs: dayMs, lookWhenHeardMs: hourMs, putBackPerDay: 3 },
  escalation: {
    ladder: defaultLadder,
    news: { ...atAnyHour, severity: 'warning' },
    tasks: defaultTasks,
    clocks: defaultClocks,
    silentAfterMs: dayMs,
    clientSilentAfterMs: 2 * hourMs,
    listenForMs: 365 * dayMs,
    cleanUps: [],
    cleanUpWarnMs: 14 * dayMs,
    askAgainMs: 7 * dayMs,
    searchWithinMs: 4 * hourMs,
    snoozeMaxMs: 90 * dayMs,
    pageTries: 5,
  },
  wipe: {
    // A thief's café visit is shorter than any watch; a lost laptop may lie in a drawer.
    whenOffline: { lost: 'hold-until-seen', stolen: 'queue-at-vendor' },
    consentMs: 3 * dayMs,
    askAgainMs: 7 * dayMs,
    protected: { lost: false, stolen: true },
    isolate: 'afterWipeDelivered',
    waits: {
      settleMs: minuteMs,
      lookFirstMs: minuteMs,
      lookMaxMs: 6 * hourMs,
      stalledAfterMs: hourMs,
      isolateAfterMs: 15 * minuteMs,
      askEveryMs: 5 * minuteMs,
      lastWordsMs: 10 * minuteMs,
    },
    tree: [
      { legalHold: 'yes', propose: 'do not wipe', because: 'A legal hold forbids it.' },
      {
        inTheOffice: true,
        propose: 'do not wipe',
        because: 'It is behind an address of the company: have it looked for.',
      },
      {
        kind: 'lost',
        uniqueData: 'yes',
        encrypted: 'yes',
        propose: 'do not wipe',
        because: 'It is encrypted, and holds the only copy of something.',
      },
      { kind: 'stolen', propose: 'wipe', because: 'It was stolen.' },
      { encrypted: 'no', propose: 'wipe', because: 'Its disk is not encrypted.' },
      {
        encrypted: 'yes',
        powered: 'off',
        propose: 'do not wipe',
        because: 'It is encrypted and off: the key is not in memory.',
      },
      { propose: 'wipe', because: 'Nothing speaks against it.' },
    ],
  },
};

/** Rules as an earlier version pinned them, with the defaults of what came since. A list stays as it was pinned. */
export const completeRules = (pinned: object): Rules => completed(defaultRules, pinned) as Rules;

function completed(usual: unknown, pinned: unknown): unknown {
  if (pinned === undefined) return usual;
  const both = [usual, pinned];
  if (both.some((part) => typeof part !== 'object' || part === null || Array.isArray(part))) return pinned;
  const [defaults, given] = both.map((part) => new Map(Object.entries(part as object)));
  const names = new Set([...(defaults?.keys() ?? []), ...(given?.keys() ?? [])]);
  return Object.fromEntries([...names].map((name) => [name, completed(defaults?.get(name), given?.get(name))]));
}
