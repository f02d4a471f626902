/** The marks of public/logo.svg, in the colour of the text around them. */
const MARKS =
  'M5.8 32.0C9.5 28.1 15.1 28.6 18.2 32.0C15.1 35.4 9.5 35.9 5.8 32.0ZM18.4 22.0C21.8 18.5 26.8 19.0 29.6 22.0C26.8 25.0 21.8 25.5 18.4 22.0ZM19.4 42.0C22.8 38.5 27.8 39.0 30.6 42.0C27.8 45.0 22.8 45.5 19.4 42.0ZM29.9 32.0C34.1 27.5 40.6 28.1 44.1 32.0C40.6 35.9 34.1 36.5 29.9 32.0ZM33.5 15.0C36.2 12.2 40.2 12.6 42.5 15.0C40.2 17.4 36.2 17.8 33.5 15.0ZM34.5 49.0C37.2 46.2 41.2 46.6 43.5 49.0C41.2 51.4 37.2 51.8 34.5 49.0ZM45.9 25.0C49.0 21.8 53.5 22.2 56.1 25.0C53.5 27.8 49.0 28.2 45.9 25.0ZM45.9 40.0C49.0 36.8 53.5 37.2 56.1 40.0C53.5 42.8 49.0 43.2 45.9 40.0Z';

export function Logo({ size }: { size: number }) {
  return (
    <svg className="logo" width={size} height={size} viewBox="0 0 64 64" aria-hidden="true" focusable="false">
      <path d={MARKS} fill="currentColor" />
    </svg>
  );
}
