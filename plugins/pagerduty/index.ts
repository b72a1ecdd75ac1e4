/**
 * PagerDuty as a notifier that hears back.
 * @module
 */
import { tried } from '../connection-test';
import { letIn, probed, readable, well } from '../prerequisites';
import type { Plugin } from '../roles';
import { createAcknowledgementReader, listAbilities, listAlerts } from './acknowledgements';
import { createEvents, enqueue } from './events';
import { pagerdutySettings, type PagerdutySettings } from './settings';

/** `plugin: pagerduty`. */
export const pagerduty: Plugin<PagerdutySettings> = {
  name: 'pagerduty',
  title: 'PagerDuty',
  roles: ['notifier'],
  settings: pagerdutySettings,
  operations: [enqueue, listAlerts, listAbilities],
  agentHosts: [],
  create(instanceName, settings) {
    const { page, acknowledge, resolve, tryKey } = createEvents(settings);
    const reader =
      settings.apiToken === undefined ? undefined : createAcknowledgementReader(settings, settings.apiToken);
    return {
      // By the key of their incident.
      notifier: {
        dropsRepeats: true,
        page,
        acknowledge,
        resolve,
        ...(reader && { receive: (webhook) => reader.receive(webhook) }),
      },
      prerequisites: () => [
        probed(
          {
            id: 'pagerduty-events',
            title: 'PagerDuty takes our events',
            neededFor: 'Without it nobody is woken.',
            setAt: 'Services > the service > Integrations > Events API v2: its integration key',
          },
          async (call) => {
            await tryKey(call);
            return well('It does. Nobody was called, so whether somebody is on call there is not known.');
          },
        ),
        ...(reader
          ? [
              readable(
                {
                  id: 'pagerduty-rest-key',
                  title: 'PagerDuty takes our REST key',
                  neededFor: 'Without it an acknowledgement at PagerDuty does not stop the calls.',
                  setAt: 'Integrations > API Access Keys',
                },
                (call) => letIn(() => reader.tryToken(call)),
              ),
            ]
          : []),
      ],
      test: (call) =>
        Promise.all([
          tried('events', async () => {
            await tryKey(call);
            return { detail: 'It takes our events. Nobody was called, so whether somebody is on call is not known.' };
          }),
          tried('acknowledgements', async () => {
            if (!reader) return { detail: 'Not set up: people acknowledge here, and not at PagerDuty.' };
            await reader.tryToken(call);
            const address = `/webhooks/notifiers/${instanceName}`;
            return { detail: `The REST key is good. Send a test from the subscription to ${address} to try the rest.` };
          }),
        ]),
      close: async () => {},
    };
  },
};
