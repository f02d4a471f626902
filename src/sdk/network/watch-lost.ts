import { type Engine, EngineError } from '../../engine/index.ts';

/** The same engine; `onLost` hears, once, when a call finds its GPU or its worker gone. */
export function watchLost(engine: Engine, onLost: (reason: string) => void): Engine {
  let told = false;
  const watched = async <T>(call: Promise<T>): Promise<T> => {
    try {
      return await call;
    } catch (error) {
      if (!told && error instanceof EngineError && error.code === 'lost') {
        told = true;
        onLost(error.message);
      }
      throw error;
    }
  };
  return {
    info: engine.info,
    open: (options) => watched(engine.open(options)),
    forward: (session, input, options) => watched(engine.forward(session, input, options)),
    decode: (batch) => watched(engine.decode(batch)),
    truncate: (session, length) => watched(engine.truncate(session, length)),
    close: (session) => watched(engine.close(session)),
    dispose: () => engine.dispose(),
  };
}
