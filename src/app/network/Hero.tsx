import { useEffect, useRef, useState } from 'react';
import type { NetworkMap, NetworkSnapshot } from '../../sdk/early.ts';
import { useWords } from '../words/index.ts';
import { type Computed, computedIn, tokensPerSecond } from './rate.ts';

/** The shoal in four numbers. */
export function Hero({ map, own }: { map: NetworkMap; own: NetworkSnapshot }) {
  const { network } = useWords();
  const rate = useRate(own);
  const known = map.source !== 'none';
  const lending = map.peers.filter(({ layers }) => layers.length > 0).length;
  const numbers: [string, string, string?][] = [
    [network.peers, known ? String(map.total) : network.unknown],
    [network.lending, known ? String(lending) : network.unknown],
    [network.sessionsNow, known ? String(map.running) : network.unknown, network.sessionsNote],
    [
      network.rate,
      rate === null ? network.unknown : rate >= 10 || rate === 0 ? String(Math.round(rate)) : rate.toFixed(1),
      network.rateNote,
    ],
  ];
  return (
    <dl className="network-hero">
      {numbers.map(([name, value, note]) => (
        <div key={name} title={note}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** Between one look at the hosts and the next; null before there are two. */
function useRate(own: NetworkSnapshot): number | null {
  const before = useRef<Computed | null>(null);
  const [rate, setRate] = useState<number | null>(null);
  useEffect(() => {
    if (own.peers.length === 0) {
      before.current = null;
      setRate(null);
      return;
    }
    const now = computedIn(own, performance.now());
    setRate(tokensPerSecond(before.current, now));
    before.current = now;
  }, [own]);
  return rate;
}
