/**
 * The one way to Temporal, for every entry: the address, TLS and key of the settings, or our own server. What is wrong is
 * said in one sentence with its remedy; no key and no certificate is ever in it.
 * @module
 */
import { isIP } from 'node:net';
import { connect } from 'node:tls';
import type { Settings, TemporalAccess } from '../playbook/settings';
import { BadInput, VendorUnavailable } from '../plugins/errors';

type ConnectOptions = TemporalAccess & { address: string };

/** `Connection` of Temporal's client, or `NativeConnection` of its worker: both take these options. */
export interface KindOfConnection<C> {
  connect(options: ConnectOptions & { connectTimeout: number }): Promise<C>;
}

const connectWithinMs = 5_000;
/** Time for a look at why it failed (milliseconds). */
const lookWithinMs = 3_000;

/**
 * Connect as the settings say.
 * @param own Where our own server is, used when the settings name no other. Default: the port of the settings, on loopback.
 * @throws VendorUnavailable LDP_UNREACHABLE when nothing answers there.
 * @throws BadInput LDP_BAD_INPUT when certificates, key or TLS do not fit.
 */
export async function connectTemporal<C>(
  kind: KindOfConnection<C>,
  { temporal }: Pick<Settings, 'temporal'>,
  own = `127.0.0.1:${temporal.port}`,
): Promise<C> {
  const { address = own, access } = temporal;
  const options: ConnectOptions = { ...access, address };
  try {
    return await kind.connect({ ...options, connectTimeout: connectWithinMs });
  } catch (error) {
    const mistake = await whatDoesNotFit(options, error as Error);
    if (mistake !== undefined) throw new BadInput('LDP_BAD_INPUT', `Temporal at ${address} ${mistake}.`);
    const remedy =
      temporal.address === undefined
        ? 'start `lost-device up`'
        : `start it, or correct temporal.address${options.tls ? '' : '; where it wants TLS, name a profile in temporal.profile'}`;
    throw new VendorUnavailable('LDP_UNREACHABLE', `Temporal does not answer at ${address}: ${remedy}, and try again.`);
  }
}

/** Undefined: nothing answers there. */
async function whatDoesNotFit({ address, tls }: ConnectOptions, error: Error): Promise<string | undefined> {
  if (isDenied(error))
    return (
      'does not let us in: see that the API key (TEMPORAL_API_KEY, or api_key in the profile) and the client certificate ' +
      'still hold, and are for this namespace'
    );
  if (!tls) return undefined;
  // The worker's connection says why TLS failed, and is stricter than Node.
  const [, refusedByWorker] = /InvalidCertificate\((\w+)/.exec(error.message) ?? [];
  if (refusedByWorker !== undefined) return untrusted(refusedByWorker);
  const { serverNameOverride, serverRootCACertificate: ca, clientCertPair } = tls === true ? {} : tls;
  // The client's does not say why: look again, by Node.
  const { host, port } = partsOf(address);
  const servername = serverNameOverride ?? (isIP(host) ? undefined : host);
  const look = await lookAtTls(host, port, {
    ...(servername !== undefined && { servername }),
    ...(ca && { ca: Buffer.from(ca) }),
    ...(clientCertPair && { cert: Buffer.from(clientCertPair.crt), key: Buffer.from(clientCertPair.key) }),
  });
  switch (look) {
    case 'no TLS':
      return 'does not speak TLS: correct temporal.address, or set TEMPORAL_TLS=false and give no API key';
    case 'client refused':
      return clientCertPair
        ? 'refuses our client certificate: name one that it trusts (client_cert_path and client_key_path in the profile)'
        : 'wants a client certificate: name it (client_cert_path and client_key_path in the profile)';
    case 'well':
    case 'away':
      return undefined;
    default:
      return untrusted(look.untrusted);
  }
}

const untrusted = (reason: string) =>
  `shows a certificate that we do not trust (${reason}): name the CA that signed it (server_ca_cert_path in the profile), or ` +
  'the name that it is for (server_name)';

/** gRPC's codes 7 and 16. The worker's connection has them as words of its message. */
function isDenied({ message, cause }: Error): boolean {
  const { code } = (cause ?? {}) as { code?: unknown };
  return code === 7 || code === 16 || /does not have (permission to|valid authentication)/.test(message);
}

type Look = 'well' | 'away' | 'no TLS' | 'client refused' | { untrusted: string };

function lookAtTls(host: string, port: number, options: object): Promise<Look> {
  return new Promise((resolve) => {
    const socket = connect({ ...options, host, port, ALPNProtocols: ['h2'], timeout: lookWithinMs });
    let isSecure = false;
    const tell = (look: Look) => {
      socket.destroy();
      resolve(look);
    };
    socket.once('secureConnect', () => (isSecure = true));
    // The server begins HTTP/2 by itself; where it does not want our certificate, it hangs up instead.
    socket.once('data', () => tell('well'));
    socket.once('timeout', () => tell('away'));
    socket.once('close', () => tell(isSecure ? 'client refused' : 'away'));
    socket.on('error', ({ code = 'unknown', syscall }: NodeJS.ErrnoException) => {
      if (isSecure || code.includes('ALERT')) tell('client refused');
      else if (code.startsWith('ERR_SSL')) tell('no TLS');
      else tell(syscall !== undefined || code.startsWith('ECONN') ? 'away' : { untrusted: code });
    });
  });
}

/** `host:port`, `host` or `[IPv6]:port`, as the SDK takes it. */
function partsOf(address: string): { host: string; port: number } {
  const [, host = address, port = '7233'] = /^\[?([^\]]*?)\]?(?::(\d+))?$/.exec(address) ?? [];
  return { host, port: Number(port) };
}
