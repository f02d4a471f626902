import {
  type Backend,
  type Engine,
  EngineError,
  type EngineInfo,
  type ForwardInput,
  type ForwardOptions,
  type ForwardOutput,
  type LoadOptions,
  type LoadProgress,
} from '../types.ts';
import {
  type CallName,
  type Calls,
  type Port,
  type Request,
  type Response,
  unpackError,
} from './messages.ts';

/** A worker that can be ended, and says when it ended by itself. */
export interface WorkerPort extends Port {
  terminate(): void;
  onFailure(listener: (reason: string) => void): void;
}

interface Pending {
  resolve(value: never): void;
  reject(error: Error): void;
  onProgress?: ((progress: LoadProgress) => void) | undefined;
}

/** Loads a slice in a worker of its own. The engine that comes back owns the worker. */
export async function loadInWorker(worker: WorkerPort, options: LoadOptions): Promise<Engine> {
  const client = new EngineClient(worker);
  const { onProgress, signal, ...posted } = options;
  try {
    client.info = await client.call('load', [posted], signal, onProgress);
    return client;
  } catch (error) {
    worker.terminate();
    throw error;
  }
}

/** Runs a back end's self-test in a worker of its own, which ends with it. */
export async function proveInWorker(
  worker: WorkerPort,
  backend: Backend,
  device: string | undefined,
  signal?: AbortSignal,
): Promise<string | null> {
  const client = new EngineClient(worker);
  const stop = () => client.end(new EngineError('aborted', 'stopped'));
  signal?.addEventListener('abort', stop, { once: true });
  try {
    return await client.call('prove', [backend, device], signal);
  } finally {
    signal?.removeEventListener('abort', stop);
    worker.terminate();
  }
}

class EngineClient implements Engine {
  info!: EngineInfo;
  private readonly pending = new Map<number, Pending>();
  private nextId = 1;
  private ended: EngineError | null = null;

  constructor(private readonly worker: WorkerPort) {
    worker.onMessage((message) => this.receive(message as Response));
    worker.onFailure((reason) =>
      this.end(
        new EngineError('lost', `the worker that runs the model ended (${reason}); load the model again`),
      ),
    );
  }

  call<Name extends CallName>(
    call: Name,
    args: Calls[Name]['args'],
    signal?: AbortSignal,
    onProgress?: (progress: LoadProgress) => void,
  ): Promise<Calls[Name]['result']> {
    if (this.ended) return Promise.reject(this.ended);
    if (signal?.aborted) return Promise.reject(new EngineError('aborted', 'stopped'));
    const id = this.nextId++;
    const abort = () => this.worker.post({ abort: id } satisfies Request);
    signal?.addEventListener('abort', abort, { once: true });
    return new Promise<Calls[Name]['result']>((resolve, reject) => {
      this.pending.set(id, { resolve, reject, onProgress });
      this.worker.post({ id, call, args } satisfies Request);
    }).finally(() => signal?.removeEventListener('abort', abort));
  }

  open({ maxTokens }: { maxTokens?: number } = {}): Promise<number> {
    // Only what can be cloned: a caller's options may hold more.
    return this.call('open', [{ maxTokens }]);
  }

  forward(
    session: number,
    input: ForwardInput,
    { rows, signal }: ForwardOptions = {},
  ): Promise<ForwardOutput> {
    return this.call('forward', [session, plain(input), { rows }], signal);
  }

  decode(batch: readonly { session: number; input: ForwardInput }[]): Promise<ForwardOutput[]> {
    return this.call('decode', [batch.map(({ session, input }) => ({ session, input: plain(input) }))]);
  }

  truncate(session: number, length: number): Promise<void> {
    return this.call('truncate', [session, length]);
  }

  close(session: number): Promise<void> {
    return this.call('close', [session]);
  }

  async dispose(): Promise<void> {
    if (this.ended) return;
    await this.call('dispose', []);
    this.worker.terminate();
    this.end(new EngineError('disposed', 'this engine has been closed; load the model again'));
  }

  private receive(message: Response): void {
    const pending = this.pending.get(message.id);
    if (!pending) return;
    if ('progress' in message) {
      pending.onProgress?.(message.progress);
      return;
    }
    this.pending.delete(message.id);
    if ('error' in message) pending.reject(unpackError(message.error));
    else pending.resolve(message.result as never);
  }

  /** Nothing comes from the worker any more. */
  end(reason: EngineError): void {
    this.ended ??= reason;
    for (const { reject } of this.pending.values()) reject(this.ended);
    this.pending.clear();
  }
}

/** Token ids may come as any array-like; only plain ones survive posting. */
function plain(input: ForwardInput): ForwardInput {
  return 'tokens' in input ? { tokens: Array.from(input.tokens) } : input;
}
