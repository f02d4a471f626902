import type { Part } from '../wire/index.ts';

/** The engines that compute one part, in order, and the head where it is an engine of its own. */
export interface Stages {
  layers: Part[];
  head: Part | null;
}

/**
 * Cuts a part so that the main part, which is always loaded, does the most: a client in light mode asks for all layers,
 * one in private mode for all but the first two, and the weights in common must not be held twice. The head is apart
 * for the same reason: the same layers then serve private sessions and light ones in one batch.
 * @param layers of the whole model
 */
export function stagesOf(part: Part, main: Part, layers: number): Stages {
  const ownHead = main.head && part.head && main.end === part.end;
  const head = part.head && !ownHead ? { start: layers, end: layers, embed: false, head: true } : null;
  const within = main.start < main.end && main.start >= part.start && main.end <= part.end;
  const sameFront = main.start > part.start ? !main.embed : main.embed === part.embed;
  if (!within || !sameFront || (main.head && !ownHead))
    return { layers: [{ ...part, head: false }], head: part.head ? (head ?? headOf(layers)) : null };
  const stages: Part[] = [main];
  if (part.start < main.start)
    stages.unshift({ start: part.start, end: main.start, embed: part.embed, head: false });
  if (main.end < part.end) stages.push({ start: main.end, end: part.end, embed: false, head: false });
  return { layers: stages, head };
}

function headOf(layers: number): Part {
  return { start: layers, end: layers, embed: false, head: true };
}
