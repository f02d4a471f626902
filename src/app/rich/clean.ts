/** Unseen characters that change what is seen: controls, and those that turn the direction of writing. */
const UNSEEN = /(?![\t\n\r])[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu;

/**
 * The text with a visible sign for each of them, so that code and addresses read as they are: U+202E could show
 * `gpj.exe` as `exe.jpg`. Languages written from the right are recognised by their letters and need none.
 */
export function clean(text: string): string {
  return text.replace(UNSEEN, '\ufffd').replace(/\r\n?/g, '\n');
}
