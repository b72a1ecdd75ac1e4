/**
 * docs/settings.md, written from the form of the settings file.
 * @module
 */
import { stringify } from 'yaml';
import { plugins } from '../plugins';
import { durationText, inWords } from '../settings/fields';
import { elsewhere, fileForm, productForm, type Form } from '../settings/form';
import { referenceText } from '../settings/secrets';

/** One setting, as a row tells of it. */
interface Setting {
  /** From the section: `waits.retryMaxMs`, `ladder[].name`. */
  path: string;
  form: Form;
  needed: boolean;
}

export function settingsPage(): string {
  const { tenants, ...installation } = fileForm().properties ?? {};
  const ofTenant = tenants?.additionalProperties as Form;
  const { plugins: products, rules, ...standing } = ofTenant.properties ?? {};
  return [
    '# Settings',
    'Made from the form of the settings file by `npx tsx setup/references.ts`; `npm run verify` compares. `lost-device init` writes a first file with all of it, `lost-device settings show` prints what a file comes to, and [the example](lost-device.example.yaml) is a whole one. Editors check a file by [its schema](schemas/settings.json): the first line of what `init` writes names it.',
    [
      '- **needed** stands where a setting has no default. **–**: it may be left out, and is nothing then.',
      '- A duration is `90s`, `15min`, `2h`, `3d`, or a number of milliseconds.',
      '- A secret never stands in the file. What stands there is where it lies: `env:NAME`, `file:PATH`, or `exec:COMMAND`, a program by its whole path that prints it. Any other text of a product may be `env:NAME` or `file:PATH` too.',
      '- A path of a product that begins with `./` or `../` starts beside the file, and so does that of `file:PATH`.',
      '- What stands below `rules` is **pinned when a case starts**: a change concerns new cases, and `lost-device settings apply CASE` moves it onto a running one. Nothing else is pinned: what the house was started with counts, for running cases too.',
    ].join('\n'),
    '## The installation',
    tableOf({ properties: installation }, 'Not pinned.'),
    '## Tenants',
    tenants?.description ?? '',
    `Each needs ${(ofTenant.required ?? []).map((name) => `\`${name}\``).join(', ')}. What stands below is written under \`tenants.NAME\`.`,
    ...Object.entries(standing).flatMap(([name, form]) => section(name, form, 'Not pinned.')),
    ...Object.entries(rules?.properties ?? {}).flatMap(([name, form]) =>
      section(`rules.${name}`, form, 'Pinned when a case starts.'),
    ),
    '## Products',
    `${products?.description ?? ''} Which of them fills which role, and what it must be allowed to do: [plugins](plugins.md).`,
    ...Object.entries(plugins).flatMap(([name, { title }]) => {
      const { properties, required = [] } = productForm(name);
      const plugin = { const: name, description: `${title}.` };
      const form = { properties: { plugin, ...properties }, required: ['plugin', ...required] };
      return [`### ${name}`, tableOf(form, `${title}. Under \`plugins.NAME\`. Not pinned.`)];
    }),
  ].join('\n\n');
}

function section(name: string, form: Form, pinned: string): string[] {
  const { properties, description = '' } = form;
  return properties === undefined
    ? [`### ${name}`, tableOf({ properties: { [name.replace('rules.', '')]: form } }, pinned)]
    : [`### ${name}`, tableOf(form, `${description} ${pinned}`)];
}

function tableOf(form: Form, told: string): string {
  const settings = settingsIn(form);
  const rows = settings.map((setting) =>
    [`\`${setting.path}\``, setting.form.description ?? '', usualOf(setting), allowed(setting.form)]
      .map((cell) => cell.replaceAll('|', '\\|'))
      .join(' | '),
  );
  const long = settings.filter(({ form: { default: usual } }) => isLong(usual));
  return [
    `${told}\n`,
    '| setting | meaning | default | what it may be |',
    '| --- | --- | --- | --- |',
    ...rows.map((row) => `| ${row} |`),
    ...long.map(
      ({ path, form: { default: usual, items } }) =>
        `\nThe default of \`${path}\`:\n\n\`\`\`yaml\n${(usual as object[]).map((one) => `- ${inline(inOrder(one, items))}`).join('\n')}\n\`\`\``,
    ),
  ].join('\n');
}

/** An entry in the order of its form, without what goes without saying. */
function inOrder(entry: object, { properties = {} }: Form = {}): object {
  const given = new Map<string, unknown>(Object.entries(entry));
  const told = Object.entries(properties).filter(
    ([key, { default: usual }]) => given.has(key) && inline(given.get(key)) !== inline(usual ?? null),
  );
  return Object.fromEntries(told.map(([key]) => [key, given.get(key)]));
}

/** Every setting of a section, each before what it holds. */
function settingsIn({ properties = {}, required = [] }: Form, under = ''): Setting[] {
  return Object.entries(properties).flatMap(([name, form]) => {
    const path = `${under}${name}`;
    return [{ path, form, needed: required.includes(name) }, ...below(form, path)];
  });
}

function below(form: Form, path: string): Setting[] {
  const { additionalProperties: others, items, anyOf = [] } = form;
  return [
    ...settingsIn(form, `${path}.`),
    ...(typeof others === 'object' ? below(others, `${path}.NAME`) : []),
    ...(items ? below(items, `${path}[]`) : []),
    ...anyOf.flatMap((one) => settingsIn(one, `${path}.`)),
  ];
}

const isLong = (value: unknown) => Array.isArray(value) && value.some((item) => typeof item === 'object');

function usualOf({ form: { default: usual, properties, const: only }, needed }: Setting): string {
  if (only !== undefined || needed) return '**needed**';
  if (isLong(usual)) return 'below';
  if (usual === undefined) return '–';
  return properties === undefined ? `\`${inline(usual)}\`` : '';
}

const inline = (value: unknown) =>
  stringify(value, { lineWidth: 0, collectionStyle: 'flow', flowCollectionPadding: false }).trimEnd();
const words = (values: unknown[]) => values.map((value) => `\`${String(value)}\``).join(', ');

/** In words, what a setting may be. */
function allowed(form: Form): string {
  const { anyOf, items, additionalProperties: others, properties, type, pattern, format } = form;
  if (form.const !== undefined) return words([form.const]);
  if (form.enum) return words(form.enum);
  if (anyOf) return choice(anyOf);
  if (pattern === referenceText.source) return '`env:NAME`, `file:PATH`, `exec:COMMAND`';
  if (type === 'boolean') return '`true`, `false`';
  if (type === 'integer') return `whole number${bounds(form)}`;
  if (items) return `list: ${allowed(items)}`;
  if (type === 'array') return 'list: text';
  if (typeof others === 'object') return `by name: ${allowed(others)}`;
  if (properties) return 'see below';
  const known = format === undefined ? undefined : formats[format];
  return known ?? (pattern === undefined ? 'text' : `text like \`${pattern}\``);
}

function choice(choices: Form[]): string {
  const [first] = choices;
  if (choices.some(({ pattern }) => pattern === durationText.source)) return `duration${bounds(first ?? {}, 'ms')}`;
  return [...new Set(choices.filter(({ pattern }) => pattern !== elsewhere.pattern).map(allowed))].join(', or ');
}

const formats: Record<string, string> = {
  uri: 'address: `https://…`',
  uuid: 'GUID',
  email: 'mail address',
  date: 'date',
  cidrv4: 'range of IPv4 addresses',
  cidrv6: 'range of IPv6 addresses',
};

/** What a number may be at least and at most. @param unit `ms`: told as durations. */
function bounds({ minimum = 0, maximum = Number.MAX_SAFE_INTEGER }: Form, unit?: 'ms'): string {
  const told = (value: number) => (unit === 'ms' ? String(inWords(value, 'ms')) : String(value));
  const most = maximum === Number.MAX_SAFE_INTEGER ? undefined : told(maximum);
  if (most === undefined) return minimum > 0 ? `, ${told(minimum)} at least` : '';
  return minimum > 0 ? `, ${told(minimum)} to ${most}` : `, ${most} at most`;
}
