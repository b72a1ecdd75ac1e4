/**
 * `npm run demo`: one laptop through the whole house, on a real Temporal server, with the vendors simulated.
 *
 *     npm run demo -- [--story recovered|never-reappears|office|wiped|tampered] [--exit] [--json]
 * @module
 */
import { parseArgs } from 'node:util';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { createNarrator } from './narrator';
import { setStage } from './stage';
import { neverReappearsStory } from './stories/never-reappears';
import { officeStory } from './stories/office';
import { recoveredStory } from './stories/recovered';
import { tamperedStory } from './stories/tampered';
import { wipedStory } from './stories/wiped';
import type { Expect, Story } from './story';
import { openWorld } from './world';
import type { Incident, World } from './world';

const stories: Record<string, Story> = {
  recovered: recoveredStory,
  'never-reappears': neverReappearsStory,
  office: officeStory,
  wiped: wipedStory,
  tampered: tamperedStory,
};

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { story: { type: 'string', default: 'recovered' }, exit: { type: 'boolean' }, json: { type: 'boolean' } },
  });
  const story = stories[values.story];
  if (story === undefined) {
    process.stderr.write(`There is no story "${values.story}". There are: ${Object.keys(stories).join(', ')}.\n`);
    return 2;
  }
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const log = (line: string) => void process.stderr.write(`${line}\n`);
  log('Starting Temporal, the playbook and the simulated vendors…');
  const stage = await setStage(story.profile, { log });
  const world = await openWorld(stage);
  const { addresses } = stage.house;
  const ready = { ...addresses, simulator: stage.simulator, webhookSecret: stage.webhookSecret };
  if (values.json) process.stdout.write(`${JSON.stringify({ ready })}\n`);

  const startedMs = Date.now();
  const tell = createNarrator(world, values.json === true);
  const wrong: string[] = [];
  const expect: Expect = (isSo, otherwise) => void (isSo || wrong.push(otherwise));
  await story
    .play(world, tell, expect)
    .catch((error: unknown) => wrong.push(error instanceof Error ? error.message : String(error)));
  await tell.finish();
  const took = `${Math.round((Date.now() - startedMs) / 1000)} s`;
  if (wrong.length === 0)
    log(`\nThe story "${values.story}" ended as it should, in ${took}. ${await pages(world, story)}.`);
  else log(`\nThe story "${values.story}" did NOT end as it should:\n${wrong.map((line) => `  - ${line}`).join('\n')}`);

  if (!values.exit) {
    await loseAgain(world);
    log(
      [
        '',
        'The same laptop is lost again: a new case, which owes nothing to the first. It is yours to play with; end with Ctrl-C.',
        `  Temporal's own pages   ${addresses.ui ?? '(none)'}`,
        `  The API                ${addresses.api}/api/cases?all=true`,
        `  Webhooks               ${addresses.webhooks}/webhooks/tickets/generic`,
        `  The simulated vendors  ${stage.simulator}/control/laptops`,
        `  The command line       npm run lost-device -- --settings ${stage.settingsFile} show SN0042`,
        `  Bring it online        curl -X POST ${stage.simulator}/control/laptop -d '{"serial":"SN0042","do":"online","place":"cafe"}'`,
        `  Move the clock         curl -X POST ${stage.simulator}/control/clock -d '{"advanceMs":3600000}'`,
      ].join('\n'),
    );
    await new Promise<void>((resolve) => {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
    });
  }
  await world.close();
  await stage.close();
  return wrong.length === 0 ? 0 : 1;
}

/** How often people were called. */
async function pages(world: World, { profile }: Story): Promise<string> {
  const mails = `Mails: ${world.mails().length}`;
  if (!profile.pager) return mails;
  const incidents = await world.control<Incident[]>('GET', '/control/pagerduty');
  return `${mails}; incidents at the pager: ${incidents.length}`;
}

/** A case that stays. */
async function loseAgain(world: World): Promise<void> {
  await world.webhook('generic', {
    ticket: 'DEMO-2',
    device: { serial: 'SN0042' },
    user: 'pat@example.test',
    report: { kind: 'lost' },
  });
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`The demo could not run: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  },
);
