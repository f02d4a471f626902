/**
 * The ways llama.cpp cuts text before byte-pair merging, by the name a GGUF file gives in `tokenizer.ggml.pre`
 * (source: llama.cpp, src/llama-vocab.cpp). Each is a list of patterns applied one after the other; every match is
 * isolated, and so is the text between two matches.
 *
 * Patterns use no case folding: JavaScript folds U+017F to "s", llama.cpp does not.
 */
export interface PreTokenizer {
  patterns: readonly string[];
  /** A word that is a token as a whole is taken without merging. */
  ignoreMerges: boolean;
}

// \p{White_Space} and not \s: JavaScript's \s lacks U+0085 and has U+FEFF.
const SPACE = '\\p{White_Space}';
const OTHER = `[^${SPACE}\\p{L}\\p{N}]`;
const CONTRACTION = "'(?:[sS]|[tT]|[rR][eE]|[vV][eE]|[mM]|[lL][lL]|[dD])";
const RUNS_OF_SPACE = `${SPACE}*[\\r\\n]+|${SPACE}+(?!\\P{White_Space})|${SPACE}+`;

const GPT2 = `'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?${OTHER}+|${SPACE}+(?!\\P{White_Space})|${SPACE}+`;

function words(digits: string): string {
  return `${CONTRACTION}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|${digits}| ?${OTHER}+[\\r\\n]*|${RUNS_OF_SPACE}`;
}

const NOT_LOWER = '(?:(?![a-z])\\p{L})';
const NOT_UPPER = '(?:(?![A-Z])\\p{L})';

/** Words cut where a lower-case letter meets an upper-case one, the form of o200k vocabularies. */
function casedWords(suffix: string, digits: string): string {
  const lead = '[^\\r\\n\\p{L}\\p{N}]?';
  return [
    `${lead}${NOT_LOWER}*${NOT_UPPER}+${suffix}`,
    `${lead}${NOT_LOWER}+${NOT_UPPER}*${suffix}`,
    digits,
    ` ?${OTHER}+[\\r\\n/]*`,
    RUNS_OF_SPACE,
  ].join('|');
}

const gpt2: PreTokenizer = { patterns: [GPT2], ignoreMerges: false };
const singleDigits: PreTokenizer = { patterns: ['\\p{N}', GPT2], ignoreMerges: false };
const llama3: PreTokenizer = { patterns: [words('\\p{N}{1,3}')], ignoreMerges: true };
const qwen2: PreTokenizer = { patterns: [words('\\p{N}')], ignoreMerges: false };
const standard: PreTokenizer = {
  patterns: ['[\\p{P}$+<=>^~|]+', GPT2, '\\p{N}+', '[0-9][0-9][0-9]'],
  ignoreMerges: false,
};

const BY_NAME: ReadonlyMap<string, PreTokenizer> = new Map([
  ['default', standard],
  ...['gpt-2', 'gpt2', 'mpt', 'olmo', 'jais', 'phi-2', 'trillion', 'exaone4', 'gigachat', 'mellum'].map(
    (name): [string, PreTokenizer] => [name, gpt2],
  ),
  ...['smollm', 'starcoder', 'refact', 'command-r', 'codeshell', 'exaone', 'minerva-7b'].map(
    (name): [string, PreTokenizer] => [name, singleDigits],
  ),
  ...['llama-bpe', 'llama3', 'llama-v3', 'falcon3', 'pixtral', 'midm-2.0', 'lfm2'].map(
    (name): [string, PreTokenizer] => [name, llama3],
  ),
  ...['dbrx', 'smaug-bpe'].map((name): [string, PreTokenizer] => [name, { ...llama3, ignoreMerges: false }]),
  ...['qwen2', 'deepseek-r1-qwen', 'stablelm2', 'megrez', 'hunyuan', 'grok-2'].map(
    (name): [string, PreTokenizer] => [name, qwen2],
  ),
  ['tekken', { patterns: [casedWords('', '\\p{N}')], ignoreMerges: true }],
  ...['gpt-4o', 'llama4'].map((name): [string, PreTokenizer] => [
    name,
    { patterns: [casedWords(`(?:${CONTRACTION})?`, '\\p{N}{1,3}')], ignoreMerges: false },
  ]),
]);

export const preTokenizerNames: readonly string[] = [...BY_NAME.keys()];

/** The pre-tokenizer that a GGUF file names, or undefined when this build does not know it. */
export function preTokenizerByName(name: string): PreTokenizer | undefined {
  return BY_NAME.get(name);
}
