/** A Netskope instance against the simulated tenant, for the suites of the roles that it fills. */
import { netskope } from '../../plugins/netskope';
import type { DeviceTag, PluginInstance, SecureAccess, SightingFeed } from '../../plugins/roles';
import type { VendorWorld } from './vendor-world';

export interface NetskopeInstance extends PluginInstance {
  secureAccess: SecureAccess & { deviceTag: DeviceTag };
  feeds: SightingFeed[];
}

export function createNetskope(world: VendorWorld, more: Record<string, unknown> = {}): NetskopeInstance {
  return netskope.create(
    'netskope',
    netskope.settings.parse({
      url: world.url,
      token: 'sim-netskope-v2-token',
      lostGroup: 'Lost-Stolen Devices',
      lostSteeringConfig: 'Lost-Stolen Steering',
      lostPolicy: 'Block lost and stolen devices',
      tag: 'lost-stolen',
      timeoutMs: 300,
      ...more,
    }),
  ) as NetskopeInstance;
}

/** The post to a control route that the shared world has no word for. */
export async function post(world: VendorWorld, path: string, body: unknown): Promise<void> {
  const answer = await fetch(`${world.url}/control/${path}`, { method: 'POST', body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(await answer.text());
}

/** The simulator's now, as a call's now. */
export async function callNow(world: VendorWorld) {
  const { now } = (await (await fetch(`${world.url}/control/clock`)).json()) as { now: string };
  return { signal: new AbortController().signal, now };
}
