import { encodeHidden, encodeTokens, type ForwardHidden, WireError } from '../wire/index.ts';
import { settle } from './mend.ts';
import type { Hop } from './route.ts';
import type { SessionState } from './state.ts';
import { sleep, throwIfAborted } from './wait.ts';

/** Sends to the first hop what the log has and the window allows; ends with the signal only. */
export async function pump(state: SessionState, signal: AbortSignal): Promise<void> {
  for (;;) {
    const { sender, route, context } = state;
    const first = route.hops[0];
    if (!first || !maySend(state)) {
      await state.bell.next(signal);
      continue;
    }
    const frame = nextFrame(state);
    try {
      const either = AbortSignal.any([signal, sender.stop.signal]);
      await context.control.send(first.address, frame, either);
    } catch (error) {
      throwIfAborted(signal);
      // A new sender has taken over, or waits for its link: it sends these rows again.
      if (sender.stop.signal.aborted) continue;
      state.lose(first, error instanceof Error ? error.message : 'the link failed', 'asked');
    }
  }
}

/** At most `hops + window` chunks are not acknowledged. */
function maySend({ sender, route, log, acked, context: { limits } }: SessionState): boolean {
  if (sender.stop.signal.aborted || route.links[0]!.broken || sender.cursor >= log.length) return false;
  return sender.cursor - acked < (route.hops.length + limits.window) * limits.chunk;
}

/** The next rows as a frame; the sender is behind them afterwards. */
function nextFrame(state: SessionState): ForwardHidden {
  const { sender, log, context, step } = state;
  const from = sender.cursor;
  const to = Math.min(log.length, from + context.limits.chunk);
  sender.cursor = to;
  const { dtype, payload } = encodeRows(state, log.rows(from, to));
  return {
    kind: 'forward_hidden',
    session_id: state.id,
    seq: ++state.seq,
    phase: to - from > 1 || (step && step.end - step.start > 1) ? 'prefill' : 'decode',
    dtype,
    shape: [1, to - from, log.width],
    payload,
    kv_delta: null,
    ...(state.generation > 0 && { kv_truncate_to: state.cut }),
    epoch: state.route.links[0]!.epoch,
    generation: state.generation,
    position: from,
    answer_from: state.awaited,
    ...(from < sender.deliverFrom && { deliver_from: sender.deliverFrom }),
    ...(step?.sampling && { sampling: step.sampling }),
  };
}

function encodeRows(
  { context, log }: SessionState,
  rows: Float32Array,
): Pick<ForwardHidden, 'dtype' | 'payload'> {
  const { options, span } = context;
  if (span.embed) return { dtype: 'tokens', payload: encodeTokens(rows) };
  const own = options.parts.front?.info.precision === 'float16' ? 'fp16' : 'fp32';
  const dtype = options.dtype ?? own;
  try {
    return { dtype, payload: encodeHidden(rows, log.width, dtype) };
  } catch (error) {
    // A value that the smaller type cannot hold: these rows go as they are.
    if (dtype === 'fp32' || !(error instanceof WireError)) throw error;
    return { dtype: 'fp32', payload: encodeHidden(rows, log.width, 'fp32') };
  }
}

/** Mends the chain whenever something is wrong with it; ends with the signal. @throws ChainError when it cannot */
export async function repair(state: SessionState, signal: AbortSignal): Promise<void> {
  for (;;) {
    if (state.route.troubled) await settle(state, signal);
    else await state.bell.next(signal);
  }
}

/** Looks for what is wrong when nothing has come for a whole deadline; ends with the signal. */
export async function watch(state: SessionState, signal: AbortSignal): Promise<void> {
  const { clock, limits } = state.context;
  for (;;) {
    const now = clock.now();
    const left = state.progressAt + limits.stepMs - now;
    if (left > 0) {
      await sleep(clock, left, signal);
      continue;
    }
    if (waits(state)) await examine(state, signal);
    state.progressAt = clock.now();
  }
}

/** Whether the chain owes an answer. Mending has its own deadline. */
function waits({ route, sender, step, acked }: SessionState): boolean {
  return !route.troubled && step !== null && (sender.cursor > acked || sender.cursor >= step.end);
}

/** A hop that is silent is lost; the one that is behind gets its rows again, and is lost when that did not help. */
async function examine(state: SessionState, signal: AbortSignal): Promise<void> {
  const { route, sender } = state;
  const lengths = await Promise.all(route.hops.map((hop) => lengthOf(state, hop, signal)));
  throwIfAborted(signal);
  if (route.troubled) return;
  const behind = lengths.findIndex((length, i) => length < (lengths[i - 1] ?? sender.cursor));
  const link = behind < 0 ? route.hops.length : behind;
  const end = route.hops[link] ?? route.tail;
  if (!end) return;
  const length = lengths[link] ?? state.awaited;
  const before = state.stalled;
  state.stalled = { peer: end.peer, length };
  const same = before?.peer === end.peer;
  if (same && before.length < length) return;
  if (same) state.lose(end, `no answer in ${state.context.limits.stepMs / 1000} s`, 'asked');
  else state.nudge(link, 'it does not answer');
}

async function lengthOf(state: SessionState, hop: Hop, signal: AbortSignal): Promise<number> {
  try {
    const told = await state.ask(hop, signal);
    hop.length = Math.min(state.lengthNow(told.generation, told.length), state.log.length);
    return hop.length;
  } catch (error) {
    if (!signal.aborted)
      state.lose(hop, error instanceof Error ? error.message : 'it does not answer', 'asked');
    return 0;
  }
}
