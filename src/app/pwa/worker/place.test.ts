import { expect, it } from 'vitest';
import { placeOf } from './place.ts';

const ORIGIN = 'https://shoal.example';
const KEPT = new Set(['/assets/index-abc.js', '/logo.svg', '/manifest.webmanifest', '/index.html']);

function place(path: string, mode: RequestMode = 'cors', method = 'GET') {
  const url = new URL(path, ORIGIN).href;
  return placeOf({ url, mode, method }, ORIGIN, (one) => KEPT.has(one));
}

it('a visit to the page is answered from what is kept, whatever relay or view it names', () => {
  for (const path of ['/', '/index.html', '/?relay=https://other.example', '/#/share'])
    expect(place(path, 'navigate'), path).toBe('page');
});

it('models, the API and other origins are never touched', () => {
  for (const path of [
    '/models/index.json',
    '/models/cid/files/a.gguf',
    '/v1/chat/completions',
    '/v1/models',
  ]) {
    expect(place(path), path).toBe('network');
    expect(place(path, 'navigate'), path).toBe('network');
  }
  expect(place('https://elsewhere.example/logo.svg')).toBe('network');
  expect(place('/network.json')).toBe('network');
  expect(place('/healthz')).toBe('network');
  expect(place('/', 'cors', 'HEAD')).toBe('network');
});

it("parts of the page are kept files, also those of a build that is not this worker's", () => {
  expect(place('/assets/index-abc.js')).toBe('file');
  expect(place('/assets/of-another-build.js')).toBe('file');
  expect(place('/logo.svg', 'no-cors')).toBe('file');
  expect(place('/ort/1.30.0/ort-wasm-simd-threaded.wasm')).toBe('runtime');
});

it('a visit elsewhere on the relay asks it, and shows the page when it is gone', () => {
  expect(place('/healthz', 'navigate')).toBe('page-offline');
  expect(place('/manifest.webmanifest', 'navigate')).toBe('file');
});

it('only a share from the system is taken as one', () => {
  expect(place('/share-target', 'navigate', 'POST')).toBe('shared');
  expect(place('/share-target', 'cors', 'POST')).toBe('network');
  expect(place('/v1/chat/completions', 'cors', 'POST')).toBe('network');
});
