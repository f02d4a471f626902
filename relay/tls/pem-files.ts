import { type FSWatcher, watch } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { explain, RelayError } from '../errors.ts';
import type { Log } from '../watch/types.ts';
import { type Certificate, checkCertificate, type KeyPair } from './certificate.ts';
import { described } from './pushed-certificate.ts';
import { CurrentCertificate, type TlsSource } from './source.ts';

export interface PemFilesOptions {
  /** Paths. */
  cert: string;
  key: string;
  log: Log;
  /** How often the files are looked at where the system does not tell of changes: network disks, symlinked folders. */
  pollMs?: number;
}

/** Chains have a few kilobytes. Bytes. */
const MOST_BYTES = 1024 * 1024;
/** The certificate and the key are written one after the other. Milliseconds. */
const SETTLE_MS = 300;

/** A pair of PEM files, read again when they change. A new pair that is broken is logged, and the old one stays. */
export class PemFiles implements TlsSource {
  readonly plainHttp = 'redirect';
  readonly #options: PemFilesOptions;
  readonly #certificate = new CurrentCertificate();
  readonly #watchers: FSWatcher[] = [];
  readonly #timer: NodeJS.Timeout;
  #settling: NodeJS.Timeout | undefined;
  /** What was looked at last, good or not: a broken pair is told once. */
  #seen = '';
  #checking: Promise<void> = Promise.resolve();
  #closed = false;

  /** @throws RelayError `bad-certificate` when there is no usable pair at the start */
  static async open(options: PemFilesOptions): Promise<PemFiles> {
    const files = new PemFiles(options);
    try {
      await files.#take();
    } catch (error) {
      files.close();
      throw error;
    }
    return files;
  }

  private constructor(options: PemFilesOptions) {
    this.#options = options;
    // The folders, not the files: a file that is replaced by renaming is watched no more.
    for (const folder of new Set([dirname(options.cert), dirname(options.key)])) {
      try {
        const watcher = watch(folder, { persistent: false }, () => this.#soon());
        // Looking now and then remains.
        watcher.on('error', () => watcher.close());
        this.#watchers.push(watcher);
      } catch {
        // No folder, or too many watches in this system: looking now and then remains.
      }
    }
    this.#timer = setInterval(() => void this.check(), options.pollMs ?? 30_000);
    this.#timer.unref();
  }

  current(): Certificate | null {
    return this.#certificate.get();
  }

  onChange(listener: (certificate: Certificate) => void): () => void {
    return this.#certificate.onChange(listener);
  }

  /** Reads the files now. Never rejects. */
  check(): Promise<void> {
    // One after the other, so that an older reading never replaces a newer one.
    this.#checking = this.#checking.then(async () => {
      if (this.#closed) return;
      try {
        await this.#take();
      } catch (error) {
        this.#options.log.error(`The new certificate is not used, the old one stays. ${explain(error)}`);
      }
    });
    return this.#checking;
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
    clearTimeout(this.#settling);
    for (const watcher of this.#watchers) watcher.close();
    this.#certificate.close();
  }

  #soon(): void {
    clearTimeout(this.#settling);
    if (!this.#closed) this.#settling = setTimeout(() => void this.check(), SETTLE_MS);
  }

  async #take(): Promise<void> {
    const read = await this.#read();
    const seen = read instanceof RelayError ? read.message : `${read.cert}\0${read.key}`;
    if (seen === this.#seen) return;
    this.#seen = seen;
    if (read instanceof RelayError) throw read;
    const certificate = checkCertificate(read);
    if (this.#closed) return;
    const isFirst = this.#certificate.get() === null;
    this.#certificate.set(certificate);
    this.#options.log.info(
      isFirst ? 'Serving over TLS.' : 'The new certificate is in use.',
      described(certificate),
    );
  }

  async #read(): Promise<KeyPair | RelayError> {
    try {
      return { cert: await readSmall(this.#options.cert), key: await readSmall(this.#options.key) };
    } catch (error) {
      return error instanceof RelayError
        ? error
        : new RelayError('bad-certificate', (error as Error).message, { cause: error });
    }
  }
}

async function readSmall(path: string): Promise<string> {
  const file = await open(path, 'r').catch((cause: NodeJS.ErrnoException) => {
    const why = cause.code === 'ENOENT' ? 'is not there' : `cannot be read (${cause.code})`;
    throw new RelayError('bad-certificate', `${path} ${why}. See tls.cert and tls.key.`, { cause });
  });
  try {
    const buffer = Buffer.alloc(MOST_BYTES);
    const { bytesRead } = await file.read(buffer, 0, MOST_BYTES, 0);
    if (bytesRead === MOST_BYTES)
      throw new RelayError('bad-certificate', `${path} is too large for a PEM file.`);
    return buffer.toString('latin1', 0, bytesRead);
  } finally {
    await file.close();
  }
}
