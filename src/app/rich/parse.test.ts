import { createElement } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';
import { describe, expect, it } from 'vitest';
import { blocksOf } from './blocks.ts';
import { clean } from './clean.ts';
import { headingLevels } from './levels.ts';
import { Parsed } from './Parsed.tsx';
import { addressOf, placeOf } from './tidy.ts';

const html = (source: string, definitions = '', growing = false) =>
  renderToStaticMarkup(createElement(Parsed, { source, definitions, growing, level: 2 }));

describe('what a model writes', () => {
  it('HTML is text, and the Markdown around it still counts', () => {
    expect(html('<img src=x onerror=alert(1)> **b** <script>alert(1)</script>')).toBe(
      '<p dir="auto">&lt;img src=x onerror=alert(1)&gt; <strong>b</strong> &lt;script&gt;alert(1)&lt;/script&gt;</p>',
    );
    expect(html('<div>\n\n# a')).not.toContain('<div>');
  });

  it('links lead outside only, tell nothing to where they lead, and show where that is', () => {
    expect(html('[here](https://a.example/b)')).toBe(
      '<p dir="auto"><a href="https://a.example/b" title="https://a.example/b" target="_blank" ' +
        'rel="noopener noreferrer nofollow">here</a><small class="rich-place"> (a.example)</small></p>',
    );
    for (const href of [
      'javascript:alert(1)',
      '//a.example',
      '/status',
      '#/settings',
      'data:text/html,x',
      'blob:x',
    ]) {
      expect(html(`[here](${href})`)).not.toContain('<a');
    }
    expect(html('[a](https://bank.example@evil.example/)')).not.toContain('<a');
    expect(html('https://a.example/x and www.b.example')).toMatch(
      /<a href="https:\/\/a\.example\/x".*<a href="http:\/\/www\.b/,
    );
    expect(html('[here][1]', '[1]: https://a.example')).toContain('href="https://a.example/"');
  });

  it('words that name another host do not hide the true one', () => {
    const evil = addressOf('https://evil.example/')!;
    expect(placeOf(evil, 'bank.example')).toBe('evil.example');
    expect(placeOf(evil, 'https://bank.example.evil.example')).toBe('evil.example');
    expect(placeOf(evil, 'https://evil.example/x')).toBeNull();
    expect(placeOf(addressOf('https://аpple.example')!, 'аpple.example')).toMatch(/^xn--/);
  });

  it('a picture becomes a link, and inside a link words', () => {
    expect(html('![a cat](https://a.example/c.png)')).toContain('>Picture: a cat</a>');
    expect(html('![](https://a.example/c.png)')).toContain('>Picture</a>');
    expect(html('[![a cat](https://a.example/c.png)](https://b.example)').match(/<a /g)).toHaveLength(1);
    expect(html('![a](x) ![b](data:image/png;base64,AA)')).not.toMatch(/<a |<img/);
  });

  it('tables, tasks, struck words and code in a list are what they look like', () => {
    expect(html('|a|b|\n|:-|-:|\n|c|d|')).toMatch(/role="group".*<th dir="auto" style="text-align:left">a/);
    expect(html('- [x] done\n- [ ] not')).toMatch(/aria-label="Done".*aria-label="Not done"/s);
    expect(html('~~a~~ ~b~')).toContain('<del>a</del> ~b~');
    expect(html('- a\n  ```js\n  x\n  ```')).toContain('<span>js</span>');
  });

  it('a line of dashes or marks below words is no heading while it is written', () => {
    expect(html('words\n-', '', true)).toBe('<p dir="auto">words</p>');
    expect(html('words\n---')).toBe('<p dir="auto">words</p>\n<hr/>');
    expect(html('a[^1]\n\n[^1]: see the book')).toContain('a[^1]');
  });
});

describe('formulas among words', () => {
  const formulas = (source: string) =>
    [...html(source).matchAll(/rich-source">([^<]*)</g)].map(([, tex]) => tex!.replaceAll('&gt;', '>'));

  it('are found in all four brackets', () => {
    expect(formulas('a $x$ b \\(y\\) c \\[z\\] d $$w$$.')).toEqual(['x', 'y', 'z', 'w']);
    expect(formulas('$a_1 * b_2 * c_3$ and $\\{x \\mid x > 0\\}$')).toEqual([
      'a_1 * b_2 * c_3',
      '\\{x \\mid x > 0\\}',
    ]);
    expect(formulas('- so\n  \\[\n  x = 1 \\\\[2pt]\n  y\n  \\]')).toEqual(['x = 1 \\\\[2pt]\ny']);
    expect(formulas('**bold $x$** and $1$ and ($2^n$)')).toEqual(['x', '1', '2^n']);
  });

  it('amounts of money, names and code are none', () => {
    for (const text of [
      'between $5 and $10',
      'from $5–$10, or $5/$10',
      'US$5 and US$6',
      '$20 (it was 30$)',
      '$HOME/bin:$PATH',
      'A$AP and B$C',
      '`$x$` and `\\(y\\)`',
      '\\$x\\$',
      '\\\\(x\\\\)',
      'costs 5$',
      '$$$',
      '\\(a \\(b',
    ]) {
      expect(formulas(text)).toEqual([]);
    }
  });
});

describe('answers that are made to cost', () => {
  it('nothing that passes the caps makes the parser fail or grow beyond them', () => {
    const bombs = [
      '*a**a*',
      '*a ',
      '**a *b ',
      '[a](b)',
      '![',
      '[',
      '`a``',
      '> ',
      '- ',
      '1. ',
      '_a __a ',
      '|a',
      '~~a~~b',
    ];
    for (const bomb of [
      ...bombs,
      '&amp;',
      '<a ',
      'http://a.',
      'a@b.cd ',
      '\\(',
      '$a',
      '[a]: b\n',
      '- [x] a\n',
      'a  \n',
    ]) {
      for (const { kind, source } of blocksOf(clean(bomb.repeat(6_000 / bomb.length)))) {
        if (kind === 'text') expect(html(source).match(/<\w/g)?.length ?? 0, bomb).toBeLessThan(5_000);
      }
    }
  }, 60_000);

  it('what is nested too deeply stays text', () => {
    const deep = Array.from({ length: 60 }, (_, i) => `${' '.repeat(2 * i)}- a`).join('\n');
    expect(html(deep)).toMatch(/^<p class="rich-plain">- a/);
    expect(html('*a _b '.repeat(200) + '_*'.repeat(200))).toMatch(/^<p/);
  });

  it('unseen characters are seen', () => {
    expect(clean('a\u202eb\u0000c\u2066d\r\ne\tf')).toBe('a\ufffdb\ufffdc\ufffdd\ne\tf');
    expect(clean('שלום \u200f')).toBe('שלום \u200f');
  });
});

describe('headings of an answer', () => {
  it('begin below the title of the page and leave no level out', () => {
    expect(headingLevels(blocksOf('### a\n# b\n##### c\n## d\ne'))).toEqual([2, 2, 3, 2]);
    expect(headingLevels(blocksOf('# a\n## b\n### c\n#### d\n## e'))).toEqual([2, 3, 4, 5, 3]);
  });
});
