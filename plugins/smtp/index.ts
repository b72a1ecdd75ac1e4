/**
 * Mail as a notifier.
 * @module
 */
import { tried } from '../connection-test';
import { well } from '../prerequisites';
import type { Plugin } from '../roles';
import { createMailNotifier, tryMailServer } from './notifier';
import { smtpSettings, type SmtpSettings } from './settings';

/** `plugin: smtp`. It speaks SMTP, so it has no HTTP operations. */
export const smtp: Plugin<SmtpSettings> = {
  name: 'smtp',
  title: 'Mail (SMTP)',
  roles: ['notifier'],
  settings: smtpSettings,
  operations: [],
  agentHosts: [],
  create: (_instanceName, settings) => ({
    notifier: createMailNotifier(settings),
    prerequisites: () => [
      {
        id: 'mail-server',
        title: 'The mail server lets us in',
        neededFor: 'Without it nobody gets a mail.',
        serious: 'stops',
        setAt: `plugins: host, port and password of ${settings.host}:${settings.port}`,
        how: 'here',
        async look(call) {
          await tryMailServer(settings, call);
          return well('It does. No mail was sent.');
        },
      },
    ],
    test: async (call) => [
      await tried(`mail server ${settings.host}:${settings.port}`, async () => {
        await tryMailServer(settings, call);
        return { detail: 'It answers and lets us in. No mail was sent.' };
      }),
    ],
    close: async () => {},
  }),
};
