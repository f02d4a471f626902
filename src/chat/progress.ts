/** A call that reports how far it is, read as a stream; a slow reader sees only the newest report. */
export class Progress<T> {
  #newest: number | null = null;
  #over = false;
  #wake: () => void = () => undefined;

  readonly result: Promise<T>;

  constructor(run: (report: (done: number) => void) => Promise<T>) {
    this.result = run((done) => {
      this.#newest = done;
      this.#wake();
    });
    const end = () => {
      this.#over = true;
      this.#wake();
    };
    // Whoever awaits the result gets its error.
    this.result.then(end, end);
  }

  /** Ends when the call does; never throws. */
  async *reports(): AsyncGenerator<number, void, void> {
    for (;;) {
      while (this.#newest !== null) {
        const done = this.#newest;
        this.#newest = null;
        yield done;
      }
      if (this.#over) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
