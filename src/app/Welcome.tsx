import type { Status } from '../sdk/index.ts';
import { formatBytes } from './format.ts';
import { Logo } from './Logo.tsx';
import type { Settings } from './settings.ts';

const EXAMPLES = [
  'Explain how tides work to a ten-year-old.',
  'Write a short poem about a shoal of fish.',
  'What should I see in Lisbon in one day?',
];

/** What a person sees before the first question: what this is, and what happens to their words. */
export function Welcome({
  status,
  settings: { route, privacy },
  onAsk,
}: {
  status: Status;
  settings: Settings;
  onAsk: (text: string) => void;
}) {
  return (
    <div className="welcome">
      <Logo size={72} />
      <h2>{route === 'network' ? 'A language model in many tabs.' : 'A language model in this tab.'}</h2>
      <p>
        {about(status, route)} {secrecy(route, privacy)}
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

function about({ model }: Status, route: Settings['route']) {
  if (route === 'network') return 'Its layers run on the devices of those who share them.';
  if (!model) return 'The model is fetched once, kept in this browser, and runs here.';
  return (
    <>
      <strong>{model.name}</strong> ({formatBytes(model.bytes)}) is fetched once, kept in this browser, and
      runs here.
    </>
  );
}

/** What happens to the words; the note under the box says how far it goes. */
function secrecy(route: Settings['route'], privacy: Settings['privacy']): string {
  if (route !== 'local' && privacy === 'light') {
    return 'What you write stays in this tab, unless an answer comes over the network.';
  }
  return route === 'network'
    ? 'Your words and tokens stay in this tab; peers get hidden states.'
    : 'What you write never leaves this tab.';
}
