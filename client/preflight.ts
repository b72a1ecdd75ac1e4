/**
 * Is everything ready for a lost laptop? Every prerequisite of a tenant, looked at or attested, and what follows. Nothing is
 * changed at any vendor; one paper goes into the archive, which proves that it takes papers.
 * @module
 */
import { archiveKeys } from '../playbook/archive-keys';
import {
  judge,
  ownPrerequisites,
  type Attestation,
  type Finding,
  type Judged,
  type Prerequisite,
} from '../playbook/prerequisites';
import type { TenantSettings } from '../playbook/settings';
import { errorCatalogue, PlaybookError, VendorUnavailable } from '../plugins/errors';
import type { Archive, Call, PluginInstance, ProductPrerequisite, Surroundings } from '../plugins/roles';

/** A tenant, as far as it is looked at. */
export interface PreflightTenant {
  settings: TenantSettings;
  archive: Archive;
  instances: Map<string, PluginInstance>;
  agentHosts: Map<string, string[]>;
}

/** A prerequisite and whose it is. */
export type Listed = ProductPrerequisite & { of: string };

/** How Temporal is found. */
export type LookAtTemporal = () => Promise<Finding>;

/** What belongs to no product stands under this name. */
const house = 'settings';

/** Every prerequisite of the tenant's products and settings. Nothing is called. */
export function listPrerequisites(tenant: PreflightTenant, temporal: LookAtTemporal): Listed[] {
  const around = surroundingsOf(tenant);
  const ofProducts = [...tenant.instances].flatMap(([of, instance]) => [
    ...(instance.prerequisites?.(around) ?? []).map((one) => ({ ...one, of })),
    ...(instance.secretStore ? [{ ...ownPrerequisites.secretStore, of, look: lookByTest(instance) }] : []),
  ]);
  return [...ofProducts, ...ofTheHouse(tenant, temporal)];
}

/**
 * All of them, judged, in the order of the list.
 * @param readOnly Send nothing that would be a change, had it a target. Without it the settings decide.
 * @throws what the signal's reason is.
 */
export async function checkPrerequisites(
  tenant: PreflightTenant,
  call: Call,
  temporal: LookAtTemporal,
  readOnly = tenant.settings.check.readOnly,
): Promise<Judged[]> {
  const listed = listPrerequisites(tenant, temporal);
  const attestations = await newestAttestations(tenant.archive, call);
  const found = new Map<string, Promise<Finding | undefined>>();
  const find = (one: Listed): Promise<Finding | undefined> => {
    const key = `${one.of}/${one.id}`;
    const known = found.get(key);
    if (known) return known;
    const finding = (async () => {
      if (!one.look) return undefined;
      const before = listed.find(({ of, id }) => of === one.of && id === one.after);
      const first = before && (await find(before));
      if (before && first?.is !== 'well')
        return { is: 'not looked at' as const, says: `Not looked at, because of ${before.id}.` };
      if (one.probes && readOnly) return { is: 'not readable' as const, says: 'Not tried: this look is read only.' };
      return looked(one.look, call);
    })();
    found.set(key, finding);
    return finding;
  };
  return Promise.all(
    listed.map(async (one) => judge(told(one), await find(one), attestations.get(one.id), Date.parse(call.now))),
  );
}

/** A prerequisite without its look. */
export function told({ look: _look, after: _after, ...prerequisite }: Listed): Prerequisite & { of: string } {
  return prerequisite;
}

/** Keep what a person saw. The newest of a prerequisite counts, the others stay. */
export async function keepAttestation(archive: Archive, attestation: Attestation, call: Call): Promise<void> {
  const paper = Buffer.from(`${JSON.stringify(attestation)}\n`, 'utf8');
  await archive.putOnce(archiveKeys.attestation(attestation.id, attestation.at), paper, call);
}

/** By prerequisite. An archive that cannot be read is its own line, and everything else unattested. */
async function newestAttestations(archive: Archive, call: Call): Promise<Map<string, Attestation>> {
  try {
    const newest = new Map<string, string>();
    // Sorted, and a key ends in its time: the last one of a folder is the newest.
    for (const key of await archive.list(archiveKeys.attestations, call))
      newest.set(key.slice(0, key.lastIndexOf('/')), key);
    const papers = await Promise.all([...newest.values()].map((key) => archive.get(key, call)));
    return new Map(
      papers.flatMap((paper) => {
        if (paper === undefined) return [];
        const attestation = JSON.parse(Buffer.from(paper).toString('utf8')) as Attestation;
        return [[attestation.id, attestation] as const];
      }),
    );
  } catch (error) {
    if (!(error instanceof PlaybookError)) throw error;
    return new Map();
  }
}

/** A failure is a finding too. */
async function looked(look: (call: Call) => Promise<Finding>, call: Call): Promise<Finding> {
  try {
    return await look(call);
  } catch (error) {
    if (!(error instanceof PlaybookError)) throw error;
    const says = `${error.message}. ${errorCatalogue[error.code].remedy}`;
    // Whoever asks us to slow down has let us in.
    if (error.code === 'LDP_RATE_LIMITED') return { is: 'not looked at', says };
    return { is: 'lacking', says, ...(error instanceof VendorUnavailable && { passing: true }) };
  }
}

const lookByTest =
  (instance: PluginInstance) =>
  async (call: Call): Promise<Finding> => {
    const tests = await instance.test(call);
    const failed = tests.find(({ ok }) => !ok);
    const shown = failed ?? tests[0];
    return {
      is: failed ? 'lacking' : 'well',
      says: shown ? `${shown.what}: ${shown.detail}` : 'It has nothing to try.',
    };
  };

function surroundingsOf({ settings, instances, agentHosts }: PreflightTenant): Surroundings {
  const { lost, stolen } = settings.rules.directorySteps;
  return {
    agentHosts: [...new Set([...agentHosts.values()].flat())].sort(),
    behindPrivateAccess: settings.wipe.behindPrivateAccess,
    directoryHasLostGroup: [...instances.values()].some(({ directory }) => directory?.hasLostGroup),
    directorySteps: [...new Set([...lost, ...stolen])],
  };
}

function ofTheHouse({ settings, archive, instances }: PreflightTenant, temporal: LookAtTemporal): Listed[] {
  const { wipe, people, onCall, sites } = settings;
  const filling = (role: keyof PluginInstance) => [...instances].flatMap(([name, one]) => (one[role] ? [name] : []));
  const notifiers = filling('notifier');
  const own = (prerequisite: Prerequisite, look: (call: Call) => Finding | Promise<Finding>): Listed => ({
    ...prerequisite,
    of: house,
    look: async (call) => look(call),
  });
  const so = (is: boolean, says: string, otherwise: string): Finding =>
    is ? { is: 'well', says } : { is: 'lacking', says: otherwise };
  return [
    own(ownPrerequisites.archive, async (call) => {
      const paper = Buffer.from(`${JSON.stringify({ at: call.now })}\n`, 'utf8');
      await archive.putOnce(archiveKeys.tried(call.now), paper, call);
      return { is: 'well', says: 'It took a paper.' };
    }),
    ...(filling('deviceManagement').length > 0
      ? [
          own(ownPrerequisites.approvers, () => {
            const count = wipe.approvers.length;
            const lack = so(count > 1, wipe.approvers.join(', '), `${count} may. Name two persons or more.`);
            // Where everything is a dry run, nobody has to approve anything real.
            return lack.is === 'lacking' && wipe.dryRun ? { ...lack, serious: 'warns' } : lack;
          }),
          own(ownPrerequisites.dryRun, () =>
            so(!wipe.dryRun, 'It is no dry run.', 'It is a dry run. Write dryRun: false after a good drill.'),
          ),
        ]
      : []),
    own(ownPrerequisites.people, () => {
      const named = onCall.length > 0 ? onCall : Object.keys(people.persons);
      const whom = named.length > 0 ? named.join(', ') : "the notifiers' own addresses";
      return so(notifiers.length > 0, `By ${notifiers.join(', ')}: ${whom}.`, 'No product pages people: add one.');
    }),
    own(ownPrerequisites.sites, () =>
      so(sites.length > 0, sites.map(({ name }) => name).join(', '), 'No site is named: write their public addresses.'),
    ),
    own(ownPrerequisites.attributes, temporal),
  ];
}
