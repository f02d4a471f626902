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
    expect(parseOptions([])).toEqual({
      port: 8080,
      host: '0.0.0.0',
      data: 'data',
      models: [],
      layers: 'all',
      memory: null,
      help: false,
    });
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
      '--layers',
      '5-20',
      '--memory=1.5 GB',
    ];
    expect(parseOptions(argv)).toEqual({
      port: 9000,
      host: '127.0.0.1',
      data: '/srv/shoal',
      models: ['a.gguf', 'b'],
      layers: { start: 5, end: 20 },
      memory: 1_500_000_000,
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

  it('takes layers as all, none or a half-open range, from a flag or the environment', () => {
    for (const name of ['all', 'none'] as const) expect(parseOptions(['--layers', name]).layers).toBe(name);
    expect(parseOptions([], { SHOAL_LAYERS: '0-1' }).layers).toEqual({ start: 0, end: 1 });
    for (const bad of [
      '5',
      '5-5',
      '7-3',
      '-1-3',
      '1-',
      'ALL',
      '1-2-3',
      '1.5-3',
      '0-99999',
      '0-9999999999',
      ' 1-2',
    ])
      expect(refusal([`--layers=${bad}`])).toMatch(/^--layers takes all, none, or two layers a-b .*5-20/);
    expect(refusal([], { SHOAL_LAYERS: '3' })).toContain('SHOAL_LAYERS takes');
    expect(refusal(['--layers='])).toBe('--layers needs a value.');
  });

  it('takes a size with its unit', () => {
    const bytes = (size: string) => parseOptions(['--memory', size]).memory;
    expect(['512MB', '2gb', '1.5GiB', '64 MiB', '16000000B'].map(bytes)).toEqual([
      512e6,
      2e9,
      1.5 * 2 ** 30,
      64 * 2 ** 20,
      16e6,
    ]);
    for (const bad of ['2', '2G', '0GB', '-1GB', '15MB', 'lots', '1e3GB', '999999999999TB', '1GB2'])
      expect(refusal([`--memory=${bad}`])).toMatch(/^--memory takes a size .*512MB/);
    expect(refusal([], { SHOAL_MEMORY: 'much' })).toContain('SHOAL_MEMORY');
    expect(parseOptions([], { SHOAL_MEMORY: '' }).memory).toBe(null);
  });
});
