import { expect, it } from 'vitest';
import type { MapPeer } from '../../sdk/early.ts';
import { anchorsOf } from './anchors.ts';
import { fit, neighbour, toPicture, toScreen, zoomed } from './camera.ts';
import { Layout } from './layout.ts';
import { sameShape, sceneOf } from './scene.ts';

const MODELS = [{ cid: 'm', name: 'M', layers: 32, coverage: [], clientLayers: 2 }];
const ASPECT = 2;

function peer(id: string, kind: MapPeer['kind'], range?: [number, number]): MapPeer {
  const layers = range ? [{ cid: 'm', start: range[0], end: range[1] }] : [];
  return { id, kind, layers, sessions: 0 };
}

/** Hosts in four schools, those who ask, and a relay. */
function crowd(hosts: number, clients: number): MapPeer[] {
  const ranges: [number, number][] = [
    [0, 8],
    [8, 16],
    [16, 24],
    [24, 32],
  ];
  return [
    peer('relay', 'relay'),
    ...Array.from({ length: hosts }, (_, i) => peer(`host${i}`, 'host', ranges[i % 4])),
    ...Array.from({ length: clients }, (_, i) => peer(`client${i}`, 'client')),
  ];
}

const sceneFor = (peers: MapPeer[]) => sceneOf({ peers, links: [], models: MODELS });

function settle(layout: Layout): void {
  let time = 0;
  // Each look at the clock is a millisecond.
  while (layout.work(8, () => time++));
}

function placesOf(layout: Layout): Record<string, [number, number]> {
  return Object.fromEntries([...layout.places].map(([id, { x, y }]) => [id, [Math.round(x), Math.round(y)]]));
}

it('schools stand in the order of their layers, those who ask below them, the relay above', () => {
  const layout = new Layout();
  layout.set(sceneFor(crowd(80, 40)), ASPECT);
  settle(layout);
  const middle = (kind: string, of: (place: { x: number; y: number }) => number) => {
    const found = [...layout.places.values()].filter(({ group }) => group === kind).map(of);
    return found.reduce((sum, one) => sum + one, 0) / found.length;
  };
  const schools = ['m 0 8', 'm 8 16', 'm 16 24', 'm 24 32'];
  const across = schools.map((school) => middle(school, ({ x }) => x));
  expect([...across].sort((a, b) => a - b)).toEqual(across);
  for (const school of schools) {
    expect(middle(school, ({ y }) => y)).toBeLessThan(middle('clients', ({ y }) => y));
    expect(middle(school, ({ y }) => y)).toBeGreaterThan(middle('relays', ({ y }) => y));
  }
});

it('nobody lies upon another, and schools do not mix', () => {
  const layout = new Layout();
  layout.set(sceneFor(crowd(300, 199)), ASPECT);
  settle(layout);
  const places = [...layout.places.values()];
  let nearest = Infinity;
  for (const [i, a] of places.entries()) {
    for (const b of places.slice(i + 1)) nearest = Math.min(nearest, Math.hypot(a.x - b.x, a.y - b.y));
  }
  expect(nearest).toBeGreaterThan(12);
  const anchors = [...layout.anchors];
  for (const { x, y, group } of places.filter(({ group }) => group.startsWith('m'))) {
    const near = anchors.reduce((a, b) =>
      Math.hypot(a[1].x - x, a[1].y - y) < Math.hypot(b[1].x - x, b[1].y - y) ? a : b,
    );
    expect(near[0]).toBe(group);
  }
});

it('when somebody comes or goes, the others keep their places', () => {
  const layout = new Layout();
  const peers = crowd(40, 20);
  layout.set(sceneFor(peers), ASPECT);
  settle(layout);
  const before = placesOf(layout);
  const left = peers.filter(({ id }) => id !== 'client7');
  layout.set(sceneFor([...left, peer('clientNew', 'client')]), ASPECT);
  settle(layout);
  const after = placesOf(layout);
  const moved = Object.keys(after).filter((id) => {
    const [x, y] = before[id] ?? after[id]!;
    return Math.hypot(after[id]![0] - x, after[id]![1] - y) > 4;
  });
  expect(moved).toEqual([]);
  expect(Object.keys(after)).toHaveLength(Object.keys(before).length);
});

it('places are found in pieces, each of which ends in time', () => {
  const layout = new Layout();
  layout.set(sceneFor(crowd(300, 199)), ASPECT);
  let time = 0;
  let pieces = 0;
  let longest = 0;
  for (;;) {
    const began = time;
    if (!layout.work(8, () => time++)) break;
    pieces++;
    longest = Math.max(longest, time - began);
  }
  expect(pieces).toBeGreaterThan(5);
  expect(longest).toBeLessThanOrEqual(10);
  expect(layout.settled).toBe(true);
});

it('the same schools get the same places, whatever order they come in, and fill the picture they have', () => {
  const { groups } = sceneFor(crowd(300, 199));
  expect(anchorsOf([...groups].reverse(), ASPECT)).toEqual(anchorsOf(groups, ASPECT));
  const shape = (aspect: number) => {
    const anchors = [...anchorsOf(groups, aspect).values()];
    const span = (of: (one: (typeof anchors)[number]) => number) =>
      Math.max(...anchors.map(of)) - Math.min(...anchors.map(of));
    return span(({ x }) => x) / span(({ y }) => y);
  };
  expect(shape(2.5)).toBeGreaterThan(shape(0.8));
});

it('numbers that change move nobody, and hundreds of different slices become a few schools', () => {
  const peers = crowd(8, 2);
  const busy = peers.map((one) => ({ ...one, sessions: 5 }));
  expect(sameShape(sceneFor(peers), sceneFor(busy))).toBe(true);
  expect(sameShape(sceneFor(peers), sceneFor(crowd(8, 3)))).toBe(false);
  const odd = Array.from({ length: 300 }, (_, i) => peer(`h${i}`, 'host', [i % 29, (i % 29) + 2 + (i % 2)]));
  expect(sceneFor(odd).groups.length).toBeLessThanOrEqual(40);
  const { nodes } = sceneFor([peer('self', 'self', [0, 8]), peer('me', 'self')]);
  expect(
    nodes.map(({ group }) => group),
    'this tab swims with its like',
  ).toEqual(['m 0 8', 'clients']);
});

it('zooming keeps what is under the hand, and everything fits', () => {
  const size = { width: 800, height: 400 };
  const camera = fit(
    [
      { x: -900, y: 0 },
      { x: 900, y: 300 },
    ],
    size,
    { width: 30, height: 30 },
  );
  for (const point of [
    { x: -900, y: 0 },
    { x: 900, y: 300 },
  ]) {
    const { x, y } = toScreen(point, camera, size);
    expect(x).toBeGreaterThanOrEqual(29);
    expect(x).toBeLessThanOrEqual(771);
    expect(y).toBeGreaterThan(0);
  }
  const at = { x: 600, y: 100 };
  const near = zoomed(camera, 2, at, size);
  const under = (one: typeof camera) => toPicture(at, one, size);
  expect(under(near).x).toBeCloseTo(under(camera).x);
  expect(under(near).y).toBeCloseTo(under(camera).y);
  expect(zoomed(camera, 1e9, at, size).scale).toBeLessThanOrEqual(4);
});

it('an arrow key goes to the peer that lies that way', () => {
  const all = [
    { name: 'ahead', x: 100, y: 5 },
    { name: 'aside', x: 60, y: 55 },
    { name: 'behind', x: -20, y: 0 },
    { name: 'above', x: 3, y: -40 },
  ];
  const from = { x: 0, y: 0 };
  expect(neighbour(from, all, 'right')?.name).toBe('ahead');
  expect(neighbour(from, all, 'left')?.name).toBe('behind');
  expect(neighbour(from, all, 'up')?.name).toBe('above');
  expect(neighbour({ x: 500, y: 0 }, all, 'right')).toBeNull();
});
