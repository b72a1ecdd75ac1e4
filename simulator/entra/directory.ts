/**
 * State of the directory: users, the lost group, device objects, and what provisioning carries into Netskope.
 * @module
 */
import type { Laptop, Place } from '../laptop';
import type { Person, World } from '../world';
import { GraphTokens } from './tokens';

/** The fixed identifiers of the directory. */
export const entraIds = {
  tenant: '11111111-1111-4111-8111-111111111111',
  clientId: '22222222-2222-4222-8222-222222222222',
  clientSecret: 'sim-entra-secret',
  group: '33333333-3333-4333-8333-333333333333',
  servicePrincipal: '44444444-4444-4444-8444-444444444444',
  job: 'Netskope.1',
  rule: '55555555-5555-4555-8555-555555555555',
} as const;

/** Name of the group that lost people are in. */
export const groupName = 'Lost-Stolen Devices';
const cycleMs = 40 * 60_000;
const exportMs = 1000;

/** A user object. */
export interface EntraUser {
  person: Person;
  enabled: boolean;
  sessionsValidFrom: string;
  deleted: boolean;
}

/** A device object. */
export interface EntraDevice {
  id: string;
  deviceId: string;
  displayName: string;
  enabled: boolean;
}

/** One entry of the sign-in log. */
export interface SignIn {
  id: string;
  atMs: number;
  /** The log shows it from then on. */
  shownAtMs: number;
  person: Person;
  /** The person's name at that time. */
  user: string;
  device: EntraDevice | undefined;
  place: Place;
  os: string;
  refused: boolean;
}

interface MemberState {
  member: boolean;
  before: boolean;
  changedAtMs: number;
}

/** State of the directory. */
export class EntraDirectory {
  readonly tokens: GraphTokens;
  readonly users = new Map<string, EntraUser>();
  readonly #members = new Map<Person, MemberState>();
  readonly devices = new Map<string, EntraDevice>();
  readonly #devicesByName = new Map<string, EntraDevice[]>();
  readonly #signIns: SignIn[] = [];
  /** Whose membership has changed since it was last exported. */
  readonly #changedSinceExport = new Set<Person>();
  /** Exports on demand that have not reached Netskope yet. */
  readonly #exporting = new Map<Person, boolean>();

  constructor(readonly world: World) {
    this.tokens = new GraphTokens(world);
    this.#planCycle();
  }

  addUser(person: Person): void {
    const sessionsValidFrom = new Date(this.world.clock.now()).toISOString();
    this.users.set(person.entraId, { person, enabled: true, sessionsValidFrom, deleted: false });
  }

  deleteUser(person: Person): void {
    if (this.isMember(person)) this.setMember(person, false);
    this.users.get(person.entraId)!.deleted = true;
  }

  /** Answers the name of the effect, or null when it was so already. */
  setUserEnabled(user: EntraUser, enabled: boolean): string | null {
    if (user.enabled === enabled) return null;
    user.enabled = enabled;
    const name = user.person.user;
    return this.world.effects.name(`entra user ${name}`, `entra: user ${name} ${enabled ? 'enabled' : 'disabled'}`);
  }

  /** Answers the name of the effect, or null when it was so already. */
  setDeviceEnabled(device: EntraDevice, enabled: boolean): string | null {
    if (device.enabled === enabled) return null;
    device.enabled = enabled;
    const text = `entra: device ${device.displayName} (${device.id}) ${enabled ? 'enabled' : 'disabled'}`;
    return this.world.effects.name(`entra device ${device.id}`, text);
  }

  /** The device object of a laptop. LT-0051 was joined twice: it has two of the same name. */
  addDevice(serial: string, hostname: string): void {
    const { seed } = this.world;
    for (const joined of serial === 'SN0051' ? ['first', 'second'] : ['first']) {
      const device: EntraDevice = {
        id: seed.uuid(`entra device object ${serial} ${joined}`),
        deviceId: seed.uuid(`entra device ${serial} ${joined}`),
        displayName: hostname,
        enabled: true,
      };
      this.devices.set(device.id, device);
      const key = hostname.toLowerCase();
      this.#devicesByName.set(key, [...(this.#devicesByName.get(key) ?? []), device]);
    }
  }

  /** By object id or user principal name. */
  user(idOrName: string): EntraUser | undefined {
    const named = this.world.people.get(idOrName.toLowerCase());
    const user = this.users.get(idOrName) ?? this.users.get(named?.entraId ?? '');
    return user?.deleted ? undefined : user;
  }

  devicesNamed(displayName: string): EntraDevice[] {
    return this.#devicesByName.get(displayName.toLowerCase()) ?? [];
  }

  /** Somebody signs in at a laptop, as its user. `lateMs`: how much later the log shows it. */
  signIn(laptop: Laptop, refused: boolean, lateMs: number): void {
    const atMs = this.world.clock.now();
    this.#signIns.push({
      id: this.world.seed.uuid(`sign-in ${this.#signIns.length}`),
      atMs,
      shownAtMs: atMs + lateMs,
      person: laptop.person,
      user: laptop.person.user,
      device: this.devicesNamed(laptop.hostname)[0],
      place: laptop.place,
      os: laptop.os,
      refused,
    });
  }

  /** What the log shows now, newest first. */
  signIns(): SignIn[] {
    return this.#signIns.filter(({ shownAtMs }) => shownAtMs <= this.world.clock.now()).reverse();
  }

  isMember(person: Person): boolean {
    return this.#members.get(person)?.member ?? false;
  }

  /** Membership as reads show it: the directory is eventually consistent. */
  isSeenAsMember(person: Person): boolean {
    const state = this.#members.get(person);
    if (!state) return false;
    return this.world.clock.now() - state.changedAtMs < this.world.traps.directoryLagMs ? state.before : state.member;
  }

  members(): Person[] {
    return [...this.#members.keys()].filter((person) => this.isSeenAsMember(person));
  }

  setMember(person: Person, member: boolean): string {
    const before = this.isSeenAsMember(person);
    this.#members.set(person, { member, before, changedAtMs: this.world.clock.now() });
    this.#changedSinceExport.add(person);
    if (!member) this.world.released(person);
    const text = `entra: ${person.user} ${member ? 'added to' : 'removed from'} group ${groupName}`;
    return this.world.effects.name(`entra member ${person.user}`, text);
  }

  /** Provision one person on demand: what came of it, in the vendor's words. */
  provision(person: Person): { result: 'Success' | 'Skipped'; errorCode?: string; changed: string | null } {
    const { groups, lostGroup } = this.world.netskope;
    if (!this.world.traps.directoryOwnsGroup) {
      return { result: 'Skipped', errorCode: 'NotEffectivelyEntitled', changed: null };
    }
    const wanted = this.isMember(person);
    const held = this.#exporting.get(person) ?? groups.isMember(lostGroup, person);
    if (wanted === held) return { result: 'Skipped', errorCode: 'RedundantExport', changed: null };
    if (!wanted && !this.world.traps.onDemandRemoves) {
      return { result: 'Skipped', errorCode: 'ObjectNotInScope', changed: null };
    }
    this.#exporting.set(person, wanted);
    this.world.clock.after(exportMs, () => {
      groups.setMember(lostGroup, person, wanted);
      this.#exporting.delete(person);
      this.#changedSinceExport.delete(person);
    });
    const text = `entra: ${person.user} exported ${wanted ? 'into' : 'out of'} netskope group ${lostGroup.displayName}`;
    return { result: 'Success', changed: this.world.effects.name(`entra export ${person.user}`, text) };
  }

  /** The regular cycle exports what changed in the directory; it never reads what is there, unless the trap is set. */
  #planCycle(): void {
    this.world.clock.after(cycleMs, () => {
      const { traps, netskope } = this.world;
      if (traps.directoryOwnsGroup) {
        const people = traps.directoryUndoesEdits ? this.world.people.values() : this.#changedSinceExport;
        for (const person of people) netskope.groups.setMember(netskope.lostGroup, person, this.isMember(person));
        this.#changedSinceExport.clear();
      }
      this.#planCycle();
    });
  }
}
