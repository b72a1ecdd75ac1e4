/**
 * The form of the settings file. Every default stands here once, with its meaning.
 * @module
 */
import { z } from 'zod';
import { defaultRules } from '../playbook/rules';
import { filledText, isLoopback } from '../plugins/setting-fields';
import { escalationForm } from './escalation-form';
import { duration, lasting, name, names } from './fields';
import { isReference, referenceText } from './secrets';
import { wipeLimitsForm, wipeRulesForm } from './wipe-form';
import { peopleForm, rotasForm, sitesForm } from './people-form';

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;

const durationOr = (defaultMs: number, meaning: string) => duration.prefault(defaultMs).describe(meaning);

const port = z.int({ error: 'is not a port' }).min(0).max(65_535, { error: 'is not a port: 65535 is the highest' });

/** Names that the program itself uses as the source of tickets and sightings. */
const reservedNames = ['cli', 'person'];

/** A part under `plugins:`. What else stands in it is checked by the plugin's own schema. */
const pluginPart = z.looseObject(
  { plugin: z.string({ error: 'is missing: name the product, for instance plugin: netskope' }) },
  { error: 'is empty: name the product, for instance plugin: netskope' },
);

const directoryStep = z.enum(['revoke-sessions', 'disable-device', 'disable-user'], {
  error: 'is no directory step: write revoke-sessions, disable-device or disable-user',
});

const { configuration, levers, waits } = defaultRules;

const rules = z
  .strictObject({
    directorySteps: z
      .strictObject({
        lost: z
          .array(directoryStep)
          .default(defaultRules.directorySteps.lost)
          .describe('For a lost device, and one of which nobody knows.'),
        stolen: z.array(directoryStep).default(defaultRules.directorySteps.stolen).describe('For a stolen device.'),
      })
      .prefault({})
      .describe('What the directory is asked to do once the move is seen.'),
    whenUserHasOtherDevices: z
      .enum(['contain-and-tell', 'tag-first', 'ask'], {
        error: 'is not known: write contain-and-tell, tag-first or ask',
      })
      .default(defaultRules.whenUserHasOtherDevices)
      .describe('The lost group locks every device of the user. Only `ask` waits for a person.'),
    configuration: z
      .strictObject({
        syncEveryMs: durationOr(configuration.syncEveryMs, 'How often the client asks for a new configuration.'),
        downloadMs: durationOr(configuration.downloadMs, 'Longest download after that.'),
        graceMs: durationOr(configuration.graceMs, 'Slack before *overdue* is said.'),
        onlineGapMs: durationOr(
          configuration.onlineGapMs,
          'Gaps between signs of the client up to this long count as online time.',
        ),
      })
      .prefault({})
      .describe('How long a client that is online may take for its new configuration.'),
    waits: z
      .strictObject({
        retryFirstMs: durationOr(waits.retryFirstMs, 'First wait before a failing step is tried again; it doubles.'),
        retryMaxMs: durationOr(waits.retryMaxMs, 'Longest of these waits.'),
        moveSeenWithinMs: durationOr(waits.moveSeenWithinMs, 'How long a move may be unseen before a person is told.'),
        moveLookEveryMs: durationOr(waits.moveLookEveryMs, 'How often a move that is not seen yet is looked for.'),
        noteGatherMs: durationOr(
          waits.noteGatherMs,
          'How long notes are gathered before one is written to the ticket.',
        ),
        journalGatherMs: durationOr(waits.journalGatherMs, 'How long journal entries are gathered before archiving.'),
      })
      .prefault({})
      .describe('How long a case waits before it tries, looks or writes again.'),
    levers: z
      .strictObject({
        lookEveryMs: lasting
          .prefault(levers.lookEveryMs)
          .describe('How often it is read whether everything that contains the device is still in place.'),
        lookWhenHeardMs: lasting.prefault(levers.lookWhenHeardMs).describe('The same, while the device is heard.'),
        putBackPerDay: z
          .int({ error: 'is not a whole number' })
          .min(0)
          .default(levers.putBackPerDay)
          .describe('So often within a day what somebody took away is put back; then a person is asked.'),
      })
      .prefault({})
      .describe('What somebody undoes is found and put back, and two systems never fight for ever.'),
    escalation: escalationForm,
    wipe: wipeRulesForm,
  })
  .prefault({})
  .describe(
    'Pinned when a case starts: a change here concerns new cases. `settings apply CASE` moves it onto a running one.',
  );

const tenant = z.strictObject(
  {
    plugins: z
      .record(
        name.refine((text) => !reservedNames.includes(text), { error: 'is a name of ours: choose another' }),
        pluginPart,
        { error: 'is missing: name at least one product for secure access and one for the archive' },
      )
      .describe('Products by a name of your choice. A ticket desk gets its webhooks at `/webhooks/tickets/NAME`.'),
    rules,
    guard: z
      .strictObject({
        containmentsPerHour: z
          .int({ error: 'is not a whole number' })
          .min(0)
          .default(5)
          .describe('Automatic containments per hour; above it a person is asked first.'),
        protectedUsers: z
          .array(filledText)
          .default([])
          .describe(
            'Users who are never contained without a person: break-glass accounts, approvers, service accounts.',
          ),
      })
      .prefault({})
      .describe('What is not contained by itself.'),
    wipe: wipeLimitsForm,
    reconciliation: z
      .strictObject({
        every: durationOr(5 * minuteMs, 'How often open tickets without a case are looked for.'),
        checkEvery: durationOr(dayMs, 'How often everything that `check` looks at is looked at by itself.'),
        sayAgainAfter: durationOr(dayMs, 'What was said is not said again before.'),
      })
      .prefault({})
      .describe('What was missed is found by itself: tickets, frozen cases, missing workers.'),
    check: z
      .strictObject({
        readOnly: z
          .boolean()
          .default(false)
          .describe(
            'Whether `check` and the daily look ask no vendor for a change of something that does not exist. True: a person attests those permissions.',
          ),
      })
      .prefault({})
      .describe('How it is looked whether everything is ready for a lost laptop.'),
    watch: z
      .strictObject({
        indexEvery: durationOr(30_000, 'How often the watch looks which cases are open.'),
        sweepEvery: lasting
          .prefault(dayMs)
          .describe('So often a feed is read that far back, for records that came later than `lateDataMs`.'),
        longestPause: lasting.prefault(5 * minuteMs).describe('Longest wait between two looks at a feed that fails.'),
        blindAfter: durationOr(15 * minuteMs, 'A feed that failed for this long is blind.'),
        blindAfterFailures: z
          .int({ error: 'is not a whole number' })
          .min(1)
          .default(5)
          .describe('So is one that failed this often in a row.'),
      })
      .prefault({})
      .describe('One watch for each feed brings its news to cases.'),
    agentHosts: z
      .record(
        z.string(),
        z.array(
          z.string().regex(/^(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)+$/i, {
            error: 'is no host: write it like manage.example.test or *.example.test',
          }),
          { error: 'is no list: write it like [manage.example.test]' },
        ),
      )
      .default({})
      .describe(
        'Hosts that the agent of a product needs, by its name under `plugins`: in place of those that the product names itself, as `lost-device exceptions` prints them.',
      ),
    people: peopleForm,
    rotas: rotasForm,
    onCall: names
      .default([])
      .describe("Persons or rotas that are called where a rung names nobody; empty: the notifiers' own addresses."),
    sites: sitesForm,
    pattern: z
      .strictObject({
        losses: z
          .int({ error: 'is not a whole number' })
          .min(2, { error: 'would make an alarm of every loss: write 2 or more' })
          .default(3)
          .describe('How many losses.'),
        within: lasting.prefault(dayMs).describe('Within which time.'),
      })
      .prefault({})
      .describe('So many losses of one site, team or hour are an alarm.'),
  },
  { error: 'is empty: write at least plugins' },
);

const listener = (defaultPort: number) => ({
  host: filledText.default('127.0.0.1').describe('The address that it listens at.'),
  port: port.default(defaultPort).describe('0 takes a free one.'),
});

/** The whole file, as it is written by a person. */
export const settingsFile = z.strictObject(
  {
    data: z
      .string({ error: 'is no folder: write its path' })
      .min(1, { error: 'is empty: write the path of a folder' })
      .default('./data')
      .describe(
        'Folder for all that this installation keeps on disk; a relative path starts beside the settings file.',
      ),
    temporal: z
      .strictObject({
        address: z
          .string()
          .regex(/^[^\s/:]+:\d{1,5}$/, { error: 'is no address: write host:port' })
          .optional()
          .describe('A server that somebody else runs. TEMPORAL_ADDRESS in the environment goes first.'),
        namespace: filledText
          .optional()
          .describe(
            "The namespace that cases live in: TEMPORAL_NAMESPACE in the environment, then this, then the profile's, then default.",
          ),
        profile: filledText
          .optional()
          .describe(
            'A profile of temporal.toml: address, namespace, TLS with client certificate, API key. TEMPORAL_PROFILE in the ' +
              'environment goes first. Without a name here or there no such file is read.',
          ),
        config: filledText
          .optional()
          .describe(
            'Another temporal.toml than the one of our account; a relative path starts beside the settings file. ' +
              'TEMPORAL_CONFIG_FILE in the environment goes first.',
          ),
        port: port.default(7233).describe('Port of our own server, when no address is given; 0 takes a free one.'),
        uiPort: port.default(8233).describe('Port of the web pages of our own server; 0 takes a free one.'),
        keepClosed: duration
          .refine((ms) => ms >= dayMs, { error: 'is less than Temporal takes: write 1d or more' })
          .prefault(90 * dayMs)
          .describe('Closed cases are kept there for so long at least. A namespace that keeps them longer stays so.'),
      })
      .prefault({})
      .describe('The Temporal server that keeps cases: our own, unless an address is given.'),
    encryption: z
      .strictObject({
        keys: z
          .string({ error: 'is missing: make a keyring by `lost-device keys new FILE`, and write file:FILE' })
          .refine(isReference, {
            error: 'is a secret in the open: put it elsewhere, and write env:NAME, file:PATH or exec:COMMAND here',
          })
          .meta({ description: 'The keyring, made by `lost-device keys new`.', pattern: referenceText.source }),
      })
      .optional()
      .describe('With it, what Temporal keeps is encrypted, and its ids hold keyed hashes.'),
    http: z
      .strictObject({
        webhooks: z
          .strictObject(listener(8787))
          .prefault({})
          .describe('Tickets and acknowledgements come in here. Put a proxy with TLS before it.'),
        api: z
          .strictObject(listener(8788))
          .refine(({ host }) => isLoopback(host), {
            path: ['host'],
            error: 'is open to others, and the API has no sign-in yet: write 127.0.0.1',
          })
          .prefault({})
          .describe('Analysts and programs read cases here. It has no sign-in yet: loopback only.'),
      })
      .prefault({})
      .describe('The two listeners.'),
    tenants: z
      .record(name, tenant, { error: 'is missing: write at least one tenant with its plugins' })
      .refine((tenants) => Object.keys(tenants).length > 0, { error: 'is empty: write at least one tenant' })
      .describe(
        'Companies, or parts of one, by a name of your choice. None knows anything of another: the name of a ticket desk, and an archive, belong to one of them.',
      ),
  },
  { error: 'is empty: write at least tenants' },
);
