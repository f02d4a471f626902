import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that take minutes. Begun last, one of them would run alone at the end, beside an idle core. */
const LONG = [
  'relay/crash.test.ts',
  'src/engine/llama-cpp.test.ts',
  'sim/sim.test.ts',
  'relay/api/fuzz.test.ts',
];

class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification) => LONG.some((name) => moduleId.endsWith(`/${name}`));
    const sorted = await super.sort(files);
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}

export default defineConfig({
  test: {
    environment: 'node',
    include: ['{src,relay,scripts,bench,sim}/**/*.test.ts'],
    // Long enough for a cold start of a worker thread on a busy machine.
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // Tests start onnxruntime in worker threads, which does not live inside another worker thread.
    pool: 'forks',
    maxWorkers: 2,
    sequence: { sequencer: LongFirst },
  },
});
