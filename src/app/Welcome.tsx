import type { Status } from '../sdk/index.ts';
import { formatBytes } from './format.ts';
import { Logo } from './Logo.tsx';

const EXAMPLES = [
  'Explain how tides work to a ten-year-old.',
  'Write a short poem about a shoal of fish.',
  'What should I see in Lisbon in one day?',
];

/** What a person sees before the first question: what this is, and what happens to their words. */
export function Welcome({ status, onAsk }: { status: Status; onAsk: (text: string) => void }) {
  const { model } = status;
  return (
    <div className="welcome">
      <Logo size={72} />
      <h2>A language model in this tab.</h2>
      <p>
        {model ? (
          <>
            <strong>{model.name}</strong> ({formatBytes(model.bytes)}) is fetched once, kept in this browser,
            and runs here.
          </>
        ) : (
          'The model is fetched once, kept in this browser, and runs here.'
        )}{' '}
        What you write never leaves this tab.
      </p>
      <ul>
        {EXAMPLES.map((example) => (
          <li key={example}>
            <button type="button" onClick={() => onAsk(example)}>
              {example}
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}
