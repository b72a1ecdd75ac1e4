/**
 * One plugin's part of the settings file: secrets fetched from where they lie, then checked by the plugin itself.
 * @module
 */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { plugins } from '../plugins';
import { readDuration } from './fields';
import type { Mistakes, Path } from './mistakes';

/** Fields that hold a secret, in every plugin. */
const secretFields = new Set([
  'token',
  'v1Token',
  'apiToken',
  'routingKey',
  'password',
  'clientSecret',
  'keys',
  'secrets',
  'webhookSecrets',
]);

export type PluginPart = { plugin: string } & Record<string, unknown>;

/**
 * Read the part of one instance. A text `env:NAME` or `file:PATH` becomes what is found there, a text that begins with
 * `./` or `../` a path beside the settings file, and a duration in a field that ends in `Ms` its milliseconds.
 * @param folder Where the settings file lies.
 * @returns The instance's settings as its plugin takes them. Only to be used when no mistake was added.
 */
export async function readPluginPart(part: PluginPart, at: Path, folder: string, mistakes: Mistakes): Promise<unknown> {
  const { plugin: product, ...written } = part;
  const settings = await resolve(written, at, folder, mistakes);
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

async function resolve(value: unknown, at: Path, folder: string, mistakes: Mistakes): Promise<unknown> {
  if (Array.isArray(value)) {
    return Promise.all(value.map((item, index) => resolve(item, [...at, index], folder, mistakes)));
  }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(
      async ([key, item]) => [key, await resolve(item, [...at, key], folder, mistakes)] as const,
    );
    return Object.fromEntries(await Promise.all(entries));
  }
  const field = at.findLast((key) => typeof key === 'string') ?? '';
  if (typeof value === 'string' && /^(env|file):/.test(value)) return fetched(value, at, folder, mistakes);
  if (secretFields.has(field) && value !== null && value !== '') {
    mistakes.add(at, 'is a secret in the open: put it elsewhere, and write env:NAME or file:PATH here');
  }
  if (typeof value !== 'string') return value;
  if (/^\.\.?\//.test(value)) return path.resolve(folder, value);
  return field.endsWith('Ms') ? (readDuration(value) ?? value) : value;
}

async function fetched(reference: string, at: Path, folder: string, mistakes: Mistakes): Promise<string> {
  const place = reference.slice(reference.indexOf(':') + 1);
  if (reference.startsWith('env:')) {
    const found = process.env[place];
    if (!found) mistakes.add(at, `names ${place}, which is not in the environment: set it`);
    return found ?? '';
  }
  try {
    const found = (await readFile(path.resolve(folder, place), 'utf8')).trim();
    if (found === '') mistakes.add(at, `names ${place}, which is empty: write the secret into it`);
    return found;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    mistakes.add(at, `names ${place}, which cannot be read (${code ?? 'unknown'}): write it, readable by our account`);
    return '';
  }
}
