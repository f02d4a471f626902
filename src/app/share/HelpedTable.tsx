import { useState } from 'react';
import { useDoors } from '../doors.ts';
import { formatBytes } from '../format.ts';
import { useWords } from '../words/index.ts';
import { EnergyForm } from './EnergyForm.tsx';
import { type EnergyAssumptions, estimateEnergy, keepAssumptions, readAssumptions } from './energy.ts';
import type { Helped, ShareState } from './types.ts';

/** What this device did for others today and in all, with an estimate of what that took. */
export function HelpedTable({ state, backend }: { state: ShareState; backend: string | null }) {
  const { share: words } = useWords();
  const { keep } = useDoors();
  const [assumed, setAssumed] = useState(() => readAssumptions(keep));
  const change = (next: EnergyAssumptions) => {
    setAssumed(next);
    keepAssumptions(keep, next);
  };
  const count = new Intl.NumberFormat(document.documentElement.lang || undefined);
  const energyOf = ({ computeMs }: Helped) => estimateEnergy(computeMs, assumed, backend);
  const rows: [name: string, of: (helped: Helped) => string][] = [
    [words.conversations, ({ conversations }) => count.format(conversations)],
    [words.peers, ({ peers }) => count.format(peers)],
    [words.tokens, ({ tokens }) => count.format(tokens)],
    [words.positions, ({ positions }) => count.format(positions)],
    [words.compute, ({ computeMs }) => words.duration(computeMs)],
    [words.lent, ({ lentMs }) => words.duration(lentMs)],
    [words.bytes, ({ bytesIn, bytesOut }) => formatBytes(bytesIn + bytesOut)],
    [words.energy, (helped) => words.wattHours(energyOf(helped).wattHours)],
    [words.carbon, (helped) => words.grams(energyOf(helped).grams)],
  ];
  const since = new Intl.DateTimeFormat(document.documentElement.lang || undefined, { dateStyle: 'medium' });
  return (
    <section aria-labelledby="share-helped">
      <h2 id="share-helped">{words.helpedTitle}</h2>
      <table className="share-helped">
        <caption className="hint">{words.helpedCaption}</caption>
        <thead>
          <tr>
            <td />
            <th scope="col">{words.today}</th>
            <th scope="col">{words.all(since.format(state.since))}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(([name, of]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>{of(state.today)}</td>
              <td>{of(state.all)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p className="hint">{words.peersHint}</p>
      <EnergyForm assumed={assumed} backend={backend} onChange={change} />
    </section>
  );
}
