import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { RelayError } from '../errors.ts';

/** A key and its certificate with what certifies it, both PEM. */
export interface KeyPair {
  key: string;
  cert: string;
}

/** A pair that was checked. */
export interface Certificate extends KeyPair {
  /** Names and addresses that it is for, as `localhost` or `127.0.0.1`. */
  names: readonly string[];
  /** Until when it is valid. */
  until: Date;
}

/**
 * Checks what an operator, or a certificate authority, gave.
 * @param now milliseconds since 1970
 * @throws RelayError `bad-certificate` that names what is wrong
 */
export function checkCertificate({ key, cert }: KeyPair, now = Date.now()): Certificate {
  const certificate = readCertificate(cert);
  const privateKey = readKey(key);
  if (!certificate.checkPrivateKey(privateKey))
    throw bad('The key does not belong to the certificate. Give the two of the same request.');
  const until = new Date(certificate.validTo);
  if (until.getTime() <= now)
    throw bad(`The certificate expired on ${day(until)}. Renew it, then it is read again by itself.`);
  const from = new Date(certificate.validFrom);
  if (from.getTime() > now)
    throw bad(`The certificate is valid from ${day(from)} only. Is the clock of this machine right?`);
  try {
    // What TLS itself refuses: a key too short, a chain that is no PEM.
    createSecureContext({ key, cert, minVersion: 'TLSv1.2' });
  } catch (cause) {
    throw bad(`TLS does not take this certificate: ${(cause as Error).message}.`, cause);
  }
  return { key, cert, names: namesOf(certificate), until };
}

function readCertificate(pem: string): X509Certificate {
  if (!pem.includes('-----BEGIN CERTIFICATE-----'))
    throw bad('The certificate is no PEM: a line "-----BEGIN CERTIFICATE-----" is missing.');
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw bad('The certificate is damaged: its PEM cannot be read.', cause);
  }
}

function readKey(pem: string): KeyObject {
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(pem))
    throw bad('The key is no PEM: a line "-----BEGIN PRIVATE KEY-----" is missing.');
  if (/ENCRYPTED/.test(pem)) throw bad('The key has a passphrase. Take it off: openssl pkey -in … -out …');
  try {
    return createPrivateKey(pem);
  } catch (cause) {
    throw bad('The key is damaged: its PEM cannot be read.', cause);
  }
}

function namesOf(certificate: X509Certificate): string[] {
  const entries = certificate.subjectAltName?.split(', ') ?? [];
  return entries.map((entry) => entry.replace(/^(DNS|IP Address):/, ''));
}

function day(date: Date): string {
  return date.toISOString().slice(0, 10);
}

function bad(message: string, cause?: unknown): RelayError {
  return new RelayError('bad-certificate', message, { cause });
}
