/**
 * Where Temporal is, and how it lets us in. The environment goes first, then the settings file, then a profile of
 * `temporal.toml`, the file that Temporal's own tools have. That file is read only where a profile or a file is named: what
 * somebody keeps there for other work must not take cases away.
 * @module
 */
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { createSecureContext } from 'node:tls';
import { loadClientConfigProfile, type ClientConfigProfile, type ConfigDataSource } from '@temporalio/envconfig';
import type { Settings, TemporalAccess } from '../playbook/settings';
import { taskQueues } from '../workflows/ids';
import type { Mistakes, Path } from './mistakes';
import type { ReadFrom } from './plugin-part';

/** As the settings file has it. */
interface TemporalPart {
  address?: string | undefined;
  namespace?: string | undefined;
  profile?: string | undefined;
  config?: string | undefined;
  port: number;
  uiPort: number;
  keepClosed: number;
}

/** Only to be used when no mistake was added. */
export async function readTemporal(part: TemporalPart, from: ReadFrom): Promise<Settings['temporal']> {
  const { port, uiPort, keepClosed: keepClosedMs } = part;
  const env = environment();
  const profile = await readProfile(part, env, from);
  const address = env.TEMPORAL_ADDRESS ?? part.address ?? profile?.address;
  const namespace = env.TEMPORAL_NAMESPACE ?? part.namespace ?? profile?.namespace ?? 'default';
  const ours = { namespace, port, uiPort, keepClosedMs, taskQueue: taskQueues.main };
  if (address === undefined) {
    const { name, at } = sourceOf(part, env);
    if (name !== undefined && profile !== undefined)
      from.mistakes.add(at, `${name} has no address: write it there, or in temporal.address`);
    return ours;
  }
  if (profile === undefined || from.missingSecrets !== undefined) return { address, ...ours };
  return { address, access: await readAccess(profile, sourceOf(part, env).at, from.mistakes), ...ours };
}

type Environment = Record<string, string>;

/** An empty variable is none, but for headers: there it takes one of the profile away. */
function environment(): Environment {
  return Object.fromEntries(
    Object.entries(process.env).filter(
      (entry): entry is [string, string] => Boolean(entry[1]) || entry[0].startsWith('TEMPORAL_GRPC_META_'),
    ),
  );
}

/** What names the profile: for a message, with its place in the settings file. */
function sourceOf({ profile, config }: TemporalPart, env: Environment): { name?: string; at: Path } {
  if (env.TEMPORAL_PROFILE !== undefined) return { name: 'TEMPORAL_PROFILE: the profile', at: [] };
  if (profile !== undefined) return { name: 'names a profile that', at: ['temporal', 'profile'] };
  if (env.TEMPORAL_CONFIG_FILE !== undefined) return { name: 'TEMPORAL_CONFIG_FILE: its profile default', at: [] };
  if (config !== undefined) return { name: 'names a file whose profile default', at: ['temporal', 'config'] };
  return { at: [] };
}

/** With the environment over it. Undefined where a mistake was added. */
async function readProfile(
  part: TemporalPart,
  env: Environment,
  { folder, mistakes }: ReadFrom,
): Promise<ClientConfigProfile | undefined> {
  const { name, at } = sourceOf(part, env);
  const profile = env.TEMPORAL_PROFILE ?? part.profile ?? 'default';
  const fileInSettings = part.config === undefined ? undefined : path.resolve(folder, part.config);
  const file = env.TEMPORAL_CONFIG_FILE ?? fileInSettings;
  const [fileNamed, fileAt]: [string, Path] = env.TEMPORAL_CONFIG_FILE
    ? ['TEMPORAL_CONFIG_FILE names', []]
    : ['names', file === undefined ? at : ['temporal', 'config']];
  try {
    if (name === undefined) return loadClientConfigProfile({ disableFile: true, overrideEnvVars: env });
    // Of a file that is not there, the library would say nothing.
    const source = file === undefined ? {} : { configSource: { data: await readFile(file, 'utf8') } };
    return loadClientConfigProfile({ profile, overrideEnvVars: env, ...source });
  } catch (error) {
    if (isUnreadable(error))
      mistakes.add(fileAt, `${fileNamed} ${error.path ?? file}, which cannot be read (${error.code}): ${writeIt}`);
    // The library's message quotes the file, and there may be a key in it.
    else if (isTomlMistake(error))
      mistakes.add(fileAt, `${fileNamed} a temporal.toml that is no TOML: correct its line ${error.line}`);
    else if (error instanceof Error && /^Cannot specify both [\w ]+$/.test(error.message))
      mistakes.add(
        at,
        `TLS to Temporal: ${error.message.replace('Cannot specify both', 'there are')}: keep one of them`,
      );
    else mistakes.add(at, `${name} is not there: write [profile.${profile}] into ${file ?? 'temporal.toml'}`);
    return undefined;
  }
}

const writeIt = 'write it there, readable by our account';
const isUnreadable = (error: unknown): error is NodeJS.ErrnoException =>
  (error as NodeJS.ErrnoException).syscall !== undefined;
const isTomlMistake = (error: unknown): error is { line: number } =>
  typeof (error as { line?: unknown }).line === 'number';

/** Certificates are looked at here, so that what is wrong is said with its file, and before anything is sent. */
async function readAccess(
  { apiKey, tls, grpcMeta }: ClientConfigProfile,
  at: Path,
  mistakes: Mistakes,
): Promise<TemporalAccess> {
  const shared = { ...(apiKey && { apiKey }), ...(grpcMeta && { metadata: grpcMeta }) };
  // A key without TLS would be read by everybody on the way.
  if (tls === undefined) return { ...shared, ...(apiKey && { tls: true }) };
  if (tls.disabled) return { ...shared, tls: false };
  const read = async (what: string, source: ConfigDataSource | undefined) => {
    if (source === undefined) return undefined;
    const place = 'path' in source ? `in ${source.path}` : 'that is given';
    try {
      const bytes = 'path' in source ? await readFile(source.path) : Buffer.from(source.data);
      if (what !== 'client key') new X509Certificate(bytes);
      return bytes;
    } catch (error) {
      const why = isUnreadable(error)
        ? `cannot be read (${error.code}): ${writeIt}`
        : 'is no certificate: write it there in PEM';
      mistakes.add(at, `TLS to Temporal: the ${what} ${place} ${why}`);
      return undefined;
    }
  };
  const [ca, crt, key] = await Promise.all([
    read("server's CA", tls.serverCACert),
    read('client certificate', tls.clientCert),
    read('client key', tls.clientKey),
  ]);
  if (Boolean(tls.clientCert) !== Boolean(tls.clientKey))
    mistakes.add(at, 'TLS to Temporal: a client certificate and its key go together: name both');
  if (crt && key) {
    try {
      createSecureContext({ cert: crt, key });
    } catch {
      mistakes.add(
        at,
        'TLS to Temporal: the client key is not the key of the client certificate: name the one that is, in PEM',
      );
    }
  }
  return {
    ...shared,
    tls: {
      ...(tls.serverName && { serverNameOverride: tls.serverName }),
      ...(ca && { serverRootCACertificate: ca }),
      ...(crt && key && { clientCertPair: { crt, key } }),
    },
  };
}
