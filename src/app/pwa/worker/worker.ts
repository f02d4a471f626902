/// The page's service worker, at /sw.js: one build's files, kept whole, so that the page opens without a network and
/// never runs parts of two builds.
import { PrecacheController } from 'workbox-precaching/PrecacheController.js';
import { LAUNCH_CACHE, RUNTIME_FOLDER } from '../build/names.ts';
import { forgetOldBuilds, fromAnyBuild, fromRuntime } from './caches.ts';
import { keepLaunch } from './launches.ts';
import { readMessage } from './messages.ts';
import { placeOf, RELAYS } from './place.ts';
import type { BuildFacts, RequestEvent, Tab, Told, WorkerScope } from './scope.ts';

declare const SHOAL_BUILD: BuildFacts;

const scope = globalThis as unknown as WorkerScope;
const { origin } = scope.location;
const { pageCache, runtimeCache, files } = SHOAL_BUILD;
const OWN = [pageCache, runtimeCache];
const INDEX = '/index.html';

// Each file is checked against the digest that the build wrote down: a relay that was updated while this build was being
// fetched makes the installation fail, and the newer worker is installed instead.
const kept = new PrecacheController({ cacheName: pageCache });
kept.addToCacheList([...files]);
const paths = new Set(files.map(({ url }) => url));

scope.addEventListener('install', (event) => {
  // The store of models and the relay's answers have no business with this worker, and need not wait for it.
  const rules = RELAYS.map((start) => ({
    condition: { urlPattern: `${start}*` },
    source: 'network' as const,
  }));
  if (event.addRoutes) event.waitUntil(event.addRoutes(rules).catch(() => {}));
  kept.install(event as never);
});

scope.addEventListener('activate', (event) => event.waitUntil(activate()));

async function activate(): Promise<void> {
  const tabs = await scope.clients.matchAll({ type: 'window', includeUncontrolled: true });
  // With tabs open, one of an older build may just be loading and hold no lock yet: the next page that starts tidies up.
  if (tabs.length === 0) await forgetOldBuilds(OWN);
  await scope.clients.claim();
}

scope.addEventListener('fetch', (event) => {
  const answer = answerTo(event);
  if (answer) event.respondWith(answer());
});

function answerTo(event: RequestEvent): (() => Promise<Response>) | null {
  const { request } = event;
  switch (placeOf(request, origin, (path) => paths.has(path))) {
    case 'page':
      return async () => (await kept.matchPrecache(INDEX)) ?? fetch(request);
    case 'page-offline':
      return () =>
        fetch(request).catch(async (error) => (await kept.matchPrecache(INDEX)) ?? Promise.reject(error));
    case 'file':
      return async () =>
        (await kept.matchPrecache(new URL(request.url).pathname)) ??
        (await fromAnyBuild(request)) ??
        fetch(request);
    case 'runtime':
      return () => fromRuntime(request, (work) => event.waitUntil(work));
    case 'shared':
      return () => takeShared(request);
    case 'network':
      return null;
  }
}

/** Keeps what the system's share menu sent, and goes to the chat, which takes it. */
async function takeShared(request: Request): Promise<Response> {
  try {
    await keepLaunch(await caches.open(LAUNCH_CACHE), await request.formData(), { origin, now: Date.now() });
  } catch {
    // No form, or storage is forbidden: the page opens without it.
  }
  return Response.redirect('/#/chat', 303);
}

scope.addEventListener('message', (event) => {
  const message = readMessage(event.data);
  switch (message?.kind) {
    case 'take-over':
      return event.waitUntil(scope.skipWaiting());
    case 'which':
      return event.ports[0]?.postMessage(OWN);
    case 'started':
      return event.waitUntil(forgetOldBuilds(OWN));
    case 'keep':
      return event.waitUntil(Promise.all(message.paths.map((path) => keepRuntime(path, event))));
    case 'notify':
      return event.waitUntil(notify(message.title, message.text, event.source));
  }
});

async function keepRuntime(path: string, event: Told): Promise<void> {
  const { pathname } = new URL(path, origin);
  if (!pathname.startsWith(RUNTIME_FOLDER)) return;
  const request = new Request(pathname);
  const response = await fromRuntime(request, (work) => event.waitUntil(work)).catch(() => null);
  // Only the copy was wanted.
  await response?.body?.cancel();
}

async function notify(title: string, text: string, tab: Tab | null): Promise<void> {
  await scope.registration.showNotification(title, {
    body: text,
    icon: '/icon-192.png',
    badge: '/badge-96.png',
    // A newer answer takes the place of an older one.
    tag: 'shoal-answer',
    data: tab?.id,
  });
}

scope.addEventListener('notificationclick', (event) => {
  event.notification.close();
  event.waitUntil(showTab(event.notification.data));
});

async function showTab(id: unknown): Promise<void> {
  const asked = typeof id === 'string' ? await scope.clients.get(id) : undefined;
  const [any] = await scope.clients.matchAll({ type: 'window', includeUncontrolled: true });
  const tab = asked ?? any;
  await (tab ? tab.focus() : scope.clients.openWindow('/#/chat'));
}
