import { defineConfig } from 'vitest/config';

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
  },
});
