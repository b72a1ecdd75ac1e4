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
import { writeHouseAddresses } from '../cli/house-addresses';
import type { RunningHouse } from '../house';
import { startHouse } from '../house';
import { loadSettings } from '../settings/load';
import { startSimulatorProcess } from '../simulator/child';
import { writeSimulatorSettings } from '../simulator/settings';
import type { Settings } from '../playbook/settings';

export const tenant = 'acme';

export interface Stage {
  simulator: string;
  house: RunningHouse;
  settings: Settings;
  settingsFile: string;
  webhookSecret: string;
  /** Subjects of the mails that were sent, oldest first. */
  mails: string[];
  close(): Promise<void>;
}

/** Short, explicit waits, so that a story of hours fits two minutes. Retries and time-outs stay as they are. */
const demoRules = {
  directorySteps: { lost: ['revoke-sessions'], stolen: ['revoke-sessions', 'disable-device'] },
  waits: { retryFirstMs: 500, moveLookEveryMs: 500, noteGatherMs: 300, journalGatherMs: 300 },
};

export async function setStage(options: { log: (line: string) => void; dataFolder?: string }): Promise<Stage> {
  const folder = options.dataFolder ?? mkdtempSync(join(tmpdir(), 'lost-device-demo-'));
  const simulator = await startSimulatorProcess();
  const mail = await startMailBox();
  const { file: settingsFile, webhookSecret } = writeSimulatorSettings({
    folder,
    simulator: simulator.url,
    tenant,
    with: { entra: true, servicenow: true, mailPort: mail.port, tag: true },
    pollEveryMs: 1_000,
    rules: demoRules,
    guard: { containmentsPerHour: 5, protectedUsers: ['breakglass@example.test'] },
    reconcileEvery: '30s',
    indexEvery: '1s',
  });
  const loaded = await loadSettings(settingsFile);
  const house = await startHouse(loaded, { log: options.log });
  // So that the command line finds this house by its settings.
  await writeHouseAddresses(loaded.dataFolder, {
    pid: process.pid,
    ...house.addresses,
    startedAt: new Date().toISOString(),
  });
  return {
    simulator: simulator.url,
    house,
    settings: loaded,
    settingsFile,
    webhookSecret,
    mails: mail.subjects,
    async close() {
      await house.stop();
      await mail.close();
      await simulator.stop();
    },
  };
}

async function startMailBox(): Promise<{ port: number; subjects: string[]; close(): Promise<void> }> {
  const subjects: string[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    onData(stream, _session, done) {
      let text = '';
      stream.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')));
      stream.on('end', () => {
        subjects.push(/^Subject: (.*)$/m.exec(text)?.[1] ?? '(no subject)');
        done();
      });
    },
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.server.address() as AddressInfo).port,
    subjects,
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}
