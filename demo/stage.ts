/**
 * The stage of the demo: a simulated world in a process of its own, a mail box, and the real house on a real Temporal
 * server, all on this machine and with settings written as a user would write them.
 * @module
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { SMTPServer } from 'smtp-server';
import { stringify } from 'yaml';
import type { RunningHouse } from '../house';
import { startHouse } from '../house';
import { loadSettings } from '../settings/load';
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
  const webhookSecret = `whsec_${randomBytes(24).toString('base64')}`;

  // Secrets lie in files of their own, so that the command line works on the same settings later.
  const secret = (name: string, value: string) => {
    const file = join(folder, `${name}.secret`);
    writeFileSync(file, value, { mode: 0o600 });
    return `file:${file}`;
  };
  const settingsFile = join(folder, 'lost-device.yaml');
  const settings = {
    data: join(folder, 'data'),
    temporal: { port: 0, uiPort: 0 },
    http: { webhooks: { host: '127.0.0.1', port: 0 }, api: { host: '127.0.0.1', port: 0 } },
    tenants: {
      [tenant]: {
        plugins: {
          netskope: {
            plugin: 'netskope',
            url: simulator.url,
            token: secret('netskope', 'sim-netskope-v2-token'),
            lostGroup: 'Lost-Stolen Devices',
            lostSteeringConfig: 'Lost-Stolen Steering',
            lostPolicy: 'Block lost and stolen devices',
            tag: 'lost-stolen',
            settleMs: 1_000,
            feeds: {
              clientStatus: { pollEveryMs: 1_000 },
              alerts: { pollEveryMs: 1_000 },
              events: { pollEveryMs: 5_000 },
            },
          },
          entra: {
            plugin: 'entra',
            directoryTenant: '11111111-1111-4111-8111-111111111111',
            clientId: '22222222-2222-4222-8222-222222222222',
            clientSecret: secret('entra', 'sim-entra-secret'),
            graphUrl: simulator.url,
            loginUrl: simulator.url,
          },
          servicenow: {
            plugin: 'servicenow',
            url: simulator.url,
            user: 'sim-servicenow',
            password: secret('servicenow', 'sim-servicenow-password'),
            webhookSecrets: [secret('webhook', webhookSecret)],
          },
          generic: { plugin: 'webhook', secrets: [secret('webhook', webhookSecret)] },
          mail: {
            plugin: 'smtp',
            host: '127.0.0.1',
            port: mail.port,
            from: 'playbook@example.test',
            to: ['soc@example.test'],
          },
          archive: { plugin: 'folder', path: join(folder, 'archive') },
        },
        rules: demoRules,
        guard: { containmentsPerHour: 5, protectedUsers: ['breakglass@example.test'] },
        reconciliation: { every: '30s' },
        watch: { indexEvery: '1s' },
      },
    },
  };
  writeFileSync(settingsFile, stringify(settings), { mode: 0o600 });
  const loaded = await loadSettings(settingsFile);
  const house = await startHouse(loaded, { log: options.log });
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
      await simulator.close();
    },
  };
}

/** The vendors must not share a process with the house: they are far away, and they fail on their own. */
async function startSimulatorProcess(): Promise<{ url: string; close(): Promise<void> }> {
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', join(__dirname, '..', 'simulator', 'main.ts'), '--port', '0', '--seed', '1'],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const lines = createInterface({ input: child.stdout });
  const url = await new Promise<string>((resolve, reject) => {
    lines.once('line', (line) => resolve((JSON.parse(line) as { simulator: string }).simulator));
    child.once('exit', (code) =>
      reject(new Error(`The simulator ended with ${code ?? 'a signal'} before it was ready`)),
    );
  });
  return {
    url,
    async close() {
      child.stdin.end();
      await ended;
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
