import { type KeyboardEvent, type RefObject, useId, useRef, useState } from 'react';
import type { NetworkMap } from '../../sdk/early.ts';
import { useDoors } from '../doors.ts';
import { formatMs } from '../format.ts';
import { useObservable } from '../look/use-observable.ts';
import { useWords } from '../words/index.ts';
import type { Direction } from './camera.ts';
import { Legend } from './Legend.tsx';
import { useLayerWords } from './layer-words.ts';
import { PeerCard } from './PeerCard.tsx';
import { useNames } from './PeerName.tsx';
import { ownLinks } from './PeerTable.tsx';
import type { Painter } from './painter.ts';
import { INKS } from './palette.ts';
import { useGestures } from './use-gestures.ts';
import { usePainter } from './use-painter.ts';
import './picture.css';

const ARROWS: Record<string, Direction> = {
  ArrowLeft: 'left',
  ArrowRight: 'right',
  ArrowUp: 'up',
  ArrowDown: 'down',
};
const ZOOM = 1.35;
/** Pixels that Shift and an arrow move the picture. */
const STEP = 60;

interface Props {
  map: NetworkMap;
  /** Only these are drawn in full; null for all. */
  lit: ReadonlySet<string> | null;
  /** Ids of the last answer's route. */
  route: readonly string[];
}

/** The shoal, drawn: everybody a fish, with the links between them. All of it is also told by the tables. */
export function Picture({ map, lit, route }: Props) {
  const { network } = useWords();
  const { settings } = useDoors();
  const { theme, motion } = useObservable(settings);
  const help = useId();
  const canvas = useRef<HTMLCanvasElement>(null);
  const swatches = useRef<HTMLSpanElement>(null);
  const [selected, setSelected] = useState<string | null>(null);
  const [hovered, setHovered] = useState<string | null>(null);
  const nameOf = useNames(map.peers);
  const layersOf = useLayerWords(map.models);
  const self = map.peers.find(({ kind }) => kind === 'self') ?? null;
  const peerOf = (id: string | null) => map.peers.find((peer) => peer.id === id) ?? null;
  const chosen = peerOf(selected);
  const shown = chosen ?? peerOf(hovered);
  const models = map.models;

  const painter = usePainter(canvas, swatches, {
    map,
    look: { selected: chosen?.id ?? null, hovered, lit, route },
    theme,
    still: motion === 'less',
    names: {
      peer: nameOf,
      trip: formatMs,
      group: ({ kind, range, peers }) => {
        if (kind === 'clients') return network.groupClients(peers);
        if (!range) return '';
        const model = models.find(({ cid }) => cid === range.cid);
        return models.length > 1 && model ? network.groupOf(model.name, range) : network.groupHosts(range);
      },
    },
  });
  useGestures(canvas, painter, { onHover: setHovered, onChoose: setSelected });

  const choose = (id: string | null) => {
    setSelected(id);
    if (id) painter.current?.reveal(id);
  };
  const find = () => {
    if (!self) return;
    painter.current?.find(self.id);
    setSelected(self.id);
  };
  const keys = (event: KeyboardEvent) => {
    const act = keyAction(event, painter, selected, { choose, find });
    if (!act) return;
    event.preventDefault();
    act();
  };
  const said = chosen
    ? network.chosen(nameOf(chosen), network.kinds[chosen.kind], layersOf(chosen), chosen.sessions ?? 0)
    : '';
  const link = shown ? (ownLinks(map.links, self?.id ?? null).get(shown.id) ?? null) : null;
  const hidden = map.total - map.peers.length;
  return (
    <div className="network-picture">
      <div className="network-stage">
        <div
          className="network-canvas"
          role="application"
          // biome-ignore lint/a11y/noNoninteractiveTabindex: a picture that is walked through by keys.
          tabIndex={0}
          aria-label={network.picture}
          aria-describedby={help}
          data-peers={map.peers.length}
          data-links={map.links.length}
          data-source={map.source}
          onKeyDown={keys}
        >
          <canvas ref={canvas} />
        </div>
        <div className="network-tools">
          <button
            type="button"
            aria-label={network.zoomIn}
            title={network.zoomIn}
            onClick={() => painter.current?.zoom(ZOOM)}
          >
            +
          </button>
          <button
            type="button"
            aria-label={network.zoomOut}
            title={network.zoomOut}
            onClick={() => painter.current?.zoom(1 / ZOOM)}
          >
            −
          </button>
          <button type="button" onClick={() => painter.current?.showAll()}>
            {network.showAll}
          </button>
          <button type="button" disabled={!self} title={self ? undefined : network.findMeNot} onClick={find}>
            {network.findMe}
          </button>
        </div>
        {shown && (
          <PeerCard map={map} peer={shown} link={link} onClose={chosen ? () => setSelected(null) : null} />
        )}
        <span ref={swatches} className="network-inks" hidden>
          {INKS.map((ink) => (
            <i key={ink} data-ink={ink} />
          ))}
        </span>
      </div>
      <div className="network-caption">
        <Legend route={route.length > 0} />
        <p className="hint">
          {network.wheel} {hidden > 0 && network.notShown(hidden)}
        </p>
        <p className="visually-hidden" id={help}>
          {network.pictureHelp}
        </p>
        <p className="visually-hidden" role="status">
          {said}
        </p>
      </div>
    </div>
  );
}

interface Actions {
  choose: (id: string | null) => void;
  find: () => void;
}

/** What a key does; null when it is none of the picture's. */
function keyAction(
  { key, shiftKey, ctrlKey, metaKey, altKey }: KeyboardEvent,
  { current: painter }: RefObject<Painter | null>,
  selected: string | null,
  { choose, find }: Actions,
): (() => void) | null {
  if (!painter || ctrlKey || metaKey || altKey) return null;
  const direction = ARROWS[key];
  if (direction && shiftKey) {
    const x = direction === 'left' ? STEP : direction === 'right' ? -STEP : 0;
    const y = direction === 'up' ? STEP : direction === 'down' ? -STEP : 0;
    return () => painter.pan({ x, y });
  }
  if (direction) return () => choose(painter.next(selected, direction));
  if (key === '+' || key === '=') return () => painter.zoom(ZOOM);
  if (key === '-') return () => painter.zoom(1 / ZOOM);
  if (key === '0') return () => painter.showAll();
  if (key === 'Home') return find;
  // Without a choice, Escape is for whoever else wants it.
  return key === 'Escape' && selected !== null ? () => choose(null) : null;
}
