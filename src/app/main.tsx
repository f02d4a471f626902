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

const shoal = createShoal();
// The programmable door is open to the console and to anything else on this page.
window.shoal = shoal;

const keep = openKeep();
const chat = new ChatStore(shoal, new IndexedDbHistory(), () => readSettings(keep));
await chat.restore();

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <App shoal={shoal} chat={chat} keep={keep} />
  </StrictMode>,
);
