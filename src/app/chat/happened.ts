import type { ChatCompletionChunk, Hop, Provenance, TraceEntry } from '../../sdk/early.ts';
import type { Happened } from './types.ts';

/** Entries of a trace in memory: as many as the sdk tells of one answer. */
export const MOST_ENTRIES = 2048;
/** Entries that are kept, about 100 bytes each: an answer must not take more room than its text by far. */
const KEPT_ENTRIES = 256;
const MOST_HOPS = 64;
const MOST_PEERS = 16;
const LONGEST_TEXT = 1024;

/** Collects how an answer comes about, chunk by chunk. */
export class Recorder {
  readonly #trace: TraceEntry[];
  /** Milliseconds on the clock of the answer before the part that is recorded. */
  readonly #since: number;
  #last: ChatCompletionChunk | null = null;

  /**
   * @param before of the answer that is continued
   * @param backend what runs this tab's model
   */
  constructor(
    private readonly before: Happened | null,
    private readonly backend: () => string | null,
  ) {
    this.#trace = before ? before.trace.slice(0, MOST_ENTRIES) : [];
    this.#since = this.#trace.reduce((end, entry) => Math.max(end, endOf(entry)), 0);
  }

  add(chunk: ChatCompletionChunk): void {
    this.#last = chunk;
    for (const entry of chunk.shoal.trace ?? []) {
      if (this.#trace.length >= MOST_ENTRIES) return;
      this.#trace.push(this.#since > 0 ? { ...entry, at_ms: entry.at_ms + this.#since } : entry);
    }
  }

  /** So far; what was there before when nothing was added. */
  get(): Happened | null {
    if (!this.#last) return this.before;
    const { token_ids, trace: _, ...provenance } = this.#last.shoal;
    const { usage, model } = this.#last;
    const tokensBefore = this.before?.answerTokens ?? 0;
    return {
      ...provenance,
      recoveries: provenance.recoveries + (this.before?.recoveries ?? 0),
      trace: this.#trace,
      model,
      backend: provenance.route === 'local' ? this.backend() : null,
      // The beginning of a continued answer is part of the prompt of its end.
      promptTokens: usage
        ? Math.max(0, usage.prompt_tokens - tokensBefore)
        : (this.before?.promptTokens ?? 0),
      answerTokens: tokensBefore + (usage?.completion_tokens ?? token_ids.length),
    };
  }
}

/** As JSON to keep, with the trace shortened: every loss and recovery stays, and the first steps. */
export function keptHappened(happened: Happened): string {
  const { trace } = happened;
  const rare = trace.filter(({ kind }) => kind !== 'token').slice(0, KEPT_ENTRIES).length;
  let tokens = KEPT_ENTRIES - rare;
  let others = rare;
  const short =
    trace.length <= KEPT_ENTRIES
      ? trace
      : trace.filter(({ kind }) => (kind === 'token' ? tokens-- > 0 : others-- > 0));
  return JSON.stringify({ ...happened, trace: short }, (_, value: unknown) =>
    // A hundredth of a millisecond is more than anybody reads.
    typeof value === 'number' ? Math.round(value * 100) / 100 : value,
  );
}

/** What was kept, checked, for it may come from a file; null when it cannot be read. */
export function parseHappened(text: string | null): Happened | null {
  if (text === null) return null;
  try {
    return happenedOf(JSON.parse(text));
  } catch {
    // It explains an answer; an answer without it is complete.
    return null;
  }
}

function happenedOf(value: unknown): Happened {
  const of = fieldsOf(value);
  const timing = fieldsOf(of('timings'));
  return {
    route: oneOf(of('route'), ['local', 'network']),
    reason: of('reason') === null ? null : text(of('reason')),
    privacy: oneOf(of('privacy'), ['private', 'light']),
    hops: list(of('hops'), MOST_HOPS).map(hopOf),
    timings: {
      first_token_ms: number(timing('first_token_ms')),
      tokens_per_second: number(timing('tokens_per_second')),
      compute_ms: number(timing('compute_ms')),
      wire_ms: number(timing('wire_ms')),
      compute_ms_per_token: number(timing('compute_ms_per_token')),
      wire_ms_per_token: number(timing('wire_ms_per_token')),
    },
    recoveries: number(of('recoveries')),
    trace: list(of('trace'), MOST_ENTRIES).map(entryOf),
    model: text(of('model')),
    backend: of('backend') === null ? null : text(of('backend')),
    promptTokens: number(of('promptTokens')),
    answerTokens: number(of('answerTokens')),
  };
}

const PATHS = ['direct', 'relayed', 'websocket', 'tcp', 'local', 'none'] satisfies Hop['path'][];

function hopOf(value: unknown): Provenance['hops'][number] {
  const of = fieldsOf(value);
  return {
    peer: text(of('peer')),
    start: number(of('start')),
    end: number(of('end')),
    path: oneOf(of('path'), PATHS),
    backend: text(of('backend')),
    round_trip_ms: of('round_trip_ms') === null ? null : number(of('round_trip_ms')),
  };
}

function entryOf(value: unknown): TraceEntry {
  const of = fieldsOf(value);
  const at_ms = number(of('at_ms'));
  const kind = oneOf(of('kind'), ['opened', 'prefill', 'token', 'lost', 'recovered']);
  switch (kind) {
    case 'opened':
      return { kind, at_ms, ms: number(of('ms')) };
    case 'prefill':
    case 'token':
      return {
        kind,
        at_ms,
        ms: number(of('ms')),
        positions: number(of('positions')),
        own_ms: number(of('own_ms')),
        hops_ms: list(of('hops_ms'), MOST_HOPS).map(number),
        wire_ms: number(of('wire_ms')),
      };
    case 'lost': {
      const peer = of('peer') === null ? null : text(of('peer'));
      return {
        kind,
        at_ms,
        peer,
        start: number(of('start')),
        end: number(of('end')),
        reason: text(of('reason')),
      };
    }
    case 'recovered':
      return {
        kind,
        at_ms,
        ms: number(of('ms')),
        replayed: number(of('replayed')),
        peers: list(of('peers'), MOST_PEERS).map(text),
      };
  }
}

function endOf(entry: TraceEntry): number {
  return entry.at_ms + ('ms' in entry ? entry.ms : 0);
}

function fieldsOf(value: unknown): (name: string) => unknown {
  if (typeof value !== 'object' || value === null) throw new TypeError('not an object');
  return (name) => Reflect.get(value, name);
}

function oneOf<T extends string>(value: unknown, allowed: readonly T[]): T {
  const found = allowed.find((one) => one === value);
  if (found === undefined) throw new TypeError('not one of those');
  return found;
}

function list(value: unknown, most: number): unknown[] {
  if (!Array.isArray(value) || value.length > most) throw new TypeError('not a list');
  return value;
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw new TypeError('not text');
  return value.slice(0, LONGEST_TEXT);
}

function number(value: unknown): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new TypeError('not a number');
  return value;
}
