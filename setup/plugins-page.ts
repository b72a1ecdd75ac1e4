/**
 * docs/plugins.md, written from the manifests and from what their instances turn out to be.
 * @module
 */
import { ownPrerequisites, type Prerequisite } from '../playbook/prerequisites';
import { plugins } from '../plugins';
import type { AgentHosts, ManagedRecord, Platform, Plugin, PluginInstance, Role, Surroundings } from '../plugins/roles';
import { exampleSettings } from '../settings/first-file';

/** Settings that switch something on: a product with them shows all that it can. */
const switchedOn: Readonly<Record<string, object>> = {
  crowdstrike: { feeds: { lastSeen: {} } },
  entra: {
    lostGroupId: '00000000-0000-4000-8000-000000000000',
    provisioning: { servicePrincipalId: '00000000-0000-4000-8000-000000000000' },
    feeds: { signIns: {} },
  },
  netskope: { tag: 'lost-stolen', v1Token: 'stand-in' },
  pagerduty: { webhookSecrets: ['stand-in-stand-in'], apiToken: 'stand-in' },
};

/** A product in the least that it needs, and with everything switched on. */
interface Shown {
  manifest: Plugin;
  least: PluginInstance;
  whole: PluginInstance;
}

const roleTitles: Readonly<Record<Role, string>> = {
  secureAccess: 'secure access',
  directory: 'directory',
  deviceManagement: 'device management',
  endpointDetection: 'endpoint detection',
  ticketDesk: 'ticket desk',
  notifier: 'notifier',
  archive: 'archive',
  secretStore: 'secret store',
  feeds: 'sighting feeds',
};

/** What whoever fills a role does in any case. */
const always: Readonly<Partial<Record<Role, string>>> = {
  secureAccess:
    'find devices, read who is in the lost group, put a user into it and take them out again, where its API may write the group',
  directory:
    'read users, their sessions and device objects, end sessions, disable and enable both, and move users in and out of a lost group of its own',
  deviceManagement: 'find enrolments and read them, wipe, lock, and follow what was sent',
  endpointDetection: 'find agents and read them, isolate a device and release it',
  notifier: 'call people',
  archive: 'keep papers for years, each written once',
  secretStore: 'keep secrets, each written once',
};

/** What one product of a role can and another cannot: the optional parts of `plugins/roles.ts`. */
const sometimes: Readonly<Partial<Record<Role, Readonly<Record<string, string>>>>> = {
  secureAccess: {
    deviceTag: 'set a tag on the one device, beside the group',
    readSteering: 'read the lost steering configuration back',
  },
  deviceManagement: {
    enableLostMode: 'switch lost mode on',
    cancel: 'take a command back before the device has it',
    readLockPin: 'tell the PIN that it made for a lock',
    readApproval: 'follow the approval of a second administrator',
    readCleanUp: 'tell after how long it forgets a silent device',
  },
  endpointDetection: {
    selective: 'leave device management and the Netskope client reachable while a device is isolated',
  },
  ticketDesk: {
    receive: 'take signed webhooks',
    readTicket: 'read tickets',
    listOpenLostDeviceTickets: 'find open tickets about lost devices',
    addInternalNote: 'write notes that customers never see',
    setState: 'move tickets',
  },
  notifier: {
    receive: 'hear acknowledgements',
    resolve: 'end what it began, once the trouble is over',
    acknowledge: 'stop calling, once somebody has it in hand',
    dropsRepeats: 'drop a page that is sent twice',
  },
};

export function pluginsPage(): string {
  const all = Object.values(plugins).map(show);
  return [
    '# Plugins',
    'Made from the manifests in `plugins/` by `npx tsx setup/references.ts`; `npm run verify` compares. `lost-device plugins` shows the same for the products of your settings, `lost-device plugins test NAME` tries one, `lost-device check --list` names what must be so, and `lost-device exceptions` prints the hosts.',
    [
      '| product | roles | settings |',
      '| --- | --- | --- |',
      ...all.map(({ manifest: { name, title, roles } }) =>
        row(`[${title}](#${name})`, roles.map((role) => roleTitles[role]).join(', '), `[${name}](settings.md#${name})`),
      ),
    ].join('\n'),
    ...all.map(section),
    '## What must be so beside the products',
    table(
      Object.values(ownPrerequisites)
        .filter((one) => one !== ownPrerequisites.secretStore)
        .map((one) => prerequisiteRow(one, one.how)),
    ),
  ].join('\n\n');
}

function show(manifest: Plugin): Shown {
  const { name } = manifest;
  return {
    manifest,
    least: manifest.create(name, exampleSettings(name)),
    whole: manifest.create(name, exampleSettings(name, switchedOn[name])),
  };
}

function section({ manifest, least, whole }: Shown): string {
  const { name, title, roles, operations } = manifest;
  const hosts = manifest.agentHostSources ?? [];
  const part = (heading: string, text: string | undefined) => (text ? [`### ${name}: ${heading}`, text] : []);
  return [
    `## ${name}`,
    `${title} fills: ${roles.map((role) => roleTitles[role]).join(', ')}. [Its settings](settings.md#${name}). [Its own page](../plugins/${name}/README.md).`,
    ...part('what it can', abilities(roles, least, whole)),
    ...part('commands', whole.deviceManagement && commands(whole.deviceManagement)),
    ...part('feeds', feeds(least, whole)),
    ...part(
      'operations and permissions',
      operations.length === 0
        ? 'It makes no HTTP calls.'
        : [
            '| operation | call | class | permission |',
            '| --- | --- | --- | --- |',
            ...operations.map(({ name: operation, method, path, changes, permission }) =>
              row(operation, `\`${method} ${path}\``, changes ? 'changes' : 'reads', permission),
            ),
          ].join('\n'),
    ),
    ...part('hosts of its agent', hosts.length > 0 ? hostTable(hosts) : undefined),
    ...part('what must be so', prerequisites(least, whole)),
  ].join('\n\n');
}

function abilities(roles: Role[], least: PluginInstance, whole: PluginInstance): string {
  const can: string[] = [];
  const cannot: string[] = [];
  for (const role of roles) {
    if (always[role]) can.push(always[role]);
    for (const [ability, words] of Object.entries(sometimes[role] ?? {})) {
      if (!has(whole, role, ability)) cannot.push(words);
      else can.push(has(least, role, ability) ? words : `${words} (where the settings say so)`);
    }
  }
  const isolated = whole.endpointDetection?.whileIsolated;
  return [
    ...(can.length > 0 ? [`It can ${can.join('; ')}.`] : []),
    ...(isolated ? [`While a device is isolated: ${isolated}`] : []),
    ...(cannot.length > 0 ? [`It cannot ${cannot.join('; ')}.`] : []),
  ].join('\n\n');
}

function has(instance: PluginInstance, role: Role, ability: string): boolean {
  const filled = instance[role];
  return filled !== undefined && (filled as unknown as Record<string, unknown>)[ability] !== undefined;
}

const platforms: Platform[] = ['windows', 'macos', 'ios', 'android', 'chromeos', 'linux'];

/** Of a device that belongs to the company and is supervised: nothing but the platform limits it. */
function commands({ offers }: NonNullable<PluginInstance['deviceManagement']>): string {
  const record = (platform: Platform): ManagedRecord => ({
    id: '',
    names: {},
    platform,
    supervised: true,
    companyOwned: true,
    encrypted: 'unknown',
    state: '',
  });
  return [
    'For a supervised device of the company; one of a person gets less, and its approver reads why.',
    '',
    '| platform | command | offered | what it does, or why not |',
    '| --- | --- | --- | --- |',
    ...platforms.flatMap((platform) =>
      offers(record(platform)).map(({ command, offered, because }) =>
        row(platform, command, offered ? 'yes' : 'no', because),
      ),
    ),
  ].join('\n');
}

function feeds(least: PluginInstance, whole: PluginInstance): string | undefined {
  if (!whole.feeds) return undefined;
  const usual = new Set(least.feeds?.map(({ name }) => name));
  return [
    '| feed | read | its silence means something |',
    '| --- | --- | --- |',
    ...whole.feeds.map(({ name, regular }) =>
      row(name, usual.has(name) ? 'always' : 'where the settings say so', regular ? 'yes' : 'no'),
    ),
  ].join('\n');
}

const hostTable = (lists: AgentHosts[]) =>
  [
    '| region | hosts | source | date |',
    '| --- | --- | --- | --- |',
    ...lists.map(({ region, hosts, source, date }) =>
      row(region, hosts.map((host) => `\`${host}\``).join(', '), `<${source}>`, date),
    ),
  ].join('\n');

const nothingAround: Surroundings = {
  agentHosts: [],
  behindPrivateAccess: false,
  directoryHasLostGroup: false,
  directorySteps: [],
};
const everythingAround: Surroundings = {
  ...nothingAround,
  directorySteps: ['revoke-sessions', 'disable-device', 'disable-user'],
};

function prerequisites(least: PluginInstance, whole: PluginInstance): string | undefined {
  const all = prerequisitesOf(whole, everythingAround);
  const usual = new Map(prerequisitesOf(least, nothingAround).map(({ id, how }) => [id, how]));
  return all.length === 0 ? undefined : table(all.map((one) => prerequisiteRow(one, usual.get(one.id))));
}

const prerequisitesOf = (instance: PluginInstance, around: Surroundings): Prerequisite[] => [
  ...(instance.prerequisites?.(around) ?? []),
  ...(instance.secretStore ? [ownPrerequisites.secretStore] : []),
];

const table = (rows: string[]) =>
  [
    '| id | what must be so | how it is known | when not | where it is set |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n');

const known: Readonly<Record<Prerequisite['how'], string>> = {
  vendor: 'read at the vendor',
  here: 'read here',
  person: 'attested by a person',
};

/** @param usually How it is known with the least of the settings. Undefined: it is not asked for then. */
function prerequisiteRow(
  { id, title, neededFor, serious, setAt, how, probes }: Prerequisite,
  usually?: Prerequisite['how'],
) {
  const otherwise = usually === undefined ? 'not asked for' : known[usually];
  const seen = probes ? '[probed](decisions/0026-check-asks-for-changes-of-nothing.md) at the vendor' : known[how];
  const looked = usually === how ? seen : `${seen} where the settings allow it; else ${otherwise}`;
  // What nobody has attested yet warns only.
  const follows = how === 'person' ? 'stops; not attested yet: warns' : serious;
  return row(`\`${id}\``, `${title}. ${neededFor}`, looked, follows, setAt);
}

const row = (...cells: string[]) =>
  `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replace(/<(?!https:)/g, '&lt;')).join(' | ')} |`;
