import { Mark } from './Mark.tsx';

/** Marks of one bar: enough for a step to be seen every few seconds of a long download. */
const MARKS = 24;

interface Props {
  /** Of `total`, in whatever unit; a total of 0 is a job whose length is not known. */
  done: number;
  total: number;
  label: string;
  /** What a screen reader says beside the share; default: the share alone. */
  text?: string;
}

/** Progress as a shoal: one more fish arrives with every twenty-fourth. */
export function ShoalProgress({ done, total, label, text }: Props) {
  const share = total > 0 ? Math.min(1, done / total) : null;
  const arrived = share === null ? 0 : Math.floor(share * MARKS);
  return (
    <div
      className={share === null ? 'shoal-progress unknown' : 'shoal-progress'}
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={share === null ? undefined : Math.round(share * 100)}
      aria-valuetext={text}
    >
      {Array.from({ length: MARKS }, (_, i) => (
        <Mark key={i} className={i < arrived ? 'done' : undefined} delay={i * 60} />
      ))}
    </div>
  );
}
