import { loadSlice, proveNumbers } from '../load.ts';
import type { Platform } from '../platform.ts';
import type { SliceEngine } from '../slice-engine.ts';
import { EngineError, type ForwardOutput } from '../types.ts';
import { buffersOf, type Calls, type Port, packError, type Request, type Response } from './messages.ts';

/** Serves one engine over a port: the worker's side. */
export function serveEngine(port: Port, platform: Platform): void {
  let engine: SliceEngine | null = null;
  const running = new Map<number, AbortController>();
  const loaded = (): SliceEngine => {
    if (!engine) throw new EngineError('disposed', 'no model is loaded in this worker; load one first');
    return engine;
  };

  const handlers: {
    [Name in keyof Calls]: (
      id: number,
      signal: AbortSignal,
      ...args: Calls[Name]['args']
    ) => Promise<Calls[Name]['result']>;
  } = {
    async load(id, signal, options) {
      engine = await loadSlice(platform, {
        ...options,
        signal,
        onProgress: (progress) => port.post({ id, progress } satisfies Response),
      });
      return engine.info;
    },
    prove: (_id, _signal, backend, device) => proveNumbers(platform, backend, device),
    open: async (_id, _signal, options) => loaded().open(options),
    forward: async (_id, signal, session, input, options) =>
      loaded().forward(session, input, { ...options, signal }),
    decode: async (_id, _signal, batch) => loaded().decode(batch),
    truncate: async (_id, _signal, session, length) => {
      await loaded().truncate(session, length);
      return undefined;
    },
    close: async (_id, _signal, session) => {
      await loaded().close(session);
      return undefined;
    },
    dispose: async () => {
      await engine?.dispose();
      engine = null;
      return undefined;
    },
  };

  port.onMessage((message) => {
    const request = message as Request;
    if ('abort' in request) {
      running.get(request.abort)?.abort();
      return;
    }
    const { id, call, args } = request;
    const controller = new AbortController();
    running.set(id, controller);
    const handler = handlers[call] as (
      id: number,
      signal: AbortSignal,
      ...args: unknown[]
    ) => Promise<unknown>;
    handler(id, controller.signal, ...args)
      .then(
        (result) => {
          const outputs = call === 'forward' ? [result] : call === 'decode' ? (result as unknown[]) : [];
          port.post({ id, result } satisfies Response, buffersOf(outputs as ForwardOutput[]));
        },
        (error: unknown) => port.post({ id, error: packError(error) } satisfies Response),
      )
      .finally(() => running.delete(id));
  });
}
