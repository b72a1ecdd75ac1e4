/**
 * From the settings file to what the house runs with. Everything that is wrong is said at once.
 * @module
 */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { LineCounter, parseDocument, type Document } from 'yaml';
import type { Encryption, Settings, TenantSettings } from '../playbook/settings';
import { plugins } from '../plugins';
import { BadInput } from '../plugins/errors';
import type { Role } from '../plugins/roles';
import { ensureIndexKey } from './index-key';
import { parseKeyring } from './keyring';
import { Mistakes, type Path } from './mistakes';
import { checkNames } from './names';
import { readPluginPart, type PluginPart, type ReadFrom } from './plugin-part';
import { settingsFile } from './schema';
import { fetchSecret, whyMissing, type Reference } from './secrets';
import { readTemporal } from './temporal-part';
import { childOf, entriesOf } from './written';

/** `LOST_DEVICE_SETTINGS` in the environment, else `lost-device.yaml` in the current folder. */
export const usualFile = () => process.env.LOST_DEVICE_SETTINGS || 'lost-device.yaml';

/**
 * Read the settings. Secrets are fetched from the environment and from files; the data folder and the index key are made
 * when they are not there.
 * @param file Default: `LOST_DEVICE_SETTINGS` in the environment, else `lost-device.yaml` in the current folder.
 * @throws BadInput LDP_BAD_INPUT with one line for each mistake: file, line, setting, remedy. No value is ever in it.
 */
export async function loadSettings(file = usualFile()): Promise<Settings> {
  const { settings } = await readSettings(file, 'fetch secrets');
  const indexKey = await ensureIndexKey(settings.dataFolder);
  for (const tenant of Object.values(settings.tenants)) tenant.indexKey = indexKey;
  return settings;
}

/** Settings with which nobody gets in anywhere. */
export interface SettingsWithoutSecrets {
  /** A stand-in in the place of each secret, and no index key. */
  settings: Settings;
  /** Secrets that are not where the file says: the setting, and the message that `loadSettings` would give. */
  missing: { path: string; message: string }[];
}

/**
 * Read the settings and none of their secrets; nothing is written.
 * @throws BadInput as `loadSettings`, but for a secret that is missing.
 */
export async function loadSettingsWithoutSecrets(file = usualFile()): Promise<SettingsWithoutSecrets> {
  const { settings, missing } = await readSettings(file, 'only look for them');
  return { settings, missing };
}

/**
 * The settings in both forms: as the house takes them, and as the file has them, with the defaults of its form filled in.
 * @throws BadInput as `loadSettings`; for a secret that is missing only where secrets are fetched.
 */
export async function readSettings(file: string, secrets: 'fetch secrets' | 'only look for them') {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new BadInput(
      'LDP_BAD_INPUT',
      `${file} cannot be read (${error.code ?? 'unknown'}): write the settings there, or name them by --settings FILE or LOST_DEVICE_SETTINGS`,
    );
  });
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  if (document.errors.length > 0) {
    // What follows a colon in these messages quotes the file, and may be a secret.
    const said = document.errors.map(
      ({ pos, message }) => `${file}:${lines.linePos(pos[0]).line} is not YAML: ${message.replace(/: .*/s, '')}`,
    );
    throw new BadInput('LDP_BAD_INPUT', said.join('\n'));
  }

  const folder = path.dirname(path.resolve(file));
  const written = valueOf(document, file);
  const mistakes = new Mistakes(file, document, lines);
  const checked = settingsFile.safeParse(written);
  if (!checked.success) mistakes.addIssues(checked.error.issues);
  const missingSecrets = new Mistakes(file, document, lines);
  const from = { folder, mistakes, ...(secrets === 'only look for them' && { missingSecrets }) };
  const tenantPlugins = await readTenantPlugins(written, from);
  const encryption = checked.success ? await readEncryption(checked.data.encryption?.keys, from) : undefined;
  const where = checked.success ? await readTemporal(checked.data.temporal, from) : undefined;
  for (const [tenant, parts] of entriesOf(childOf(written, 'tenants')))
    checkNames(parts, ['tenants', tenant], notifiersOf(parts), mistakes);
  mistakes.throwIfAny();
  if (!checked.success || where === undefined) throw new Error('The settings were refused without a mistake.');

  const { data, http, tenants } = checked.data;
  const dataFolder = path.resolve(folder, data);
  const settings: Settings = {
    dataFolder,
    temporal: where,
    http,
    ...(encryption && { encryption }),
    tenants: Object.fromEntries(
      Object.entries(tenants).map(
        ([
          name,
          { rules, guard, reconciliation, check, watch, agentHosts, people, rotas, onCall, sites, pattern, wipe },
        ]) => [
          name,
          {
            plugins: tenantPlugins[name] ?? {},
            rules,
            guard,
            reconciliation: {
              everyMs: reconciliation.every,
              checkEveryMs: reconciliation.checkEvery,
              sayAgainAfterMs: reconciliation.sayAgainAfter,
            },
            check,
            watch: {
              indexEveryMs: watch.indexEvery,
              sweepEveryMs: watch.sweepEvery,
              longestPauseMs: watch.longestPause,
              blindAfterMs: watch.blindAfter,
              blindAfterFailures: watch.blindAfterFailures,
            },
            agentHosts,
            people: { persons: people, rotas },
            onCall,
            sites,
            pattern: { losses: pattern.losses, withinMs: pattern.within },
            wipe,
            indexKey: '',
          },
        ],
      ),
    ),
  };
  return { settings, missing: missingSecrets.all, written: checked.data };
}

/** @param reference Where the keyring lies; without one nothing is encrypted. */
async function readEncryption(
  reference: Reference | undefined,
  { folder, mistakes, missingSecrets }: ReadFrom,
): Promise<Encryption | undefined> {
  const at: Path = ['encryption', 'keys'];
  if (reference === undefined) return undefined;
  if (missingSecrets !== undefined) {
    const mistake = await whyMissing(reference, folder);
    if (mistake !== undefined) missingSecrets.add(at, mistake);
    return undefined;
  }
  const fetched = await fetchSecret(reference, folder);
  const keyring = 'secret' in fetched ? parseKeyring(fetched.secret) : undefined;
  if (keyring === undefined) {
    const noKeyring = 'names what is no keyring: make one by `lost-device keys new FILE`';
    mistakes.add(at, 'mistake' in fetched ? fetched.mistake : noKeyring);
    return undefined;
  }
  // A file that is gone for a moment takes no key away.
  return {
    keyring,
    async readAgain() {
      const now = await fetchSecret(reference, folder);
      return ('secret' in now ? parseKeyring(now.secret) : undefined) ?? keyring;
    },
  };
}

/** YAML resolves its aliases only here. */
function valueOf(document: Document, file: string): unknown {
  try {
    return document.toJS();
  } catch {
    throw new BadInput('LDP_BAD_INPUT', `${file}:1 is not YAML: an alias (*name) has no anchor (&name) before it`);
  }
}

/** Every tenant's plugins, read as far as the file has the form: so a mistake elsewhere hides none here. */
async function readTenantPlugins(written: unknown, from: ReadFrom) {
  const { mistakes } = from;
  const read: Record<string, TenantSettings['plugins']> = {};
  const owners = new Map<string, string>();
  /** The tenant that has it already. */
  const ownerOf = (what: string, tenant: string) => {
    const owner = owners.get(what);
    if (owner === undefined) owners.set(what, tenant);
    return owner === tenant ? undefined : owner;
  };
  for (const [tenant, parts] of entriesOf(childOf(written, 'tenants'))) {
    const instances: TenantSettings['plugins'] = {};
    const at: Path = ['tenants', tenant, 'plugins'];
    for (const [name, part] of entriesOf(childOf(parts, 'plugins'))) {
      if (!isPluginPart(part)) continue;
      const settings = await readPluginPart(part, [...at, name], from);
      instances[name] = { plugin: part.plugin, settings };
      const taker = whatTakesWebhooks(part);
      if (taker !== undefined) {
        const owner = ownerOf(`${taker} ${name}`, tenant);
        if (owner !== undefined)
          mistakes.add([...at, name], `is a ${taker} of ${owner} too, and belongs to one tenant: choose another name`);
      }
      if (!rolesOf(part.plugin).includes('archive')) continue;
      // Attestations, looks and alarms of one tenant would count for the other.
      const owner = ownerOf(`archive ${part.plugin} ${JSON.stringify(settings)}`, tenant);
      if (owner !== undefined)
        mistakes.add([...at, name], `is the archive of ${owner} too: give each tenant one of its own`);
    }
    checkRoles(instances, at, mistakes);
    read[tenant] = instances;
  }
  return read;
}

/** How many plugins may fill a role: the house cannot choose between two. */
function checkRoles(instances: TenantSettings['plugins'], at: Path, mistakes: Mistakes): void {
  const all = Object.entries(instances);
  // An unknown product may be the one that is missing: its own line is enough.
  if (all.length === 0 || all.some(([, { plugin }]) => rolesOf(plugin).length === 0)) return;
  const counted: [role: Role, title: string, least: number][] = [
    ['secureAccess', 'secure access (for instance netskope)', 1],
    ['archive', 'the archive (for instance folder)', 1],
    ['directory', 'the directory', 0],
  ];
  for (const [role, title, least] of counted) {
    const names = all.filter(([, { plugin }]) => rolesOf(plugin).includes(role)).map(([name]) => name);
    if (names.length < least) mistakes.add(at, `has no product for ${title}: add one`);
    if (names.length > 1) mistakes.add(at, `has several products for ${title}, ${names.join(' and ')}: keep one`);
  }
}

const rolesOf = (product: string): Role[] => (Object.hasOwn(plugins, product) ? (plugins[product]?.roles ?? []) : []);

/** Plugins that page people. An unknown product may be one: its own line is enough. */
function notifiersOf(tenant: unknown): Set<string> {
  const pages = (part: unknown) => {
    const roles = isPluginPart(part) ? rolesOf(part.plugin) : [];
    return roles.length === 0 || roles.includes('notifier');
  };
  return new Set(entriesOf(childOf(tenant, 'plugins')).flatMap(([name, part]) => (pages(part) ? [name] : [])));
}

/** Its name is part of a webhook's address, and of what comes in there. */
function whatTakesWebhooks(part: PluginPart): 'ticket desk' | 'notifier' | undefined {
  const roles = rolesOf(part.plugin);
  if (roles.includes('ticketDesk')) return 'ticket desk';
  return roles.includes('notifier') && part.webhookSecrets !== undefined ? 'notifier' : undefined;
}

const isPluginPart = (value: unknown): value is PluginPart => typeof childOf(value, 'plugin') === 'string';
