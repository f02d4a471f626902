import { describe, expect, it } from 'vitest';
import { RelayError } from './errors.ts';
import { parseOptions } from './options.ts';

const refusal = (argv: string[], env: NodeJS.ProcessEnv = {}) => {
  try {
    parseOptions(argv, env);
  } catch (error) {
    if (error instanceof RelayError && error.code === 'usage') return error.message;
    throw error;
  }
  return 'accepted';
};

describe('command line of the relay', () => {
  it('works with no flag at all', () => {
    expect(parseOptions([])).toEqual({ port: 8080, host: '0.0.0.0', data: 'data', models: [], help: false });
  });

  it('takes every flag, and --model more than once', () => {
    const argv = [
      '--port',
      '9000',
      '--host=127.0.0.1',
      '--data',
      '/srv/shoal',
      '--model',
      'a.gguf',
      '--model',
      'b',
    ];
    expect(parseOptions(argv)).toEqual({
      port: 9000,
      host: '127.0.0.1',
      data: '/srv/shoal',
      models: ['a.gguf', 'b'],
      help: false,
    });
  });

  it('lets a flag win over its environment variable', () => {
    const env = { SHOAL_PORT: '1234', SHOAL_HOST: '::1', SHOAL_DATA: 'd', SHOAL_MODEL: 'm.gguf' };
    expect(parseOptions(['--port', '4321'], env)).toMatchObject({
      port: 4321,
      host: '::1',
      data: 'd',
      models: ['m.gguf'],
    });
    expect(parseOptions([], { SHOAL_PORT: '' }).port).toBe(8080);
  });

  it('names the flag or the variable that is wrong', () => {
    for (const port of ['80a', '-1', '65536', '1e3', ' 80', '0x50', '999999999999'])
      expect(refusal([`--port=${port}`])).toContain(`--port takes a port from 0 to 65535, not "${port}"`);
    expect(refusal([], { SHOAL_PORT: 'http' })).toContain('SHOAL_PORT');
    expect(refusal(['--prot', '80'])).toContain('--prot');
    expect(refusal(['--port'])).toContain('--port');
    expect(refusal(['--data='])).toContain('--data needs a value');
    expect(refusal(['--model='])).toContain('--model');
    expect(refusal(['stray'])).toContain('stray');
  });
});
