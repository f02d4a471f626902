import type { Engine } from '../types.ts';

/** An engine of which some methods do something else. */
export function altered(engine: Engine, by: Partial<Engine>): Engine {
  return {
    info: engine.info,
    open: (options) => engine.open(options),
    truncate: (session, length) => engine.truncate(session, length),
    close: (session) => engine.close(session),
    dispose: () => engine.dispose(),
    decode: (batch) => engine.decode(batch),
    forward: (session, input, options) => engine.forward(session, input, options),
    ...by,
  };
}
