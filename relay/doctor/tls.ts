import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { type Check, fail, ok, warn } from './types.ts';

const DAY_MS = 86_400_000;
/** Let's Encrypt's tools renew 30 days before the end: at 14, something does not work. */
const SOON_DAYS = 14;
const RENEW = 'Renew it; a running relay reads the new one by itself.';

export const tls: Check = {
  name: 'Certificate',
  run: async ({ config }) => {
    const { cert, key, auto } = config.tls;
    if (auto)
      return [ok('It is asked for after the start (tls.auto); the relay must be reachable from outside.')];
    if (cert === null || key === null) return [ok('None: the relay speaks plain HTTP.')];
    const [certificatePem, keyPem] = await Promise.all([read(cert), read(key)]);
    if (certificatePem === null)
      return [fail(`${cert} cannot be read.`, 'Check tls.cert and who owns the file.')];
    if (keyPem === null) return [fail(`${key} cannot be read.`, 'Check tls.key and who owns the file.')];
    const certificate = parse(() => new X509Certificate(certificatePem));
    if (!certificate)
      return [fail(`${cert} holds no certificate in PEM.`, 'Set tls.cert to the full chain.')];
    const privateKey = parse(() => createPrivateKey(keyPem));
    if (!privateKey)
      return [
        fail(`${key} holds no private key in PEM without a password.`, 'Set tls.key to the private key.'),
      ];
    if (!certificate.checkPrivateKey(privateKey))
      return [
        fail('Key and certificate do not belong together.', 'Set tls.cert and tls.key to the same pair.'),
      ];
    return [validity(certificate), name(certificate, config.url), ...chain(certificate, certificatePem)];
  },
};

function validity(certificate: X509Certificate) {
  const [from, to] = [Date.parse(certificate.validFrom), Date.parse(certificate.validTo)];
  const days = Math.floor((to - Date.now()) / DAY_MS);
  if (Date.now() < from)
    return fail(`It is valid from ${certificate.validFrom} on.`, 'Check the clock of this machine.');
  if (Date.now() > to) return fail(`It expired on ${certificate.validTo}.`, RENEW);
  if (days < SOON_DAYS) return warn(`It expires in ${days} days.`, RENEW);
  return ok(`It is valid for ${days} more days.`);
}

function name(certificate: X509Certificate, url: string | null) {
  const names = certificate.subjectAltName ?? certificate.subject;
  if (url === null)
    return warn(
      `It is for ${names}, and \`url\` is not set.`,
      'Set `url` to the https address that people open.',
    );
  const host = new URL(url).hostname.replace(/^\[|\]$/g, '');
  const covered = isIP(host) ? certificate.checkIP(host) : certificate.checkHost(host);
  if (covered) return ok(`It covers ${host}.`);
  return fail(`It is for ${names}, not for ${host}.`, 'Get one for the host of `url`, or correct `url`.');
}

function chain(certificate: X509Certificate, pem: string) {
  const selfSigned = certificate.issuer === certificate.subject;
  if (selfSigned)
    return [
      warn('It is self-signed: browsers refuse it.', 'Get one from an authority such as Let’s Encrypt.'),
    ];
  if ((pem.match(/-----BEGIN CERTIFICATE-----/g) ?? []).length > 1) return [];
  return [warn('It comes without its chain, which many clients refuse.', 'Set tls.cert to the full chain.')];
}

async function read(path: string): Promise<string | null> {
  // Why it cannot be read is the owner's or the path's fault, and both are named in what to do.
  return readFile(path, 'utf8').catch(() => null);
}

function parse<T>(make: () => T): T | null {
  try {
    return make();
  } catch {
    // OpenSSL's reasons are codes that help nobody.
    return null;
  }
}
