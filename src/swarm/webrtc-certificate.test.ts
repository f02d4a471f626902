import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { newWebRtcCertificate, webRtcCertificateFrom } from './webrtc-certificate.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shoal-'));
});
afterEach(() => rm(folder, { recursive: true }));

const never = (message: string) => {
  throw new Error(message);
};

it('is a certificate that others read, signed by its own key, without an end', () => {
  const { pem, certhash } = newWebRtcCertificate();
  const certificate = new X509Certificate(pem);
  expect(certificate.verify(certificate.publicKey)).toBe(true);
  expect(new Date(certificate.validTo).getUTCFullYear()).toBe(9999);
  expect(certificate.subject).toBe('CN=shoal');
  // u, then the multihash: sha2-256 (0x12), 32 bytes (0x20).
  expect(Buffer.from(certhash.slice(1), 'base64url').toString('hex')).toBe(
    `1220${certificate.fingerprint256.replaceAll(':', '').toLowerCase()}`,
  );
  expect(certhash[0]).toBe('u');
});

it('stays the same over restarts, in a file for its owner alone', async () => {
  const file = join(folder, 'deep', 'webrtc.pem');
  const first = await webRtcCertificateFrom(file, never);
  expect(await webRtcCertificateFrom(file, never)).toEqual(first);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(await readdir(join(folder, 'deep'))).toEqual(['webrtc.pem']);
});

it('that cannot be read is kept aside, and told of', async () => {
  const file = join(folder, 'webrtc.pem');
  const others = newWebRtcCertificate();
  const own = newWebRtcCertificate();
  const wrong = ['nonsense', 'x'.repeat(20_000), own.privateKey, `${own.privateKey}${others.pem}`];
  for (const [i, text] of wrong.entries()) {
    const warnings: string[] = [];
    await writeFile(file, text);
    const made = await webRtcCertificateFrom(file, (message) => warnings.push(message));
    expect(warnings).toHaveLength(1);
    expect(await webRtcCertificateFrom(file, never)).toEqual(made);
    const kept = (await readdir(folder)).filter((name) => name !== 'webrtc.pem');
    expect(kept).toHaveLength(i + 1);
    expect(await Promise.all(kept.map((name) => readFile(join(folder, name), 'utf8')))).toContain(text);
  }
});

it('is well-formed to OpenSSL too, where that is installed', ({ skip }) => {
  const { pem } = newWebRtcCertificate();
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' });
  } catch {
    skip('There is no openssl here.');
  }
  const text = execFileSync('openssl', ['x509', '-noout', '-text'], { input: pem }).toString();
  expect(text).toContain('ecdsa-with-SHA256');
  expect(text).toContain('prime256v1');
});
