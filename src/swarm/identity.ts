import { readFile } from 'node:fs/promises';
import { generateKeyPair, privateKeyFromProtobuf, privateKeyToProtobuf } from '@libp2p/crypto/keys';
import type { PrivateKey } from '@libp2p/interface';
import { writeDurably } from './durable-file.ts';
import { TransportError } from './types.ts';

/** An Ed25519 key takes 68. */
const MAX_KEY_BYTES = 256;

/**
 * The identity kept in a file that only its owner can read; made when there is none. With it the peer id survives a
 * restart, and tabs that know the relay find it again.
 * @throws TransportError `bad-identity` when the file holds something else
 */
export async function identityFrom(file: string): Promise<PrivateKey> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return newIdentity(file);
    throw new TransportError('bad-identity', `The key file ${file} cannot be read.`, { cause: error });
  }
  try {
    if (bytes.length > MAX_KEY_BYTES) throw new RangeError(`It has ${bytes.length} bytes.`);
    return privateKeyFromProtobuf(new Uint8Array(bytes));
  } catch (error) {
    const message = `${file} holds no key. Move it away, and the relay gets a new identity.`;
    throw new TransportError('bad-identity', message, { cause: error });
  }
}

async function newIdentity(file: string): Promise<PrivateKey> {
  const key = await generateKeyPair('Ed25519');
  // Half a key would lock the relay out.
  await writeDurably(file, privateKeyToProtobuf(key));
  return key;
}
