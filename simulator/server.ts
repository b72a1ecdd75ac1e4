/**
 * One HTTP server in front of the simulated vendors, at their real paths, and of the control routes.
 * @module
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { Calls } from './calls';
import { createControl } from './control';
import { createCrowdStrike } from './crowdstrike/api';
import { createEntra } from './entra/graph';
import { type FaultEffect, Faults, LaggingReads } from './faults';
import { createIntune } from './intune/api';
import { createNetskope } from './netskope/gateway';
import { createPagerDuty } from './pagerduty/api';
import { createServiceNow } from './servicenow/table-api';
import type { Answer, VendorRequest } from './vendor';
import { World } from './world';

interface SimulatorOptions {
  /** 0 picks a free one. */
  port: number;
  seed?: number;
  /** People and laptops beside the ones always there. */
  devices?: number;
  /** Start of simulator time, ISO 8601; real time when absent. */
  now?: string;
  /** How wrong every vendor's clock is (milliseconds): the simulator's time, and the `Date` of answers. */
  clockAheadMs?: number;
}

/** A started world. */
export interface RunningSimulator {
  /** `http://127.0.0.1:PORT`: the base address of every vendor and of the control routes. */
  url: string;
  close(): Promise<void>;
}

/** Start the simulated world. It listens on loopback only. */
export async function startSimulator(options: SimulatorOptions): Promise<RunningSimulator> {
  const { clockAheadMs = 0 } = options;
  const nowMs = clockAheadMs + (options.now === undefined ? Date.now() : Date.parse(options.now));
  const world = new World({ seed: options.seed ?? 1, devices: options.devices ?? 0, nowMs });
  const calls = new Calls();
  let changes = 0;
  world.onLaptopEvent = (vendor, serial, changed) => {
    changes += 1;
    calls.add({ at: new Date().toISOString(), vendor, method: 'LAPTOP', path: serial, status: 0, changed });
  };
  const faults = new Faults();
  const lagging = new LaggingReads();
  const control = createControl(world, calls, faults);
  const vendors = [
    createNetskope(world),
    createServiceNow(world),
    createIntune(world),
    createEntra(world),
    createPagerDuty(world),
    createCrowdStrike(world),
  ];
  let origin = '';

  async function answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await bodyOf(incoming);
    const at = new Date().toISOString();
    const { method = 'GET', url = '/', headers } = incoming;
    const queryAt = url.indexOf('?');
    const path = queryAt < 0 ? url : url.slice(0, queryAt);
    world.clock.catchUp();
    if (path.startsWith('/control/')) return send(response, await control(method, path, body));
    const vendor = vendors.find((one) => one.answers(path));
    if (!vendor) return send(response, { status: 404, body: { error: 'No vendor has this path' } });

    const query = new URLSearchParams(queryAt < 0 ? '' : url.slice(queryAt + 1));
    const request: VendorRequest = { method, path, query, headers, body, origin };
    const record = (status: number, changed: string | null = null, fault?: number) => {
      if (changed !== null) changes += 1;
      calls.add({ at, vendor: vendor.name, method, path: url, status, changed, ...(fault !== undefined && { fault }) });
    };
    const carryOut = () => vendor.answer(request);

    const fault = faults.take(method, url);
    if (!fault) {
      const done = carryOut();
      record(done.status, done.changed);
      return send(response, done);
    }
    const { effect, id, when } = fault;
    if ('lagReads' in effect) {
      const done = carryOut();
      const shown = lagging.answer(`${method} ${url} ${body}`, done, changes, effect.lagReads);
      record(shown.status, done.changed, shown === done ? undefined : id);
      return send(response, shown);
    }
    if ('delayMs' in effect) {
      if (when === 'before') {
        await wait(effect.delayMs);
        world.clock.catchUp();
      }
      const done = carryOut();
      record(done.status, done.changed, id);
      if (when === 'after') await wait(effect.delayMs);
      return send(response, done);
    }
    const done = when === 'after' ? carryOut() : undefined;
    record(statusOf(effect, done), done?.changed, id);
    return sendFault(response, effect, done);
  }

  const server = createServer((incoming, response) => {
    // Otherwise real time, wherever the simulator's is.
    if (clockAheadMs !== 0) response.setHeader('date', new Date(Date.now() + clockAheadMs).toUTCString());
    answer(incoming, response).catch((error: unknown) => {
      // A caller that went away is no fault of ours; anything else must be seen.
      if (incoming.destroyed && !incoming.complete) return;
      process.stderr.write(`simulator: ${error instanceof Error ? error.stack : String(error)}\n`);
      if (!response.headersSent) send(response, { status: 500, body: { error: 'The simulator has a defect' } });
    });
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, '127.0.0.1', resolve);
  });
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: origin,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()));
        server.closeAllConnections();
      }),
  };
}

async function bodyOf(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function textOf(body: unknown): string {
  if (body === undefined) return '';
  return typeof body === 'string' ? body : JSON.stringify(body);
}

function send(response: ServerResponse, { status, headers, body }: Answer): void {
  const text = textOf(body);
  const type = text && { 'content-type': 'application/json' };
  const length = status === 204 ? {} : { 'content-length': String(Buffer.byteLength(text)) };
  response.writeHead(status, { ...type, ...length, ...headers }).end(text);
}

function statusOf(effect: FaultEffect, done: Answer | undefined): number {
  if ('status' in effect) return effect.status;
  // Half of nothing cannot be sent: a 204 becomes a 200.
  return 'truncate' in effect ? (done && done.status !== 204 ? done.status : 200) : 0;
}

function sendFault(response: ServerResponse, effect: FaultEffect, done: Answer | undefined): void {
  if ('status' in effect) {
    const { status, headers = {}, body } = effect;
    send(response, { status, headers, body });
  } else if ('reset' in effect) {
    response.socket?.resetAndDestroy();
  } else if ('truncate' in effect) {
    const text = textOf(done?.body) || '{"truncated":"this answer was longer"}';
    response.writeHead(statusOf(effect, done), {
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(text)),
    });
    response.write(text.slice(0, text.length / 2), () => response.socket?.destroy());
  }
  // A hang is just that: the connection stays open and nothing comes.
}
