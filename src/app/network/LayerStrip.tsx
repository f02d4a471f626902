import { type KeyboardEvent, useId } from 'react';
import { useWords } from '../words/index.ts';
import { heldOf, type MapModel } from './runs.ts';

interface Props {
  model: MapModel;
  /** Layers that this tab holds. */
  own: ReadonlySet<number>;
  /** The layer whose holders are shown, null for none. */
  chosen: number | null;
  onChoose: (layer: number | null) => void;
}

/** A cell per layer, told by colour and by number; a chosen one says who holds it, here and in the picture. */
export function LayerStrip({ model, own, chosen, onChoose }: Props) {
  const { network } = useWords();
  const id = useId();
  const words = (layer: number) => {
    const count = model.coverage[layer] ?? 0;
    const said = heldOf(model, layer) === 'client' ? network.layerClient(layer) : network.layer(layer, count);
    return own.has(layer) ? `${said}, ${network.layerOwn}` : said;
  };
  const move = (event: KeyboardEvent) => {
    const last = model.coverage.length - 1;
    const at = chosen ?? -1;
    const to = new Map([
      ['ArrowRight', Math.min(last, at + 1)],
      ['ArrowLeft', Math.max(0, at - 1)],
      ['Home', 0],
      ['End', last],
    ]).get(event.key);
    if (to !== undefined) onChoose(to);
    else if (event.key === 'Escape') onChoose(null);
    else return;
    event.preventDefault();
  };
  return (
    <>
      <div
        className="network-strip"
        role="listbox"
        tabIndex={0}
        aria-label={network.strip(model.name)}
        aria-describedby={`${id}-help`}
        aria-activedescendant={chosen === null ? undefined : `${id}-${chosen}`}
        aria-orientation="horizontal"
        onKeyDown={move}
        onFocus={() => chosen === null && model.coverage.length > 0 && onChoose(0)}
        onBlur={() => onChoose(null)}
      >
        {model.coverage.map((count, layer) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the listbox around it has the keys.
          // biome-ignore lint/a11y/useFocusableInteractive: the listbox keeps the focus, by aria-activedescendant.
          <span
            key={layer}
            id={`${id}-${layer}`}
            role="option"
            aria-selected={layer === chosen}
            aria-label={words(layer)}
            title={words(layer)}
            data-held={heldOf(model, layer)}
            data-own={own.has(layer) || undefined}
            onClick={() => onChoose(layer)}
          >
            {count}
          </span>
        ))}
      </div>
      <p className="hint network-strip-words" id={`${id}-help`}>
        {chosen === null ? network.stripHelp : words(chosen)}
      </p>
    </>
  );
}
