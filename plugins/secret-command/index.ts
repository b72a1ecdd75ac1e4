/**
 * A command as the secret store: for vaults that this project does not know.
 * @module
 */
import { tried } from '../connection-test';
import type { Plugin } from '../roles';
import { createSecretCommand } from './secret-store';
import { secretCommandSettings, type SecretCommandSettings } from './settings';

/** Nobody writes a secret of this name: asking for it tries everything and finds nothing. */
const neverWritten = 'connection-test';

/** `plugin: secret-command`. It runs a program, so it has no HTTP operations. */
export const secretCommand: Plugin<SecretCommandSettings> = {
  name: 'secret-command',
  title: 'Secret command',
  roles: ['secretStore'],
  settings: secretCommandSettings,
  operations: [],
  agentHosts: [],
  create(_instanceName, settings) {
    const store = createSecretCommand(settings);
    return {
      secretStore: store,
      test: async (call) => [
        await tried(`command ${settings.command[0]}`, async () => {
          const found = await store.get(neverWritten, call);
          if (found === undefined)
            return { detail: 'It runs, and answers that there is no such secret. Nothing was written.' };
          return {
            remedy: `It answers a secret that nobody wrote (${neverWritten}): it must end with 4 when there is none.`,
          };
        }),
      ],
      close: async () => {},
    };
  },
};
