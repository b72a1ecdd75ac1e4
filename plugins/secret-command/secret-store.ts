/**
 * Secrets kept by a program of the company's own: a client of its vault, or a small script around one.
 *
 * `COMMAND put NAME` reads the secret from its input, `COMMAND get NAME` prints it. The exit code says what became of it. A secret is
 * never in an argument or a variable, where every process of the machine could read it.
 * @module
 */
import { BadInput, OutcomeUnknown, VendorRefused, VendorUnavailable, type PlaybookError } from '../errors';
import type { Call, SecretStore } from '../roles';
import { run, type Ending } from '../run-program';
import type { SecretCommandSettings } from './settings';

/** What the program says by its exit code. 75 and 77 are those of sysexits.h. */
const exits = { done: 0, alreadyThere: 3, none: 4, tryLater: 75, notPermitted: 77 };

export function createSecretCommand(settings: SecretCommandSettings): SecretStore {
  const { command, environment, timeoutMs } = settings;

  function start(verb: 'put' | 'get', name: string, input: string, { signal }: Call): Promise<Ending> {
    // A name that looks like an option or a path out of its place would mean something else to the program.
    if (!/^(?=.{1,500}$)[A-Za-z0-9_][A-Za-z0-9._:=@+-]*(\/[A-Za-z0-9_][A-Za-z0-9._:=@+-]*)*$/.test(name)) {
      throw new BadInput('LDP_BAD_INPUT', 'a name is made of words parted by /: letters, digits and . _ : = @ + -', {
        field: 'key',
      });
    }
    const passed = ['PATH', 'HOME', 'LANG', ...environment].flatMap((variable) => {
      const value = process.env[variable];
      return value === undefined ? [] : [[variable, value] as const];
    });
    return run({ argv: [...command, verb, name], env: Object.fromEntries(passed), input, timeoutMs, signal });
  }

  return {
    async putOnce(name, secret, call) {
      if (secret === '' || secret.endsWith('\n')) {
        throw new BadInput('LDP_BAD_INPUT', `${name}: the secret is empty or ends with a new line`, {
          field: 'secret',
        });
      }
      const ending = await start('put', name, secret, call);
      if (exitOf(ending) === exits.done) return 'created';
      if (exitOf(ending) === exits.alreadyThere) return 'already there';
      throw failureOf('put', ending);
    },

    async get(name, call) {
      const ending = await start('get', name, '', call);
      if (exitOf(ending) === exits.none) return undefined;
      if (ending.kind !== 'exit' || ending.code !== exits.done) throw failureOf('get', ending);
      // Programs print a new line behind what they print.
      const secret = ending.output.replace(/\r?\n$/, '');
      if (secret !== '') return secret;
      throw new VendorUnavailable(
        'LDP_UNEXPECTED_ANSWER',
        'secret-command get: it said that all is well, and printed nothing',
        {
          operation: 'secret-command get',
        },
      );
    },
  };
}

function exitOf(ending: Ending): number | undefined {
  return ending.kind === 'exit' ? ending.code : undefined;
}

/** Nothing that the program printed is in a message. */
function failureOf(verb: 'put' | 'get', ending: Ending): PlaybookError {
  const operation = `secret-command ${verb}`;
  const details = { operation };
  if (ending.kind === 'not started') {
    const message = `${operation}: it could not be started (${ending.code})`;
    return ['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'ENOEXEC'].includes(ending.code)
      ? new VendorRefused(ending.code === 'ENOENT' ? 'LDP_NOT_FOUND' : 'LDP_NOT_PERMITTED', message, details)
      : new VendorUnavailable('LDP_UNREACHABLE', message, details);
  }
  if (exitOf(ending) === exits.tryLater) {
    return new VendorUnavailable('LDP_UNREACHABLE', `${operation}: it asks to be run again later (75)`, details);
  }
  if (exitOf(ending) === exits.notPermitted) {
    return new VendorRefused('LDP_NOT_PERMITTED', `${operation}: the vault does not let us (77)`, details);
  }
  const how = ending.kind === 'exit' ? `it ended with ${ending.code}` : `it was killed: ${ending.why}`;
  // Nobody can tell how far it came.
  return verb === 'put'
    ? new OutcomeUnknown('LDP_OUTCOME_UNKNOWN', `${operation}: ${how}`, details)
    : new VendorUnavailable('LDP_SERVER_ERROR', `${operation}: ${how}`, details);
}
