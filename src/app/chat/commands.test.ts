import { describe, expect, test } from 'vitest';
import { COMMANDS, offered, readEntry } from './commands.ts';

describe('slash commands', () => {
  test('a slash offers all of them, and letters narrow them down', () => {
    expect(offered('/')).toEqual([...COMMANDS]);
    expect(offered('/s')).toEqual(['stop', 'system', 'share', 'settings']);
    expect(offered('/NE')).toEqual(['new', 'network']);
    expect(offered('/xyz')).toEqual([]);
  });

  test('nothing is offered for a message', () => {
    for (const text of ['', 'hello', ' /new', '//', '/new ', '/etc/hosts', '/new\n']) {
      expect(offered(text)).toEqual([]);
    }
  });

  test('a command is taken with blanks around it, in any case', () => {
    expect(readEntry(' /New \n')).toEqual({ kind: 'command', name: 'new', text: '' });
    expect(readEntry('/system You are\na fish.')).toEqual({
      kind: 'command',
      name: 'system',
      text: 'You are\na fish.',
    });
  });

  test('a message that begins with a slash is sent as it is', () => {
    for (const text of ['/etc/hosts is what?', '/unknown', '/', '/new things to learn', '/1']) {
      expect(readEntry(text)).toEqual({ kind: 'message', text });
    }
  });

  test('two slashes send a message that begins with one', () => {
    expect(readEntry('//new')).toEqual({ kind: 'message', text: '/new' });
    expect(readEntry('// a comment')).toEqual({ kind: 'message', text: '/ a comment' });
  });
});
