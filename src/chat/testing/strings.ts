import { Random } from '../random.ts';

/** Texts on which tokenizers are known to differ. */
const HAND_PICKED: readonly string[] = [
  '',
  ' ',
  '  ',
  '\n',
  '\n\n\n',
  '\r\n',
  '\r\n\r\n  x',
  '\t\tif (x) {\r\n\t\t\treturn 1;\r\n\t\t}\r\n',
  'a\u00a0b \u00a0 c\u202f\u3000d\u0085e\ufefff\u200bg\u2028h\u2029i\u1680j\u180ek',
  "I'm he's they'll we've you're I'd don't 'S 'T 'RE 'VE 'M 'LL 'D 'ſ 'K",
  "O'Brien's dogs' 'quoted' ''''s''t",
  '0 1 12 123 1234 12345 123456 1234567 3.14159 1,000,000 ٠١٢٣ ०१२ ½⅓ ² ⅷ ㊿ 𝟘𝟙𝟚 1²3',
  'naïve café Ångström Å A\u030a e\u0301\u0301\u0301 ñ n\u0303 Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢',
  '👨‍👩‍👧‍👦 🏳️‍🌈 👍🏽 🇩🇪🇫🇷 ❤️ ☃︎ 😀😀😀 a😀b 1️⃣ 🫠🪿',
  'العربية مَرْحَبًا עִבְרִית \u202eRTL\u202c \u200fabc\u200e فارسی‌نیم‌فاصله',
  '日本語のテキスト、中文字符。한국어 텍스트 ภาษาไทย हिन्दी বাংলা தமிழ் ქართული Ελληνικά Русский',
  'const f = (x: number): string => `$' + '{x ** 2}`; // ¯\\_(ツ)_/¯',
  'def f(a, *b, **c):\n    """doc"""\n    return {k: v for k, v in c.items() if v is not None}\n\n\n\nclass X: pass',
  '{"a":[1,2.5e-10,null,true],"b":{"c":"\\u00e9\\n"},"d":""}',
  '<html><body class="x">&nbsp;<!-- c --></body></html>',
  'https://example.com/a_b-c?d=e%20f&g=h#i user@example.com #tag @name $100 €5 £3 50% ~/.x',
  '$$\\sum_{i=0}^{n} x_i^{2} \\leq \\infty$$ ∀x∈ℝ: x²≥0 → ∎',
  '...---===___***!!!???,,,;;;:::((([[[{{{<<<>>>}}}]]])))|||&&&^^^~~~```"""\'\'\'',
  '\u0000\u0001\u0002\u001b[31mred\u001b[0m\u007f\u0080\u009f a\u0000b',
  'camelCaseHTTPServer XMLHttpRequest ÉCOLEécole ǅ ǆ ß ẞ İı ŉ iPhone ABCdefGHI',
  '\ud800 lone \udfff surrogates \ud83d',
  '\ufffd\ufffe\uffff\u{10ffff}\u{1fffe}\u{e0001}\u{f0000}',
  '<|im_start|>system\nYou are<|im_end|>\n<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n',
  '<|im_start|><|im_end|><|endoftext|>',
  '<|im_<|im_end|>end|> <|im_start|  <|im_end|>x <repo_name>y<file_sep> <|IM_END|> < |im_end|>',
  '<|im_end|>\n\n <|im_end|>  <|im_end|>',
  '▁ ▁▁a ▁b <0x41> <0x0A> <s></s> <unk> Ġ Ċ ĠĊĉ',
  ' '.repeat(300),
  `${' '.repeat(255)}x`,
  '\n'.repeat(200),
  `a${'\t'.repeat(70)}b`,
  'a'.repeat(700),
  'ab'.repeat(300),
  '='.repeat(333),
  '😀'.repeat(120),
  'ก'.repeat(200),
  '1'.repeat(100),
];

const WORDS =
  "the of and to a in is was he for it with as his on be at by I this had not are but from or have an they which one you were all her she there would their we him been has when who will no more if out so up said what its about than into them can only other time new some could these two may first then do any like my now over such our man me even most made after also did many off before must well back through years where much your way down should because long each just state those people too mr how little good world make very year still see own work men day get here between both life being under three never know same last another while us might great go come since against right came take used himself few house use during without again place American around however home small found Mrs thought went say part once general high upon school every don't internationalization tokenizer 東京 über größte œuvre année niño jalapeño Москва привет γειά".split(
    ' ',
  );

const PIECES = [
  ' ',
  '  ',
  '   ',
  '\n',
  '\n\n',
  '\r\n',
  '\r',
  '\t',
  '\u00a0',
  '\u3000',
  '\u0085',
  "'s",
  "'LL",
  "'",
  '"',
  '.',
  ', ',
  '1',
  '42',
  '2024',
  '१२',
  '²',
  '<|im_end|>',
  '<|im_start|>',
  '<|endoftext|>',
  '<',
  '|>',
  '{',
  '}',
  '();',
  '=>',
  '\\n',
  '://',
  '_',
  '-',
  '😀',
  '👩‍💻',
  '\u0301',
  '\u200d',
  '\u202e',
  'Å',
  '字',
  'ね',
  'ü',
  'Ж',
  'א',
  'ع',
  '\u0000',
  '\u001f',
  '▁',
  '<0x0A>',
];

/** Ranges of code points, so that blocks in use come up more often than the empty planes. */
const RANGES: readonly (readonly [number, number])[] = [
  [0x20, 0x7e],
  [0x00, 0xff],
  [0x100, 0x24f],
  [0x250, 0x6ff],
  [0x700, 0x1fff],
  [0x2000, 0x2bff],
  [0x2c00, 0xd7ff],
  [0xe000, 0xffff],
  [0x10000, 0x10fff],
  [0x11000, 0x1ffff],
  [0x1f300, 0x1faff],
  [0x20000, 0x3ffff],
  [0xe0000, 0xe01ff],
  [0x0, 0x10ffff],
];

/**
 * Letters and digits of Unicode 16 and 17. llama.cpp's tables are those of Unicode 15.1, the JavaScript engine's are its
 * own (Node 20.20: 17.0), so these are the only code points of all on which the two classes of a character differ
 * (every code point was compared). Text in these scripts is left out.
 */
const NEWER_THAN_LLAMA_CPP = new RegExp(
  `[${(
    '88f c5c cdc 1c89-1c8a a7cb-a7cf a7d2 a7d4 a7da-a7dc a7f1 105c0-105f3 10940-10959 10d40-10d65 10d6f-10d85 ' +
    '10ec2-10ec7 11380-113d3 116d0-116e3 11bc0-11be0 11bf0-11bf9 11db0-11ddb 11de0-11de9 13460-143fa 16100-1611d ' +
    '16130-16139 16d40-16d6c 16d70-16d79 16ea0-16ed3 16ff2-16ff6 187f8-187ff 18cff 18d09-18d1e 18d80-18df2 ' +
    '1ccf0-1ccf9 1e5d0-1e5ed 1e5f0-1e5fa 1e6c0-1e6ff 2b73a-2b73f 2cea2-2cead 323b0-33479'
  )
    .split(' ')
    .map((range) => range.replace(/[0-9a-f]+/g, (point) => `\\u{${point}}`))
    .join('')}]`,
  'u',
);

/** `count` texts, the same for the same seed: the hand-picked ones, then mixtures of words, pieces and code points. */
export function sampleStrings(count: number, seed: number): string[] {
  const random = new Random(seed);
  const below = (n: number) => Math.floor(random.next() * n);
  const pick = <T>(from: readonly T[]): T => from[below(from.length)]!;
  const codePoint = () => {
    const [low, high] = pick(RANGES);
    const point = low + below(high - low + 1);
    const character = point >= 0xd800 && point < 0xe000 ? 'x' : String.fromCodePoint(point);
    return NEWER_THAN_LLAMA_CPP.test(character) ? 'x' : character;
  };
  const strings = [...HAND_PICKED];
  while (strings.length < count) {
    const kind = below(4);
    let text = '';
    for (let parts = 1 + below(24); parts > 0; parts--) {
      if (kind === 0) text += codePoint();
      else if (kind === 1) text += pick(PIECES);
      else if (kind === 2) text += `${text && below(4) ? ' ' : ''}${pick(WORDS)}`;
      else text += below(3) === 0 ? codePoint() : below(2) === 0 ? pick(PIECES) : pick(WORDS);
    }
    strings.push(text);
  }
  return strings.slice(0, count);
}
