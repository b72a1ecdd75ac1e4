/**
 * What the settings come to: every default filled in, every secret left where it lies.
 * @module
 */
import { plugins } from '../plugins';
import { inWords } from './fields';
import { readSettings, usualFile } from './load';
import { holdsSecret } from './plugin-part';
import { childOf, itemsOf } from './written';

/** In the form of the file, so that it can be read as one. */
export type EffectiveSettings = Record<string, unknown>;

/**
 * Read a settings file and none of its secrets. In place of each stands what the file says: `env:NAME`, `file:PATH` or
 * `exec:COMMAND`.
 * @param file Default: `LOST_DEVICE_SETTINGS` in the environment, else `lost-device.yaml` in the current folder.
 * @throws BadInput as `loadSettings`, but for a secret that is missing.
 */
export async function readEffectiveSettings(file = usualFile()): Promise<EffectiveSettings> {
  const { settings, written } = await readSettings(file, 'only look for them');
  const { address, namespace } = settings.temporal;
  const tenants = Object.entries(written.tenants).map(([tenant, parts]) => {
    const products = Object.entries(parts.plugins).map(([name, { plugin, ...given }]) => {
      const read = plugins[plugin]?.settings.parse(settings.tenants[tenant]?.plugins[name]?.settings) ?? {};
      return [name, { plugin, ...(withoutSecrets(read, given) as object) }];
    });
    return [tenant, { ...parts, plugins: Object.fromEntries(products) as object }] as const;
  });
  const effective = {
    ...written,
    data: settings.dataFolder,
    temporal: { ...written.temporal, namespace, ...(address !== undefined && { address }) },
    tenants: Object.fromEntries(tenants),
  };
  return inWords(effective) as EffectiveSettings;
}

/** What the file says stands where a secret was read. A secret that it does not name has its default: none. */
function withoutSecrets(read: unknown, written: unknown): unknown {
  if (Array.isArray(read)) return read.map((item, index) => withoutSecrets(item, itemsOf(written)[index]));
  if (typeof read !== 'object' || read === null) return read;
  return Object.fromEntries(
    Object.entries(read)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => [
        key,
        holdsSecret(key) ? (childOf(written, key) ?? value) : withoutSecrets(value, childOf(written, key)),
      ]),
  );
}
