import { type Host, HostError, type HostStatus, type LentSlice } from '../../src/host/index.ts';
import type { LayerRange } from '../../src/swarm/index.ts';
import type { Claim } from './memory.ts';

/** A slice for this relay's own chains, and the memory that it keeps. */
export interface OwnSlice {
  slice: LentSlice;
  claim: Claim;
}

/** Slices that the relay's own host runs for the relay alone, the least recently asked for first. */
export class OwnUse {
  readonly #held: OwnSlice[] = [];

  constructor(private readonly host: Host) {
    host.subscribe((status) => this.#forget(status));
  }

  /** Loads a slice; resolves when it serves. @throws what loading throws */
  async add(own: OwnSlice, signal: AbortSignal): Promise<void> {
    try {
      await this.host.lend(own.slice, { signal });
    } catch (error) {
      own.claim.release();
      throw error;
    }
    this.#held.push(own);
    // An engine may have died before anybody looked.
    this.#forget(this.host.status());
  }

  has(slice: LayerRange & { cid: string }): boolean {
    return this.#held.some((own) => same(own.slice, slice));
  }

  /** They were asked for again. */
  touch(cid: string, range: LayerRange): void {
    const used = this.#held.filter(({ slice }) => slice.cid === cid && overlap(slice, range));
    for (const own of used) {
      this.#held.splice(this.#held.indexOf(own), 1);
      this.#held.push(own);
    }
  }

  /** Ends the slice that was asked for longest ago of those on which no session is open. @returns false when none is */
  async dropIdle(keep: (slice: LentSlice) => boolean): Promise<boolean> {
    const { slices } = this.host.status();
    for (const own of [...this.#held]) {
      const hosted = slices.find((one) => same(one, own.slice));
      if (keep(own.slice) || (hosted && hosted.offer.sessions > 0)) continue;
      await this.#drop(own);
      return true;
    }
    return false;
  }

  /** Ends those of a model. */
  async dropModel(cid: string): Promise<void> {
    await Promise.all(this.#held.filter(({ slice }) => slice.cid === cid).map((own) => this.#drop(own)));
  }

  async #drop({ slice, claim }: OwnSlice): Promise<void> {
    try {
      await this.host.drain(slice.cid, slice, { signal: AbortSignal.abort() });
    } catch (error) {
      // Gone already is what was wanted.
      if (!(error instanceof HostError)) throw error;
    }
    claim.release();
  }

  /** The host lets go of a slice whose engine died: its memory is free. */
  #forget({ slices }: HostStatus): void {
    for (const own of [...this.#held]) {
      if (slices.some((one) => same(one, own.slice))) continue;
      this.#held.splice(this.#held.indexOf(own), 1);
      own.claim.release();
    }
  }
}

function same(a: LayerRange & { cid: string }, b: LayerRange & { cid: string }): boolean {
  return a.cid === b.cid && a.start === b.start && a.end === b.end;
}

function overlap(a: LayerRange, b: LayerRange): boolean {
  return a.start < b.end && b.start < a.end;
}

/** The parts of a range that none of these covers, in order. */
export function uncovered(range: LayerRange, by: readonly LayerRange[]): LayerRange[] {
  const open: LayerRange[] = [];
  let at = range.start;
  for (const { start, end } of [...by].sort((a, b) => a.start - b.start)) {
    if (end <= at || start >= range.end) continue;
    if (start > at) open.push({ start: at, end: start });
    at = Math.max(at, end);
  }
  if (at < range.end) open.push({ start: at, end: range.end });
  return open;
}
