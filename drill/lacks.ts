/**
 * What the settings lack, so that a real case would go worse than it could. Pure. Each with the setting and the remedy.
 * @module
 */
import { defaultRules } from '../playbook/rules';
import type { TenantSettings } from '../playbook/settings';
import type { Role } from '../plugins/roles';
import type { Product } from './products';

export interface Lack {
  setting: string;
  says: string;
  remedy: string;
}

/** As the reading of the settings says it. */
export interface MissingSecret {
  path: string;
  message: string;
}

export interface LooksAt {
  tenant: string;
  settings: TenantSettings;
  products: Product[];
  missingSecrets: MissingSecret[];
}

/** Everything at once, what concerns people first. */
export function lacksOf({ tenant, settings, products, missingSecrets }: LooksAt): Lack[] {
  const lacks = [
    ...ofPeople(settings, products),
    ...ofLadder(settings),
    ...ofWipe(settings, products),
    ...ofProducts(products),
    ...ofCaps(settings),
    ...missingSecrets.map(({ path, message }) => {
      const [, says = message, remedy = ''] = /^(.*): (.*)$/.exec(message) ?? [];
      return { setting: path.replace(`tenants.${tenant}.`, ''), says: `It ${says}.`, remedy: `${capital(remedy)}.` };
    }),
  ];
  return lacks.map((lack) => ({ ...lack, setting: `tenants.${tenant}.${lack.setting}` }));
}

function ofPeople({ people, onCall, rules }: TenantSettings, products: Product[]): Lack[] {
  const notifiers = products.filter(({ roles }) => roles.includes('notifier'));
  const persons = Object.keys(people.persons);
  const { ladder } = rules.escalation;
  const asksDeputies = ladder.some(({ deputiesAfterMs }) => deputiesAfterMs !== undefined);
  const named = [...new Set([...onCall, ...ladder.flatMap(({ whom }) => whom)])];
  const withoutDeputies = named.filter((name) => {
    const members = people.rotas[name]?.members ?? [name];
    const ofRota = people.rotas[name]?.deputies ?? [];
    return ofRota.length === 0 && members.some((member) => people.persons[member]?.deputies.length === 0);
  });
  const reach = Object.values(people.persons).flatMap(({ notify }) => Object.keys(notify));
  const unreached = persons.length === 0 ? [] : notifiers.flatMap(({ name }) => (reach.includes(name) ? [] : [name]));
  const alone = Object.entries(people.rotas).flatMap(([name, { members }]) => (members.length < 2 ? [name] : []));
  return [
    ...lackIf(notifiers.length === 0, {
      setting: 'plugins',
      says: 'No product pages people: nobody would have been called, whatever goes wrong.',
      remedy: 'Add a notifier, for instance plugin: smtp or plugin: pagerduty.',
    }),
    ...lackIf(notifiers.length > 0 && !notifiers.some(({ isPager }) => isPager), {
      setting: 'plugins',
      says: 'No product is a pager: a call can be read and slept over, and nobody acknowledges where it reached them.',
      remedy: 'Add a pager, for instance plugin: pagerduty.',
    }),
    ...lackIf(unreached.length > 0, {
      setting: 'people',
      says: `Nobody is called by ${unreached.join(', ')}: no person's notify names it.`,
      remedy: 'Add it to notify of whoever is to be called by it.',
    }),
    ...lackIf(persons.length === 0, {
      setting: 'people',
      says: 'No person is named: every call goes to the addresses of the notifiers, and nobody has quiet hours or a deputy.',
      remedy: 'Name the persons who are called, and how they are reached.',
    }),
    ...lackIf(persons.length > 0 && onCall.length === 0, {
      setting: 'onCall',
      says: 'Nobody is on call: where a rung names nobody, the call goes to the addresses of the notifiers.',
      remedy: 'Name persons or a rota.',
    }),
    ...lackIf(alone.length > 0, {
      setting: 'rotas',
      says: `Only one person takes all the turns: ${alone.join(', ')}.`,
      remedy: 'Add members.',
    }),
    ...lackIf(asksDeputies && withoutDeputies.length > 0, {
      setting: 'people',
      says: `Nobody is called in the place of somebody who does not answer: ${withoutDeputies.join(', ')}.`,
      remedy: 'Add deputies to these persons, or to their rota.',
    }),
  ];
}

function ofLadder({ rules, sites }: TenantSettings): Lack[] {
  const { ladder, tasks, clocks } = rules.escalation;
  const { ladder: whole } = defaultRules.escalation;
  const kinds = new Set(ladder.map(({ when }) => when));
  const unheard = [...new Set(whole.map(({ when }) => when))].filter((kind) => !kinds.has(kind));
  const proposed = new Set(ladder.map(({ propose }) => propose));
  const unasked = whole.flatMap(({ propose }) => (propose === undefined || proposed.has(propose) ? [] : [propose]));
  const owned = [...tasks, ...clocks.flatMap(({ stages }) => stages)];
  const ownerless = owned.flatMap(({ id, owner }) => (owner.length === 0 ? [id] : []));
  return [
    ...lackIf(unheard.length > 0, {
      setting: 'rules.escalation.ladder',
      says: `No rung calls anybody for: ${unheard.join(', ')}.`,
      remedy: 'Add rungs for them, or leave the ladder out and the default stands.',
    }),
    ...lackIf(unasked.length > 0, {
      setting: 'rules.escalation.ladder',
      says: `No rung proposes: ${unasked.join(', ')}.`,
      remedy: 'Add rungs with propose, or leave the ladder out and the default stands.',
    }),
    ...lackIf(ownerless.length > 0, {
      setting: 'rules.escalation.tasks',
      says: `Tasks without an owner, so whoever is on call is reminded of them: ${ownerless.join(', ')}.`,
      remedy: 'Name an owner for each, in tasks and in the stages of clocks.',
    }),
    ...lackIf(sites.length === 0, {
      setting: 'sites',
      says: 'No address of the company is known: a laptop that lies in the office looks like any other, and may be wiped.',
      remedy: 'Write the public addresses of every site.',
    }),
  ];
}

function ofWipe({ wipe, rules, people }: TenantSettings, products: Product[]): Lack[] {
  const persons = Object.keys(people.persons);
  // Where nobody is named at all, that is said already.
  const strangers = persons.length === 0 ? [] : wipe.approvers.filter((name) => !persons.includes(name));
  const detections = products.filter(({ roles }) => roles.includes('endpointDetection'));
  const cutsOff = detections.filter(({ isolatesSelectively }) => !isolatesSelectively);
  return [
    ...lackIf(wipe.approvers.length < 2, {
      setting: 'wipe.approvers',
      says:
        wipe.approvers.length === 0
          ? 'Nobody may approve a wipe.'
          : `Only ${wipe.approvers.join()} may approve a wipe: who asks for one cannot approve it.`,
      remedy: 'Name at least two persons.',
    }),
    ...lackIf(strangers.length > 0, {
      setting: 'wipe.approvers',
      says: `Who must approve cannot be called: ${strangers.join(', ')}.`,
      remedy: 'Add them to people.',
    }),
    ...lackIf(wipe.dryRun, {
      setting: 'wipe.dryRun',
      says: 'It is a dry run: no real wipe, lock or isolation would leave. The drill played as if it were switched off.',
      remedy: 'Write dryRun: false after a good drill.',
    }),
    ...lackIf(rules.wipe.isolate === 'immediate' && cutsOff.length > 0, {
      setting: 'rules.wipe.isolate',
      says: `Isolated at once by ${cutsOff.map(({ name }) => name).join(', ')}, a laptop never hears of its wipe.`,
      remedy: 'Write afterWipeDelivered.',
    }),
  ];
}

const needed: [role: Role, without: string, remedy: string][] = [
  ['deviceManagement', 'Nothing can wipe or lock a laptop', 'plugin: intune'],
  ['endpointDetection', 'Nothing can isolate a laptop, or hear it once its client is off', 'plugin: crowdstrike'],
  ['directory', 'No session is revoked and no account or device object disabled', 'plugin: entra'],
  ['secretStore', 'No PIN can be kept, so no Mac can be wiped or locked', 'plugin: encrypted-folder'],
];

function ofProducts(products: Product[]): Lack[] {
  const fills = (role: Role) => products.some(({ roles }) => roles.includes(role));
  const feeds = products.flatMap((product) => product.feeds.map((feed) => ({ ...feed, product: product.name })));
  const irregular = feeds.filter(({ regular }) => !regular).map(({ product, name }) => `${product}/${name}`);
  return [
    ...needed.flatMap(([role, without, remedy]) =>
      lackIf(!fills(role), {
        setting: 'plugins',
        says: `${without}: no product for ${inWords[role] ?? role}.`,
        remedy: `Add one, for instance ${remedy}.`,
      }),
    ),
    ...lackIf(!products.some(({ takesNotes }) => takesNotes), {
      setting: 'plugins',
      says: 'No ticket desk takes notes: what the playbook does stands in no ticket.',
      remedy: 'Add one, for instance plugin: servicenow.',
    }),
    ...lackIf(feeds.length > 0 && irregular.length === feeds.length, {
      setting: 'plugins',
      says: `No feed speaks whenever a laptop is online (${irregular.join(', ')}): silence never means anything.`,
      remedy: 'Add a product with a regular feed: netskope or crowdstrike.',
    }),
    ...lackIf(feeds.length === 0, {
      setting: 'plugins',
      says: 'No feed hears of a laptop.',
      remedy: 'Switch the feeds of a product on.',
    }),
  ];
}

const inWords: Partial<Record<Role, string>> = {
  deviceManagement: 'device management',
  endpointDetection: 'endpoint detection',
  directory: 'the directory',
  secretStore: 'a secret store',
};

function ofCaps({ guard, wipe }: TenantSettings): Lack[] {
  return [
    ...lackIf(guard.containmentsPerHour === 0, {
      setting: 'guard.containmentsPerHour',
      says: 'Every containment waits for a person.',
      remedy: 'Write how many may go ahead by themselves within an hour.',
    }),
    ...lackIf(guard.protectedUsers.length === 0, {
      setting: 'guard.protectedUsers',
      says: 'A report about a break-glass account, or about an approver, would lock it out at once.',
      remedy: 'Name the users who are never contained without a person.',
    }),
    ...lackIf(wipe.perHour === 0 || wipe.perDay === 0, {
      setting: wipe.perHour === 0 ? 'wipe.perHour' : 'wipe.perDay',
      says: 'The cap holds every wipe.',
      remedy: 'Write how many may leave.',
    }),
  ];
}

const lackIf = (isSo: boolean, lack: Lack): Lack[] => (isSo ? [lack] : []);

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
