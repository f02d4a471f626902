import { useState } from 'react';
import type { ModelCoverage, NetworkSnapshot, Shoal } from '../sdk/index.ts';
import { formatHeld, formatLayers, formatRange, formatServed } from './format.ts';
import { LinkTable } from './LinkTable.tsx';
import { runsOf } from './layer-runs.ts';
import { type KnownPeers, PeerName } from './PeerName.tsx';
import { useObservable } from './use-observable.ts';

interface Props {
  shoal: Shoal;
  /** The relay that another address was given for, null for the page's own. */
  relay: string | null;
}

/** Who holds which layers, and who is linked to whom. It looks again every few seconds while it is open. */
export function NetworkView({ shoal, relay }: Props) {
  const [open, setOpen] = useState(false);
  return (
    <div
      id="network"
      popover="auto"
      className="menu network"
      role="dialog"
      aria-label="Network"
      onToggle={(event) => setOpen(event.newState === 'open')}
    >
      {open && <Contents shoal={shoal} relay={relay} />}
    </div>
  );
}

function Contents({ shoal, relay }: Props) {
  const network = useObservable(shoal.networkStatus);
  const { self, coverage, relays } = network;
  const own = self?.peer ?? null;
  const known = { own, relays };
  const held = coverage.filter(({ layers }) => layers.some(({ holders }) => holders.length > 0));
  const empty = coverage.filter((model) => !held.includes(model));
  return (
    <>
      <h2>Network</h2>
      <p className="hint">{stateOf(network)}</p>
      {relay && <p className="hint">Relay given by this page’s address: {relay}</p>}
      {network.error && <p className="error">{network.error.message}</p>}
      {own && (
        <p className="hint">
          <PeerName peer={own} known={known} />{' '}
          {self?.sharing && self.sharing.state === 'sharing'
            ? `holds ${formatHeld(self.sharing)} · ${formatServed(self.sharing)}`
            : 'lends nothing'}
          {network.sessionsServed > 0 && ` · ${network.sessionsServed} conversations served in all`}
        </p>
      )}
      {held.map((model) => (
        <Coverage key={model.cid} model={model} known={known} />
      ))}
      {network.state === 'online' && held.length === 0 && (
        <p className="hint">
          Nobody lends {empty.length === 1 ? `any of ${empty[0]!.model}` : 'anything'} yet. Share this device
          to begin.
        </p>
      )}
      <LinkTable network={network} known={known} />
    </>
  );
}

/** A strip with a cell per layer, and the same in words. */
function Coverage({ model, known }: { model: ModelCoverage; known: KnownPeers }) {
  const { own } = known;
  return (
    <section aria-label={`Layers of ${model.model}`}>
      <h3>{model.model}</h3>
      <div className="layer-strip" aria-hidden="true">
        {model.layers.map(({ layer, holders }) => (
          <span
            key={layer}
            data-holders={
              layer < model.clientLayers && holders.length === 0 ? 'client' : Math.min(holders.length, 3)
            }
            data-own={own !== null && holders.includes(own)}
            title={`Layer ${layer}: ${holders.length} ${holders.length === 1 ? 'holder' : 'holders'}`}
          >
            {holders.length}
          </span>
        ))}
      </div>
      <table>
        <caption className="visually-hidden">Holders of the layers of {model.model}</caption>
        <thead>
          <tr>
            <th scope="col">Layers</th>
            <th scope="col">How many</th>
            <th scope="col">Held by</th>
          </tr>
        </thead>
        <tbody>
          {runsOf(model).map(({ start, end, holders }) => (
            <tr key={start}>
              <th scope="row">{formatRange({ start, end })}</th>
              <td>{holders.length}</td>
              <td>
                {holders.map((peer) => (
                  <PeerName key={peer} peer={peer} known={known} />
                ))}
                {holders.length === 0 && (end <= model.clientLayers ? 'each asking tab itself' : 'nobody')}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {model.missing.length > 0 && (
        <p className="hint">
          Nobody holds {model.missing.map(formatLayers).join(', ')}: until somebody does, this model cannot
          answer over the network.
        </p>
      )}
    </section>
  );
}

function stateOf({ state, relay, peers, self }: NetworkSnapshot): string {
  const others = peers.filter((peer) => peer.peer !== self?.peer).length;
  const lend =
    others === 0 ? 'nobody else lends' : `${others} ${others === 1 ? 'peer lends' : 'others lend'}`;
  switch (state) {
    case 'online':
      return relay === 'connected'
        ? `Connected to the relay; ${lend}.`
        : 'The relay is gone and is dialled again and again. Links that are there still work.';
    case 'joining':
      return 'Joining…';
    case 'offline':
      return 'Offline: neither a relay nor a peer can be reached. It is tried again by itself.';
    case 'off':
      return 'This tab has not joined the network.';
  }
}
