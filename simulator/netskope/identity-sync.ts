/**
 * A job of somebody's identity system: at every cycle it makes one Netskope group what its own list says, whatever others
 * put in or took out meanwhile. It is told of nothing, and asks nobody.
 * @module
 */
import type { Person, World } from '../world';
import type { Group } from './groups';

/** One job, from the moment it is made until it is stopped. */
export class IdentitySync {
  /** How often it found the group other than its list. */
  undone = 0;
  #stopped = false;

  constructor(
    readonly world: World,
    readonly everyMs: number,
    readonly group: Group,
    readonly members: Set<Person>,
  ) {
    this.#plan();
  }

  stop(): void {
    this.#stopped = true;
  }

  #plan(): void {
    this.world.clock.after(this.everyMs, () => {
      if (this.#stopped) return;
      const { groups } = this.world.netskope;
      const touched = [...new Set([...this.group.members.keys(), ...this.members])].filter((person) => !person.deleted);
      const changes = touched.filter(
        (person) => groups.setMember(this.group, person, this.members.has(person)) !== null,
      );
      if (changes.length > 0) this.undone += 1;
      this.#plan();
    });
  }
}
