/**
 * The form of the escalation rules in the settings file: the ladder, tasks of people, legal clocks.
 * @module
 */
import { z } from 'zod';
import type { Audience } from '../playbook/ladder';
import { defaultRules } from '../playbook/rules';
import { fact, rungProposal, severity, troubleKind } from '../playbook/schemas/escalation';
import { filledText } from '../plugins/setting-fields';
import { duration, lasting, name, names, oneOf } from './fields';

const { escalation } = defaultRules;

const audience = ({ whom, by, inQuietHours, severity: usual }: Audience) => ({
  whom: names.default(whom).describe('Persons or rotas; empty: everybody whom the notifiers know.'),
  by: names.default(by).describe('Notifiers; empty: all that a person has.'),
  inQuietHours: oneOf(['page', 'wait']).default(inQuietHours).describe('`wait`: they are called when these end.'),
  severity: oneOf(severity.options).default(usual).describe('How bad it is, for pagers.'),
});

const owner = names.default([]).describe('Persons or rotas; empty: everybody whom the notifiers know.');

const rung = z.strictObject({
  name: name.describe('For commands, and for the journal.'),
  when: oneOf(troubleKind.options).describe('What is wrong.'),
  afterMs: duration.describe('How long it has been so.'),
  unless: z
    .array(oneOf(fact.options), { error: 'is no list: write it like [contained]' })
    .default([])
    .describe('Once one of these is so, the rung is over.'),
  ...audience({ whom: [], by: [], inQuietHours: 'page', severity: 'error' }),
  repeatEveryMs: lasting.exactOptional().describe('Again and again until somebody acknowledges.'),
  deputiesAfterMs: duration.exactOptional().describe('Nobody acknowledged for this long: deputies are called too.'),
  propose: oneOf(rungProposal.options).exactOptional().describe('Ask for a decision on this, in place of a page.'),
});

const task = z.strictObject({
  id: name.describe('For commands.'),
  title: filledText.describe('What to do.'),
  owner,
  dueMs: lasting.describe('After it began.'),
  warnBeforeMs: duration.exactOptional().describe('People hear of it this long before it is due.'),
  kinds: z
    .array(oneOf(['lost', 'stolen']), { error: 'is no list: write it like [stolen]' })
    .min(1, { error: 'is empty: write lost, stolen or both' })
    .default(['lost', 'stolen'])
    .describe('For which losses.'),
  begins: oneOf(['opened', 'written off']).default('opened').describe('With the case, or with its write-off.'),
  reference: filledText.exactOptional().describe('What must be told when it is done: `report number`.'),
});

const stage = z.strictObject({
  id: name.describe('For commands.'),
  title: filledText.describe('What to do.'),
  owner,
  from: filledText.default('awareness').describe('`awareness`, or the stage that must be done before.'),
  due: z
    .union(
      [
        z.strictObject({ ms: lasting.describe('A time.') }),
        z.strictObject({ months: z.int().min(1).max(120).describe('Calendar months.') }),
      ],
      { error: 'is no due time: write { ms: 72h } or { months: 1 }' },
    )
    .describe('After what it counts from: `{ ms: 72h }` or `{ months: 1 }`.'),
  warnBeforeMs: duration.describe('People hear of it this long before it is due.'),
});

const clock = z.strictObject({
  id: name.describe('For commands.'),
  law: filledText.describe('For people: `GDPR Article 33`.'),
  stages: z
    .array(stage, { error: 'is no list: write at least one stage' })
    .min(1, { error: 'is empty: write at least one stage' })
    .describe('What must be told, in order.'),
});

const cleanUp = z.strictObject({
  where: filledText.describe('For people: `Intune`.'),
  afterMs: lasting.describe('Silent for this long.'),
  warnBeforeMs: duration.describe('People hear of it this long before.'),
});

const whole = 'A list that is given replaces the whole default: copy from there what you keep.';
const notAList = { error: 'is no list: begin each entry with -' };

/** `rules.escalation` of a tenant. */
export const escalationForm = z
  .strictObject({
    ladder: z
      .array(rung, notAList)
      .prefault(escalation.ladder)
      .describe(`Who is told when something stays wrong. ${whole}`),
    news: z.strictObject(audience(escalation.news)).prefault({}).describe('Who hears of news: seen, stolen after all.'),
    tasks: z.array(task, notAList).prefault(escalation.tasks).describe(`What no API does. ${whole}`),
    clocks: z
      .array(clock, notAList)
      .prefault(escalation.clocks)
      .describe(`Duties to tell an authority, each started by a person. ${whole}`),
    silentAfterMs: lasting
      .prefault(escalation.silentAfterMs)
      .describe('Unheard for this long while somebody listened, a device is silent.'),
    clientSilentAfterMs: lasting
      .prefault(escalation.clientSilentAfterMs)
      .describe('The client is unheard for this long although another source heard the device.'),
    listenForMs: duration.prefault(escalation.listenForMs).describe('A written-off case listens for this long.'),
    cleanUps: z
      .array(cleanUp, notAList)
      .prefault(escalation.cleanUps)
      .describe('Consoles that forget a device which is silent for too long, and every command that waits for it.'),
    cleanUpWarnMs: duration
      .prefault(escalation.cleanUpWarnMs)
      .describe('People hear of a clean-up that a console tells by itself this long before, while a wipe waits there.'),
    askAgainMs: lasting
      .prefault(escalation.askAgainMs)
      .describe('A proposal that was answered by "not now" comes again after this time.'),
    searchWithinMs: lasting
      .prefault(escalation.searchWithinMs)
      .describe('How long the search of a site of the company may take.'),
    snoozeMaxMs: lasting.prefault(escalation.snoozeMaxMs).describe('A call may be put off for this long at most.'),
    pageTries: z
      .int({ error: 'is not a whole number' })
      .min(0)
      .default(escalation.pageTries)
      .describe(
        'So often a page is tried again for those who could not be reached, while others have it. While nobody has it, there is no end.',
      ),
  })
  .prefault({})
  .describe('Who is told, what people do, and when silence begins.');
