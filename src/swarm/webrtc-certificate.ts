import {
  createHash,
  createPrivateKey,
  generateKeyPairSync,
  randomBytes,
  sign,
  X509Certificate,
} from 'node:crypto';
import { readFile, rename } from 'node:fs/promises';
import { base64url } from 'multiformats/bases/base64';
import * as Digest from 'multiformats/hashes/digest';
import { bitString, element, generalizedTime, integer, objectId, sequence, set, utf8 } from './der.ts';
import { writeDurably } from './durable-file.ts';

/** As @libp2p/webrtc takes it. */
export interface WebRtcCertificate {
  /** PKCS#8, PEM. */
  privateKey: string;
  /** X.509, PEM. */
  pem: string;
  /** Multibase base64url of the sha2-256 multihash of the DER: the `/certhash/…` of a multiaddr. */
  certhash: string;
}

/** A P-256 key and its certificate take 800. */
const MAX_FILE_BYTES = 16 * 1024;
const SHA2_256 = 0x12;
const ECDSA_WITH_SHA256 = sequence(objectId('1.2.840.10045.4.3.2'));
const COMMON_NAME = '2.5.4.3';
/** RFC 5280, 4.1.2.5: "no well-defined expiration date". */
const NEVER = '99991231235959Z';

/**
 * The certificate of webrtc-direct, kept in a file that only its owner can read; made when there is none. Its hash is
 * part of the relay's address, so it stays the same for good: @libp2p/webrtc by itself makes a new one every 13 days
 * (and one every millisecond when told to keep it for longer than 24.8 days, as its timer overflows), with which every
 * address that was written down is dead. Nobody looks at its dates: a peer checks the hash, and then, with Noise, the
 * peer id. A file that holds something else is moved aside, because a relay that does not start is worse.
 */
export async function webRtcCertificateFrom(
  file: string,
  warn: (message: string) => void,
): Promise<WebRtcCertificate> {
  try {
    const bytes = await readFile(file);
    if (bytes.length > MAX_FILE_BYTES) throw new RangeError(`It has ${bytes.length} bytes.`);
    return readCertificate(bytes.toString('utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
      const aside = `${file}.${new Date().toISOString().replaceAll(':', '-')}`;
      await rename(file, aside);
      warn(
        `${file} holds no usable certificate. It is kept as ${aside}, and a new one is made: webrtc-direct addresses of this relay that were written down do not work any more.`,
      );
    }
  }
  const made = newWebRtcCertificate();
  await writeDurably(file, `${made.privateKey}${made.pem}`);
  return made;
}

/** A self-signed certificate over a new P-256 key: the one curve that every WebRTC library takes. */
export function newWebRtcCertificate(): WebRtcCertificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const name = sequence(set(sequence(objectId(COMMON_NAME), utf8('shoal'))));
  const serial = randomBytes(16);
  // Without leading zeros, as DER wants it.
  serial[0] = 0x40 | (serial[0]! & 0x3f);
  const body = sequence(
    // Version 3.
    element(0xa0, integer(Uint8Array.of(2))),
    integer(serial),
    ECDSA_WITH_SHA256,
    name,
    sequence(generalizedTime('20200101000000Z'), generalizedTime(NEVER)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
  );
  const signature = sign('sha256', body, { key: privateKey, dsaEncoding: 'der' });
  const der = sequence(body, ECDSA_WITH_SHA256, bitString(signature));
  return readCertificate(
    `${privateKey.export({ type: 'pkcs8', format: 'pem' })}${new X509Certificate(der).toString()}`,
  );
}

/** @throws when it is not a P-256 key with its own certificate */
function readCertificate(text: string): WebRtcCertificate {
  const key = createPrivateKey(section(text, 'PRIVATE KEY'));
  const certificate = new X509Certificate(section(text, 'CERTIFICATE'));
  if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') throw new TypeError('The key is not of P-256.');
  if (!certificate.checkPrivateKey(key)) throw new TypeError('The certificate is not of this key.');
  const digest = createHash('sha256').update(certificate.raw).digest();
  return {
    privateKey: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
    pem: certificate.toString(),
    certhash: base64url.encode(Digest.create(SHA2_256, digest).bytes),
  };
}

function section(text: string, name: string): string {
  const found = new RegExp(`-----BEGIN ${name}-----[^-]+-----END ${name}-----\\n?`).exec(text);
  if (!found) throw new TypeError(`There is no ${name.toLowerCase()} in it.`);
  return found[0];
}
