import type { Manifest } from '../model/index.ts';
import { type Figures, fitOf } from './fit.ts';
import type { DeviceFacts, Platform } from './platform.ts';
import type { ModelEntry, ShoalOptions } from './types.ts';

/** Milliseconds that a list waits for manifests which are not here; they come with the next one. */
const PATIENCE_MS = 400;
/** Manifests fetched for one list. */
const MOST_LOOKS = 16;

export const NO_FIGURES: Figures = { contextTokens: null, fit: null };

/** What the manifests of models tell, of those that were looked at. */
export class KnownFigures {
  readonly #known = new Map<string, Figures>();
  #device: Promise<DeviceFacts> | null = null;

  constructor(
    private readonly platform: Platform,
    private readonly options: Pick<ShoalOptions, 'maxTokens' | 'backends'>,
    private readonly manifestOf: (entry: ModelEntry) => Promise<Manifest>,
  ) {}

  of(cid: string): Figures {
    return this.#known.get(cid) ?? NO_FIGURES;
  }

  /** The entries with their figures; those whose manifests do not come soon are left without. */
  async fill(entries: readonly ModelEntry[]): Promise<ModelEntry[]> {
    const asked = entries.filter(({ cid }) => !this.#known.has(cid)).slice(0, MOST_LOOKS);
    // Without a relay nothing is known of what is not here.
    const looks = asked.map((entry) => this.look(entry).catch(() => null));
    let late: ReturnType<typeof setTimeout> | undefined;
    const timeout = new Promise((resolve) => {
      late = setTimeout(resolve, PATIENCE_MS);
    });
    await Promise.race([Promise.all(looks), timeout]);
    clearTimeout(late);
    return entries.map((entry) => ({ ...entry, ...this.of(entry.cid) }));
  }

  async look(entry: ModelEntry): Promise<Figures> {
    this.#device ??= this.platform.device();
    const [manifest, device] = await Promise.all([this.manifestOf(entry), this.#device]);
    const { backends, maxTokens } = this.options;
    const mayUseGpu = backends?.some((backend) => backend === 'jspi' || backend === 'webgpu') ?? true;
    const figures = fitOf(manifest, { ...device, gpu: mayUseGpu ? device.gpu : null }, maxTokens);
    this.#known.set(entry.cid, figures);
    return figures;
  }
}
