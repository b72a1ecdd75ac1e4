/**
 * Secrets where they lie: in the environment, in a file, or behind a program such as the client of a vault.
 * @module
 */
import { access, constants, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { run, type Ending } from '../plugins/run-program';

/** What says where a secret lies: `env:NAME`, `file:PATH` or `exec:COMMAND`. */
export type Reference = `${'env' | 'file' | 'exec'}:${string}`;

/** What became of a reference: the secret, or what is wrong with it and what to do. No message holds a part of a secret. */
export type Fetched = { secret: string } | { mistake: string };

/** How long a program may take to print its secret (milliseconds): a vault that is asked over the network. */
const programWithinMs = 30_000;

/** The beginning of a reference. */
export const referenceText = /^(env|file|exec):/;

export const isReference = (value: unknown): value is Reference =>
  typeof value === 'string' && referenceText.test(value);

/**
 * Fetch a secret.
 * @param folder Where a relative path of `file:` starts.
 */
export async function fetchSecret(reference: Reference, folder: string): Promise<Fetched> {
  const { kind, place } = partsOf(reference);
  if (kind === 'exec') return askProgram(place);
  if (kind === 'env') {
    const secret = process.env[place];
    return secret ? { secret } : { mistake: notInEnvironment(place) };
  }
  try {
    const secret = (await readFile(path.resolve(folder, place), 'utf8')).trim();
    return secret ? { secret } : { mistake: isEmpty(place) };
  } catch (error) {
    return { mistake: cannotBeRead(place, error) };
  }
}

/** Is it there? Nothing of it is read, and no program is run. Undefined: as far as can be seen, it is. */
export async function whyMissing(reference: Reference, folder: string): Promise<string | undefined> {
  const { kind, place } = partsOf(reference);
  if (kind === 'env') return process.env[place] ? undefined : notInEnvironment(place);
  if (kind === 'exec') {
    const command = readCommand(place);
    if (command === undefined) return noCommand;
    return access(command[0], constants.X_OK).then(
      () => undefined,
      (error: unknown) => notStarted(command[0], codeOf(error)),
    );
  }
  try {
    const file = path.resolve(folder, place);
    await access(file, constants.R_OK);
    return (await stat(file)).size === 0 ? isEmpty(place) : undefined;
  } catch (error) {
    return cannotBeRead(place, error);
  }
}

/**
 * The first line that the program prints. It gets our whole environment, where the clients of vaults look for their
 * address and their own proof.
 */
async function askProgram(command: string): Promise<Fetched> {
  const argv = readCommand(command);
  if (argv === undefined) return { mistake: noCommand };
  const env = Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
  // Its time limit ends it; nobody else does.
  const { signal } = new AbortController();
  const ending = await run({ argv, env, input: '', timeoutMs: programWithinMs, signal });
  if (ending.kind !== 'exit' || ending.code !== 0) return { mistake: howItFailed(argv[0], ending) };
  const secret = ending.output.split(/\r?\n/, 1)[0]?.trim();
  return secret
    ? { secret }
    : { mistake: `runs ${argv[0]}, whose first line is empty: have it print the secret there` };
}

/** Of what it printed, nothing is said: nobody can tell whether a secret is in it. */
function howItFailed(program: string, ending: Ending): string {
  if (ending.kind === 'not started') return notStarted(program, ending.code);
  const how = ending.kind === 'killed' ? `was killed: ${ending.why}` : `ended with ${ending.code}`;
  return `runs ${program}, which ${how}: try the command by hand, as our account`;
}

/** Words parted by spaces; quotes hold words together. No shell reads them, so nothing else has a meaning. */
function readCommand(text: string): [string, ...string[]] | undefined {
  const word = /(?:[^\s"']|"[^"]*"|'[^']*')+/g;
  // What is left over is a quote that was never closed.
  if (text.replace(word, '').trim() !== '') return undefined;
  const words = (text.match(word) ?? []).map((quoted) => quoted.replace(/"([^"]*)"|'([^']*)'/g, '$1$2'));
  const [program, ...rest] = words;
  return program !== undefined && path.isAbsolute(program) ? [program, ...rest] : undefined;
}

function partsOf(reference: Reference): { kind: string; place: string } {
  const colon = reference.indexOf(':');
  return { kind: reference.slice(0, colon), place: reference.slice(colon + 1).trim() };
}

const codeOf = (error: unknown) => (error as NodeJS.ErrnoException).code ?? 'unknown';
const notInEnvironment = (place: string) => `names ${place}, which is not in the environment: set it`;
const isEmpty = (place: string) => `names ${place}, which is empty: write the secret into it`;
const cannotBeRead = (place: string, error: unknown) =>
  `names ${place}, which cannot be read (${codeOf(error)}): write it, readable by our account`;
const noCommand =
  'names no program by an absolute path: what PATH would find may be another one. Write it like exec:/usr/bin/vault kv get -field=token secret/netskope';
const notStarted = (program: string, code: string) =>
  `runs ${program}, which cannot be started (${code}): install it, executable by our account`;
