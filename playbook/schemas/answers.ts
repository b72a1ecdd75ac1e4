/**
 * The small answers of the command line and the API: what became of a report or a decision, lists, addresses.
 * @module
 */
import { z } from 'zod';
import type { Digest } from '../digest';
import { taskSchema } from './escalation';
import { time } from './report';

/** What became of a report: `start`. */
export const takenSchema = z.object({
  outcome: z.enum(['opened', 'joined', 'in triage', 'already closed']),
  workflowId: z.string(),
});

/** What became of a webhook. */
export const webhookAnswerSchema = z.object({
  outcome: takenSchema.shape.outcome,
  case: z.string().describe('Workflow id of the case or the triage.'),
});

/** What became of a decision, from `answer` to `write-off`. */
export const decidedSchema = z.object({ text: z.string() });

/** One row of `list`. */
export const caseSummarySchema = z.object({
  workflowId: z.string(),
  runId: z.string().describe('A laptop that was lost twice has two cases of one workflow id.'),
  kind: z.enum(['case', 'triage']),
  tenant: z.string(),
  running: z.boolean(),
  outcome: z.string(),
  device: z.string().exactOptional(),
  user: z.string().exactOptional(),
  tickets: z.array(z.string()).exactOptional().describe('Desk and number of each ticket.'),
  containment: z.string().exactOptional(),
  configuration: z.string().exactOptional(),
  presence: z.string().exactOptional(),
  needs: z.string().exactOptional().describe('`person`, `vendor` or `nothing`.'),
  openedAt: time,
  closedAt: time.exactOptional(),
});

/** `list`, newest first. */
export const caseListSchema = z.array(caseSummarySchema);

/** `tasks`: what people have to do in one case. */
export const taskListSchema = z.array(taskSchema);

const sentences = z.array(z.string());

/** `digest`: what a shift hands to the next. */
export const digestSchema = z.object({
  since: time.describe('What happened since then is told.'),
  at: time,
  says: z.string().describe('All of it in a few sentences.'),
  cases: z
    .array(
      z.object({
        workflowId: z.string(),
        headline: z.string(),
        asks: sentences.describe('What waits for a person, and who was called or has it in hand.'),
        wipe: z.string().exactOptional().describe('How a wipe that is under way stands.'),
        happened: sentences.describe('The newest entries of the journal, oldest first.'),
        next: z.string(),
        nextAt: time.exactOptional(),
        tasks: sentences.describe('Open tasks, the soonest first.'),
      }),
    )
    .describe('What asks a person first, then what is late or counted by the law, then what comes next soonest.'),
  triages: z.array(z.object({ workflowId: z.string(), says: z.string(), asks: sentences })),
  closed: z
    .array(z.object({ workflowId: z.string(), headline: z.string(), at: time, because: z.string() }))
    .describe('Closed or written off since.'),
  listening: z.int().describe('How many devices that were written off or wiped are listened for.'),
  unanswered: z
    .array(z.object({ workflowId: z.string(), device: z.string().exactOptional(), why: z.string() }))
    .describe('Cases that did not answer: no worker, or frozen.'),
}) satisfies z.ZodType<Digest>;

/** `feeds`: how each feed of the settings fares. */
export const feedListSchema = z.array(
  z.object({
    tenant: z.string(),
    plugin: z.string().describe('Name of the product in the settings.'),
    feed: z.string(),
    state: z
      .enum(['ok', 'failing', 'blind', 'idle', 'not running'])
      .describe('`idle`: no open case has a device that it could see. `not running`: no worker watches it.'),
    says: z.string(),
    lastSuccessAt: time.exactOptional().describe('When it was last read to the end.'),
    newestRecordAt: time.exactOptional().describe("Its newest record, in the vendor's time."),
    lagMs: z.int().exactOptional().describe('How old that record is.'),
    failingSince: time.exactOptional(),
    blindSince: time.exactOptional().describe('Nothing was seen by it since then.'),
    error: z.object({ code: z.string().exactOptional(), message: z.string() }).exactOptional(),
    putAside: z.int().describe('Records of the last reading that could not be understood.'),
    watched: z.int().describe('Open cases whose device it could see.'),
  }),
);

/** `guard`: what is frozen, and what was permitted, for each tenant. */
export const guardListSchema = z.array(
  z.object({
    tenant: z.string(),
    state: z.enum(['open', 'frozen', 'not known']).describe('`not known`: no worker answers.'),
    says: z.string(),
    frozen: z.object({ who: z.string(), at: time, reason: z.string() }).exactOptional(),
    dryRun: z.boolean().describe('Nothing destructive leaves: the settings switch it.'),
    approvers: z.array(z.string()).describe('Persons who may approve a wipe.'),
    wipes: z
      .object({ lastHour: z.int(), perHour: z.int(), lastDay: z.int(), perDay: z.int() })
      .exactOptional()
      .describe('Permitted wipes, with their caps.'),
    containments: z
      .object({ lastHour: z.int(), perHour: z.int() })
      .exactOptional()
      .describe('Automatic containments, with their cap.'),
    permits: z
      .array(z.object({ id: z.string(), workflowId: z.string(), at: time }))
      .describe('Wipes permitted within the last day, oldest first.'),
  }),
);

/** `freeze` and `unfreeze`: one answer for each tenant. */
export const frozenSchema = z.array(z.object({ tenant: z.string(), text: z.string() }));

/** `evidence`: what the archive holds of the losses of one laptop. */
export const evidenceListSchema = z.array(
  z.object({
    key: z.string().describe('Where it lies in the archive.'),
    kind: z
      .enum(['baseline', 'evidence', 'wipe intent', 'journal', 'closing report', 'other'])
      .describe('`wipe intent`: written before a wipe left; whoever finds it must not send again.'),
  }),
);

/** `upgrade --check`: whether each open workflow would go on with this version. */
export const upgradeCheckSchema = z.array(
  z.object({
    workflowId: z.string(),
    kind: z
      .string()
      .describe(
        '`case`, `triage`, `user hold`, `guard`, `fleet watch` or `reconciliation`; else its name in Temporal.',
      ),
    events: z.int().describe('Length of its history.'),
    goesOn: z.boolean(),
    because: z.string().exactOptional().describe('Why it would stand still.'),
    todo: z.string().exactOptional(),
  }),
);

/** `plugins`: the products of the settings. */
export const pluginListSchema = z.array(
  z.object({
    tenant: z.string(),
    name: z.string().describe('Its name in the settings.'),
    plugin: z.string(),
    title: z.string(),
    roles: z.array(z.string()),
    hosts: z.array(z.string()).describe("Hosts that the product's agent on a device needs."),
    permissions: z.array(z.string()).describe('What its credential must be allowed to do.'),
  }),
);

/** `plugins test`: one line for each thing that was tried. */
export const connectionTestsSchema = z.array(z.object({ what: z.string(), ok: z.boolean(), detail: z.string() }));

/** `up`: where everything listens. Also kept in `up.json` in the data folder while it runs. */
export const houseAddressesSchema = z.object({
  pid: z.int(),
  temporal: z.string(),
  ui: z.string().exactOptional(),
  webhooks: z.string(),
  api: z.string(),
  startedAt: time,
});

const day = z.int().describe('Whole days since the loss.');
const howOften = { times: z.int(), firstAt: time, lastAt: time };

/** `drill`: what would have happened, who would have been asked and called, and what the settings lack. */
export const drillReportSchema = z.object({
  story: z.enum(['recovered', 'never-reappears', 'wiped']),
  tenant: z.string(),
  from: time.describe('When the imagined laptop was lost: all times are case time.'),
  to: time,
  ended: z.boolean().describe('The story came to its end as it should.'),
  says: z.string(),
  wrong: sentences.describe('What is not as it should be. Empty when it ended as it should.'),
  kept: sentences.describe('What a lack of the settings kept from happening.'),
  course: z
    .array(
      z.object({
        at: time,
        day,
        who: z.string().describe('`story`, `playbook`, a feed, or a person in the name of the drill.'),
        what: z.string(),
        evidence: z.string().exactOptional(),
      }),
    )
    .describe('Oldest first. Calls stand apart.'),
  asked: z
    .array(
      z.object({
        at: time,
        day,
        what: z.string(),
        whom: z.array(z.string()).describe('Empty: whoever is called where a rung names nobody.'),
        answer: z.string().exactOptional(),
        who: z.string().exactOptional().describe('Who answered, in the name of the drill.'),
      }),
    )
    .describe('Questions to people, oldest first.'),
  tasks: z.array(
    z.object({ id: z.string(), title: z.string(), owner: z.array(z.string()), dueAt: time.exactOptional() }),
  ),
  calls: z
    .array(
      z.object({
        subject: z.string().describe('As the page would begin.'),
        severity: z.enum(['critical', 'error', 'warning', 'info']),
        ...howOften,
        people: z.array(
          z.object({
            who: z.string().describe('`everybody`: the addresses of the notifier itself.'),
            by: z.string().describe('The notifier, by its name in the settings.'),
            address: z.enum(["the person's own", "the notifier's own"]),
            ...howOften,
          }),
        ),
        quiet: z
          .array(z.object({ who: z.string(), times: z.int(), until: time.describe('Of the last time.') }))
          .describe('Who had quiet hours, and was left out or called later.'),
        missed: sentences.describe('Who could not have been called, and why.'),
      }),
    )
    .describe('Who would have been called. Nobody was.'),
  sent: z
    .array(z.object({ product: z.string(), what: z.string(), ...howOften }))
    .describe('What would have been sent to which product. Nothing was.'),
  lacks: z
    .array(
      z.object({
        setting: z.string().describe('Where in the settings file.'),
        says: z.string(),
        remedy: z.string(),
      }),
    )
    .describe('What the settings lack.'),
});

/** How the listeners say no. */
export const refusalSchema = z.object({ error: z.object({ code: z.string(), message: z.string() }) });
