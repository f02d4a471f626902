import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { IndexedDbHistory } from '../chat/web.ts';
import { createShoal } from '../sdk/web.ts';
import { App } from './App.tsx';
import { ChatStore } from './chat-store.ts';
import { openKeep } from './keep.ts';
import { readSettings } from './settings.ts';
import './styles/base.css';
import './styles/layout.css';
import './styles/conversation.css';
import './styles/controls.css';

/** Milliseconds: below what a person notices as waiting. */
const RESTORE_WAIT_MS = 250;

const shoal = createShoal();
// The programmable door is open to the console and to anything else on this page.
window.shoal = shoal;

const keep = openKeep();
const chat = new ChatStore(shoal, new IndexedDbHistory(), () => readSettings(keep));
// The old conversation is there at the first paint, but a slow disk does not keep the page blank.
await Promise.race([chat.restore(), new Promise((resolve) => setTimeout(resolve, RESTORE_WAIT_MS))]);

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <App shoal={shoal} chat={chat} keep={keep} />
  </StrictMode>,
);
