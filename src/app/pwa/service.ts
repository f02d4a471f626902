import { holdCaches, ownCaches } from './own-build.ts';
import type { PwaState } from './types.ts';
import type { ToWorker } from './worker/messages.ts';

/** How often a page that stays open asks for a newer one. Milliseconds; browsers themselves ask at each visit only. */
const ASK_AGAIN_MS = 60 * 60_000;
/** Milliseconds for the newer worker to take over; it only has to wake up. */
const TAKE_OVER_MS = 5_000;
/** Milliseconds for a worker to say which build it is. */
const WHICH_MS = 5_000;

/** The page's service worker: its files kept, and newer ones told. */
export class Service {
  /** The caches of this very page; compared with those of a worker that waits or took over. */
  readonly #own = ownCaches();
  readonly #held = holdCaches(this.#own);
  #registration: ServiceWorkerRegistration | null = null;
  #asked = 0;

  /** @param tell takes what changed */
  constructor(
    private readonly container: ServiceWorkerContainer,
    private readonly tell: (change: Partial<PwaState>) => void,
  ) {
    container.addEventListener('controllerchange', () => {
      // The first worker of this page, or a newer one that took over by a reload in another tab.
      if (container.controller) void this.#compare(container.controller);
      // Taken away, with all that was kept.
      else void this.start().catch(() => {});
    });
    document.addEventListener('visibilitychange', () => this.#askForNewer());
    setInterval(() => this.#askForNewer(), ASK_AGAIN_MS / 4);
  }

  /**
   * Installs the worker, or finds the one that is there. Again after storage was wiped, which removes it.
   * @throws where a browser refuses, or the worker's files could not be fetched
   */
  async start(): Promise<void> {
    await this.#held;
    const registration = await this.container.register('/sw.js', { updateViaCache: 'none' });
    this.#asked = Date.now();
    if (registration !== this.#registration) this.#watch(registration);
    this.#registration = registration;
    const active = await activeOf(registration);
    this.tell({ offlineReady: true });
    say(active, { kind: 'started' });
  }

  /** Lets the newer worker take over and reloads into its page. Another tab that is open is told, and left alone. */
  async reloadIntoNewer(): Promise<void> {
    this.tell({ update: 'reloading' });
    const waiting = this.#registration?.waiting;
    if (waiting) {
      await new Promise<void>((resolve) => {
        this.container.addEventListener('controllerchange', () => resolve(), { once: true });
        setTimeout(resolve, TAKE_OVER_MS);
        say(waiting, { kind: 'take-over' });
      });
    }
    location.reload();
  }

  /** Says something to the worker that serves, once there is one. */
  async say(message: ToWorker): Promise<void> {
    say((this.#registration ?? (await this.container.ready)).active, message);
  }

  #watch(registration: ServiceWorkerRegistration): void {
    void this.#compare(registration.waiting);
    registration.addEventListener('updatefound', () => {
      const { installing } = registration;
      installing?.addEventListener('statechange', () => {
        // The first worker of a browser does not wait.
        if (installing.state === 'installed' && registration.waiting) void this.#compare(installing);
      });
    });
  }

  #askForNewer(): void {
    if (document.hidden || !navigator.onLine || Date.now() - this.#asked < ASK_AGAIN_MS) return;
    this.#asked = Date.now();
    // The worker could not be installed the last time, or was taken away.
    const work = this.#registration?.active ? this.#registration.update() : this.start();
    // No relay now: asked again later.
    work.catch(() => {});
  }

  /** Tells of a worker that keeps another build than this page is of. */
  async #compare(worker: ServiceWorker | null): Promise<void> {
    if (!worker) return;
    const names = await cachesOf(worker);
    if (names && this.#own.length > 0 && names[0] !== this.#own[0]) this.tell({ update: 'ready' });
  }
}

/** Resolves when the first worker is installed and serves. @throws when it could not be installed */
function activeOf(registration: ServiceWorkerRegistration): Promise<ServiceWorker> {
  if (registration.active) return Promise.resolve(registration.active);
  const worker = registration.waiting ?? registration.installing;
  return new Promise((resolve, reject) => {
    const check = () => {
      if (worker?.state === 'activating' || worker?.state === 'activated') resolve(worker);
      if (!worker || worker.state === 'redundant') reject(new Error('The page could not be kept.'));
    };
    worker?.addEventListener('statechange', check);
    check();
  });
}

function say(worker: ServiceWorker | null, message: ToWorker, transfer: Transferable[] = []): void {
  worker?.postMessage(message, transfer);
}

/** Null for a worker that does not say in time. */
function cachesOf(worker: ServiceWorker): Promise<string[] | null> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = ({ data }) => resolve(Array.isArray(data) ? data.map(String) : null);
    setTimeout(() => {
      port1.close();
      resolve(null);
    }, WHICH_MS);
    say(worker, { kind: 'which' }, [port2]);
  });
}
