/**
 * What Falcon knows of the laptops: one host for each installation of the sensor, when it was last seen, and whether it is
 * contained. The sensor speaks whenever the laptop is on, whatever became of the other programs on it.
 * @module
 */
import type { Laptop } from '../laptop';
import type { World } from '../world';

const beatMs = 5 * 60_000;
/** From the moment at which the sensor can be told until it has done it and said so. */
const containMs = 10_000;
const liftMs = 15_000;

/** One installation of the sensor. */
export interface Host {
  deviceId: string;
  laptop: Laptop;
  firstSeenMs: number;
  lastSeenMs: number;
  externalIp: string;
  localIp: string;
  status: 'normal' | 'containment_pending' | 'contained' | 'lift_containment_pending';
}

/** All hosts. */
export class FalconHosts {
  readonly all = new Map<string, Host>();
  /** The installation that runs on a laptop now. */
  readonly #running = new Map<Laptop, Host>();

  constructor(readonly world: World) {}

  /** A sensor is installed on a laptop. What an earlier image had stays behind as a host that is never seen again. */
  install(laptop: Laptop): void {
    const nowMs = this.world.clock.now();
    const host: Host = {
      deviceId: this.world.seed.hex(`falcon ${laptop.nsdeviceuid}`, 32),
      laptop,
      firstSeenMs: nowMs,
      lastSeenMs: nowMs,
      externalIp: laptop.place.ip,
      localIp: laptop.place.privateIp,
      status: 'normal',
    };
    this.all.set(host.deviceId, host);
    this.#running.set(laptop, host);
  }

  /** An administrator lets the laptop out in the console. Nothing when it was not contained. */
  letOut(laptop: Laptop): string | undefined {
    const host = this.#running.get(laptop);
    return host && this.lift(host);
  }

  /** The sensor is gone from a laptop, without a word: its host is never seen again. */
  remove(laptop: Laptop): void {
    this.#running.delete(laptop);
  }

  /** The laptop is on: its sensor says so at once and every 5 minutes, and takes what waits for it. */
  cameOnline(laptop: Laptop): void {
    const host = this.#running.get(laptop);
    if (!host) return;
    this.#beat(host);
    this.#tell(host);
  }

  /** The sensor of this host is connected now. */
  isOnline(host: Host): boolean {
    return this.#running.get(host.laptop) === host && host.laptop.canReach('crowdstrike');
  }

  /** What changed; nothing when the vendor refuses it as a repeat. */
  contain(host: Host): string | undefined {
    if (host.status !== 'normal') return undefined;
    host.status = 'containment_pending';
    this.#tell(host);
    return this.world.effects.name(`containment ${host.deviceId}`, `crowdstrike: ${host.laptop.hostname} contained`);
  }

  /** Also before the sensor has heard of its containment. What changed; nothing when the vendor refuses it as a repeat. */
  lift(host: Host): string | undefined {
    if (host.status !== 'contained' && host.status !== 'containment_pending') return undefined;
    host.status = 'lift_containment_pending';
    this.#tell(host);
    return this.world.effects.name(`containment ${host.deviceId}`, `crowdstrike: ${host.laptop.hostname} released`);
  }

  #beat(host: Host): void {
    if (!this.isOnline(host)) return;
    const { laptop } = host;
    host.lastSeenMs = this.world.clock.now();
    host.externalIp = laptop.place.ip;
    host.localIp = laptop.place.privateIp;
    laptop.whileOn(beatMs, () => this.#beat(host));
  }

  /** Carried out by a sensor that is on; one that is off hears of it when it comes on. */
  #tell(host: Host): void {
    const { laptop, status } = host;
    if (!status.endsWith('_pending') || !this.isOnline(host)) return;
    const contained = status === 'containment_pending';
    laptop.whileOn(contained ? containMs : liftMs, () => {
      if (host.status !== status || !this.isOnline(host)) return;
      host.status = contained ? 'contained' : 'normal';
      laptop.setIsolated(contained);
    });
  }
}
