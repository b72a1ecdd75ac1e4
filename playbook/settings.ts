/**
 * The effective settings after the file was read: what the house runs with. Secrets are already resolved inside the
 * plugins' own parts, so this value stays in processes and never enters a workflow.
 * @module
 */
import type { People } from './people';
import type { Rules } from './rules';

export interface Settings {
  /** Folder for everything this installation keeps on disk. */
  dataFolder: string;
  temporal: {
    /** `host:port` of a server that somebody else runs; undefined: our own, in the data folder. */
    address?: string;
    /** How that server lets us in: only with an address, so that our own is shown nothing. */
    access?: TemporalAccess;
    namespace: string;
    /** Ports of our own server; 0 picks a free one. */
    port: number;
    uiPort: number;
    /** For how long closed cases are kept there at least (milliseconds). */
    keepClosedMs: number;
    taskQueue: string;
  };
  http: {
    webhooks: { host: string; port: number };
    api: { host: string; port: number };
  };
  /** What Temporal keeps is encrypted, and its ids hold keyed hashes. Undefined: both are in clear. */
  encryption?: Encryption;
  tenants: Record<string, TenantSettings>;
}

/** What a Temporal of somebody else asks for. Keys and certificates as they are, in PEM. */
export interface TemporalAccess {
  /** True: TLS by the certificates that Node trusts. */
  tls?:
    | boolean
    | {
        serverNameOverride?: string;
        serverRootCACertificate?: Uint8Array;
        clientCertPair?: { crt: Uint8Array; key: Uint8Array };
      };
  apiKey?: string;
  /** Headers of every call. */
  metadata?: Record<string, string>;
}

/** The keys of what Temporal keeps. */
export interface Encryption {
  keyring: Keyring;
  /** Read it again, where it lies: another process may have found a new key there already. */
  readAgain(): Promise<Keyring>;
}

/** Keys by id, each of 32 bytes in base64. One encrypts; all of them decrypt. */
export interface Keyring {
  current: string;
  keys: Record<string, string>;
}

export interface TenantSettings {
  /** Plugin instances by name. */
  plugins: Record<string, { plugin: string; settings: unknown }>;
  rules: Rules;
  guard: {
    /** Automatic containments per hour; above it a person is asked first. */
    containmentsPerHour: number;
    /** Users who are never contained without a person: break-glass accounts, approvers, service accounts. */
    protectedUsers: string[];
  };
  reconciliation: {
    everyMs: number;
    /** How often the prerequisites are looked at (milliseconds). */
    checkEveryMs: number;
    /** The same alarm is not told again before (milliseconds). */
    sayAgainAfterMs: number;
  };
  /** Looks at the prerequisites send nothing that would be a change, had it a target. */
  check: { readOnly: boolean };
  watch: {
    /** How often the watch rebuilds its index of open cases (milliseconds). */
    indexEveryMs: number;
    /** So often a feed is read that far back, for records that came later than its overlap (milliseconds). */
    sweepEveryMs: number;
    /** Longest wait between two looks at a failing feed (milliseconds). */
    longestPauseMs: number;
    /** A feed that failed for this long is blind (milliseconds), */
    blindAfterMs: number;
    /** and so is one that failed this often in a row. */
    blindAfterFailures: number;
  };
  /** Hosts that the agent of a product needs, in place of those that the product names: by its name in the settings. */
  agentHosts: Record<string, string[]>;
  /** Who is called, read at the moment of the call. */
  people: People;
  /** Persons or rotas that are called where a rung names nobody; empty: the notifiers' own addresses. */
  onCall: string[];
  /** The company's own addresses (CIDR), by site: a device seen behind them may be lost in the office. */
  sites: { name: string; addresses: string[] }[];
  /** So many losses of one site, team or hour are an alarm. */
  pattern: { losses: number; withinMs: number };
  wipe: {
    /** Nothing destructive leaves; everything else is played. True until somebody switches it. */
    dryRun: boolean;
    perHour: number;
    perDay: number;
    /** Persons who may approve. */
    approvers: string[];
    /** The device management is reached through private access, so the lost configuration must keep it. */
    behindPrivateAccess: boolean;
  };
  /** Key of the hashes in search attributes. Kept in the data folder, made at first start, never rotated. */
  indexKey: string;
}
