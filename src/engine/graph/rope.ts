import type { ModelConfig } from '../../model/index.ts';

/**
 * Angles of rotary position embedding, rounded to float32 where PyTorch rounds them.
 * Source of the scaled form: Llama 3.1's reference code (`apply_scaling`), as in transformers' `rope_utils`.
 * @param rows positions 0 … rows-1
 * @param factors divisors of the frequencies, [headSize / 2]: GGUF's `rope_freqs.weight`
 * @returns cos and sin, each [rows, headSize / 2], row-major
 */
export function ropeTables(
  config: ModelConfig,
  rows: number,
  factors: Float32Array | null,
): { cos: Float32Array; sin: Float32Array } {
  const half = config.headSize / 2;
  const frequencies = new Float32Array(half);
  for (let i = 0; i < half; i++) {
    const frequency = Math.fround(1 / config.ropeTheta ** ((2 * i) / config.headSize));
    frequencies[i] = scale(frequency, config) / (factors?.[i] ?? 1);
  }
  const cos = new Float32Array(rows * half);
  const sin = new Float32Array(rows * half);
  for (let position = 0; position < rows; position++)
    for (let i = 0; i < half; i++) {
      const angle = Math.fround(position * frequencies[i]!);
      cos[position * half + i] = Math.cos(angle);
      sin[position * half + i] = Math.sin(angle);
    }
  return { cos, sin };
}

function scale(frequency: number, { ropeScaling }: ModelConfig): number {
  if (ropeScaling.kind === 'none') return frequency;
  if (ropeScaling.kind === 'linear') return frequency / ropeScaling.factor;
  const { factor, lowFrequencyFactor, highFrequencyFactor, originalContext } = ropeScaling;
  const wavelength = (2 * Math.PI) / frequency;
  if (wavelength < originalContext / highFrequencyFactor) return frequency;
  if (wavelength > originalContext / lowFrequencyFactor) return frequency / factor;
  const smooth =
    (originalContext / wavelength - lowFrequencyFactor) / (highFrequencyFactor - lowFrequencyFactor);
  return ((1 - smooth) * frequency) / factor + smooth * frequency;
}
