import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { IndexedDbHistory } from '../chat/web.ts';
import { Cell, lateShoal, type Shoal, type ShoalError, toShoalError } from '../sdk/early.ts';
import { KeptConversations } from './chat/conversations.ts';
import { ChatThread } from './chat/thread.ts';
import { type Doors, DoorsProvider } from './doors.ts';
import { openKeep } from './keep.ts';
import { openPwa } from './pwa/pwa.ts';
import { SettingsStore } from './settings/settings.ts';
import { Keeper } from './share/keeper.ts';
import { Shell } from './shell/Shell.tsx';
import { en } from './words/en.ts';
import './look/base.css';
import './look/controls.css';

/** Milliseconds: below what a person notices as waiting. */
const RESTORE_WAIT_MS = 250;
/** Milliseconds after which the engine's code is fetched even if nothing was drawn. */
const HIDDEN_WAIT_MS = 1000;

const keep = openKeep();
const settings = new SettingsStore(keep);
/** Relays that the page's address names: `?relay=`, a URL or a multiaddr, may come again. */
const named = new URLSearchParams(location.search).getAll('relay').filter(Boolean);
const problem = new Cell<{ error: ShoalError | null }>({ error: null });
let begin: () => void = () => {};
/** The first view was drawn. */
const drawn = new Promise<void>((resolve) => {
  begin = resolve;
});
const shoal = lateShoal(open);
// The programmable door is open to the console and to anything else on this page.
window.shoal = shoal;

const pwa = openPwa();
const history = new IndexedDbHistory();
const thread = new ChatThread({ shoal, history, settings, keep, pwa });
const conversations = new KeptConversations({ history, thread });
const share = new Keeper({ shoal, settings, keep });
// The old conversation is there at the first paint, but a slow disk does not keep the page blank.
await Promise.race([thread.restore(), new Promise((resolve) => setTimeout(resolve, RESTORE_WAIT_MS))]);

const doors: Doors = {
  shoal,
  keep,
  settings,
  thread,
  conversations,
  share,
  pwa,
  relay: named.length > 0 ? named.join(', ') : null,
  problem,
};
createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <DoorsProvider value={doors}>
      <Shell words={en} />
    </DoorsProvider>
  </StrictMode>,
);

requestAnimationFrame(() => setTimeout(begin));
// A hidden tab draws nothing.
setTimeout(begin, HIDDEN_WAIT_MS);

// Joined before it is needed, so that the first question over the network does not wait for it. A failure is shown
// in the network view, and joining goes on by itself.
shoal.join().catch(() => {});
void share.resumeAfterReload();

/** Fetches the engine's and the network's code, which the first view does without, and opens Shoal. */
async function open(): Promise<Shoal> {
  await drawn;
  // A failure to fetch it is told by the status, like every other failure to load.
  const { createShoal } = await import('../sdk/web.ts');
  const { route, relays } = settings.get();
  // Whoever answers over the network only does not wait for a whole model.
  const own = { model: route === 'network' ? (false as const) : undefined };
  const chosen = named.length > 0 ? named : relays;
  if (chosen.length === 0) return createShoal(own);
  try {
    return createShoal({ ...own, relay: chosen });
  } catch (error) {
    problem.update({ error: toShoalError(error) });
    return createShoal(own);
  }
}
