/** A stretch of an answer: running text or a fenced block of code. */
export type Block = { kind: 'text'; text: string } | { kind: 'code'; language: string; text: string };

const FENCE = /^ {0,3}(`{3,}|~{3,})\s*([^\s`]*)[^`]*$/;

/**
 * Cuts an answer into paragraphs and code fences. A fence that is still open while the answer streams is code
 * already. Nothing here makes HTML: blocks are shown as text nodes.
 */
export function blocksOf(text: string): Block[] {
  const blocks: Block[] = [];
  let lines: string[] = [];
  let fence: { mark: string; language: string } | null = null;
  const flush = () => {
    const body = lines.join('\n');
    lines = [];
    if (fence) blocks.push({ kind: 'code', language: fence.language, text: body });
    else {
      for (const paragraph of body.split(/\n[ \t]*\n/)) {
        const trimmed = paragraph.replace(/^\n+|\s+$/g, '');
        if (trimmed) blocks.push({ kind: 'text', text: trimmed });
      }
    }
  };
  for (const line of text.split('\n')) {
    const open: RegExpExecArray | null = fence ? null : FENCE.exec(line);
    if (open) {
      flush();
      fence = { mark: open[1]!, language: open[2] ?? '' };
    } else if (
      fence &&
      line.trim().startsWith(fence.mark) &&
      line.trim().replaceAll(fence.mark[0]!, '') === ''
    ) {
      flush();
      fence = null;
    } else lines.push(line);
  }
  flush();
  return blocks;
}
