/**
 * A drill: a case of 60 days in seconds, by the settings, the workflows and the activities of this installation, on a
 * Temporal server of its own that is thrown away afterwards. Nothing real is touched: no product, no person, no
 * production case.
 * @module
 */
import { NativeConnection } from '@temporalio/worker';
import { closeHouse, openHouse } from '../open-house';
import type { Settings, TenantSettings } from '../playbook/settings';
import type { SettingsWithoutSecrets } from '../settings/load';
import { openClient } from '../temporal/open-client';
import { startTemporalServer } from '../temporal/server';
import { startWorker } from '../worker';
import { readCalls } from './calls';
import { imagineLaptop } from './laptop';
import { productsOf } from './products';
import { rehearse } from './rehearsal';
import { reportOf, type DrillReport } from './report';
import { setStage } from './stage';
import { neverReappears } from './stories/never-reappears';
import { recovered } from './stories/recovered';
import { wiped } from './stories/wiped';
import type { Story } from './story';

/** What can be played. */
export const stories = { recovered, 'never-reappears': neverReappears, wiped } satisfies Record<string, Story>;
export type StoryName = keyof typeof stories;

const namespace = 'drill';

export interface DrillOptions {
  story: StoryName;
  /** Whose settings are played. */
  tenant: string;
  /** Gets one line for each thing that happens while it plays. */
  log: (line: string) => void;
  /** Prebuilt workflow bundle; the package's own, or made at start, when left out. */
  workflowBundlePath?: string;
}

/**
 * Play a story.
 * @throws Error when Temporal or the worker does not start.
 */
export async function drill(
  { settings, missing }: SettingsWithoutSecrets,
  { story, tenant, log, workflowBundlePath }: DrillOptions,
): Promise<DrillReport> {
  const given = settings.tenants[tenant];
  if (given === undefined) throw new Error(`The settings name no tenant ${tenant}.`);
  const laptop = imagineLaptop(Date.now());
  const players = rehearse(given.plugins, laptop);
  const parts: (() => Promise<unknown>)[] = [];
  try {
    log('Starting a Temporal server for the drill alone…');
    const server = await startTemporalServer({ port: 0, namespace, timeSkipping: true, log });
    parts.push(() => server.stop());
    const connection = await NativeConnection.connect({ address: server.address });
    parts.push(() => connection.close());
    const played = settingsToPlay(settings, tenant, given);
    const house = openHouse(played, openClient(played, connection), true, () => players);
    parts.push(() => closeHouse(house));
    const worker = await startWorker(played, house, connection, workflowBundlePath);
    parts.push(() => worker.stop());

    const startedAt = new Date(laptop.nowMs).toISOString();
    const { stage, told, read } = setStage({ house, tenant, laptop, log });
    await Promise.race([stories[story](stage), worker.ended]).catch((error: unknown) =>
      told.wrong.push(error instanceof Error ? error.message : String(error)),
    );
    const { workflowId, state, journal } = await read();
    return reportOf({
      story,
      tenant,
      settings: given,
      startedAt,
      endedAt: new Date(laptop.nowMs).toISOString(),
      ...told,
      state,
      journal,
      calls: await readCalls(house.client, workflowId),
      sent: laptop.sent,
      products: productsOf(given.plugins, players),
      missingSecrets: missing.filter(({ path }) => path.startsWith(`tenants.${tenant}.`)),
    });
  } finally {
    for (const end of parts.reverse()) await end();
  }
}

/**
 * The settings as they are, but for what would reach outside or keep the drill from its end: no address, no secret, no other
 * tenant, no dry run. The report says that one is on.
 */
function settingsToPlay(settings: Settings, name: string, tenant: TenantSettings): Settings {
  const plugins = Object.entries(tenant.plugins).map(([instance, { plugin }]) => [instance, { plugin, settings: {} }]);
  return {
    ...settings,
    temporal: { ...settings.temporal, namespace },
    tenants: {
      [name]: {
        ...tenant,
        plugins: Object.fromEntries(plugins) as TenantSettings['plugins'],
        wipe: { ...tenant.wipe, dryRun: false },
        watch: { ...tenant.watch, indexEveryMs: 100 },
        indexKey: 'drill',
      },
    },
  };
}
