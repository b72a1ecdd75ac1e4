/**
 * The commands `check` and `attest`: is everything ready before a laptop is lost? Neither needs a worker.
 * @module
 */
import { Connection } from '@temporalio/client';
import { InvalidArgumentError, type Command } from 'commander';
import { checkPrerequisites, keepAttestation, listPrerequisites, told } from '../client/preflight';
import { lookAtSearchAttributes } from '../client/search-attributes';
import { openTenants } from '../open-house';
import type { Attestation, Finding } from '../playbook/prerequisites';
import type { Settings } from '../playbook/settings';
import { BadInput } from '../plugins/errors';
import { readMoment } from '../settings/moment';
import { connectTemporal } from '../temporal/connect';
import { readHouseAddresses } from './house-addresses';
import { printAttestation, printCheck, printPrerequisites } from './print-check';
import { actorFor, settingsFor, tell, tenantOf } from './session';

const checkWithinMs = 120_000;
const lookWithinMs = 5_000;

export function addCheckCommands(program: Command): void {
  program
    .command('check')
    .description(
      'Before a laptop is lost: look at everything that must be so, at every product, in the settings and here. Nothing is ' +
        'changed. Exit code 1 when something would stop the playbook.',
    )
    .option('--list', 'only say what is looked at, and what a person must attest')
    .option('--read-only', 'ask no vendor for a change, not even of something that does not exist: attest instead')
    .option('--tenant <name>', 'of this tenant only')
    .action(async ({ list, readOnly, tenant }: CheckOptions, command: Command) => {
      const settings = await settingsFor(command);
      const call = callNow(checkWithinMs);
      const tenants = openTenants(tenant === undefined ? settings : onlyTenant(settings, tenant));
      const temporal = () => lookAtTemporal(settings);
      try {
        if (list) {
          const rows = [...tenants].flatMap(([name, one]) =>
            listPrerequisites(one, temporal).map((listed) => ({ tenant: name, ...told(listed) })),
          );
          return tell(command, rows, () => printPrerequisites(rows));
        }
        const judged = await Promise.all(
          [...tenants].map(async ([name, one]) =>
            (await checkPrerequisites(one, call, temporal, readOnly)).map((line) => ({ tenant: name, ...line })),
          ),
        );
        const lines = judged.flat();
        tell(command, lines, () => printCheck(lines));
        if (lines.some(({ result }) => result === 'stops')) process.exitCode = 1;
      } finally {
        await closeAll(tenants);
      }
    });

  program
    .command('attest <id>')
    .description(
      'Say what you saw where no API looks (`check --list` names them). Kept in the archive with who, when and evidence; the newest counts.',
    )
    .requiredOption('--evidence <text>', 'what you looked at: a ticket, where a screenshot lies, a sentence')
    .requiredOption('--expires <when>', 'until when it counts: 2027-05-31, or 180d from now', until)
    .option('--by <name>', 'who looked; else who acts')
    .option('--negative', 'it is not so')
    .option('--tenant <name>', 'of which tenant, when there are several')
    .action(async (id: string, given: AttestOptions, command: Command) => {
      const settings = await settingsFor(command);
      const [name] = tenantOf(settings, given.tenant);
      const tenants = openTenants(onlyTenant(settings, name));
      const [tenant] = tenants.values();
      try {
        if (tenant === undefined) return;
        const known = listPrerequisites(tenant, () => lookAtTemporal(settings)).find((one) => one.id === id);
        if (!known) throw new BadInput('LDP_BAD_INPUT', `There is no prerequisite ${id}: \`check --list\` names them.`);
        const call = callNow(checkWithinMs);
        const attestation: Attestation = {
          id,
          holds: !given.negative,
          who: given.by ?? actorFor(command).person,
          at: call.now,
          evidence: given.evidence,
          expiresAt: given.expires,
        };
        await keepAttestation(tenant.archive, attestation, call);
        tell(command, attestation, () => printAttestation(known, attestation));
      } finally {
        await closeAll(tenants);
      }
    });
}

interface CheckOptions {
  list?: boolean;
  readOnly?: boolean;
  tenant?: string;
}

interface AttestOptions {
  evidence: string;
  expires: string;
  by?: string;
  negative?: boolean;
  tenant?: string;
}

function until(text: string): string {
  const moment = readMoment(text, 'after', Date.now());
  if (moment === undefined) throw new InvalidArgumentError('Write it like 2027-05-31 or 180d.');
  return moment;
}

const callNow = (withinMs: number) => ({ signal: AbortSignal.timeout(withinMs), now: new Date().toISOString() });

function onlyTenant(settings: Settings, wanted: string): Settings {
  const [name, tenant] = tenantOf(settings, wanted);
  return { ...settings, tenants: { [name]: tenant } };
}

async function closeAll(tenants: ReturnType<typeof openTenants>): Promise<void> {
  await Promise.all(
    [...tenants.values()].flatMap(({ instances }) => [...instances.values()].map((one) => one.close())),
  );
}

/** Our own server makes what it lacks when it starts; one of somebody else must have it. */
async function lookAtTemporal(settings: Settings): Promise<Finding> {
  const { temporal, dataFolder } = settings;
  const running = (await readHouseAddresses(dataFolder))?.temporal;
  const own = 'Our own server adds them when `lost-device up` starts it.';
  if (temporal.address === undefined && running === undefined) return { is: 'well', says: own };
  let connection: Connection | undefined;
  try {
    const opened = await connectTemporal(Connection, settings, running);
    connection = opened;
    return await opened.withDeadline(Date.now() + lookWithinMs, () =>
      lookAtSearchAttributes(opened, temporal.namespace),
    );
  } catch (error) {
    // A house that was killed leaves its address behind.
    if (temporal.address === undefined) return { is: 'well', says: own };
    return { is: 'lacking', says: error instanceof Error ? error.message : 'Temporal does not answer.' };
  } finally {
    await connection?.close();
  }
}
