import { Agent, request } from 'node:http';

export interface Asked {
  /** Milliseconds from sending the question to the first text, and to the end. */
  firstMs: number;
  totalMs: number;
  tokens: number;
}

export interface Question {
  url: string;
  prompt: string;
  tokens: number;
  key?: string;
  /** Own address on the loopback network: the relay counts clients by it. */
  from?: string;
  /** Fields that only one of the two servers knows. */
  extra?: Record<string, unknown>;
}

// One socket per question at most, and none is kept: a client of its own each time.
const AGENT = new Agent({ keepAlive: false, maxSockets: Number.POSITIVE_INFINITY });

/**
 * Streams one greedy answer from an OpenAI-compatible server and takes its times.
 * @throws Error with the status and the body of a refusal
 */
export function ask({ url, prompt, tokens, key, from, extra }: Question): Promise<Asked> {
  const body = JSON.stringify({
    model: 'smollm2-135m-instruct.q4-1',
    messages: [{ role: 'user', content: prompt }],
    max_tokens: tokens,
    temperature: 0,
    stream: true,
    stream_options: { include_usage: true },
    ...extra,
  });
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const outgoing = request(
      `${url}/v1/chat/completions`,
      {
        method: 'POST',
        agent: AGENT,
        localAddress: from,
        headers: {
          'Content-Type': 'application/json',
          'Content-Length': Buffer.byteLength(body),
          ...(key ? { Authorization: `Bearer ${key}` } : {}),
        },
      },
      (response) => {
        let text = '';
        let first = 0;
        let counted = 0;
        response.setEncoding('utf8');
        response.on('data', (part: string) => {
          text += part;
          if (first === 0 && /"content":\s*"[^"]/.test(text)) first = performance.now();
        });
        response.on('error', reject);
        response.on('end', () => {
          const usage = /"completion_tokens":\s*(\d+)/g;
          for (const found of text.matchAll(usage)) counted = Number(found[1]);
          if (response.statusCode !== 200 || counted === 0 || !text.includes('[DONE]'))
            return reject(new Error(`${response.statusCode}: ${text.slice(0, 300)}`));
          const ended = performance.now();
          resolve({ firstMs: (first || ended) - started, totalMs: ended - started, tokens: counted });
        });
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

const WORDS =
  'shoal water silver current follow turn light deep many small swift together drift gather scatter bright'.split(
    ' ',
  );

/** A prompt of about that many words, different for each number, so that no cache helps. */
export function promptOf(number: number, words = 48): string {
  let seed = number * 2_654_435_761 + 1;
  const next = () => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return WORDS[seed % WORDS.length]!;
  };
  return `Story ${number}. ${Array.from({ length: words }, next).join(' ')}. Continue.`;
}
