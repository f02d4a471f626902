import { loadEngine } from '../engine/web.ts';
import { HttpSource, MemoryStore } from '../model/index.ts';
import { openOpfsStore } from '../model/web.ts';
import { readDevice } from './device.ts';
import type { OpenStore, Platform } from './platform.ts';
import { openShoal } from './shoal.ts';
import type { Shoal, ShoalOptions } from './types.ts';

export * from './index.ts';

/**
 * Opens Shoal in a browser tab and begins to load a model. Also at `/sdk.js` of every relay:
 *
 * ```js
 * import { createShoal } from '/sdk.js';
 * const shoal = createShoal();
 * await shoal.ready;
 * const answer = await shoal.chat.completions.create({ messages: [{ role: 'user', content: 'Hello' }] });
 * ```
 */
export function createShoal(options: ShoalOptions = {}): Shoal {
  return openShoal(browser(), new URL(location.href), options);
}

function browser(): Platform {
  return {
    fetch: (...request) => fetch(...request),
    openStore,
    openMemory,
    openUrl: (url, signal) => HttpSource.open(url.href, { signal }),
    loadEngine,
    // The libp2p code is as large as the rest of the page: a tab that never joins does not fetch it.
    openSwarm: async (options) => (await import('../swarm/web.ts')).createTabSwarm(options),
    device: readDevice,
    keep: {
      get(name) {
        try {
          return localStorage.getItem(name);
        } catch {
          // A browser that forbids storage keeps nothing.
          return null;
        }
      },
      set(name, value) {
        try {
          localStorage.setItem(name, value);
        } catch {
          // Forbidden or full: the value is a convenience and is looked up again next time.
        }
      },
    },
    lock: async (name, signal, work) => {
      // Locks are missing on a page without TLS, and so is the store that they guard.
      if (!navigator.locks) return work();
      return navigator.locks.request(name, { signal }, work);
    },
    now: () => performance.now(),
  };
}

async function openStore(): Promise<OpenStore> {
  try {
    const store = await openOpfsStore();
    return { store, kind: 'opfs', location: { kind: 'store' }, notice: null };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const tls = globalThis.isSecureContext ? '' : ' Serve the page over https, or open it at localhost.';
    return openMemory(`This browser keeps no model over a reload: ${why}${tls}`);
  }
}

function openMemory(notice: string): OpenStore {
  const store = new MemoryStore();
  return { store, kind: 'memory', location: { kind: 'memory', tensors: store.tensors }, notice };
}
