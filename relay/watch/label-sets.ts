/** Sets of labels kept per metric. A stranger who could choose a label must not be able to choose how many there are. */
export const MAX_LABEL_SETS = 100;
/** Characters of a label; the longest code has about 20. */
const MAX_LABEL = 64;

export type Labels = Record<string, string>;

/** The sets of labels that one metric has; what comes after the hundredth is counted as `other`. */
export class LabelSets {
  readonly #known = new Map<string, Labels>();

  constructor(private readonly names: readonly string[]) {}

  /** The labels under which this is counted, and a key for them. */
  admit(labels: Labels): { key: string; labels: Labels } {
    const values = this.names.map((name) => String(labels[name] ?? '').slice(0, MAX_LABEL));
    const key = JSON.stringify(values);
    const known = this.#known.get(key);
    if (known) return { key, labels: known };
    if (this.#known.size >= MAX_LABEL_SETS && values.some((value) => value !== 'other'))
      return this.admit(Object.fromEntries(this.names.map((name) => [name, 'other'])));
    const made = Object.fromEntries(this.names.map((name, i) => [name, values[i] ?? '']));
    this.#known.set(key, made);
    return { key, labels: made };
  }
}
