/** What a key can hold. One kind serves the file, the environment and the flags alike. */
export interface Kind<T> {
  /** Completes "port takes …". */
  takes: string;
  /** Stands for the value in the help. */
  placeholder: string;
  /**
   * The value behind what was written: a string from flags and variables, any YAML value from a file.
   * `base`: folder that relative paths start from.
   */
  read(raw: unknown, base: string): Reading<T>;
  /** The value as it would be written in a file. */
  show(value: T): string;
  /** A flag that needs no value, and has a twin that begins with `--no-`. */
  flag?: true;
  /** A flag may be given several times. `split`: one string may hold several values with commas between them. */
  list?: { split: boolean };
}

/** `refused` is the part that cannot be taken: for a list the one item. */
export type Reading<T> = { value: T } | { refused: unknown };

/** From a function that gives undefined for what it refuses. */
export function kind<T>(
  placeholder: string,
  takes: string,
  read: (raw: unknown, base: string) => T | undefined,
  show: (value: T) => string = String,
): Kind<T> {
  return {
    takes,
    placeholder,
    show,
    read: (raw, base) => {
      const value = read(raw, base);
      return value === undefined ? { refused: raw } : { value };
    },
  };
}

/** A whole number; digits in a string count, `1e3`, ` 80` and `0x50` do not. */
export function whole(least: number, most: number, what = 'a whole number', placeholder = 'N'): Kind<number> {
  return kind(placeholder, `${what} from ${least} to ${most}`, (raw) => {
    const number = typeof raw === 'string' && /^\d{1,15}$/.test(raw) ? Number(raw) : raw;
    if (typeof number !== 'number' || !Number.isInteger(number)) return;
    return number >= least && number <= most ? number : undefined;
  });
}

export function share(least: number, most: number): Kind<number> {
  return kind('SHARE', `a number from ${least} to ${most}`, (raw) => {
    const number = typeof raw === 'string' && /^\d{1,3}(\.\d{1,6})?$/.test(raw) ? Number(raw) : raw;
    return typeof number === 'number' && number >= least && number <= most ? number : undefined;
  });
}

export function oneOf<const T extends string>(...words: readonly [T, T, ...T[]]): Kind<T> {
  const takes = `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
  return kind(words.join('|'), takes, (raw) => words.find((word) => word === raw));
}

const YES = new Set<unknown>([true, 'true', 'yes', 'on', '1']);
const NO = new Set<unknown>([false, 'false', 'no', 'off', '0']);

/** Without a value, as a flag, it is true. */
export const yesOrNo: Kind<boolean> = {
  ...kind('', 'true or false', (raw) => (YES.has(raw) ? true : NO.has(raw) ? false : undefined)),
  flag: true,
};

/** A value that may be absent, which is written `word`; in a file an empty value means the same. */
export function orNone<T>(inner: Kind<T>, word: string): Kind<T | null> {
  return {
    ...inner,
    placeholder: `${inner.placeholder}|${word}`,
    takes: `${inner.takes}, or ${word}`,
    read: (raw, base) => (raw === null || raw === word ? { value: null } : inner.read(raw, base)),
    show: (value) => (value === null ? word : inner.show(value)),
  };
}

/** Several values; one alone needs no list, and `none` is the empty one. */
export function listOf<T>(
  inner: Kind<T>,
  options: { most: number; least?: number; split?: boolean; what: string },
): Kind<T[]> {
  const { most, least = 0, split = true, what } = options;
  return {
    placeholder: inner.placeholder,
    takes: `${least > 0 ? `${least} to` : 'at most'} ${most} ${what}, each ${inner.takes}${least > 0 ? '' : '; or none'}`,
    list: { split },
    read: (raw, base) => {
      if (raw === 'none' && least === 0) return { value: [] };
      const items = Array.isArray(raw) ? raw : [raw];
      if (items.length > most || items.length < least) return { refused: raw };
      const values: T[] = [];
      for (const item of items) {
        const reading = inner.read(item, base);
        if ('refused' in reading) return reading;
        // Said twice is a slip of the pen; each item once is what was meant.
        if (!values.some((value) => inner.show(value) === inner.show(reading.value)))
          values.push(reading.value);
      }
      return { value: values };
    },
    show: (values) => `[${values.map((value) => JSON.stringify(inner.show(value))).join(', ')}]`,
  };
}
