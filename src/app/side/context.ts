import type { Status } from '../../sdk/early.ts';
import type { ThreadState } from '../chat/types.ts';

/** Most tokens of one conversation: what the engine here can hold, else what the model was made for; null: unknown. */
export function contextOf({ engine, model }: Status): number | null {
  return engine?.maxTokens ?? model?.contextTokens ?? null;
}

/** Share of the context from which on a new chat is advised. */
const NEARLY_FULL = 0.8;

export interface ContextUse {
  used: number;
  of: number;
  nearlyFull: boolean;
}

/** How full the context is; null while either of the two is not known. */
export function contextUse(
  usedTokens: ThreadState['usedTokens'],
  maxTokens: number | null | undefined,
): ContextUse | null {
  if (!maxTokens) return null;
  const used = Math.min(usedTokens ?? 0, maxTokens);
  return { used, of: maxTokens, nearlyFull: used / maxTokens >= NEARLY_FULL };
}
