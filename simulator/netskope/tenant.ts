/**
 * The Netskope tenant: its parts, and what its administrators prepared for lost laptops.
 * @module
 */
import type { Person, World } from '../world';
import { ClientStatus } from './client-status';
import { DeviceTags } from './device-tags';
import { Events } from './events';
import { type Group, Groups } from './groups';
import type { IdentitySync } from './identity-sync';
import { NpaRules } from './npa-rules';

/** State of the Netskope tenant. */
export class NetskopeTenant {
  readonly lostSteeringConfig = 'Lost-Stolen Steering';
  readonly standardSteeringConfig = 'Default tenant config';
  /** In the order in which they are tried. */
  readonly steeringConfigs = [this.lostSteeringConfig, this.standardSteeringConfig];
  readonly lostPolicy = 'Block lost and stolen devices';
  readonly groups: Groups;
  readonly lostGroup: Group;
  readonly staff: Group;
  readonly status: ClientStatus;
  readonly events: Events;
  readonly tags: DeviceTags;
  readonly npaRules: NpaRules;
  /** Runs beside the playbook, and knows nothing of it. */
  identitySync?: IdentitySync;

  constructor(world: World) {
    this.groups = new Groups(world);
    this.lostGroup = this.groups.create('Lost-Stolen Devices', 'SCIM-API');
    this.staff = this.groups.create('Staff', 'Entra ID', world.seed.uuid('entra group Staff'));
    this.status = new ClientStatus(world);
    this.events = new Events(world);
    this.tags = new DeviceTags(world);
    this.npaRules = new NpaRules(world);
    this.tags.classify(this.tags.create('lost-stolen', 'Lost or stolen laptops'), 'Lost or stolen');
  }

  /** The steering configuration that the order of groups gives to a person. */
  steeringConfigFor(person: Person): string {
    return this.groups.isMember(this.lostGroup, person) ? this.lostSteeringConfig : this.standardSteeringConfig;
  }
}
