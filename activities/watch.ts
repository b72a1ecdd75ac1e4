/**
 * The fleet watch: asks one feed for the whole tenant, matches what it says with open cases, and signals only cases with
 * news. A quiet case costs nothing here.
 * @module
 */
import { activityInfo, cancellationSignal, heartbeat, log, sleep } from '@temporalio/activity';
import type { DeviceNames } from '../playbook/device';
import { matchDevice } from '../playbook/device';
import type { Sighting } from '../playbook/sighting';
import { PlaybookError } from '../plugins/errors';
import type { FeedAnswer, WatchedDevice } from '../plugins/roles';
import { deviceSeen } from '../workflows/messages';
import type { House } from './house';

export interface WatchInput {
  tenant: string;
  plugin: string;
  feed: string;
  watermark?: string;
  /** When the feed was last swept for late records. ISO 8601. */
  sweptAt?: string;
}

/** Where a shift stopped. */
export type WatchPlace = Pick<WatchInput, 'watermark' | 'sweptAt'>;

export interface FirstLookInput {
  tenant: string;
  now: string;
  workflowId: string;
  device: DeviceNames;
}

/** One signal carries at most this many sightings. */
const batchSize = 50;
/** Once a day a feed is read this far back, for records that came later than its overlap (milliseconds). */
const sweepMs = 24 * 60 * 60_000;
/** One activity watches this long, so that its watermark is stored by the workflow now and then (milliseconds). */
const shiftMs = 60 * 60_000;
/** A feed that failed this often in a row makes the cases it serves blind. */
const blindAfterFailures = 5;
/** Longest wait between two looks at a failing feed (milliseconds). */
const longestPauseMs = 5 * 60_000;

export function createWatchActivities(house: House) {
  const feedOf = (tenant: string, plugin: string, name: string) => {
    const found = house.tenant(tenant).feeds.find((entry) => entry.plugin === plugin && entry.feed.name === name);
    if (found === undefined) throw new Error(`Tenant ${tenant} has no feed ${plugin}/${name} any more`);
    return found.feed;
  };

  /** Every running case of the tenant with the names of its device, from visibility. */
  async function watchedDevices(tenant: string): Promise<WatchedDevice[]> {
    const devices: WatchedDevice[] = [];
    const query = `WorkflowType = 'lostDevice' AND ExecutionStatus = 'Running' AND LostDeviceTenant = '${tenant}'`;
    for await (const found of house.client.workflow.list({ query })) {
      const names = (found.memo as { names?: DeviceNames } | undefined)?.names;
      if (names) devices.push({ ...names, workflowId: found.workflowId });
    }
    return devices;
  }

  /**
   * Watch one feed for an hour. The heartbeat carries the watermark, so that a worker that dies loses seconds; records
   * that are read twice are dropped here within a shift and by the case for good.
   */
  async function watchFeed(input: WatchInput): Promise<WatchPlace> {
    const feed = feedOf(input.tenant, input.plugin, input.feed);
    const { indexEveryMs } = house.tenant(input.tenant).settings.watch;
    const kept = activityInfo().heartbeatDetails as WatchPlace | undefined;
    let watermark = kept?.watermark ?? input.watermark;
    let sweptAt = kept?.sweptAt ?? input.sweptAt ?? new Date().toISOString();
    const place = (): WatchPlace => ({ ...(watermark !== undefined && { watermark }), sweptAt });
    const known = new Map<string, number>();
    const blind = new Map<string, string>();
    let failures = 0;
    let watched: WatchedDevice[] = [];
    let indexedAtMs = 0;

    for (const startedMs = Date.now(); Date.now() - startedMs < shiftMs;) {
      const nowMs = Date.now();
      let pauseMs = feed.pollEveryMs;
      try {
        if (nowMs - indexedAtMs >= indexEveryMs) {
          watched = await watchedDevices(input.tenant);
          indexedAtMs = nowMs;
        }
        if (watched.length > 0) {
          const answer = await feed.read(watermark, watched, {
            signal: cancellationSignal(),
            now: new Date(nowMs).toISOString(),
          });
          await tellCases(input, watched, answer, known);
          watermark = answer.watermark;
          if (nowMs - Date.parse(sweptAt) >= sweepMs) {
            const back = new Date(nowMs - sweepMs + feed.lateDataMs).toISOString();
            const late = await feed.read(undefined, watched, { signal: cancellationSignal(), now: back });
            await tellCases(input, watched, late, known);
            sweptAt = new Date(nowMs).toISOString();
          }
          await tellSight(input, watched, blind, null);
          if (answer.putAside > 0) log.warn('records put aside', { feed: input.feed, count: answer.putAside });
        }
        failures = 0;
      } catch (error) {
        cancellationSignal().throwIfAborted();
        failures += 1;
        const asked = error instanceof PlaybookError ? error.details.retryAfterMs : undefined;
        pauseMs = Math.max(asked ?? 0, Math.min(longestPauseMs, feed.pollEveryMs * 2 ** Math.min(failures, 6)));
        log.warn('feed not readable', {
          feed: input.feed,
          failures,
          error: error instanceof Error ? error.message : 'unknown',
        });
        if (failures === blindAfterFailures)
          await tellSight(input, watched, blind, new Date(nowMs).toISOString()).catch(() => undefined);
      }
      heartbeat(place());
      for (const [id, atMs] of known) if (atMs < nowMs - feed.lateDataMs * 2) known.delete(id);
      await pause(pauseMs, () => heartbeat(place()));
    }
    return place();
  }

  async function tellCases(
    input: WatchInput,
    watched: WatchedDevice[],
    answer: FeedAnswer,
    known: Map<string, number>,
  ): Promise<void> {
    for (const device of watched) {
      const seen = sightingsOf(input, device, answer);
      const told = (sighting: Sighting) => `${device.workflowId} ${sighting.id}`;
      const news = seen.filter((sighting) => !known.has(told(sighting)));
      // A feed repeats its overlap for as long as nothing newer comes: what is still being read is not forgotten.
      for (const sighting of seen) if (known.has(told(sighting))) known.set(told(sighting), Date.now());
      for (let first = 0; first < news.length; first += batchSize) {
        const sightings = news.slice(first, first + batchSize);
        const feedName = `${input.plugin}/${input.feed}`;
        await house.client.workflow
          .getHandle(device.workflowId)
          .signal(deviceSeen, { feed: feedName, sightings })
          .catch(ignoreClosed);
        for (const sighting of sightings) known.set(told(sighting), Date.now());
      }
    }
  }

  /** Say once that the feed went blind, and once that it sees again. */
  async function tellSight(
    input: WatchInput,
    watched: WatchedDevice[],
    blind: Map<string, string>,
    since: string | null,
  ): Promise<void> {
    for (const { workflowId } of watched) {
      if (since === null ? !blind.has(workflowId) : blind.has(workflowId)) continue;
      await house.client.workflow
        .getHandle(workflowId)
        .signal(deviceSeen, { feed: `${input.plugin}/${input.feed}`, sightings: [], blindSince: since })
        .catch(ignoreClosed);
      if (since === null) blind.delete(workflowId);
      else blind.set(workflowId, since);
    }
  }

  /** A new case does not wait for the next poll: it asks every feed about its own device at once. */
  async function firstLook(input: FirstLookInput): Promise<{ sightings: Sighting[]; unreadable: string[] }> {
    const device: WatchedDevice = { ...input.device, workflowId: input.workflowId };
    const unreadable: string[] = [];
    const answers = await Promise.all(
      house.tenant(input.tenant).feeds.map(async ({ plugin, feed }) => {
        const where = { tenant: input.tenant, plugin, feed: feed.name };
        try {
          return sightingsOf(
            where,
            device,
            await feed.read(undefined, [device], { signal: cancellationSignal(), now: input.now }),
          );
        } catch (error) {
          cancellationSignal().throwIfAborted();
          unreadable.push(`${plugin}/${feed.name}: ${error instanceof Error ? error.message : 'unknown error'}`);
          return [];
        }
      }),
    );
    return { sightings: answers.flat(), unreadable };
  }

  return { watchFeed, firstLook };
}

/** What a feed's answer says about one device. */
function sightingsOf(where: { plugin: string; feed: string }, device: DeviceNames, answer: FeedAnswer): Sighting[] {
  return answer.records.flatMap((record) => {
    const match = matchDevice(device, record.device);
    return match === 'none' ? [] : [{ ...record, match, source: where.plugin, feed: where.feed }];
  });
}

function ignoreClosed(error: unknown): void {
  if ((error as Error).name !== 'WorkflowNotFoundError') throw error;
}

/** Sleep in short pieces, so that the server hears of us and cancellation is quick. */
async function pause(ms: number, beat: () => void): Promise<void> {
  for (let leftMs = ms; leftMs > 0; leftMs -= 2_000) {
    await sleep(Math.min(leftMs, 2_000));
    beat();
  }
}
