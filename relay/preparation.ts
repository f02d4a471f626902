import { CATALOGUE } from '../src/model/index.ts';
import { explain } from './errors.ts';
import { type PrepareProgress, prepareModel } from './library.ts';
import { ProgressBar, type ProgressOutput } from './progress.ts';
import type { ServedModel, Shelf } from './shelf.ts';
import type { Log, Meters } from './watch/types.ts';

/** What /healthz tells about a model that is not served yet. Reasons stay in the log: they may name paths. */
export interface Preparing {
  model: string;
  stage: PrepareProgress['stage'] | 'waiting' | 'failed';
  done: number;
  total: number;
}

export interface PreparationOptions {
  log: Log;
  meters?: Meters;
  /** A terminal to draw bars on; without one, progress comes as lines of the log, one in five seconds at most. */
  terminal?: ProgressOutput;
  /** Told of each model when it is on the shelf, in the order in which they were wanted. */
  onServed?: (model: ServedModel) => void;
}

/** Brings models onto the shelf, one after the other, and keeps track. */
export class Preparation {
  readonly #states: Map<string, Preparing>;

  /** `wanted`: as `prepareModel` takes them. */
  constructor(
    wanted: readonly string[],
    private readonly options: PreparationOptions,
  ) {
    this.#states = new Map(
      wanted.map((model) => [model, { model: labelOf(model), stage: 'waiting', done: 0, total: 0 }]),
    );
  }

  /** Models that are not served yet. */
  health(): Preparing[] {
    return [...this.#states.values()];
  }

  /** Never rejects: what is wrong with a model is told, and the next one's turn comes. */
  async run(data: string, shelf: Shelf, signal: AbortSignal): Promise<void> {
    const { log, meters } = this.options;
    for (const [wanted, state] of this.#states) {
      try {
        const served = await this.#prepare(wanted, data, state, signal);
        shelf.add(served);
        this.#states.delete(wanted);
        log.info(`Serving ${served.name}, ${served.layers} layers.`, { model: served.cid });
        this.options.onServed?.(served);
      } catch (error) {
        if (signal.aborted) return;
        state.stage = 'failed';
        meters?.count('shoal_errors_total', { room: 'models', code: codeOf(error) });
        log.error(`${state.model} is not served. ${explain(error)}`);
      }
    }
    if (shelf.models().length === 0)
      log.warn('No model is served. Models can still be opened from a file in the page.');
  }

  async #prepare(wanted: string, data: string, state: Preparing, signal: AbortSignal): Promise<ServedModel> {
    const { log, terminal } = this.options;
    const output = terminal?.isTTY ? terminal : { write: (text: string) => log.info(text.trimEnd()) };
    let bar: ProgressBar | undefined;
    const onProgress = ({ stage, source, done, total }: PrepareProgress) => {
      const label =
        stage === 'hashing' ? `Checking ${state.model}` : `Fetching ${state.model} from ${source}`;
      if (bar?.label !== label) {
        bar?.end();
        bar = new ProgressBar(label, output);
      }
      bar.update(done, total);
      Object.assign(state, { stage, done, total });
    };
    return prepareModel(wanted, data, { onProgress, signal }).finally(() => bar?.end());
  }
}

function codeOf(error: unknown): string {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === 'string' ? code : 'failed';
}

/** The file or host name of a source: /healthz must not tell folders of this machine. */
function labelOf(model: string): string {
  return (
    CATALOGUE.find(({ id }) => id === model)?.name ?? model.split(/[\\/]/).filter(Boolean).at(-1) ?? model
  );
}
