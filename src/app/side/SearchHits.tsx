import type { ListState, SearchHit } from '../chat/types.ts';
import { useWords } from '../words/index.ts';

interface Props {
  /** As it stands in the box. */
  text: string;
  list: ListState;
  current: string;
  onOpen: (id: string) => void;
}

/** What a search found: the titles, and the words around the match. */
export function SearchHits({ text, list, current, onOpen }: Props) {
  const { side } = useWords();
  // What was found for the text before stays until the search for this one has begun.
  const hits = list.search?.hits ?? [];
  const running = list.search?.text !== text.trim() || list.search.running;
  const none = !running && hits.length === 0;
  const titles = new Map(list.items.map(({ id, title }) => [id, title]));
  return (
    <>
      <p className="hint side-found" role="status">
        {running && hits.length === 0
          ? side.searching
          : none
            ? side.nothingFound(text.trim())
            : side.found(hits.length)}
      </p>
      <ul className="side-list" aria-label={side.conversations}>
        {hits.map((hit) => (
          <li key={hit.id} className="side-hit">
            <button type="button" aria-current={hit.id === current} onClick={() => onOpen(hit.id)}>
              <span className="side-title">{titles.get(hit.id) || side.untitled}</span>
              <small>
                <Excerpt hit={hit} />
              </small>
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}

function Excerpt({ hit: { excerpt, from, to } }: { hit: SearchHit }) {
  return (
    <>
      {excerpt.slice(0, from)}
      <mark>{excerpt.slice(from, to)}</mark>
      {excerpt.slice(to)}
    </>
  );
}
