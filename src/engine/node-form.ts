import type { BackendPlan, BackendRequest } from './platform.ts';
import type { Backend } from './types.ts';

/** Above this, exact arithmetic on the CPU keeps the blocks packed: slower per token, but it fits. Bytes. */
const DENSE_LIMIT = 4 * 2 ** 30;
/** On a GPU dense weights may take this share of the memory; the rest is for what a run needs. */
const GPU_DENSE_SHARE = 0.75;

type Form = Pick<BackendPlan, 'arithmetic' | 'precision' | 'form'>;

/** How Node's back ends write their graph. Apart from them, so that memory can be told without onnxruntime. */
export function nodeForm(backend: Backend, request: BackendRequest): Form {
  if (backend === 'node-cpu') return cpuForm(request);
  if (backend === 'node-cuda') return cudaForm(request);
  throw new Error(`${backend} does not exist in Node; use node-cpu or node-cuda`);
}

function cpuForm({ arithmetic, precision, denseBytes }: BackendRequest): Form {
  const packed = arithmetic === 'fast' || denseBytes > DENSE_LIMIT;
  return {
    arithmetic,
    precision,
    form: {
      // The CPU's split products exist in float32 only; GroupQueryAttention has both.
      attention: precision === 'float16' ? 'gqa' : 'split',
      linear: packed ? 'blocks' : 'dense',
      accuracyLevel: arithmetic === 'fast' ? 4 : 0,
      precision,
    },
  };
}

/**
 * Split attention in both precisions: GroupQueryAttention exists for 16-bit floats only there, and the Node binding
 * keeps no tensors on a CUDA device, so that its caches would come back whole at every token.
 */
function cudaForm({ precision, denseBytes, memoryLimit }: BackendRequest): Form {
  const bytes = precision === 'float16' ? denseBytes / 2 : denseBytes;
  const packed = memoryLimit !== undefined && bytes > memoryLimit * GPU_DENSE_SHARE;
  return {
    // CUDA has no product of int8 activations: what is asked for as fast is exact there.
    arithmetic: 'exact',
    precision,
    form: { attention: 'split', linear: packed ? 'blocks' : 'dense', accuracyLevel: 0, precision },
  };
}
