import { afterAll, afterEach, beforeAll } from 'vitest';
import { startApi, type TestApi } from './api.ts';
import { EngineAnswers, MODEL } from './engine-answers.ts';

export const CHAT = '/v1/chat/completions';
export const TEXT = '/v1/completions';
export const hi = {
  model: MODEL,
  messages: [{ role: 'user', content: 'hi' }],
  max_tokens: 8,
  temperature: 0,
};

type Options = Parameters<typeof startApi> extends [unknown, ...infer R] ? R : never;

/** One real engine for the tests of a file, and an API over it for each test. */
export class Fixture {
  answers!: EngineAnswers;
  #api: TestApi | null = null;

  constructor() {
    beforeAll(async () => {
      this.answers = await EngineAnswers.open();
    });
    afterEach(async () => {
      this.answers.before = () => undefined;
      await this.#api?.close();
      this.#api = null;
    });
    afterAll(() => this.answers.close());
  }

  async start(...options: Options): Promise<TestApi> {
    this.#api = await startApi(this.answers, ...options);
    return this.#api;
  }

  /** Holds the engine back until it is let go, or the answer is stopped. @returns how to let it go */
  dam(): () => void {
    let open = () => {};
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    this.answers.before = (signal) =>
      Promise.race([
        opened,
        new Promise<void>((_resolve, reject) =>
          signal?.addEventListener('abort', () => reject(signal.reason)),
        ),
      ]);
    return open;
  }
}

/** Tests are several clients on one machine, behind a proxy that the server trusts. */
export const from = (client: number) => ({ 'X-Forwarded-For': `10.0.0.${client}` });

/** Bounded by the test's time limit. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}
