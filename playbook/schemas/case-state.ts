/**
 * The whole case as `show --json` and the API give it.
 * @module
 */
import { z } from 'zod';
import { caseSchema, type CaseState } from '../case';
import type { Rules } from '../rules';
import type { Tampering } from '../tamper';
import {
  audienceSchema,
  encryptionSchema,
  escalationRulesSchema,
  escalationSchema,
  proposal,
  taskSchema,
} from './escalation';
import { deviceNamesSchema, managedDeviceSchema, sightingSchema } from './device';
import { wipeRulesSchema, wipeSchema } from './wipe';
import { answersSchema, deviceHintSchema, reportSchema, ticketRefSchema, time } from './report';

export const outcomeSchema = z.enum(['open', 'recovered', 'wiped', 'written off', 'false alarm', 'moved']);

/** One option of a question: `answer` takes its value, or its number. */
export const optionSchema = z.object({ value: z.string(), text: z.string() });

const track = z.enum(['case', 'containment', 'configuration', 'presence', 'wipe', 'escalation']);

const step = z.object({
  state: z.enum(['running', 'failing', 'stuck', 'done', 'skipped']),
  since: time,
  attempts: z.int(),
  error: z.object({ code: z.string(), message: z.string() }).exactOptional(),
  nextTryAt: time.exactOptional(),
  skippedBecause: z.string().exactOptional(),
});

const measure = z.object({
  state: z.enum([
    'asked',
    'in place',
    'was there before',
    'not offered',
    'undone',
    'cannot be undone',
    'left in place',
  ]),
  at: time,
  evidence: z.string(),
  before: z
    .object({ present: z.boolean(), since: time.exactOptional(), target: z.string().exactOptional() })
    .exactOptional(),
});

const measureName = z.enum([
  'lost-group',
  'device-tag',
  'revoke-sessions',
  'disable-device',
  'disable-user',
  'isolate',
  'lock',
]);

const containment = z.object({
  state: z.enum(['none', 'contained', 'released', 'user released, device held']),
  measures: z.object({
    'lost-group': measure.exactOptional(),
    'device-tag': measure.exactOptional(),
    'revoke-sessions': measure.exactOptional(),
    'disable-device': measure.exactOptional(),
    'disable-user': measure.exactOptional(),
    isolate: measure.exactOptional(),
    lock: measure.exactOptional(),
  }),
  via: z.enum(['secure access', 'directory']).exactOptional(),
  memberBefore: z.boolean().exactOptional(),
  armed: z.boolean(),
  armedSince: time.exactOptional(),
  backAt: time.exactOptional(),
  replaceAsked: z.boolean(),
  letGoAnswer: z
    .object({
      outcome: z.enum(['released', 'was there before', 'still held', 'failing', 'stuck']),
      evidence: z.string(),
      at: time,
      request: z.int(),
    })
    .exactOptional(),
  times: z.int(),
  claimed: z.int().exactOptional(),
  userId: z.string().exactOptional(),
  lookedAt: time.exactOptional().describe('When it was last read whether everything is still in place.'),
  unreadable: z.array(z.string()).exactOptional(),
  takenOutAt: time.exactOptional(),
  renamedFrom: z.string().exactOptional(),
  putBack: z.array(z.object({ lever: measureName, at: time })),
});

const tampering = z.object({
  kind: z.enum([
    'client disabled',
    'client uninstalled',
    'fail closed',
    'taken out of the group',
    'undone',
    're-imaged',
    'same hostname',
    'clock wrong',
    'user renamed',
    'another user',
  ]),
  subject: z.string().exactOptional(),
  since: time,
  says: z.string(),
  over: time.exactOptional().describe('Absent while it still is so.'),
}) satisfies z.ZodType<Tampering>;

const rung = z.object({ at: time, evidence: z.string() });

const configuration = z.object({
  state: z.enum(['unverified', 'member', 'applied', 'biting', 'overdue']),
  rungs: z
    .object({ member: rung.exactOptional(), applied: rung.exactOptional(), biting: rung.exactOptional() })
    .describe('The proof that containment reached the device, rung by rung.'),
  changedAt: time.exactOptional(),
  before: z
    .object({
      steeringConfig: z.string().exactOptional(),
      hostInfoUpdatedAt: time.exactOptional(),
      newestAt: time.exactOptional(),
    })
    .exactOptional(),
  onlineMs: z.number(),
  lastClientSightingAt: time.exactOptional(),
  expectedBy: time.exactOptional(),
  overdueBecause: z.string().exactOptional(),
  overdueSince: time.exactOptional(),
  says: z.string(),
});

const presence = z.object({
  state: z.enum(['silent', 'seen', 'blind']),
  last: sightingSchema.exactOptional(),
  recent: z.array(sightingSchema),
  count: z.int(),
  known: z.array(z.string()),
  blindFeeds: z.record(z.string(), time).describe('Feeds that cannot be read, with since when.'),
  regular: z.array(z.string()).describe('Feeds that would speak whenever the device is online.'),
  unheardSince: time,
  heard: z.object({
    client: time.exactOptional(),
    other: z.object({ at: time, source: z.string() }).exactOptional(),
  }),
  firstLookAt: time.exactOptional(),
});

const question = z.object({
  id: z.string(),
  askedAt: time,
  text: z.string(),
  options: z.array(optionSchema),
  freeText: z.literal('serial').exactOptional(),
  proposes: proposal.exactOptional(),
  whom: z.array(z.string()).exactOptional(),
});

const journalEntry = z.object({
  n: z.int(),
  at: time,
  track,
  who: z.string(),
  text: z.string(),
  evidence: z.string().exactOptional(),
  routine: z.literal(true).exactOptional().describe('More of the same: left out where people read.'),
});

const directoryStep = z.enum(['revoke-sessions', 'disable-device', 'disable-user']);

/** Rules as they are pinned in a case. */
export const rulesSchema = z.object({
  directorySteps: z.object({ lost: z.array(directoryStep), stolen: z.array(directoryStep) }),
  whenUserHasOtherDevices: z.enum(['contain-and-tell', 'tag-first', 'ask']),
  configuration: z.object({
    syncEveryMs: z.number(),
    downloadMs: z.number(),
    graceMs: z.number(),
    onlineGapMs: z.number(),
  }),
  waits: z.object({
    retryFirstMs: z.number(),
    retryMaxMs: z.number(),
    moveSeenWithinMs: z.number(),
    moveLookEveryMs: z.number(),
    noteGatherMs: z.number(),
    journalGatherMs: z.number(),
  }),
  levers: z.object({ lookEveryMs: z.number(), lookWhenHeardMs: z.number(), putBackPerDay: z.number() }),
  escalation: escalationRulesSchema,
  wipe: wipeRulesSchema,
}) satisfies z.ZodType<Rules>;

export const caseStateSchema = z.object({
  schema: z.literal(caseSchema).describe('Grows when this form changes in a way that readers must know.'),
  workflowId: z.string(),
  chain: z.string().describe('This case and no other of the same device.'),
  tenant: z.string(),
  openedAt: time,
  outcome: outcomeSchema,
  ending: z
    .object({
      outcome: outcomeSchema.exclude(['open']),
      at: time,
      who: z.string(),
      reason: z.string(),
      movedTo: z.string().exactOptional(),
      undoneAt: time.exactOptional().describe('Everything is undone; a clock of the law may keep it open.'),
    })
    .exactOptional(),
  closedAt: time.exactOptional(),
  tickets: z.array(ticketRefSchema),
  deliveries: z.array(z.string()),
  hint: deviceHintSchema,
  reportedUser: z.string().exactOptional(),
  verified: z.boolean(),
  answers: answersSchema,
  device: managedDeviceSchema.exactOptional(),
  candidates: z.array(managedDeviceSchema),
  otherDevices: z.array(deviceNamesSchema),
  names: z.object({ lostSteeringConfig: z.string(), lostPolicy: z.string(), secureAccess: z.string() }).exactOptional(),
  keys: z.array(z.string()),
  containment,
  configuration,
  presence,
  wipe: wipeSchema,
  asked: z.object({
    isolate: z.boolean().exactOptional(),
    releaseIsolation: z.boolean().exactOptional(),
    lock: z.boolean().exactOptional(),
  }),
  escalation: escalationSchema,
  tampering: z.array(tampering).describe('What somebody did to the device or to its containment, newest last.'),
  tasks: z.array(taskSchema),
  encryption: encryptionSchema.exactOptional(),
  listening: z.object({ since: time, until: time }).exactOptional().describe('Written off, and still listening.'),
  reopened: z.int(),
  steps: z.record(z.string(), step),
  questions: z.array(question),
  decided: z.record(z.string(), z.object({ value: z.string(), who: z.string(), at: time })),
  decisions: z.array(z.string()),
  journal: z.object({
    next: z.int(),
    archived: z.int(),
    sending: z.int().exactOptional(),
    leftOut: z.int().exactOptional(),
    tail: z.array(journalEntry).describe('The newest entries; all of them are in the archive.'),
  }),
  notes: z.object({
    next: z.int(),
    pending: z.array(z.object({ n: z.int(), at: time, text: z.string() })),
    sending: z.object({ last: z.int(), told: z.array(z.string()) }).exactOptional(),
  }),
  pages: z.array(
    z.object({
      key: z.string(),
      subject: z.string(),
      text: z.string(),
      to: audienceSchema.extend({ deputies: z.literal(true).exactOptional() }).exactOptional(),
      rung: z.string().exactOptional(),
      incident: z.string().exactOptional(),
      notBefore: time.exactOptional(),
      told: z.array(z.string()).exactOptional(),
      tries: z.int().exactOptional(),
      resolve: z.literal(true).exactOptional(),
      acknowledge: z.literal(true).exactOptional(),
    }),
  ),
  paged: z.array(z.string()),
  afterwards: z.array(reportSchema),
  rules: rulesSchema,
  rulesApplied: z.object({ at: time, who: z.string(), times: z.int() }).exactOptional(),
}) satisfies z.ZodType<CaseState>;
