/** The part of ServiceWorkerGlobalScope that is used here: TypeScript's own types of it exclude those of a page. */

export interface WaitingEvent extends Event {
  waitUntil(work: Promise<unknown>): void;
}

export interface InstallEvent extends WaitingEvent {
  /** Chromium 123 and newer: requests that never wake the worker. */
  addRoutes?(rules: { condition: { urlPattern: string }; source: 'network' }[]): Promise<void>;
}

export interface RequestEvent extends WaitingEvent {
  readonly request: Request;
  respondWith(response: Promise<Response>): void;
}

/** A tab. */
export interface Tab {
  readonly id: string;
  focus(): Promise<unknown>;
}

export interface Told extends WaitingEvent {
  readonly data: unknown;
  readonly ports: readonly MessagePort[];
  readonly source: Tab | null;
}

export interface Clicked extends WaitingEvent {
  readonly notification: Notification;
}

interface Events {
  install: InstallEvent;
  activate: WaitingEvent;
  fetch: RequestEvent;
  message: Told;
  notificationclick: Clicked;
}

export interface WorkerScope {
  readonly location: Location;
  readonly registration: {
    showNotification(title: string, options: NotificationOptions): Promise<void>;
  };
  readonly clients: {
    claim(): Promise<void>;
    get(id: string): Promise<Tab | undefined>;
    matchAll(options: { type: 'window'; includeUncontrolled: boolean }): Promise<readonly Tab[]>;
    openWindow(url: string): Promise<unknown>;
  };
  addEventListener<Type extends keyof Events>(type: Type, listener: (event: Events[Type]) => void): void;
  skipWaiting(): Promise<void>;
}

/** What the build knows; put in by it. */
export interface BuildFacts {
  pageCache: string;
  runtimeCache: string;
  files: readonly { url: string; revision: string | null; integrity: string }[];
}
