import { Control } from './control.ts';
import { Finder } from './find.ts';
import { CHAIN_LIMITS, type ChainLimits, type ChainOptions } from './types.ts';

export interface ChainPeersOptions
  extends Pick<
    ChainOptions,
    'transport' | 'directory' | 'clock' | 'cid' | 'agent' | 'arithmetic' | 'exclude' | 'only' | 'standIn'
  > {
  /** Layers of the whole model. */
  layers: number;
  limits?: Partial<ChainLimits>;
}

/**
 * The peers of one model as one client knows them: who answered what, and the one listener through which their messages
 * come. A client with many chains of the same model shares it: each frame is decoded once, and a peer that answered one
 * chain is not asked again by the next.
 */
export class ChainPeers {
  readonly control: Control;
  readonly finder: Finder;
  readonly standIn: ReadonlySet<string>;

  constructor(options: ChainPeersOptions) {
    const { transport, directory, clock, cid, layers, agent, arithmetic = 'exact' } = options;
    this.control = new Control(transport, clock, agent);
    this.standIn = new Set(options.standIn);
    this.finder = new Finder({
      control: this.control,
      directory,
      clock,
      filter: { cid, layers, arithmetic },
      limits: { ...CHAIN_LIMITS, ...options.limits },
      exclude: new Set(options.exclude),
      only: options.only,
      also: options.standIn,
    });
  }

  /** Peers that answered lately and take sessions on layers of the model. */
  known(): string[] {
    const takes = this.finder.known().filter(({ offers }) => offers.some(({ draining }) => !draining));
    return takes.map(({ address }) => address.peer);
  }

  /**
   * Asks the directory, and those it names, who lends layers of the model now.
   * @throws ChainError `unreachable` when some are named and none answers, `aborted`
   */
  async look(signal: AbortSignal): Promise<string[]> {
    const { layers } = this.finder.filter;
    await this.finder.find({ start: 0, end: layers }, signal, { enough: (known) => known.length > 0 });
    return this.known();
  }

  /** The chains that use it must be closed. */
  dispose(): void {
    this.control.dispose();
  }
}
