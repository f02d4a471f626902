import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ApiError } from './errors.ts';
import { FIELDS } from './fields.ts';
import { checkRequest } from './parameters.ts';
import { fieldTable } from './testing/field-table.ts';

const CHAT = { model: 'm', messages: [{ role: 'user', content: 'hi' }] };
const TEXT = { model: 'm', prompt: 'hi' };

function refusal(endpoint: 'chat' | 'completions', more: object) {
  try {
    checkRequest(endpoint, { ...(endpoint === 'chat' ? CHAT : TEXT), ...more });
  } catch (error) {
    expect(error).toBeInstanceOf(ApiError);
    const { status, param, code } = error as ApiError;
    expect(status).toBe(400);
    return { param, code };
  }
  return null;
}

describe('the options of a request', () => {
  it("have OpenAI's defaults, and ours off", () => {
    expect(checkRequest('chat', CHAT)).toEqual({
      model: 'm',
      prompt: { messages: [{ role: 'user', content: 'hi' }] },
      sampling: {
        temperature: 1,
        topP: 1,
        topK: 0,
        minP: 0,
        repetitionPenalty: 1,
        repetitionWindow: 64,
        seed: null,
      },
      maxTokens: undefined,
      stop: [],
      logprobs: null,
      route: null,
      stream: false,
      includeUsage: false,
    });
    expect(checkRequest('completions', TEXT)).toMatchObject({ prompt: { text: 'hi' }, maxTokens: 16 });
  });

  it('take null for their default', () => {
    const nulls = Object.fromEntries(
      FIELDS.filter(({ name, endpoints }) => endpoints.includes('chat') && !(name in CHAT)).map(
        ({ name }) => [name, null],
      ),
    );
    expect(checkRequest('chat', { ...CHAT, ...nulls })).toEqual(checkRequest('chat', CHAT));
  });

  it('reach the question', () => {
    const given = {
      ...CHAT,
      temperature: 0.5,
      top_p: 0.9,
      top_k: 7,
      min_p: 0.1,
      repetition_penalty: 1.2,
      seed: -3,
      max_completion_tokens: 9,
      stop: 'x',
      logprobs: true,
      top_logprobs: 4,
      route: 'own',
      stream: true,
      stream_options: { include_usage: true, include_obfuscation: false },
    };
    expect(checkRequest('chat', given)).toMatchObject({
      sampling: { temperature: 0.5, topP: 0.9, topK: 7, minP: 0.1, repetitionPenalty: 1.2, seed: -3 },
      maxTokens: 9,
      stop: ['x'],
      logprobs: 4,
      route: 'own',
      stream: true,
      includeUsage: true,
    });
  });

  it.each([
    // What LangChain, LibreChat, Open WebUI and Continue send beside the conversation.
    { n: 1, temperature: 0.7, stream: true, stream_options: { include_usage: true } },
    { n: 1, top_p: 1, presence_penalty: 0, frequency_penalty: 0, user: 'u', logit_bias: {} },
    { tools: [], tool_choice: 'auto', parallel_tool_calls: true, response_format: { type: 'text' } },
    {
      metadata: { chat: '1' },
      safety_identifier: 's',
      store: false,
      service_tier: 'auto',
      modalities: ['text'],
    },
    { max_tokens: 5, max_completion_tokens: 5, stop: ['a', 'b', 'c', 'd'], reasoning_effort: 'none' },
  ])('that change nothing are taken: %j', (more) => {
    expect(refusal('chat', more)).toBeNull();
  });

  it.each([
    ['tools', [{ type: 'function', function: { name: 'f' } }]],
    ['functions', [{ name: 'f' }]],
    ['tool_choice', 'required'],
    ['n', 2],
    ['logit_bias', { 5: 1 }],
    ['presence_penalty', 0.1],
    ['frequency_penalty', -0.1],
    ['response_format', { type: 'json_object' }],
    ['response_format', { type: 'json_schema', json_schema: {} }],
    ['modalities', ['text', 'audio']],
    ['audio', { voice: 'x' }],
    ['prediction', { type: 'content', content: '' }],
    ['web_search_options', {}],
    ['service_tier', 'flex'],
    ['store', true],
    ['reasoning_effort', 'low'],
    ['metadata', { a: 1 }],
    ['metadata', { a: 'x'.repeat(513) }],
    ['temperature', 2.1],
    ['temperature', '1'],
    ['top_p', -1],
    ['max_tokens', 0],
    ['max_tokens', 1.5],
    ['seed', 2 ** 60],
    ['stop', ['a', 'b', 'c', 'd', 'e']],
    ['stop', ['']],
    ['stream', 'yes'],
    ['top_logprobs', 3],
    ['route', 'local'],
    ['model', ''],
    ['messages', []],
    ['privacy', 'light'],
    ['best_of', 1],
    ['__proto__x', 1],
  ])('that cannot be kept are refused by name: %s = %j', (name, value) => {
    expect(refusal('chat', { [name]: value })?.param).toBe(name);
  });

  it.each([
    ['best_of', 2],
    ['suffix', 'x'],
    ['echo', true],
    ['logprobs', 6],
    ['prompt', [1, 2]],
    ['prompt', ['a', 'b']],
    ['prompt', null],
    ['messages', []],
  ])('of completions too: %s = %j', (name, value) => {
    expect(refusal('completions', { [name]: value })?.param).toBe(name);
  });

  it('refuse a stranger by name, prototypes included', () => {
    const body = JSON.parse(
      '{"model":"m","messages":[{"role":"user","content":"x"}],"__proto__":{"n":2}}',
    ) as object;
    expect(() => checkRequest('chat', body)).toThrow('__proto__');
    for (const body of [null, [], 'x', 1]) expect(() => checkRequest('chat', body)).toThrow(ApiError);
  });

  it('are the ones in docs/api.md', () => {
    const page = readFileSync(new URL('../../docs/api.md', import.meta.url), 'utf8');
    expect(page).toContain(fieldTable());
  });
});

describe('messages', () => {
  it('are text or parts of text, with developer as system', () => {
    const messages = [
      { role: 'developer', content: 'be brief' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'a' },
          { type: 'text', text: 'b' },
        ],
      },
      // As the API itself gave it.
      { role: 'assistant', content: '', refusal: null, tool_calls: [] },
      { role: 'user', content: 'half \ud83d of a pair' },
    ];
    expect(checkRequest('chat', { model: 'm', messages }).prompt).toEqual({
      messages: [
        { role: 'system', content: 'be brief' },
        { role: 'user', content: 'ab' },
        { role: 'assistant', content: '' },
        { role: 'user', content: 'half \ufffd of a pair' },
      ],
    });
  });

  it.each([
    [{ role: 'tool', content: 'x', tool_call_id: '1' }, 'messages[0].role'],
    [{ role: 'constructor', content: 'x' }, 'messages[0].role'],
    [{ role: 'user' }, 'messages[0].content'],
    [{ role: 'user', content: null }, 'messages[0].content'],
    [{ role: 'user', content: 'x', name: 'Ann' }, 'messages[0].name'],
    [{ role: 'assistant', content: '', tool_calls: [{}] }, 'messages[0].tool_calls'],
    [
      { role: 'user', content: [{ type: 'image_url', image_url: { url: 'x' } }] },
      'messages[0].content[0].type',
    ],
    [{ role: 'user', content: [{ type: 'input_audio' }] }, 'messages[0].content[0].type'],
    [{ role: 'user', content: [{ type: 'text', text: 5 }] }, 'messages[0].content[0].text'],
    ['hi', 'messages[0]'],
  ])('are refused by place: %j', (message, param) => {
    expect(refusal('chat', { messages: [message] })?.param).toBe(param);
  });
});
