import { CATALOGUE } from '../src/model/index.ts';
import { explain } from './errors.ts';
import { type PrepareProgress, prepareModel } from './library.ts';
import { ProgressBar } from './progress.ts';
import type { ServedModel, Shelf } from './shelf.ts';

/** What /healthz tells about a model that is not served yet. Reasons stay in the log: they may name paths. */
export interface Preparing {
  model: string;
  stage: PrepareProgress['stage'] | 'waiting' | 'failed';
  done: number;
  total: number;
}

/** Brings models onto the shelf, one after the other, and keeps track. */
export class Preparation {
  /** The first model that is served; null when all failed. */
  readonly first: Promise<ServedModel | null>;
  readonly #states: Map<string, Preparing>;
  #settleFirst: (model: ServedModel | null) => void = () => {};

  /** `wanted`: as `prepareModel` takes them. */
  constructor(private readonly wanted: readonly string[]) {
    this.#states = new Map(
      wanted.map((model) => [model, { model: labelOf(model), stage: 'waiting', done: 0, total: 0 }]),
    );
    this.first = new Promise((resolve) => {
      this.#settleFirst = resolve;
    });
  }

  /** Models that are not served yet. */
  health(): Preparing[] {
    return [...this.#states.values()];
  }

  /** Never rejects: what is wrong with a model is told, and the next one's turn comes. */
  async run(data: string, shelf: Shelf, signal: AbortSignal): Promise<void> {
    try {
      await this.#prepareEach(data, shelf, signal);
    } finally {
      this.#settleFirst(null);
    }
  }

  async #prepareEach(data: string, shelf: Shelf, signal: AbortSignal): Promise<void> {
    for (const model of this.wanted) {
      const state = this.#states.get(model);
      if (!state) continue;
      try {
        const served = await prepareOne(model, data, state, signal);
        shelf.add(served);
        this.#states.delete(model);
        console.log(`Serving ${served.name}, ${served.layers} layers.`);
        this.#settleFirst(served);
      } catch (error) {
        if (signal.aborted) return;
        state.stage = 'failed';
        console.error(`${state.model} is not served. ${explain(error)}`);
      }
    }
    if (shelf.list().length === 0)
      console.error('No model is served. Models can still be opened from a file in the page.');
  }
}

async function prepareOne(
  model: string,
  data: string,
  state: Preparing,
  signal: AbortSignal,
): Promise<ServedModel> {
  let bar: ProgressBar | null = null;
  const onProgress = ({ stage, source, done, total }: PrepareProgress) => {
    const label = stage === 'hashing' ? `Checking ${state.model}` : `Fetching ${state.model} from ${source}`;
    if (bar?.label !== label) {
      bar?.end();
      bar = new ProgressBar(label);
    }
    bar.update(done, total);
    Object.assign(state, { stage, done, total });
  };
  try {
    return await prepareModel(model, data, { onProgress, signal });
  } finally {
    endBar(bar);
  }
}

function endBar(bar: ProgressBar | null): void {
  bar?.end();
}

/** The file or host name of a source: /healthz must not tell folders of this machine. */
function labelOf(model: string): string {
  return (
    CATALOGUE.find(({ id }) => id === model)?.name ?? model.split(/[\\/]/).filter(Boolean).at(-1) ?? model
  );
}
