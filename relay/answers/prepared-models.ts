import { ChatTemplate, Tokenizer } from '../../src/chat/index.ts';
import { type Manifest, parseManifest, readTokenizer } from '../../src/model/index.ts';
import { PathSource } from '../../src/model/node.ts';
import type { ServedModel } from '../shelf.ts';
import { abortable } from './errors.ts';
import { AnswerError } from './types.ts';

/** Tokens of one conversation when nobody said how many: what an engine holds by default. */
const DEFAULT_MAX_TOKENS = 4096;

/** What is needed of a model to make tokens of a question and text of an answer. */
export interface PreparedModel {
  served: ServedModel;
  manifest: Manifest;
  tokenizer: Tokenizer;
  template: ChatTemplate;
  /** Most tokens of one conversation. */
  maxTokens: number;
}

/** Reads manifest and tokenizer of each model once. Holds no more models than are served. */
export class PreparedModels {
  readonly #kept = new Map<string, Promise<PreparedModel>>();
  readonly #contexts = new Map<string, number>();

  /** @param maxTokens cap on the tokens of a conversation; null for what the model holds, at most 4096 */
  constructor(private readonly maxTokens: number | null) {}

  /** @throws AnswerError `failed`, `bad-question`, `aborted`; ModelError */
  get(served: ServedModel, signal: AbortSignal): Promise<PreparedModel> {
    let kept = this.#kept.get(served.cid);
    if (!kept) {
      const preparing = this.#prepare(served);
      // A failure is not kept: a file that was moved may be back at the next question.
      preparing.catch(() => {
        if (this.#kept.get(served.cid) === preparing) this.#kept.delete(served.cid);
      });
      this.#kept.set(served.cid, preparing);
      kept = preparing;
    }
    return abortable(kept, signal);
  }

  /** Most tokens of a conversation, known before anything is prepared. */
  maxTokensOf({ cid, manifest }: ServedModel): number {
    let context = this.#contexts.get(cid);
    if (context === undefined) {
      context = contextOf(manifest);
      this.#contexts.set(cid, context);
    }
    return Math.min(context, this.maxTokens ?? DEFAULT_MAX_TOKENS);
  }

  /** Lets go of the models that are not served any more. */
  keepOnly(cids: ReadonlySet<string>): void {
    for (const map of [this.#kept, this.#contexts])
      for (const cid of map.keys()) if (!cids.has(cid)) map.delete(cid);
  }

  async #prepare(served: ServedModel): Promise<PreparedModel> {
    const manifest = await parseManifest(served.manifest, served.cid);
    const open = () => Promise.all(served.files.map(({ path }) => PathSource.open(path)));
    const spec = await readTokenizer(manifest, { sources: [open] });
    if (!spec)
      throw new AnswerError(
        'bad-question',
        `${served.name} has no tokenizer, so it cannot read text. Add tokenizer.json to its folder, or ask another model.`,
      );
    return {
      served,
      manifest,
      tokenizer: new Tokenizer(spec),
      template: new ChatTemplate(manifest.chatTemplate),
      maxTokens: this.maxTokensOf(served),
    };
  }
}

/** The context of a manifest that this relay made itself; `get` checks every field of it. */
function contextOf(manifest: Uint8Array): number {
  try {
    const { config } = JSON.parse(new TextDecoder().decode(manifest)) as {
      config?: { contextLength?: unknown };
    };
    const context = config?.contextLength;
    return typeof context === 'number' && context > 0 ? context : DEFAULT_MAX_TOKENS;
  } catch {
    // `get` says what is wrong with it.
    return DEFAULT_MAX_TOKENS;
  }
}
