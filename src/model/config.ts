import { asInteger, asReal, asRecord, shown } from './checks.ts';
import { ModelError } from './errors.ts';
import type { Architecture, ModelConfig, RopeScaling } from './types.ts';

/** Architectures as model files name them, and what runs them. Mistral is llama with other numbers. */
const ARCHITECTURES: Readonly<Record<string, Architecture>> = {
  llama: 'llama',
  mistral: 'llama',
  qwen2: 'qwen2',
  qwen3: 'qwen3',
};

const RUNS = 'These run: llama (also SmolLM2 and Mistral), qwen2, qwen3.';

/** Above any known model of these architectures, and small enough that no product of them passes 2^53. */
const LIMITS = {
  layers: 512,
  width: 65_536,
  heads: 1024,
  headSize: 1024,
  ffnWidth: 2 ** 20,
  vocabulary: 2 ** 20,
  contextLength: 2 ** 26,
} as const;

/** @throws ModelError `unsupported-architecture`, by name */
export function requireArchitecture(name: unknown): Architecture {
  if (name === undefined)
    throw new ModelError('not-a-model', `The file does not say which architecture it holds. ${RUNS}`);
  if (typeof name !== 'string' || !Object.hasOwn(ARCHITECTURES, name))
    throw new ModelError('unsupported-architecture', `The architecture ${shown(name)} does not run. ${RUNS}`);
  return ARCHITECTURES[name]!;
}

/** A model that would need arithmetic we do not have. */
export function unsupported(what: string): ModelError {
  return new ModelError('unsupported-architecture', `This model uses ${what}, which does not run. ${RUNS}`);
}

/**
 * Checks every number of a configuration, whoever wrote it: a model file, or a stranger's manifest.
 * @throws ModelError `malformed`, `unsupported-architecture`
 */
export function checkConfig(value: unknown): ModelConfig {
  const raw = asRecord(value, 'The model configuration');
  const whole = (key: keyof typeof LIMITS) => asInteger(raw[key], key, 1, LIMITS[key]);
  const config: ModelConfig = {
    architecture: requireArchitecture(raw.architecture),
    layers: whole('layers'),
    width: whole('width'),
    heads: whole('heads'),
    kvHeads: asInteger(raw.kvHeads, 'kvHeads', 1, LIMITS.heads),
    headSize: whole('headSize'),
    ffnWidth: whole('ffnWidth'),
    vocabulary: whole('vocabulary'),
    contextLength: whole('contextLength'),
    normEpsilon: asReal(raw.normEpsilon, 'normEpsilon', 1e-12, 0.1),
    ropeTheta: asReal(raw.ropeTheta, 'ropeTheta', 1, 1e12),
    ropeScaling: checkRopeScaling(raw.ropeScaling),
    interleavedRope: flag(raw.interleavedRope, 'interleavedRope'),
    tiedEmbedding: flag(raw.tiedEmbedding, 'tiedEmbedding'),
  };
  if (config.architecture !== raw.architecture)
    throw new ModelError(
      'malformed',
      `A configuration names ${config.architecture}, not ${shown(raw.architecture)}.`,
    );
  if (config.heads % config.kvHeads !== 0)
    throw new ModelError(
      'malformed',
      `${config.heads} heads cannot share ${config.kvHeads} KV heads evenly.`,
    );
  if (config.headSize % 2 !== 0)
    throw new ModelError('malformed', `The head size ${config.headSize} is odd; rope rotates pairs.`);
  if (config.heads * config.headSize > 4 * LIMITS.width)
    throw new ModelError(
      'malformed',
      `${config.heads} heads of ${config.headSize} are wider than any model known.`,
    );
  return config;
}

function checkRopeScaling(value: unknown): RopeScaling {
  const raw = asRecord(value, 'ropeScaling');
  const real = (key: string) => asReal(raw[key], `ropeScaling.${key}`, 1e-6, 1e6);
  if (raw.kind === 'none') return { kind: 'none' };
  if (raw.kind === 'linear') return { kind: 'linear', factor: real('factor') };
  if (raw.kind !== 'llama3') throw unsupported(`rope scaling ${shown(raw.kind)}`);
  const scaling: RopeScaling = {
    kind: 'llama3',
    factor: real('factor'),
    lowFrequencyFactor: real('lowFrequencyFactor'),
    highFrequencyFactor: real('highFrequencyFactor'),
    originalContext: asInteger(raw.originalContext, 'ropeScaling.originalContext', 1, LIMITS.contextLength),
  };
  // The formula divides by their difference.
  if (scaling.highFrequencyFactor <= scaling.lowFrequencyFactor)
    throw new ModelError('malformed', 'ropeScaling.highFrequencyFactor must be above lowFrequencyFactor.');
  return scaling;
}

function flag(value: unknown, what: string): boolean {
  if (typeof value !== 'boolean')
    throw new ModelError('malformed', `${what} is ${shown(value)}, not true or false.`);
  return value;
}
