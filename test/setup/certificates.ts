/**
 * Certificates for a test: an authority, and what it signs. Made by Node alone, so that no test needs openssl.
 * @module
 */
import { generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';

export interface Certificate {
  /** In PEM. */
  certificate: string;
  key: string;
}

export interface Authority extends Certificate {
  /** A certificate for this name, and for `host` in DNS. */
  issue(name: string, host?: string): Certificate;
}

const dayMs = 24 * 60 * 60_000;
const oid = (hex: string) => Buffer.from(hex, 'hex');
const ecdsaWithSha256 = sequence(oid('06082a8648ce3d040302'));
const commonName = oid('0603550403');
const basicConstraints = oid('0603551d13');
const subjectAltName = oid('0603551d11');
const isTrue = tagged(0x01, Buffer.from([0xff]));

export function createAuthority(name: string): Authority {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const constraints = sequence(basicConstraints, isTrue, tagged(0x04, sequence(isTrue)));
  const signed = (subject: string, key: KeyObject, extensions: Buffer[]) =>
    pem(signedBy(privateKey, name, subject, key.export({ type: 'spki', format: 'der' }), extensions));
  return {
    certificate: signed(name, publicKey, [constraints]),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    issue(subject, host = subject) {
      const own = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const names = sequence(subjectAltName, tagged(0x04, sequence(tagged(0x82, Buffer.from(host)))));
      return {
        certificate: signed(subject, own.publicKey, [names]),
        key: own.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      };
    },
  };
}

/** X.509 version 3, in DER (RFC 5280). */
function signedBy(issuerKey: KeyObject, issuer: string, subject: string, spki: Buffer, extensions: Buffer[]): Buffer {
  const toSign = sequence(
    tagged(0xa0, tagged(0x02, Buffer.from([2]))),
    tagged(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    ecdsaWithSha256,
    nameOf(issuer),
    sequence(timeOf(Date.now() - dayMs), timeOf(Date.now() + 30 * dayMs)),
    nameOf(subject),
    spki,
    tagged(0xa3, sequence(...extensions)),
  );
  const signature = sign('sha256', toSign, issuerKey);
  return sequence(toSign, ecdsaWithSha256, tagged(0x03, Buffer.concat([Buffer.from([0]), signature])));
}

const nameOf = (name: string) => sequence(tagged(0x31, sequence(commonName, tagged(0x0c, Buffer.from(name)))));

/** UTCTime: two digits of the year. */
const timeOf = (ms: number) =>
  tagged(0x17, Buffer.from(`${new Date(ms).toISOString().slice(2, 19).replace(/[-T:]/g, '')}Z`));

function sequence(...parts: Buffer[]): Buffer {
  return tagged(0x30, ...parts);
}

function tagged(tag: number, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  // The shortest form, or it is no DER.
  const { length } = body;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), body]);
}

const pem = (der: Buffer) =>
  `-----BEGIN CERTIFICATE-----\n${der.toString('base64').replace(/(.{64})(?!$)/g, '$1\n')}\n-----END CERTIFICATE-----\n`;
