/**
 * Rules are pinned when a case starts, so that a running case never changes its mind because a file did.
 * @module
 */

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
}

const minuteMs = 60_000;

export const defaultRules: Rules = {
  directorySteps: { lost: ['revoke-sessions'], stolen: ['revoke-sessions', 'disable-device'] },
  whenUserHasOtherDevices: 'contain-and-tell',
  configuration: { syncEveryMs: 60 * minuteMs, downloadMs: 10 * minuteMs, graceMs: 5 * minuteMs },
  waits: {
    retryFirstMs: 5_000,
    retryMaxMs: 15 * minuteMs,
    moveSeenWithinMs: 60 * minuteMs,
    moveLookEveryMs: 15_000,
    noteGatherMs: 3_000,
    journalGatherMs: 5_000,
  },
};
