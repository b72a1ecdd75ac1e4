/**
 * A settings file for the simulated vendors, as a user would write it for real ones: for the demo, the benchmarks and the
 * tests. Secrets lie in files of their own, so that the command line works on the same settings later.
 * @module
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';

export interface SimulatorSettings {
  /** Everything is written below this folder. */
  folder: string;
  simulator: string;
  tenant: string;
  /** Which vendors stand beside Netskope, the generic webhook and the archive. */
  with: {
    entra?: boolean | { lostGroup?: true; signIns?: true };
    servicenow?: boolean;
    mailPort?: number;
    pagerDuty?: boolean;
    crowdstrike?: boolean;
    /** A secret store: an encrypted folder. */
    secrets?: boolean;
    intune?: boolean;
    tag?: boolean;
    /** A v1 token of Netskope: the steering configuration can be read. */
    netskopeV1?: boolean;
  };
  /** How often feeds are asked (milliseconds). */
  pollEveryMs?: number;
  rules?: unknown;
  guard?: { containmentsPerHour?: number; protectedUsers?: string[] };
  reconcileEvery?: string;
  indexEvery?: string;
  /** Written as they are given. */
  people?: unknown;
  rotas?: unknown;
  sites?: unknown;
  pattern?: unknown;
  /** Limits of the wipe. Without them everything is a dry run. */
  wipe?: unknown;
  onCall?: string[];
  /** A server that somebody else runs. */
  temporal?: string;
}

/** All of them but mail, which the simulator does not have. */
export const everyVendor: SimulatorSettings['with'] = {
  entra: { lostGroup: true, signIns: true },
  servicenow: true,
  pagerDuty: true,
  crowdstrike: true,
  secrets: true,
  intune: true,
  tag: true,
  netskopeV1: true,
};

/** Writes the file; answers where it lies and the secret by which webhooks are signed. */
export function writeSimulatorSettings(options: SimulatorSettings): { file: string; webhookSecret: string } {
  const { folder, simulator: url, people, rotas, onCall, sites, pattern, wipe } = options;
  mkdirSync(folder, { recursive: true });
  const secret = (name: string, value: string) => {
    const file = join(folder, `${name}.secret`);
    writeFileSync(file, value, { mode: 0o600 });
    return `file:${file}`;
  };
  const webhookSecret = `whsec_${randomBytes(24).toString('base64')}`;
  const webhookSecrets = [secret('webhook', webhookSecret)];
  const every = options.pollEveryMs === undefined ? {} : { pollEveryMs: options.pollEveryMs };
  const { entra, servicenow, mailPort, pagerDuty, crowdstrike, secrets, intune, tag, netskopeV1 } = options.with;
  const plugins = {
    netskope: {
      plugin: 'netskope',
      url,
      token: secret('netskope', 'sim-netskope-v2-token'),
      lostGroup: 'Lost-Stolen Devices',
      lostSteeringConfig: 'Lost-Stolen Steering',
      lostPolicy: 'Block lost and stolen devices',
      ...(tag && { tag: 'lost-stolen' }),
      ...(netskopeV1 && { v1Token: secret('netskope-v1', 'sim-netskope-v1-token') }),
      settleMs: 1_000,
      feeds: { clientStatus: every, alerts: every, events: every },
    },
    generic: { plugin: 'webhook', secrets: webhookSecrets },
    archive: { plugin: 'folder', path: join(folder, 'archive') },
    ...(entra && {
      entra: {
        plugin: 'entra',
        directoryTenant: '11111111-1111-4111-8111-111111111111',
        clientId: '22222222-2222-4222-8222-222222222222',
        clientSecret: secret('entra', 'sim-entra-secret'),
        graphUrl: url,
        loginUrl: url,
        ...(typeof entra === 'object' &&
          entra.lostGroup && {
            lostGroupId: '33333333-3333-4333-8333-333333333333',
            provisioning: { servicePrincipalId: '44444444-4444-4444-8444-444444444444' },
          }),
        ...(typeof entra === 'object' && entra.signIns && { feeds: { signIns: every } }),
      },
    }),
    ...(servicenow && {
      servicenow: {
        plugin: 'servicenow',
        url,
        user: 'sim-servicenow',
        password: secret('servicenow', 'sim-servicenow-password'),
        webhookSecrets,
      },
    }),
    ...(pagerDuty && {
      pager: {
        plugin: 'pagerduty',
        url,
        routingKey: secret('pagerduty', 'sim-pagerduty-key'.padEnd(32, '0')),
        webhookSecrets: [secret('pagerduty-webhook', 'sim-pagerduty-webhook-secret')],
        apiToken: secret('pagerduty-api', 'sim-pagerduty-api-token'),
        apiUrl: url,
      },
    }),
    ...(intune && {
      intune: {
        plugin: 'intune',
        directoryTenant: '11111111-1111-4111-8111-111111111111',
        clientId: '22222222-2222-4222-8222-222222222222',
        clientSecret: secret('intune', 'sim-entra-secret'),
        graphUrl: url,
        loginUrl: url,
        feeds: { lastSeen: every },
        settleMs: 1_000,
      },
    }),
    ...(crowdstrike && {
      crowdstrike: {
        plugin: 'crowdstrike',
        region: 'eu-1',
        url,
        clientId: 'sim-crowdstrike-client',
        clientSecret: secret('crowdstrike', 'sim-crowdstrike-secret'),
        feeds: { lastSeen: every },
      },
    }),
    ...(secrets && {
      secrets: {
        plugin: 'encrypted-folder',
        path: join(folder, 'secrets'),
        keys: [secret('secrets', randomBytes(32).toString('base64'))],
      },
    }),
    ...(mailPort !== undefined && {
      mail: {
        plugin: 'smtp',
        host: '127.0.0.1',
        port: mailPort,
        from: 'playbook@example.test',
        to: ['soc@example.test'],
      },
    }),
  };
  const settings = {
    data: join(folder, 'data'),
    temporal: options.temporal === undefined ? { port: 0, uiPort: 0 } : { address: options.temporal },
    http: { webhooks: { host: '127.0.0.1', port: 0 }, api: { host: '127.0.0.1', port: 0 } },
    tenants: {
      [options.tenant]: {
        plugins,
        ...(options.rules !== undefined && { rules: options.rules }),
        ...(options.guard && { guard: options.guard }),
        ...(options.reconcileEvery && { reconciliation: { every: options.reconcileEvery } }),
        ...(options.indexEvery && { watch: { indexEvery: options.indexEvery } }),
        people,
        rotas,
        sites,
        pattern,
        wipe,
        onCall,
      },
    },
  };
  const file = join(folder, 'lost-device.yaml');
  writeFileSync(file, stringify(settings), { mode: 0o600 });
  return { file, webhookSecret };
}
