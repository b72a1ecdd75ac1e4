/**
 * A ticket desk that only sends: anything that can sign a webhook. It has no API, so it gets no notes.
 * @module
 */
import { readReportBody } from '../report-body';
import type { Plugin } from '../roles';
import { proveWebhook } from '../standard-webhooks';
import { webhookSettings, type WebhookSettings } from './settings';

/** `plugin: webhook`. It calls nobody: no operations, no hosts. */
export const webhook: Plugin<WebhookSettings> = {
  name: 'webhook',
  title: 'Generic signed webhook',
  roles: ['ticketDesk'],
  settings: webhookSettings,
  operations: [],
  agentHosts: [],
  create: (instanceName, settings) => ({
    ticketDesk: {
      receive: async (raw, nowMs) => readReportBody(proveWebhook(raw, settings.secrets, nowMs), instanceName),
    },
    test: async () => [
      {
        what: 'secrets',
        ok: true,
        detail: `${settings.secrets.length} secret(s) ready; send a signed webhook to /webhooks/tickets/${instanceName} to try it.`,
      },
    ],
    close: async () => {},
  }),
};
