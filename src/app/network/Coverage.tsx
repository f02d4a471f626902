import { useState } from 'react';
import type { MapPeer, NetworkMap } from '../../sdk/early.ts';
import { useWords } from '../words/index.ts';
import { LayerStrip } from './LayerStrip.tsx';
import { useNames } from './PeerName.tsx';
import { type LayerRun, type MapModel, missingIn, runsOf } from './runs.ts';

/** Names in one cell of the table; the others are counted. */
const MOST_NAMES = 4;

export interface ChosenLayer {
  cid: string;
  layer: number;
}

interface Props {
  map: NetworkMap;
  chosen: ChosenLayer | null;
  onChoose: (layer: ChosenLayer | null) => void;
}

/** Every model with how many peers hold each of its layers. */
export function Coverage({ map, chosen, onChoose }: Props) {
  const { network } = useWords();
  return (
    <section aria-labelledby="network-coverage">
      <h2 id="network-coverage">{network.coverage}</h2>
      <p className="hint">{network.coverageNote}</p>
      <ul className="network-key" aria-label={network.coverageKey}>
        <li data-held="none">{network.heldNone}</li>
        <li data-held="one">{network.heldOne}</li>
        <li data-held="many">{network.heldMany}</li>
        <li data-held="client">{network.heldClient}</li>
      </ul>
      {map.models.length === 0 && map.source !== 'none' && <p className="hint">{network.noModels}</p>}
      {map.models.map((model) => (
        <Model
          key={model.cid}
          model={model}
          peers={map.peers}
          chosen={chosen?.cid === model.cid ? chosen.layer : null}
          onChoose={(layer) => onChoose(layer === null ? null : { cid: model.cid, layer })}
        />
      ))}
    </section>
  );
}

interface ModelProps {
  model: MapModel;
  peers: readonly MapPeer[];
  chosen: number | null;
  onChoose: (layer: number | null) => void;
}

function Model({ model, peers, chosen, onChoose }: ModelProps) {
  const { network } = useWords();
  const own = new Set<number>();
  for (const { cid, start, end } of peers.find(({ kind }) => kind === 'self')?.layers ?? []) {
    if (cid === model.cid) for (let layer = start; layer < end; layer++) own.add(layer);
  }
  const missing = missingIn(model);
  const [open, setOpen] = useState(false);
  return (
    <section className="card network-model" aria-label={model.name}>
      <h3>{model.name}</h3>
      <LayerStrip model={model} own={own} chosen={chosen} onChoose={onChoose} />
      <p>{missing.length > 0 ? network.stopped(missing) : network.whole}</p>
      <details onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>{network.table}</summary>
        {open && <Holders model={model} peers={peers} />}
      </details>
    </section>
  );
}

function Holders({ model, peers }: Pick<ModelProps, 'model' | 'peers'>) {
  const { network } = useWords();
  const nameOf = useNames(peers);
  const who = ({ count, holders, end }: LayerRun) => {
    if (count === 0) return end <= model.clientLayers ? network.eachItself : network.nobodyHolds;
    const names = holders.slice(0, MOST_NAMES).map(nameOf);
    const more = Math.max(count, holders.length) - names.length;
    return [...names, ...(more > 0 ? [network.more(more)] : [])].join(', ');
  };
  return (
    <table className="network-table">
      <caption className="visually-hidden">{network.holders(model.name)}</caption>
      <thead>
        <tr>
          <th scope="col">{network.layers}</th>
          <th scope="col">{network.howMany}</th>
          <th scope="col">{network.heldBy}</th>
        </tr>
      </thead>
      <tbody>
        {runsOf(model, peers).map((run) => (
          <tr key={run.start}>
            <th scope="row">{network.range(run)}</th>
            <td>{run.count}</td>
            <td>{who(run)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
