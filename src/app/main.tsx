import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { IndexedDbHistory } from '../chat/web.ts';
import { createShoal, toShoalError } from '../sdk/web.ts';
import { App } from './App.tsx';
import { ChatStore } from './chat-store.ts';
import { openKeep } from './keep.ts';
import { readSettings } from './settings.ts';
import { ShareStore } from './share-store.ts';
import './styles/base.css';
import './styles/layout.css';
import './styles/conversation.css';
import './styles/controls.css';
import './styles/network.css';

/** Milliseconds: below what a person notices as waiting. */
const RESTORE_WAIT_MS = 250;

const keep = openKeep();
const { shoal, relay, problem } = open();
// The programmable door is open to the console and to anything else on this page.
window.shoal = shoal;

const share = new ShareStore(shoal, keep);
const chat = new ChatStore(shoal, new IndexedDbHistory(), () => readSettings(keep));
// The old conversation is there at the first paint, but a slow disk does not keep the page blank.
await Promise.race([chat.restore(), new Promise((resolve) => setTimeout(resolve, RESTORE_WAIT_MS))]);

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <App shoal={shoal} chat={chat} keep={keep} share={share} relay={relay} problem={problem} />
  </StrictMode>,
);

// Joined before it is needed, so that the first question over the network does not wait for it. A failure is shown
// in the network view, and joining goes on by itself.
shoal.join().catch(() => {});
void share.resume();

/** Opens Shoal with the relays that the page's address names: `?relay=`, a URL or a multiaddr, may come again. */
function open() {
  const relays = new URLSearchParams(location.search).getAll('relay').filter(Boolean);
  // Whoever answers over the network only does not wait for a whole model.
  const model = readSettings(keep).route === 'network' ? (false as const) : undefined;
  const own = { model };
  if (relays.length === 0) return { shoal: createShoal(own), relay: null, problem: null };
  try {
    return { shoal: createShoal({ ...own, relay: relays }), relay: relays.join(', '), problem: null };
  } catch (error) {
    return { shoal: createShoal(own), relay: null, problem: toShoalError(error) };
  }
}
