/** HTML that is what it says: made by `html`, every value in it escaped. */
export class Html {
  constructor(readonly text: string) {}
}

const ESCAPES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export function escapeHtml(text: string): string {
  // Control characters are no valid HTML, and direction marks would turn what follows around.
  return text
    .replace(/[\p{Cc}\p{Cs}\p{Bidi_Control}]/gu, '\ufffd')
    .replace(/[&<>"']/g, (char) => ESCAPES[char] ?? '');
}

type Value = string | number | null | Html | readonly Html[];

/** A template whose values are escaped, unless they are HTML themselves. */
export function html(parts: TemplateStringsArray, ...values: Value[]): Html {
  return new Html(parts.reduce((text, part, i) => text + shown(values[i - 1] ?? null) + part));
}

function shown(value: Value): string {
  if (value === null) return '';
  if (value instanceof Html) return value.text;
  if (typeof value === 'object') return value.map(({ text }) => text).join('');
  return escapeHtml(String(value));
}
