import type { SessionAck } from '../wire/index.ts';
import { rangesInWords } from './offers.ts';
import { type Candidate, isLoaded, type PlannedHop, planChain } from './plan.ts';
import type { Hop, Run } from './route.ts';
import { Sender, type SessionState } from './state.ts';
import { ChainError } from './types.ts';
import { abortable, sleep, throwIfAborted, within } from './wait.ts';

/**
 * Makes the chain whole: replaces what is lost, opens the new hops, tells the others of their new neighbours, and has the
 * missing rows sent again. Also opens a chain in the first place: then all its hops are new. Goes on until nothing is
 * wrong any more, whatever is lost meanwhile.
 * @throws ChainError `no-cover`, `no-capacity`, `unreachable`, `deadline`, `failed`, `aborted`
 */
export async function settle(state: SessionState, signal: AbortSignal): Promise<void> {
  const { clock, limits } = state.context;
  const until = clock.now() + limits.openMs;
  const late = `The chain could not be made whole in ${limits.openMs / 1000} s. Try again in a moment.`;
  /** Lost peers that were taken once more: each once, until some time has passed. */
  const retried = new Set<string>();
  let failure: unknown;
  let paused = true;
  while (state.route.troubled) {
    throwIfAborted(signal);
    if (state.turnLosses > limits.recoveries) {
      throw new ChainError(
        'failed',
        `More than ${limits.recoveries} hops were lost during one answer. Ask again when the network is calmer.`,
      );
    }
    try {
      await within(clock, until - clock.now(), signal, late, async (inTime) => {
        // Somebody may come back, or come new, while there is time; who only wants to open is told at once.
        if (!paused) {
          await sleep(clock, limits.probeMs, inTime);
          retried.clear();
          paused = true;
        }
        await askSuspects(state, inTime);
        await replaceLost(state, retried, inTime);
        await makeLinks(state, until, inTime);
      });
    } catch (error) {
      throwIfAborted(signal);
      if (clock.now() >= until || !state.wasOpen || !(error instanceof ChainError)) throw failure ?? error;
      failure = error;
      paused = false;
    }
  }
}

/** A hop that only its neighbour cannot reach is not lost: the link is made anew. */
async function askSuspects(state: SessionState, signal: AbortSignal): Promise<void> {
  const suspects = state.route.hops.filter((hop) => hop.suspect);
  await Promise.all(
    suspects.map(async (hop) => {
      try {
        await state.ask(hop, signal);
        hop.suspect = false;
        state.nudge(state.route.indexOf(hop), 'the hop before cannot reach it', true);
      } catch (error) {
        throwIfAborted(signal);
        state.lose(hop, reasonOf(error), 'asked');
      }
    }),
  );
}

async function replaceLost(state: SessionState, retried: Set<string>, signal: AbortSignal): Promise<void> {
  for (let run = state.route.lostRuns().at(-1); run; run = state.route.lostRuns().at(-1)) {
    const found = await findReplacement(state, run, retried, signal);
    for (const hop of state.route.hops.slice(found.run.from, found.run.to)) state.release(hop, 'stopped');
    state.route.replace(found.run, found.hops);
    if (state.recovering) state.recovering.replayed += state.log.length * found.hops.length;
  }
}

interface Replacement {
  run: Run;
  hops: PlannedHop[];
}

/**
 * Who takes over: peers known from before; others that the directory knows now; peers that are hops already, with more
 * layers than so far (their neighbours' caches are given up); peers that were lost, if they answer again; this peer.
 */
async function findReplacement(
  state: SessionState,
  run: Run,
  retried: Set<string>,
  signal: AbortSignal,
): Promise<Replacement> {
  const { finder, options, limits } = state.context;
  let failure: unknown;
  const attempt = (runs: readonly Run[], also: (peer: string) => boolean = () => false, anyLink = false) => {
    for (const one of runs) {
      try {
        return { run: one, hops: planRun(state, one, also, anyLink) };
      } catch (error) {
        failure ??= error;
      }
    }
    return null;
  };
  const wider = widened(run, state.route.hops.length);
  const known = attempt([run]);
  if (known) return known;

  // When those who are there could do it together, nobody waits long for somebody better.
  const range = rangeOf(state, run);
  failure = undefined;
  const capMs = attempt(wider) ? limits.probeMs : undefined;
  await finder
    .find(range, signal, { enough: () => attempt([run]) !== null, capMs })
    .catch((error: unknown) => {
      throwIfAborted(signal);
      failure = error;
    });
  const found = attempt([run]) ?? attempt(wider);
  if (found) return found;

  const mayReturn = (peer: string) => state.excluded.get(peer) === 'asked' && !retried.has(peer);
  const takeBack = (returned: Replacement) => {
    for (const { candidate } of returned.hops) {
      retried.add(candidate.address.peer);
      state.excluded.delete(candidate.address.peer);
    }
    return returned;
  };
  const returned = attempt([run, ...wider], mayReturn);
  if (returned) return takeBack(returned);

  const { self } = state;
  // A peer comes once in a chain: where this one is a hop already, it takes over all from there to here.
  const own = state.route.hops.findIndex(({ peer, lost }) => peer === self.peer && lost === null);
  const mine = own < 0 ? run : { from: Math.min(run.from, own), to: Math.max(run.to, own + 1) };
  const ownRange = rangeOf(state, mine);
  const name = `${ownRange.start} ${ownRange.end}`;
  if (options.runLocally && !state.triedLocally.has(name)) {
    // Once per range: what this peer could not run is not tried again.
    state.triedLocally.add(name);
    if (await abortable(options.runLocally(ownRange, signal), signal)) {
      finder.forget(self.peer);
      await finder.probe(self, signal);
      const local = attempt([mine, ...wider], (peer) => peer === self.peer);
      if (local) return local;
    }
  }
  // Two that could not reach each other may by now.
  const linked = attempt([run, ...wider], mayReturn, true);
  if (linked) return takeBack(linked);
  throw whyNobody(state, run, failure);
}

/** Those who answered and still refuse count as holders without room; why the last one was lost is said as well. */
function whyNobody(state: SessionState, run: Run, failure: unknown): unknown {
  let why = failure;
  try {
    planRun(state, run, (peer) => state.excluded.get(peer) === 'asked', true);
    if (state.refused) {
      const layers = rangesInWords([rangeOf(state, run)]);
      why = new ChainError(
        'no-capacity',
        `Those who hold ${layers} take no other session now. Try again later.`,
      );
    }
  } catch (error) {
    why = error;
  }
  const { lastLoss } = state;
  if (!(why instanceof ChainError) || !lastLoss) return why;
  return new ChainError(why.code, `${why.message} (${lastLoss})`, { missing: why.missing });
}

/** @throws ChainError when the peers that may be taken do not cover the run */
function planRun(
  state: SessionState,
  run: Run,
  also: (peer: string) => boolean,
  anyLink: boolean,
): PlannedHop[] {
  const { context, route, self, apart } = state;
  const staying = new Set(route.hops.filter((_, i) => i < run.from || i >= run.to).map((hop) => hop.peer));
  const usable = ({ address: { peer } }: Candidate) =>
    !staying.has(peer) && (!state.excluded.has(peer) || also(peer));
  return planChain({
    range: rangeOf(state, run),
    embed: context.span.embed,
    head: context.span.head,
    layers: context.layers,
    maxTokens: context.maxTokens,
    standIn: context.standIn,
    candidates: context.finder.known().filter(usable),
    neighbours: {
      before: route.hops[run.from - 1]?.peer ?? self.peer,
      after: route.hops[run.to]?.peer ?? self.peer,
    },
    ...(!anyLink && apart.size > 0 && { apart: (from, to) => apart.has(`${from} ${to}`) }),
  });
}

function rangeOf(state: SessionState, run: Run) {
  return { start: state.route.hops[run.from]!.start, end: state.route.hops[run.to - 1]!.end };
}

/** Longer and longer runs around one, at last all hops. */
function widened({ from, to }: Run, hops: number): Run[] {
  const runs: Run[] = [];
  for (let by = 1; by < hops; by++) {
    const left = Math.max(0, from - by);
    const right = Math.min(hops, to + by);
    for (const run of [
      { from: left, to },
      { from, to: right },
      { from: left, to: right },
    ]) {
      const last = runs.at(-1);
      const longer = run.to - run.from > to - from;
      if (longer && !(last?.from === run.from && last.to === run.to)) runs.push(run);
    }
  }
  return runs;
}

/**
 * Makes every broken link: first its end learns of the new epoch and says how much it holds, then its beginning sends
 * from there on. Hops that do not answer are lost, and the next round deals with them.
 */
async function makeLinks(state: SessionState, until: number, signal: AbortSignal): Promise<void> {
  const { route } = state;
  const broken = route.links.filter((link) => link.broken);
  // Each its own: to a hop that is this very peer, rows and answers go over the same loopback.
  for (const link of broken) link.epoch = ++route.epoch;
  const epoch = ++route.epoch;
  const fresh = new Set(route.hops.filter((hop) => !hop.opened));
  const ends = route.hops.filter((_, i) => route.links[i]!.broken);
  await Promise.all(ends.map((hop) => open(state, hop, epoch, until, signal)));
  throwIfAborted(signal);
  if (route.hops.some((hop) => hop.lost !== null)) return;

  // From the back, so that a new hop knows what is wanted of it before rows come.
  const again = ++route.epoch;
  const told: Promise<void>[] = [];
  for (let i = route.hops.length; i > 0; i--)
    if (broken.includes(route.links[i]!)) told.push(sendFrom(state, i, fresh, again, signal));
  if (broken.includes(route.links[0]!)) restart(state);
  await Promise.all(told);
  throwIfAborted(signal);
  if (route.hops.some((hop) => hop.lost !== null)) return;
  for (const link of broken) link.broken = false;
  prove(
    state,
    broken,
    ends.filter((hop) => !fresh.has(hop)),
  );
  state.progressAt = state.context.clock.now();
  state.bell.ring();
}

/** Tells a hop where its rows come from now. A hop that is open keeps sending where it did, until it is told from where. */
async function open(
  state: SessionState,
  hop: Hop,
  epoch: number,
  until: number,
  signal: AbortSignal,
): Promise<void> {
  const { route, context } = state;
  const i = route.indexOf(hop);
  if (!hop.opened) hop.told = { next: addressOf(state, i + 1), epoch: route.links[i + 1]!.epoch };
  const prev = i === 0 ? state.self : route.hops[i - 1]!.address;
  const left = until - context.clock.now();
  const loadMs = isLoaded(hop.offer, hop) ? 0 : 4 * hop.offer.load_ms * (hop.end - hop.start);
  const ms = hop.opened ? state.patienceMs : Math.min(left, context.limits.openMs / 4 + loadMs);
  try {
    const ack = await state.init(
      hop,
      { epoch, prev, inEpoch: route.links[i]!.epoch, next: hop.told.next, outEpoch: hop.told.epoch },
      ms,
      signal,
    );
    checkLength(state, hop, ack);
    hop.length = state.lengthNow(ack.generation, ack.length);
    hop.opened = true;
    if (hop === route.tail) state.acked = Math.min(hop.length, state.log.length);
  } catch (error) {
    if (signal.aborted) return;
    state.lose(hop, reasonOf(error), 'asked');
  }
}

function checkLength(state: SessionState, hop: Hop, ack: SessionAck): void {
  const length = state.lengthNow(ack.generation, ack.length);
  const most = hop.opened ? state.log.length : 0;
  if (length > most) throw new ChainError('failed', `It says that it holds ${length} positions of ${most}.`);
}

/** Tells the hop before link `i` to send over it, from what its end holds. */
async function sendFrom(
  state: SessionState,
  i: number,
  fresh: ReadonlySet<Hop>,
  epoch: number,
  signal: AbortSignal,
): Promise<void> {
  const { route } = state;
  const hop = route.hops[i - 1]!;
  const from = heldBehind(state, i);
  const isNew = fresh.has(hop);
  // It was opened with this route and begins at 0, and the answers are paced by `answer_from`.
  if (isNew && (from === 0 || i === route.hops.length)) return;
  hop.told = { next: addressOf(state, i), epoch: route.links[i]!.epoch };
  const prev = i === 1 ? state.self : route.hops[i - 2]!.address;
  try {
    await state.init(
      hop,
      {
        epoch,
        prev,
        inEpoch: route.links[i - 1]!.epoch,
        next: hop.told.next,
        outEpoch: hop.told.epoch,
        replay: { from, deliver_from: deliverFrom(state, i), answer_from: state.awaited },
      },
      state.patienceMs,
      signal,
    );
  } catch (error) {
    if (signal.aborted) return;
    state.lose(hop, reasonOf(error), 'asked');
  }
}

/** The client's own part of it, for the first hop. */
function restart(state: SessionState): void {
  state.sender.stop.abort();
  state.sender = new Sender(heldBehind(state, 0), deliverFrom(state, 0));
}

/** Positions that the end of link `i` holds; for the client, those before the one that it waits for. */
function heldBehind(state: SessionState, i: number): number {
  return state.route.hops[i]?.length ?? state.awaited;
}

/** From where on the hop behind link `i` is to send outputs of rows that come over it. */
function deliverFrom(state: SessionState, i: number): number {
  const held = heldBehind(state, i);
  const after = state.route.links[i + 1];
  return after?.broken ? heldBehind(state, i + 1) : held;
}

/** Until something that nobody behind a new link had has come through, replayed rows may be on their way. */
function prove(state: SessionState, broken: SessionState['route']['links'], kept: readonly Hop[]): void {
  // A chain that has only been opened has nothing to send again.
  if (state.log.length === 0) return;
  const links = new Set([...(state.unproven?.links ?? []), ...broken]);
  const above = Math.max(0, ...kept.map((hop) => hop.length));
  state.unproven = { links, above };
}

function addressOf(state: SessionState, i: number) {
  return state.route.hops[i]?.address ?? state.self;
}

export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : 'it failed';
}
