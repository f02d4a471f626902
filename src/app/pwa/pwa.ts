import { Cell } from '../../sdk/early.ts';
import { runtimeFiles } from './build/names.ts';
import { InstallOffer } from './install-offer.ts';
import { Launches } from './launches.ts';
import { notify } from './notify.ts';
import { Service } from './service.ts';
import { watchStorage } from './storage-watch.ts';
import type { Pwa, PwaState } from './types.ts';

/** Where the build put onnxruntime's files; unknown while developing, when nothing is kept either. */
const RUNTIME: string | undefined = import.meta.env.SHOAL_ORT;

/** What the page is as an app of its device. A browser that keeps nothing, or a page without TLS, has the rest of it. */
export function openPwa(): Pwa {
  const state = new Cell<PwaState>({
    online: navigator.onLine,
    update: 'none',
    installable: false,
    offlineReady: false,
    storageLost: false,
    launchProblem: null,
  });
  const tell = (change: Partial<PwaState>) => state.update(change);
  addEventListener('online', () => tell({ online: true }));
  addEventListener('offline', () => tell({ online: false }));

  const offer = new InstallOffer((installable) => tell({ installable }));
  const launches = new Launches((launchProblem) => tell({ launchProblem }));
  const container = import.meta.env.PROD ? navigator.serviceWorker : undefined;
  const service = container ? new Service(container, tell) : null;
  // Refused in some private windows: the page works, it only does not open offline.
  const start = () => void service?.start().catch(() => {});
  afterFirstView(start);
  watchStorage(() => {
    tell({ storageLost: true, offlineReady: false });
    start();
  });

  return {
    state,
    applyUpdate: async () => service?.reloadIntoNewer() ?? location.reload(),
    install: () => offer.take(),
    async askToNotify() {
      if (!('Notification' in window)) return false;
      return (await Notification.requestPermission()) === 'granted';
    },
    notifyDone: (title, text) => notify(service, title, text),
    onLaunch: (listener) => launches.onLaunch(listener),
    keepRuntime(backend) {
      if (!service || !RUNTIME) return;
      void service.say({ kind: 'keep', paths: runtimeFiles(backend).map((file) => RUNTIME + file) });
    },
    dismiss: (notice) => tell(notice === 'storageLost' ? { storageLost: false } : { launchProblem: null }),
  };
}

/** What is kept for later does not compete with what is shown first. */
function afterFirstView(work: () => void): void {
  const whenIdle = () =>
    'requestIdleCallback' in window ? requestIdleCallback(work, { timeout: 5_000 }) : setTimeout(work, 500);
  if (document.readyState === 'complete') whenIdle();
  else addEventListener('load', whenIdle, { once: true });
}
