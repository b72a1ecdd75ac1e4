/**
 * The seeded world: people, their laptops, and the vendors' states around them.
 * @module
 */
import { Clock } from './clock';
import { FalconHosts } from './crowdstrike/hosts';
import { Effects } from './effects';
import { EntraDirectory, entraIds } from './entra/directory';
import { IntuneTenant } from './intune/devices';
import { Laptop, places } from './laptop';
import { NetskopeTenant } from './netskope/tenant';
import { PagerDutyIncidents } from './pagerduty/incidents';
import { Seed } from './seed';
import { TicketTables } from './servicenow/tables';
import { mildTraps, type TenantSetup, type Traps, usualTenant } from './switches';
import type { VendorName } from './vendor';

/** A person, with the identifiers that each vendor gives. */
export interface Person {
  /** User principal name, lower case; the mail address too. Changes when the person is renamed, unlike all that follows. */
  user: string;
  givenName: string;
  familyName: string;
  scimId: string;
  userkey: string;
  entraId: string;
  /** ServiceNow's identifier. */
  sysId: string;
  /** No user of Netskope and Entra any more. */
  deleted: boolean;
}

interface WorldOptions {
  seed: number;
  /** People and laptops beside the ones always there: user0001 with LT-1001 and SN1001, and so on. */
  devices: number;
  /** Start of simulator time (milliseconds since 1970). */
  nowMs: number;
}

const storyPeople: [name: string, laptops: string[]][] = [
  ['pat', ['42']],
  ['sam', ['50', '51']],
  ['kim', ['60']],
  ['lee', ['70']],
  ['breakglass', ['99']],
];

/** Every laptop has last been seen this long before the start. */
const lastSeenBeforeMs = 3 * 3600_000;

/** All of it. Vendors change it through their own parts. */
export class World {
  readonly seed: Seed;
  readonly clock: Clock;
  readonly effects = new Effects();
  readonly people = new Map<string, Person>();
  /** By serial. */
  readonly laptops = new Map<string, Laptop>();
  readonly netskope: NetskopeTenant;
  readonly entra: EntraDirectory;
  readonly tickets: TicketTables;
  readonly pagerDuty: PagerDutyIncidents;
  readonly crowdstrike: FalconHosts;
  readonly intune: IntuneTenant;
  /** Told of what a laptop does by itself because a vendor told it to earlier. */
  onLaptopEvent: (vendor: VendorName, serial: string, changed: string) => void = () => {};
  traps: Traps = mildTraps;
  tenant: TenantSetup = usualTenant;
  readonly #byScimId = new Map<string, Person>();

  constructor(options: WorldOptions) {
    this.seed = new Seed(options.seed);
    this.clock = new Clock(options.nowMs - lastSeenBeforeMs);
    this.netskope = new NetskopeTenant(this);
    this.entra = new EntraDirectory(this);
    this.tickets = new TicketTables(this);
    this.pagerDuty = new PagerDutyIncidents(this);
    this.crowdstrike = new FalconHosts(this);
    this.intune = new IntuneTenant(this);
    for (const [name, numbers] of storyPeople) {
      const person = this.#addPerson(name);
      for (const number of numbers) this.addLaptop(person, `SN00${number}`, `LT-00${number}`);
    }
    for (let i = 1; i <= options.devices; i++) {
      this.addLaptop(this.#addPerson(`user${String(i).padStart(4, '0')}`), `SN${1000 + i}`, `LT-${1000 + i}`);
    }
    this.clock.moveTo(options.nowMs);
    this.netskope.status.addRuin();
  }

  /** Another laptop of a person; it has said something once and is off. */
  addLaptop(person: Person, serial: string, hostname: string): Laptop {
    const laptop = new Laptop(this, person, serial, hostname, places.office);
    this.laptops.set(serial, laptop);
    this.entra.addDevice(serial, hostname);
    this.crowdstrike.install(laptop);
    this.intune.enrol(laptop, laptop.installedSeconds * 1000);
    return laptop;
  }

  personById(scimId: string): Person | undefined {
    const person = this.#byScimId.get(scimId);
    return person?.deleted ? undefined : person;
  }

  /** The person gets another name, in Netskope and Entra at once; records that are there already keep the old one. */
  rename(person: Person, newUser: string): void {
    this.people.delete(person.user);
    person.user = newUser.toLowerCase();
    this.people.set(person.user, person);
  }

  /** The person is no user any more: out of all groups, and not found. Clients go on reporting under the name. */
  deletePerson(person: Person): void {
    this.netskope.groups.removeEverywhere(person);
    this.entra.deleteUser(person);
    person.deleted = true;
  }

  /** Whether a trap is set here. */
  applies(trap: 'numbers' | 'privateAccess' | 'postureChange' | 'nulls', mildCase: boolean): boolean {
    const value = this.traps[trap];
    return value === 'mild' ? mildCase : value;
  }

  /** A user as a tenant shows it that hides its users. */
  anonymous(user: string): string {
    return `anon-${this.seed.hex(`anonymous ${user}`, 16)}`;
  }

  /** Switch traps. Who owns the lost group is written on the group itself. */
  setTraps(changes: { [K in keyof Traps]?: Traps[K] | undefined }): Traps {
    this.traps = { ...this.traps, ...changes } as Traps;
    const { lostGroup } = this.netskope;
    lostGroup.provisioner = this.traps.directoryOwnsGroup ? 'Entra ID' : 'SCIM-API';
    if (this.traps.directoryOwnsGroup) lostGroup.externalId = entraIds.group;
    else delete lostGroup.externalId;
    return this.traps;
  }

  /** The person is out of the lost group: what is done to them from now on is done for another case. */
  released(person: Person): void {
    this.effects.rearm(`entra sessions ${person.user}`);
  }

  #addPerson(name: string): Person {
    const user = `${name}@example.test`;
    const person: Person = {
      user,
      givenName: name[0]!.toUpperCase() + name.slice(1),
      familyName: 'Example',
      scimId: this.seed.uuid(`scim ${user}`),
      userkey: `Kx${this.seed.hex(`userkey ${user}`, 18)}`,
      entraId: this.seed.uuid(`entra ${user}`),
      sysId: this.seed.hex(`servicenow ${user}`, 32),
      deleted: false,
    };
    this.people.set(user, person);
    this.#byScimId.set(person.scimId, person);
    this.netskope.groups.setMember(this.netskope.staff, person, true);
    this.entra.addUser(person);
    return person;
  }
}
