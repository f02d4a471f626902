import type { Observable } from '../../sdk/early.ts';

export interface PwaState {
  online: boolean;
  /** `ready`: a newer page waits for a reload. */
  update: 'none' | 'ready' | 'reloading';
  /** The browser offers to install the page. */
  installable: boolean;
  /** The page's files are kept: it opens without a network. */
  offlineReady: boolean;
  /** What this browser kept for the page was deleted while it was open, by somebody else than the page. */
  storageLost: boolean;
  /** Why something that was shared to the page did not arrive, null when nothing is wrong. */
  launchProblem: LaunchProblem | null;
}

/** More than the page takes at once, or no room on this device to hand it over. */
export type LaunchProblem = 'too-large' | 'no-room';

/** Files and text that were opened with, or shared to, the installed page. */
export interface Launched {
  files: readonly File[];
  text: string;
}

/** What the page is as an app of its device. */
export interface Pwa {
  readonly state: Observable<PwaState>;
  /** Reloads into the newer page; what runs is stopped, and what was said is kept. */
  applyUpdate(): Promise<void>;
  /** Asks the browser to install. @returns whether it was done */
  install(): Promise<boolean>;
  /** Asks for leave to notify, which a browser grants only after a click. @returns whether it was given */
  askToNotify(): Promise<boolean>;
  /** Tells that an answer is done, when the page is hidden and it is allowed. */
  notifyDone(title: string, text: string): void;
  /** Calls with each launch, also one from before. @returns a function that ends it */
  onLaunch(listener: (launched: Launched) => void): () => void;
  /** Keeps onnxruntime's files for a back end, so that a model answers offline as well. @param backend of the engine */
  keepRuntime(backend: string): void;
  /** Takes a notice away that was read. */
  dismiss(notice: 'storageLost' | 'launchProblem'): void;
}
