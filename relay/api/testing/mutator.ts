import { FIELDS } from '../fields.ts';
import { MODEL } from './engine-answers.ts';

interface Template {
  path: string;
  body: Record<string, unknown>;
}

/** Good requests, small ones, with every kind of option. */
export const VALID: readonly Template[] = [
  {
    path: '/v1/chat/completions',
    body: { model: MODEL, messages: [{ role: 'user', content: 'hi' }], max_tokens: 1, temperature: 0 },
  },
  {
    path: '/v1/chat/completions',
    body: {
      model: MODEL,
      messages: [
        { role: 'system', content: [{ type: 'text', text: 'é😀' }] },
        { role: 'user', content: 'x' },
      ],
      max_completion_tokens: 2,
      stream: true,
      stream_options: { include_usage: true },
      logprobs: true,
      top_logprobs: 2,
      stop: ['a', 'bc'],
      seed: 7,
      top_k: 4,
      n: 1,
      metadata: { a: 'b' },
    },
  },
  {
    path: '/v1/completions',
    body: {
      model: MODEL,
      prompt: 'a',
      max_tokens: 1,
      logprobs: 1,
      min_p: 0.1,
      repetition_penalty: 1.1,
      user: 'u',
    },
  },
  { path: '/v1/completions', body: { model: MODEL, prompt: ['b'], max_tokens: 2, stream: true, best_of: 1 } },
];

/** Values that programs trip over. */
const VALUES: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -0,
  1,
  -1,
  2,
  1.5,
  1e308,
  -1e-308,
  2 ** 53,
  '',
  'x',
  '0',
  '\u0000',
  '\ud800',
  '../../etc/passwd',
  '%00',
  'null',
  'x'.repeat(600),
  [],
  [[]],
  [null],
  {},
  { type: 'text' },
  { type: 'text', text: 1 },
  { role: 'user', content: 'x' },
  { toString: 1 },
  { length: -1 },
];
const NAMES = [
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  '',
  '\u0000',
  'tools',
  'name',
  ...FIELDS.map(({ name }) => name),
];
const TYPES = [
  'application/json; charset=utf-8',
  'text/plain',
  'application/json; charset=utf-16',
  'application/json;;;=',
  '',
  'multipart/form-data; boundary=x',
];
const PATHS = [
  '/v1/models',
  `/v1/models/${MODEL}`,
  '/v1/models/%2e%2e',
  '/v1/',
  '/v1/embeddings',
  '/v1/chat/completions/',
];

/** Breaks good requests at the level of bytes, of JSON and of HTTP; the same seed breaks them alike. */
export class Mutator {
  count = 0;
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  next(): { method: string; path: string; headers: Record<string, string>; body: Buffer | null } {
    this.count++;
    const template = this.#pick(VALID);
    const mutant = {
      method: 'POST',
      path: template.path,
      headers: { 'Content-Type': 'application/json' } as Record<string, string>,
      body: Buffer.from(JSON.stringify(template.body)) as Buffer | null,
    };
    const kind = this.#below(100);
    if (kind < 45) mutant.body = this.#breakJson(template.body);
    else if (kind < 80) mutant.body = this.#breakBytes(mutant.body!);
    else if (kind < 86) mutant.headers['Content-Type'] = this.#pick(TYPES);
    else if (kind < 88) mutant.headers['Content-Encoding'] = this.#pick(['gzip', 'br', 'identity', 'x', '']);
    else if (kind < 92) mutant.method = this.#pick(['PUT', 'PATCH', 'DELETE', 'GET', 'HEAD', 'TRACE']);
    else if (kind < 96)
      mutant.path = this.#pick(PATHS) + this.#pick(['', '?', '?route=own', '?route=x', '#x']);
    else if (kind < 97)
      mutant.path += this.#pick(['?route=network', '?route=%00', '?route=auto&route=x', '?x']);
    else if (kind < 98) mutant.headers['x-shoal-route'] = this.#pick(['own', 'x', '', 'auto, own']);
    else if (kind < 99)
      mutant.headers.Authorization = this.#pick([
        'Bearer',
        'Bearer x',
        'Basic eDp4',
        'Bearer sk-shoal-x',
        '',
      ]);
    else mutant.body = Buffer.alloc(256 * 1024 + 1 + this.#below(1000), this.#pick(['[', '"', ' ', '{"a":']));
    if (mutant.method === 'GET' || mutant.method === 'HEAD' || mutant.method === 'TRACE') mutant.body = null;
    if (mutant.path.startsWith('/v1/models') && this.#below(2) === 0) {
      mutant.method = 'GET';
      mutant.body = null;
    }
    return mutant;
  }

  /** A whole request, head included, with a few bytes wrong. */
  nextRaw(): Buffer {
    this.count++;
    const { path, body } = this.#pick(VALID);
    const text = JSON.stringify(body);
    const head = [
      `POST ${path} HTTP/1.1`,
      'Host: localhost',
      'Content-Type: application/json',
      `Content-Length: ${Buffer.byteLength(text)}`,
      'Connection: close',
    ];
    return this.#breakBytes(Buffer.from(`${head.join('\r\n')}\r\n\r\n${text}`));
  }

  #breakJson(body: Record<string, unknown>): Buffer {
    if (this.#below(40) === 0) return Buffer.from(JSON.stringify(this.#pick(VALUES)));
    const copy = structuredClone(body);
    const times = 1 + this.#below(3);
    for (let i = 0; i < times; i++) {
      const spots = spotsOf(copy);
      if (spots.length === 0) break;
      const [parent, key] = this.#pick(spots);
      const what = this.#below(4);
      // Copies, for they are broken further.
      if (what === 0) parent[key] = structuredClone(this.#pick(VALUES));
      else if (what === 1) Reflect.deleteProperty(parent, key);
      else if (what === 2)
        Object.defineProperty(parent, this.#pick(NAMES), {
          value: structuredClone(this.#pick(VALUES)),
          enumerable: true,
          configurable: true,
          writable: true,
        });
      else parent[key] = nest(parent[key], this.#below(40));
    }
    return Buffer.from(JSON.stringify(copy));
  }

  #breakBytes(bytes: Buffer): Buffer {
    let out = Buffer.from(bytes);
    const times = 1 + this.#below(4);
    for (let i = 0; i < times; i++) {
      const at = this.#below(out.length + 1);
      const what = this.#below(5);
      const some = Buffer.from(
        this.#pick([
          '"',
          '\\',
          ',',
          '{',
          '}',
          '[',
          ']',
          '\u0000',
          '\xff',
          'é',
          'NaN',
          '1e999',
          '\\ud800',
          '\r\n',
          ':',
        ]),
        'latin1',
      );
      if (what === 0) out = Buffer.concat([out.subarray(0, at), some, out.subarray(at)]);
      else if (what === 1) out = Buffer.concat([out.subarray(0, at), out.subarray(at + 1 + this.#below(8))]);
      else if (what === 2 && at < out.length) out[at] = this.#below(256);
      else if (what === 3) out = out.subarray(0, at);
      else out = Buffer.concat([out.subarray(0, at), out.subarray(this.#below(out.length + 1))]);
      if (out.length > 4_096) out = out.subarray(0, 4_096);
    }
    return out;
  }

  #pick<T>(list: readonly T[]): T {
    return list[this.#below(list.length)]!;
  }

  /** The Lehmer generator of Park and Miller. */
  #below(limit: number): number {
    this.#state = (this.#state * 48_271) % 2_147_483_647;
    return this.#state % limit;
  }
}

/** Every place of a value in its parent. */
function spotsOf(value: unknown): [Record<string, unknown>, string][] {
  if (typeof value !== 'object' || value === null) return [];
  const parent = value as Record<string, unknown>;
  return Object.keys(parent).flatMap((key) => [
    [parent, key] as [Record<string, unknown>, string],
    ...spotsOf(parent[key]),
  ]);
}

function nest(value: unknown, depth: number): unknown {
  return depth === 0 ? value : [nest(value, depth - 1)];
}
