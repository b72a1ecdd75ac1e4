/**
 * A laptop with a clock. It is off until told; while it is on, its client speaks, traffic flows, and configuration is
 * asked for at the real client's pace: every 60 minutes (5 in fast sync), never at once, then a download of 3 to 10.
 * @module
 */
import { type ClientEvent, clientEvents } from './netskope/client-status';
import type { VendorName } from './vendor';
import type { Person, World } from './world';

/** Where a laptop is, as the cloud sees it. */
export interface Place {
  city: string;
  region: string;
  country: string;
  ip: string;
  privateIp: string;
  latitude: number;
  longitude: number;
  isp: string;
}

/** Places with a name. Addresses are from the ranges kept for documentation. */
export const places = {
  office: {
    city: 'Exampleville',
    region: 'EX',
    country: 'NL',
    ip: '198.51.100.10',
    privateIp: '10.20.1.42',
    latitude: 52.1,
    longitude: 5.1,
    isp: 'Example Office Lines',
  },
  home: {
    city: 'Homestead',
    region: 'EX',
    country: 'NL',
    ip: '203.0.113.20',
    privateIp: '192.168.178.20',
    latitude: 52.3,
    longitude: 4.9,
    isp: 'Example Home Internet',
  },
  cafe: {
    city: 'Cafeton',
    region: 'CA',
    country: 'BE',
    ip: '203.0.113.77',
    privateIp: '192.168.1.20',
    latitude: 50.8,
    longitude: 4.3,
    isp: 'Example Cafe Wifi',
  },
} as const satisfies Record<string, Place>;

/** Ways in which somebody interferes with the client. */
export const tamperings = {
  'user-disabled': clientEvents.userDisabled,
  'user-enabled': clientEvents.userEnabled,
  'admin-disabled': clientEvents.adminDisabled,
  'admin-enabled': clientEvents.adminEnabled,
  'fail-closed': clientEvents.failClosed,
  'tunnel-down': clientEvents.tunnelDown,
  'tunnel-up': clientEvents.tunnelUp,
  uninstalled: clientEvents.uninstalled,
} as const satisfies Record<string, ClientEvent>;

const secondMs = 1000;
const minuteMs = 60 * secondMs;

/** A managed laptop. */
export class Laptop {
  nsdeviceuid: string;
  oldNsdeviceuid = '';
  readonly macAddress: string;
  readonly os: 'Windows' | 'Mac';
  readonly installedSeconds: number;
  /** Name of the steering configuration that is applied. */
  steeringConfig: string;
  /** When the device last reported its own data (seconds). */
  hostInfoSeconds: number;
  online = false;
  client: 'enabled' | 'disabled' | 'uninstalled' = 'enabled';
  /** How far its own clock runs ahead (milliseconds): what it dates by itself is wrong by so much. */
  clockOffMs = 0;
  /** Endpoint detection has closed its network to all but its own cloud. A restart changes nothing. */
  isolated = false;
  /** Grows whenever the laptop goes on or off: what was planned in an earlier session does not happen. */
  #session = 0;
  #images = 1;
  #downloads = 0;
  /** The session in which a download runs. */
  #downloading = 0;
  #postures = 0;
  /** What was done to the client while it could tell nobody. */
  #untold: ClientEvent | undefined;

  constructor(
    readonly world: World,
    readonly person: Person,
    readonly serial: string,
    readonly hostname: string,
    public place: Place,
  ) {
    const { seed, clock } = world;
    this.nsdeviceuid = seed.uuid(`nsdeviceuid ${serial} 1`);
    const mac = seed.hex(`mac ${serial}`, 10).toUpperCase();
    this.macAddress = `02-${mac.match(/../g)!.join('-')}`;
    this.os = serial === 'SN0070' ? 'Mac' : 'Windows';
    this.installedSeconds = clock.seconds() - 200 * 86_400;
    this.hostInfoSeconds = clock.seconds() - seed.between(`host info ${serial}`, 2, 20) * 3600;
    this.steeringConfig = world.netskope.steeringConfigFor(person);
    const posture = world.applies('postureChange', serial === 'SN0060');
    this.#speak(posture ? clientEvents.postureManaged : clientEvents.tunnelUp);
  }

  /** Whether what runs on it gets through to this vendor's cloud now. Programs on the laptop ask; what is planned goes on. */
  canReach(vendor: VendorName): boolean {
    return this.online && (!this.isolated || vendor === 'crowdstrike');
  }

  /** Now, by its own clock (seconds). */
  ownSeconds(): number {
    return this.world.clock.seconds() + Math.round(this.clockOffMs / 1000);
  }

  /** The client is there, enabled and connected. */
  get tunnelUp(): boolean {
    return this.canReach('netskope') && this.client === 'enabled';
  }

  goOnline(place?: Place): void {
    if (this.online) {
      if (place) this.moveTo(place);
      return;
    }
    if (place) this.place = place;
    this.online = true;
    this.#session += 1;
    this.world.crowdstrike.cameOnline(this);
    this.world.intune.cameOnline(this);
    if (this.client === 'uninstalled') return;
    if (this.client === 'enabled') this.#speak(clientEvents.tunnelUp);
    else if (this.#untold) this.#speak(this.#untold);
    this.#untold = undefined;
    if (this.world.applies('postureChange', this.serial === 'SN0060')) this.#plan(30 * secondMs, this.#changePosture);
    this.#plan(minuteMs, this.#useNetwork);
    this.#plan(5 * minuteMs, this.#beat);
    this.#plan(this.#syncEveryMs, this.#askForConfiguration);
  }

  /** Without a word (the lid is shut), or with a proper shutdown. */
  goOffline(how?: 'shutdown'): void {
    if (!this.online) return;
    if (how && this.client !== 'uninstalled') this.#speak(clientEvents.shutdown);
    this.online = false;
    this.#session += 1;
    const session = this.#session;
    this.world.clock.after(15 * minuteMs, () => {
      if (session === this.#session) this.world.netskope.status.missHeartbeats(this);
    });
  }

  moveTo(place: Place): void {
    this.place = place;
    if (!this.tunnelUp) return;
    this.#speak(clientEvents.tunnelUp);
    this.#useNetwork();
  }

  tamper(how: keyof typeof tamperings): void {
    if (how === 'uninstalled') this.client = 'uninstalled';
    else this.client = tamperings[how].status === 'Enabled' ? 'enabled' : 'disabled';
    if (how === 'admin-disabled') {
      this.world.netskope.events.audit('Client Disable Request Submitted', this);
    }
    if (this.online) this.#speak(tamperings[how]);
    else this.#untold = tamperings[how];
  }

  /** A fresh image: another installation on the same hardware, with the standard configuration, enrolled anew, and off. */
  reImage(): void {
    this.goOffline();
    this.#images += 1;
    this.oldNsdeviceuid = this.nsdeviceuid;
    this.nsdeviceuid = this.world.seed.uuid(`nsdeviceuid ${this.serial} ${this.#images}`);
    this.client = 'enabled';
    this.clockOffMs = 0;
    this.#untold = undefined;
    this.steeringConfig = this.world.netskope.standardSteeringConfig;
    this.hostInfoSeconds = this.ownSeconds();
    this.isolated = false;
    this.world.crowdstrike.install(this);
    this.world.intune.enrol(this);
    this.#speak(clientEvents.installed);
  }

  /** Device management resets it: everything on it is gone, without a word to anybody, and it is off. */
  wipe(): void {
    this.goOffline();
    this.client = 'uninstalled';
    this.isolated = false;
    this.world.crowdstrike.remove(this);
  }

  /** The sensor closes or opens the network. The client on it notices either, and does what it does without a network. */
  setIsolated(isolated: boolean): void {
    if (isolated === this.isolated) return;
    this.isolated = isolated;
    if (!isolated) {
      if (this.tunnelUp) this.#speak(clientEvents.tunnelUp);
      this.world.intune.cameOnline(this);
      return;
    }
    this.world.clock.after(15 * minuteMs, () => {
      if (this.isolated) this.world.netskope.status.missHeartbeats(this);
    });
  }

  /** Happens after the delay, unless the laptop went off in between. */
  whileOn(delayMs: number, what: () => void): void {
    const session = this.#session;
    this.world.clock.after(delayMs, () => {
      if (this.online && session === this.#session) what();
    });
  }

  get #syncEveryMs(): number {
    return (this.world.tenant.fastSync ? 5 : 60) * minuteMs;
  }

  #plan(delayMs: number, what: () => void): void {
    const session = this.#session;
    this.world.clock.after(delayMs, () => {
      if (session === this.#session && this.client !== 'uninstalled') what.call(this);
    });
  }

  #speak(event?: ClientEvent): void {
    if (!this.isolated) this.world.netskope.status.report(this, event);
  }

  #useNetwork(): void {
    if (this.tunnelUp) this.world.netskope.events.traffic(this);
  }

  #beat(): void {
    this.#speak();
    this.#useNetwork();
    this.#plan(5 * minuteMs, this.#beat);
  }

  #changePosture(): void {
    this.#postures += 1;
    if (this.client !== 'enabled') return;
    this.#speak(this.#postures % 2 ? clientEvents.postureUnmanaged : clientEvents.postureManaged);
  }

  #askForConfiguration(): void {
    this.#plan(this.#syncEveryMs, this.#askForConfiguration);
    if (!this.canReach('netskope')) return;
    const wanted = this.world.netskope.steeringConfigFor(this.person);
    if (wanted === this.steeringConfig || this.#downloading === this.#session) return;
    this.#downloading = this.#session;
    this.#downloads += 1;
    const downloadMs = this.world.seed.between(`download ${this.serial} ${this.#downloads}`, 180, 600) * secondMs;
    this.#plan(downloadMs, () => {
      this.#downloading = 0;
      if (!this.canReach('netskope')) return;
      this.steeringConfig = wanted;
      this.hostInfoSeconds = this.ownSeconds();
      this.#speak();
    });
  }
}
