/**
 * What a test can switch: the traps that real tenants set, and how the tenant is set up.
 * @module
 */
import { z } from 'zod';

const mildTrap = z.union([z.boolean(), z.literal('mild')]);

/** Traps recorded at real vendors. `mild`: only on the named laptop or person; `true`: everywhere; `false`: nowhere. */
export const trapsSchema = z.strictObject({
  /** Numbers for words in client status. Mild: kim's records. */
  numbers: mildTrap,
  /** A Private Access record beside the Internet Security one. Mild: LT-0051. */
  privateAccess: mildTrap,
  /** `Device Posture Change` as the last event, with Managed or Unmanaged as status. Mild: LT-0060. */
  postureChange: mildTrap,
  /** Nulls and missing keys. Mild: LT-0070, and one record of which nothing is left but its time. */
  nulls: mildTrap,
  /** A page after the first begins with the last record of the page before. */
  duplicates: z.boolean(),
  /** Events arrive late. Mild: 1 to 4 minutes, every tenth one 12; true: 5 to 20. */
  lateEvents: mildTrap,
  /** Client status arrives 2 minutes late. */
  lateStatus: z.boolean(),
  /** How long reads of Netskope group membership show the state before a write (ms). Mild: 500 for lee, else 0. */
  readLagMs: z.union([z.number().nonnegative(), z.literal('mild')]),
  /** Group members are hidden unless `attributes=members` asks for them. */
  hiddenMembers: z.boolean(),
  /** Users are shown as a hash in client status and events. */
  anonymise: z.boolean(),
  /** Entra owns the lost group: its members reach Netskope by provisioning only. */
  directoryOwnsGroup: z.boolean(),
  /** Each provisioning cycle makes the Netskope group what Entra says, undoing edits made in Netskope. */
  directoryUndoesEdits: z.boolean(),
  /** Provisioning on demand also carries out removals (not settled at the vendor: test both). */
  onDemandRemoves: z.boolean(),
  /** How long Graph reads show the state before a write (ms). */
  directoryLagMs: z.number().nonnegative(),
  /** Intune: laptops synchronise, and commands stay pending. */
  intuneStuck: z.boolean(),
  /** Intune: a laptop is wiped before it reports, so that its wipe stays pending for ever. */
  intuneSilentWipe: z.boolean(),
  /** Intune: a policy asks for a second administrator before a wipe. */
  intuneSecondAdmin: z.boolean(),
  /** Intune: lists answer with every device, whatever their filter says. */
  intuneIgnoresFilters: z.boolean(),
  /** Intune: commands are not listed; only the state of the device tells. */
  intuneListsNoActions: z.boolean(),
});

/** See {@link trapsSchema}. */
export type Traps = z.infer<typeof trapsSchema>;

/** The traps at start. */
export const mildTraps: Traps = {
  numbers: 'mild',
  privateAccess: 'mild',
  postureChange: 'mild',
  nulls: 'mild',
  duplicates: true,
  lateEvents: 'mild',
  lateStatus: false,
  readLagMs: 'mild',
  hiddenMembers: true,
  anonymise: false,
  directoryOwnsGroup: false,
  directoryUndoesEdits: false,
  onDemandRemoves: true,
  directoryLagMs: 0,
  intuneStuck: false,
  intuneSilentWipe: false,
  intuneSecondAdmin: false,
  intuneIgnoresFilters: false,
  intuneListsNoActions: false,
};

/** How the vendors' tenants are set up. */
export const tenantSchema = z.strictObject({
  /** Scope of the Netskope v2 token by path prefix; the longest prefix wins, and no entry means `readwrite`. */
  scopes: z.record(z.string(), z.enum(['none', 'read', 'readwrite'])),
  /** Path prefixes that this Netskope tenant does not have: the gateway answers 404. */
  switchedOff: z.array(z.string()),
  /** False: every Netskope token is refused (expired or revoked). */
  tokensValid: z.boolean(),
  /** Laptops poll their configuration every 5 minutes instead of 60. */
  fastSync: z.boolean(),
  /** The steering configuration of lost laptops. */
  lostSteering: z.strictObject({
    privateApps: z.boolean().default(false),
    /** Taken out of the exceptions that it has at start. */
    without: z.array(z.string()).default([]),
    /** Exceptions by location: `without` is taken out off the premises only. */
    byLocation: z.boolean().default(false),
    /** Its place among the configurations. */
    place: z.int().default(1),
  }),
  /** So many days the client secret of the Entra app is still good. */
  entraSecretDays: z.number(),
  /** Intune forgets devices of a platform (or `all`) after so many days of silence. */
  intuneCleanUp: z.array(z.strictObject({ platform: z.string(), days: z.number().nonnegative() })),
  limits: z.strictObject({
    /** Netskope v2 calls per endpoint and second. */
    netskopePerSecond: z.number().positive(),
    /** Netskope v1 calls in 5 seconds. */
    netskopeV1PerFiveSeconds: z.number().positive(),
    /** Calls per device tag endpoint and minute. Real tenants allow about 5. */
    deviceTagsPerMinute: z.number().positive(),
    serviceNowPerHour: z.number().positive(),
    graphPerTenSeconds: z.number().positive(),
    provisionOnDemandPerTenSeconds: z.number().positive(),
    /** Events for each integration key. Real accounts allow about 120. */
    pagerDutyPerMinute: z.number().positive(),
    /** Falcon calls of one customer. 6000 is what is commonly said. */
    crowdStrikePerMinute: z.number().positive(),
  }),
});

/** See {@link tenantSchema}. */
export type TenantSetup = z.infer<typeof tenantSchema>;

/** The set-up at start. Limits are generous but for the two that vendors document. */
export const usualTenant: TenantSetup = {
  scopes: {},
  switchedOff: [],
  tokensValid: true,
  fastSync: false,
  lostSteering: { privateApps: false, without: [], byLocation: false, place: 1 },
  entraSecretDays: 180,
  intuneCleanUp: [],
  limits: {
    netskopePerSecond: 10_000,
    netskopeV1PerFiveSeconds: 24,
    deviceTagsPerMinute: 10_000,
    serviceNowPerHour: 10_000_000,
    graphPerTenSeconds: 100_000,
    provisionOnDemandPerTenSeconds: 5,
    pagerDutyPerMinute: 10_000,
    crowdStrikePerMinute: 100_000,
  },
};
