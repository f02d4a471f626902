import type { Manifest } from '../src/model/index.ts';
import { Reference, VOCABULARY, WIDTH } from './arithmetic.ts';
import { ArithmeticEngine } from './engine.ts';
import { MAX_TOKENS } from './scenario.ts';
import type { WorldModel } from './world.ts';

const KV_BYTES = 64;

/** A model of so many layers whose engines are arithmetic. */
export function arithmeticModel(layers: number): WorldModel {
  return {
    manifest: manifestOf(layers),
    cid: `bafkarithmetic${layers}`,
    vocabulary: VOCABULARY,
    kvBytes: KV_BYTES,
    weightBytes: 1000,
    maxTokens: MAX_TOKENS,
    exact: true,
    engine: async ({ scheduler, ledger, random }, actor, slice, layerMs) => {
      const kvBytesPerToken = KV_BYTES * (slice.end - slice.start);
      const speed = { layerMs, runMs: random.between(0.1, 1) };
      return new ArithmeticEngine(scheduler, actor, slice, layers, speed, ledger, {
        maxTokens: MAX_TOKENS,
        kvBytesPerToken,
      });
    },
    oracle: () => new Reference(layers),
  };
}

function manifestOf(layers: number): Manifest {
  return {
    version: 1,
    name: 'arithmetic',
    config: {
      architecture: 'llama',
      layers,
      width: WIDTH,
      heads: 1,
      kvHeads: 1,
      headSize: WIDTH,
      ffnWidth: WIDTH,
      vocabulary: VOCABULARY,
      contextLength: MAX_TOKENS,
      normEpsilon: 1e-5,
      ropeTheta: 10_000,
      ropeScaling: { kind: 'none' },
      interleavedRope: false,
      tiedEmbedding: false,
    },
    files: [],
    tensors: [],
    tokenizer: null,
    chatTemplate: null,
  };
}
