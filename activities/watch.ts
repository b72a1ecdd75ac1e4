/**
 * The fleet watch: asks one feed for the whole tenant, matches what it says with open cases, and signals only cases with
 * news. A quiet case costs nothing here.
 *
 * A feed that cannot be read is a matter of its health, and told to the cases it could serve. A case or a Temporal that
 * cannot be reached is not: the first is told at the next look, the second ends the shift, and the server begins it again.
 * @module
 */
import { activityInfo, cancellationSignal, heartbeat, log, sleep } from '@temporalio/activity';
import type { DeviceNames } from '../playbook/device';
import { isNamesake, matchDevice } from '../playbook/device';
import { afterFailure, afterSuccess, idle, type WatchPlace } from '../playbook/feed-health';
import { shortHash } from '../playbook/short-hash';
import type { Sighting } from '../playbook/sighting';
import { PlaybookError } from '../plugins/errors';
import type { FeedAnswer, WatchedDevice } from '../plugins/roles';
import { deviceSeen, type SightingBatch } from '../workflows/messages';
import type { House } from './house';
import { siteFinder } from './sites';
import { afterLook, nobodyYet } from './watched-cases';

export interface WatchInput extends WatchPlace {
  tenant: string;
  plugin: string;
  feed: string;
}

export interface FirstLookInput {
  tenant: string;
  now: string;
  workflowId: string;
  device: DeviceNames;
}

/** What every feed that could see the device said of it. */
export interface FirstLook {
  sightings: Sighting[];
  /** `plugin/feed: what went wrong`. */
  unreadable: string[];
  /** Feeds that could see the device by the names known then. */
  feeds: { name: string; regular: boolean; readable: boolean }[];
}

/** One signal carries at most this many sightings. */
const batchSize = 50;
/** One activity watches this long, so that its place is stored by the workflow now and then (milliseconds). */
const shiftMs = 60 * 60_000;
/** Also while a vendor keeps us waiting, the server hears that somebody watches (milliseconds). */
const beatEveryMs = 2_000;

type SiteFinder = ReturnType<typeof siteFinder>;

export function createWatchActivities(house: House) {
  const feedOf = ({ tenant, plugin, feed: name }: WatchInput) => {
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
   * Watch one feed for an hour. The heartbeat carries the place, so that a worker that dies loses seconds; records that are
   * read twice are dropped here within a shift and by the case for good. The same of a blindness: who was told of it stands
   * in the place, and a case that hears it twice changes nothing.
   */
  async function watchFeed(input: WatchInput): Promise<WatchPlace> {
    const { tenant, plugin, feed: feedName, ...given } = input;
    const feed = feedOf(input);
    const { settings } = house.tenant(tenant);
    const siteOf = siteFinder(settings.sites);
    const signal = cancellationSignal();

    const died = activityInfo().heartbeatDetails as WatchPlace | undefined;
    const place = { sweptAt: new Date().toISOString(), health: idle, ...(died ?? given) };
    const told = new Set(place.told);
    // What was told after the last heartbeat of a shift that died, or by a version that kept no list, is not known.
    let toldIsSure = (died ?? given).health ? died === undefined || place.health.failures === 0 : !place.watermark;

    /** Cases of which it is not known whether they were told. */
    const doubtful = new Set<string>();
    const known = new Map<string, number>();
    let watched = nobodyYet;
    let seen: WatchedDevice[] = [];
    let indexedAtMs = -Infinity;

    /** The next look is due after this long (milliseconds). */
    async function look(nowMs: number): Promise<number> {
      const at = new Date(nowMs).toISOString();
      let answer: FeedAnswer;
      try {
        answer = await feed.read(place.watermark, seen, { signal, now: at });
      } catch (error) {
        signal.throwIfAborted();
        place.health = afterFailure(place.health, { at, error: inWords(error), watched: seen.length }, settings.watch);
        const { failures } = place.health;
        log.warn('feed not readable', { feed: feedName, failures, error: inWords(error).message });
        const asked = error instanceof PlaybookError ? error.details.retryAfterMs : undefined;
        return Math.max(
          asked ?? 0,
          Math.min(settings.watch.longestPauseMs, feed.pollEveryMs * 2 ** Math.min(failures, 6)),
        );
      }
      if (answer.putAside > place.health.putAside)
        log.warn('records put aside', { feed: feedName, count: answer.putAside });
      const newest = answer.records.reduce((latest, record) => Math.max(latest, Date.parse(record.at)), -Infinity);
      place.health = afterSuccess(place.health, {
        at,
        // A record with a date that is still to come says nothing about the feed.
        ...(newest > -Infinity && { newestRecordAt: new Date(Math.min(newest, nowMs)).toISOString() }),
        putAside: answer.putAside,
        watched: seen.length,
      });
      await tellNews(answer);
      place.watermark = answer.watermark;
      const sweptAgoMs = nowMs - Date.parse(place.sweptAt);
      if (sweptAgoMs < 0 || sweptAgoMs >= settings.watch.sweepEveryMs) await sweep(nowMs);
      for (const [id, atMs] of known) if (atMs < nowMs - feed.lateDataMs * 2) known.delete(id);
      return feed.pollEveryMs;
    }

    async function sweep(nowMs: number): Promise<void> {
      const back = new Date(nowMs - settings.watch.sweepEveryMs + feed.lateDataMs).toISOString();
      try {
        await tellNews(await feed.read(undefined, seen, { signal, now: back }));
        place.sweptAt = new Date(nowMs).toISOString();
      } catch (error) {
        signal.throwIfAborted();
        // The feed itself is well: only this long look back was too much for it. Again in a while.
        log.warn('feed not swept', { feed: feedName, error: inWords(error).message });
        place.sweptAt = new Date(nowMs - settings.watch.sweepEveryMs + shiftMs).toISOString();
      }
    }

    async function tellNews(answer: FeedAnswer): Promise<void> {
      for (const device of seen) {
        const sightings = sightingsOf({ plugin, feed: feedName, siteOf }, device, answer);
        const key = (sighting: Sighting) => `${device.workflowId} ${sighting.id}`;
        const news = sightings.filter((sighting) => !known.has(key(sighting)));
        // A feed repeats its overlap for as long as nothing newer comes: what is still being read is not forgotten.
        for (const sighting of sightings) if (known.has(key(sighting))) known.set(key(sighting), Date.now());
        const named = namesakesOf(device, answer);
        const namesakes = named.filter((other) => !known.has(keyOfNamesake(device, other)));
        if (namesakes.length === 0 || (await tell(device.workflowId, { sightings: [], namesakes })))
          for (const other of named) known.set(keyOfNamesake(device, other), Date.now());
        for (let first = 0; first < news.length; first += batchSize) {
          const batch = news.slice(first, first + batchSize);
          if (!(await tell(device.workflowId, { sightings: batch }))) break;
          for (const sighting of batch) known.set(key(sighting), Date.now());
        }
      }
    }

    /** A blindness is told once to each case that it concerns, whenever that was opened; and once, that it is over. */
    async function tellHealth(): Promise<void> {
      const { blindSince, failures } = place.health;
      if (blindSince === undefined && failures > 0) return;
      let everybodyTold = true;
      for (const { workflowId } of blindSince === undefined ? watched.devices : seen) {
        const id = shortHash(workflowId);
        const isTold = toldIsSure && !doubtful.has(id) && told.has(id) === (blindSince !== undefined);
        if (isTold) continue;
        if (!(await tell(workflowId, { sightings: [], blindSince: blindSince ?? null }))) {
          everybodyTold = false;
          // The signal may have arrived although its answer did not.
          doubtful.add(id);
          continue;
        }
        doubtful.delete(id);
        if (blindSince === undefined) told.delete(id);
        else told.add(id);
      }
      toldIsSure ||= everybodyTold;
    }

    /** False when the case could not be told. It never keeps the others waiting, and is told at the next look. */
    async function tell(workflowId: string, news: Omit<SightingBatch, 'feed'>): Promise<boolean> {
      const batch = { feed: `${plugin}/${feedName}`, regular: feed.regular, ...news };
      try {
        await house.client.workflow.getHandle(workflowId).signal(deviceSeen, batch);
      } catch (error) {
        if ((error as Error).name !== 'WorkflowNotFoundError') {
          log.warn('case not told', { workflowId, feed: feedName, error: inWords(error).message });
          return false;
        }
      }
      return true;
    }

    heartbeat(place);
    const beats = setInterval(() => heartbeat(place), beatEveryMs);
    try {
      // Our own clock may be set back; what is due every so often is due all the same.
      for (const startedMs = performance.now(); performance.now() - startedMs < shiftMs;) {
        if (performance.now() - indexedAtMs >= settings.watch.indexEveryMs) {
          watched = afterLook(watched, await watchedDevices(tenant));
          seen = watched.devices.filter((device) => feed.sees(device));
          const open = new Set(watched.devices.map(({ workflowId }) => shortHash(workflowId)));
          // Nobody is gone at the first look of a shift.
          if (indexedAtMs >= startedMs) for (const id of told) if (!open.has(id)) told.delete(id);
          indexedAtMs = performance.now();
        }
        let pauseMs = feed.pollEveryMs;
        if (seen.length > 0) {
          pauseMs = await look(Date.now());
          await tellHealth();
        } else {
          // The next case begins anew: what was long before it is not its business.
          place.health = idle;
          delete place.watermark;
        }
        place.told = [...told];
        heartbeat(place);
        await sleep(pauseMs);
      }
    } finally {
      clearInterval(beats);
    }
    return place;
  }

  /** A new case does not wait for the next poll: it asks every feed that could see its device at once. */
  async function firstLook(input: FirstLookInput): Promise<FirstLook> {
    const device: WatchedDevice = { ...input.device, workflowId: input.workflowId };
    const { feeds, settings } = house.tenant(input.tenant);
    const siteOf = siteFinder(settings.sites);
    const looks = await Promise.all(
      feeds
        .filter(({ feed }) => feed.sees(device))
        .map(async ({ plugin, feed }) => {
          const about = { name: `${plugin}/${feed.name}`, regular: feed.regular };
          try {
            const answer = await feed.read(undefined, [device], { signal: cancellationSignal(), now: input.now });
            const sightings = sightingsOf({ plugin, feed: feed.name, siteOf }, device, answer);
            return { about: { ...about, readable: true }, sightings, unreadable: [] };
          } catch (error) {
            cancellationSignal().throwIfAborted();
            const unreadable = [`${about.name}: ${inWords(error).message}`];
            return { about: { ...about, readable: false }, sightings: [], unreadable };
          }
        }),
    );
    return {
      sightings: looks.flatMap((look) => look.sightings),
      unreadable: looks.flatMap((look) => look.unreadable),
      feeds: looks.map((look) => look.about),
    };
  }

  return { watchFeed, firstLook };
}

/** Other machines with the device's hostname, each once. */
function namesakesOf(device: DeviceNames, answer: FeedAnswer): DeviceNames[] {
  const found = answer.records.map((record) => record.device).filter((other) => isNamesake(device, other));
  return [...new Map(found.map((other) => [other.serial ?? other.nsdeviceuid, other])).values()].slice(0, 10);
}

const keyOfNamesake = ({ workflowId }: WatchedDevice, other: DeviceNames) =>
  `${workflowId} namesake ${other.serial ?? other.nsdeviceuid ?? ''}`;

/** What a feed's answer says about one device. */
function sightingsOf(
  where: { plugin: string; feed: string; siteOf: SiteFinder },
  device: DeviceNames,
  answer: FeedAnswer,
): Sighting[] {
  return answer.records.flatMap((record) => {
    const match = matchDevice(device, record.device);
    if (match === 'none') return [];
    const site = where.siteOf(record.publicAddress);
    return [{ ...record, match, source: where.plugin, feed: where.feed, ...(site !== undefined && { site }) }];
  });
}

/** Vendors' texts are cleaned of secrets where they come in. */
function inWords(error: unknown): { code?: string; message: string } {
  if (error instanceof PlaybookError) return { code: error.code, message: error.message };
  return { message: error instanceof Error ? error.message : 'unknown error' };
}
