/**
 * What the products of a tenant are able to do, as far as the report needs it.
 * @module
 */
import type { TenantSettings } from '../playbook/settings';
import { plugins, type NamedPlugin } from '../plugins';
import type { Role } from '../plugins/roles';

export interface Product {
  /** Instance name of the settings. */
  name: string;
  /** Roles that it fills here: a feed that is not asked for is none. */
  roles: Role[];
  title: string;
  feeds: { name: string; regular: boolean }[];
  /** A notifier that keeps an incident open until somebody has it. */
  isPager: boolean;
  /** A desk that takes notes. */
  takesNotes: boolean;
  /** An EDR whose isolation leaves device management and the client reachable. */
  isolatesSelectively: boolean;
}

const roles: Role[] = [
  'secureAccess',
  'directory',
  'deviceManagement',
  'endpointDetection',
  'ticketDesk',
  'notifier',
  'archive',
  'secretStore',
  'feeds',
];

export function productsOf(parts: TenantSettings['plugins'], instances: Map<string, NamedPlugin>): Product[] {
  return [...instances].map(([name, instance]) => ({
    name,
    title: plugins[parts[name]?.plugin ?? '']?.title ?? name,
    roles: roles.filter((role) => instance[role] !== undefined),
    feeds: (instance.feeds ?? []).map((feed) => ({ name: feed.name, regular: feed.regular })),
    isPager: instance.notifier?.resolve !== undefined,
    takesNotes: instance.ticketDesk?.addInternalNote !== undefined,
    isolatesSelectively: instance.endpointDetection?.selective === true,
  }));
}
