/**
 * How products say what must be so, and how they look at it.
 * @module
 */
import type { Finding, Prerequisite } from '../playbook/prerequisites';
import { VendorRefused } from './errors';
import type { VendorAnswer } from './http';
import type { ProductPrerequisite } from './roles';

type Told = Omit<Prerequisite, 'serious' | 'how'> & { after?: string };

/** Read at the vendor: what the settings promise must work, so a lack stops. */
export const readable = (told: Told, look: NonNullable<ProductPrerequisite['look']>): ProductPrerequisite => ({
  ...told,
  serious: 'stops',
  how: 'vendor',
  look,
});

/**
 * Read at the vendor by a call that would change something, had it a target: {@link mayCall}, mostly. Left out by
 * `check --read-only`.
 */
export const probed: typeof readable = (told, look) => ({ ...readable(told, look), probes: true });

/** No API shows it. */
export const attested = (told: Told): ProductPrerequisite => ({ ...told, serious: 'stops', how: 'person' });

export const well = (says: string): Finding => ({ is: 'well', says });
/** @param says what is wrong, and the remedy. */
export const lacking = (says: string): Finding => ({ is: 'lacking', says });

/** Clocks this far apart (milliseconds) make tokens and signatures fail, and times that are compared lie. */
const mostSkewMs = 2 * 60_000;

/** A refusal tells the time as well. */
export const anyAnswer = [400, 401, 403, 404];

/** The vendor's clock against the machine's, by the `Date` header of an answer, which has whole seconds. */
export function clockOf({ headers }: Pick<VendorAnswer<unknown>, 'headers'>): Finding {
  const theirs = Date.parse(String(headers.date));
  if (Number.isNaN(theirs)) return well('It does not tell its time.');
  const seconds = Math.round((Date.now() - theirs) / 1000);
  const apart = `Our clock is ${Math.abs(seconds)} s ${seconds < 0 ? 'behind' : 'ahead of'} theirs.`;
  return Math.abs(seconds) * 1000 > mostSkewMs ? lacking(`${apart} Set this machine's clock by NTP.`) : well(apart);
}

/** The credential is taken, whatever it may do. */
export async function letIn(attempt: () => Promise<unknown>): Promise<Finding> {
  return unlessRefused(attempt, ['LDP_NOT_AUTHENTICATED', 'LDP_HOST_NOT_ALLOWED'], 'We are let in.');
}

/**
 * May we make this call? It is made for something that does not exist, so that it changes nothing: where we may not, the vendor
 * says so (403) before it says that there is no such thing.
 */
export async function mayCall(attempt: () => Promise<unknown>): Promise<Finding> {
  const refusals = ['LDP_NOT_AUTHENTICATED', 'LDP_HOST_NOT_ALLOWED', 'LDP_NOT_PERMITTED', 'LDP_NOT_OFFERED'];
  return unlessRefused(attempt, refusals, 'We may: asked of something that does not exist, and nothing was changed.');
}

async function unlessRefused(attempt: () => Promise<unknown>, refusals: string[], says: string): Promise<Finding> {
  try {
    await attempt();
  } catch (error) {
    if (!(error instanceof VendorRefused) || refusals.includes(error.code)) throw error;
  }
  return well(says);
}
