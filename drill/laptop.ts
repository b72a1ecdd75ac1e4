/**
 * The laptop of a drill. It exists nowhere: what the products would know of it is kept here, in case time.
 * @module
 */
import { EventEmitter } from 'node:events';
import type { DeviceNames } from '../playbook/device';
import type { DirectoryAccount, DirectoryDevice, FeedRecord } from '../plugins/roles';
import type { AgentRecord, CommandProgress, ManagedRecord } from '../plugins/roles';

/** Something that a product would have been told. */
export interface Sent {
  /** ISO 8601, case time. */
  at: string;
  /** Instance name of the settings. */
  product: string;
  /** In the past tense: `added … to the lost group`. */
  what: string;
}

/** Where it is switched on. */
export interface Place {
  name: string;
  /** Of the networks that documents use (RFC 5737), or one that belongs to a site of the settings. */
  publicAddress: string;
}

/** What a feed would speak of. */
export type FeedKind = 'client' | 'policy-block' | 'cloud-traffic' | 'sign-in' | 'tool' | 'network';

const dayMs = 24 * 60 * 60_000;

export type Laptop = ReturnType<typeof imagineLaptop>;

/** @param startMs When it is lost (epoch milliseconds). */
export function imagineLaptop(startMs: number) {
  const iso = (ms: number) => new Date(ms).toISOString();
  const names = {
    serial: 'DRILL0001',
    hostname: 'DRILL-LAPTOP',
    user: 'drill@example.invalid',
    nsdeviceuid: 'drill-installation-1',
  } satisfies DeviceNames;
  const lastSeenAt = iso(startMs - 60 * 60_000);

  let nowMs = startMs;
  let installations = 1;
  let onlineSinceMs: number | undefined;

  const laptop = {
    names,
    /** What the products hold. */
    inLostGroup: false,
    groupOwner: 'api' as 'api' | 'directory',
    tagged: false,
    account: { id: 'drill-user', user: names.user, enabled: true } as DirectoryAccount,
    directoryDevice: { id: 'drill-device', displayName: names.hostname, enabled: true } as DirectoryDevice,
    /** Newest last: set up again, it has another enrolment and another agent. */
    enrolments: [enrolment(1, startMs - 100 * dayMs)],
    agents: [agent(1)],
    /** By enrolment, newest first. */
    commands: new Map<string, CommandProgress[]>(),
    /** An EDR isolates it and leaves nothing else reachable. */
    cutOff: false,
    /** The lost configuration has arrived. */
    configured: false,
    wiped: false,
    lastSeenAt,
    ticket: { open: true },
    /** What was done, in order. */
    sent: [] as Sent[],
    said: new Map<FeedKind, FeedRecord[]>(),
    /** Says `news` whenever the laptop has spoken. */
    speaks: new EventEmitter().setMaxListeners(100),

    get nowMs(): number {
      return nowMs;
    },

    /** The newest moment that anybody spoke of. A hold's own clock runs behind that of the case. */
    at(now: string): string {
      nowMs = Math.max(nowMs, Date.parse(now));
      return iso(nowMs);
    },

    did(product: string, what: string, now: string): void {
      laptop.sent.push({ at: laptop.at(now), product, what });
    },

    /** It is on, and everything that runs on it speaks. Told again after some minutes, it was on all the while. */
    speak(place: Place, atMs: number, configuredAfterMs: number): void {
      sayAll(place, atMs, configuredAfterMs);
      laptop.speaks.emit('news');
    },

    /** Names at the tenant, as the settings have them. */
    lostSteeringConfig: '',
    lostPolicy: '',

    switchOff(): void {
      onlineSinceMs = undefined;
    },

    /** Somebody sets the wiped laptop up again. */
    setUpAgain(atMs: number): void {
      installations += 1;
      laptop.wiped = false;
      laptop.configured = false;
      laptop.cutOff = false;
      laptop.enrolments.push(enrolment(installations, atMs));
      laptop.agents.push(agent(installations));
    },
  };

  function sayAll(place: Place, atMs: number, configuredAfterMs: number): void {
    nowMs = Math.max(nowMs, atMs);
    onlineSinceMs ??= atMs;
    const at = iso(atMs);
    const say = (kind: FeedKind, what: string, more: Partial<FeedRecord> = {}) => {
      const evidence = kind;
      const record: FeedRecord = {
        id: `${kind} ${at}`,
        at,
        evidence,
        device: { ...names, nsdeviceuid: `drill-installation-${installations}` },
        what,
        ...more,
      };
      laptop.said.set(kind, [...(laptop.said.get(kind) ?? []), record]);
    };
    if (laptop.wiped) return;
    const seenFrom = { publicAddress: place.publicAddress, place: { city: place.name } };
    say('tool', 'Seen by its agent', { publicAddress: place.publicAddress });
    laptop.agents.at(-1)!.lastSeenAt = at;
    if (laptop.cutOff) return;
    fetchCommands(at);
    if (laptop.wiped) return;
    laptop.lastSeenAt = at;
    laptop.configured = laptop.inLostGroup && (laptop.configured || atMs - onlineSinceMs >= configuredAfterMs);
    say('client', 'Tunnel up', {
      ...seenFrom,
      client: 'enabled',
      steeringConfig: laptop.configured ? laptop.lostSteeringConfig : 'Usual configuration',
      hostInfoUpdatedAt: at,
    });
    say('network', 'Traffic', { publicAddress: place.publicAddress });
    if (laptop.configured)
      say('policy-block', `Blocked by policy ${laptop.lostPolicy}`, {
        ...seenFrom,
        policy: { name: laptop.lostPolicy, action: 'block' },
      });
    else say('cloud-traffic', 'Web traffic', seenFrom);
  }

  /** A command that waits is fetched, and done when the device speaks the next time. */
  function fetchCommands(at: string): void {
    const record = laptop.enrolments.at(-1)!;
    record.lastSyncAt = at;
    for (const command of laptop.commands.get(record.id) ?? []) {
      if (command.state === 'delivered') {
        Object.assign(command, { state: 'acknowledged', updatedAt: at, says: 'done' });
        if (command.command === 'wipe') laptop.wiped = true;
      } else if (command.state === 'queued')
        Object.assign(command, { state: 'delivered', updatedAt: at, says: 'delivered' });
    }
  }

  function enrolment(n: number, enrolledAtMs: number): ManagedRecord {
    return {
      id: `drill-enrolment-${n}`,
      names,
      platform: 'windows',
      supervised: false,
      companyOwned: true,
      encrypted: 'yes',
      enrolledAt: iso(enrolledAtMs),
      lastSyncAt: n === 1 ? lastSeenAt : iso(enrolledAtMs),
      state: 'managed',
    };
  }

  function agent(n: number): AgentRecord {
    return {
      id: `drill-agent-${n}`,
      names,
      platform: 'windows',
      lastSeenAt,
      online: 'unknown',
      isolation: 'none',
    };
  }

  return laptop;
}
