/**
 * One plugin's part of the settings file: secrets fetched from where they lie, then checked by the plugin itself.
 * @module
 */
import path from 'node:path';
import { z } from 'zod';
import { plugins } from '../plugins';
import { readDuration } from './fields';
import type { Mistakes, Path } from './mistakes';
import { fetchSecret, isReference, whyMissing } from './secrets';

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

/** A text of the form of such a secret, which opens nothing. */
export const standInFor = (field: string) => secretFields.get(field);

/** Does a field of this name hold a secret? */
export const holdsSecret = (field: string) => secretFields.has(field);

export type PluginPart = { plugin: string } & Record<string, unknown>;

/** Where the settings file lies, and what becomes of the secrets that it names. */
export interface ReadFrom {
  folder: string;
  mistakes: Mistakes;
  /** No secret is read: stand-ins take their place, and one that is not there is only noted here. */
  missingSecrets?: Mistakes;
}

/**
 * Read the part of one instance. A text `env:NAME`, `file:PATH` or `exec:COMMAND` becomes what is found there, a text that begins with
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
  if (isReference(value)) {
    if (standIn === undefined && value.startsWith('exec:')) {
      mistakes.add(at, 'runs a program, and is no secret: write its value here');
      return '';
    }
    if (standIn !== undefined && missingSecrets !== undefined) {
      const mistake = await whyMissing(value, folder);
      if (mistake !== undefined) missingSecrets.add(at, mistake);
      return standIn;
    }
    const fetched = await fetchSecret(value, folder);
    if ('secret' in fetched) return fetched.secret;
    mistakes.add(at, fetched.mistake);
    return '';
  }
  if (standIn !== undefined && value !== null && value !== '') {
    mistakes.add(at, 'is a secret in the open: put it elsewhere, and write env:NAME, file:PATH or exec:COMMAND here');
  }
  if (typeof value !== 'string') return value;
  if (/^\.\.?\//.test(value)) return path.resolve(folder, value);
  return field.endsWith('Ms') ? (readDuration(value) ?? value) : value;
}
