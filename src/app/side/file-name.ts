/** Characters of a title in a file name: every file system takes these many. */
const MOST = 60;

/** `shoal-why-do-fish-swim.md`: letters and digits of any script, for a title may hold anything. */
export function fileName(title: string, extension: string): string {
  const words = title
    .normalize('NFC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\p{M}]+/gu, '-')
    .replace(/^-+|-+$/g, '');
  const short = [...words].slice(0, MOST).join('').replace(/-+$/, '');
  return `shoal-${short || 'conversation'}.${extension}`;
}
