import { useMemo, useState } from 'react';
import type { NetworkMap, NetworkSnapshot } from '../../sdk/early.ts';
import { useDoors } from '../doors.ts';
import { useObservable } from '../look/use-observable.ts';
import { useWords } from '../words/index.ts';
import { type ChosenLayer, Coverage } from './Coverage.tsx';
import { Hero } from './Hero.tsx';
import { HoldMissing } from './HoldMissing.tsx';
import { LinkTable } from './LinkTable.tsx';
import { useLayerWords } from './layer-words.ts';
import { PeerTable } from './PeerTable.tsx';
import { Picture } from './Picture.tsx';
import { lastRoute } from './route.ts';
import './network.css';

/** The shoal to look at: who is here, who holds what, who is linked to whom, in a picture and in words. */
export function NetworkView() {
  const { network } = useWords();
  const { shoal, thread, relay } = useDoors();
  const map = useObservable(shoal.networkMap);
  const own = useObservable(shoal.networkStatus);
  const { messages } = useObservable(thread.state);
  const [chosen, setChosen] = useState<ChosenLayer | null>(null);
  const self = map.peers.find(({ kind }) => kind === 'self')?.id ?? null;
  const route = useMemo(() => lastRoute(messages, self), [messages, self]);
  const lit = useMemo(() => (chosen ? holdersOf(map, chosen) : null), [map, chosen]);
  return (
    <div className="page network-page">
      <div className="network-head">
        <h1>{network.title}</h1>
        <p className="hint">{network.intro}</p>
      </div>
      <Hero map={map} own={own} />
      <State map={map} own={own} />
      <Picture map={map} lit={lit} route={route} />
      <Summary map={map} />
      {relay && <p className="hint network-given">{network.relayGiven(relay)}</p>}
      <HoldMissing map={map} />
      <Coverage map={map} chosen={chosen} onChoose={setChosen} />
      <PeerTable map={map} />
      <LinkTable map={map} own={own.links} />
    </div>
  );
}

/** What is not as it should be, or not yet. */
function State({ map, own }: { map: NetworkMap; own: NetworkSnapshot }) {
  const words = useStateWords(map, own);
  // One element that stays, so that a screen reader hears what is written into it.
  return (
    <div role="status" className="network-state">
      {words && <p className="card">{words}</p>}
    </div>
  );
}

function useStateWords(map: NetworkMap, own: NetworkSnapshot): string | null {
  const { network } = useWords();
  const { shoal } = useDoors();
  const { state, relay, error } = useObservable(shoal.membership);
  if (map.source === 'relay') {
    return map.peers.every(({ layers }) => layers.length === 0) ? network.nobodyLends : null;
  }
  if (!navigator.onLine) return network.noInternet;
  if (state === 'off') return network.off;
  if (state === 'joining') return network.joining;
  if (state === 'offline') {
    const told = error ?? own.error;
    return told ? `${network.offline} ${told.message}` : network.offline;
  }
  if (map.source === 'none') return network.looking;
  return relay === 'connected' ? network.ownSight : network.relayGone;
}

/** The picture in one or two sentences. */
function Summary({ map }: { map: NetworkMap }) {
  const { network } = useWords();
  const layersOf = useLayerWords(map.models);
  const self = map.peers.find(({ kind }) => kind === 'self');
  const lending = map.peers.filter(({ layers }) => layers.length > 0).length;
  if (map.peers.length === 0) return <p>{network.nobody}</p>;
  return (
    <p>
      {network.summary(map.total, lending, map.links.length, map.running)}{' '}
      {self && (self.layers.length > 0 ? network.selfLends(layersOf(self)) : network.selfAsks)}
    </p>
  );
}

function holdersOf({ peers }: NetworkMap, { cid, layer }: ChosenLayer): ReadonlySet<string> {
  const holding = peers.filter(({ layers }) =>
    layers.some((slice) => slice.cid === cid && slice.start <= layer && layer < slice.end),
  );
  return new Set(holding.map(({ id }) => id));
}
