/**
 * The stage of the demo: a simulated world in a process of its own, a mail box, and the real house on a real Temporal
 * server, all on this machine and with settings written as a user would write them.
 * @module
 */
import { mkdtempSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SMTPServer } from 'smtp-server';
import { request } from 'undici';
import { writeHouseAddresses } from '../cli/house-addresses';
import type { RunningHouse } from '../house';
import { startHouse } from '../house';
import { loadSettings } from '../settings/load';
import { startSimulatorProcess } from '../simulator/child';
import { type SimulatorSettings, writeSimulatorSettings } from '../simulator/settings';
import type { Settings } from '../playbook/settings';

export const tenant = 'acme';

export interface Stage {
  simulator: string;
  house: RunningHouse;
  settings: Settings;
  settingsFile: string;
  webhookSecret: string;
  /** Mails that were sent, oldest first. */
  mails: Mail[];
  close(): Promise<void>;
}

export interface Mail {
  to: string[];
  subject: string;
}

/** What a story wants otherwise than the others, in the words of the settings file. */
export type Profile = Partial<
  Pick<SimulatorSettings, 'pollEveryMs' | 'people' | 'rotas' | 'sites' | 'pattern' | 'reconcileEvery' | 'wipe'>
> & {
  rules?: object;
  /** A PagerDuty stands beside the mail, and tells the house who acknowledged there. */
  pager?: true;
  /** No device is tagged. */
  tag?: false;
  /** Microsoft Intune, CrowdStrike Falcon and a secret store: what can wipe, and what can isolate. */
  remoteHands?: true;
};

/** Short, explicit waits, so that a story of hours fits two minutes. Retries and time-outs stay as they are. */
const demoRules = {
  directorySteps: { lost: ['revoke-sessions'], stolen: ['revoke-sessions', 'disable-device'] },
  waits: { retryFirstMs: 500, moveLookEveryMs: 500, noteGatherMs: 300, journalGatherMs: 300 },
};

export async function setStage(profile: Profile, options: { log: (line: string) => void }): Promise<Stage> {
  const { pager = false, tag = true, remoteHands = false, rules, ...more } = profile;
  const folder = mkdtempSync(join(tmpdir(), 'lost-device-demo-'));
  const simulator = await startSimulatorProcess();
  const mail = await startMailBox();
  const { file: settingsFile, webhookSecret } = writeSimulatorSettings({
    folder,
    simulator: simulator.url,
    tenant,
    with: {
      ...{ entra: true, servicenow: true, mailPort: mail.port, tag, pagerDuty: pager },
      ...{ intune: remoteHands, crowdstrike: remoteHands, secrets: remoteHands },
    },
    pollEveryMs: 1_000,
    rules: { ...demoRules, ...rules },
    guard: { containmentsPerHour: 5, protectedUsers: ['breakglass@example.test'] },
    reconcileEvery: '30s',
    indexEvery: '1s',
    ...more,
  });
  const loaded = await loadSettings(settingsFile);
  const house = await startHouse(loaded, { log: options.log });
  // So that the command line finds this house by its settings.
  await writeHouseAddresses(loaded.dataFolder, {
    pid: process.pid,
    ...house.addresses,
    startedAt: new Date().toISOString(),
  });
  if (pager) {
    await request(`${simulator.url}/control/pagerduty/subscription`, {
      method: 'POST',
      body: JSON.stringify({
        url: `${house.addresses.webhooks}/webhooks/notifiers/pager`,
        secret: 'sim-pagerduty-webhook-secret',
      }),
    });
  }
  return {
    simulator: simulator.url,
    house,
    settings: loaded,
    settingsFile,
    webhookSecret,
    mails: mail.mails,
    async close() {
      await house.stop();
      await mail.close();
      await simulator.stop();
    },
  };
}

async function startMailBox(): Promise<{ port: number; mails: Mail[]; close(): Promise<void> }> {
  const mails: Mail[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    onData(stream, session, done) {
      let text = '';
      stream.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')));
      stream.on('end', () => {
        const to = session.envelope.rcptTo.map(({ address }) => address);
        // A long subject goes on in the next line, after a blank.
        const subject = /^Subject: (.*(?:\r\n[ \t].*)*)/m.exec(text)?.[1] ?? '(no subject)';
        mails.push({ to, subject: subject.replace(/\r\n[ \t]/g, ' ') });
        done();
      });
    },
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.server.address() as AddressInfo).port,
    mails,
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}
