/**
 * Netskope's groups and who is in them. A read may lag behind a write; what a laptop is given never does.
 * @module
 */
import type { Person, World } from '../world';

/** A group of the tenant. */
export interface Group {
  id: string;
  displayName: string;
  /** Set by whoever pushes the group: a hint that a directory owns it. */
  externalId?: string;
  provisioner: string;
  members: Map<Person, MemberState>;
}

interface MemberState {
  member: boolean;
  /** What reads show until the write has settled. */
  before: boolean;
  changedAtMs: number;
}

/** The tenant's groups. */
export class Groups {
  readonly all = new Map<string, Group>();

  constructor(readonly world: World) {}

  create(displayName: string, provisioner: string, externalId?: string): Group {
    const id = this.world.seed.uuid(`group ${displayName}`);
    const group: Group = { id, displayName, provisioner, members: new Map(), ...(externalId && { externalId }) };
    this.all.set(id, group);
    return group;
  }

  named(displayName: string): Group | undefined {
    const name = displayName.toLowerCase();
    for (const group of this.all.values()) if (group.displayName.toLowerCase() === name) return group;
    return undefined;
  }

  /** Whether the person is in the group, lag or not. */
  isMember(group: Group, person: Person): boolean {
    return group.members.get(person)?.member ?? false;
  }

  /** Whether reads say so. */
  isSeenAsMember(group: Group, person: Person): boolean {
    const state = group.members.get(person);
    if (!state) return false;
    const lagMs = this.#lagMs(person);
    return lagMs > 0 && this.world.clock.now() - state.changedAtMs < lagMs ? state.before : state.member;
  }

  /** Members as reads show them. */
  *seenMembers(group: Group): Iterable<Person> {
    for (const person of group.members.keys()) if (this.isSeenAsMember(group, person)) yield person;
  }

  groupsSeenOf(person: Person): Group[] {
    return [...this.all.values()].filter((group) => this.isSeenAsMember(group, person));
  }

  /** Put a person in or out. Answers the name of the effect, or null when it was so already. */
  setMember(group: Group, person: Person, member: boolean): string | null {
    if (this.isMember(group, person) === member) return null;
    const before = this.isSeenAsMember(group, person);
    group.members.set(person, { member, before, changedAtMs: this.world.clock.now() });
    if (!member && group === this.world.netskope.lostGroup) this.world.released(person);
    const text = `netskope: ${person.user} ${member ? 'added to' : 'removed from'} group ${group.displayName}`;
    return this.world.effects.name(`netskope member ${person.user} ${group.id}`, text);
  }

  /** A person who is no more is in no group. */
  removeEverywhere(person: Person): void {
    for (const group of this.all.values()) this.setMember(group, person, false);
  }

  #lagMs(person: Person): number {
    const { readLagMs } = this.world.traps;
    if (readLagMs !== 'mild') return readLagMs;
    return person.user === 'lee@example.test' ? 500 : 0;
  }
}
