import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { checkCertificate } from './certificate.ts';

const pem = (name: string) => readFileSync(new URL(`testing/${name}.pem`, import.meta.url), 'latin1');
const [cert, key] = [pem('first.cert'), pem('first.key')];

it('a good pair tells its names and how long it is valid', () => {
  const { names, until } = checkCertificate({ cert, key });
  expect(names).toEqual(['localhost', '127.0.0.1']);
  expect(until.getUTCFullYear()).toBeGreaterThan(2100);
});

it('what is wrong with a pair is named', () => {
  const broken = (text: string) => text.replace(/\n[A-Za-z0-9+/]{20}/, '\n????????????????????');
  const cases: [string, string, RegExp, number?][] = [
    ['', key, /certificate is no PEM/],
    [cert, '', /key is no PEM/],
    [key, cert, /certificate is no PEM/],
    [cert, cert, /key is no PEM/],
    [broken(cert), key, /certificate is damaged/],
    [cert, broken(key), /key is damaged/],
    [cert, pem('encrypted.key'), /passphrase/],
    [cert, pem('second.key'), /does not belong/],
    [cert, key, /expired on 2126-/, Date.UTC(2127)],
    [cert, key, /valid from 20\d\d.* clock/, Date.UTC(2001)],
  ];
  for (const [cert, key, message, now] of cases)
    expect(() => checkCertificate({ cert, key }, now), String(message)).toThrow(
      expect.objectContaining({ code: 'bad-certificate', message: expect.stringMatching(message) }),
    );
});
