import { useState } from 'react';
import type { Happened } from '../chat/types.ts';
import { formatMs } from '../format.ts';
import { useWords, type Words } from '../words/index.ts';
import { formatTime, shortNameOf, whatWasLost } from './names.ts';
import { isStep, type Row, rowsOf, type Timeline } from './timeline.ts';

interface Props {
  happened: Happened;
  timeline: Timeline;
}

/** The same as the picture, in rows. */
export function Steps({ happened, timeline }: Props) {
  const { timeline: words } = useWords().happened;
  const [open, setOpen] = useState(false);
  return (
    <details className="happened-table" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{words.asTable}</summary>
      {open && <Table happened={happened} timeline={timeline} />}
    </details>
  );
}

function Table({ happened, timeline }: Props) {
  const { timeline: words } = useWords().happened;
  const rows = rowsOf(happened, timeline);
  const summed = rows.some(({ what }) => what.kind === 'tokens' && what.to > what.from);
  return (
    <>
      {/* biome-ignore lint/a11y/useSemanticElements: a table is no set of form fields. */}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by keyboard. */}
      <div className="happened-scroll" role="group" aria-label={words.table} tabIndex={0}>
        <table>
          <thead>
            <tr>
              <th scope="col">{words.columns.at}</th>
              <th scope="col">{words.columns.what}</th>
              <th scope="col">{words.columns.took}</th>
              {timeline.lanes.map(({ who }) => (
                <th scope="col" key={who}>
                  {shortNameOf(who, words)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row, i) => (
              <tr key={i}>
                <td>{formatTime(row.at)}</td>
                <th scope="row">{whatOf(row, words)}</th>
                <td>{row.ms > 0 ? formatTime(row.ms) : '–'}</td>
                {timeline.lanes.map(({ who }, lane) => (
                  <td key={who}>{row.lanes[lane] ? formatMs(row.lanes[lane]) : '–'}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {summed && <p className="hint">{words.summed}</p>}
    </>
  );
}

function whatOf({ what }: Row, words: Words['happened']['timeline']): string {
  if (what.kind === 'tokens') return words.rowTokens(what.from, what.to);
  const { entry } = what;
  if (entry.kind === 'opened') return words.rowOpened;
  if (isStep(entry)) return words.rowPrefill(entry.positions);
  return entry.kind === 'lost'
    ? words.rowLost(whatWasLost(entry, words))
    : words.rowRecovered(entry.replayed);
}
