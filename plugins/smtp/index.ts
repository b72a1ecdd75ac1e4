/**
 * Mail as a notifier.
 * @module
 */
import { PlaybookError } from '../errors';
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
    async test(call) {
      const what = `mail server ${settings.host}:${settings.port}`;
      try {
        await tryMailServer(settings, call);
        return [{ what, ok: true, detail: 'It answers and lets us in. No mail was sent.' }];
      } catch (error) {
        if (!(error instanceof PlaybookError)) throw error;
        return [{ what, ok: false, detail: `${error.message}. Check host, port, user and password.` }];
      }
    },
    close: async () => {},
  }),
};
