/**
 * TLS before Temporal's development server, which has none: as a cluster or Temporal Cloud has it, with client certificates
 * and an API key asked for.
 * @module
 */
import { connect, createSecureServer, type IncomingHttpHeaders } from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Certificate } from './certificates';

export interface TlsProxy {
  address: string;
  /** Names in the certificates of those whose calls went through. */
  callers: Set<string>;
  close(): Promise<void>;
}

/**
 * @param target `host:port` in clear.
 * @param clientAuthority In PEM: only certificates that it signed come in.
 * @param apiKey Calls without it are refused, as Temporal Cloud does.
 */
export async function startTlsProxy(
  target: string,
  { certificate, key }: Certificate,
  clientAuthority: string,
  apiKey: string,
): Promise<TlsProxy> {
  const callers = new Set<string>();
  const upstream = connect(`http://${target}`);
  upstream.on('error', () => undefined);
  const server = createSecureServer({
    cert: certificate,
    key,
    ca: clientAuthority,
    requestCert: true,
    rejectUnauthorized: true,
  });
  const sockets = new Set<TLSSocket>();
  server.on('secureConnection', (socket: TLSSocket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('sessionError', () => undefined);
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined);
    if (headers.authorization !== `Bearer ${apiKey}`) {
      stream.respond(
        {
          ':status': 200,
          'content-type': 'application/grpc',
          'grpc-status': '16',
          'grpc-message': 'Request unauthorized.',
        },
        { endStream: true },
      );
      return;
    }
    callers.add((stream.session?.socket as TLSSocket).getPeerCertificate().subject.CN as string);
    const call = upstream.request({ ...headers, ':authority': target, ':scheme': 'http' });
    let trailers: IncomingHttpHeaders = {};
    stream.on('close', () => call.close());
    call.on('error', () => stream.close());
    call.on('response', ({ ':status': status, ...rest }, flags) => {
      // Without a body, gRPC's status stands in the headers.
      const endStream = (flags & 1) === 1;
      stream.respond({ ':status': status, ...rest }, { endStream, waitForTrailers: !endStream });
    });
    call.on('trailers', (given: IncomingHttpHeaders) => void (trailers = given));
    stream.on('wantTrailers', () => stream.sendTrailers(trailers));
    stream.pipe(call);
    call.pipe(stream);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    callers,
    async close() {
      upstream.destroy();
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
