/**
 * One plugin's part of the settings file: secrets fetched from where they lie, then checked by the plugin itself.
 * @module
 */
import { access, constants, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { plugins } from '../plugins';
import { readDuration } from './fields';
import type { Mistakes, Path } from './mistakes';

/** Fields that hold a secret, in every plugin, with a text of its form that opens nothing. */
const secretFields = new Map<string | number, string>([
  ['token', 'stand-in'],
  ['v1Token', 'stand-in'],
  ['apiToken', 'stand-in'],
  ['routingKey', 'stand-in'.repeat(4)],
  ['password', 'stand-in'],
  ['clientSecret', 'stand-in'],
  ['keys', Buffer.alloc(32).toString('base64')],
  ['secrets', `whsec_${Buffer.alloc(32).toString('base64')}`],
  ['webhookSecrets', `whsec_${Buffer.alloc(32).toString('base64')}`],
]);

export type PluginPart = { plugin: string } & Record<string, unknown>;

/** Where the settings file lies, and what becomes of the secrets that it names. */
export interface ReadFrom {
  folder: string;
  mistakes: Mistakes;
  /** No secret is read: stand-ins take their place, and one that is not there is only noted here. */
  missingSecrets?: Mistakes;
}

/**
 * Read the part of one instance. A text `env:NAME` or `file:PATH` becomes what is found there, a text that begins with
 * `./` or `../` a path beside the settings file, and a duration in a field that ends in `Ms` its milliseconds.
 * @returns The instance's settings as its plugin takes them. Only to be used when no mistake was added.
 */
export async function readPluginPart(part: PluginPart, at: Path, from: ReadFrom): Promise<unknown> {
  const { plugin: product, ...written } = part;
  const { mistakes } = from;
  const settings = await resolve(written, at, from);
  const plugin = Object.hasOwn(plugins, product) ? plugins[product] : undefined;
  if (plugin === undefined) {
    const known = Object.keys(plugins).sort().join(', ');
    mistakes.add([...at, 'plugin'], `is not a product we know: write one of ${known}`);
    return settings;
  }
  try {
    plugin.settings.parse(settings);
  } catch (error) {
    if (!(error instanceof z.ZodError)) throw error;
    mistakes.addIssues(error.issues, at);
  }
  return settings;
}

async function resolve(value: unknown, at: Path, from: ReadFrom): Promise<unknown> {
  if (Array.isArray(value)) {
    return Promise.all(value.map((item, index) => resolve(item, [...at, index], from)));
  }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(
      async ([key, item]) => [key, await resolve(item, [...at, key], from)] as const,
    );
    return Object.fromEntries(await Promise.all(entries));
  }
  const { folder, mistakes, missingSecrets } = from;
  const field = at.findLast((key) => typeof key === 'string') ?? '';
  const standIn = secretFields.get(field);
  if (typeof value === 'string' && /^(env|file):/.test(value)) {
    if (standIn === undefined || missingSecrets === undefined) return fetched(value, at, folder, mistakes);
    await lookFor(value, at, folder, missingSecrets);
    return standIn;
  }
  if (standIn !== undefined && value !== null && value !== '') {
    mistakes.add(at, 'is a secret in the open: put it elsewhere, and write env:NAME or file:PATH here');
  }
  if (typeof value !== 'string') return value;
  if (/^\.\.?\//.test(value)) return path.resolve(folder, value);
  return field.endsWith('Ms') ? (readDuration(value) ?? value) : value;
}

/** What lies where `env:NAME` or `file:PATH` points. Where there is nothing, a mistake is added and the text is empty. */
export async function fetched(reference: string, at: Path, folder: string, mistakes: Mistakes): Promise<string> {
  const place = reference.slice(reference.indexOf(':') + 1);
  if (reference.startsWith('env:')) {
    const found = process.env[place];
    if (!found) mistakes.add(at, notInEnvironment(place));
    return found ?? '';
  }
  try {
    const found = (await readFile(path.resolve(folder, place), 'utf8')).trim();
    if (found === '') mistakes.add(at, isEmpty(place));
    return found;
  } catch (error) {
    mistakes.add(at, cannotBeRead(place, error));
    return '';
  }
}

/** Is it there? Nothing of it is read. */
export async function lookFor(reference: string, at: Path, folder: string, missing: Mistakes): Promise<void> {
  const place = reference.slice(reference.indexOf(':') + 1);
  if (reference.startsWith('env:')) {
    if (!process.env[place]) missing.add(at, notInEnvironment(place));
    return;
  }
  try {
    const file = path.resolve(folder, place);
    await access(file, constants.R_OK);
    if ((await stat(file)).size === 0) missing.add(at, isEmpty(place));
  } catch (error) {
    missing.add(at, cannotBeRead(place, error));
  }
}

const notInEnvironment = (place: string) => `names ${place}, which is not in the environment: set it`;
const isEmpty = (place: string) => `names ${place}, which is empty: write the secret into it`;
const cannotBeRead = (place: string, error: unknown) =>
  `names ${place}, which cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'}): write it, readable by our account`;
