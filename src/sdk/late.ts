import { ShoalError } from './errors.ts';
import { IDLE_STATUS, NO_MAP, NO_MEMBERSHIP, NO_NETWORK } from './idle-state.ts';
import { Cell } from './observable.ts';
import { abortable } from './queue.ts';
import type { Completions, Observable, Shoal } from './types.ts';

/**
 * A Shoal at once, whose code arrives later: what is called meanwhile waits for it, in order, and what is watched
 * begins with the state of a Shoal that did nothing yet. So a page is drawn before engine and network code are fetched.
 * When the code cannot be fetched, every call says so, and so does the status.
 * @param open fetches the code and opens the real one
 */
export function lateShoal(open: () => Promise<Shoal>): Shoal {
  let real: Shoal | null = null;
  /** Calls in their order: a load and its cancel must not overtake each other. */
  const waiting: ((shoal: Shoal) => void)[] = [];
  const failed = new Cell(IDLE_STATUS);
  const opened = open().then(
    (shoal) => {
      real = shoal;
      for (const run of waiting.splice(0)) run(shoal);
      return shoal;
    },
    (error: unknown) => {
      const told = cannotOpen(error);
      failed.update({ phase: 'failed', error: told });
      throw told;
    },
  );
  // Told by whoever calls, and by the status; alone it is no crash.
  opened.catch(() => {});
  const call = async <T>(work: (shoal: Shoal) => T | Promise<T>, signal?: AbortSignal): Promise<T> => {
    if (real) return work(real);
    const done = new Promise<T>((resolve, reject) => {
      opened.catch(reject);
      // Whoever has given up is not called any more.
      waiting.push((shoal) => {
        if (!signal?.aborted) resolve((async () => work(shoal))());
      });
    });
    return abortable(done, signal);
  };
  /** For a call that gives nothing back: later there is nobody to tell of an error. */
  const order = (work: (shoal: Shoal) => void) => {
    if (real) work(real);
    else call(work).catch(() => {});
  };
  const watched = <T>(first: Observable<T>, of: (shoal: Shoal) => Observable<T>) =>
    new LateObservable(first, opened, () => (real ? of(real) : null));
  return {
    get ready() {
      return real ? real.ready : opened.then(({ ready }) => ready);
    },
    status: watched(failed, ({ status }) => status),
    membership: watched(new Cell(NO_MEMBERSHIP), ({ membership }) => membership),
    networkStatus: watched(new Cell(NO_NETWORK), ({ networkStatus }) => networkStatus),
    networkMap: watched(new Cell(NO_MAP), ({ networkMap }) => networkMap),
    chat: {
      completions: {
        create: ((parameters: Parameters<Completions['create']>[0]) =>
          call(
            ({ chat }) => chat.completions.create(parameters),
            signalIn(parameters),
          )) as Completions['create'],
      },
    },
    models: () => call((shoal) => shoal.models()),
    load: (model, options) => call((shoal) => shoal.load(model, options), signalIn(options)),
    cancel: () => order((shoal) => shoal.cancel()),
    addModel: (files, options) => call((shoal) => shoal.addModel(files, options), signalIn(options)),
    remove: (model) => call((shoal) => shoal.remove(model)),
    share: (options) => call((shoal) => shoal.share(options), signalIn(options)),
    unshare: (options) => call((shoal) => shoal.unshare(options)),
    pauseSharing: () => call((shoal) => shoal.pauseSharing()),
    resumeSharing: () => call((shoal) => shoal.resumeSharing()),
    limitSharing: (limits) => order((shoal) => shoal.limitSharing(limits)),
    join: (options) => call((shoal) => shoal.join(options), signalIn(options)),
    network: (options) => call((shoal) => shoal.network(options), signalIn(options)),
    // What never came needs no end.
    dispose: () =>
      opened.then(
        (shoal) => shoal.dispose(),
        () => {},
      ),
  };
}

/** A caller may give anything: what is no signal is for the real one to refuse. */
function signalIn(options: unknown): AbortSignal | undefined {
  const signal: unknown =
    typeof options === 'object' && options !== null ? Reflect.get(options, 'signal') : null;
  return signal instanceof AbortSignal ? signal : undefined;
}

function cannotOpen(error: unknown): ShoalError {
  if (error instanceof ShoalError) return error;
  const message = 'The rest of this page could not be fetched. Check the connection, then reload.';
  return new ShoalError('unreachable', message, { cause: error, next: 'reload' });
}

/** Another one until the real one is there; listeners move over to it. */
class LateObservable<T> implements Observable<T> {
  constructor(
    private readonly first: Observable<T>,
    private readonly opened: Promise<unknown>,
    private readonly real: () => Observable<T> | null,
  ) {}

  get = (): T => (this.real() ?? this.first).get();

  subscribe = (listener: (value: T) => void): (() => void) => {
    const real = this.real();
    if (real) return real.subscribe(listener);
    let off = this.first.subscribe(listener);
    let ended = false;
    const moveOver = () => {
      const observable = this.real();
      if (ended || !observable) return;
      off();
      off = observable.subscribe(listener);
      listener(observable.get());
    };
    // What it begins with stays where it is when the real one does not come.
    this.opened.then(moveOver, () => {});
    return () => {
      ended = true;
      off();
    };
  };
}
