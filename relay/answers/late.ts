import { type AnswerableModel, AnswerError, type AnswerEvent, type Answers, type Question } from './types.ts';

/** Answers that are not there yet: the port is open before the network is joined. */
export class LateAnswers implements Answers {
  #answers: Answers | null = null;
  #why = 'This relay is starting. Try again in a few seconds.';

  become(answers: Answers): void {
    this.#answers = answers;
  }

  /** There will be none. */
  fail(why: string): void {
    this.#why = why;
  }

  models(): AnswerableModel[] {
    return this.#answers?.models() ?? [];
  }

  async *ask(question: Question, signal: AbortSignal): AsyncGenerator<AnswerEvent, void, void> {
    if (!this.#answers) throw new AnswerError('not-ready', this.#why);
    yield* this.#answers.ask(question, signal);
  }

  status(): { running: number; openChains: number } {
    return this.#answers?.status() ?? { running: 0, openChains: 0 };
  }

  async close(): Promise<void> {
    await this.#answers?.close();
  }
}
