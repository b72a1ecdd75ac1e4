/**
 * The first settings file of an installation: written from the forms themselves, so that what it says of a setting is what
 * the form says of it. Every setting stands in it: those that are needed as they are, all others behind a `#`, with their
 * defaults. Taking the `#` away changes nothing until the value is changed.
 * @module
 */
import { randomBytes } from 'node:crypto';
import { stringify } from 'yaml';
import { plugins } from '../plugins';
import { inWords } from './fields';
import { fileForm, productForm, type Form } from './form';
import { holdsSecret, standInFor } from './plugin-part';
import { settingsFile } from './schema';
import { childOf, itemsOf } from './written';

/** What must be known before the file can be written. */
export interface FirstAnswers {
  tenant: string;
  /** Products in use, with what was answered about each. A field without an answer gets its example. */
  products: Record<string, Record<string, unknown>>;
}

/** A file that holds one secret, beside the settings file. */
export interface SecretFile {
  /** From the folder of the settings file. */
  path: string;
  /** What it holds at first. */
  secret: string;
  /** Made by us and good as it is; otherwise a stand-in that opens nothing, to be replaced. */
  made: boolean;
}

/** A field that a product needs. */
export interface NeededField {
  name: string;
  description: string;
  example: unknown;
  secret: boolean;
}

/** Products that an installation cannot do without. */
export const neededProducts = ['netskope', 'folder'];
/** In use when nobody is asked: what is needed, and a door for tickets. */
export const usualProducts = [...neededProducts, 'webhook'];

/** What a product needs to be told, in the order of its form. */
export function neededFields(product: string): NeededField[] {
  return Object.entries(productForm(product).properties ?? {}).flatMap(([name, { description = '', example }]) =>
    example === undefined ? [] : [{ name, description, example, secret: holdsSecret(name) }],
  );
}

/**
 * Write the file, and the secrets that it names.
 * @param schema Where editors find the schema of the file: an address, or a path from it.
 */
export function firstFile({ tenant, products }: FirstAnswers, schema: string): { text: string; secrets: SecretFile[] } {
  const { tenants, ...general } = fileForm().properties ?? {};
  const { plugins: parts, ...ofTenant } = (tenants?.additionalProperties as Form).properties ?? {};
  const usual = settingsFile.parse({ tenants: { [tenant]: { plugins: {} } } });
  const secrets = Object.keys(products).flatMap((product) =>
    neededFields(product).flatMap((field) => (field.secret ? [secretFile(product, field)] : [])),
  );
  const lines = [
    `# yaml-language-server: $schema=${schema}`,
    '#',
    '# Settings of the lost-device playbook. What stands behind a # without a space is a default: take the # away, and those of',
    '# the lines above that it belongs to, to change it. `lost-device settings show` prints what it all comes to.',
    '# A secret never stands here. Write env:NAME, file:PATH or exec:COMMAND: the environment, a file that only our account may',
    '# read, or a program by its whole path that prints it. A path that begins with ./ starts beside this file. A duration is',
    '# 90s, 15min, 2h, 3d, or a number of milliseconds.',
    '',
    ...optional(general, usual, ''),
    '',
    'tenants:',
    `  ${tenant}:`,
    ...prose(parts?.description, '    '),
    '    plugins:',
    ...Object.entries(products).flatMap(([product, answers]) => productLines(product, answers, '      ')),
    '',
    ...optional(ofTenant, usual.tenants[tenant], '    '),
  ];
  return { text: `${lines.join('\n')}\n`, secrets };
}

function productLines(product: string, answers: Record<string, unknown>, indent: string): string[] {
  const within = `${indent}  `;
  const needed = neededFields(product);
  const rest = Object.entries(productForm(product).properties ?? {}).filter(([, { example }]) => example === undefined);
  return [
    '',
    `${indent}# ${plugins[product]?.title ?? product}`,
    `${indent}${product}:`,
    `${within}plugin: ${product}`,
    ...needed.flatMap((field) => {
      const { name, description, example } = field;
      const reference = `file:${secretFile(product, field).path}`;
      const value = field.secret ? (Array.isArray(example) ? [reference] : reference) : (answers[name] ?? example);
      return [...prose(description, within), `${within}${name}: ${inline(value)}`];
    }),
    ...optional(Object.fromEntries(rest), exampleSettings(product), within),
  ];
}

/**
 * Settings that may be left out, each with what it means.
 * @param values What each is when it is left out. Those that are nothing then are told only.
 */
function optional(forms: Record<string, Form>, values: unknown, indent: string): string[] {
  return Object.entries(forms).flatMap(([name, { description, properties }]) => {
    const usual = childOf(values, name);
    if (properties !== undefined && usual !== undefined) {
      const below = optional(properties, usual, `${indent}  `);
      // A map of nothing is another value than none.
      const isMap = below.some((line) => /^ *#\S/.test(line));
      return isMap ? [...prose(description, indent), `${indent}#${name}:`, ...below] : told(name, description, indent);
    }
    if (usual === undefined) return told(name, description, indent);
    const value = inWords(usual, name);
    const lines = itemsOf(value).some((item) => typeof item === 'object') ? itemsOf(value) : [];
    return [
      ...prose(description, indent),
      ...(lines.length > 0
        ? [`${indent}#${name}:`, ...lines.map((item) => `${indent}  #- ${inline(item)}`)]
        : [`${indent}#${name}: ${inline(value)}`]),
    ];
  });
}

const told = (name: string, description: string | undefined, indent: string) =>
  prose(`May be given: ${name}. ${description ?? ''}`.trim(), indent);

const longestLine = 120;

/** A comment, in as many lines as it takes. */
function prose(text: string | undefined, indent: string): string[] {
  const lines: string[] = [];
  for (const word of text?.split(' ') ?? []) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < longestLine) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(`${indent}# ${word}`);
  }
  return lines;
}

/** A value on one line. */
const inline = (value: unknown) =>
  stringify(value, { lineWidth: 0, collectionStyle: 'flow', flowCollectionPadding: true }).trimEnd();

function secretFile(product: string, { name }: NeededField): SecretFile {
  const path = `./secrets/${product}-${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  const random = randomBytes(32).toString('base64');
  if (name === 'keys') return { path, secret: random, made: true };
  if (name === 'secrets' || name === 'webhookSecrets') return { path, secret: `whsec_${random}`, made: true };
  return { path, secret: standInFor(name) ?? '', made: false };
}

/**
 * What a product makes of its examples.
 * @param more Settings beside those that it needs.
 */
export function exampleSettings(product: string, more: object = {}): unknown {
  const given = neededFields(product).map(({ name, example }) => {
    const value: unknown = standInFor(name) ?? (Array.isArray(example) ? (example as unknown[])[0] : example);
    const text = String(value).replace(/^\.\//, '/');
    return [name, Array.isArray(example) ? [text] : text];
  });
  return plugins[product]?.settings.parse({ ...Object.fromEntries(given), ...more });
}
