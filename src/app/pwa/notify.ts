import type { Service } from './service.ts';

/** Characters that systems show of a notification, about. */
const LONGEST_TITLE = 80;
const LONGEST_TEXT = 200;

/** Shows a notification when nobody looks at the page and the user allowed it. A click on it brings this tab up. */
export function notify(service: Service | null, title: string, text: string): void {
  if (!document.hidden || !('Notification' in window) || Notification.permission !== 'granted') return;
  const [head, body] = [shorten(title, LONGEST_TITLE), shorten(text, LONGEST_TEXT)];
  // A phone takes notifications from a service worker only.
  if (service) void service.say({ kind: 'notify', title: head, text: body });
  else showFromPage(head, body);
}

function showFromPage(title: string, body: string): void {
  try {
    const notification = new Notification(title, { body, icon: '/icon-192.png', tag: 'shoal-answer' });
    notification.onclick = () => {
      window.focus();
      notification.close();
    };
  } catch {
    // A browser that shows none without a service worker: the answer is in the page.
  }
}

function shorten(text: string, most: number): string {
  const plain = text.replace(/\s+/g, ' ').trim();
  return plain.length > most ? `${plain.slice(0, most - 1)}…` : plain;
}
