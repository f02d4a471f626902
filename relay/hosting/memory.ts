/** Lending more than this on a CPU by default would surprise whoever only wanted to serve a page. Bytes. */
const MOST_ON_CPU = 4e9;
/** Of what is free: a machine does other things as well, a GPU that is lent mostly does not. */
const SHARE = { cpu: 0.5, gpu: 0.9 };

/** Bytes that lending may take of what is free, when nobody said how much. */
export function defaultMemory(kind: 'cpu' | 'gpu', free: number): number {
  return kind === 'gpu' ? Math.floor(free * SHARE.gpu) : Math.min(MOST_ON_CPU, Math.floor(free * SHARE.cpu));
}

/** Bytes free in this container or machine, unlike `os.freemem()`, which knows nothing of containers. */
export function freeMemory(): Promise<number> {
  return Promise.resolve(process.availableMemory());
}

/** What one slice takes of a device, and what is kept for it. */
export class Claim {
  #used = 0;

  constructor(
    private readonly memory: DeviceMemory,
    /** Bytes that others leave to this slice even while it does not use them. */
    readonly floor: number,
  ) {}

  get used(): number {
    return this.#used;
  }

  /** Bytes that the slice may take in all, now. */
  get budget(): number {
    return Math.max(1, this.memory.total - this.memory.heldBeside(this));
  }

  /** Weights and caches as they are now. */
  note(bytes: number): void {
    this.#used = bytes;
  }

  release(): void {
    this.memory.drop(this);
  }
}

/**
 * The memory of one device, shared by the slices on it: each may take what is left, but for the floors of the others,
 * so that a busy model does not starve its neighbour.
 */
export class DeviceMemory {
  /** Bytes that all slices may take together. */
  total = 0;
  readonly #claims = new Set<Claim>();

  /**
   * @param wanted bytes that the operator allows; null for a share of what is free
   * @param free bytes that are free on the device, what is taken here not among them
   */
  constructor(
    private readonly kind: 'cpu' | 'gpu',
    private readonly wanted: number | null,
    private readonly free: () => Promise<number>,
  ) {}

  /** Looks again at what is free: after a model has been loaded, that is less. */
  async refresh(): Promise<void> {
    if (this.wanted !== null) {
      this.total = this.wanted;
      return;
    }
    const used = [...this.#claims].reduce((sum, claim) => sum + claim.used, 0);
    const total = used + defaultMemory(this.kind, await this.free());
    this.total = this.kind === 'cpu' ? Math.min(MOST_ON_CPU, total) : total;
  }

  /** Bytes that a new slice may have. */
  get left(): number {
    return Math.max(0, this.total - this.heldBeside(null));
  }

  claim(floor: number): Claim {
    const claim = new Claim(this, floor);
    this.#claims.add(claim);
    return claim;
  }

  drop(claim: Claim): void {
    this.#claims.delete(claim);
  }

  /** Bytes that all but one take, or have a right to. */
  heldBeside(one: Claim | null): number {
    let sum = 0;
    for (const claim of this.#claims) if (claim !== one) sum += Math.max(claim.used, claim.floor);
    return sum;
  }
}
