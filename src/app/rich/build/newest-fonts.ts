import type { Plugin } from 'vite';

/**
 * KaTeX brings each of its 20 fonts in three formats, for browsers of ten years ago as well. The ones that this page
 * runs in all take woff2; the others would only be copied to every relay.
 */
export function newestFonts(): Plugin {
  return {
    name: 'newest-fonts',
    enforce: 'pre',
    transform(code, id) {
      if (!/[\\/]katex[\\/]dist[\\/][^?]*\.css/.test(id)) return null;
      return code.replace(/,\s*url\([^)]*\)\s*format\(["'](?:woff|truetype)["']\)/g, '');
    },
  };
}
