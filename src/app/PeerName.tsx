import { formatPeer } from './format.ts';

/** Who is called by something else than an id. */
export interface KnownPeers {
  own: string | null;
  relays: readonly string[];
}

/** A peer by the end of its id, or as what it is known; the whole id on hover. */
export function PeerName({ peer, known }: { peer: string; known: KnownPeers }) {
  const { own, relays } = known;
  const role = peer === own ? 'this tab' : relays.includes(peer) ? 'relay' : null;
  const id = formatPeer(peer);
  // A relay that is the only one needs no id to be told from the others.
  const shown = role === null ? id : role === 'relay' && relays.length === 1 ? null : `(${id})`;
  return (
    <span className="peer" data-own={peer === own} title={peer}>
      {role}
      {role && shown && ' '}
      {shown && <span className="peer-id">{shown}</span>}
    </span>
  );
}
