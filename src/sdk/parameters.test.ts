import { describe, expect, it } from 'vitest';
import { DEFAULT_SAMPLING } from '../chat/index.ts';
import { ShoalError } from './errors.ts';
import { checkParameters } from './parameters.ts';

const messages = [{ role: 'user', content: 'Hello' }];
const refusal = (given: unknown): ShoalError => {
  try {
    checkParameters(given, () => 7);
  } catch (error) {
    if (error instanceof ShoalError) return error;
    throw error;
  }
  throw new Error('It was taken.');
};

describe('an absurd parameter is refused by name', () => {
  const absurd: [string, unknown][] = [
    ['temperature', -1],
    ['temperature', Number.NaN],
    ['temperature', '0.5'],
    ['temperature', 1e300],
    ['top_p', -0.01],
    ['top_p', 1.01],
    ['top_k', 2.5],
    ['min_p', -0.1],
    ['repetition_penalty', 0],
    ['max_tokens', 0],
    ['max_tokens', Number.POSITIVE_INFINITY],
    ['max_tokens', 1e18],
    ['seed', 0.1],
    ['stop', ['a', 'b', 'c', 'd', 'e']],
    ['stop', ''],
    ['stop', [1]],
    ['stream', 'yes'],
    ['route', 'moon'],
    ['privacy', 'public'],
    ['while_loading', 'hope'],
    ['continue_final_message', 'yes'],
    ['continue_final_message', true],
    ['model', 5],
    ['signal', {}],
    ['messages', []],
    ['messages', 'Hello'],
    ['messages', [{ role: 'wizard', content: '' }]],
    ['messages', [{ role: 'user', content: null }]],
    ['messages', [null]],
    ['frequency_penalty', 1],
    ['constructor', 1],
  ];
  it.each(absurd)('%s = %j', (name, value) => {
    const error = refusal({ messages, [name]: value });
    expect(error.code).toBe('bad-request');
    expect(error.param).toBe(name);
    expect(error.message.length).toBeLessThan(300);
  });

  it.each([undefined, null, 'text', 5, []])('%j instead of parameters', (given) => {
    expect(refusal(given).code).toBe('bad-request');
  });

  it('more text than a tab should hold is refused before anything is done', () => {
    const content = 'x'.repeat(3_000_000);
    const error = refusal({ messages: [0, 1, 2].map(() => ({ role: 'user', content })) });
    expect(error.param).toBe('messages');
  });
});

describe('what is taken', () => {
  it('every route and both kinds of privacy', () => {
    expect(checkParameters({ messages }, () => 7)).toMatchObject({ route: 'auto', privacy: 'private' });
    expect(checkParameters({ messages, route: 'network', privacy: 'light' }, () => 7)).toMatchObject({
      route: 'network',
      privacy: 'light',
    });
  });

  it('defaults are filled in, and the seed is the random one only when none was given', () => {
    const taken = checkParameters({ messages }, () => 7);
    expect(taken.sampling).toEqual({ ...DEFAULT_SAMPLING, seed: 7 });
    expect(taken.stop).toEqual([]);
    expect(checkParameters({ messages, seed: 1, stop: 'END' }, () => 7)).toMatchObject({
      sampling: { seed: 1 },
      stop: ['END'],
    });
  });
});
