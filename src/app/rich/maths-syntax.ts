import type { CompileContext, Extension as FromMarkdown, Token } from 'mdast-util-from-markdown';
import type { Code, Construct, Effects, Extension, State, TokenizeContext } from 'micromark-util-types';
import { MOST_FORMULA } from './caps.ts';

declare module 'micromark-util-types' {
  interface TokenTypeMap {
    formula: 'formula';
    formulaData: 'formulaData';
  }
}

const DOLLAR = 36;
const BACKSLASH = 92;
const [ROUND_OPEN, ROUND_CLOSE, SQUARE_OPEN, SQUARE_CLOSE] = [40, 41, 91, 93];

/**
 * Formulas among words: `$…$`, `$$…$$`, `\(…\)` and `\[…\]`. micromark-extension-math knows the dollars only, and
 * takes "$5 and $10" for a formula; here the rules are Pandoc's: no space inside the dollars, and no letter or digit
 * outside.
 */
export function mathsSyntax(): Extension {
  const construct: Construct = { name: 'formula', tokenize, previous };
  return { text: { [DOLLAR]: construct, [BACKSLASH]: construct } };
}

function tokenize(this: TokenizeContext, effects: Effects, ok: State, nok: State): State {
  const { previous: outside } = this;
  let closing: number[] = [];
  let last: Code = null;
  let size = 0;
  return start;

  function start(code: Code): State | undefined {
    effects.enter('formula');
    effects.enter('formulaData');
    effects.consume(code);
    return code === DOLLAR ? afterDollar : afterBackslash;
  }

  function afterDollar(code: Code): State | undefined {
    if (code === DOLLAR) {
      closing = [DOLLAR, DOLLAR];
      effects.consume(code);
      return first;
    }
    if (isSpace(code) || isWordy(outside)) return nok(code);
    closing = [DOLLAR];
    return inside(code);
  }

  function afterBackslash(code: Code): State | undefined {
    if (code !== ROUND_OPEN && code !== SQUARE_OPEN) return nok(code);
    closing = [BACKSLASH, code === ROUND_OPEN ? ROUND_CLOSE! : SQUARE_CLOSE!];
    effects.consume(code);
    return first;
  }

  /** Not a third dollar, and not nothing. */
  function first(code: Code): State | undefined {
    return code === DOLLAR ? nok(code) : inside(code);
  }

  function inside(code: Code): State | undefined {
    if (code === null || size > MOST_FORMULA) return nok(code);
    if (code === DOLLAR) return dollar(code);
    if (isLineEnd(code)) return lineEnd(code);
    size++;
    last = code;
    effects.consume(code);
    return code === BACKSLASH ? escaped : inside;
  }

  function lineEnd(code: Code): State | undefined {
    effects.exit('formulaData');
    effects.enter('lineEnding');
    effects.consume(code);
    effects.exit('lineEnding');
    last = code;
    return (next: Code) => {
      effects.enter('formulaData');
      // A token has at least one character.
      return next === null || isLineEnd(next) ? nok(next) : inside(next);
    };
  }

  function escaped(code: Code): State | undefined {
    if (closing[0] === BACKSLASH) {
      if (code === closing[1]) return close(code);
      // One inside another is none; and so many openings take no square of the time.
      if (code === ROUND_OPEN || code === SQUARE_OPEN) return nok(code);
    }
    if (code === null || code < 0) return inside(code);
    size++;
    last = code;
    effects.consume(code);
    return inside;
  }

  function dollar(code: Code): State | undefined {
    if (closing[0] === BACKSLASH) return nok(code);
    if (closing.length === 1) return isSpace(last) ? nok(code) : close(code);
    effects.consume(code);
    return (next: Code) => (next === DOLLAR && size > 0 ? close(next) : nok(next));
  }

  function close(code: Code): State | undefined {
    effects.consume(code);
    effects.exit('formulaData');
    effects.exit('formula');
    return (next: Code) => (closing[0] === DOLLAR && isWordy(next) ? nok(next) : ok(next));
  }
}

/** A second dollar begins nothing that the first did not. */
function previous(this: TokenizeContext, code: Code): boolean {
  return code !== DOLLAR || this.events.at(-1)?.[1].type === 'characterEscape';
}

/** micromark's codes for carriage return, line feed, and both; tabs and virtual spaces are above. */
function isLineEnd(code: number): boolean {
  return code < -2;
}

function isSpace(code: Code): boolean {
  return code === null || code < 0 || code === 32;
}

function isWordy(code: Code): boolean {
  return code !== null && code > 0 && /[\p{L}\p{N}]/u.test(String.fromCodePoint(code));
}

/** Formulas become elements that `Parsed.tsx` knows: `span.formula`, with the brackets gone. */
export function mathsToTree(): FromMarkdown {
  return {
    enter: {
      formula(this: CompileContext, token: Token) {
        const source = this.sliceSerialize(token);
        const single = source[0] === '$' && source[1] !== '$';
        const display = source.startsWith('$$') || source.startsWith('\\[');
        const tex = source.slice(single ? 1 : 2, single ? -1 : -2);
        // An amount, a few words, and another amount.
        const words = single && /^\d[\d.,]*[\s(]+\p{L}{2,}/u.test(tex) && !/[\\^_=]/.test(tex);
        if (words) {
          this.enter({ type: 'text', value: source }, token);
          return;
        }
        const className = display ? ['formula', 'display'] : ['formula'];
        const data = {
          hName: 'span',
          hProperties: { className },
          hChildren: [{ type: 'text' as const, value: tex }],
        };
        this.enter({ type: 'inlineCode', value: tex, data }, token);
      },
    },
    exit: {
      formula(this: CompileContext, token: Token) {
        this.exit(token);
      },
    },
  };
}
