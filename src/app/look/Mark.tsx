/** One fish of the shoal, 12 × 8, in the colour of the text around it. */
export const MARK = 'M3.6 4C5.6 1.4 9.2 1.5 11.4 4C9.2 6.5 5.6 6.6 3.6 4ZM4.3 4L0.9 1.9L1.8 4L0.9 6.1Z';

export function Mark({ className, delay }: { className?: string; delay?: number }) {
  return (
    <svg
      className={className}
      viewBox="0 0 12 8"
      aria-hidden="true"
      focusable="false"
      style={delay === undefined ? undefined : { animationDelay: `${delay}ms` }}
    >
      <path d={MARK} fill="currentColor" />
    </svg>
  );
}
