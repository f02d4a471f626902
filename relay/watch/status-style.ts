import { createHash } from 'node:crypto';

/** Of the status page. Colours have a contrast of 4.5 and more on their ground, in both schemes. */
export const STATUS_STYLE = `
:root { color-scheme: light dark; --ground: #fff; --ink: #1c2128; --soft: #59636e; --line: #d1d9e0;
  --none: #cf222e; --one: #bf8700; --more: #1a7f37; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #0d1117; --ink: #e6edf3; --soft: #9198a1; --line: #3d444d;
    --none: #ff6b62; --one: #e0a526; --more: #3fb950; } }
body { margin: 0 auto; padding: 1rem; max-width: 60rem; background: var(--ground); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; } h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
h3 { font-size: 1rem; margin: 1rem 0 .25rem; }
p { margin: .25rem 0; } .soft { color: var(--soft); } .alert { color: var(--none); font-weight: 600; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .25rem 1rem .25rem 0; border-bottom: 1px solid var(--line);
  vertical-align: top; white-space: nowrap; } th { font-weight: 600; }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .5rem 1rem; margin: .5rem 0; }
dt { color: var(--soft); font-size: .875rem; } dd { margin: 0; font-size: 1.15rem; font-variant-numeric: tabular-nums; }
.bar { display: flex; height: 1.25rem; gap: 1px; margin: .25rem 0; }
.bar i { flex: 1 1 0; min-width: 1px; background: var(--more); } .bar .c0 { background: var(--none); }
.bar .c1 { background: var(--one); }
a { color: inherit; }
`;

const HASH = createHash('sha256').update(STATUS_STYLE).digest('base64');

/** Nothing but this one style: no script, no picture, no connection, no frame. */
export const STATUS_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${HASH}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');
